// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a resource's life leaves behind, and what a monitor changes.

use super::{after_a_sound_start, row, should};
use crate::check::{Check, Failure, Stop};
use crate::kernel::{self, Object};
use crate::ledger::pause;
use crate::places::{self, Mark, Moment};
use crate::session::watched::Life;
use crate::session::{Session, State};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub(super) const CHECKS: &[Check] = &[
    row(
        "STOP-03",
        "stop",
        "stop leaves no file, mount, device, address, route, rule or IPC object behind",
        leaves_nothing,
    ),
    row("USE-62", "practice", "start makes no file that everybody may write", stays_closed),
    should(row("MON-09", "monitor", "monitor changes no file of the resource", only_looks)),
];

/// How long is looked what others do.
const IDLE: Duration = Duration::from_millis(500);

/// How long the kernel may take to take something away, and how often is looked meanwhile.
const SETTLING: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What is new since the run began, for an earlier check may have seen it made, and is still there
/// after a further life.
fn leaves_nothing(session: &mut Session<'_>) -> Result<(), Stop> {
    after_a_sound_start(session)?;
    session.reach(State::Stopped)?;
    let life = match session.plain_life() {
        Err(Stop::Skipped(_)) => None,
        life => Some(life?),
    };
    let made = life.as_ref().map(made);
    live(session)?;
    let once = Moment::now(&session.base);
    live(session)?;
    let twice = Moment::now(&session.base);
    let before = &session.beginning;
    let new = once
        .own
        .keys()
        .chain(twice.own.keys())
        .filter(|path| !before.own.contains_key(*path) && twice.own.contains_key(*path));
    let mut left: BTreeSet<String> = new.map(|path| path.display().to_string()).collect();
    left.extend(left_in_common(session, made.as_ref(), &once, &twice));
    let objects = once.objects.difference(&before.objects);
    // Others make and leave such objects, too.
    let calls = |life: &Life| life.iter().flat_map(|deed| deed.sight.calls.clone()).collect();
    let calls: Option<BTreeSet<&str>> = life.as_ref().map(calls);
    let can_be_own = |one: &&Object| calls.as_ref().is_none_or(|calls| one.can_be_of(calls));
    let objects = objects.filter(|one| twice.objects.contains(*one)).filter(can_be_own);
    left.extend(remaining(objects.cloned().collect()).into_iter().map(|object| object.text));
    if left.is_empty() {
        return Ok(());
    }
    let all: Vec<String> = left.into_iter().take(20).collect();
    Err(Failure {
        rule: None,
        expected: "stop to remove what start has made".to_owned(),
        seen: format!("left: {}", all.join("; ")),
        reproduction: Some(session.prepare("stop").reproduction()),
    }
    .into())
}

/// Where the agent was seen to make files.
fn made(life: &Life) -> BTreeSet<PathBuf> {
    let paths = life.iter().flat_map(|deed| &deed.sight.made);
    // /var/run and the like are links.
    paths.filter_map(|path| places::real(path)).collect()
}

/// Those that don't go by themselves: the kernel takes some away a moment after it was told to.
fn remaining(mut objects: BTreeSet<Object>) -> BTreeSet<Object> {
    let deadline = Instant::now() + SETTLING;
    while !objects.is_empty() && Instant::now() < deadline {
        pause(LOOK_AGAIN);
        objects = &objects & &kernel::objects();
    }
    objects
}

/// What is left in the directories that everybody uses. Others come and go there, too: it has to be
/// what the agent was seen to make, or, where that can't be seen, have the resource's name.
fn left_in_common(
    session: &Session<'_>,
    made: Option<&BTreeSet<PathBuf>>,
    once: &Moment,
    twice: &Moment,
) -> Vec<String> {
    let before = &session.beginning.common;
    // A directory below /run is kept by many: the next boot takes it away.
    let is_kept = |path: &Path| {
        let is_directory =
            twice.common.get(path).is_some_and(|mark| mark.0 & 0o170_000 == 0o040_000);
        is_directory && path.starts_with("/run")
    };
    let new: Vec<&PathBuf> = changed(before, &once.common)
        .filter(|path| twice.common.contains_key(*path) && !is_kept(path))
        .collect();
    // What was there before is nobody's leftover because it is used.
    let is_made =
        |path: &Path| made.is_some_and(|made| made.contains(path)) && !before.contains_key(path);
    let (mut left, others): (Vec<&PathBuf>, Vec<&PathBuf>) =
        new.into_iter().partition(|path| is_made(path));
    if made.is_none() {
        let named = places::named_files(&session.base);
        let (named, others) = others.into_iter().partition(|path| named.contains_key(*path));
        left.extend::<Vec<&PathBuf>>(named);
        left.extend(left_again(session, others, once, twice));
    }
    left.iter().map(|path| path.display().to_string()).collect()
}

