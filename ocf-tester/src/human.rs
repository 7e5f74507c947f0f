// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The report for people: failures with what was expected, what was seen and how to see it again;
//! with `-v` a line for every check; at the end one line that sums up.

use crate::check::{Check, Failure, Level, Outcome, Summary, Verdict};
use crate::event::{Event, Reporter};
use crate::quote::{quote, visible};
use std::io::{self, Write};
use std::time::Duration;

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The verdict only.
    Quiet,
    /// What is broken, and the verdict.
    Failures,
    /// Every check.
    Checks,
}

/// How much of one foreign text is shown, in characters.
const SHOWN: usize = 1000;

/// Writes for people. What comes from an agent or a command line is made harmless for the terminal.
#[derive(Debug)]
pub struct Human<W> {
    out: W,
    detail: Detail,
    failing: Level,
    error: Option<io::Error>,
}

impl<W: Write> Human<W> {
    /// Writes to `out`.
    pub fn new(out: W, detail: Detail) -> Self {
        Self { out, detail, failing: Level::Must, error: None }
    }

    /// Up to which level broken rules are violations; beyond it they are warnings.
    #[must_use]
    pub fn failing(self, failing: Level) -> Self {
        Self { failing, ..self }
    }

    /// The first error in writing, if there was one.
    #[must_use]
    pub fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }

    fn judged(&mut self, check: &Check, outcome: &Outcome, time: Duration) -> io::Result<()> {
        let all = self.detail == Detail::Checks;
        let Check { id, meaning, section, .. } = check;
        match outcome {
            Outcome::Passed if all => {
                writeln!(self.out, "passed   {id:8} {meaning} [{section}] {}", seconds(time))
            }
            Outcome::Skipped(why) if all => {
                let why = visible(why, SHOWN);
                writeln!(self.out, "skipped  {id:8} {meaning} [{section}]: {why}")
            }
            Outcome::Broken(why) if self.detail != Detail::Quiet => {
                writeln!(self.out, "BROKEN   {id:8} {meaning}: {}", visible(why, SHOWN))
            }
            Outcome::Failed(failures) if self.detail != Detail::Quiet => {
                self.failures(check, failures)
            }
            _ => Ok(()),
        }
    }

    /// Each failure; the command that shows several of them stands once, below them.
    fn failures(&mut self, check: &Check, failures: &[Failure]) -> io::Result<()> {
        let mut following = failures.iter().skip(1);
        for failure in failures {
            self.failure(check, failure)?;
            let next = following.next().and_then(|next| next.reproduction.as_ref());
            match &failure.reproduction {
                Some(line) if next != Some(line) => writeln!(self.out, "         by hand: {line}")?,
                _ => {}
            }
        }
        Ok(())
    }

    fn failure(&mut self, check: &Check, failure: &Failure) -> io::Result<()> {
        let word = if check.level <= self.failing { "FAILED" } else { "warning" };
        let id = failure.rule.unwrap_or(check.id);
        let [expected, seen] = [&failure.expected, &failure.seen].map(|text| visible(text, SHOWN));
        let section = check.section;
        writeln!(self.out, "{word:8} {id:8} expected {expected}; seen: {seen} [{section}]")
    }

    fn write(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Begun(call) if self.detail != Detail::Quiet => {
                writeln!(self.out, "Testing {}", quote(call.agent.as_os_str()))
            }
            Event::Judged(check, outcome, time) => self.judged(check, outcome, *time),
            Event::Stopping if self.detail != Detail::Quiet => {
                writeln!(self.out, "STOPPING interrupted; another signal leaves it as it is")
            }
            Event::Left(sentence) if self.detail != Detail::Quiet => {
                // Its command line has to be whole, and no longer than the tester's own.
                writeln!(self.out, "LEFT     {}", visible(sentence, usize::MAX))
            }
            Event::Finished(call, summary, time) => {
                let agent = quote(call.agent.as_os_str());
                writeln!(self.out, "{agent}: {}", sum_up(summary, *time))?;
                self.out.flush()
            }
            _ => Ok(()),
        }
    }
}

impl<W: Write> Reporter for Human<W> {
    fn report(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.write(event).inspect_err(|error| {
            let again = error.raw_os_error().map(io::Error::from_raw_os_error);
            self.error.get_or_insert_with(|| again.unwrap_or_else(|| error.kind().into()));
        })
    }
}

fn sum_up(summary: &Summary, time: Duration) -> String {
    let Summary { verdict, passed, failed, warned, skipped, broken, left } = summary;
    let verdict_text = visible(&verdict.to_string(), SHOWN);
    let mut text = format!("{verdict_text} ({passed} passed, {failed} failed, {skipped} skipped");
    if *warned > 0 {
        text.push_str(&format!(", {warned} warned"));
    }
    if *broken > 0 {
        text.push_str(&format!(", {broken} broken"));
    }
    text.push_str(&format!("; {})", seconds(time)));
    match (left.is_empty(), verdict) {
        (false, _) => text.push_str("; the resource did not stop cleanly"),
        (true, Verdict::Interrupted) => text.push_str("; nothing was left running"),
        _ => {}
    }
    text
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
