// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The process that goes on announcing while the agent has long answered.

use super::announce::Plan;
use ocf::deadline::Deadline;
use ocf::{Error, Result};
use std::path::Path;
use std::time::Duration;

/// The time from the end of the first burst to the second one, which is for what didn't forward yet when
/// the first was sent.
pub(crate) const SECOND_BURST_AFTER: Duration = Duration::from_secs(3);

/// What is left to be announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bursts {
    /// The first but for its first step, which [`Plan::send_first`] sent, and the second so much later.
    RestAndSecond(Duration),
    /// The second only, so much later: [`Plan::send_all`] sent the first.
    Second(Duration),
    /// The first but for its first step: a monitor's.
    Rest,
}

/// Starts announcing in the background; returns when the announcer holds its file. Where there is one
/// already, that one goes on alone.
pub(crate) fn start(_file: &Path, _plan: &Plan, _bursts: Bursts) -> Result<()> {
    Err(Error::unimplemented("to be written"))
}

/// Ends the announcer and removes its file: no packet of its leaves after this returns.
pub(crate) fn end(_file: &Path, _deadline: &Deadline) -> Result<()> {
    Err(Error::unimplemented("to be written"))
}

/// Whether there is an announcer.
pub(crate) fn is_running(_file: &Path) -> Result<bool> {
    Err(Error::unimplemented("to be written"))
}
