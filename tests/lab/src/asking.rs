// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A web server asked without a pause from the third host, and how long it didn't answer.

use crate::cluster::{Cluster, OUTSIDE};
use crate::site::{Host, sibling};
use crate::{Error, Result};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Where the third host finds the program that asks (`bin/lab_asks.rs`).
const ASKER: &str = "/usr/sbin/lab_asks";

/// Words of its lines: it was answered, it wasn't any more, the end.
pub const UP: &str = "up";
/// See [`UP`].
pub const DOWN: &str = "down";
/// See [`UP`].
pub const END: &str = "end";

/// Questions to one server that go on until this is dropped.
#[derive(Debug)]
pub struct Asking<'a> {
    outside: &'a Host,
    log: String,
    pid: String,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        // After `end` there is nobody to be ended, and that is no failure.
        let _ = self.stop();
    }
}

/// What became of the questions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// How many there were; 0 as long as they go on.
    pub asked: u64,
    /// The pages' first lines, each as often as it came anew.
    pub pages: Vec<String>,
    /// Times without an answer between two answers.
    pub gaps: Vec<Duration>,
    /// The page that the last question was answered with.
    pub now: Option<String>,
}

impl Answers {
    /// Whether there ever was none, after there had been one.
    #[must_use]
    pub fn was_down(&self) -> bool {
        !self.gaps.is_empty() || (self.now.is_none() && !self.pages.is_empty())
    }

    /// All the time without an answer.
    #[must_use]
    pub fn unreachable(&self) -> Duration {
        self.gaps.iter().sum()
    }
}

/// How long a server has for an answer, in milliseconds, where the time that it is away is measured.
const QUICK: &str = "300";

/// The same where no question may be lost: on a busy machine an answer may be late.
const PATIENT: &str = "10000";

impl<'a> Asking<'a> {
    /// Starts to ask `ADDRESS:PORT`, and goes on until [`Self::end`]. What isn't answered at once isn't answered.
    ///
    /// # Errors
    /// The third host refuses to start it.
    pub fn start(cluster: &'a Cluster, address: &str) -> Result<Self> {
        Self::with_limit(cluster, address, QUICK)
    }

    /// The same, but an answer may take its time: only a server that refuses, breaks off or is silent for ten
    /// seconds hasn't answered.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_patiently(cluster: &'a Cluster, address: &str) -> Result<Self> {
        Self::with_limit(cluster, address, PATIENT)
    }

    fn with_limit(cluster: &'a Cluster, address: &str, limit: &str) -> Result<Self> {
        let outside = cluster.site.host(OUTSIDE)?;
        if outside.run(["test", "-x", ASKER])?.code != 0 {
            let (program, there) = (sibling("lab_asks")?, format!("{}:{ASKER}", outside.name()));
            let copy = cluster.docker().invocation(["cp"]);
            cluster.docker().runner.run_ok(&copy.args([program.as_os_str(), there.as_ref()]))?;
        }
        let log = format!("/var/log/lab_asks-{address}.log");
        let pid = format!("/run/lab_asks-{address}.pid");
        outside.ok(["rm", "-f", &log])?;
        let start = ["start-stop-daemon", "--start", "--background", "--output", &log];
        let record =
            ["--make-pidfile", "--pidfile", &pid, "--startas", ASKER, "--", address, limit];
        outside.ok(start.into_iter().chain(record))?;
        Ok(Self { outside, log, pid })
    }

    fn stop(&self) -> Result<()> {
        let stop = ["start-stop-daemon", "--stop", "--oknodo", "--retry", "TERM/30"];
        self.outside.ok(stop.into_iter().chain(["--pidfile", &self.pid])).map(|_| ())
    }

    /// The answers so far.
    ///
    /// # Errors
    /// The third host doesn't answer, or the program's words aren't understood.
    pub fn so_far(&self) -> Result<Answers> {
        parse(&self.outside.ok(["cat", &self.log])?.stdout)
    }

    /// Ends the questions.
    ///
    /// # Errors
    /// As [`Self::so_far`], or they broke off.
    pub fn end(self) -> Result<Answers> {
        self.stop()?;
        let answers = self.so_far()?;
        if answers.asked == 0 {
            return Err(Error::new("the questions broke off"));
        }
        Ok(answers)
    }
}

/// The longest answer that is read.
const LONGEST: u64 = 4096;

/// The first line of the page that a server answers with; `None` for anything but an answer with code 200.
#[must_use]
pub fn page(mut stream: TcpStream, limit: Duration) -> Option<String> {
    stream.set_read_timeout(Some(limit)).ok()?;
    stream.set_write_timeout(Some(limit)).ok()?;
    stream.write_all(b"GET / HTTP/1.0\r\nHost: bundle\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let is_good = head.lines().next()?.split(' ').nth(1)? == "200";
    is_good.then(|| body.lines().next().unwrap_or_default().to_owned())
}

fn parse(log: &str) -> Result<Answers> {
    let mut answers = Answers::default();
    let mut down = None;
    for line in log.lines() {
        let wrong = || Error::new(format!("lab_asks said '{line}'"));
        let (time, rest) = line.split_once(' ').ok_or_else(wrong)?;
        let time = Duration::from_millis(time.parse().map_err(|_| wrong())?);
        match rest.split_once(' ').unwrap_or((rest, "")) {
            (UP, page) => {
                answers.gaps.extend(down.take().map(|since| time.saturating_sub(since)));
                answers.pages.push(page.to_owned());
                answers.now = Some(page.to_owned());
            }
            (DOWN, _) => {
                down = Some(time);
                answers.now = None;
            }
            (END, count) => answers.asked = count.parse().map_err(|_| wrong())?,
            _ => return Err(wrong()),
        }
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_time_between_two_answers_is_counted() {
        let log = "40 up node1\n500 down\n1700 up node2\n2000 down\n2300 up node2\n2500 down\n";
        let answers = parse(log).expect("it is understood");
        assert_eq!(answers.gaps, [1200, 300].map(Duration::from_millis));
        assert_eq!(answers.unreachable(), Duration::from_millis(1500));
        assert_eq!(answers.pages, ["node1", "node2", "node2"]);
        assert_eq!((answers.now, answers.asked), (None, 0));
        assert_eq!(parse("9 end 4\n").map(|answers| answers.asked), Ok(4));
        for wrong in ["up", "x up a", "5 sideways", "lab_asks: no ADDRESS:PORT"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
