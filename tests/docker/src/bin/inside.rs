// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `inside SECONDS`: the first process of a container that has no handler for TERM: it keeps the signal
//! blocked and takes it when it comes, as programs with signalfd(2) do, needs some seconds to end, and
//! then makes `/data/done`.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "test code")]

use nix::sys::signal::{SigSet, Signal};
use std::time::Duration;

fn main() {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGTERM);
    signals.thread_block().unwrap();
    signals.wait().unwrap();
    let seconds = std::env::args().nth(1).map_or(0, |text| text.parse().unwrap());
    std::thread::sleep(Duration::from_secs(seconds));
    std::fs::write("/data/done", "").unwrap();
}
