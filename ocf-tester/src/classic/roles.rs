// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Checks of the two roles: the code says whether the action worked, monitor says whether it did.

use crate::check::{Failure, Stop};
use crate::session::{Session, State};

pub(super) fn starts_unpromoted(session: &mut Session<'_>) -> Result<(), Stop> {
    if session.state() != State::Promoted {
        return Ok(());
    }
    let monitor = session.prepare("monitor");
    let execution = session.make(&monitor)?;
    Err(Failure::of_call(&monitor, &execution, "monitor after start to answer 0").into())
}

pub(super) fn promotes(session: &mut Session<'_>) -> Result<(), Stop> {
    session.reach(State::Running)?;
    change_role(session, "promote", &[8, 191])
}

pub(super) fn demotes(session: &mut Session<'_>) -> Result<(), Stop> {
    session.reach(State::Promoted)?;
    change_role(session, "demote", &[0, 190])
}

pub(super) fn repeats(session: &mut Session<'_>) -> Result<(), Stop> {
    session.reach(State::Running)?;
    change_role(session, "demote", &[0, 190])?;
    session.reach(State::Promoted)?;
    change_role(session, "promote", &[8, 191])?;
    session.reach(State::Running)
}

fn change_role(session: &mut Session<'_>, action: &str, seen_as: &[i32]) -> Result<(), Stop> {
    let call = session.prepare(action);
    session.expect(&call, &[0], action)?;
    let monitor = session.prepare("monitor");
    session.expect(&monitor, seen_as, &format!("monitor after {action}"))?;
    Ok(())
}
