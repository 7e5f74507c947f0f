// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The same scenario on two agents: what they answer and what they leave on disk. Used to compare
//! a rewritten agent with the one it replaces, and to keep the table of their differences true
//! ([`table`]).
//!
//! Each scenario runs in a scratch directory of its own, `{scratch}` in its texts; the directories
//! in which agents keep things (`HA_RSCTMP`, `HA_VARRUN`) and look for tools (`HA_SBIN_DIR`) are in
//! it. Tools are stand-ins that write down how they were called.

pub(crate) mod description;
mod effects;
mod neutral;
pub(crate) mod run;
pub(crate) mod scenarios;
mod stage;
pub(crate) mod stand_in;
pub mod table;

pub use stage::observe;

use crate::agent::Verdict;
use crate::profile::{self, Profile};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The variable that tells a stand-in where to write down its call.
pub const RECORD_VARIABLE: &str = "STAND_IN_RECORD";

/// One thing to do before the action. `{scratch}` in texts is the scenario's directory.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    /// Calls an action.
    Call(&'a str),
    /// Calls an action with further variables.
    CallWith(&'a str, &'a [(&'a str, &'a str)]),
    /// Writes a file.
    Write(&'a str, &'a str),
    /// Makes a directory, and its parents.
    MakeDirectory(&'a str),
    /// Makes a link at the first path that points to the second.
    Link(&'a str, &'a str),
    /// Removes a file or a directory with all that is in it; it needn't exist.
    Remove(&'a str),
    /// Sets the permission bits.
    Mode(&'a str, u32),
    /// Kills every process that the calls before have left running.
    Kill,
}

/// One row of a comparison.
#[derive(Debug, Clone, Copy)]
pub struct Scenario<'a> {
    /// Its name, which the table of differences uses.
    pub id: &'a str,
    /// The environment of every call.
    pub profile: &'a Profile,
    /// Variables for every call, parameters included (`OCF_RESKEY_…`).
    pub env: &'a [(&'a str, &'a str)],
    /// Variables that no call has, wherever they would come from.
    pub without: &'a [&'a str],
    /// What comes before.
    pub prepare: &'a [Step<'a>],
    /// Whether the calls among the preparations have to answer 0.
    pub prepare_must_succeed: bool,
    /// The action that is compared; empty for a call without an argument.
    pub action: &'a str,
    /// What follows the action.
    pub arguments: &'a [&'a str],
    /// Whether the contents of files are compared, and not only which there are.
    pub contents: bool,
    /// Whether the permission bits are compared.
    pub modes: bool,
    /// The limit of each call.
    pub seconds: u64,
}

impl Scenario<'_> {
    /// Every field but the id and the action as it mostly is.
    pub const PLAIN: Scenario<'static> = Scenario {
        id: "",
        profile: &profile::PACEMAKER,
        env: &[],
        without: &[],
        prepare: &[],
        prepare_must_succeed: true,
        action: "monitor",
        arguments: &[],
        contents: true,
        modes: false,
        seconds: 40,
    };
}

/// What all scenarios have in common.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    instance: Option<String>,
    env: Vec<(String, String)>,
    stand_ins: Vec<(String, PathBuf)>,
    places: Vec<PathBuf>,
    limits: BTreeMap<String, Duration>,
}

impl Setup {
    /// Instance `x`, no stand-ins: `HA_SBIN_DIR` is an empty directory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The resource's name.
    #[must_use]
    pub fn instance(mut self, name: &str) -> Self {
        self.instance = Some(name.to_owned());
        self
    }

    /// A variable for both agents; `{scratch}` is replaced in its value.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Puts an executable into `HA_SBIN_DIR` under this name. It is told in `STAND_IN_RECORD` to
    /// which file to append a line for each call.
    #[must_use]
    pub fn stand_in(mut self, name: &str, executable: impl Into<PathBuf>) -> Self {
        self.stand_ins.push((name.to_owned(), executable.into()));
        self
    }

    /// A further file or directory whose changes are effects, beside the scenario's own directory.
    #[must_use]
    pub fn place(mut self, path: impl Into<PathBuf>) -> Self {
        self.places.push(path.into());
        self
    }

    /// The limit of an action, which comes before the scenario's.
    #[must_use]
    pub fn limit(mut self, action: &str, limit: Duration) -> Self {
        self.limits.insert(action.to_owned(), limit);
        self
    }
}

/// What one agent did in one scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// How the action ended.
    pub verdict: Verdict,
    /// Its exit reason, with `{scratch}` for the directory.
    pub exit_reason: Option<String>,
    /// What changed on disk, which tools were called, which processes were left; sorted.
    pub effects: Vec<String>,
    /// Standard output, with `{scratch}` for the directory.
    pub stdout: String,
    /// Standard error, likewise.
    pub stderr: String,
}

/// A scenario in which two agents differ; shown as the row that a table of differences needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The scenario's id.
    pub scenario: String,
    /// What the first agent does: its code, and the effects the other doesn't have.
    pub shell: String,
    /// What the second agent does, likewise.
    pub ours: String,
    /// The exit reasons of both, where they are compared; empty where they agree.
    pub reasons: Option<[String; 2]>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons = self.reasons.iter().flatten();
        for cell in [&self.scenario, &self.shell, &self.ours].into_iter().chain(reasons) {
            let cell = cell.replace('|', "\\|");
            write!(f, "{}{cell} ", if cell.is_empty() { "|" } else { "| " })?;
        }
        f.write_str("| |")
    }
}

/// How two observations of a scenario differ, if they do. Texts meant for people, on standard
/// output and standard error, aren't compared.
#[must_use]
pub fn difference(
    scenario: &Scenario<'_>,
    shell: &Observation,
    ours: &Observation,
) -> Option<Difference> {
    if shell.verdict == ours.verdict && shell.effects == ours.effects {
        return None;
    }
    let cell = |own: &Observation, other: &Observation| {
        let only = own.effects.iter().filter(|effect| !other.effects.contains(effect));
        only.fold(own.verdict.to_string(), |cell, effect| format!("{cell}; {effect}"))
    };
    Some(Difference {
        scenario: scenario.id.to_owned(),
        shell: cell(shell, ours),
        ours: cell(ours, shell),
        reasons: None,
    })
}
