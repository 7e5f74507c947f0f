// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One row per action: name, timeout, interval, depth, handler. What is advertised is handled and
//! what is handled is advertised, because both come from the row.

use crate::context::Context;
use crate::error::Result;
use crate::state::State;
use ocf_metadata::{ActionRow, Role};

/// What an action does for the runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Bring the instance up.
    Start,
    /// Take it down.
    Stop,
    /// Say its state.
    Monitor,
    /// Say its state, to a person (an old name of monitor).
    Status,
    /// Lead.
    Promote,
    /// Follow.
    Demote,
    /// Hear of other instances.
    Notify,
    /// Re-read the service's own configuration.
    Reload,
    /// Make changed parameters effective.
    ReloadAgent,
    /// Leave this node alive.
    MigrateTo,
    /// Arrive from another node alive.
    MigrateFrom,
    /// Judge the parameters.
    ValidateAll,
}

type Change<A> = fn(&A, &Context) -> Result<()>;
type Look<A> = fn(&A, &Context) -> Result<State>;

/// What is behind an action.
#[derive(Debug)]
pub(crate) enum Handler<A> {
    /// It changes something, and succeeds or fails.
    Change(Change<A>),
    /// It looks, and says a state.
    Look(Look<A>),
    /// The runner itself: validate-all.
    Runner,
}

/// A row of an agent's table of actions. Times are whole seconds.
#[derive(Debug)]
pub struct Action<A> {
    pub(crate) kind: Kind,
    pub(crate) row: ActionRow,
    pub(crate) handler: Handler<A>,
}

macro_rules! changes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $kind:ident;)*) => {$(
        $(#[$doc])*
        pub const fn $name(timeout: u32, handler: Change<A>) -> Self {
            Self::row(Kind::$kind, $text, timeout, Handler::Change(handler))
        }
    )*};
}

impl<A> Action<A> {
    const fn row(kind: Kind, name: &'static str, timeout: u32, handler: Handler<A>) -> Self {
        let row = ActionRow { name, timeout, interval: None, depth: None, role: None };
        Self { kind, row, handler }
    }

    changes! {
        /// `start`: see [`crate::Agent`] for what the runner does around it.
        start = "start", Start;
        /// `stop`: judged by [`crate::Agent::leftovers`], not by its handler's word.
        stop = "stop", Stop;
        /// `promote`.
        promote = "promote", Promote;
        /// `demote`.
        demote = "demote", Demote;
        /// `notify`: Pacemaker ignores its failure.
        notify = "notify", Notify;
        /// `reload`: the service's own configuration.
        reload = "reload", Reload;
        /// `reload-agent`: parameters declared as reloadable.
        reload_agent = "reload-agent", ReloadAgent;
        /// `migrate_to`: the instance leaves this node.
        migrate_to = "migrate_to", MigrateTo;
        /// `migrate_from`: the instance arrives on this node.
        migrate_from = "migrate_from", MigrateFrom;
    }

    /// `monitor`, repeated every `interval` seconds. Several rows may differ in depth or role; the
    /// handler of the first one serves all.
    pub const fn monitor(timeout: u32, interval: u32, handler: Look<A>) -> Self {
        let mut action = Self::row(Kind::Monitor, "monitor", timeout, Handler::Look(handler));
        action.row.interval = Some(interval);
        action
    }

    /// `status`, where an old agent offered it.
    pub const fn status(timeout: u32, handler: Look<A>) -> Self {
        Self::row(Kind::Status, "status", timeout, Handler::Look(handler))
    }

    /// `validate-all`: the runner parses, then asks [`crate::Agent::check`] and, unless the check
    /// level is 0, [`crate::Agent::check_host`].
    #[must_use]
    pub const fn validate_all(timeout: u32) -> Self {
        Self::row(Kind::ValidateAll, "validate-all", timeout, Handler::Runner)
    }

    /// The same, repeated every `interval` seconds: a status that was advertised like a monitor.
    #[must_use]
    pub const fn every(mut self, interval: u32) -> Self {
        self.row.interval = Some(interval);
        self
    }

    /// The same without an interval: a monitor that nobody is advised to repeat.
    #[must_use]
    pub const fn once(mut self) -> Self {
        self.row.interval = None;
        self
    }

    /// The same at a check level. Beware: pcs copies a depth above 0 into every new cluster.
    #[must_use]
    pub const fn depth(mut self, level: u32) -> Self {
        self.row.depth = Some(level);
        self
    }

    /// The same for instances in a role.
    #[must_use]
    pub const fn role(mut self, role: Role) -> Self {
        self.row.role = Some(role);
        self
    }
}

/// Whether a table has a row of a kind; `const`, so that a missing one doesn't compile.
#[must_use]
pub const fn has<A>(actions: &[Action<A>], kind: Kind) -> bool {
    let mut rest = actions;
    while let [first, others @ ..] = rest {
        if first.kind as u8 == kind as u8 {
            return true;
        }
        rest = others;
    }
    false
}