/// Where the agent can't be looked at: those that are left, or touched, by each life, and not while
/// the agent isn't called.
fn left_again<'a>(
    session: &Session<'_>,
    mut suspects: Vec<&'a PathBuf>,
    once: &Moment,
    twice: &Moment,
) -> Vec<&'a PathBuf> {
    // A file that grows is somebody's who is at work.
    let size = |moment: &Moment, path: &Path| moment.common.get(path).map(|mark| mark.1);
    let again: BTreeSet<String> = changed(&once.common, &twice.common)
        .filter(|path| size(once, path).is_none_or(|old| size(twice, path) == Some(old)))
        .map(|path| stem(path))
        .collect();
    suspects.retain(|path| again.contains(&stem(path)));
    if !suspects.is_empty() {
        // The control: as long a time in which the agent isn't called.
        pause(IDLE);
        let idle = Moment::now(&session.base);
        let foreign: BTreeSet<String> =
            changed(&twice.common, &idle.common).map(|path| stem(path)).collect();
        suspects.retain(|path| !foreign.contains(&stem(path)));
    }
    suspects
}

fn live(session: &mut Session<'_>) -> Result<(), Stop> {
    session.reach(State::Running)?;
    session.call("monitor")?;
    session.reach(State::Stopped)
}

/// Files that weren't there before.
fn changed<'a>(
    before: &'a BTreeMap<PathBuf, Mark>,
    after: &'a BTreeMap<PathBuf, Mark>,
) -> impl Iterator<Item = &'a PathBuf> {
    let differs = |(path, mark): &(&PathBuf, &Mark)| match before.get(*path) {
        None => true,
        // A directory changes with every file in it.
        Some(old) => old != *mark && old.0 & 0o170_000 != 0o040_000,
    };
    after.iter().filter(differs).map(|(path, _)| path)
}

/// A path without the figures and capitals by which temporary names differ.
pub(super) fn stem(path: &Path) -> String {
    let text = path.to_string_lossy();
    let end = text.rfind('.').filter(|dot| *dot > text.rfind('/').unwrap_or(0) + 1);
    let text = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}

fn only_looks(session: &mut Session<'_>) -> Result<(), Stop> {
    session.files()?;
    session.reach(State::Running)?;
    let before = session.files()?;
    let monitor = session.prepare("monitor");
    session.make(&monitor)?;
    let after = session.files()?;
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    let touched: Vec<String> =
        changed(&before, &after).chain(gone).map(|path| path.display().to_string()).collect();
    if touched.is_empty() {
        return Ok(());
    }
    Err(Failure {
        rule: None,
        expected: "monitor to look and change nothing".to_owned(),
        seen: format!("changed: {}", touched.join("; ")),
        reproduction: Some(monitor.reproduction()),
    }
    .into())
}

/// With Pacemaker's umask, under which only an agent's own will makes such a file.
fn stays_closed(session: &mut Session<'_>) -> Result<(), Stop> {
    const PACEMAKERS: u32 = 0o026;
    after_a_sound_start(session)?;
    session.reach(State::Stopped)?;
    let before = session.files()?;
    let mut start = session.prepare("start");
    start.umask = Some(PACEMAKERS);
    session.expect(&start, &[0], "start")?;
    let open = |mode: u32| {
        let is_file_or_directory = matches!(mode & 0o170_000, 0o100_000 | 0o040_000);
        is_file_or_directory && mode & 0o1002 == 0o0002
    };
    let after = session.files()?;
    let found = after.iter().find(|(path, mark)| !before.contains_key(*path) && open(mark.0));
    let Some((path, mark)) = found else { return Ok(()) };
    Err(Failure {
        rule: None,
        expected: "no file that other users may change".to_owned(),
        seen: format!("{} has mode {:04o}", path.display(), mark.0 & 0o7777),
        reproduction: Some(start.reproduction()),
    }
    .into())
}
