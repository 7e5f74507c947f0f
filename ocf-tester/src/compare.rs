// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The same scenario on two agents: what they answer and what they leave on disk. Used to compare
//! a rewritten agent with the one it replaces, and to keep the table of their differences true
//! ([`table`]).
//!
//! Each scenario runs in a scratch directory of its own, `{scratch}` in its texts; the directories
//! in which agents keep things (`HA_RSCTMP`, `HA_VARRUN`) and look for tools (`HA_SBIN_DIR`) are in
//! it. Tools are stand-ins that write down how they were called.

mod effects;
pub mod table;

use crate::agent::{Execution, Invocation, Verdict};
use crate::ledger::{Ledger, Watch};
use crate::profile;
use crate::scratch::Scratch;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The variable that tells a stand-in where to write down its call.
pub const RECORD_VARIABLE: &str = "STAND_IN_RECORD";

/// The variable that marks the processes of a scenario.
const MARKER: &str = "RA_TESTER_COMPARE";

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
}

/// One row of a comparison.
#[derive(Debug, Clone, Copy)]
pub struct Scenario<'a> {
    /// Its name, which the table of differences uses.
    pub id: &'a str,
    /// Variables for every call, parameters included (`OCF_RESKEY_…`).
    pub env: &'a [(&'a str, &'a str)],
    /// What comes before.
    pub prepare: &'a [Step<'a>],
    /// Whether the calls among the preparations have to answer 0.
    pub prepare_must_succeed: bool,
    /// The action that is compared; empty for a call without an argument.
    pub action: &'a str,
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
        env: &[],
        prepare: &[],
        prepare_must_succeed: true,
        action: "monitor",
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

/// Runs a scenario: `preparer` makes the calls before, `actor` the action itself. The same agent
/// for both observes it; two different ones are a live takeover.
///
/// # Errors
/// A sentence when a preparation fails or an agent can't be executed.
pub fn observe(
    scenario: &Scenario<'_>,
    preparer: &Path,
    actor: &Path,
    setup: &Setup,
) -> Result<Observation, String> {
    let failed = |why: String| format!("{}: {why}", scenario.id);
    let scratch = Scratch::new("compare").map_err(|error| failed(error.to_string()))?;
    let stage = Stage::new(scenario, setup, &scratch).map_err(|error| failed(error.to_string()))?;
    for step in scenario.prepare {
        stage.prepare(step, preparer).map_err(failed)?;
    }
    let before = stage.snapshot().map_err(failed)?;
    let recorded = stage.record().len();
    let call = stage.call(actor, scenario.action);
    let execution = call.run().map_err(|error| failed(error.to_string()))?;
    let after = stage.settled(&before).map_err(failed)?;
    let mut effects = effects::describe(scenario, scratch.path(), &before.changes(&after));
    let calls = stage.record();
    let calls = calls.get(recorded..).unwrap_or_default();
    effects.extend(calls.lines().map(|line| format!("called {}", stage.neutral(line.as_bytes()))));
    effects.sort();
    stage.end(actor);
    Ok(stage.observation(&execution, effects))
}

/// One scenario's surroundings.
struct Stage<'a> {
    scenario: &'a Scenario<'a>,
    setup: &'a Setup,
    scratch: &'a Scratch,
}

impl<'a> Stage<'a> {
    fn new(scenario: &'a Scenario<'a>, setup: &'a Setup, scratch: &'a Scratch) -> io::Result<Self> {
        for name in ["rsctmp", "run"] {
            scratch.directory(name)?;
        }
        let tools = scratch.directory("sbin")?;
        for (name, executable) in &setup.stand_ins {
            symlink(std::path::absolute(executable)?, tools.join(name))?;
        }
        Ok(Self { scenario, setup, scratch })
    }

    /// A text with the scratch directory's path in it.
    fn place(&self, text: &str) -> String {
        text.replace("{scratch}", &self.scratch.path().to_string_lossy())
    }

    /// A text without that path, so that two runs can be compared.
    fn neutral(&self, text: &[u8]) -> String {
        String::from_utf8_lossy(text).replace(&*self.scratch.path().to_string_lossy(), "{scratch}")
    }

    fn marker(&self) -> String {
        self.scratch.path().to_string_lossy().into_owned()
    }

