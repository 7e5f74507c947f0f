// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A start that can't succeed: nothing can be written where the resource keeps its files.

use super::{after_a_sound_start, leaves_none, row, should};
use crate::agent::Invocation;
use crate::check::{Check, Failure, Need, Stop};
use crate::session::{Session, State};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub(super) const CHECKS: &[Check] = &[Check {
    needs: &[Need::Root],
    ..should(row(
        "START-04",
        "start",
        "start answers 0 only if the resource is up, also where its files can't be written",
        is_honest,
    ))
}];

/// What no mount may lie on: the agent would find nothing that it needs.
const SPARED: &[&str] = &["/", "/dev", "/proc", "/sys"];

/// The directories in which start was seen to make files.
fn places(made: &BTreeSet<PathBuf>) -> Vec<PathBuf> {
    let is_sealable =
        |path: &&Path| path.is_dir() && !SPARED.iter().any(|one| *path == Path::new(one));
    let parents = made.iter().filter_map(|path| path.parent()).filter(is_sealable);
    parents.map(Path::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
}

fn is_honest(session: &mut Session<'_>) -> Result<(), Stop> {
    after_a_sound_start(session)?;
    let made = session.made_by_start()?;
    session.reach(State::Stopped)?;
    let sealed = places(&made);
    if sealed.is_empty() {
        return Err(Stop::Skipped("start wasn't seen to make a file".to_owned()));
    }
    let others = session.processes();
    let start = Invocation { sealed, ..session.prepare("start") };
    let Ok(execution) = session.make_if_possible(&start)? else {
        return Err(Stop::Skipped("directories can't be made read-only here".to_owned()));
    };
    let monitor = Invocation { sealed: start.sealed.clone(), ..session.prepare("monitor") };
    let seen = session.make(&monitor)?;
    // Pacemaker stops what failed to start.
    let stop = session.prepare("stop");
    let stopped = session.expect(&stop, &[0], "stop after a start that could write nothing");
    session.call("monitor")?;
    if execution.code() == Some(0) && !seen.tells_active() {
        let expected = "start to fail where it can write nothing, or to bring the resource up";
        let mut failure = Failure::of_call(&start, &execution, expected);
        failure.seen = format!("{execution}, then monitor {seen}");
        return Err(failure.into());
    }
    stopped?;
    let expected = "stop to end what a start that failed has left";
    leaves_none(session, &others, expected, start.reproduction())
}
