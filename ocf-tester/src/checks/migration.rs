// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What migration promises beyond its plain way (`MIG-01`), as far as one node can tell: the target
//! has the resource once, and the source doesn't get it back.

use super::row;
use crate::agent::Invocation;
use crate::check::{Check, Failure, Need, Stop};
use crate::session::{Session, State};

const BOTH: &[Need] = &[Need::Advertised("migrate_to"), Need::Advertised("migrate_from")];

pub(super) const CHECKS: &[Check] = &[
    Check {
        needs: BOTH,
        ..row(
            "MIG-02",
            "RA Actions",
            "migrate_from can be repeated, and the resource goes on running once",
            arrives_once,
        )
    },
    Check {
        needs: BOTH,
        ..row("MIG-03", "Pacemaker", "migrate_to starts nothing that was stopped", starts_nothing)
    },
];

fn migration(session: &Session<'_>, action: &str) -> Invocation {
    let node = nix::unistd::gethostname().unwrap_or_default();
    session
        .prepare(action)
        .parameter("CRM_meta_migrate_source", &node)
        .parameter("CRM_meta_migrate_target", &node)
}

fn unless_it_never_works(session: &Session<'_>) -> Result<(), Stop> {
    match session.has_failed("MIG-01") {
        true => Err(Stop::Skipped("migration doesn't work (MIG-01)".to_owned())),
        false => Ok(()),
    }
}

fn arrives_once(session: &mut Session<'_>) -> Result<(), Stop> {
    unless_it_never_works(session)?;
    session.reach(State::Running)?;
    session.expect(&migration(session, "migrate_to"), &[0], "migrate_to")?;
    let from = migration(session, "migrate_from");
    session.expect(&from, &[0], "migrate_from")?;
    let once = session.processes().len();
    session.expect(&from, &[0], "migrate_from, repeated,")?;
    let monitor = session.prepare("monitor");
    session.expect(&monitor, &[0, 8, 190, 191], "monitor after a repeated migrate_from")?;
    let twice = session.processes().len();
    if once > 0 && twice >= 2 * once {
        return Err(Failure {
            rule: None,
            expected: "the same processes after a repeated migrate_from".to_owned(),
            seen: format!("{twice} instead of {once}"),
            reproduction: Some(from.reproduction()),
        }
        .into());
    }
    Ok(())
}

/// Its answer is the agent's own affair; Pacemaker doesn't ask for it.
fn starts_nothing(session: &mut Session<'_>) -> Result<(), Stop> {
    unless_it_never_works(session)?;
    session.reach(State::Stopped)?;
    let to = migration(session, "migrate_to");
    let answer = session.make(&to)?;
    let monitor = session.prepare("monitor");
    let seen = session.make(&monitor)?;
    if matches!(seen.code(), Some(0 | 8 | 190 | 191)) {
        let expected = format!(
            "monitor after migrate_to of a stopped resource (it answered {answer}) to answer 7"
        );
        return Err(Failure::of_call(&to, &seen, expected).into());
    }
    session.reach(State::Stopped)
}
