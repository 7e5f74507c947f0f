// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the tests share that call an agent of ours beside Debian's shell agent: the two, what a call came to,
//! and the table of their differences.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::missing_panics_doc,
    missing_docs,
    reason = "test code: a panic is how a test fails"
)]

pub mod agent;
pub mod seen;
pub mod table;

pub use agent::Agent;
pub use seen::Seen;

use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Nothing here takes longer on any machine, unless it never comes.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something is there; `what` is said where it never comes.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        pause(Duration::from_millis(5));
    }
}

/// Between two looks, and where the passing of time is what is tested.
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// The staged tester: `OCF_TESTER`, or (unset) the workspace's.
#[must_use]
pub fn tester() -> PathBuf {
    let staged = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/stage/usr/bin/ocf-tester");
    let path = std::env::var_os("OCF_TESTER").map_or(staged.into(), PathBuf::from);
    assert!(path.is_file(), "no tester {}: run `make stage` first", path.display());
    path
}
