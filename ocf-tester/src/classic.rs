// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The classic sequence: every check of the shell `ocf-tester`, with limits, in its order, and the
//! few that make its findings exact (an unknown action, the role after promote and demote).

mod conclusion;
mod description;
mod life;
mod roles;

use crate::check::{Check, Level, Need, Phase};

use Level::{Must, Should};
use Phase::{Behaviour, Conclusion, Description};

const PRACTICE: &str = "practice";

/// A row with the commonest level and no needs.
const fn row(id: &'static str, section: &'static str, meaning: &'static str, run: Run) -> Check {
    Check { id, meaning, section, level: Must, phase: Behaviour, needs: &[], run }
}

type Run = fn(&mut crate::session::Session<'_>) -> Result<(), crate::check::Stop>;

/// The checks, in the order in which they are made.
pub const CHECKS: &[Check] = &[
    Check {
        phase: Description,
        ..row("META-01", "meta-data", "meta-data answers 0 and prints", description::is_printed)
    },
    Check {
        phase: Description,
        ..row(
            "META-02",
            "OCF_OUTPUT_FORMAT; Metadata",
            "the description is XML that keeps every rule of OCF 1.1 and of its readers",
            description::keeps_rules,
        )
    },
    Check {
        phase: Description,
        level: Should,
        ..row(
            "META-03",
            "Metadata",
            "the description agrees with itself: defaults have their types, required is required",
            description::makes_sense,
        )
    },
    Check {
        phase: Description,
        needs: &[Need::Root],
        ..row("USE-20", PRACTICE, "meta-data works for any user", description::works_for_nobody)
    },
    Check {
        phase: Description,
        ..row("USE-21", PRACTICE, "meta-data works without the software", description::works_bare)
    },
    row("VAL-01", "validate-all", "validate-all accepts the parameters", life::is_valid),
    row(
        "MON-03",
        "monitor",
        "monitor and probe answer 7 before the first start",
        life::is_stopped_first,
    ),
    row("USE-22", PRACTICE, "a probe without the software answers 7 or 5", life::probes_bare),
    Check {
        level: Should,
        ..row(
            "INV-03",
            "RA Actions",
            "a call without an action has a defined status",
            life::no_action,
        )
    },
    row("INV-04", "RA Actions", "an unknown action answers 3", life::unknown_action),
    row("START-01", "start", "start brings the resource up: 0, then monitor 0", life::starts),
    row(
        "START-02",
        "start",
        "start doesn't return before the resource is up",
        life::starts_in_time,
    ),
    row("START-06", "start", "start ends in the unpromoted role", roles::starts_unpromoted),
    row("MON-01", "monitor", "monitor and probe answer 0 while it runs", life::is_running),
    row("INV-02", "Execution Syntax", "further arguments are ignored", life::extra_argument),
    row("NOT-01", "notify", "notify answers 0, or 3 where it isn't advertised", life::notifies),
    Check {
        needs: &[Need::Advertised("promote"), Need::Advertised("demote")],
        ..row(
            "PRO-01",
            "promote",
            "promote leads to the promoted role: 0, then monitor 8",
            roles::promotes,
        )
    },
    Check {
        needs: &[Need::Advertised("promote"), Need::Advertised("demote")],
        ..row(
            "PRO-02",
            "demote",
            "demote leads to the unpromoted role: 0, then monitor 0",
            roles::demotes,
        )
    },
    Check {
        needs: &[Need::Advertised("promote"), Need::Advertised("demote")],
        ..row("INV-09", "RA Actions", "promote and demote can be repeated", roles::repeats)
    },
    row(
        "STOP-01",
        "stop",
        "stop ends the resource: 0, then monitor 7, no process left",
        life::stops,
    ),
    row("START-03", "start", "start of a running resource answers 0", life::starts_again),
    Check {
        needs: &[Need::Advertised("reload")],
        ..row("REL-01", "reload", "reload answers 0 and the resource goes on", life::reloads)
    },
    Check {
        needs: &[Need::Advertised("reload-agent")],
        ..row(
            "REL-02",
            "reload-agent",
            "reload-agent answers 0 and the resource goes on",
            life::reloads_agent,
        )
    },
    row(
        "STOP-06",
        "Exit Status 7",
        "stop of a stopped resource never answers 7",
        life::never_stops_with_7,
    ),
    row("STOP-04", "stop", "stop of a stopped resource answers 0", life::stops_again),
    Check {
        needs: &[Need::Advertised("migrate_to"), Need::Advertised("migrate_from")],
        ..row(
            "MIG-01",
            "Pacemaker",
            "migrate_to then migrate_from answer 0, and it runs",
            life::migrates,
        )
    },
    Check {
        phase: Conclusion,
        ..row(
            "EXIT-01",
            "Exit Status",
            "every code is one of 0-9, 190, 191",
            conclusion::defined_codes,
        )
    },
    Check {
        phase: Conclusion,
        ..row(
            "USE-23",
            PRACTICE,
            "nothing started keeps the agent's output open",
            conclusion::lets_go,
        )
    },
];
