// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:pacemaker:Dummy`: the agent that Pacemaker's own regression tests drive. It can be told to
//! be slow, to fail, and to write down what it was called with.

use crate::resource::Resource;
use ocf::error::describe;
use ocf::state_file::check_directory_of;
use ocf::{About, Action, Agent, Context, Error, Result, Secret, State, StateFile, tracing};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

ocf::parameters! {
    /// What the agent can be told.
    #[derive(Debug)]
    pub struct Parameters {
        /// State file
        ///
        /// The file whose existence means that the resource runs. Unset: Dummy-<instance>.state in
        /// /var/run, without the number of a clone's instance unless the clone is globally unique.
        state: Option<PathBuf> => unique_group("state"),
        /// Pretended password
        ///
        /// Does nothing. For trying out how a cluster keeps secrets.
        passwd: Secret => default("").reloadable(),
        /// Value to change
        ///
        /// Does nothing. Change it to see the cluster reload the resource.
        fake: String => default("dummy").reloadable(),
        /// Time to sleep
        ///
        /// How long every look at the resource takes, in seconds; start and stop look too. Two
        /// monitors of one instance at the same time are then found out and fail.
        op_sleep: Duration => default("0").reloadable(),
        /// Node to fail on
        ///
        /// The name of a node (as uname -n gives it) on which start, migrate_from and reload-agent
        /// report a failure.
        fail_start_on: Option<String> => default("").reloadable(),
        /// File to write the environment to
        ///
        /// Every action on the resource (not validate-all) appends its environment to this file,
        /// without the password.
        envfile: Option<PathBuf> => reloadable(),
    }
}

/// One instance of the agent.
#[derive(Debug)]
pub struct Pacemaker {
    resource: Resource,
    /// There while a slow look is under way.
    busy: StateFile,
    op_sleep: Duration,
    fail_start_on: Option<String>,
    envfile: Option<PathBuf>,
}

impl Pacemaker {
    fn record(&self, context: &Context) {
        let Some(path) = &self.envfile else { return };
        if let Err(error) = context.environment().append_to(path, &context.action, &["passwd"]) {
            tracing::warn!("cannot write {}: {}", path.display(), describe(&error));
        }
    }

    /// The slow part of a look. A plain one refuses to run beside another.
    fn dawdle(&self, context: &Context, plain: bool) -> Result<()> {
        if self.op_sleep.is_zero() {
            return Ok(());
        }
        if plain && self.busy.exists()? {
            let file = self.busy.path().display();
            return Err(Error::generic(format!("another monitor is under way: {file} exists")));
        }
        self.busy.write(b"")?;
        context.hang(self.op_sleep);
        self.busy.remove()
    }

    fn fail_here(&self) -> Result<()> {
        let node = nix::unistd::gethostname().unwrap_or_default();
        match &self.fail_start_on {
            Some(name) if !name.is_empty() && node == name.as_str() => {
                Err(Error::generic(format!("told to fail on {name} by parameter fail_start_on")))
            }
            _ => Ok(()),
        }
    }

    fn start(&self, context: &Context) -> Result<()> {
        self.resource.start(context)?;
        self.fail_here()
    }

    /// Looks first, as a start does: a second arrival changes nothing.
    fn migrate_from(&self, context: &Context) -> Result<()> {
        if self.monitor(&context.at_level(0)) != Ok(State::Running) {
            self.resource.start(context)?;
        }
        self.fail_here()
    }

    fn stop(&self, context: &Context) -> Result<()> {
        self.record(context);
        let slow = self.dawdle(context, false);
        self.busy.remove()?;
        self.resource.stop(context)?;
        slow
    }

    /// Start and `migrate_from` begin with this look, which records them too.
    fn monitor(&self, context: &Context) -> Result<State> {
        self.record(context);
        self.dawdle(context, true)?;
        let state = self.resource.state(context)?;
        if !state.is_active() {
            return Ok(state);
        }
        // Levels that are there to be tested with; any other number is a plain look.
        match context.check_level {
            Some(10) => context.hang(Duration::from_secs(30)),
            Some(20) if dice_of_five()? == 1 => {
                return Err(Error::generic("check level 20 fails one time in five"));
            }
            Some(30) => return Err(Error::generic("check level 30 always fails")),
            Some(40) => return self.dictated(state),
            _ => {}
        }
        Ok(state)
    }

    /// Check level 40: the state file's content dictates the answer.
    fn dictated(&self, state: State) -> Result<State> {
        let content = self.resource.file.read()?.unwrap_or_default();
        let content = String::from_utf8_lossy(&content);
        let code = content.trim();
        if matches!(code, "" | "Promoted") {
            return Ok(state);
        }
        State::dictated(code, format!("check level 40: the state file says {code}"))
    }

    fn promote(&self, context: &Context) -> Result<()> {
        self.record(context);
        self.resource.promote(context)
    }

    fn demote(&self, context: &Context) -> Result<()> {
        self.record(context);
        self.resource.demote(context)
    }

    fn notify(&self, context: &Context) -> Result<()> {
        self.record(context);
        tracing::debug!("notified: {:?}", context.notification);
        Ok(())
    }

    fn reload(&self, context: &Context) -> Result<()> {
        self.record(context);
        tracing::info!("{} reloaded", context.instance.name);
        Ok(())
    }

    fn reload_agent(&self, context: &Context) -> Result<()> {
        self.record(context);
        self.resource.must_run(context)?;
        tracing::info!("{} took its new parameters", context.instance.name);
        self.fail_here()
    }
}

fn dice_of_five() -> Result<u8> {
    let mut byte = [0];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut byte));
    read.map_err(|error| Error::generic(format!("/dev/urandom: {}", describe(&error))))?;
    Ok(byte[0] % 5)
}

impl Agent for Pacemaker {
    const ABOUT: About = About {
        name: "Dummy",
        version: env!("CARGO_PKG_VERSION"),
        short: "Resource for testing a cluster: a file, and failures on demand",
        long: "Starting it creates a file, stopping it removes the file, and monitoring it looks \
               whether the file is there. Parameters and check levels make it slow or make it \
               fail, so that a cluster's reaction can be tried out. It can be promoted and \
               migrated, which changes nothing but the file.",
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
            let name = format!("Dummy-{}.state", context.file_name());
            context.directories.varrun.join(name)
        };
        let state = parameters.state.unwrap_or_else(by_default);
        let mut busy = state.clone().into_os_string();
        busy.push(".serialized");
        Self {
            resource: Resource::at(state),
            busy: StateFile::at(busy.into()),
            op_sleep: parameters.op_sleep,
            fail_start_on: parameters.fail_start_on,
            envfile: parameters.envfile,
        }
    }

    fn check_host(&self, _: &Context) -> Result<()> {
        self.resource.check_host()?;
        self.envfile.as_deref().map_or(Ok(()), check_directory_of)
    }

    /// Not the monitor: that would be slow a second time.
    fn ready(&self, _: &Context) -> Result<bool> {
        self.resource.file.exists()
    }

    fn leftovers(&self, _: &Context) -> Result<Vec<String>> {
        let mut left = self.resource.leftovers()?;
        left.extend(self.busy.find_parts()?.iter().map(|path| path.display().to_string()));
        Ok(left)
    }
}
