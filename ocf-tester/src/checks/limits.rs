// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What an agent makes of the timeout that is announced to it, in milliseconds.

use super::callers::live;
use super::faults::{end, service};
use super::{info, row, should};
use crate::agent::Invocation;
use crate::check::{Check, Failure, Stop};
use crate::session::{Session, State};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::time::Duration;

pub(super) const CHECKS: &[Check] = &[
    should(row(
        "USE-70",
        "Pacemaker",
        "it works with a small timeout that is more than it needs",
        needs_no_more,
    )),
    info(row(
        "USE-71",
        "Pacemaker",
        "stop of a frozen service ends within the timeout that is announced, a small one, too",
        keeps_it,
    )),
];

/// The smallest timeout that is announced.
const SMALL: Duration = Duration::from_secs(3);

/// Three times what the actions have needed so far, on this machine; [`SMALL`] at least.
fn enough(times: Option<Duration>) -> Duration {
    times.map_or(SMALL, |time| SMALL.max(time * 3))
}

/// How long the calls of these actions that succeeded took, the shortest first.
fn times(session: &Session<'_>, actions: &[&str]) -> Vec<Duration> {
    let times = session.records.iter().filter_map(|record| {
        let is_meant = actions.contains(&record.call.action_name().as_str());
        (is_meant && record.execution.code() == Some(0)).then_some(record.execution.duration)
    });
    let mut times: Vec<Duration> = times.collect();
    times.sort();
    times
}

/// The limit stays what it was: a busy machine is no fault of the agent's.
fn announcing(call: &Invocation, timeout: Duration) -> Invocation {
    call.clone().parameter("CRM_meta_timeout", timeout.as_millis().to_string())
}

fn needs_no_more(session: &mut Session<'_>) -> Result<(), Stop> {
    let timeout = enough(times(session, &["start", "stop", "monitor"]).last().copied());
    if timeout > session.limit("start").min(session.limit("stop")) {
        return Err(Stop::Skipped("it needs about as long as it advertises".to_owned()));
    }
    let caller = format!("with a timeout of {} ms", timeout.as_millis());
    live(session, &caller, &|call| announcing(&call, timeout))
}

fn keeps_it(session: &mut Session<'_>) -> Result<(), Stop> {
    if session.has_failed("STOP-02") {
        return Err(Stop::Skipped("stop of a frozen service fails (STOP-02)".to_owned()));
    }
    // The one in the middle: a stop that had to use force took longer than usual.
    let usual = times(session, &["stop"]);
    let timeout = enough(usual.get(usual.len() / 2).copied());
    let service = service(session)?;
    for process in &service {
        // What has gone meanwhile needs no freezing.
        let _ = kill(Pid::from_raw(process.pid), Signal::SIGSTOP);
    }
    let stop = announcing(&session.prepare("stop"), timeout);
    let execution = session.make(&stop)?;
    end(session, &service);
    session.call("stop")?;
    session.reach(State::Stopped)?;
    if execution.code().is_some() && execution.duration < timeout {
        return Ok(());
    }
    let milliseconds = timeout.as_millis();
    let expected = format!("stop of a frozen service within the announced {milliseconds} ms");
    let mut failure = Failure::of_call(&stop, &execution, expected);
    failure.seen = format!("{execution} after {} ms", execution.duration.as_millis());
    Err(failure.into())
}
