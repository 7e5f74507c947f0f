// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The report for people: failures with what was expected, what was seen and how to see it again;
//! with `-v` a line for every check; at the end one line that sums up.

use crate::check::{Check, Failure, Level, Outcome, Summary, Verdict};
use crate::event::{Event, Reporter};
use crate::quote::quote;
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

/// Writes for people.
#[derive(Debug)]
pub struct Human<W> {
    out: W,
    detail: Detail,
}

impl<W: Write> Human<W> {
    /// Writes to `out`.
    pub fn new(out: W, detail: Detail) -> Self {
        Self { out, detail }
    }

    fn judged(&mut self, check: &Check, outcome: &Outcome, time: Duration) -> io::Result<()> {
        let all = self.detail == Detail::Checks;
        let Check { id, meaning, section, .. } = check;
        match outcome {
            Outcome::Passed if all => {
                writeln!(self.out, "passed   {id:8} {meaning} [{section}] {}", seconds(time))
            }
            Outcome::Skipped(why) if all => {
                writeln!(self.out, "skipped  {id:8} {meaning} [{section}]: {why}")
            }
            Outcome::Failed(failures) if self.detail != Detail::Quiet => {
                failures.iter().try_for_each(|failure| self.failure(check, failure))
            }
            _ => Ok(()),
        }
    }

    fn failure(&mut self, check: &Check, failure: &Failure) -> io::Result<()> {
        let word = match check.level {
            Level::Must => "FAILED",
            Level::Should => "warning",
        };
        let id = failure.rule.unwrap_or(check.id);
        let Failure { expected, seen, .. } = failure;
        writeln!(
            self.out,
            "{word:8} {id:8} expected {expected}; seen: {seen} [{}]",
            check.section
        )?;
        match &failure.reproduction {
            Some(line) => writeln!(self.out, "         by hand: {line}"),
            None => Ok(()),
        }
    }
}

impl<W: Write> Reporter for Human<W> {
    fn report(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Begun(call) if self.detail != Detail::Quiet => {
                writeln!(self.out, "Testing {}", quote(call.agent.as_os_str()))
            }
            Event::Judged(check, outcome, time) => self.judged(check, outcome, *time),
            Event::Left(sentence) if self.detail != Detail::Quiet => {
                writeln!(self.out, "LEFT     {sentence}")
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

fn sum_up(summary: &Summary, time: Duration) -> String {
    let Summary { verdict, passed, failed, warned, skipped, left } = summary;
    let mut text = format!("{verdict} ({passed} passed, {failed} failed, {skipped} skipped");
    if *warned > 0 {
        text.push_str(&format!(", {warned} warned"));
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
