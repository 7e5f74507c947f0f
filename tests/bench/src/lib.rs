// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the measurements share.

pub mod subject;

pub use subject::{Subject, ratio, take_turns};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// User and system time of all children that have ended, in microseconds.
///
/// # Errors
/// The kernel refuses, in words.
pub fn children_cpu() -> Result<i64, String> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|errno| errno.to_string())?;
    Ok(usage.user_time().num_microseconds() + usage.system_time().num_microseconds())
}

/// The middle one; no number where there is none.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
