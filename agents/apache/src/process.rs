// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A server's processes, found among all: servers, their workers, workers that outlived their server, and what
//! else a server has started.

use crate::signature::{Fit, Signature};
use nix::unistd::{Pid, getsid};
use ocf::process::Identity;
use ocf::{Explain, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// How often the processes are listed, while some end meanwhile.
const LISTS: usize = 3;

/// What the kernel says of a process (proc_pid_stat(5)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    identity: Identity,
    state: char,
    parent: i32,
    session: i32,
}

impl Stat {
    fn of(pid: i32) -> Option<Self> {
        let mut buffer = [0; 1024];
        let length = File::open(format!("/proc/{pid}/stat")).ok()?.read(&mut buffer).ok()?;
        Self::parse(pid, &String::from_utf8_lossy(buffer.get(..length)?))
    }

    /// The name in parentheses may hold anything, parentheses too.
    fn parse(pid: i32, text: &str) -> Option<Self> {
        let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        let parent = fields.next()?.parse().ok()?;
        let session = fields.nth(1)?.parse().ok()?;
        // The session is field 6, the start 22.
        let started = fields.nth(15)?.parse().ok()?;
        Some(Self { identity: Identity { pid, started }, state, parent, session })
    }

    fn lives(&self) -> bool {
        !matches!(self.state, 'Z' | 'X')
    }

    fn leads_session(&self) -> bool {
        self.session == self.identity.pid
    }
}

/// The processes of a server.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Processes {
    /// Servers: more than one only while one is being replaced, or by mistake.
    pub(crate) parents: Vec<Identity>,
    /// Their workers.
    pub(crate) workers: Vec<Identity>,
    /// Workers whose server is gone.
    pub(crate) orphans: Vec<Identity>,
    /// What a server started and didn't leave its session: loggers, scripts.
    pub(crate) others: Vec<Identity>,
    /// Who tells the server to begin anew, and may become it: none of the server's yet.
    pub(crate) passing: Vec<Identity>,
    /// The sessions that are the server's own.
    sessions: BTreeSet<i32>,
}

impl Processes {
    /// All of them, servers first: they would replace a worker.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Identity> {
        self.parents.iter().chain(&self.workers).chain(&self.orphans).chain(&self.others)
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }
}

/// What an action has seen of a server already.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Servers.
    servers: Vec<Identity>,
    /// Sessions of their own: whatever they leave there is theirs.
    sessions: BTreeSet<i32>,
}

impl Seen {
    /// Of this server.
    pub(crate) fn of(server: Identity) -> Self {
        Self { servers: vec![server], ..Self::default() }
    }

    /// Remembers what was found until the action's end.
    pub(crate) fn extend(&mut self, found: &Processes) {
        let new = found.parents.iter().filter(|server| !self.servers.contains(server));
        let new: Vec<Identity> = new.copied().collect();
        self.servers.extend(new);
        self.sessions.extend(&found.sessions);
    }
}

/// A process that may be the server's.
#[derive(Debug)]
struct Member {
    stat: Stat,
    fit: Fit,
}

