// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Roles beyond promote and demote: what else happens to a promoted resource, and what must not
//! happen to a stopped one.

use super::{row, should};
use crate::agent::Invocation;
use crate::check::{Check, Failure, Need, Stop};
use crate::session::{Session, State};

const ROLES: &[Need] = &[Need::Advertised("promote"), Need::Advertised("demote")];
const RELOADED: &[Need] =
    &[Need::Advertised("promote"), Need::Advertised("demote"), Need::Advertised("reload-agent")];

/// What monitor answers about a promoted resource.
const PROMOTED: &[i32] = &[8, 191];

pub(super) const CHECKS: &[Check] = &[
    Check {
        needs: ROLES,
        ..row(
            "PRO-03",
            "stop",
            "stop of a promoted resource never claims to have ended it",
            is_honest,
        )
    },
    should(Check {
        needs: ROLES,
        ..row("PRO-06", "stop", "stop ends a promoted resource, too", is_stopped)
    }),
    Check {
        needs: ROLES,
        ..row(
            "PRO-04",
            "promote; demote",
            "promote and demote of a stopped resource don't claim success",
            is_not_promoted,
        )
    },
    Check {
        needs: ROLES,
        ..row("PRO-05", "Exit Status 8", "a probe of a promoted resource answers 8", is_probed)
    },
    Check {
        needs: RELOADED,
        ..row("REL-04", "reload-agent", "reload-agent leaves the promoted role", keeps_its_role)
    },
];

fn is_honest(session: &mut Session<'_>) -> Result<(), Stop> {
    session.reach(State::Promoted)?;
    if session.call("stop")?.code() == Some(0) {
        let monitor = session.prepare("monitor");
        session.expect(&monitor, &[7], "monitor after stop of a promoted resource")?;
    }
    session.call("monitor").map(|_| ())
}

/// When a demote has failed, Pacemaker stops what is promoted still.
fn is_stopped(session: &mut Session<'_>) -> Result<(), Stop> {
    session.reach(State::Promoted)?;
    let stop = session.prepare("stop");
    let stopped = session.expect(&stop, &[0], "stop of a promoted resource");
    session.call("monitor")?;
    stopped.map(|_| ())
}

/// Answering 0 is right only if the resource is up in that role now.
fn is_not_promoted(session: &mut Session<'_>) -> Result<(), Stop> {
    let mut failures = Vec::new();
    for (action, role) in [("promote", PROMOTED), ("demote", &[0, 190][..])] {
        session.reach(State::Stopped)?;
        let call = session.prepare(action);
        let execution = session.make(&call)?;
        let monitor = session.prepare("monitor");
        let seen = session.make(&monitor)?;
        let is_up = seen.code().is_some_and(|code| role.contains(&code));
        if execution.code() == Some(0) && !is_up {
            let expected = format!("{action} of a stopped resource to fail");
            let mut failure = Failure::of_call(&call, &execution, expected);
            failure.seen = format!("{execution}, then monitor {seen}");
            failures.push(failure);
        }
    }
    session.reach(State::Stopped)?;
    if failures.is_empty() { Ok(()) } else { Err(Stop::Failed(failures)) }
}

/// With the interval of a probe, and without any, as Pacemaker has it.
fn is_probed(session: &mut Session<'_>) -> Result<(), Stop> {
    session.reach(State::Promoted)?;
    let monitor = session.prepare("monitor");
    let unset = monitor.clone().without_env("OCF_RESKEY_CRM_meta_interval");
    for probe in [monitor.parameter("CRM_meta_interval", "0"), unset] {
        session.expect(&probe, PROMOTED, "a probe of a promoted resource")?;
    }
    session.reach(State::Running)
}

fn keeps_its_role(session: &mut Session<'_>) -> Result<(), Stop> {
    session.reach(State::Promoted)?;
    let call: Invocation = session.prepare("reload-agent");
    let answered = session.expect(&call, &[0], "reload-agent of a promoted resource");
    let monitor = session.prepare("monitor");
    let result = session.expect(&monitor, PROMOTED, "monitor after that reload-agent");
    answered.and(result)?;
    session.reach(State::Running)
}
