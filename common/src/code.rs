// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The exit codes (OCF 1.1, "Exit Status Codes"). Only the runner turns one into a number.

/// What an action answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// Done; for a monitor: properly active.
    Success = 0,
    /// Failed, or undetermined.
    Generic = 1,
    /// The parameters or the environment are wrong on this host.
    Args = 2,
    /// The action isn't one of this agent's.
    Unimplemented = 3,
    /// The caller lacks some authority.
    Permission = 4,
    /// Needed software isn't on this host.
    Installed = 5,
    /// The parameters are wrong on every host: bans the resource from the whole cluster.
    Configured = 6,
    /// Cleanly stopped.
    NotRunning = 7,
    /// Properly active and promoted.
    RunningPromoted = 8,
    /// Promoted, or possibly so, and failed.
    FailedPromoted = 9,
    /// Active, but failure is more likely than usual.
    Degraded = 190,
    /// The same, promoted.
    DegradedPromoted = 191,
}

impl Code {
    /// Every code, for tables and tests.
    pub const ALL: [Self; 12] = [
        Self::Success,
        Self::Generic,
        Self::Args,
        Self::Unimplemented,
        Self::Permission,
        Self::Installed,
        Self::Configured,
        Self::NotRunning,
        Self::RunningPromoted,
        Self::FailedPromoted,
        Self::Degraded,
        Self::DegradedPromoted,
    ];

    /// The process's exit status.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}
