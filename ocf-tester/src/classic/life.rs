// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Checks of a resource's life: valid, stopped, started, asked, notified, reloaded, migrated,
//! stopped again.

use crate::agent::{Execution, Invocation};
use crate::check::{Failure, Halt, Stop};
use crate::ledger::pause;
use crate::session::{Session, State};
use std::time::{Duration, Instant};

/// Makes agents that use the shell library behave as if no binary they ask for was there.
pub(super) const NO_SOFTWARE: &str = "OCF_TESTER_FAIL_HAVE_BINARY";

/// How long a resource may take to come up after a start that returned too early.
const LATE: Duration = Duration::from_secs(5);

/// How often it is asked meanwhile.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// A name that no agent can have as an action.
const UNKNOWN_ACTION: &str = "ocf-tester-unknown-action";

fn probe(session: &Session<'_>) -> Invocation {
    session.prepare("monitor").parameter("CRM_meta_interval", "0")
}

pub(super) fn is_valid(session: &mut Session<'_>) -> Result<(), Stop> {
    look_first(session)?;
    let call = session.prepare("validate-all");
    let execution = session.make(&call)?;
    match execution.code() {
        Some(0) => Ok(()),
        // Optional action: its absence is no failure, unless the description promises it.
        Some(3) if !session.advertises("validate-all") => Ok(()),
        _ => {
            session.bar("validate-all didn't accept the parameters (VAL-01)");
            Err(Failure::of_call(&call, &execution, "validate-all to answer 0").into())
        }
    }
}

/// The first look, before anything is touched: an active resource is somebody's, and left alone
/// unless the caller said otherwise.
fn look_first(session: &mut Session<'_>) -> Result<Execution, Stop> {
    let call = session.prepare("monitor");
    let execution = session.make(&call)?;
    if session.options().destructive || !execution.tells_active() {
        return Ok(execution);
    }
    // What describes nothing may be anything: its answer says nothing about a resource.
    if session.has_failed("META-01") {
        let why = format!(
            "monitor answers {execution} before anything was started, and no description (META-01) \
             says whether this is an agent"
        );
        session.bar(why.clone());
        return Err(Stop::Skipped(why));
    }
    Err(Stop::Halt(Halt::Refused(format!(
        "monitor answers {execution}: the resource is active already; stop it first, or give \
         --destructive to let the tester stop it"
    ))))
}

pub(super) fn is_stopped_first(session: &mut Session<'_>) -> Result<(), Stop> {
    let call = session.prepare("monitor");
    // What was stopped before validate-all, that has started: another check tells.
    let was_stopped = session.records.iter().any(|one| is_stopped(&one.call, &one.execution));
    let mut execution = if was_stopped { session.make(&call)? } else { look_first(session)? };
    if execution.code() != Some(7) {
        if !session.options().destructive && !was_stopped {
            session.bar("the resource isn't known to be stopped (MON-03); --destructive stops it");
            return Err(Failure::of_call(&call, &execution, "monitor to answer 7").into());
        }
        if session.state() == State::Promoted {
            session.call("demote")?;
        }
        session.call("stop")?;
        execution = session.make(&call)?;
    }
    if execution.code() != Some(7) {
        session.bar("monitor doesn't see the resource as stopped (MON-03)");
        return Err(Failure::of_call(&call, &execution, "monitor to answer 7").into());
    }
    let probe = probe(session);
    session.expect(&probe, &[7], "a probe")?;
    Ok(())
}

fn is_stopped(call: &Invocation, execution: &Execution) -> bool {
    call.action_name() == "monitor" && execution.code() == Some(7)
}

pub(super) fn probes_bare(session: &mut Session<'_>) -> Result<(), Stop> {
    let call = probe(session).env(NO_SOFTWARE, "1");
    session.expect(&call, &[7, 5], "a probe without the software")?;
    Ok(())
}

/// Any exit code will do here: which codes there are is EXIT-01's question.
pub(super) fn no_action(session: &mut Session<'_>) -> Result<(), Stop> {
    let mut call = session.prepare("");
    call.arguments.clear();
    let execution = session.make(&call)?;
    match execution.code() {
        Some(_) => Ok(()),
        None => Err(Failure::of_call(&call, &execution, "a call without an action to exit").into()),
    }
}

pub(super) fn unknown_action(session: &mut Session<'_>) -> Result<(), Stop> {
    let call = session.prepare(UNKNOWN_ACTION);
    session.expect(&call, &[3], "an unknown action")?;
    Ok(())
}

pub(super) fn starts(session: &mut Session<'_>) -> Result<(), Stop> {
    let result = session.reach(State::Stopped).and_then(|()| start_and_see(session));
    if matches!(result, Err(Stop::Failed(_))) {
        session.bar("start doesn't bring the resource up (START-01)");
    }
    result
}

fn start_and_see(session: &mut Session<'_>) -> Result<(), Stop> {
    let start = session.prepare("start");
    session.expect(&start, &[0], "start")?;
    let returned = Instant::now();
    let monitor = session.prepare("monitor");
    loop {
        let execution = session.make(&monitor)?;
        // Whether promoted is right is START-06's question.
        if matches!(session.state(), State::Running | State::Promoted) {
            return Ok(());
        }
        if execution.code().is_none() || returned.elapsed() > LATE {
            return Err(
                Failure::of_call(&monitor, &execution, "monitor after start to answer 0").into()
            );
        }
        session.late_start = Some(returned.elapsed());
        pause(ASK_AGAIN);
    }
}

