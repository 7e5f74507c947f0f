// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The service in a container of the lab's: it runs until it is told to end (TERM), and then ends with
//! code 0. With the argument `well` it only says so, by its code: a command for monitors.

use lab::signals::Signals;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|word| word == "well") {
        return ExitCode::SUCCESS;
    }
    let Ok(signals) = Signals::catch() else { return ExitCode::FAILURE };
    while signals.pause(Duration::from_secs(60)).is_ok() {}
    ExitCode::SUCCESS
}
