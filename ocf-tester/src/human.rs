// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The report for people: with `-v` a line for every check, on a terminal one that tells how far it
//! is; at the end failures with what was expected, what was seen and how to see it again, and one
//! line that sums up.

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
    colour: bool,
    /// How many checks there are, when a line is to tell how far it is; and how many have begun.
    total: Option<usize>,
    begun: usize,
    /// What decided the choices at random.
    seed: Option<u64>,
    /// What is told at the end, when nothing scrolls it away any more.
    details: String,
}

impl<W: Write> Human<W> {
    /// Writes to `out`, without colour or progress.
    pub fn new(out: W, detail: Detail) -> Self {
        let (failing, details) = (Level::Must, String::new());
        Self { out, detail, failing, colour: false, total: None, begun: 0, seed: None, details }
    }

    /// Up to which level broken rules are violations; beyond it they are warnings.
    #[must_use]
    pub fn failing(self, failing: Level) -> Self {
        Self { failing, ..self }
    }

    /// Whether verdicts have a colour.
    #[must_use]
    pub fn colour(self, colour: bool) -> Self {
        Self { colour, ..self }
    }

    /// Keeps one line of the terminal that tells which of so many checks is made.
    #[must_use]
    pub fn progress(self, total: usize) -> Self {
        Self { total: Some(total), ..self }
    }

    fn judged(&mut self, check: &Check, outcome: &Outcome, time: Duration) -> io::Result<()> {
        let Check { id, meaning, section, .. } = check;
        let (word, rest) = match outcome {
            Outcome::Passed => (Word::Passed, format!(" {}", seconds(time))),
            Outcome::Skipped(why) => (Word::Skipped, format!(": {}", visible(why, SHOWN))),
            Outcome::Broken(why) => (Word::Broken, format!(": {}", visible(why, SHOWN))),
            Outcome::Failed(_) => (self.word_of(check), format!(" {}", seconds(time))),
            Outcome::Expected(_, why) => (Word::Expected, format!(": {}", visible(why, SHOWN))),
            Outcome::Unexpected(why) => (Word::Failed, format!(": {}", visible(why, SHOWN))),
        };
        match outcome {
            Outcome::Failed(failures) => self.failures(check, failures),
            Outcome::Broken(why) => {
                let (word, why) = (self.paint(Word::Broken), visible(why, SHOWN));
                self.details.push_str(&format!("{word} {id:8} {meaning}: {why}\n"));
            }
            Outcome::Unexpected(why) => {
                let (word, why) = (self.paint(Word::Failed), visible(why, SHOWN));
                self.details.push_str(&format!("{word} {id:8} {why}\n"));
            }
            Outcome::Expected(failures, why) => {
                let (word, why) = (self.paint(Word::Expected), visible(why, SHOWN));
                let seen = failures.first().map_or("", |failure| failure.seen.as_str());
                let seen = visible(seen, SHOWN);
                self.details.push_str(&format!("{word} {id:8} {why}; seen: {seen}\n"));
            }
            Outcome::Passed | Outcome::Skipped(_) => {}
        }
        if self.detail != Detail::Checks {
            return Ok(());
        }
        self.clear()?;
        let word = self.paint(word);
        writeln!(self.out, "{word} {id:8} {meaning} [{section}]{rest}")
    }

    fn word_of(&self, check: &Check) -> Word {
        if check.level <= self.failing { Word::Failed } else { Word::Warning }
    }

    /// Each failure; the command that shows several of them stands once, below them.
    fn failures(&mut self, check: &Check, failures: &[Failure]) {
        let mut following = failures.iter().skip(1);
        for failure in failures {
            let word = self.paint(self.word_of(check));
            let id = failure.rule.unwrap_or(check.id);
            let [expected, seen] =
                [&failure.expected, &failure.seen].map(|text| visible(text, SHOWN));
            let section = check.section;
            self.details.push_str(&format!(
                "{word} {id:8} expected {expected}; seen: {seen} [{section}]\n"
            ));
            let next = following.next().and_then(|next| next.reproduction.as_ref());
            match &failure.reproduction {
                Some(line) if next != Some(line) => {
                    self.details.push_str(&format!("         by hand: {line}\n"));
                }
                _ => {}
            }
        }
    }

    /// The word in a column of eight, in its colour.
    fn paint(&self, word: Word) -> String {
        let (text, colour) = match word {
            Word::Passed => ("passed", 32),
            Word::Skipped => ("skipped", 36),
            Word::Warning => ("warning", 33),
            Word::Failed => ("FAILED", 31),
            Word::Broken => ("BROKEN", 35),
            Word::Expected => ("expected", 36),
        };
        if self.colour { format!("\x1b[{colour}m{text:8}\x1b[0m") } else { format!("{text:8}") }
    }

