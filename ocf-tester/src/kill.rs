// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The kill harness: an action is killed, with its whole process group, before and after every
//! system call that changes state, and after each kill the resource has to be recoverable.
//!
//! Pacemaker ends an action whose timeout is over in just this way, SIGKILL without any warning, so
//! an agent has to be right at every instant.
//!
//! A [`Trial`] first runs the action once, undisturbed, and writes down its calls; then once for
//! each planned kill. A kill counts only when the action was really ended by it at the planned
//! call: the same process of the action, the same call. [`Report::passed`] wants at least 80 % of
//! the planned kills to count, and every recovery to succeed.
//!
//! What leaves the action's process group is out of its reach, as it is out of Pacemaker's: a
//! service that start puts into a group or session of its own is neither killed nor counted call
//! by call, and how it stands a kill is not judged. It goes on as an ordinary process, and the
//! recovery has to cope with it. Nor is there a kill in what another service manager (systemd, a
//! container engine) does on the agent's behalf.

mod calls;
mod choice;
mod point;
mod recovery;
mod report;
mod sight;
mod strike;
mod trace;

pub(crate) use choice::choose;
pub use point::{Call, Lineage, Moment};
pub use report::{Failure, Report};
pub(crate) use sight::{Sight, observe};
pub(crate) use strike::{Strike, strike};

use crate::agent::{Invocation, parse_exit_reason};
use point::Target;
use recovery::Recovery;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use trace::{End, Purpose, Run};

/// The share of planned kills that have to count, in percent.
pub const REQUIRED_SHARE: usize = 80;

/// How often a kill is tried when the action didn't come by the planned call.
const ATTEMPTS: usize = 3;

/// One kill that took place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kill {
    /// The call.
    pub call: Call,
    /// On which side of it.
    pub moment: Moment,
}

impl fmt::Display for Kill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "killed {} {}", self.moment, self.call)
    }
}

/// Why there is no report.
#[derive(Debug)]
pub struct KillError(String);

impl fmt::Display for KillError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for KillError {}

type Recover<'a> = Box<dyn FnMut(&Kill) -> Vec<String> + 'a>;

/// A plan for killing one action.
pub struct Trial<'a> {
    call: Invocation,
    expected: i32,
    budget: Option<usize>,
    recovery: Recovery,
    own: Option<Recover<'a>>,
}

impl fmt::Debug for Trial<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trial").field("call", &self.call).finish_non_exhaustive()
    }
}

impl<'a> Trial<'a> {
    /// Kills this call; the resource is stopped at the beginning, and again at the end.
    #[must_use]
    pub fn new(call: Invocation) -> Self {
        let call = recovery::mark(call);
        let recovery = Recovery::new(call.clone());
        Self { call, expected: 0, budget: None, recovery, own: None }
    }

    /// The actions that lead from stopped to the state before the call; each must answer 0.
    #[must_use]
    pub fn prepare(mut self, actions: &[&str]) -> Self {
        self.recovery.preparation = actions.iter().map(|&action| action.to_owned()).collect();
        self
    }

    /// A directory that has to look after stop as it did before start.
    #[must_use]
    pub fn watch(mut self, directory: impl Into<PathBuf>) -> Self {
        self.recovery.directories.push(directory.into());
        self
    }

    /// File names (with `*` and `?`) that may be left.
    #[must_use]
    pub fn allow(mut self, pattern: &str) -> Self {
        self.recovery.allowed.push(pattern.to_owned());
        self
    }

    /// The code of the undisturbed call, if not 0.
    #[must_use]
    pub fn expected(mut self, code: i32) -> Self {
        self.expected = code;
        self
    }

    /// At most this many kills, spread evenly over the calls.
    #[must_use]
    pub fn budget(mut self, kills: usize) -> Self {
        self.budget = Some(kills);
        self
    }