pub(super) fn starts_in_time(session: &mut Session<'_>) -> Result<(), Stop> {
    let Some(late) = session.late_start else { return Ok(()) };
    Err(Failure {
        rule: None,
        expected: "monitor to answer 0 as soon as start has returned".to_owned(),
        seen: format!("still down {} ms after start had answered 0", late.as_millis()),
        reproduction: Some(session.prepare("start").reproduction()),
    }
    .into())
}

pub(super) fn is_running(session: &mut Session<'_>) -> Result<(), Stop> {
    session.reach(State::Running)?;
    let monitor = session.prepare("monitor");
    session.expect(&monitor, &[0, 190], "monitor")?;
    let probe = probe(session);
    session.expect(&probe, &[0, 190], "a probe")?;
    Ok(())
}

pub(super) fn extra_argument(session: &mut Session<'_>) -> Result<(), Stop> {
    session.reach(State::Running)?;
    let call = session.prepare("monitor").argument("further-argument");
    session.expect(&call, &[0, 190], "monitor with a further argument")?;
    Ok(())
}

pub(super) fn notifies(session: &mut Session<'_>) -> Result<(), Stop> {
    let advertised = session.advertises("notify");
    if !advertised && session.has_failed("INV-04") {
        return Err(Stop::Skipped("unknown actions don't answer 3 (INV-04)".to_owned()));
    }
    session.reach(State::Running)?;
    let call = session
        .prepare("notify")
        .parameter("CRM_meta_notify_type", "post")
        .parameter("CRM_meta_notify_operation", "start")
        // Pacemaker writes an empty list as one blank.
        .parameter("CRM_meta_notify_start_resource", " ")
        .parameter("CRM_meta_notify_start_uname", " ");
    session.expect(&call, if advertised { &[0] } else { &[0, 3] }, "notify")?;
    Ok(())
}

pub(super) fn stops(session: &mut Session<'_>) -> Result<(), Stop> {
    let result = session.reach(State::Running).and_then(|()| stop_and_see(session));
    if matches!(result, Err(Stop::Failed(_))) {
        session.bar("stop doesn't end the resource (STOP-01)");
    }
    result
}

fn stop_and_see(session: &mut Session<'_>) -> Result<(), Stop> {
    let stop = session.prepare("stop");
    session.expect(&stop, &[0], "stop")?;
    let monitor = session.prepare("monitor");
    session.expect(&monitor, &[7], "monitor after stop")?;
    let left = session.lingering_processes();
    if left.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = left.iter().map(ToString::to_string).collect();
    Err(Failure {
        rule: None,
        expected: "stop to end every process that start has started".to_owned(),
        seen: format!("still running: {}", names.join("; ")),
        reproduction: Some(stop.reproduction()),
    }
    .into())
}

pub(super) fn starts_again(session: &mut Session<'_>) -> Result<(), Stop> {
    session.reach(State::Running)?;
    let start = session.prepare("start");
    session.expect(&start, &[0], "start of a running resource")?;
    let monitor = session.prepare("monitor");
    session.expect(&monitor, &[0, 190], "monitor after the second start")?;
    Ok(())
}

pub(super) fn reloads(session: &mut Session<'_>) -> Result<(), Stop> {
    reload(session, "reload")
}

pub(super) fn reloads_agent(session: &mut Session<'_>) -> Result<(), Stop> {
    reload(session, "reload-agent")
}

fn reload(session: &mut Session<'_>, action: &str) -> Result<(), Stop> {
    session.reach(State::Running)?;
    let call = session.prepare(action);
    session.expect(&call, &[0], action)?;
    let monitor = session.prepare("monitor");
    session.expect(&monitor, &[0, 190], &format!("monitor after {action}"))?;
    Ok(())
}

pub(super) fn never_stops_with_7(session: &mut Session<'_>) -> Result<(), Stop> {
    session.reach(State::Stopped)?;
    let stop = session.prepare("stop");
    let execution = session.make(&stop)?;
    if execution.code() == Some(7) {
        return Err(
            Failure::of_call(&stop, &execution, "stop of a stopped resource to answer 0").into()
        );
    }
    Ok(())
}

pub(super) fn stops_again(session: &mut Session<'_>) -> Result<(), Stop> {
    if session.has_failed("STOP-06") {
        return Err(Stop::Skipped("it answers 7 (STOP-06)".to_owned()));
    }
    session.reach(State::Stopped)?;
    let stop = session.prepare("stop");
    session.expect(&stop, &[0], "stop of a stopped resource")?;
    let monitor = session.prepare("monitor");
    session.expect(&monitor, &[7], "monitor after the second stop")?;
    Ok(())
}

/// Both halves on this one node, as when the resource moves away and back again.
pub(super) fn migrates(session: &mut Session<'_>) -> Result<(), Stop> {
    session.reach(State::Running)?;
    let node = nix::unistd::gethostname().unwrap_or_default();
    for action in ["migrate_to", "migrate_from"] {
        let call = session
            .prepare(action)
            .parameter("CRM_meta_migrate_source", &node)
            .parameter("CRM_meta_migrate_target", &node);
        session.expect(&call, &[0], action)?;
    }
    let monitor = session.prepare("monitor");
    session.expect(&monitor, &[0, 190], "monitor after migrate_from")?;
    Ok(())
}
