// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is there before and what is there after: the files of given directories and the processes
//! that belong to a test. The difference is what an agent left behind.

mod files;
mod processes;

pub use files::Entry;
pub(crate) use files::show_content;
pub use processes::Process;
use processes::Wanted;
pub(crate) use processes::{
    children, is_traced, lineage, now, process_numbers, program_name, start_time,
};

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a process may take to go after it was told to.
const EXIT_GRACE: Duration = Duration::from_secs(2);
/// How often is looked meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What to look at.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    directories: Vec<PathBuf>,
    processes: Wanted,
}

/// What was there at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Everything below the directories, the directories themselves included, by path.
    pub files: BTreeMap<PathBuf, Entry>,
    /// The processes, by number and start time (a number alone may be somebody else's by now).
    pub processes: BTreeMap<(i32, u64), Process>,
}

/// One difference between two ledgers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A file, directory, link… that wasn't there before.
    Made(PathBuf, Entry),
    /// One that is gone.
    Removed(PathBuf, Entry),
    /// One that is there, and different: before and after.
    Altered(PathBuf, Entry, Entry),
    /// A process that wasn't there before.
    Running(Process),
    /// A process that is gone.
    Ended(Process),
}

impl Watch {
    /// Looks at nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at a directory and everything below it; it needn't exist. Links aren't followed.
    #[must_use]
    pub fn directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.directories.push(path.into());
        self
    }

    /// Looks at every process that has this entry, `NAME=value`, in its environment, and at what
    /// descends from it. It stays there through fork and exec, whatever group or session the
    /// process moves to, unless the process clears or overwrites its environment.
    #[must_use]
    pub fn marker(mut self, entry: impl AsRef<OsStr>) -> Self {
        self.processes.markers.push(entry.as_ref().to_owned());
        self
    }

    /// Looks at every process of this process group or session.
    #[must_use]
    pub fn group(mut self, number: i32) -> Self {
        self.processes.groups.push(number);
        self
    }

    /// Looks at this very process (number and start time) and at what descends from it.
    #[must_use]
    pub fn process(mut self, pid: i32, started: u64) -> Self {
        self.processes.known.insert((pid, started));
        self
    }

    /// Looks at everything that descends from this process, if orphans come to it
    /// ([`crate::family::adopt`]); nothing otherwise.
    #[must_use]
    pub fn descendants(mut self) -> Self {
        self.processes.family = true;
        self
    }

    /// What is there now.
    ///
    /// # Errors
    /// When a directory exists and can't be read; the message names it.
    pub fn snapshot(&self) -> io::Result<Ledger> {
        let mut ledger = Ledger::default();
        for directory in &self.directories {
            files::read_tree(directory, &mut ledger.files)?;
        }
        ledger.processes = processes::find(&self.processes);
        Ok(ledger)
    }

    /// What is there once every process that wasn't there before has had time to go: a service
    /// that was told to stop may take a moment longer than the one who told it.
    ///
    /// # Errors
    /// As [`Watch::snapshot`].
    pub fn settled(&self, before: &Ledger) -> io::Result<Ledger> {
        let deadline = Instant::now() + EXIT_GRACE;
        loop {
            let now = self.snapshot()?;
            let ending = now.processes.keys().any(|key| !before.processes.contains_key(key));
            if !ending || Instant::now() >= deadline {
                return Ok(now);
            }
            pause(LOOK_AGAIN);
        }
    }
}

impl Ledger {
    /// What changed from this one to a later one; files first, by path.
    #[must_use]
    pub fn changes(&self, later: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        for (path, entry) in &self.files {
            match later.files.get(path) {
                None => changes.push(Change::Removed(path.clone(), entry.clone())),
                Some(now) if now != entry => {
                    changes.push(Change::Altered(path.clone(), entry.clone(), now.clone()));
                }
                Some(_) => {}
            }
        }
        for (path, entry) in &later.files {
            if !self.files.contains_key(path) {
                changes.push(Change::Made(path.clone(), entry.clone()));
            }
        }
        changes.sort_by(|a, b| a.path().cmp(&b.path()));
        let gone = self.processes.iter().filter(|(key, _)| !later.processes.contains_key(key));
        changes.extend(gone.map(|(_, process)| Change::Ended(process.clone())));
        let new = later.processes.iter().filter(|(key, _)| !self.processes.contains_key(key));
        changes.extend(new.map(|(_, process)| Change::Running(process.clone())));
        changes
    }
}

impl Change {
    /// The path, if it is about a file.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Made(path, _) | Self::Removed(path, _) | Self::Altered(path, ..) => Some(path),
            Self::Running(_) | Self::Ended(_) => None,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made(path, entry) => write!(f, "left: {} ({entry})", path.display()),
            Self::Removed(path, entry) => write!(f, "removed: {} ({entry})", path.display()),
            Self::Altered(path, before, after) => {
                write!(f, "changed: {} ({before} before, {after} now)", path.display())
            }
            Self::Running(process) => write!(f, "still running: {process}"),
            Self::Ended(process) => write!(f, "ended: {process}"),
        }
    }
}

/// Waits a moment between two looks at something that gives no notice.
#[expect(clippy::disallowed_methods, reason = "the tester polls; no agent's deadline is involved")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
