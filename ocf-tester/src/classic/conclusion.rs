// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Checks that judge all calls of a run together.

use crate::check::{Failure, Stop};
use crate::ledger::pause;
use crate::session::{Record, Session, State};
use std::time::{Duration, Instant};

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

/// How long a start may go on in the background.
const AFTERMATH: Duration = Duration::from_secs(3);

/// How often is looked meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Whether what holds the output of a start is still there after a while: a part of the agent that
/// finishes its work in the background is no daemon.
fn outlasts(session: &mut Session<'_>) -> Result<bool, Stop> {
    session.reach(State::Stopped)?;
    let start = session.call("start")?;
    let deadline = Instant::now() + AFTERMATH;
    // A zombie holds nothing, so only the living count; who can't be looked at is taken for one.
    let is_there = |session: &Session<'_>| {
        let living = session.processes();
        let is_alive = |pid, started| living.iter().any(|p| p.pid == pid && p.started == started);
        start.holders.iter().any(|holder| match (holder.pid, holder.started) {
            (Some(pid), Some(started)) => is_alive(pid, started),
            (Some(_), None) => false,
            (None, _) => true,
        })
    };
    let mut stays = true;
    while stays && Instant::now() < deadline {
        stays = is_there(session);
        pause(LOOK_AGAIN);
    }
    session.call("monitor")?;
    session.reach(State::Stopped)?;
    Ok(stays)
}

/// A daemon that keeps the pipe gets SIGPIPE when it writes after Pacemaker has closed it.
pub(super) fn lets_go(session: &mut Session<'_>) -> Result<(), Stop> {
    let is_start = |record: &&Record| record.call.action_name() == "start";
    let holds = |record: &&Record| !record.execution.holders.is_empty();
    let mut held = session.records.iter().filter(holds).find(|record| !is_start(record)).cloned();
    let by_start = session.records.iter().filter(holds).find(is_start).cloned();
    if held.is_none()
        && let Some(start) = by_start
        && (session.is_barred() || outlasts(session)?)
    {
        held = Some(start);
    }
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
