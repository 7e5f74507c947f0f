// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Processes that belong to a test: by an entry of their environment, their group or session.

use std::collections::BTreeMap;
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
            self.command, self.pid, self.group, self.session
        )
    }
}

/// The processes with one of the environment entries, or in one of the groups or sessions.
pub(super) fn find(markers: &[OsString], groups: &[i32]) -> BTreeMap<(i32, u64), Process> {
    if markers.is_empty() && groups.is_empty() {
        return BTreeMap::new();
    }
    process_numbers()
        .into_iter()
        .filter_map(|pid| {
            let process = read(pid)?;
            let belongs = groups.contains(&process.group)
                || groups.contains(&process.session)
                || has_marker(pid, markers);
            belongs.then_some(((pid, process.started), process))
        })
        .collect()
}

/// The numbers of all processes.
pub(crate) fn process_numbers() -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The name of a process's program; `?` when it has gone.
pub(crate) fn program_name(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm"))
        .map_or_else(|_| "?".to_owned(), |name| name.trim_end().to_owned())
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

/// What /proc says about a process; `None` when it has gone or is a zombie.
fn read(pid: i32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in brackets and may hold anything, brackets and blanks too.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let _parent = fields.next()?;
    let group = fields.next()?.parse().ok()?;
    let session = fields.next()?.parse().ok()?;
    // Field 22 of proc(5); the session was field 6.
    let started = fields.nth(15)?.parse().ok()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let command = String::from_utf8_lossy(&arguments).replace('\0', " ").trim_end().to_owned();
    let command = if command.is_empty() { program_name(pid) } else { command };
    Some(Process { pid, started, group, session, command })
}
