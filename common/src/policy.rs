// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a failure means for each action: one table. A code is not a description of what went wrong
//! but an order to Pacemaker: 6 bans the resource from the whole cluster, a failed stop has the node
//! fenced, a probe that isn't 7 counts as something running.

use crate::action::Kind as Action;
use crate::code::Code;
use crate::error::Kind;
use crate::parameter::Rigour;

/// What an action is for, as far as a failure's meaning depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Is it active here at all?
    Probe,
    /// Is it still well?
    Recurring,
    /// Bring it up.
    Start,
    /// Take it down.
    Stop,
    /// Change a running one: promote, demote, reload-agent.
    Change,
    /// Judge the parameters.
    Validate,
    /// The rest: notify, reload, migration.
    Other,
}

impl Purpose {
    /// The purpose of an action.
    #[must_use]
    pub const fn of(action: Action, probe: bool) -> Self {
        match action {
            Action::Monitor if probe => Self::Probe,
            Action::Monitor | Action::Status => Self::Recurring,
            Action::Start => Self::Start,
            Action::Stop => Self::Stop,
            Action::Promote | Action::Demote | Action::ReloadAgent => Self::Change,
            Action::ValidateAll => Self::Validate,
            Action::Notify | Action::Reload | Action::MigrateTo | Action::MigrateFrom => {
                Self::Other
            }
        }
    }
}

/// How an action takes a malformed parameter: only what brings something about insists.
#[must_use]
pub const fn rigour(action: Action) -> Rigour {
    match action {
        Action::Start
        | Action::Promote
        | Action::Reload
        | Action::ReloadAgent
        | Action::MigrateFrom
        | Action::ValidateAll => Rigour::Strict,
        Action::Stop
        | Action::Monitor
        | Action::Status
        | Action::Demote
        | Action::Notify
        | Action::MigrateTo => Rigour::Lenient,
    }
}

/// Whether the parameters are judged against each other and against this host before the handler.
#[must_use]
pub const fn is_checked(action: Action) -> bool {
    matches!(action, Action::Start | Action::Promote | Action::ReloadAgent | Action::MigrateFrom)
}

/// The code of a failure.
///
/// - A probe must not fail merely because something is missing here: then nothing runs.
/// - A recurring monitor knows only 1, 7 and 9; 2, 5 and 6 would ban instead of recover.
/// - A stop knows only "failed"; it can't be 7, and nothing is gained by a ban.
#[must_use]
pub const fn code(purpose: Purpose, kind: Kind) -> Code {
    match (purpose, kind) {
        (Purpose::Probe, Kind::Args | Kind::Installed | Kind::Configured | Kind::NotRunning)
        | (Purpose::Recurring | Purpose::Change | Purpose::Other, Kind::NotRunning) => {
            Code::NotRunning
        }
        (Purpose::Probe | Purpose::Recurring | Purpose::Change, Kind::FailedPromoted) => {
            Code::FailedPromoted
        }
        (Purpose::Recurring | Purpose::Stop, _)
        | (_, Kind::Generic | Kind::NotRunning | Kind::FailedPromoted)
        | (Purpose::Probe, Kind::Unimplemented) => Code::Generic,
        (_, Kind::Permission) => Code::Permission,
        (_, Kind::Args) => Code::Args,
        (_, Kind::Unimplemented) => Code::Unimplemented,
        (_, Kind::Installed) => Code::Installed,
        (_, Kind::Configured) => Code::Configured,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table as the house wants it, written out; columns: generic, args, unimplemented,
    /// permission, installed, configured, not running, failed promoted.
    #[test]
    fn the_whole_table() {
        const KINDS: [Kind; 8] = [
            Kind::Generic,
            Kind::Args,
            Kind::Unimplemented,
            Kind::Permission,
            Kind::Installed,
            Kind::Configured,
            Kind::NotRunning,
            Kind::FailedPromoted,
        ];
        let table = [
            (Purpose::Probe, [1, 7, 1, 4, 7, 7, 7, 9]),
            (Purpose::Recurring, [1, 1, 1, 1, 1, 1, 7, 9]),
            (Purpose::Start, [1, 2, 3, 4, 5, 6, 1, 1]),
            (Purpose::Stop, [1, 1, 1, 1, 1, 1, 1, 1]),
            (Purpose::Change, [1, 2, 3, 4, 5, 6, 7, 9]),
            (Purpose::Validate, [1, 2, 3, 4, 5, 6, 1, 1]),
            (Purpose::Other, [1, 2, 3, 4, 5, 6, 7, 1]),
        ];
        for (purpose, wanted) in table {
            let got = KINDS.map(|kind| code(purpose, kind).number());
            assert_eq!(got, wanted, "{purpose:?}");
        }
    }

    #[test]
    fn what_takes_down_or_looks_is_lenient() {
        for action in [Action::Stop, Action::Monitor, Action::Demote, Action::MigrateTo] {
            assert_eq!(rigour(action), Rigour::Lenient, "{action:?}");
        }
        for action in [Action::Start, Action::Promote, Action::ValidateAll] {
            assert_eq!(rigour(action), Rigour::Strict, "{action:?}");
        }
    }
}
