// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Reports for machines, and what all reports have in common: several at once, secrets masked.

pub mod json;
pub mod junit;
pub mod mask;

use crate::event::{Event, Reporter};
use std::io;

/// The form of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Human,
    /// `JUnit` XML, every check a test case
    #[value(name = "junit", help = "JUnit XML, every check a test case")]
    JUnit,
    /// JSON lines, one event a line
    Json,
}

/// Hands every event to several reporters, and keeps the first error of any of them.
#[derive(Default)]
pub struct Several<'a> {
    reporters: Vec<Box<dyn Reporter + 'a>>,
    error: Option<io::Error>,
}

impl std::fmt::Debug for Several<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Several").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<'a> Several<'a> {
    /// Adds one.
    pub fn add(&mut self, reporter: impl Reporter + 'a) {
        self.reporters.push(Box::new(reporter));
    }

    /// The first error in writing, if there was one. A reader that has seen enough (a closed pipe)
    /// is none.
    #[must_use]
    pub fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }
}

impl Reporter for Several<'_> {
    fn report(&mut self, event: &Event<'_>) -> io::Result<()> {
        for reporter in &mut self.reporters {
            match reporter.report(event) {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    self.error.get_or_insert(error);
                }
                _ => {}
            }
        }
        Ok(())
    }
}
