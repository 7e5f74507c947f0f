// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:heartbeat:docker`: one container of a Docker Engine, by way of the Engine's API.

use ocf::{About, Action, Agent, Context, Result, State};

mod container;
mod engine;

ocf::parameters! {
    /// One container.
    #[derive(Debug)]
    pub struct Parameters {
        /// Image
        ///
        /// The image that the container is made of: a reference with a tag or a digest, or an ID.
        image: String,
        /// Name of the container
        ///
        /// What the container is called. Unset, it is the name of the resource's instance.
        name: Option<String> => alias("container"),
        /// Whether a missing image is pulled
        ///
        /// Whether start pulls the image when this node doesn't have it. Without it a node that lacks the
        /// image can't start the container.
        allow_pull: bool => default("false"),
        /// Options for docker run
        ///
        /// Options of docker run, separated by blanks; quotes and backslashes mean themselves.
        run_opts: String => default(""),
        /// Command in the container
        ///
        /// The command that the container runs, and its arguments, separated by blanks. Unset, it is the
        /// image's own.
        run_cmd: String => default(""),
        /// Directories to make on the host
        ///
        /// Directories on the host, separated by commas, that start makes where they are missing, before
        /// the container is made.
        mount_points: String => default(""),
        /// Command that judges the service
        ///
        /// A command, and its arguments, that is run in the container by every monitor; the service is
        /// well when it exits with 0. Unset, a running container is enough.
        monitor_cmd: String => default(""),
        /// Whether stop kills
        ///
        /// Whether stop sends KILL at once, without asking the service to end.
        force_kill: bool => default("false"),
        /// Whether the container is kept
        ///
        /// Whether a stopped container stays and is started again, with the options that it was made with.
        /// Otherwise stop removes it and start makes a new one.
        reuse: bool => default("0"),
        /// Whether the image's own health check counts
        ///
        /// Whether a monitor fails when the container's HEALTHCHECK says that it is unhealthy.
        query_docker_health: bool => default("false"),
    }
}

/// One container.
#[derive(Debug)]
pub struct Docker {
    parameters: Parameters,
}

impl Docker {
    fn start(&self, _: &Context) -> Result<()> {
        Ok(())
    }

    fn stop(&self, _: &Context) -> Result<()> {
        Ok(())
    }

    fn monitor(&self, _: &Context) -> Result<State> {
        Ok(State::stopped(format!("no container of {}", self.parameters.image)))
    }
}

impl Agent for Docker {
    const ABOUT: About = About {
        name: "docker",
        version: "1.0",
        short: "Docker container",
        long: "Runs a container of a Docker Engine.",
    };
    const ACTIONS: &'static [Action<Self>] = &[
        Action::start(90, Self::start),
        Action::stop(90, Self::stop),
        Action::monitor(30, 30, Self::monitor).depth(0),
        Action::validate_all(30),
    ];
    type Parameters = Parameters;

    fn new(parameters: Parameters, _: &Context) -> Self {
        Self { parameters }
    }

    fn leftovers(&self, _: &Context) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}
