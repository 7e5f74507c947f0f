// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Actions that are killed in the middle, with their whole process group: what Pacemaker does when
//! a timeout is over. Whatever they had done by then, the resource has to be recoverable.

use super::leaks::stem;
use super::{after_a_sound_start, row, should};
use crate::agent::Invocation;
use crate::check::{Check, Failure, Need, Stop};
use crate::family;
use crate::kill::{Kill, choose};
use crate::ledger::Process;
use crate::places;
use crate::seed::Dice;
use crate::session::{Session, State};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often each action is killed, unless the user says otherwise, and how often when the agent
/// takes its time.
const BUDGET: usize = 10;
const SLOW_BUDGET: usize = 4;

/// What an action that takes its time takes, under the tracer.
const SLOW: Duration = Duration::from_secs(1);

const ROLES: &[Need] = &[Need::Advertised("promote"), Need::Advertised("demote")];

const START: &str = "after start was killed stop answers 0, then it can be started again";
const STOP: &str = "after stop was killed another one answers 0, and it can be started again";
const PROMOTE: &str = "after promote was killed stop answers 0, and it can be started again";
const DEMOTE: &str = "after demote was killed stop answers 0, and it can be started again";

pub(super) const CHECKS: &[Check] = &[
    row("KILL-01", "Pacemaker", START, |session| outlives(session, "start", State::Stopped)),
    row("KILL-02", "Pacemaker", STOP, |session| outlives(session, "stop", State::Running)),
    Check {
        needs: ROLES,
        ..row("KILL-03", "Pacemaker", PROMOTE, |session| {
            outlives(session, "promote", State::Running)
        })
    },
    Check {
        needs: ROLES,
        ..row("KILL-04", "Pacemaker", DEMOTE, |session| {
            outlives(session, "demote", State::Promoted)
        })
    },
    should(row(
        "KILL-05",
        "stop",
        "what a killed action leaves is gone after the next start and stop",
        leaves_nothing,
    )),
];

/// Kills the action at some of its calls; after each the resource is recovered as Pacemaker does
/// it: demoted after a promote, stopped, started.
fn outlives(session: &mut Session<'_>, action: &str, before: State) -> Result<(), Stop> {
    after_a_sound_start(session)?;
    if let Some(id) =
        ["STOP-04", "STOP-05", "STOP-06"].into_iter().find(|id| session.has_failed(id))
    {
        return Err(Stop::Skipped(format!("stop fails without a kill, too ({id})")));
    }
    session.reach(before)?;
    let call = session.prepare(action);
    let whole = session.strike(&call, None)?;
    session.call("monitor")?;
    if whole.execution.code() != Some(0) {
        let answer = whole.execution.to_string();
        return Err(Stop::Skipped(format!("{action} answers {answer} when it is traced")));
    }
    session.reach(State::Stopped)?;
    let usual = Usual::new(session, &whole.fresh);
    let usual_budget = if whole.execution.duration > SLOW { SLOW_BUDGET } else { BUDGET };
    let budget = session.options().budget.unwrap_or(usual_budget);
    let mut dice = Dice::new(session.options().seed, action);
    for kill in choose(&whole.calls, budget, &mut dice) {
        session.reach(before)?;
        let strike = session.strike(&call, Some(&kill))?;
        // What another process did meanwhile may have kept the action from making this call.
        let kill = strike.kill.as_ref().unwrap_or(&kill);
        session.killed.kills += usize::from(strike.kill.is_some());
        let recovered = recover(session, action, &usual.others);
        let left = usual.left(session, &strike.fresh);
        match recovered {
            Ok(()) if left.is_empty() => continue,
            Ok(()) => {
                let failure = residue(&call, kill, &left);
                session.killed.residues.push(failure);
            }
            Err(_) => {}
        }
        restore(session, &still_there(&strike.fresh))?;
        recovered.map_err(|stop| named(stop, &call, kill))?;
    }
    Ok(())
}

/// What stands before a kill and after any life: no residue.
struct Usual {
    others: Vec<Process>,
    own: BTreeSet<PathBuf>,
    stems: BTreeSet<String>,
}

impl Usual {
    /// After an undisturbed action, on the stopped resource.
    fn new(session: &Session<'_>, fresh: &BTreeSet<PathBuf>) -> Self {
        let left = still_there(fresh);
        Self {
            others: session.processes(),
            own: places::own_files(&session.base).into_keys().collect(),
            stems: left.iter().map(|path| stem(path)).collect(),
        }
    }

