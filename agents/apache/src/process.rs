// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A server's processes, found among all: servers, their workers, workers that outlived their server, and what
//! else a server has started.

use crate::invocation::Invocation;
use crate::signature::Signature;
use ocf::process::Identity;
use ocf::{Explain, Result};
use std::collections::BTreeMap;
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

/// A process that may be the server's.
#[derive(Debug)]
struct Member {
    stat: Stat,
    line: Invocation,
}

/// Every process of this server. `known` are servers that are remembered, gone or not, `named` the pids that
/// pid files name.
///
/// # Errors
/// When the processes can't be listed: nothing is known then, and not that there is none.
pub(crate) fn scan(signature: &Signature, known: &[Identity], named: &[i32]) -> Result<Processes> {
    let everybody = everybody()?;
    let is_known = |stat: &Stat| known.contains(&stat.identity);
    let may_be = everybody.iter().filter_map(|(pid, stat)| {
        let line = signature.fit(*pid).or_else(|| is_known(stat).then(Invocation::default))?;
        Some((*pid, Member { stat: *stat, line }))
    });
    let may_be: BTreeMap<i32, Member> = may_be.collect();
    let is_evident = |pid: &i32, member: &Member| {
        let Member { stat, line } = member;
        line.renewal.is_none()
            || stat.leads_session()
            || is_leaderless(stat, &everybody)
            || is_known(stat)
            || named.contains(pid)
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
    found.passing.extend(passing.values().map(|member| member.stat.identity));
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
    let sessions = sessions(&found, known, &everybody);
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    found.others = everybody
        .values()
        .filter(|stat| stat.identity.pid != own && !fitting.contains_key(&stat.identity.pid))
        .filter(|stat| sessions.get(&stat.session).is_some_and(|led| stat.identity.started >= *led))
        .map(|stat| stat.identity)
        .collect();
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
        || member.line.is_alone
}

/// The sessions that are a server's own, and when each began. That of a server that is gone is known only
/// where it is remembered: its number isn't given to anybody else while a process is in it.
fn sessions(
    found: &Processes,
    known: &[Identity],
    everybody: &BTreeMap<i32, Stat>,
) -> BTreeMap<i32, u64> {
    let leads = |identity: &&Identity| {
        everybody
            .get(&identity.pid)
            .is_none_or(|stat| stat.identity == **identity && stat.leads_session())
    };
    let candidates = found.parents.iter().chain(known).filter(leads);
    candidates.map(|identity| (identity.pid, identity.started)).collect()
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
