// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a kill trial found, in numbers and sentences.

use super::point::Call;
use super::trace::Run;
use super::{Kill, REQUIRED_SHARE};
use crate::agent::Invocation;
use std::fmt;

/// A kill after which the resource was not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kill.
    pub kill: Kill,
    /// What was wrong, in sentences.
    pub wrong: Vec<String>,
}

/// The result of a trial.
#[derive(Debug)]
pub struct Report {
    /// The action.
    pub action: String,
    /// The undisturbed call, as a command line.
    pub reproduction: String,
    /// How many system calls the undisturbed action made.
    pub total: usize,
    /// Those of them that changed state or tried to, in their order.
    pub calls: Vec<Call>,
    /// How many kills were planned.
    pub planned: usize,
    /// The kills that ended the action at the planned call.
    pub kills: Vec<Kill>,
    /// The planned kills that didn't, and what happened instead.
    pub missed: Vec<(Kill, String)>,
    /// Recoveries that failed.
    pub failures: Vec<Failure>,
    /// Why not all planned kills were tried.
    pub broken_off: Option<String>,
}

impl Report {
    pub(super) fn new(call: &Invocation, run: &Run, planned: usize) -> Self {
        Self {
            action: call.action_name(),
            reproduction: call.reproduction(),
            total: run.total,
            calls: run.calls.clone(),
            planned,
            kills: Vec::new(),
            missed: Vec::new(),
            failures: Vec::new(),
            broken_off: None,
        }
    }

    /// The calls that did change state.
    fn changing(&self) -> impl DoubleEndedIterator<Item = &Call> {
        self.calls.iter().filter(|call| call.result.is_none_or(|result| result >= 0))
    }

    /// How many of the planned kills ended the action between the first and the last call that
    /// changes state, in percent. Nothing planned is nothing shown: 0.
    #[must_use]
    pub fn share(&self) -> usize {
        (self.kills.len() * 100).checked_div(self.planned).unwrap_or(0)
    }

    /// Whether enough kills counted and every recovery succeeded. An action that changes nothing
    /// needs no kills.
    #[must_use]
    pub fn passed(&self) -> bool {
        let enough =
            self.planned == 0 && self.changing().next().is_none() || self.share() >= REQUIRED_SHARE;
        enough && self.failures.is_empty() && self.broken_off.is_none()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, total, planned, kills, .. } = self;
        let changing = self.changing().count();
        write!(f, "{action}: {total} system calls, {changing} of them change state")?;
        match (self.changing().next(), self.changing().next_back()) {
            (Some(first), Some(last)) => writeln!(
                f,
                ", from {} ({}) to {} ({})",
                first.index, first.name, last.index, last.name
            )?,
            _ => writeln!(f)?,
        }
        writeln!(
            f,
            "  kills between the first and the last of these: {} of {planned} planned ({} %, \
             {REQUIRED_SHARE} % needed)",
            kills.len(),
            self.share()
        )?;
        for (kill, what) in &self.missed {
            writeln!(f, "  missed: {} {}: the action {what}", kill.moment, kill.call)?;
        }
        if self.failures.is_empty() {
            writeln!(f, "  recovery: worked after every kill")?;
        }
        for failure in &self.failures {
            writeln!(f, "  FAILED: {}:", failure.kill)?;
            for sentence in &failure.wrong {
                writeln!(f, "    {sentence}")?;
            }
        }
        match &self.broken_off {
            Some(why) => writeln!(f, "  broken off {why}\n  by hand: {}", self.reproduction),
            None => Ok(()),
        }
    }
}
