// SPDX-License-Identifier: Apache-2.0 OR MIT
//! An address asked for an echo every few milliseconds from the third host: what was lost, and how long
//! nothing was answered.

use crate::cluster::{Cluster, OUTSIDE};
use crate::site::{Host, sibling};
use crate::{Error, Result};
use std::time::Duration;

/// Where the third host finds the program that asks (`bin/lab_probes.rs`).
const PROBER: &str = "/usr/sbin/lab_probes";

const LOG: &str = "/var/log/lab_probes.log";

const PID: &str = "/run/lab_probes.pid";

/// The word of its one line, which comes at the end.
pub const END: &str = "end";

/// Questions that go on until this is dropped.
#[derive(Debug)]
pub struct Probing<'a> {
    outside: &'a Host,
    address: &'a str,
}

impl Drop for Probing<'_> {
    fn drop(&mut self) {
        // After `end` there is nobody to be ended, and that is no failure.
        let _ = self.outside.run(STOP);
    }
}

const STOP: [&str; 7] =
    ["start-stop-daemon", "--stop", "--oknodo", "--retry", "TERM/30", "--pidfile", PID];

/// What became of the questions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Echoes {
    /// How many there were.
    pub sent: u64,
    /// Those that were never answered.
    pub lost: u64,
    /// The longest time between two answers.
    pub silence: Duration,
}

impl<'a> Probing<'a> {
    /// Starts to ask an address that answers, and goes on until [`Self::end`].
    ///
    /// # Errors
    /// The address doesn't answer, or the third host refuses to start the program.
    pub fn start(cluster: &'a Cluster, address: &'a str) -> Result<Self> {
        let outside = cluster.site.host(OUTSIDE)?;
        if outside.run(["test", "-x", PROBER])?.code != 0 {
            let (program, there) = (sibling("lab_probes")?, format!("{}:{PROBER}", outside.name()));
            let copy = cluster.docker().invocation(["cp"]);
            cluster.docker().runner.run_ok(&copy.args([program.as_os_str(), there.as_ref()]))?;
        }
        let probing = Self { outside, address };
        probing.await_answer()?;
        outside.ok(["rm", "-f", LOG])?;
        let start = ["start-stop-daemon", "--start", "--background", "--output", LOG];
        let record = ["--make-pidfile", "--pidfile", PID, "--exec", PROBER, "--", address];
        outside.ok(start.into_iter().chain(record))?;
        Ok(probing)
    }

    /// Waits until the address answers.
    ///
    /// # Errors
    /// It doesn't within half a minute.
    fn await_answer(&self) -> Result<()> {
        self.outside.ok(["ping", "-q", "-n", "-c", "1", "-w", "30", self.address]).map(|_| ())
    }

    /// Ends the questions, when the address answers (again).
    ///
    /// # Errors
    /// As [`Self::await_answer`], or the questions broke off.
    pub fn end(self) -> Result<Echoes> {
        self.await_answer()?;
        self.outside.ok(STOP)?;
        parse(&self.outside.ok(["cat", LOG])?.stdout)
    }
}

/// Reads `end SENT LOST SILENCE`, the last in milliseconds.
fn parse(log: &str) -> Result<Echoes> {
    let broke_off = || Error::new(format!("the probes broke off: {}", log.trim()));
    let line = log.lines().find_map(|line| line.strip_prefix(END)).ok_or_else(broke_off)?;
    let numbers: Vec<u64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match numbers.as_slice() {
        [sent, lost, silence] if sent > lost => {
            Ok(Echoes { sent: *sent, lost: *lost, silence: Duration::from_millis(*silence) })
        }
        _ => Err(broke_off()),
    }
}

impl std::fmt::Display for Echoes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let silence = self.silence.as_millis();
        write!(f, "{} of {} probes lost, {silence} ms without an answer", self.lost, self.sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_that_broke_off_or_were_never_answered_are_no_success() {
        let silence = Duration::from_millis(40);
        assert_eq!(parse("end 9 2 40\n"), Ok(Echoes { sent: 9, lost: 2, silence }));
        for wrong in ["", "end 9 9 40", "end 9 2", "lab_probes: no address", "end a b c"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
