// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Several calls of an agent at the same time.

use super::{MARKER, Session, State};
use crate::agent::{AgentError, Execution, Invocation};
use crate::check::{Halt, Stop};

impl Session<'_> {
    /// Makes all the calls at once and waits for the last one.
    ///
    /// # Errors
    /// As [`Session::make`].
    pub fn make_together(&mut self, calls: &[Invocation]) -> Result<Vec<Execution>, Stop> {
        if self.is_interrupted() {
            return Err(Stop::Halt(Halt::Interrupted));
        }
        calls.iter().for_each(|call| self.expect_change(call));
        let interrupt = self.interrupt;
        let run = |call: Invocation| call.run_until(interrupt);
        let answers: Result<Vec<Execution>, AgentError> = std::thread::scope(|scope| {
            let marked = calls.iter().map(|call| call.clone().env(MARKER, &self.marker));
            let threads: Vec<_> = marked.map(|call| scope.spawn(move || run(call))).collect();
            // A panic in a thread is one of the tester, and goes on here.
            let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            threads.into_iter().map(join).collect()
        });
        let answers = answers.map_err(|error| Stop::Halt(Halt::Broken(error)))?;
        let noted = calls.iter().zip(answers).map(|(call, answer)| self.note(call, answer));
        let noted: Result<Vec<Execution>, Stop> = noted.collect();
        // Which of them was the last to act isn't known.
        self.state = State::Unknown;
        noted
    }
}
