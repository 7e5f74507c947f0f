// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Processes that belong to a test: by an entry of their environment, their group or session, or
//! because one of those is their ancestor.

use crate::family;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;

/// A living process; a zombie isn't one, it only waits for its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// When it was started, in clock ticks since boot: with the number it is unique.
    pub started: u64,
    /// Its process group.
    pub group: i32,
    /// Its session.
    pub session: i32,
    /// Its command line, or its name when it has none.
    pub command: String,
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (pid {}, group {}, session {})",
            cut(&self.command),
            self.pid,
            self.group,
            self.session
        )
    }
}

/// A command line, not too long: an agent chooses it.
fn cut(command: &str) -> String {
    const SHOWN: usize = 200;
    match command.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", command.get(..end).unwrap_or_default()),
        None => command.to_owned(),
    }
}

/// Which processes are looked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// Those with one of these entries in their environment, and what descends from them.
    pub(super) markers: Vec<OsString>,
    /// Those in one of these groups or sessions.
    pub(super) groups: Vec<i32>,
    /// These, by number and start time, and what descends from them.
    pub(super) known: BTreeSet<(i32, u64)>,
    /// Those that descend from this process.
    pub(super) family: bool,
}

/// What /proc/PID/stat says.
struct Status {
    started: u64,
    parent: i32,
    group: i32,
    session: i32,
    alive: bool,
}

/// The living processes that are wanted.
pub(super) fn find(wanted: &Wanted) -> BTreeMap<(i32, u64), Process> {
    let Wanted { markers, groups, known, family } = wanted;
    if markers.is_empty() && groups.is_empty() && known.is_empty() && !family {
        return BTreeMap::new();
    }
    let roots = if *family { &family::roots() | known } else { known.clone() };
    let all = read_all();
    let is_root = |pid: i32, status: &Status| {
        roots.contains(&(pid, status.started)) || has_marker(pid, markers)
    };
    let first = all.iter().filter(|(pid, status)| is_root(**pid, status)).map(|(pid, _)| *pid);
    let mut belong = with_descendants(first.collect(), &all);
    let in_group =
        |status: &Status| groups.contains(&status.group) || groups.contains(&status.session);
    belong.extend(all.iter().filter(|(_, status)| in_group(status)).map(|(pid, _)| *pid));
    let living = belong.into_iter().filter_map(|pid| Some((pid, all.get(&pid)?)));
    living
        .filter(|(_, status)| status.alive)
        .map(|(pid, status)| ((pid, status.started), describe(pid, status)))
        .collect()
}

fn with_descendants(first: Vec<i32>, all: &BTreeMap<i32, Status>) -> BTreeSet<i32> {
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for (pid, status) in all {
        children.entry(status.parent).or_default().push(*pid);
    }
    let mut found = BTreeSet::new();
    let mut waiting = first;
    while let Some(pid) = waiting.pop() {
        if found.insert(pid) {
            waiting.extend(children.get(&pid).into_iter().flatten());
        }
    }
    found
}

/// The children of a process, by number and start time, zombies included.
pub(crate) fn children(parent: i32) -> BTreeSet<(i32, u64)> {
    let all = read_all().into_iter().filter(|(_, status)| status.parent == parent);
    all.map(|(pid, status)| (pid, status.started)).collect()
}

/// Those of the processes that are still there, and what descends from them.
pub(crate) fn lineage(of: &BTreeSet<(i32, u64)>) -> BTreeSet<(i32, u64)> {
    let all = read_all();
    let first = all.iter().filter(|(pid, status)| of.contains(&(**pid, status.started)));
    let found = with_descendants(first.map(|(pid, _)| *pid).collect(), &all);
    found.into_iter().filter_map(|pid| Some((pid, all.get(&pid)?.started))).collect()
}

fn read_all() -> BTreeMap<i32, Status> {
    process_numbers().into_iter().filter_map(|pid| Some((pid, read(pid)?))).collect()
}

/// The time in clock ticks since boot, of which every Linux tells a hundred a second; beyond all
/// time where it isn't told.
pub(crate) fn now() -> u64 {
    let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let seconds = uptime.split(' ').next().unwrap_or_default();
    seconds.replace('.', "").parse().unwrap_or(u64::MAX)
}

/// When a process was started, in clock ticks since boot; `None` when it has gone.
pub(crate) fn start_time(pid: i32) -> Option<u64> {
    read(pid).map(|status| status.started)
}

/// The numbers of all processes.
pub(crate) fn process_numbers() -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Whether somebody follows a process with ptrace.
pub(crate) fn is_traced(pid: i32) -> bool {
    let status = fs::read(format!("/proc/{pid}/status")).unwrap_or_default();
    let status = String::from_utf8_lossy(&status);
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
    tracer.is_some_and(|tracer| tracer.trim() != "0")
}

/// The name of a process's program; `?` when it has gone. It may hold any bytes.
pub(crate) fn program_name(pid: i32) -> String {
    fs::read(format!("/proc/{pid}/comm")).map_or_else(
        |_| "?".to_owned(),
        |name| String::from_utf8_lossy(&name).trim_end().to_owned(),
    )
}

fn has_marker(pid: i32, markers: &[OsString]) -> bool {
    if markers.is_empty() {
        return false;
    }
    let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else { return false };
    environment
        .split(|byte| *byte == 0)
        .any(|entry| markers.iter().any(|marker| marker.as_bytes() == entry))
}

/// The fields of proc_pid_stat(5); `None` when the process has gone.
fn read(pid: i32) -> Option<Status> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    // The name is in brackets and may hold anything: brackets, blanks, bytes that aren't UTF-8.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let session = fields.next()?.parse().ok()?;
    // Fields 20 and 22; the session was field 6.
    let threads: u32 = fields.nth(13)?.parse().ok()?;
    let started = fields.nth(1)?.parse().ok()?;
    // A zombie with threads is a process whose first thread alone has ended.
    let alive = match state {
        "Z" => threads > 1,
        "X" => false,
        _ => true,
    };
    Some(Status { started, parent, group, session, alive })
}

fn describe(pid: i32, status: &Status) -> Process {
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let command = String::from_utf8_lossy(&arguments).replace('\0', " ").trim_end().to_owned();
    let command = if command.is_empty() { program_name(pid) } else { command };
    let Status { started, group, session, .. } = *status;
    Process { pid, started, group, session, command }
}