/// Every process of this server. `seen` is what this action has seen, `recorded` the server that an earlier
/// one has, gone or not, `named` the pids that pid files name.
///
/// # Errors
/// When the processes can't be listed: nothing is known then, and not that there is none.
pub(crate) fn scan(
    signature: &Signature,
    seen: &Seen,
    recorded: Option<Identity>,
    named: &[i32],
) -> Result<Processes> {
    let everybody = everybody()?;
    let is_known =
        |stat: &Stat| seen.servers.contains(&stat.identity) || recorded == Some(stat.identity);
    let may_be = everybody.iter().filter_map(|(pid, stat)| {
        let fit = signature.fit(*pid).or_else(|| is_known(stat).then(Fit::default))?;
        Some((*pid, Member { stat: *stat, fit }))
    });
    let may_be: BTreeMap<i32, Member> = may_be.collect();
    let is_evident = |pid: &i32, member: &Member| {
        let Member { stat, fit } = member;
        let is_clear = fit.line.renewal.is_none() || stat.leads_session();
        let is_named = named.contains(pid) || named.contains(&stat.session);
        (is_clear || is_leaderless(stat, &everybody)) && !fit.is_jailed
            || is_known(stat)
            || is_named
    };
    let (mut fitting, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
        may_be.into_iter().partition(|(pid, member)| is_evident(pid, member));
    // In a session of the server's, or below it, nobody only passes.
    let (with_server, passing): (BTreeMap<_, _>, BTreeMap<_, _>) =
        others.into_iter().partition(|(_, Member { stat, .. })| {
            fitting.contains_key(&stat.session) || fitting.contains_key(&stat.parent)
        });
    fitting.extend(with_server);
    let mut found = Processes::default();
    let passing = passing.values().filter(|member| !member.fit.is_jailed);
    found.passing.extend(passing.map(|member| member.stat.identity));
    for (pid, member) in &fitting {
        let stat = &member.stat;
        let place = if fitting.contains_key(&stat.parent) {
            &mut found.workers
        } else if is_known(stat) || named.contains(pid) || is_server(member, &fitting) {
            &mut found.parents
        } else {
            &mut found.orphans
        };
        place.push(stat.identity);
    }
    found.sessions = sessions(&fitting, seen, &everybody);
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let is_other = |stat: &&Stat| {
        let pid = stat.identity.pid;
        pid != own && found.sessions.contains(&stat.session) && !fitting.contains_key(&pid)
    };
    found.others = everybody.values().filter(is_other).map(|stat| stat.identity).collect();
    Ok(found)
}

/// Whether the leader of its session is gone. A session that began outside of our namespace has none that we
/// could see.
fn is_leaderless(stat: &Stat, everybody: &BTreeMap<i32, Stat>) -> bool {
    stat.session > 0 && !everybody.contains_key(&stat.session)
}

/// Whether a process without a server above it is one itself, and not a worker that is left over. A server
/// leads its session, unless it stays in the foreground: then it has workers, or needs none.
fn is_server(member: &Member, fitting: &BTreeMap<i32, Member>) -> bool {
    let pid = member.stat.identity.pid;
    member.stat.leads_session()
        || fitting.values().any(|other| other.stat.parent == pid)
        || member.fit.line.is_alone
}

/// The sessions that are the server's own: one of its processes is in them now, and so is their leader, or
/// that is gone; or it was so earlier in this action. What was remembered from another action and is gone
/// proves nothing: its number may have been given to anybody since, and so may a session's.
fn sessions(
    fitting: &BTreeMap<i32, Member>,
    seen: &Seen,
    everybody: &BTreeMap<i32, Stat>,
) -> BTreeSet<i32> {
    // Whoever calls us has nothing to do with the server, though their leader may be gone, too.
    let callers = getsid(None).map_or(0, Pid::as_raw);
    let is_led_by_ours = |session: &i32| fitting.contains_key(session);
    let is_leaderless = |session: &i32| *session > 0 && !everybody.contains_key(session);
    let shows = |member: &&Member| {
        let Member { stat, fit } = member;
        // A server that stays in the foreground didn't make its session: a script that became it did.
        let is_detached = fit.line.stays.is_none();
        // One that has a stranger above it there is just about to detach.
        let has_stranger = everybody.get(&stat.parent).is_some_and(|parent| {
            parent.session == stat.session && !fitting.contains_key(&stat.parent)
        });
        let is_own = is_leaderless(&stat.session) && !has_stranger;
        is_detached && (is_led_by_ours(&stat.session) || is_own)
    };
    let shown = fitting.values().filter(shows).map(|member| member.stat.session);
    let seen = seen.sessions.iter().copied();
    let seen = seen.filter(|session| is_leaderless(session) || is_led_by_ours(session));
    shown.chain(seen).filter(|session| *session != callers).collect()
}

/// Every process that lives. A server that is just leaving its starter ends as one process and goes on as
/// another, which may be missed while it does; so that nothing may have ended meanwhile.
fn everybody() -> Result<BTreeMap<i32, Stat>> {
    let mut found = BTreeMap::new();
    for _ in 0..LISTS {
        let pids = pids()?;
        found = pids.iter().filter_map(|pid| Some((*pid, Stat::of(*pid)?))).collect();
        if found.len() == pids.len() {
            break;
        }
    }
    found.retain(|_, stat| stat.lives());
    Ok(found)
}

/// The pids that there are.
fn pids() -> Result<Vec<i32>> {
    let proc = Path::new("/proc");
    let mut found = Vec::new();
    for entry in fs::read_dir(proc).explain("list", proc)? {
        let name = entry.explain("list", proc)?.file_name();
        found.extend(name.to_str().and_then(|name| name.parse::<i32>().ok()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_full_of_parentheses_is_no_trap() {
        let text = "42 (a) Z 1 (b) S 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 4711 25";
        let stat = Stat::parse(42, text).unwrap();
        let identity = Identity { pid: 42, started: 4711 };
        assert_eq!(stat, Stat { identity, state: 'S', parent: 7, session: 9 });
        assert!(stat.lives() && !stat.leads_session());
        assert_eq!(Stat::parse(42, "42 (a"), None);
        let own = i32::try_from(std::process::id()).unwrap();
        assert_eq!(Stat::of(own).map(|stat| stat.identity), Identity::of(own));
    }
}
