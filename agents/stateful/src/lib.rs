// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:pacemaker:Stateful`: a resource with roles that is nothing but a state file.
//!
//! *Running*: the state file holds `Unpromoted`. *Promoted*: it holds `Promoted`. *Stopped*: it isn't
//! there. *Failed*: it holds anything else, or a file of the same name with `.rc` behind it dictates
//! an exit code (for tests). Beside it the agent touches only its promotion score.

use ocf::error::describe;
use ocf::state_file::check_directory_of;
use ocf::{
    About, Action, Agent, Context, Error, Result, Role, State, StateFile, promotion, tracing,
};
use std::path::PathBuf;
use std::time::Duration;

const UNPROMOTED: &[u8] = b"Unpromoted\n";
const PROMOTED: &[u8] = b"Promoted\n";
/// The instance that leads stays the best one to lead.
const SCORE_UNPROMOTED: i32 = 5;
const SCORE_PROMOTED: i32 = 10;

ocf::parameters! {
    /// What the agent can be told.
    #[derive(Debug)]
    pub struct Parameters {
        /// State file
        ///
        /// The file that holds the role. Unset: Stateful-<instance>.state in /var/run, without the
        /// number of a clone's instance unless the clone is globally unique.
        state: Option<PathBuf> => unique_group("state"),
        /// File to write the environment to
        ///
        /// Every action on the resource (not validate-all) appends its environment to this file.
        envfile: Option<PathBuf> => reloadable(),
        /// Time to sleep in notify
        ///
        /// How long every notification takes, in seconds.
        notify_delay: Duration => default("0").reloadable(),
    }
}

/// One instance of the agent.
#[derive(Debug)]
pub struct Stateful {
    state: StateFile,
    /// A file that dictates what monitor answers.
    dictate: StateFile,
    envfile: Option<PathBuf>,
    notify_delay: Duration,
}

/// The role that a content stands for, `None` for any other content.
fn role(content: &[u8]) -> Option<Role> {
    match content.trim_ascii_end() {
        b"Promoted" => Some(Role::Promoted),
        b"Unpromoted" => Some(Role::Unpromoted),
        _ => None,
    }
}

/// A score that can't be written leaves the instance as well as it was, so that is only logged.
fn score(context: &Context, role: Role) {
    let points = match role {
        Role::Promoted => SCORE_PROMOTED,
        Role::Unpromoted => SCORE_UNPROMOTED,
    };
    if let Err(error) = promotion::set_score(context, points) {
        tracing::warn!("{error}");
    }
}

impl Stateful {
    fn record(&self, context: &Context) {
        let Some(path) = &self.envfile else { return };
        if let Err(error) = context.environment().append_to(path, &context.action, &[]) {
            tracing::warn!("cannot write {}: {}", path.display(), describe(&error));
        }
    }

    /// Also for an instance found promoted: a start ends in the unpromoted role.
    fn start(&self, context: &Context) -> Result<()> {
        self.state.write(UNPROMOTED)?;
        score(context, Role::Unpromoted);
        Ok(())
    }

    /// Whatever the role.
    fn stop(&self, context: &Context) -> Result<()> {
        self.record(context);
        // The file first: attributes may hang, and what counts has to be done by then.
        let removed = self.state.remove();
        if let Err(error) = promotion::delete_score(context) {
            tracing::warn!("{error}");
        }
        removed
    }

    /// A start begins with this look, which records it too.
    fn monitor(&self, context: &Context) -> Result<State> {
        self.record(context);
        // A start needs to know what is there, whatever the answer that is dictated to a monitor.
        if context.action == "monitor"
            && let Some(content) = self.dictate.read()?
        {
            let content = String::from_utf8_lossy(&content);
            let code = content.trim();
            return State::dictated(
                code,
                format!("the .rc file beside the state file says {code}"),
            );
        }
        let path = self.state.path().display();
        let Some(content) = self.state.read()? else {
            return Ok(State::stopped(format!("no state file {path}")));
        };
        let Some(role) = role(&content) else {
            return Err(Error::generic(format!("state file {path} names no role: stop and start")));
        };
        // Scores do not survive the cluster's restart: a probe puts them back, and so does a start
        // that finds the instance running. A start of a promoted one writes its new score itself.
        if context.probe || (context.action == "start" && role == Role::Unpromoted) {
            score(context, role);
        }
        Ok(match role {
            Role::Promoted => State::Promoted,
            Role::Unpromoted => State::Running,
        })
    }

    fn turn(&self, context: &Context, role: Role) -> Result<()> {
        self.record(context);
        if !self.state.exists()? {
            return Err(Error::not_running(format!("{} does not run", context.instance.name)));
        }
        self.state.write(match role {
            Role::Promoted => PROMOTED,
            Role::Unpromoted => UNPROMOTED,
        })?;
        score(context, role);
        Ok(())
    }

    fn promote(&self, context: &Context) -> Result<()> {
        self.turn(context, Role::Promoted)
    }

    fn demote(&self, context: &Context) -> Result<()> {
        self.turn(context, Role::Unpromoted)
    }

    fn notify(&self, context: &Context) -> Result<()> {
        self.record(context);
        tracing::debug!("notified: {:?}", context.notification);
        context.hang(self.notify_delay);
        Ok(())
    }

    fn reload_agent(&self, context: &Context) -> Result<()> {
        self.record(context);
        Ok(())
    }
}

impl Agent for Stateful {
    const ABOUT: About = About {
        name: "Stateful",
        version: env!("CARGO_PKG_VERSION"),
        short: "Resource with roles for testing a cluster: a file that holds the role",
        long: "Starting it writes the role Unpromoted into a file, promoting and demoting it change \
               the role, stopping it removes the file. For trying out promotable clones and as an \
               example of an agent with roles.",
    };
    const ACTIONS: &'static [Action<Self>] = &[
        Action::start(20, Self::start),
        Action::stop(20, Self::stop),
        Action::monitor(20, 10, Self::monitor).depth(0).role(Role::Promoted),
        Action::monitor(20, 11, Self::monitor).depth(0).role(Role::Unpromoted),
        Action::promote(10, Self::promote),
        Action::demote(10, Self::demote),
        Action::notify(5, Self::notify),
        Action::reload_agent(10, Self::reload_agent),
        Action::validate_all(30),
    ];
    type Parameters = Parameters;

    fn new(parameters: Parameters, context: &Context) -> Self {
        let by_default = || {
            let name = format!("Stateful-{}.state", context.file_name());
            context.directories.varrun.join(name)
        };
        let state = parameters.state.unwrap_or_else(by_default);
        let mut dictate = state.clone().into_os_string();
        dictate.push(".rc");
        Self {
            state: StateFile::at(state),
            dictate: StateFile::at(dictate.into()),
            envfile: parameters.envfile,
            notify_delay: parameters.notify_delay,
        }
    }

    fn check_host(&self, _: &Context) -> Result<()> {
        check_directory_of(self.state.path())?;
        self.envfile.as_deref().map_or(Ok(()), check_directory_of)
    }

    /// Not the monitor: a dictated answer says nothing about the start.
    fn ready(&self, _: &Context) -> Result<bool> {
        self.state.exists()
    }

    fn leftovers(&self, _: &Context) -> Result<Vec<String>> {
        let parts = self.state.find_parts()?;
        Ok(parts.iter().map(|path| path.display().to_string()).collect())
    }
}
