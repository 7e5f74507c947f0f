// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The end of every run: the resource is stopped, and what the run has started is gone. It runs
//! after passed and failed checks, after a refusal, and after Ctrl-C.

use super::{MARKER, Session, State};
use crate::event::Event;
use crate::ledger::{Ledger, Process, Watch};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

impl Session<'_> {
    /// Stops the resource if this run may have left it started, ends the processes that are left,
    /// and says in sentences what was not as it should be.
    pub(super) fn make_safe(&mut self) -> Vec<String> {
        let mut left = Vec::new();
        if self.touched
            && self.state != State::Stopped
            && !self.stop_resource()
            && !self.stop_resource()
        {
            let stop = self.prepare("stop").reproduction();
            let answers = self.last_answers();
            left.push(format!("the resource could not be stopped ({answers}); stop it: {stop}"));
        }
        for process in self.lingering_processes() {
            let _ = kill(Pid::from_raw(process.pid), Signal::SIGKILL);
            left.push(format!(
                "a process the agent started outlived stop and was killed: {process}"
            ));
        }
        for sentence in &left {
            self.tell(&Event::Left(sentence));
        }
        left
    }

    /// The processes this run started that are there, when they have had time to go.
    pub(crate) fn lingering_processes(&self) -> Vec<Process> {
        let watch = Watch::new().marker(format!("{MARKER}={}", self.marker));
        let settled = watch.settled(&Ledger::default()).unwrap_or_default();
        settled.processes.into_values().collect()
    }

    /// Demotes where that may be needed, stops, and asks; whether it is stopped now.
    fn stop_resource(&mut self) -> bool {
        if self.promoted_once {
            // Its answer doesn't matter: stop's and monitor's do.
            let _ = self.call("demote");
        }
        let stopped = self.call("stop").is_ok_and(|execution| execution.code() == Some(0));
        let _ = self.call("monitor");
        stopped && self.state == State::Stopped
    }

    fn last_answers(&self) -> String {
        let last = self.records.iter().rev().take(2).collect::<Vec<_>>();
        let answers = last
            .iter()
            .rev()
            .map(|one| format!("{} answered {}", one.call.action_name(), one.execution));
        answers.collect::<Vec<_>>().join(", ")
    }
}