    /// Tells which check is made, on a line that the next one overwrites.
    fn checking(&mut self, check: &Check) -> io::Result<()> {
        self.begun += 1;
        let Some(total) = self.total.filter(|_| self.detail != Detail::Quiet) else {
            return Ok(());
        };
        let (begun, id) = (self.begun, check.id);
        // No longer than the narrowest terminal, or it would not be one line.
        let meaning: String = check.meaning.chars().take(50).collect();
        write!(self.out, "\r\x1b[K[{begun}/{total}] {id} {meaning}")?;
        self.out.flush()
    }

    /// Takes the line away that tells which check is made.
    fn clear(&mut self) -> io::Result<()> {
        match self.total {
            Some(_) if self.detail != Detail::Quiet => write!(self.out, "\r\x1b[K"),
            _ => Ok(()),
        }
    }

    fn finished(&mut self, agent: &str, summary: &Summary, time: Duration) -> io::Result<()> {
        self.clear()?;
        if self.detail != Detail::Quiet {
            self.out.write_all(self.details.as_bytes())?;
        }
        if self.detail != Detail::Quiet {
            for root in summary.roots.iter().filter(|root| !root.follows.is_empty()) {
                let follows = root.follows.join(", ");
                writeln!(
                    self.out,
                    "ROOT     {} comes first: {follows} may follow from it",
                    root.id
                )?;
            }
        }
        writeln!(self.out, "{agent}: {}", sum_up(summary, time, self.seed))?;
        self.out.flush()
    }
}

/// The words of verdicts on checks.
#[derive(Clone, Copy)]
enum Word {
    Passed,
    Skipped,
    Warning,
    Failed,
    Broken,
    Expected,
}

impl<W: Write> Reporter for Human<W> {
    fn report(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Begun(call) if self.detail != Detail::Quiet => {
                writeln!(self.out, "Testing {}", quote(call.agent.as_os_str()))
            }
            Event::Seeded(seed) => {
                self.seed = Some(*seed);
                Ok(())
            }
            Event::Checking(check) => self.checking(check),
            Event::Judged(check, outcome, time) => self.judged(check, outcome, *time),
            Event::Remarked(_, text) if self.detail == Detail::Checks => {
                self.clear()?;
                writeln!(self.out, "         {}", visible(text, SHOWN))
            }
            Event::Stopping if self.detail != Detail::Quiet => {
                self.clear()?;
                writeln!(self.out, "STOPPING interrupted; another signal leaves it as it is")
            }
            Event::Left(sentence) if self.detail != Detail::Quiet => {
                self.clear()?;
                // Its command line has to be whole, and no longer than the tester's own.
                writeln!(self.out, "LEFT     {}", visible(sentence, usize::MAX))
            }
            Event::Finished(call, summary, time) => {
                self.finished(&quote(call.agent.as_os_str()), summary, *time)
            }
            _ => Ok(()),
        }
    }
}

fn sum_up(summary: &Summary, time: Duration, seed: Option<u64>) -> String {
    let Summary {
        verdict, passed, failed, expected, warned, skipped, for_root, broken, left, ..
    } = summary;
    let verdict_text = visible(&verdict.to_string(), SHOWN);
    let mut text = format!("{verdict_text} ({passed} passed, {failed} failed, {skipped} skipped");
    if *for_root > 0 {
        text.push_str(&format!(", {for_root} of them for want of root"));
    }
    if *expected > 0 {
        text.push_str(&format!(", {expected} expected to fail"));
    }
    if *warned > 0 {
        text.push_str(&format!(", {warned} warned"));
    }
    if *broken > 0 {
        text.push_str(&format!(", {broken} broken"));
    }
    text.push_str(&format!("; {}", seconds(time)));
    if let Some(seed) = seed {
        text.push_str(&format!("; seed {seed}"));
    }
    text.push(')');
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classic::CHECKS;

    /// What is written when the first check fails.
    fn written(prepare: impl FnOnce(Human<&mut Vec<u8>>) -> Human<&mut Vec<u8>>) -> String {
        let mut out = Vec::new();
        let mut human = prepare(Human::new(&mut out, Detail::Checks));
        let check = CHECKS.first().unwrap();
        let failure =
            Failure { rule: None, expected: "a".into(), seen: "b".into(), reproduction: None };
        human.report(&Event::Checking(check)).unwrap();
        let outcome = Outcome::Failed(vec![failure]);
        human.report(&Event::Judged(check, &outcome, Duration::ZERO)).unwrap();
        drop(human);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn colour_and_progress_are_there_when_asked_for() {
        let plain = written(|human| human);
        assert!(plain.starts_with("FAILED   META-01") && !plain.contains('\x1b'), "{plain:?}");
        let painted = written(|human| human.colour(true));
        assert!(painted.starts_with("\x1b[31mFAILED  \x1b[0m META-01"), "{painted:?}");
        let moving = written(|human| human.progress(7));
        assert!(moving.starts_with("\r\x1b[K[1/7] META-01 "), "{moving:?}");
        assert!(moving.contains("\r\x1b[KFAILED   META-01"), "{moving:?}");
    }
}
