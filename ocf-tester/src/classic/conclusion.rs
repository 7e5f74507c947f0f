// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Checks that judge all calls of a run together.

use crate::check::{Failure, Stop};
use crate::session::Session;

/// Pacemaker turns any other code into 1 and loses what it meant.
pub(super) fn defined_codes(session: &mut Session<'_>) -> Result<(), Stop> {
    let odd = session.records.iter().find(|record| {
        record.execution.code().is_some_and(|code| !matches!(code, 0..=9 | 190 | 191))
    });
    match odd {
        None => Ok(()),
        Some(record) => {
            let expected = "a code that OCF defines";
            Err(Failure::of_call(&record.call, &record.execution, expected).into())
        }
    }
}

/// A daemon that keeps the pipe gets SIGPIPE when it writes after Pacemaker has closed it.
pub(super) fn lets_go(session: &mut Session<'_>) -> Result<(), Stop> {
    let held = session.records.iter().find(|record| !record.execution.holders.is_empty());
    let Some(record) = held else { return Ok(()) };
    let names: Vec<String> = record.execution.holders.iter().map(ToString::to_string).collect();
    let action = record.call.action_name();
    Err(Failure {
        rule: None,
        expected: format!("what {action} starts to close standard output and standard error"),
        seen: format!("still open in {}", names.join(", ")),
        reproduction: Some(record.call.reproduction()),
    }
    .into())
}
