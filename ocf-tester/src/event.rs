// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What happens during a run, as a stream that reporters turn into text.

use crate::agent::{Execution, Invocation};
use crate::check::{Check, Outcome, Summary};
use std::io;
use std::time::Duration;

/// One thing that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// The run begins with this call as its model.
    Begun(&'a Invocation),
    /// The number that decides the run's choices at random.
    Seeded(u64),
    /// A check begins.
    Checking(&'a Check),
    /// The agent was called.
    Called(&'a Invocation, &'a Execution),
    /// A check has its verdict, after this time.
    Judged(&'a Check, &'a Outcome, Duration),
    /// What a check has to say beyond its verdict, which was told just before.
    Remarked(&'a Check, &'a str),
    /// A signal has ended the run, and the resource is being stopped.
    Stopping,
    /// Something that the tester had to do or could not do when it cleaned up.
    Left(&'a str),
    /// The run is over, after this time.
    Finished(&'a Invocation, &'a Summary, Duration),
}

/// Turns events into a report.
pub trait Reporter {
    /// Takes one event.
    ///
    /// # Errors
    /// When the report can't be written.
    fn report(&mut self, event: &Event<'_>) -> io::Result<()>;
}

/// A reporter that says nothing.
#[derive(Debug, Default)]
pub struct Silent;

impl Reporter for Silent {
    fn report(&mut self, _event: &Event<'_>) -> io::Result<()> {
        Ok(())
    }
}