    /// What the killed action has made and the recovery hasn't removed.
    fn left(&self, session: &Session<'_>, fresh: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
        let own = places::own_files(&session.base).into_keys();
        let made = still_there(fresh);
        own.filter(|path| !self.own.contains(path))
            .chain(made.into_iter().filter(|path| !self.stems.contains(&stem(path))))
            .collect()
    }
}

/// The paths at which there is something now.
fn still_there(fresh: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
    let is_kernels = |path: &Path| {
        ["/proc", "/sys", "/dev/fd", "/dev/pts"].iter().any(|place| path.starts_with(place))
    };
    fresh
        .iter()
        .filter(|path| !is_kernels(path) && fs::symlink_metadata(path).is_ok())
        .cloned()
        .collect()
}

/// Stops the resource and starts it again; in the end it is stopped, unless something is wrong.
fn recover(session: &mut Session<'_>, action: &str, others: &[Process]) -> Result<(), Stop> {
    match (stop(session, action == "promote", others), action) {
        // Pacemaker wouldn't, but an agent that stops only what isn't promoted tells it so.
        (Err(Stop::Failed(_)), "demote") => stop(session, true, others)?,
        (result, _) => result?,
    }
    let start = session.prepare("start");
    session.expect(&start, &[0], "start")?;
    let monitor = session.prepare("monitor");
    session.expect(&monitor, &[0, 8, 190, 191], "monitor after start")?;
    stop(session, session.state() == State::Promoted, others)
}

fn stop(session: &mut Session<'_>, demote: bool, others: &[Process]) -> Result<(), Stop> {
    if demote {
        // Its answer doesn't matter: nobody knows whether there is anything to demote.
        session.call("demote")?;
    }
    let stop = session.prepare("stop");
    session.expect(&stop, &[0], "stop")?;
    let monitor = session.prepare("monitor");
    session.expect(&monitor, &[7], "monitor after stop")?;
    let left = session.lingering_beyond(others);
    if left.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = left.iter().map(ToString::to_string).collect();
    Err(Failure {
        rule: None,
        expected: "stop to end every process, or to say that it couldn't".to_owned(),
        seen: format!("0, still running: {}", names.join("; ")),
        reproduction: Some(stop.reproduction()),
    }
    .into())
}

/// Takes away what an agent can't recover from, so that later checks judge the agent: only what the
/// killed action itself was seen to make.
fn restore(session: &mut Session<'_>, made: &BTreeSet<PathBuf>) -> Result<(), Stop> {
    session.processes().iter().for_each(family::end);
    // The files of a directory before the directory, which goes only when nothing else is in it.
    for path in made.iter().rev() {
        let _ = fs::remove_file(path).or_else(|_| fs::remove_dir(path));
    }
    session.call("stop")?;
    session.call("monitor").map(drop)
}

/// The failure of a recovery, with the kill before it.
fn named(stop: Stop, call: &Invocation, kill: &Kill) -> Stop {
    let Stop::Failed(failures) = stop else { return stop };
    let action = call.action_name();
    let with_kill = |failure: Failure| Failure {
        expected: format!("{} after {action} was killed", failure.expected),
        seen: format!("{}; {action} was {kill}", failure.seen),
        ..failure
    };
    Stop::Failed(failures.into_iter().map(with_kill).collect())
}

fn residue(call: &Invocation, kill: &Kill, left: &BTreeSet<PathBuf>) -> Failure {
    let names: Vec<String> = left.iter().take(10).map(|path| path.display().to_string()).collect();
    Failure {
        rule: None,
        expected: "what a killed action has made to be gone after stop, start and stop".to_owned(),
        seen: format!("left: {}; {} was {kill}", names.join("; "), call.action_name()),
        reproduction: Some(call.reproduction()),
    }
}

/// Judges what the checks before have seen.
fn leaves_nothing(session: &mut Session<'_>) -> Result<(), Stop> {
    if session.has_failed("STOP-03") {
        return Err(Stop::Skipped("stop leaves things without a kill, too (STOP-03)".to_owned()));
    }
    let residues = std::mem::take(&mut session.killed.residues);
    match (residues.is_empty(), session.killed.kills) {
        (false, _) => Err(Stop::Failed(residues.into_iter().take(3).collect())),
        (true, 0) => Err(Stop::Skipped("no action was killed (KILL-01)".to_owned())),
        (true, _) => Ok(()),
    }
}
