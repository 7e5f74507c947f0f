// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:heartbeat:Dummy`.

use crate::resource::Resource;
use ocf::{About, Action, Agent, Context, Result, State, tracing};
use std::path::PathBuf;

ocf::parameters! {
    /// What the agent can be told.
    #[derive(Debug)]
    pub struct Parameters {
        /// State file
        ///
        /// The file whose existence means that the resource runs. Unset: Dummy-<instance>.state in
        /// the directory for agents' state, usually /run/resource-agents.
        state: Option<PathBuf> => unique_group("state"),
        /// Value to change
        ///
        /// Does nothing. Change it to see the cluster reload the resource.
        fake: String => default("dummy").reloadable(),
    }
}

/// One instance of the agent.
#[derive(Debug)]
pub struct Heartbeat {
    resource: Resource,
}

impl Heartbeat {
    fn start(&self, context: &Context) -> Result<()> {
        self.resource.start(context)
    }

    fn stop(&self, context: &Context) -> Result<()> {
        self.resource.stop(context)
    }

    fn monitor(&self, context: &Context) -> Result<State> {
        self.resource.state(context)
    }

    /// Looks first, as a start does: a second arrival changes nothing.
    fn migrate_from(&self, context: &Context) -> Result<()> {
        match self.resource.state(context)? {
            State::Running => Ok(()),
            _ => self.resource.start(context),
        }
    }

    fn promote(&self, context: &Context) -> Result<()> {
        self.resource.promote(context)
    }

    fn demote(&self, context: &Context) -> Result<()> {
        self.resource.demote(context)
    }

    fn notify(&self, context: &Context) -> Result<()> {
        tracing::debug!("notified: {:?}", context.notification);
        Ok(())
    }

    fn reload(&self, context: &Context) -> Result<()> {
        tracing::info!("{} reloaded", context.instance.name);
        Ok(())
    }

    fn reload_agent(&self, context: &Context) -> Result<()> {
        self.resource.must_run(context)?;
        tracing::info!("{} took its new parameters", context.instance.name);
        Ok(())
    }
}

impl Agent for Heartbeat {
    const ABOUT: About = About {
        name: "Dummy",
        version: env!("CARGO_PKG_VERSION"),
        short: "Resource that does nothing but remember that it was started",
        long: "Starting it creates a file, stopping it removes the file, and monitoring it looks \
               whether the file is there. For trying out a cluster and as an example of an agent. \
               It can be promoted and migrated, which changes nothing but the file.",
    };
    const ACTIONS: &'static [Action<Self>] = &[
        Action::start(20, Self::start),
        Action::stop(20, Self::stop),
        Action::monitor(20, 10, Self::monitor).depth(0),
        Action::reload(20, Self::reload),
        Action::reload_agent(20, Self::reload_agent),
        Action::migrate_to(20, Self::stop),
        Action::migrate_from(20, Self::migrate_from),
        Action::promote(20, Self::promote),
        Action::demote(20, Self::demote),
        Action::notify(20, Self::notify),
        Action::validate_all(20),
    ];
    type Parameters = Parameters;

    fn new(parameters: Parameters, context: &Context) -> Self {
        let by_default = || {
            let name = format!("Dummy-{}.state", context.instance.name);
            context.directories.rsctmp.join(name)
        };
        Self { resource: Resource::at(parameters.state.unwrap_or_else(by_default)) }
    }

    fn check_host(&self, _: &Context) -> Result<()> {
        self.resource.check_host()
    }

    /// Not the monitor: that would write the promotion score a second time.
    fn ready(&self, _: &Context) -> Result<bool> {
        self.resource.file.exists()
    }

    fn leftovers(&self, _: &Context) -> Result<Vec<String>> {
        self.resource.leftovers()
    }
}
