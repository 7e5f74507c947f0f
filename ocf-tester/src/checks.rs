// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Every check: those of the classic sequence, and those that the classic tester never had.

mod actions;
mod bystanders;
mod callers;
mod costs;
mod crowds;
mod faults;
mod kills;
mod leaks;
mod limits;
mod links;
mod migration;
mod nonsense;
mod outputs;
mod promotion;
mod provoked;
mod secrets;
mod survivors;
mod truth;
mod unadvertised;
mod values;

use crate::check::{Check, Failure, Level, Phase, Stop};
use crate::classic;
use crate::family;
use crate::ledger::Process;
use crate::session::Session;
use std::sync::LazyLock;

/// A function that makes a check.
type Run = fn(&mut Session<'_>) -> Result<(), Stop>;

/// A row of behaviour that is a must.
const fn row(id: &'static str, section: &'static str, meaning: &'static str, run: Run) -> Check {
    let (level, phase) = (Level::Must, Phase::Behaviour);
    Check { id, meaning, section, level, phase, needs: &[], run }
}

/// The same as a should.
const fn should(check: Check) -> Check {
    Check { level: Level::Should, ..check }
}

/// The same as something to know.
const fn info(check: Check) -> Check {
    Check { level: Level::Info, ..check }
}

/// The same in another phase.
const fn during(phase: Phase, check: Check) -> Check {
    Check { phase, ..check }
}

/// Skips what a start that is known to be wrong would make fail, too.
fn after_a_sound_start(session: &Session<'_>) -> Result<(), Stop> {
    let wrong = ["START-02", "START-06"].into_iter().find(|id| session.has_failed(id));
    let wrong = wrong.or_else(|| session.blocked_by("start"));
    match wrong {
        None => Ok(()),
        Some(id) => Err(Stop::Skipped(format!("start doesn't end as it should ({id})"))),
    }
}

/// Fails over the processes that are there beside these, and ends them.
fn leaves_none(
    session: &Session<'_>,
    others: &[Process],
    expected: &str,
    reproduction: String,
) -> Result<(), Stop> {
    let left = session.lingering_beyond(others);
    if left.is_empty() {
        return Ok(());
    }
    left.iter().for_each(family::end);
    let names: Vec<String> = left.iter().map(ToString::to_string).collect();
    Err(Failure {
        rule: None,
        expected: expected.to_owned(),
        seen: format!("still running: {}", names.join("; ")),
        reproduction: Some(reproduction),
    }
    .into())
}

/// Every check, in the order in which they are made: those of the description first, those that
/// judge all calls last.
#[must_use]
pub fn all() -> &'static [Check] {
    static ALL: LazyLock<Vec<Check>> = LazyLock::new(|| {
        let parts = [
            classic::CHECKS,
            truth::CHECKS,
            unadvertised::CHECKS,
            actions::CHECKS,
            promotion::CHECKS,
            bystanders::CHECKS,
            callers::CHECKS,
            leaks::CHECKS,
            costs::CHECKS,
            links::CHECKS,
            crowds::CHECKS,
            values::CHECKS,
            secrets::CHECKS,
            nonsense::CHECKS,
            faults::CHECKS,
            provoked::CHECKS,
            limits::CHECKS,
            migration::CHECKS,
            kills::CHECKS,
            survivors::CHECKS,
            outputs::CHECKS,
        ];
        let mut all = parts.concat();
        all.sort_by_key(|check| match check.phase {
            Phase::Description => 0,
            Phase::Behaviour => 1,
            Phase::Conclusion => 2,
        });
        all
    });
    &ALL
}
