// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a call of an agent came to.

use ocf_tester::agent::{Execution, Invocation, Verdict};

/// What a call came to.
#[derive(Debug)]
pub struct Seen {
    pub execution: Execution,
    /// The exit reason; empty where there is none.
    pub reason: String,
    what: String,
}

impl Seen {
    /// Of a call that was made.
    #[must_use]
    pub fn of(call: &Invocation, execution: Execution) -> Self {
        let reason = execution.exit_reason.clone().unwrap_or_default();
        let stderr = String::from_utf8_lossy(&execution.stderr);
        let what = format!("{}\n{}\n{stderr}", call.reproduction(), execution.verdict);
        Self { execution, reason, what }
    }

    /// The code has to be this.
    pub fn is(&self, code: i32) {
        assert_eq!(self.execution.verdict, Verdict::Exit(code), "{self}");
        assert!(!self.what.contains("panicked at"), "{self}");
    }

    /// The reason is one line with these words; several, between bars, are each to be there.
    pub fn says(&self, words: &str) {
        for one in words.split('|') {
            assert!(
                self.reason.to_lowercase().contains(&one.to_lowercase()),
                "no \"{one}\": {self}"
            );
        }
        assert!(!self.reason.contains('\n') && self.reason.len() <= 128, "{self}");
    }

    /// The exit code; none for a call that was killed at its limit.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.execution.code()
    }

    /// How long it took.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.execution.duration.as_secs_f64()
    }

    /// The same, in milliseconds.
    #[must_use]
    pub fn milliseconds(&self) -> f64 {
        self.seconds() * 1000.0
    }

    /// What it printed to stderr.
    #[must_use]
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.execution.stderr).into_owned()
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}
