// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One scenario with one agent: its surroundings, the preparations, the action, the end.

use super::neutral::Neutral;
use super::{Observation, RECORD_VARIABLE, Scenario, Setup, Step, effects};
use crate::agent::{Execution, Invocation, Verdict};
use crate::interrupt::Interrupt;
use crate::ledger::{Ledger, Watch, pause};
use crate::scratch::Scratch;
use crate::session::{changes_state, emergency, guard};
use std::cell::{Cell, RefCell};
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

/// The variable that marks the processes of a scenario.
const MARKER: &str = "RA_TESTER_COMPARE";

/// How long a process that an action leaves may take to go.
const EXIT_GRACE: Duration = Duration::from_secs(2);
/// Processes that have been the same for so long are what the action has started.
const STEADY: Duration = Duration::from_millis(300);
/// How often is looked meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Why a scenario gave no observation.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// A signal asked the tester to end.
    Interrupted,
    /// A preparation failed.
    Unprepared(String),
    /// The agent can't be executed, or the tester could not do its own work.
    Broken(String),
}

impl Trouble {
    fn broken(error: impl ToString) -> Self {
        Self::Broken(error.to_string())
    }
}

/// What a scenario gave, and what was wrong at its end.
#[derive(Debug)]
pub(crate) struct Played {
    /// What was seen.
    pub(crate) observation: Result<Observation, Trouble>,
    /// Why the resource can't be counted as stopped now, if it can't.
    pub(crate) left: Option<String>,
}

/// Runs a scenario: `preparer` makes the calls before, `actor` the action itself. The same agent
/// for both observes it; two different ones are a live takeover. In any case the resource is stopped
/// afterwards.
///
/// # Errors
/// A sentence when a preparation fails or an agent can't be executed.
pub fn observe(
    scenario: &Scenario<'_>,
    preparer: &Path,
    actor: &Path,
    setup: &Setup,
) -> Result<Observation, String> {
    play(scenario, [preparer, actor], setup, None).observation.map_err(|trouble| {
        let why = match trouble {
            Trouble::Unprepared(why) | Trouble::Broken(why) => why,
            Trouble::Interrupted => "interrupted".to_owned(),
        };
        format!("{}: {why}", scenario.id)
    })
}

/// As [`observe`]; a signal that `interrupt` collects ends it.
pub(crate) fn play(
    scenario: &Scenario<'_>,
    agents: [&Path; 2],
    setup: &Setup,
    interrupt: Option<&Interrupt>,
) -> Played {
    let broken = |error: io::Error| Played { observation: Err(Trouble::broken(error)), left: None };
    let scratch = match Scratch::new("compare") {
        Ok(scratch) => scratch,
        Err(error) => return broken(error),
    };
    let stage = match Stage::new(scenario, agents, setup, &scratch, interrupt) {
        Ok(stage) => stage,
        Err(error) => return broken(error),
    };
    let observation = stage.observe();
    // A signal that comes during the end waits for it; a second one doesn't.
    interrupt.inspect(|interrupt| interrupt.insist());
    let left = stage.end();
    interrupt.inspect(|interrupt| interrupt.relent());
    Played { observation, left }
}

/// One scenario's surroundings.
struct Stage<'a> {
    scenario: &'a Scenario<'a>,
    agents: [&'a Path; 2],
    setup: &'a Setup,
    scratch: &'a Scratch,
    interrupt: Option<&'a Interrupt>,
    neutral: RefCell<Neutral>,
    touched: Cell<bool>,
}

