// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One resource: its agent, its Engine, its parameters, and what a call of it came to.

use crate::{AGENT, Agent, Engine, Seen, images};
use ocf_tester::agent::Invocation;
use ocf_tester::profile::PACEMAKER;
use ocf_tester::scratch::Scratch;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// The time for each action, where it is not what a test is about: with less the Engine of a busy machine
/// may not answer in time, which is another test.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// A resource on an Engine; its container has the resource's name.
#[derive(Debug)]
pub struct World<'a> {
    pub engine: &'a Engine,
    pub name: String,
    scratch: Scratch,
    call: Invocation,
}

impl<'a> World<'a> {
    /// A resource with the image [`images::PLAIN`].
    #[must_use]
    pub fn of(agent: Agent, engine: &'a Engine, name: &str) -> Self {
        let scratch = Scratch::new("container").unwrap();
        for directory in ["rsctmp", "run", "sbin", "data"] {
            fs::create_dir(scratch.path().join(directory)).unwrap();
        }
        let call = Invocation::new(agent.path(AGENT), "monitor")
            .profile(&PACEMAKER, name)
            .env("HA_RSCTMP", scratch.path().join("rsctmp"))
            .env("HA_VARRUN", scratch.path().join("run"))
            .env("HA_SBIN_DIR", scratch.path().join("sbin"))
            .env("DOCKER_HOST", engine.host())
            .env("HOME", scratch.path())
            .parameter("image", images::PLAIN)
            .limit(TIMEOUT);
        Self { engine, name: name.to_owned(), scratch, call }
    }

    /// Our agent.
    #[must_use]
    pub fn ours(engine: &'a Engine, name: &str) -> Self {
        Self::of(Agent::Ours, engine, name)
    }

    /// With a parameter.
    #[must_use]
    pub fn with(mut self, parameter: &str, value: &str) -> Self {
        self.call = self.call.parameter(parameter, value);
        self
    }

    /// With parameters.
    #[must_use]
    pub fn with_all(self, parameters: &[(&str, &str)]) -> Self {
        parameters.iter().fold(self, |world, (name, value)| world.with(name, value))
    }

    /// Without an image.
    #[must_use]
    pub fn without(mut self, parameter: &str) -> Self {
        self.call = self.call.without_env(format!("OCF_RESKEY_{parameter}"));
        self
    }

    /// With another time for every action.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.call = self.call.limit(limit);
        self
    }

    /// The same resource in the hands of the other agent; what ours keeps is out of its reach.
    #[must_use]
    pub fn handed_to(&self, agent: Agent) -> Invocation {
        let mut call = self.call.clone();
        call.agent = agent.path(AGENT);
        call
    }

    /// A directory of the resource's own, for mounts.
    #[must_use]
    pub fn data(&self) -> std::path::PathBuf {
        self.scratch.path().join("data")
    }

    /// The directory in which agents keep what they know.
    #[must_use]
    pub fn records(&self) -> std::path::PathBuf {
        self.scratch.path().join("rsctmp")
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        self.scratch.path()
    }

    /// An action, not yet called. `probe` is a monitor without an interval.
    #[must_use]
    pub fn call(&self, action: &str) -> Invocation {
        match action {
            "probe" => self.call.action("monitor").parameter("CRM_meta_interval", "0"),
            "monitor" => self.call.action("monitor").parameter("CRM_meta_interval", "60000"),
            _ => self.call.action(action),
        }
    }

    /// Calls an action.
    #[must_use]
    pub fn run(&self, action: &str) -> Seen {
        run(&self.call(action))
    }

    /// Calls an action of which the code is known.
    pub fn expect(&self, action: &str, code: i32) -> Seen {
        let seen = self.run(action);
        seen.is(code);
        seen
    }

    /// Calls an action that fails, with these words in its reason.
    pub fn expect_reason(&self, action: &str, code: i32, words: &str) -> Seen {
        let seen = self.expect(action, code);
        seen.says(words);
        seen
    }

    /// The container's state, see [`Engine::status`].
    #[must_use]
    pub fn status(&self) -> String {
        self.engine.status(&self.name)
    }
}

/// Makes a call.
#[must_use]
pub fn run(call: &Invocation) -> Seen {
    Seen::of(call, call.run().unwrap())
}