    fn call(&self, agent: &Path, action: &str) -> Invocation {
        let instance = self.setup.instance.as_deref().unwrap_or("x");
        let mut call = Invocation::new(agent, action)
            .profile(&profile::PACEMAKER, instance)
            .limit(Duration::from_secs(self.scenario.seconds))
            .env(MARKER, self.marker());
        let own = [
            ("HA_RSCTMP", "{scratch}/rsctmp"),
            ("HA_VARRUN", "{scratch}/run"),
            ("HA_SBIN_DIR", "{scratch}/sbin"),
            (RECORD_VARIABLE, "{scratch}/calls"),
        ];
        for (name, value) in own {
            call = call.env(name, self.place(value));
        }
        for (name, value) in &self.setup.env {
            call = call.env(name, self.place(value));
        }
        for (name, value) in self.scenario.env {
            call = call.env(name, self.place(value));
        }
        if action.is_empty() {
            call.arguments.clear();
        }
        call
    }

    fn prepare(&self, step: &Step<'_>, agent: &Path) -> Result<(), String> {
        match step {
            Step::Call(action) => self.prepare_call(&self.call(agent, action)),
            Step::CallWith(action, variables) => {
                let call = self.call(agent, action);
                let with = variables
                    .iter()
                    .fold(call, |call, (name, value)| call.env(name, self.place(value)));
                self.prepare_call(&with)
            }
            _ => self.arrange(step).map_err(|error| format!("cannot arrange {step:?}: {error}")),
        }
    }

    fn prepare_call(&self, call: &Invocation) -> Result<(), String> {
        let execution = call.run().map_err(|error| error.to_string())?;
        if self.scenario.prepare_must_succeed && execution.code() != Some(0) {
            let action = call.action_name();
            return Err(format!("{action}, a preparation, answers {execution}, not 0"));
        }
        Ok(())
    }

    fn arrange(&self, step: &Step<'_>) -> io::Result<()> {
        match step {
            Step::Write(path, text) => fs::write(self.place(path), self.place(text)),
            Step::MakeDirectory(path) => fs::create_dir_all(self.place(path)),
            Step::Link(path, target) => symlink(self.place(target), self.place(path)),
            Step::Mode(path, mode) => {
                fs::set_permissions(self.place(path), fs::Permissions::from_mode(*mode))
            }
            Step::Remove(path) => {
                let path = self.place(path);
                let removed = match fs::symlink_metadata(&path) {
                    Ok(found) if found.is_dir() => fs::remove_dir_all(&path),
                    _ => fs::remove_file(&path),
                };
                removed.or_else(|error| match error.kind() {
                    io::ErrorKind::NotFound => Ok(()),
                    _ => Err(error),
                })
            }
            Step::Call(_) | Step::CallWith(..) => Ok(()),
        }
    }

    fn watch(&self) -> Watch {
        Watch::new().directory(self.scratch.path()).marker(format!("{MARKER}={}", self.marker()))
    }

    fn snapshot(&self) -> Result<Ledger, String> {
        self.without_record(self.watch().snapshot())
    }

    fn settled(&self, before: &Ledger) -> Result<Ledger, String> {
        self.without_record(self.watch().settled(before))
    }

    /// The stand-ins' record is compared by itself, call by call.
    fn without_record(&self, ledger: io::Result<Ledger>) -> Result<Ledger, String> {
        let mut ledger = ledger.map_err(|error| error.to_string())?;
        ledger.files.remove(&self.scratch.path().join("calls"));
        Ok(ledger)
    }

    /// What the stand-ins have written down.
    fn record(&self) -> String {
        let bytes = fs::read(self.scratch.path().join("calls")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Leaves nothing running: stops the resource, then ends what is left of the scenario.
    fn end(&self, agent: &Path) {
        for action in ["demote", "stop"] {
            let _ = self.call(agent, action).run();
        }
        for process in self.snapshot().unwrap_or_default().processes.into_values() {
            let pid = nix::unistd::Pid::from_raw(process.pid);
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        }
    }

    fn observation(&self, execution: &Execution, effects: Vec<String>) -> Observation {
        Observation {
            verdict: execution.verdict,
            exit_reason: execution.exit_reason.as_ref().map(|text| self.neutral(text.as_bytes())),
            effects,
            stdout: self.neutral(&execution.stdout),
            stderr: self.neutral(&execution.stderr),
        }
    }
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
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [id, shell, ours] =
            [&self.scenario, &self.shell, &self.ours].map(|text| text.replace('|', "\\|"));
        write!(f, "| {id} | {shell} | {ours} | |")
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
    })
}
