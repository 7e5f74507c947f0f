// SPDX-License-Identifier: Apache-2.0 OR MIT
//! JSON lines: one object a line, for every call of the agent and every verdict, as it happens.

use crate::agent::{Execution, Invocation, Verdict};
use crate::cause;
use crate::check::{self, Check, Level, Outcome, Summary};
use crate::event::{Event, Reporter};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

/// How much of each of the two streams of a call is written, in bytes.
const SHOWN: usize = 64 * 1024;

/// Writes JSON lines. Text that isn't UTF-8 has U+FFFD where it isn't.
#[derive(Debug)]
pub struct Json<W> {
    out: W,
    failing: Level,
    check: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Line<'a> {
    Begun { tester: &'a str, agent: String },
    Seed { seed: u64 },
    Call(Call<'a>),
    Check(Verdicts<'a>),
    Remark { check: &'a str, text: &'a str },
    Stopping,
    Left { text: &'a str },
    Finished(Finished<'a>),
}

/// One call of the agent.
#[derive(Serialize)]
struct Call<'a> {
    /// The check it was made for; none for the clean-up.
    check: Option<&'a str>,
    argv: Vec<String>,
    environment: BTreeMap<String, String>,
    directory: String,
    /// `exit`, `signal`, `timeout` or `interrupted`.
    ended: &'a str,
    code: Option<i32>,
    signal: Option<i32>,
    wall_seconds: f64,
    cpu_seconds: Option<f64>,
    max_rss_bytes: Option<u64>,
    /// How many processes it was, until its end or its kill; of the calls only that are traced,
    /// one plain start, monitor and stop among them.
    processes: Option<usize>,
    stdout: String,
    stderr: String,
    stdout_bytes: usize,
    stderr_bytes: usize,
    /// Whether there was more output than the tester or this report keeps.
    truncated: bool,
    exit_reason: Option<&'a str>,
}

/// The verdict on a check.
#[derive(Serialize)]
struct Verdicts<'a> {
    id: &'a str,
    level: String,
    section: &'a str,
    meaning: &'a str,
    verdict: &'a str,
    /// Whether a failure of this check is a violation in this run.
    counts: bool,
    seconds: f64,
    reason: Option<&'a str>,
    failures: Vec<Failure<'a>>,
}

#[derive(Serialize)]
struct Failure<'a> {
    rule: &'a str,
    expected: &'a str,
    seen: &'a str,
    reproduction: Option<&'a str>,
}

/// A broken rule to begin with, and those that may follow from it.
#[derive(Serialize)]
struct Root<'a> {
    id: &'a str,
    follows: &'a [&'a str],
}

fn root(root: &cause::Root) -> Root<'_> {
    Root { id: root.id, follows: &root.follows }
}

/// The end of the run.
#[derive(Serialize)]
struct Finished<'a> {
    verdict: &'a str,
    reason: Option<&'a str>,
    passed: usize,
    failed: usize,
    expected: usize,
    warned: usize,
    skipped: usize,
    skipped_for_root: usize,
    broken: usize,
    roots: Vec<Root<'a>>,
    left: &'a [String],
    seconds: f64,
}

impl<W: Write> Json<W> {
    /// Writes to `out`; breaking a rule of a level beyond `failing` doesn't count.
    pub fn new(out: W, failing: Level) -> Self {
        Self { out, failing, check: None }
    }

    fn line(&mut self, line: &Line<'_>) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.out.write_all(&text)?;
        self.out.flush()
    }
}

impl<W: Write> Reporter for Json<W> {
    fn report(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Begun(call) => {
                let agent = call.agent.to_string_lossy().into_owned();
                self.line(&Line::Begun { tester: env!("CARGO_PKG_VERSION"), agent })
            }
            Event::Seeded(seed) => self.line(&Line::Seed { seed: *seed }),
            Event::Checking(check) => {
                self.check = Some(check.id);
                Ok(())
            }
            Event::Called(call, execution) => {
                let line = Line::Call(called(self.check, call, execution));
                self.line(&line)
            }
            Event::Judged(check, outcome, time) => {
                self.check = None;
                let counts = match outcome {
                    Outcome::Expected(..) => false,
                    Outcome::Unexpected(_) => true,
                    _ => check.level <= self.failing,
                };
                self.line(&Line::Check(judged(check, outcome, counts, *time)))
            }
            Event::Remarked(check, text) => self.line(&Line::Remark { check: check.id, text }),
            Event::Stopping => {
                self.check = None;
                self.line(&Line::Stopping)
            }
            Event::Left(text) => self.line(&Line::Left { text }),
            Event::Finished(_, summary, time) => {
                self.line(&Line::Finished(finished(summary, *time)))
            }
        }
    }
}

