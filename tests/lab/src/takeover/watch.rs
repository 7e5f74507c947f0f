// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Monitors called without a pause, and every one of their codes counted: a name that stands empty
//! for a moment is found only by who looks all the time.
//!
//! The calls are made on the node itself, by a program of the lab's (`bin/lab_calls.rs`) that is
//! lent to it; Pacemaker's own monitors go on beside it.

use crate::site::Host;
use crate::{Error, Result};

/// Where a node finds the program that calls.
pub const CALLER: &str = "/usr/sbin/lab_calls";

const LOG: &str = "/var/log/lab_calls.log";

const PID: &str = "/run/lab_calls.pid";

/// How its lines begin: calls that were made and answered right, a wrong answer, the end.
pub const RIGHT: &str = "right";
/// See [`RIGHT`].
pub const WRONG: &str = "wrong";
/// See [`RIGHT`].
pub const END: &str = "end";

/// A monitor to be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monitor {
    /// The resource.
    pub instance: String,
    /// `<provider>/<type>`.
    pub agent: String,
    /// What the agent needs to be told, as `name=value`; empty for nothing.
    pub parameter: &'static str,
    /// The one right answer.
    pub code: i32,
}

/// Calls that go on, on one node.
#[derive(Debug)]
pub struct Watch<'a> {
    /// Where they are made.
    pub node: &'a Host,
    monitors: Vec<Monitor>,
}

impl<'a> Watch<'a> {
    /// Starts to call, and goes on until [`Self::end`].
    ///
    /// # Errors
    /// The node refuses to start it.
    pub fn start(node: &'a Host, monitors: Vec<Monitor>) -> Result<Self> {
        node.ok(["rm", "-f", LOG])?;
        let words = |m: &Monitor| {
            [m.instance.clone(), m.agent.clone(), m.parameter.to_owned(), m.code.to_string()]
        };
        let args: Vec<_> = monitors.iter().flat_map(words).collect();
        let start = ["start-stop-daemon", "--start", "--background", "--output", LOG];
        let record = ["--make-pidfile", "--pidfile", PID, "--exec", CALLER, "--"];
        node.ok(start.into_iter().chain(record).chain(args.iter().map(String::as_str)))?;
        Ok(Self { node, monitors })
    }

    /// Ends the calls, and says how many there were of each.
    ///
    /// # Errors
    /// One of them was answered wrong, or one monitor was never called.
    pub fn end(self) -> Result<Vec<String>> {
        // By its id: a child that is about to become an agent is the same program for a moment.
        let end = ["start-stop-daemon", "--stop", "--retry", "TERM/30", "--pidfile", PID];
        self.node.ok(end)?;
        let log = self.node.ok(["cat", LOG])?.stdout;
        judge(&log, &self.monitors).map_err(|error| error.during(&self.node.name))
    }
}

fn judge(log: &str, monitors: &[Monitor]) -> Result<Vec<String>> {
    let is = |line: &&str, word: &str| line.split(' ').next() == Some(word);
    let wrong: Vec<_> = log.lines().filter(|line| is(line, WRONG)).collect();
    if let Some(first) = wrong.first() {
        return Err(Error::new(format!("{} wrong answers, the first: {first}", wrong.len())));
    }
    if !log.lines().any(|line| is(&line, END)) {
        return Err(Error::new(format!("the calls broke off: {}", log.trim())));
    }
    let count = |monitor: &Monitor| {
        let right = log.lines().filter(|line| is(line, RIGHT)).find_map(|line| {
            let mut words = line.split(' ').skip(1);
            let is_it = words.next() == Some(&monitor.instance);
            words.next()?.parse::<u64>().ok().filter(|_| is_it)
        });
        match right {
            Some(count) if count > 0 => {
                Ok(format!("{} x {} of {}", count, monitor.code, monitor.instance))
            }
            _ => Err(Error::new(format!("monitor of {} was never called", monitor.instance))),
        }
    };
    monitors.iter().map(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_answer_or_none_at_all_is_no_success() {
        let monitor = Monitor { instance: "a".into(), agent: "p/A".into(), parameter: "", code: 8 };
        let monitors = [monitor];
        let told = judge("right a 7\nend\n", &monitors).expect("right");
        assert_eq!(told, ["7 x 8 of a"]);
        for log in ["right a 0\nend\n", "end\n", "right a 7\n", "right b 7\nend\n"] {
            assert!(judge(log, &monitors).is_err(), "{log}");
        }
        let wrong = judge("wrong a 5: no such file\nright a 9\nend\n", &monitors);
        assert!(wrong.expect_err("wrong").to_string().contains("wrong a 5"));
    }
}
