// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the calls of a whole run printed, and how long they took.

use super::{during, row, should};
use crate::check::{Check, Failure, Level, Phase, Stop};
use crate::session::{Record, Session};
use std::os::unix::ffi::OsStrExt;

/// Longer ones were cut by Pacemaker before 3.0.2, in bytes.
const LONGEST_REASON: usize = 128;

pub(super) const CHECKS: &[Check] = &[
    during(
        Phase::Conclusion,
        // The last one is shown, and cut by versions before 3.0.2: the cluster works nevertheless.
        should(row(
            "USE-50",
            "Pacemaker",
            "an exit reason is one, not empty, UTF-8, and no longer than 128 bytes",
            has_form,
        )),
    ),
    during(
        Phase::Conclusion,
        should(row(
            "USE-51",
            "Pacemaker",
            "start, stop, promote and demote that fail say why",
            is_given,
        )),
    ),
    // Pacemaker logs it among its debug messages, and nobody else reads it.
    Check {
        level: Level::Info,
        phase: Phase::Conclusion,
        ..row(
            "USE-52",
            "practice",
            "actions other than meta-data and usage print nothing on standard output",
            is_silent,
        )
    },
    during(
        Phase::Conclusion,
        should(row(
            "USE-53",
            "Metadata",
            "no action takes more than half of the timeout it advertises",
            is_quick,
        )),
    ),
    during(
        Phase::Conclusion,
        should(row("USE-54", "Pacemaker", "meta-data takes less than a second", describes_quickly)),
    ),
];

/// Foreign text for a message: the beginning, on one line.
pub(super) fn shown(bytes: &[u8]) -> String {
    crate::ledger::show_content(bytes)
}

const PREFIX: &[u8] = b"ocf-exit-reason:";

/// What is wrong with the exit reason of this standard error, if anything.
fn fault(stderr: &[u8]) -> Option<String> {
    let lines = stderr.split(|byte| *byte == b'\n');
    let reasons: Vec<&[u8]> = lines
        .filter_map(|line| {
            let at = line.windows(PREFIX.len()).position(|window| window == PREFIX)?;
            line.get(at + PREFIX.len()..)
        })
        .collect();
    let last = reasons.last()?;
    if reasons.len() > 1 {
        return Some(format!("{} exit reasons, of which Pacemaker takes the last", reasons.len()));
    }
    if last.trim_ascii().is_empty() {
        return Some("an empty one".to_owned());
    }
    if last.len() > LONGEST_REASON {
        return Some(format!("{} bytes: {}", last.len(), shown(last)));
    }
    match std::str::from_utf8(last) {
        Err(_) => Some(format!("bytes that aren't UTF-8: {}", shown(last))),
        Ok(text) if text.chars().any(char::is_control) => {
            Some(format!("control characters: {}", shown(last)))
        }
        Ok(_) => None,
    }
}

/// The standard error without the long values of the call: how much of them a reason repeats is not
/// the agent's doing alone.
fn without_values(record: &Record) -> Vec<u8> {
    const LONG: usize = 24;
    let mut text = record.execution.stderr.clone();
    for value in record.call.environment.values().map(|value| value.as_bytes()) {
        while value.len() >= LONG
            && let Some(at) = text.windows(value.len()).position(|part| part == value)
        {
            text.splice(at..at + value.len(), *b"...");
        }
    }
    text
}

fn has_form(session: &mut Session<'_>) -> Result<(), Stop> {
    let ordinary = session.records.iter().filter(|record| !record.provoked);
    let mut seen = ordinary.filter_map(|record| {
        let wrong = fault(&without_values(record))?;
        Some((record, wrong))
    });
    let Some((record, wrong)) = seen.next() else { return Ok(()) };
    let expected = "one exit reason, not empty, of at most 128 bytes of UTF-8 text";
    let mut failure = Failure::of_call(&record.call, &record.execution, expected);
    failure.seen = wrong;
    Err(failure.into())
}

/// Of an action that changes something, because the reason of another is shown to nobody.
fn is_given(session: &mut Session<'_>) -> Result<(), Stop> {
    let silent = session.records.iter().find(|record| {
        let action = record.call.action_name();
        let changes = ["start", "stop", "promote", "demote"].contains(&action.as_str());
        // What can't be written to, every agent meets once; few have a sentence for it.
        let changes = changes && record.call.sealed.is_empty();
        let failed =
            matches!(record.execution.code(), Some(code) if !matches!(code, 0 | 3 | 7 | 8));
        changes && failed && record.execution.exit_reason.is_none()
    });
    match silent {
        None => Ok(()),
        Some(record) => {
            let expected = "a failed action to give an exit reason";
            Err(Failure::of_call(&record.call, &record.execution, expected).into())
        }
    }
}

fn is_silent(session: &mut Session<'_>) -> Result<(), Stop> {
    let silent = [
        "start",
        "stop",
        "monitor",
        "promote",
        "demote",
        "notify",
        "reload",
        "reload-agent",
        "migrate_to",
        "migrate_from",
    ];
    let loud = session.records.iter().find(|record| {
        let action = record.call.action_name();
        // Which actions there are, a usage message may say, and how they are called.
        let exists = record.execution.code() != Some(3) && record.call.arguments.len() == 1;
        silent.contains(&action.as_str()) && exists && !record.execution.stdout.is_empty()
    });
    let Some(record) = loud else { return Ok(()) };
    let mut failure =
        Failure::of_call(&record.call, &record.execution, "nothing on standard output");
    failure.seen = shown(&record.execution.stdout);
    Err(failure.into())
}

fn is_quick(session: &mut Session<'_>) -> Result<(), Stop> {
    let advertises = |record: &&Record| {
        let action = record.call.action_name();
        session.advertises(&action) && record.call.limit == session.limit(&action)
    };
    let share = |record: &Record| {
        record.execution.duration.as_millis() * 100 / record.call.limit.as_millis().max(1)
    };
    // Tracing makes a call slow, and counts nothing. A stop that had to wait for a frozen service
    // was right to do so.
    let finished = |record: &&Record| {
        let is_ordinary = record.execution.processes.is_none() && !record.provoked;
        record.execution.code().is_some() && is_ordinary
    };
    let slowest =
        session.records.iter().filter(advertises).filter(finished).max_by_key(|r| share(r));
    let Some(record) = slowest.filter(|record| share(record) > 50) else { return Ok(()) };
    let expected = format!("less than half of the advertised {} s", record.call.limit.as_secs());
    let mut failure = Failure::of_call(&record.call, &record.execution, expected);
    failure.seen = format!("{} ms", record.execution.duration.as_millis());
    Err(failure.into())
}

/// The controller waits for it before a start. The quickest call counts, for a machine may be busy.
fn describes_quickly(session: &mut Session<'_>) -> Result<(), Stop> {
    let described = |record: &&Record| {
        record.call.action_name() == "meta-data" && record.execution.code() == Some(0)
    };
    let calls = session.records.iter().filter(described);
    let quickest = calls.min_by_key(|record| record.execution.duration);
    let Some(record) = quickest.filter(|one| one.execution.duration.as_millis() >= 1000) else {
        return Ok(());
    };
    let mut failure =
        Failure::of_call(&record.call, &record.execution, "meta-data within a second");
    failure.seen = format!("{} ms at best", record.execution.duration.as_millis());
    Err(failure.into())
}