fn called<'a>(check: Option<&'a str>, call: &Invocation, execution: &'a Execution) -> Call<'a> {
    let argv =
        std::iter::once(call.agent.as_os_str()).chain(call.arguments.iter().map(AsRef::as_ref));
    let variables = call.full_environment().into_iter();
    let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    let (ended, signal) = match execution.verdict {
        Verdict::Exit(_) => ("exit", None),
        Verdict::Signal(number) => ("signal", Some(number)),
        Verdict::TimedOut => ("timeout", None),
        Verdict::Interrupted => ("interrupted", None),
    };
    let [stdout, stderr] = [&execution.stdout, &execution.stderr].map(|bytes| beginning(bytes));
    Call {
        check,
        argv: argv.map(|word| word.to_string_lossy().into_owned()).collect(),
        environment: variables.map(|(name, value)| (lossy(name), lossy(value))).collect(),
        directory: call.directory.to_string_lossy().into_owned(),
        ended,
        code: execution.code(),
        signal,
        wall_seconds: execution.duration.as_secs_f64(),
        cpu_seconds: execution.usage.map(|usage| usage.cpu.as_secs_f64()),
        max_rss_bytes: execution.usage.map(|usage| usage.max_rss),
        processes: execution.processes,
        stdout,
        stderr,
        stdout_bytes: execution.stdout.len(),
        stderr_bytes: execution.stderr.len(),
        truncated: execution.truncated
            || execution.stdout.len().max(execution.stderr.len()) > SHOWN,
        exit_reason: execution.exit_reason.as_deref(),
    }
}

fn beginning(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..SHOWN).unwrap_or(bytes)).into_owned()
}

fn judged<'a>(
    check: &'a Check,
    outcome: &'a Outcome,
    counts: bool,
    time: Duration,
) -> Verdicts<'a> {
    let (verdict, reason, failures) = match outcome {
        Outcome::Passed => ("passed", None, &[][..]),
        Outcome::Failed(failures) => ("failed", None, failures.as_slice()),
        Outcome::Expected(failures, why) => ("expected", Some(why.as_str()), failures.as_slice()),
        Outcome::Unexpected(why) => ("unexpected", Some(why.as_str()), &[][..]),
        Outcome::Skipped(why) => ("skipped", Some(why.as_str()), &[][..]),
        Outcome::Broken(why) => ("broken", Some(why.as_str()), &[][..]),
    };
    let failure = |failure: &'a check::Failure| Failure {
        rule: failure.rule.unwrap_or(check.id),
        expected: &failure.expected,
        seen: &failure.seen,
        reproduction: failure.reproduction.as_deref(),
    };
    Verdicts {
        id: check.id,
        level: check.level.to_string(),
        section: check.section,
        meaning: check.meaning,
        verdict,
        counts,
        seconds: time.as_secs_f64(),
        reason,
        failures: failures.iter().map(failure).collect(),
    }
}

fn finished(summary: &Summary, time: Duration) -> Finished<'_> {
    let (verdict, reason) = match &summary.verdict {
        check::Verdict::Passed => ("passed", None),
        check::Verdict::Failed => ("failed", None),
        check::Verdict::Refused(why) => ("refused", Some(why.as_str())),
        check::Verdict::Broken(why) => ("broken", Some(why.as_str())),
        check::Verdict::Interrupted => ("interrupted", None),
    };
    Finished {
        verdict,
        reason,
        passed: summary.passed,
        failed: summary.failed,
        expected: summary.expected,
        warned: summary.warned,
        skipped: summary.skipped,
        skipped_for_root: summary.for_root,
        broken: summary.broken,
        roots: summary.roots.iter().map(root).collect(),
        left: &summary.left,
        seconds: time.as_secs_f64(),
    }
}
