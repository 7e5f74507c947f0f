// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How a session makes a call, and what it takes note of.

use super::record::Record;
use super::{MARKER, Session, State, changes_state};
use crate::agent::{self, AgentError, Execution, Invocation};
use crate::check::{Halt, Stop};
use crate::event::Event;

impl Session<'_> {
    /// Makes a call and takes note of what it means for the resource's state.
    ///
    /// # Errors
    /// When the agent can't be executed, or the tester is told to end.
    pub fn make(&mut self, call: &Invocation) -> Result<Execution, Stop> {
        if self.is_interrupted() {
            return Err(Stop::Halt(Halt::Interrupted));
        }
        self.expect_change(call);
        let marked = call.clone().env(MARKER, &self.marker);
        let ran = !self.records.is_empty();
        let broken = |error: AgentError| Stop::Halt(Halt::Broken(error.after_a_call(ran)));
        let execution = marked.run_until(self.interrupt).map_err(broken)?;
        self.note(call, execution)
    }

    /// Makes a call for which the machine may not be fit; the inner error says why.
    ///
    /// # Errors
    /// As [`Session::make`].
    pub(crate) fn make_if_possible(
        &mut self,
        call: &Invocation,
    ) -> Result<Result<Execution, AgentError>, Stop> {
        if self.is_interrupted() {
            return Err(Stop::Halt(Halt::Interrupted));
        }
        self.expect_change(call);
        let marked = call.clone().env(MARKER, &self.marker);
        match marked.run_until(self.interrupt) {
            Ok(execution) => self.note(call, execution).map(Ok),
            Err(error) => Ok(Err(error)),
        }
    }

    /// Takes note that this call may change the resource.
    pub(super) fn expect_change(&mut self, call: &Invocation) {
        let action = call.action_name();
        if changes_state(&action) {
            self.touched = true;
            self.promoted_once |= action == "promote";
            self.state = State::Unknown;
            self.arm();
        }
    }

    /// Takes note of what a call did.
    pub(super) fn note(
        &mut self,
        call: &Invocation,
        execution: Execution,
    ) -> Result<Execution, Stop> {
        if call.action_name() == "monitor" {
            self.state = match execution.code() {
                Some(0 | 190) => State::Running,
                Some(8 | 191) => State::Promoted,
                Some(7) => State::Stopped,
                _ => State::Unknown,
            };
        }
        self.tell(&Event::Called(call, &execution));
        self.records.push(Record::new(call, &execution, self.provoking, &self.records));
        match execution.verdict {
            agent::Verdict::Interrupted => Err(Stop::Halt(Halt::Interrupted)),
            _ => Ok(execution),
        }
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupt.is_some_and(|interrupt| interrupt.received().is_some())
    }
}
