// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Links that somebody else has planted. Where every user may make files, a name that can be
//! foretold is one at which a link may lie; whoever writes through it as root writes where the
//! link's maker wants. In a directory that is the resource's own there is nobody to do so.

use super::row;
use crate::check::{Check, Failure, Stop};
use crate::scratch::Scratch;
use crate::session::watched::Life;
use crate::session::{Session, State};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

pub(super) const CHECKS: &[Check] = &[row(
    "USE-57",
    "practice",
    "nothing is written through a link that lies in a directory everybody may write into",
    follows_no_link,
)];

const CONTENT: &str = "canary\n";

/// Whether everybody may make files there.
fn is_open(directory: &Path) -> bool {
    fs::metadata(directory).is_ok_and(|found| found.is_dir() && found.mode() & 0o002 != 0)
}

/// Where an action makes files that others could have foretold, action by action.
fn exposed(life: &Life) -> Vec<BTreeSet<PathBuf>> {
    let is_exposed = |path: &&PathBuf| path.parent().is_some_and(is_open);
    life.iter().map(|deed| deed.sight.made.iter().filter(is_exposed).cloned().collect()).collect()
}

/// What links lead to: a file that is there, or one that isn't.
struct Canary {
    scratch: Scratch,
    is_there: bool,
}

impl Canary {
    fn new(is_there: bool) -> io::Result<Self> {
        let canary = Self { scratch: Scratch::new("canary")?, is_there };
        if is_there {
            fs::write(canary.path(), CONTENT)?;
        }
        Ok(canary)
    }

    fn path(&self) -> PathBuf {
        self.scratch.path().join("canary")
    }

    /// What tells whether it was changed in any way: its content, owner or mode.
    fn state(&self) -> Option<(i64, i64, u32, u64)> {
        let found = fs::metadata(self.path()).ok()?;
        // The clock of files is coarse: the rest tells two changes within a tick apart.
        Some((found.ctime(), found.ctime_nsec(), found.mode(), found.len()))
    }

    /// What was done to it, if anything.
    fn harm(&self, before: Option<(i64, i64, u32, u64)>) -> Option<&'static str> {
        let now = self.state();
        let is_whole = || fs::read(self.path()).is_ok_and(|now| now == CONTENT.as_bytes());
        match (now, self.is_there) {
            _ if now == before => None,
            (_, false) => Some("the file was made to which it led"),
            (None, true) => Some("the file was removed to which it led"),
            (Some(_), true) if is_whole() => Some("the file was touched to which it led"),
            (Some(_), true) => Some("the file was written to which it led"),
        }
    }
}

/// The links that this check has planted; gone when the value is dropped.
struct Planted(Vec<PathBuf>, PathBuf);

impl Planted {
    /// Nothing is planted over what is there: nobody else could do so either.
    fn new(paths: &BTreeSet<PathBuf>, target: PathBuf) -> Self {
        let planted = paths.iter().filter(|path| symlink(&target, path).is_ok());
        Self(planted.cloned().collect(), target)
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        for path in &self.0 {
            if fs::read_link(path).is_ok_and(|target| target == self.1) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

fn follows_no_link(session: &mut Session<'_>) -> Result<(), Stop> {
    let first = exposed(&session.plain_life()?);
    if first.iter().all(BTreeSet::is_empty) {
        return Ok(());
    }
    // A name that is another one in each life can't be foretold.
    let second = exposed(&session.watched_life(&|call| call)?);
    let again: Vec<BTreeSet<PathBuf>> =
        first.iter().zip(&second).map(|(first, second)| first & second).collect();
    for is_there in [false, true] {
        let canary = Canary::new(is_there).map_err(|error| Stop::Broken(error.to_string()))?;
        if let Some(failure) = tried(session, &again, &canary)? {
            return Err(failure.into());
        }
    }
    Ok(())
}

/// A life with links planted before each action, which stay there. How the agent answers isn't
/// judged: to refuse is right.
fn tried(
    session: &mut Session<'_>,
    paths: &[BTreeSet<PathBuf>],
    canary: &Canary,
) -> Result<Option<Failure>, Stop> {
    session.reach(State::Stopped)?;
    let mut failure = None;
    let before = canary.state();
    let all: BTreeSet<PathBuf> = paths.iter().flatten().cloned().collect();
    let mut planted = Vec::new();
    for action in ["start", "monitor", "stop"] {
        planted.push(Planted::new(&all, canary.path()));
        let call = session.prepare(action);
        session.make(&call)?;
        if failure.is_none()
            && let Some(harm) = canary.harm(before)
        {
            let links = planted.iter().flat_map(|planted| &planted.0);
            let links: BTreeSet<String> = links.map(|path| path.display().to_string()).collect();
            let links: Vec<String> = links.into_iter().collect();
            failure = Some(Failure {
                rule: None,
                expected: "a file of a foreseeable name to be made anew, never through a link"
                    .to_owned(),
                seen: format!("{action} followed a link at {}: {harm}", links.join(" or ")),
                reproduction: Some(call.reproduction()),
            });
        }
    }
    session.call("stop")?;
    session.call("monitor")?;
    Ok(failure)
}