impl<'a> Stage<'a> {
    fn new(
        scenario: &'a Scenario<'a>,
        agents: [&'a Path; 2],
        setup: &'a Setup,
        scratch: &'a Scratch,
        interrupt: Option<&'a Interrupt>,
    ) -> io::Result<Self> {
        for name in ["rsctmp", "run"] {
            scratch.directory(name)?;
        }
        let tools = scratch.directory("sbin")?;
        for (name, executable) in &setup.stand_ins {
            symlink(std::path::absolute(executable)?, tools.join(name))?;
        }
        let neutral = RefCell::new(Neutral::new(scratch.path(), agents));
        Ok(Self { scenario, agents, setup, scratch, interrupt, neutral, touched: Cell::new(false) })
    }

    fn observe(&self) -> Result<Observation, Trouble> {
        let [preparer, actor] = self.agents;
        for step in self.scenario.prepare {
            self.prepare(step, preparer)?;
        }
        let before = self.snapshot()?;
        let recorded = self.record().len();
        let mut call = self.call(actor, self.scenario.action);
        call.arguments.extend(self.scenario.arguments.iter().map(Into::into));
        let execution = self.make(&call)?;
        let after = self.settled(&before)?;
        let neutral = self.neutral.borrow();
        let changes = before.changes(&after);
        let mut effects = effects::describe(self.scenario, self.scratch.path(), &neutral, &changes);
        let calls = self.record();
        let calls = calls.get(recorded..).unwrap_or_default();
        let called = calls.lines().map(|line| format!("called {}", neutral.text(line.as_bytes())));
        effects.extend(called);
        effects.sort();
        Ok(Observation {
            verdict: execution.verdict,
            exit_reason: execution.exit_reason.as_ref().map(|text| neutral.text(text.as_bytes())),
            effects,
            stdout: neutral.text(&execution.stdout),
            stderr: neutral.text(&execution.stderr),
        })
    }

    /// A text with the scratch directory's path in it.
    fn place(&self, text: &str) -> String {
        text.replace("{scratch}", &self.scratch.path().to_string_lossy())
    }

    fn marker(&self) -> String {
        self.scratch.path().to_string_lossy().into_owned()
    }

    fn call(&self, agent: &Path, action: &str) -> Invocation {
        let instance = self.setup.instance.as_deref().unwrap_or("x");
        let seconds = Duration::from_secs(self.scenario.seconds);
        let limit = self.setup.limits.get(action).copied().unwrap_or(seconds);
        let mut call = Invocation::new(agent, action)
            .profile(self.scenario.profile, instance)
            .limit(limit)
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
        for name in self.scenario.without {
            call = call.without_env(name);
        }
        if action.is_empty() {
            call.arguments.clear();
        }
        call
    }

    /// Makes a call; should the tester break off from now on, what the call started is stopped.
    fn make(&self, call: &Invocation) -> Result<Execution, Trouble> {
        if self.interrupt.is_some_and(Interrupt::is_asked) {
            return Err(Trouble::Interrupted);
        }
        if changes_state(&call.action_name()) {
            self.touched.set(true);
            emergency::arm(emergency::Plan {
                demote: None,
                stop: self.call(&call.agent, "stop"),
                watch: self.watch(),
            });
        }
        let execution = call.run_until(self.interrupt).map_err(Trouble::broken)?;
        match execution.verdict {
            Verdict::Interrupted => Err(Trouble::Interrupted),
            _ => Ok(execution),
        }
    }

    fn prepare(&self, step: &Step<'_>, agent: &Path) -> Result<(), Trouble> {
        match step {
            Step::Call(action) => self.prepare_call(&self.call(agent, action)),
            Step::CallWith(action, variables) => {
                let call = self.call(agent, action);
                let with = variables
                    .iter()
                    .fold(call, |call, (name, value)| call.env(name, self.place(value)));
                self.prepare_call(&with)
            }
            Step::Kill => {
                // Seen first: their numbers stand in files that outlive them.
                self.snapshot()?;
                guard::end_processes(&self.watch(), false);
                Ok(())
            }
            _ => self
                .arrange(step)
                .map_err(|error| Trouble::Unprepared(format!("cannot arrange {step:?}: {error}"))),
        }
    }

    fn prepare_call(&self, call: &Invocation) -> Result<(), Trouble> {
        let execution = self.make(call)?;
        if self.scenario.prepare_must_succeed && execution.code() != Some(0) {
            let action = call.action_name();
            let why = format!("{action}, a preparation, answers {execution}, not 0");
            return Err(Trouble::Unprepared(self.neutral.borrow().text(why.as_bytes())));
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
            Step::Call(_) | Step::CallWith(..) | Step::Kill => Ok(()),
        }
    }

    fn watch(&self) -> Watch {
        let marker = format!("{MARKER}={}", self.marker());
        let watch = Watch::new().directory(self.scratch.path()).marker(marker).descendants();
        // What an agent finds there is its own business; only what it names is looked at.
        let places = self.setup.places.iter().filter(|place| !place.is_dir());
        places.fold(watch, Watch::directory)
    }

    fn snapshot(&self) -> Result<Ledger, Trouble> {
        self.noted(self.watch().snapshot())
    }

    /// What is there once helpers that are just ending have gone: what stays is what was started.
    fn settled(&self, before: &Ledger) -> Result<Ledger, Trouble> {
        let deadline = Instant::now() + EXIT_GRACE;
        let mut since = Instant::now();
        let mut last = self.snapshot()?;
        loop {
            let is_new = |key: &(i32, u64)| !before.processes.contains_key(key);
            let is_over = since.elapsed() >= STEADY || Instant::now() >= deadline;
            if is_over || !last.processes.keys().any(is_new) {
                return Ok(last);
            }
            pause(LOOK_AGAIN);
            let now = self.snapshot()?;
            if !now.processes.keys().eq(last.processes.keys()) {
                since = Instant::now();
            }
            last = now;
        }
    }

    /// The stand-ins' record is compared by itself, call by call.
    fn noted(&self, ledger: io::Result<Ledger>) -> Result<Ledger, Trouble> {
        let mut ledger = ledger.map_err(Trouble::broken)?;
        ledger.files.remove(&self.scratch.path().join("calls"));
        self.neutral.borrow_mut().learn(&ledger);
        Ok(ledger)
    }

    /// What the stand-ins have written down.
    fn record(&self) -> String {
        let bytes = fs::read(self.scratch.path().join("calls")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Leaves nothing running: stops the resource, then ends what is left of the scenario. Says why
    /// the resource may still be active.
    fn end(&self) -> Option<String> {
        let [preparer, actor] = self.agents;
        let mut left = None;
        if self.touched.get() {
            left = self.stop(actor);
            if left.is_some() && preparer != actor {
                left = self.stop(preparer);
            }
        }
        let is_interrupted = self.interrupt.is_some_and(|one| one.received().is_some());
        // Looking costs as much as a call: nobody but a start leaves processes, as a rule.
        let is_empty = || self.snapshot().is_ok_and(|ledger| ledger.processes.is_empty());
        if self.touched.get() || !is_empty() {
            guard::end_processes(&self.watch(), !is_interrupted);
        }
        emergency::disarm();
        left
    }

    fn stop(&self, agent: &Path) -> Option<String> {
        let run = |action: &str| {
            let call = self.call(agent, action);
            let limit = call.limit.min(guard::LONGEST_LIMIT);
            call.limit(limit).run_until(self.interrupt)
        };
        let mut stop = run("stop");
        if !stop.as_ref().is_ok_and(|execution| execution.code() == Some(0)) {
            // One that was promoted may refuse.
            let _ = run("demote");
            stop = run("stop");
        }
        let monitor = run("monitor");
        let is_known = |one: &Execution| one.code().is_some() && !one.tells_active();
        if monitor.as_ref().is_ok_and(is_known) {
            return None;
        }
        let [stop, monitor] = [stop, monitor].map(|answer| match answer {
            Ok(execution) => execution.to_string(),
            Err(error) => error.to_string(),
        });
        let by_hand = self.call(agent, "stop").reproduction();
        Some(format!("stop answered {stop}, monitor then {monitor}; stop it by hand: {by_hand}"))
    }
}
