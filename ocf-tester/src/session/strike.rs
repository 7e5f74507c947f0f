// SPDX-License-Identifier: Apache-2.0 OR MIT
//! An action under the tracer, killed where a check wants it.

use super::{MARKER, Session};
use crate::agent::{Invocation, Verdict};
use crate::check::{Halt, Stop};
use crate::event::Event;
use crate::kill::{self, Kill, Strike};
use std::io::ErrorKind;

impl Session<'_> {
    /// Makes a call under the tracer and, if there is a kill, ends its process group there. It
    /// counts as no call of the agent's in the checks that judge all calls.
    ///
    /// # Errors
    /// A reason to skip when tracing isn't permitted; else as [`Session::make`].
    pub(crate) fn strike(
        &mut self,
        call: &Invocation,
        kill: Option<&Kill>,
    ) -> Result<Strike, Stop> {
        if self.is_interrupted() {
            return Err(Stop::Halt(Halt::Interrupted));
        }
        self.expect_change(call);
        let marked = call.clone().env(MARKER, &self.marker);
        let strike =
            kill::strike(&marked, kill, self.interrupt).map_err(|error| match error.kind() {
                ErrorKind::PermissionDenied | ErrorKind::Unsupported => {
                    Stop::Skipped(format!("ptrace isn't permitted here: {error}"))
                }
                _ => Stop::Broken(format!("the action can't be traced: {error}")),
            })?;
        self.tell(&Event::Called(call, &strike.execution));
        match strike.execution.verdict {
            Verdict::Interrupted => Err(Stop::Halt(Halt::Interrupted)),
            _ => Ok(strike),
        }
    }
}
