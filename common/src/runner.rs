// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Runs one action: action known? → meta-data and usage, with nothing else looked at → parameters →
//! judged against each other → against this host → handler → code. It owns stdout, the exit reason
//! and the exit status.

mod call;

use crate::action::Action;
use crate::agent::{Agent, describe};
use crate::code::Code;
use crate::environment::Environment;
use crate::log::{EXIT_REASON, Logger, REASON_PREFIX};
use crate::trace::Trace;
use std::borrow::Cow;
use std::ffi::OsString;
use std::io::Write;

/// The most Pacemaker keeps of an exit reason up to 3.0.1, in bytes.
const REASON_LIMIT: usize = 128;

/// What an action came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The exit status.
    pub code: Code,
    /// The exit reason: one sentence, for failures only.
    pub reason: Option<Cow<'static, str>>,
    /// What goes to stdout: meta-data and usage only.
    pub stdout: String,
}

impl Outcome {
    const fn of(code: Code) -> Self {
        Self { code, reason: None, stdout: String::new() }
    }

    fn failed(code: Code, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, reason: Some(reason.into()), stdout: String::new() }
    }
}

/// The whole life of an agent's process.
#[expect(clippy::disallowed_methods, reason = "the end of the process is here")]
pub fn main<A: Agent>() -> ! {
    let environment = Environment::of_process();
    let prefix = environment.text("OCF_EXIT_REASON_PREFIX").unwrap_or(REASON_PREFIX).to_owned();
    catch_panics(prefix.clone());
    let arguments: Vec<OsString> = std::env::args_os().take(2).collect();
    let action = arguments.get(1).map(|action| action.to_string_lossy()).unwrap_or_default();
    let is_known = A::ACTIONS.iter().any(|row| row.row.name == action);
    let trace = is_known.then(|| Trace::of(&environment, A::ABOUT.name, &action)).flatten();
    Logger::of(&environment, A::ABOUT.name, trace).install();
    let mut outcome = run::<A>(&action, environment);
    if let Err(error) = write_stdout(&outcome.stdout) {
        let reason = format!("cannot write to stdout: {}", crate::error::describe(&error));
        outcome = Outcome::failed(Code::Generic, reason);
    }
    tracing::debug!("{action}: {}", outcome.code.number());
    if let Some(reason) = &outcome.reason {
        say(&prefix, reason);
    }
    std::process::exit(i32::from(outcome.code.number()))
}

/// Runs an action in an environment; changes the resource, but neither prints nor exits.
#[must_use]
pub fn run<A: Agent>(action: &str, environment: Environment) -> Outcome {
    match action {
        "meta-data" => match ocf_metadata::writer::to_xml(&describe::<A>()) {
            Ok(stdout) => Outcome { stdout, ..Outcome::of(Code::Success) },
            Err(error) => Outcome::failed(Code::Generic, format!("no meta-data: {error}")),
        },
        "usage" | "help" => Outcome { stdout: usage::<A>(), ..Outcome::of(Code::Success) },
        _ => match A::ACTIONS.iter().find(|row| row.row.name == action) {
            Some(row) => call::call(row, environment),
            None => unknown::<A>(action),
        },
    }
}

fn names<A: Agent>() -> String {
    let mut names: Vec<&str> = Vec::new();
    for Action { row, .. } in A::ACTIONS {
        if !names.contains(&row.name) {
            names.push(row.name);
        }
    }
    names.push("meta-data");
    names.join("|")
}

fn usage<A: Agent>() -> String {
    let about = A::ABOUT;
    format!(
        "usage: {} {{{}}}\n{}.\nParameters are taken from OCF_RESKEY_<name>; meta-data lists them.\n",
        about.name,
        names::<A>(),
        about.short
    )
}

fn unknown<A: Agent>(action: &str) -> Outcome {
    tracing::info!("known actions: {}", names::<A>());
    let reason = match action {
        "" => "no action given: the first argument names it".to_owned(),
        _ => format!("{} has no action {action}", A::ABOUT.name),
    };
    Outcome::failed(Code::Unimplemented, reason)
}

/// Writes all of it, or says why not. A reader that went away needs no more.
fn write_stdout(text: &str) -> std::io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// The exit reason, last on stderr, in the one line that Pacemaker finds; and the same in the log.
fn say(prefix: &str, reason: &str) {
    tracing::error!(target: EXIT_REASON, "{reason}");
    // The last prefix in stderr counts, so the reason may not hold one itself.
    let reason = reason.replace(prefix, "exit reason:").replace(REASON_PREFIX, "exit reason:");
    let line = format!("{prefix}{}\n", one_line(&reason));
    let _nobody_listens = std::io::stderr().write_all(line.as_bytes());
}

/// At most 128 bytes without control characters, cut between characters.
fn one_line(reason: &str) -> String {
    let line: String =
        reason.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let end = (0..=REASON_LIMIT.min(line.len())).rev().find(|end| line.is_char_boundary(*end));
    line.get(..end.unwrap_or(0)).unwrap_or_default().trim_end().to_owned()
}

/// Pacemaker drops the exit reason of a process that died by a signal, so a defect of ours ends as
/// an ordinary failure.
#[expect(clippy::exit, clippy::disallowed_methods, reason = "the end of the process is here")]
fn catch_panics(prefix: String) {
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!("{panic}");
        say(&prefix, &format!("defect in this agent at {place}: please report it"));
        std::process::exit(i32::from(Code::Generic.number()))
    }));
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_reason_is_one_line_of_128_bytes_cut_between_characters() {
        assert_eq!(one_line(" a\nb\tc "), "a b c");
        let long = one_line(&"é".repeat(100));
        assert_eq!((long.len(), long.chars().count()), (128, 64));
        let odd = one_line(&format!("x{}", "é".repeat(100)));
        assert_eq!(odd.len(), 127);
    }
}
