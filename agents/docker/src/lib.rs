// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:heartbeat:docker`: one container of a Docker Engine, by way of the Engine's API.

pub mod cli;
mod configuration;
mod container;
mod daemons;
mod engine;
mod evidence;
mod exec;
mod guest;
mod image;
mod in_flight;
mod monitor;
mod name;
pub mod options;
mod plan;
mod preflight;
mod processes;
mod record;
mod reload;
mod site;
mod start;
mod stop;

use engine::Failure;
use ocf::{About, Action, Agent, Context, Error, Result, State, tracing};
use plan::Plan;
use site::Site;
use std::cell::RefCell;
use stop::Manner;

ocf::parameters! {
    /// One container.
    #[derive(Debug)]
    pub struct Parameters {
        /// Image
        ///
        /// The image that the container is made of: a reference with a tag or a digest, or an ID.
        image: Option<String> => required(),
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
        /// Limits that can be changed at any time
        ///
        /// Those options of docker run that the Engine can change while the container runs (limits of
        /// memory, processors and processes, the restart policy), as in run_opts and behind them. A change
        /// takes effect at once, without a restart.
        live_opts: String => default("").reloadable(),
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
    name: String,
    /// Why a clone can't have that name.
    ambiguity: Option<Error>,
    /// What a stop came to: why it failed, and why the Engine didn't answer. It needn't be asked in
    /// vain once more, and what may yet come back shows nowhere.
    stopped: RefCell<(Option<Error>, Option<Failure>)>,
}

impl Docker {
    fn plan(&self) -> Result<Plan<'_>> {
        Plan::new(&self.name, &self.parameters)
    }

    fn start(&self, context: &Context) -> Result<()> {
        let site = Site::new(context, &self.name)?;
        start::start(&site, &self.parameters, &self.plan()?)
    }

    fn reload_agent(&self, context: &Context) -> Result<()> {
        reload::reload(&Site::new(context, &self.name)?, &self.plan()?)
    }

    fn stop(&self, context: &Context) -> Result<()> {
        if name::check(&self.name).is_err() {
            return Ok(());
        }
        let site = Site::new(context, &self.name)?;
        let (result, failure) = stop::stop(&site, Manner::of(&self.parameters));
        self.stopped.replace((result.as_ref().err().cloned(), failure));
        result
    }

    fn monitor(&self, context: &Context) -> Result<State> {
        if let Err(error) = name::check(&self.name) {
            return Ok(State::stopped(error.reason));
        }
        monitor::monitor(&Site::new(context, &self.name)?, &self.parameters)
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
        Action::reload_agent(30, Self::reload_agent),
        Action::validate_all(30),
    ];
    type Parameters = Parameters;

    fn new(parameters: Parameters, context: &Context) -> Self {
        let name = name::of(&parameters, context);
        let ambiguity = name::check_clone(&parameters, context).err();
        Self { parameters, name, ambiguity, stopped: RefCell::default() }
    }

    fn check(&self) -> Result<()> {
        self.ambiguity.clone().map_or(Ok(()), Err)?;
        name::check(&self.name)?;
        self.plan()?.check()
    }

    /// Start looks at the host itself, when it knows whether anything is to be made.
    fn check_host(&self, context: &Context) -> Result<()> {
        if context.action != "validate-all" {
            return Ok(());
        }
        let plan = self.plan()?;
        plan.settle(context, None)?;
        plan.check_mount_points()?;
        let site = Site::new(context, &self.name)?;
        let engine = site.engine();
        match engine.negotiate(&context.deadline) {
            Ok(()) => {
                let launch = plan.settle(context, Some(engine))?;
                plan.check_image(context, engine, &launch)
            }
            // A start will find out; what may be pulled needn't be here.
            Err(failure) if self.parameters.allow_pull => {
                tracing::warn!("{}", failure.of_engine(&site.endpoint));
                Ok(())
            }
            Err(failure) => Err(start::unusable(&site, "look for the image", &failure)),
        }
    }

    /// Start has waited already.
    fn ready(&self, _: &Context) -> Result<bool> {
        Ok(true)
    }

    fn leftovers(&self, context: &Context) -> Result<Vec<String>> {
        if name::check(&self.name).is_err() {
            return Ok(Vec::new());
        }
        let (error, failure) = self.stopped.take();
        if let Some(error) = error {
            return Err(error);
        }
        let site = Site::new(context, &self.name)?;
        stop::leftovers(&site, Manner::of(&self.parameters), failure.as_ref())
    }
}
