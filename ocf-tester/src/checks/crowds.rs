// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Several calls at once, and several resources of the same agent.

use super::{after_a_sound_start, leaves_none, row, should};
use crate::agent::Invocation;
use crate::check::{Check, Failure, Stop};
use crate::session::{Session, State};
use std::ffi::{OsStr, OsString};

/// How many monitors are made at once.
const CROWD: usize = 8;

pub(super) const CHECKS: &[Check] = &[
    row("USE-38", "practice", "several monitors at once don't disturb each other", are_asked),
    // Pacemaker never does it: operations on a resource wait for each other. People and scripts may.
    should(row(
        "START-07",
        "start",
        "two starts at once make one resource, which stop ends",
        are_started,
    )),
    row("INV-10", "RA Actions", "two resources of the agent each have their own state", are_apart),
    row(
        "ENV-01",
        "Syntax for Instance Parameters",
        "a unique parameter tells resources apart: with another path it isn't running",
        are_told_apart,
    ),
];

fn are_asked(session: &mut Session<'_>) -> Result<(), Stop> {
    session.reach(State::Running)?;
    let monitor = session.prepare("monitor");
    let calls = vec![monitor.clone(); CROWD];
    for execution in session.make_together(&calls)? {
        if !matches!(execution.code(), Some(0 | 190)) {
            let expected = format!("each of {CROWD} monitors at once to answer 0");
            return Err(Failure::of_call(&monitor, &execution, expected).into());
        }
    }
    session.expect(&monitor, &[0, 190], "monitor after many at once").map(|_| ())
}

fn are_started(session: &mut Session<'_>) -> Result<(), Stop> {
    after_a_sound_start(session)?;
    session.reach(State::Stopped)?;
    let others = session.processes();
    let start = session.prepare("start");
    let answers = session.make_together(&[start.clone(), start.clone()])?;
    if !answers.iter().any(|answer| answer.code() == Some(0)) {
        let Some(answer) = answers.first() else { return Ok(()) };
        return Err(
            Failure::of_call(&start, answer, "one of two starts at once to answer 0").into()
        );
    }
    let monitor = session.prepare("monitor");
    let running = session.expect(&monitor, &[0, 190], "monitor after two starts at once");
    let stop = session.prepare("stop");
    let stopped = session.expect(&stop, &[0], "stop after two starts at once");
    let seen = session.expect(&monitor, &[7], "monitor after that stop");
    running.and(stopped).and(seen)?;
    let expected = "stop to end all that two starts at once have started";
    leaves_none(session, &others, expected, format!("{0} & {0}", start.reproduction()))
}

/// The call for a second resource: another name, and another path in each unique parameter. What
/// another value of a parameter could be that is no path, only its user knows.
fn second(session: &Session<'_>, call: Invocation) -> Result<Invocation, Stop> {
    let mut call = call;
    let all = session.document.as_ref().map_or(&[][..], |document| &document.parameters);
    let (mut has_value, mut has_other) = (false, false);
    for parameter in all {
        let variable = OsString::from(format!("OCF_RESKEY_{}", parameter.name));
        let Some(value) = session.base.environment.get(&variable) else { continue };
        has_value = true;
        let is_path = value.to_string_lossy().starts_with('/');
        match (parameter.unique_group.is_some(), is_path) {
            (true, true) => {
                let mut other = value.clone();
                other.push("-second");
                call = call.env(variable, other);
                has_other = true;
            }
            (false, _) => {}
            (true, false) => {
                let why = format!("no second value of {} is known", parameter.name);
                return Err(Stop::Skipped(why));
            }
        }
    }
    let name = session.base.environment.get(OsStr::new("OCF_RESOURCE_INSTANCE"));
    let own = name.map(|name| name.to_string_lossy()).filter(|name| !name.is_empty());
    let is_named = |default: &String| own.as_ref().is_some_and(|own| default.contains(&**own));
    let mut defaults = all.iter().filter_map(|parameter| parameter.default.as_ref());
    // Two resources that differ in nothing but their names may well be the same thing.
    if !has_other && (has_value || !defaults.any(is_named)) {
        let why = "no unique parameter was given that tells two resources apart";
        return Err(Stop::Skipped(why.to_owned()));
    }
    let mut name = name.cloned().unwrap_or_else(|| "default".into());
    name.push("-second");
    Ok(call.env("OCF_RESOURCE_INSTANCE", name))
}

/// The resource with another path in one of its unique parameters is another resource.
fn are_told_apart(session: &mut Session<'_>) -> Result<(), Stop> {
    let parameters = session.document.iter().flat_map(|document| &document.parameters);
    let unique = parameters.filter(|one| one.unique_group.is_some()).filter_map(|one| {
        let variable = OsString::from(format!("OCF_RESKEY_{}", one.name));
        let value = session.base.environment.get(&variable)?;
        let is_path = value.to_string_lossy().starts_with('/');
        is_path.then(|| (variable, value.clone()))
    });
    let unique: Vec<(OsString, OsString)> = unique.collect();
    if unique.is_empty() {
        return Err(Stop::Skipped("no path was given for a unique parameter".to_owned()));
    }
    session.reach(State::Running)?;
    for (variable, mut value) in unique {
        value.push("-second");
        let monitor = session.prepare("monitor").env(&variable, &value);
        let execution = session.make(&monitor)?;
        session.call("monitor")?;
        if execution.tells_active() {
            let name = variable.to_string_lossy().replace("OCF_RESKEY_", "");
            let expected = format!("another {name} to be another resource, which isn't started");
            return Err(Failure::of_call(&monitor, &execution, expected).into());
        }
    }
    Ok(())
}

fn are_apart(session: &mut Session<'_>) -> Result<(), Stop> {
    after_a_sound_start(session)?;
    if session.document.is_none() {
        return Err(Stop::Skipped("which parameters are unique isn't known".to_owned()));
    }
    session.reach(State::Running)?;
    let call = |session: &Session<'_>, action| second(session, session.prepare(action));
    let (monitor, start, stop) =
        (call(session, "monitor")?, call(session, "start")?, call(session, "stop")?);
    let alone = session.expect(&monitor, &[7], "monitor of a second resource, not started yet");
    let result = alone.and_then(|_| both(session, &monitor, &start));
    session.make(&stop)?;
    // The state of the second one is not the first one's.
    session.call("stop")?;
    session.call("monitor")?;
    result
}

fn both(session: &mut Session<'_>, monitor: &Invocation, start: &Invocation) -> Result<(), Stop> {
    let execution = session.make(start)?;
    if execution.code() != Some(0) {
        return Err(Stop::Skipped(format!("the second resource's start answers {execution}")));
    }
    let first = session.prepare("stop");
    session.expect(&first, &[0], "stop of the first resource")?;
    session.expect(monitor, &[0, 190], "monitor of the second one, which runs on")?;
    let first = session.prepare("monitor");
    session.expect(&first, &[7], "monitor of the first one, which is stopped").map(|_| ())
}
