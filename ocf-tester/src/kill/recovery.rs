// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What has to work after a kill: stop answers 0, monitor 7, nothing is left, and the resource can
//! be started, asked and stopped again.

use crate::agent::{Invocation, Verdict};
use crate::glob;
use crate::ledger::{Change, Ledger, Watch};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// The variable that marks the processes of a trial.
const MARKER: &str = "RA_TESTER_KILL";

static TRIALS: AtomicU32 = AtomicU32::new(0);

/// Marks the processes of one trial, so that they are found wherever they go.
pub(super) fn mark(call: Invocation) -> Invocation {
    let number = TRIALS.fetch_add(1, Ordering::Relaxed);
    call.env(MARKER, format!("{}-{number}", std::process::id()))
}

/// How a resource is prepared before a kill and recovered after it.
#[derive(Debug)]
pub(super) struct Recovery {
    pub(super) call: Invocation,
    pub(super) preparation: Vec<String>,
    pub(super) actions: Vec<String>,
    pub(super) directories: Vec<PathBuf>,
    pub(super) allowed: Vec<String>,
    /// What was there before the preparation.
    clean: Ledger,
}

impl Recovery {
    pub(super) fn new(call: Invocation) -> Self {
        Self {
            call,
            preparation: Vec::new(),
            actions: vec!["stop".to_owned()],
            directories: Vec::new(),
            allowed: Vec::new(),
            clean: Ledger::default(),
        }
    }

    /// Notes what is there, and brings the stopped resource into the state before the call.
    pub(super) fn prepare(&mut self) -> Result<(), String> {
        self.clean = self.watch().snapshot().map_err(|error| error.to_string())?;
        for action in &self.preparation {
            if let Some(wrong) = self.answer(action, 0) {
                return Err(format!("it could not be prepared: {wrong}"));
            }
        }
        Ok(())
    }

    /// Recovers, and says what went wrong.
    pub(super) fn recover(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        wrong.extend(self.actions.iter().filter_map(|action| self.answer(action, 0)));
        wrong.extend(self.answer("monitor", 7));
        wrong.extend(self.leftovers("the first stop"));
        let again = [("start", 0), ("monitor", 0), ("stop", 0), ("monitor", 7)];
        wrong.extend(again.into_iter().filter_map(|(action, code)| self.answer(action, code)));
        wrong.extend(self.leftovers("the second stop"));
        wrong
    }

    /// What is wrong with the answer to an action, if anything.
    fn answer(&self, action: &str, code: i32) -> Option<String> {
        match self.call.action(action).run() {
            Ok(execution) if execution.verdict == Verdict::Exit(code) => None,
            Ok(execution) => Some(format!("{action} answered {execution}, not {code}")),
            Err(error) => Some(error.to_string()),
        }
    }

    /// What is there now and wasn't before the preparation, or the other way round.
    fn leftovers(&self, after: &str) -> Vec<String> {
        let now = match self.watch().settled(&self.clean) {
            Ok(now) => now,
            Err(error) => return vec![error.to_string()],
        };
        let changes = self.clean.changes(&now);
        let unwanted = changes.iter().filter(|change| !self.is_allowed(change));
        unwanted.map(|change| format!("after {after}: {change}")).collect()
    }

    fn is_allowed(&self, change: &Change) -> bool {
        let name =
            change.path().and_then(|path| path.file_name()).map(|name| name.to_string_lossy());
        name.is_some_and(|name| self.allowed.iter().any(|pattern| glob::matches(pattern, &name)))
    }

    fn watch(&self) -> Watch {
        let value = self.call.environment.get(OsStr::new(MARKER)).cloned().unwrap_or_default();
        let mut marker = OsString::from(format!("{MARKER}="));
        marker.push(value);
        self.directories.iter().fold(Watch::new(), Watch::directory).marker(marker)
    }
}
