// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which of the processes that a start leaves are the service. Some only help for a moment: they
//! announce an address, or warm something up, and end by themselves.

use super::{Session, State};
use crate::check::Stop;
use crate::ledger::{Process, pause};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// A process lasts that is there in the middle of this time and at its end.
const WAITING: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl Session<'_> {
    /// The processes of the running resource that last. Whether they do is found out once: later
    /// they are known by their programs.
    ///
    /// # Errors
    /// As [`Session::reach`].
    pub(crate) fn service(&mut self) -> Result<Vec<Process>, Stop> {
        self.reach(State::Running)?;
        if self.lasting.is_none() && !self.processes().is_empty() {
            self.lasting = Some(self.lasting_programs());
        }
        Ok(self.service_now())
    }

    /// Those that are there now.
    pub(crate) fn service_now(&self) -> Vec<Process> {
        let lasts = |process: &Process| {
            self.lasting.as_ref().is_some_and(|lasting| lasting.contains(&program(process)))
        };
        self.processes().into_iter().filter(lasts).collect()
    }

    fn lasting_programs(&self) -> BTreeSet<String> {
        let begun = Instant::now();
        let mut in_the_middle = None;
        loop {
            let now = self.processes();
            let is_over = now.is_empty() || begun.elapsed() >= WAITING;
            if is_over {
                let keys: BTreeSet<(i32, u64)> = in_the_middle.unwrap_or_default();
                let last = now.iter().filter(|one| keys.contains(&(one.pid, one.started)));
                return last.map(program).collect();
            }
            if in_the_middle.is_none() && begun.elapsed() >= WAITING / 2 {
                in_the_middle = Some(now.iter().map(|one| (one.pid, one.started)).collect());
            }
            pause(LOOK_AGAIN);
        }
    }
}

/// The beginning of a command line: a script's interpreter is many programs.
fn program(process: &Process) -> String {
    process.command.split(' ').take(2).collect::<Vec<_>>().join(" ")
}