    /// The time for each run of each action.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.call.limit = limit;
        self.recovery.call.limit = limit;
        self
    }

    /// The actions that recover after a kill, each answering 0, the last one leaving the resource
    /// stopped; `["stop"]` if not given.
    #[must_use]
    pub fn recovery_actions(mut self, actions: &[&str]) -> Self {
        self.recovery.actions = actions.iter().map(|&action| action.to_owned()).collect();
        self
    }

    /// Replaces the whole recovery: the closure brings the resource back to stopped and says in
    /// sentences what was wrong. It is called after the undisturbed runs, too, with their last call.
    #[must_use]
    pub fn recover(mut self, recover: impl FnMut(&Kill) -> Vec<String> + 'a) -> Self {
        self.own = Some(Box::new(recover));
        self
    }

    /// Makes the undisturbed run and all kills.
    ///
    /// # Errors
    /// When the resource can't be prepared, the undisturbed action doesn't answer as expected, it
    /// isn't clean after an undisturbed cycle, or tracing isn't possible here.
    pub fn run(mut self) -> Result<Report, KillError> {
        let calls = self.undisturbed()?;
        let planned = plan(&calls.calls, self.budget);
        let mut report = Report::new(&self.call, &calls, planned.len());
        for kill in &planned {
            if let Err(why) = self.kill(kill, &mut report) {
                report.broken_off = Some(why);
                break;
            }
        }
        Ok(report)
    }

    /// Two cycles without a kill: the first may make things for good (a directory below /run,
    /// say), which are no leftovers of the second.
    fn undisturbed(&mut self) -> Result<Run, KillError> {
        let action = self.call.action_name();
        self.recovery.prepare().map_err(KillError)?;
        let run = self.traced(None)?;
        self.bring_back(run.calls.last());
        if run.timed_out || run.end != End::Exit(self.expected) {
            let reason = run.printed.as_ref().and_then(|one| parse_exit_reason(&one.stderr));
            let reason = reason.unwrap_or_default();
            let (end, wanted) = (describe(&run), self.expected);
            let message = format!("{action} without a kill {end}, not {wanted}: {reason}");
            return Err(KillError(message));
        }
        self.recovery.prepare().map_err(KillError)?;
        let run = self.traced(None)?;
        let wrong = self.bring_back(run.calls.last());
        if wrong.is_empty() {
            return Ok(run);
        }
        let message = format!("recovery fails without a kill of {action}: {}", wrong.join("; "));
        Err(KillError(message))
    }

    /// Recovers after an undisturbed run, whose last call stands for the kill.
    fn bring_back(&mut self, last: Option<&Call>) -> Vec<String> {
        match (&mut self.own, last) {
            (Some(recover), Some(call)) => {
                recover(&Kill { call: call.clone(), moment: Moment::After })
            }
            _ => self.recovery.recover(),
        }
    }

    fn traced(&self, target: Option<Target>) -> Result<Run, KillError> {
        trace::run(&self.call, Purpose::Trial(target), None).map_err(|error| {
            let agent = self.call.agent.display();
            KillError(format!("cannot trace {agent} (ptrace must be permitted): {error}"))
        })
    }

    /// Tries one planned kill; the error says why there is no point in going on.
    fn kill(&mut self, kill: &Kill, report: &mut Report) -> Result<(), String> {
        let target = Target::from(kill);
        let mut missed = String::new();
        for _ in 0..ATTEMPTS {
            self.recovery.prepare().map_err(|why| format!("after {kill}: {why}"))?;
            let run = self.traced(Some(target.clone())).map_err(|error| error.to_string())?;
            let hit = is_hit(&run, &kill.call);
            let done = match &run.killed_at {
                Some(call) => Kill { call: call.clone(), moment: kill.moment },
                None => kill.clone(),
            };
            let wrong = match &mut self.own {
                Some(recover) => recover(&done),
                None => self.recovery.recover(),
            };
            if !wrong.is_empty() {
                report.failures.push(Failure { kill: done.clone(), wrong });
            }
            if hit {
                report.kills.push(done);
                return Ok(());
            }
            missed = describe(&run);
        }
        report.missed.push((kill.clone(), missed));
        Ok(())
    }
}

/// Whether the planned kill is what ended the action, at the planned call.
fn is_hit(run: &Run, planned: &Call) -> bool {
    let killed = run.end == End::Signal(nix::sys::signal::Signal::SIGKILL) && !run.timed_out;
    killed && run.killed_at.as_ref().is_some_and(|call| call.name == planned.name)
}

fn describe(run: &Run) -> String {
    match (run.timed_out, run.end, &run.killed_at) {
        (true, ..) => "did not end in time".to_owned(),
        (_, End::Signal(_), Some(call)) => format!("was killed at another call: {call}"),
        (_, End::Exit(code), _) => format!("ended with {code}"),
        (_, End::Signal(signal), None) => format!("was killed by {signal}, not by the harness"),
        (_, End::Lost, _) => "was lost".to_owned(),
    }
}

/// A kill before and one after each call that did change state; a failed call has changed nothing.
fn plan(calls: &[Call], budget: Option<usize>) -> Vec<Kill> {
    let all: Vec<Kill> = calls
        .iter()
        .filter(|call| call.result.is_none_or(|result| result >= 0))
        .flat_map(|call| {
            // Of a call that never returned there is no "after".
            let after = call.result.map(|_| Moment::After);
            [Some(Moment::Before), after]
                .into_iter()
                .flatten()
                .map(|moment| Kill { call: call.clone(), moment })
        })
        .collect();
    match budget {
        Some(budget) if budget < all.len() => {
            let spread = |number: usize| all.get(number * all.len() / budget).cloned();
            (0..budget).filter_map(spread).collect()
        }
        _ => all,
    }
}

#[cfg(test)]
mod tests;
