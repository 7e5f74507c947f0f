// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Actions that have nothing to change: whatever they answer, the resource stays what it was.

use super::{after_a_sound_start, row};
use crate::agent::Invocation;
use crate::check::{Check, Failure, Need, Stop};
use crate::session::{Session, State};

pub(super) const CHECKS: &[Check] = &[
    row(
        "USE-39",
        "practice",
        "calls that ask for nothing (meta-data, validate-all, no action, an unknown one) change nothing",
        change_nothing,
    ),
    Check {
        needs: &[Need::Advertised("notify")],
        ..row(
            "NOT-02",
            "notify",
            "notify answers 0 before and after each operation, and changes no role",
            is_told_all,
        )
    },
];

/// The states in which the resource is looked at.
fn states(session: &Session<'_>) -> Vec<State> {
    let has_roles = session.advertises("promote") && session.advertises("demote");
    let mut states = vec![State::Stopped, State::Running];
    states.extend(has_roles.then_some(State::Promoted));
    states
}

fn change_nothing(session: &mut Session<'_>) -> Result<(), Stop> {
    after_a_sound_start(session)?;
    for state in states(session) {
        session.reach(state)?;
        let mut silent = session.prepare("");
        silent.arguments.clear();
        let named = ["meta-data", "validate-all", "ocf-tester-unknown-action"];
        let calls = named.map(|action| session.prepare(action)).into_iter().chain([silent]);
        for call in calls.collect::<Vec<_>>() {
            session.make(&call)?;
            stays(session, &call, state)?;
        }
    }
    Ok(())
}

fn stays(session: &mut Session<'_>, call: &Invocation, state: State) -> Result<(), Stop> {
    let monitor = session.prepare("monitor");
    let seen = session.make(&monitor)?;
    if session.state() == state {
        return Ok(());
    }
    let what = match state {
        State::Promoted => "promoted (8)",
        State::Running => "running (0)",
        State::Stopped | State::Unknown => "stopped (7)",
    };
    let mut failure = Failure::of_call(call, &seen, format!("monitor to say {what}, as before"));
    failure.seen = format!("monitor {seen} after it");
    Err(failure.into())
}

/// With the lists as Pacemaker writes them: pairs of instances and nodes, an empty one as a blank.
fn is_told_all(session: &mut Session<'_>) -> Result<(), Stop> {
    for state in states(session).into_iter().filter(|state| *state != State::Stopped) {
        session.reach(state)?;
        for (kind, operation) in [
            ("pre", "start"),
            ("post", "start"),
            ("pre", "stop"),
            ("post", "stop"),
            ("pre", "promote"),
            ("post", "promote"),
            ("pre", "demote"),
            ("post", "demote"),
        ] {
            let call = notice(session, kind, operation);
            session.expect(&call, &[0], &format!("{kind}-{operation} notify"))?;
        }
        let last = notice(session, "post", "demote");
        stays(session, &last, state)?;
    }
    Ok(())
}

/// Another instance is about to be, or has been, changed.
fn notice(session: &Session<'_>, kind: &str, operation: &str) -> Invocation {
    const LISTS: &[&str] = &[
        "start",
        "stop",
        "promote",
        "demote",
        "active",
        "inactive",
        "promoted",
        "unpromoted",
        "master",
        "slave",
    ];
    let mut call = session
        .prepare("notify")
        .parameter("CRM_meta_notify_type", kind)
        .parameter("CRM_meta_notify_operation", operation);
    for list in LISTS {
        let [resources, nodes] = if *list == operation { ["peer:1", "other"] } else { [" ", " "] };
        call = call
            .parameter(&format!("CRM_meta_notify_{list}_resource"), resources)
            .parameter(&format!("CRM_meta_notify_{list}_uname"), nodes);
    }
    call
}
