// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a check is: a row with an id, what it asserts and where the rule is written, and the
//! function that finds out.

use crate::agent::{AgentError, Execution, Invocation};
use crate::cause::Root;
use crate::session::Session;
use std::fmt;

/// How strongly the rule is meant; the strongest is the least.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Level {
    /// Breaking it is a violation.
    #[default]
    Must,
    /// Breaking it is reported, and is a violation only for a caller who asked for this level.
    Should,
    /// Worth knowing, and otherwise like [`Level::Should`].
    #[value(help = "Worth knowing, and otherwise like should")]
    Info,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::Info => "info",
        })
    }
}

/// What a check can't do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The tester runs as root.
    Root,
    /// The description advertises this action.
    Advertised(&'static str),
}

/// When a check can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Touches no resource.
    Description,
    /// Starts, stops and asks a resource; left out once it is known to be hopeless or unsafe.
    Behaviour,
    /// Judges the calls that were made; runs in any case.
    Conclusion,
}

/// One rule and how to find out whether it is kept.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Its id: the catalogue's (`STOP-04`) where the standard has the rule; `USE-` for what callers
    /// of agents need beyond it, `MIG-` for migration, which the standard doesn't describe.
    pub id: &'static str,
    /// What is asserted, in one line.
    pub meaning: &'static str,
    /// The section of OCF 1.1 it comes from, or whose practice it is.
    pub section: &'static str,
    /// How strongly it is meant.
    pub level: Level,
    /// When it can be made.
    pub phase: Phase,
    /// What it can't do without.
    pub needs: &'static [Need],
    /// Finds out.
    pub run: fn(&mut Session<'_>) -> Result<(), Stop>,
}

/// Why a check is skipped that needs root.
pub const FOR_ROOT: &str = "only root can do it";

/// Why a check did not pass.
#[derive(Debug)]
pub enum Stop {
    /// The rule is broken.
    Failed(Vec<Failure>),
    /// It can't be judged here, and why.
    Skipped(String),
    /// The tester could not do its own work, and why: says nothing about the agent.
    Broken(String),
    /// The whole run has to end.
    Halt(Halt),
}

/// Why a whole run ends early.
#[derive(Debug)]
pub enum Halt {
    /// A signal asked the tester to end.
    Interrupted,
    /// Going on could harm a resource that somebody else started.
    Refused(String),
    /// The agent can't be executed.
    Broken(AgentError),
}

/// A broken rule as it showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The rule's id, when it is narrower than the check's.
    pub rule: Option<&'static str>,
    /// What should have been.
    pub expected: String,
    /// What was.
    pub seen: String,
    /// A command line that shows it.
    pub reproduction: Option<String>,
}

impl Failure {
    /// An answer that isn't the expected one.
    #[must_use]
    pub fn of_call(call: &Invocation, execution: &Execution, expected: impl Into<String>) -> Self {
        Self {
            rule: None,
            expected: expected.into(),
            seen: execution.to_string(),
            reproduction: Some(call.reproduction()),
        }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(vec![failure])
    }
}

/// The verdict on one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The rule is kept.
    Passed,
    /// It is broken, in these ways.
    Failed(Vec<Failure>),
    /// It is broken, in these ways, as the caller knew, and why.
    Expected(Vec<Failure>, String),
    /// It is kept although the caller knew that it isn't; what to do about it.
    Unexpected(String),
    /// It was not judged, and why.
    Skipped(String),
    /// The tester could not do its own work, and why: says nothing about the agent.
    Broken(String),
}

/// The whole run's verdict, which the exit code says too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No rule is broken and nothing was left.
    Passed,
    /// Rules are broken, or something was left running.
    Failed,
    /// Not judged to the end, and why.
    Refused(String),
    /// The tester could not do all of its work, and why; what it could judge is kept.
    Broken(String),
    /// A signal ended the run.
    Interrupted,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::Failed => f.write_str("failed"),
            Self::Refused(why) => write!(f, "refused: {why}"),
            Self::Broken(why) => write!(f, "broken: {why}"),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The verdict.
    pub verdict: Verdict,
    /// How many checks passed.
    pub passed: usize,
    /// How many found a broken rule that counts: a must, or of a level that was asked for; and how
    /// many passed that were expected not to.
    pub failed: usize,
    /// How many found a broken rule that was expected.
    pub expected: usize,
    /// How many found a broken rule that doesn't count.
    pub warned: usize,
    /// How many could not be judged.
    pub skipped: usize,
    /// How many of those only root could judge.
    pub for_root: usize,
    /// In how many the tester could not do its own work.
    pub broken: usize,
    /// The broken rules to begin with, and what may follow from them.
    pub roots: Vec<Root>,
    /// What was still there at the end, in sentences.
    pub left: Vec<String>,
}

impl Default for Summary {
    fn default() -> Self {
        Self::new()
    }
}

impl Summary {
    /// Before anything was judged.
    #[must_use]
    pub fn new() -> Self {
        Self {
            verdict: Verdict::Passed,
            passed: 0,
            failed: 0,
            expected: 0,
            warned: 0,
            skipped: 0,
            for_root: 0,
            broken: 0,
            roots: vec![],
            left: vec![],
        }
    }

    /// Counts the verdict on a check; `counts` says whether breaking its rule is a violation.
    pub(crate) fn count(&mut self, outcome: &Outcome, counts: bool) {
        match outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Expected(..) => self.expected += 1,
            Outcome::Unexpected(_) => self.failed += 1,
            Outcome::Skipped(why) => {
                self.skipped += 1;
                self.for_root += usize::from(why == FOR_ROOT);
            }
            Outcome::Broken(_) => self.broken += 1,
            Outcome::Failed(_) if counts => self.failed += 1,
            Outcome::Failed(_) => self.warned += 1,
        }
    }
}
