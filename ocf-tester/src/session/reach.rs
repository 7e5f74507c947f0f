// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The way from the state a resource is in to the one that a check needs.

use super::{Session, State};
use crate::agent::{Execution, Invocation};
use crate::check::{Failure, Stop};

impl Session<'_> {
    /// Brings the resource into a state.
    ///
    /// # Errors
    /// When that fails it is this check's failure, or, when a failed check has told about that action,
    /// a reason to skip; else as [`Session::make`].
    pub fn reach(&mut self, target: State) -> Result<(), Stop> {
        if self.state == State::Unknown {
            self.call("monitor")?;
        }
        // From any state to any other it takes three steps at most: demote, stop, start.
        for _ in 0..4 {
            let action = match (self.state, target) {
                (now, wanted) if now == wanted => return Ok(()),
                (State::Promoted, _) => "demote",
                (State::Stopped, _) => "start",
                (State::Running, State::Promoted) => "promote",
                _ => "stop",
            };
            let call = self.prepare(action);
            let execution = self.make(&call)?;
            self.call("monitor")?;
            if execution.code() != Some(0) {
                return Err(self.unreached(&call, &execution, action));
            }
        }
        let monitor = self.prepare("monitor");
        let execution = self.make(&monitor)?;
        Err(self.unreached(&monitor, &execution, "monitor"))
    }

    /// The check that told that this action doesn't do its work.
    pub(crate) fn blocked_by(&self, action: &str) -> Option<&'static str> {
        self.blocked.get(action).copied()
    }

    fn unreached(&mut self, call: &Invocation, execution: &Execution, action: &str) -> Stop {
        let told = self.blocked_by(action).or_else(|| self.told_about(action));
        match told {
            Some(id) => Stop::Skipped(format!("{action} answers {execution} after {id} failed")),
            None => {
                self.blocked.insert(action.to_owned(), self.current);
                let expected = format!("{action} to do its work so that this can be judged");
                Failure::of_call(call, execution, expected).into()
            }
        }
    }

    /// The failed check that was about this action.
    fn told_about(&self, action: &str) -> Option<&'static str> {
        let about: &[&str] = match action {
            "start" => &["START-"],
            "stop" => &["STOP-"],
            "monitor" => &["MON-", "START-", "STOP-", "PRO-", "INV-09"],
            _ => &["PRO-", "INV-09"],
        };
        let is_about = |id: &&&'static str| about.iter().any(|prefix| id.starts_with(prefix));
        self.failed.iter().find(is_about).copied()
    }
}
