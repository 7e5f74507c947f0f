// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What an agent says of itself. It never exits, reads the environment or prints: the runner does.

use crate::action::{Action, Kind, has};
use crate::context::Context;
use crate::error::Result;
use crate::parameter::Declared;
use crate::state::State;
use ocf_metadata::{About, ActionRow, Description, ParameterRow};

/// A resource agent: one value of it stands for one instance, with its parameters.
///
/// The runner's part around the handlers:
/// - **start** looks once (monitor at level 0); only a healthy *running* returns early. Then the
///   handler, then [`Agent::ready`] until it says yes or the deadline comes.
/// - **stop** always runs its handler, then asks [`Agent::leftovers`]: 0 only when nothing is left,
///   whatever the handler said.
/// - **promote**, **demote**, **reload-agent** run their handler, which may answer
///   [`crate::Error::not_running`].
pub trait Agent: Sized + 'static {
    /// Name, version, descriptions.
    const ABOUT: About;
    /// The table of actions; meta-data is the runner's own.
    const ACTIONS: &'static [Action<Self>];
    /// Whether the runner's tracing parameters are declared. Only an agent whose description has to
    /// stay as it is says no.
    const TRACEABLE: bool = true;
    /// The declared parameters.
    type Parameters: Declared;

    /// An instance. Nothing is judged yet: stop and monitor need an instance whatever its
    /// parameters are.
    fn new(parameters: Self::Parameters, context: &Context) -> Self;

    /// Judges the parameters against each other, looking at nothing outside.
    ///
    /// # Errors
    /// [`crate::Error::configured`], when they can work on no host.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Judges them against this host, before a start, a promote, an arriving migration, a
    /// reload-agent, and for validate-all above level 0.
    ///
    /// # Errors
    /// `args` (2), `permission` (4) or `installed` (5), when they can't work on this host.
    fn check_host(&self, _context: &Context) -> Result<()> {
        Ok(())
    }

    /// Whether a start is complete. Asked again and again after the start handler, so it has to be
    /// cheap; the default is the monitor's verdict at level 0.
    ///
    /// # Errors
    /// When it will never be: start fails at once with it.
    fn ready(&self, context: &Context) -> Result<bool> {
        monitor(self, context).map(|state| state.is_active())
    }

    /// Everything of the instance that is still there: processes, containers, addresses, rules,
    /// mounts, files; each one named. Looked for more strictly than a monitor does.
    ///
    /// # Errors
    /// When that can't be found out: the stop then fails.
    fn leftovers(&self, context: &Context) -> Result<Vec<String>>;
}

/// The verdict of the agent's monitor.
pub(crate) fn monitor<A: Agent>(agent: &A, context: &Context) -> Result<State> {
    use crate::action::Handler;
    let look = A::ACTIONS.iter().find_map(|action| match (action.kind, &action.handler) {
        (Kind::Monitor, Handler::Look(look)) => Some(look),
        _ => None,
    });
    look.map_or_else(
        || Err(crate::Error::unimplemented("this agent has no monitor")),
        |look| look(agent, context),
    )
}

/// Whether the three actions without which nothing works are there. Checked at compile time.
#[must_use]
pub const fn is_complete<A: Agent>() -> bool {
    has(A::ACTIONS, Kind::Start) && has(A::ACTIONS, Kind::Stop) && has(A::ACTIONS, Kind::Monitor)
}

const META_DATA: ActionRow =
    ActionRow { name: "meta-data", timeout: 5, interval: None, depth: None, role: None };

/// The agent's description.
#[must_use]
pub fn describe<A: Agent>() -> Description {
    let mut parameters: Vec<ParameterRow> = <A::Parameters as Declared>::ROWS.to_vec();
    if A::TRACEABLE {
        parameters.extend_from_slice(crate::trace::ROWS);
    }
    let mut actions: Vec<ActionRow> = A::ACTIONS.iter().map(|action| action.row).collect();
    actions.push(META_DATA);
    Description { about: A::ABOUT, parameters, actions }
}

/// Makes the binary of an agent. A missing start, stop or monitor doesn't compile:
///
/// ```compile_fail,E0080
/// # use ocf::*;
/// # ocf::parameters! { /** p */ struct Nothing { /** x */ x: String => default("") } }
/// # impl Nothing { fn change(&self, _: &Context) -> Result<()> { Ok(()) } }
/// impl Agent for Nothing {
///     const ACTIONS: &'static [Action<Self>] = &[Action::start(20, Self::change)];
/// #   const ABOUT: About = About { name: "N", version: "1", short: "", long: "" };
/// #   type Parameters = Self;
/// #   fn new(parameters: Self, _: &Context) -> Self { parameters }
/// #   fn leftovers(&self, _: &Context) -> Result<Vec<String>> { Ok(vec![]) }
/// }
/// ocf::agent_main!(Nothing);
/// ```
#[macro_export]
macro_rules! agent_main {
    ($agent:ty) => {
        const _: () = assert!(
            $crate::agent::is_complete::<$agent>(),
            "an agent needs the actions start, stop and monitor"
        );

        fn main() -> ! {
            $crate::runner::main::<$agent>()
        }
    };
}
