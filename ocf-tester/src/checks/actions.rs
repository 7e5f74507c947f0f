// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Does the agent have the actions it advertises, and advertise those it has? What does it make of
//! probes, check levels and another API?

use super::{row, should};
use crate::check::{Check, Failure, Stop};
use crate::ledger::Process;
use crate::session::{Session, State};
use std::collections::BTreeSet;
use std::time::Duration;

/// The actions that OCF 1.1 and Pacemaker know beside the mandatory ones.
const KNOWN: &[&str] = &[
    "promote",
    "demote",
    "notify",
    "reload",
    "reload-agent",
    "migrate_to",
    "migrate_from",
    "validate-all",
    "recover",
    "status",
];

/// How long a monitor of a level nobody promised may take.
const SHORT: Duration = Duration::from_secs(2);

pub(super) const CHECKS: &[Check] = &[
    row("MD-15", "Metadata", "every advertised action exists: none answers 3", has_what_it_says),
    should(row(
        "INV-07",
        "RA Actions",
        "every action that OCF knows and the agent has is advertised",
        says_what_it_has,
    )),
    row(
        "MON-08",
        "monitor",
        "a probe of a stopped resource answers 7 whether its interval is 0, empty or not set",
        probes,
    ),
    should(row(
        "ENV-03",
        "API Version Numbers",
        "a caller with another major version of the API gets an error",
        refuses_other_api,
    )),
    row("LVL-02", "Check Levels", "monitor answers 0 at every advertised depth", keeps_levels),
    row(
        "MON-02",
        "monitor",
        "the resource survives a monitor of any level, unchanged",
        survives_levels,
    ),
];

fn advertised(session: &Session<'_>) -> BTreeSet<String> {
    let actions = session.document.iter().flat_map(|document| &document.actions);
    actions.map(|action| action.name.clone()).collect()
}

fn has_what_it_says(session: &mut Session<'_>) -> Result<(), Stop> {
    let all = advertised(session);
    let called: BTreeSet<String> =
        session.records.iter().map(|record| record.call.action_name()).collect();
    // A name that the standard doesn't know may do anything, so only the agent's owner may try it.
    let untried =
        KNOWN.iter().filter(|action| all.contains(**action) && !called.contains(**action));
    for action in untried {
        session.reach(State::Running)?;
        session.call(action)?;
    }
    // What it answers apart from that is another check's question.
    let missing = session.records.iter().find(|record| {
        record.execution.code() == Some(3)
            && all.contains(&record.call.action_name())
            && !["promote", "demote", "notify"].contains(&record.call.action_name().as_str())
    });
    match missing {
        None => Ok(()),
        Some(record) => {
            let expected =
                format!("{}, which is advertised, not to answer 3", record.call.action_name());
            Err(Failure::of_call(&record.call, &record.execution, expected).into())
        }
    }
}

/// On a stopped resource, where least can happen; an action that exists says so, or fails.
fn says_what_it_has(session: &mut Session<'_>) -> Result<(), Stop> {
    if session.has_failed("INV-04") {
        return Err(Stop::Skipped("unknown actions don't answer 3 (INV-04)".to_owned()));
    }
    if session.document.is_none() {
        return Err(Stop::Skipped("the description can't be read".to_owned()));
    }
    let all = advertised(session);
    let mut failures = Vec::new();
    // What init scripts have, many agents answer too; no caller of agents asks for it.
    let known = KNOWN.iter().filter(|action| **action != "status");
    for action in known.filter(|action| !all.contains(**action)) {
        session.reach(State::Stopped)?;
        let call = session.prepare(action);
        let execution = session.make(&call)?;
        if execution.code() != Some(3) {
            let expected = format!("{action}, which isn't advertised, to answer 3");
            failures.push(Failure::of_call(&call, &execution, expected));
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(Stop::Failed(failures)) }
}

fn probes(session: &mut Session<'_>) -> Result<(), Stop> {
    session.reach(State::Stopped)?;
    let unset = session.prepare("monitor").without_env("OCF_RESKEY_CRM_meta_interval");
    for call in [
        unset.clone(),
        unset.clone().parameter("CRM_meta_interval", ""),
        unset.parameter("CRM_meta_interval", "0"),
    ] {
        session.expect(&call, &[7], "a probe")?;
    }
    Ok(())
}

fn refuses_other_api(session: &mut Session<'_>) -> Result<(), Stop> {
    session.reach(State::Stopped)?;
    let call = session
        .prepare("monitor")
        .env("OCF_RA_VERSION_MAJOR", "2")
        .env("OCF_RA_VERSION_MINOR", "0");
    let execution = session.make(&call)?;
    match execution.code() {
        Some(0 | 7 | 8) | None => {
            let expected = "an error, because the caller speaks version 2 of the API";
            Err(Failure::of_call(&call, &execution, expected).into())
        }
        Some(_) => Ok(()),
    }
}

fn keeps_levels(session: &mut Session<'_>) -> Result<(), Stop> {
    let actions = session.document.iter().flat_map(|document| &document.actions);
    let depths: BTreeSet<u32> =
        actions.filter(|row| row.name == "monitor").filter_map(|row| row.depth).collect();
    for depth in depths {
        session.reach(State::Running)?;
        let call = session.prepare("monitor").env("OCF_CHECK_LEVEL", depth.to_string());
        session.expect(&call, &[0, 190], &format!("monitor at the advertised depth {depth}"))?;
    }
    Ok(())
}

/// Whatever a level that isn't advertised answers, the resource has to be there afterwards, in the
/// same processes.
fn survives_levels(session: &mut Session<'_>) -> Result<(), Stop> {
    let before = numbers(&session.service()?);
    for level in ["0", "10", "20"] {
        let call = session.prepare("monitor").env("OCF_CHECK_LEVEL", level);
        let call = if level == "0" { call } else { call.limit(SHORT) };
        session.make(&call)?;
        let plain = session.prepare("monitor");
        let after = session.make(&plain)?;
        if !matches!(after.code(), Some(0 | 190)) {
            let expected = format!("the resource to run on after a monitor of level {level}");
            return Err(Failure::of_call(&call, &after, expected).into());
        }
        let now = numbers(&session.service_now());
        if !before.is_subset(&now) {
            let mut failure = Failure::of_call(&call, &after, "the service's processes to go on");
            failure.seen = format!("processes {before:?} before, {now:?} after it");
            return Err(failure.into());
        }
    }
    Ok(())
}

fn numbers(service: &[Process]) -> BTreeSet<i32> {
    service.iter().map(|process| process.pid).collect()
}
