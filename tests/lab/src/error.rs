// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What can go wrong in the lab: a sentence for a person, or a signal that ends the run.

use nix::sys::signal::Signal;
use std::fmt;

/// The outcome of everything in the lab.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the lab ends early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// A signal asked the lab to end: no failure, but nothing more is to be started.
    Interrupted(Signal),
    /// One sentence that names the object and, where there is one, the remedy.
    Failed(String),
}

impl Error {
    /// A failure with its sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self::Failed(sentence.into())
    }

    /// The same failure, with what was being done put in front of it. A signal stays a signal.
    #[must_use]
    pub fn during(self, what: impl fmt::Display) -> Self {
        match self {
            Self::Interrupted(signal) => Self::Interrupted(signal),
            Self::Failed(sentence) => Self::Failed(format!("{what}: {sentence}")),
        }
    }

    /// The exit code of a process that ends because of this: 1, or what a shell reports for a
    /// process that died by the signal.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Interrupted(signal) => u8::try_from(128 + *signal as i32).unwrap_or(u8::MAX),
            Self::Failed(_) => 1,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted(signal) => write!(f, "interrupted by {signal}"),
            Self::Failed(sentence) => f.write_str(sentence),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_never_turned_into_a_failure() {
        let error = Error::Interrupted(Signal::SIGINT).during("creating node1");
        assert_eq!(error, Error::Interrupted(Signal::SIGINT));
        assert_eq!(error.exit_code(), 130);
    }

    #[test]
    fn what_was_done_stands_before_the_cause() {
        let error = Error::new("no such image").during("creating node1");
        assert_eq!(error.to_string(), "creating node1: no such image");
        assert_eq!(error.exit_code(), 1);
    }
}
