// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A container that is there, and what can be done in it.

use crate::Result;
use crate::docker::Docker;
use crate::process::{Invocation, Output};
use std::ffi::OsStr;

/// The door into a container; it neither made the container nor removes it.
#[derive(Debug, Clone)]
pub struct Container {
    docker: Docker,
    name: String,
}

impl Container {
    /// The container of this name, whether it is there or not.
    #[must_use]
    pub fn new(docker: Docker, name: String) -> Self {
        Self { docker, name }
    }

    /// Its name, unique on the Engine.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The Engine it is on.
    #[must_use]
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// The process id, on the host, of its first process; 0 while it isn't running.
    ///
    /// # Errors
    /// As [`crate::process::Runner::run_ok`].
    pub fn process(&self) -> Result<String> {
        self.inspect("{{.State.Pid}}")
    }

    /// What `docker inspect` says of it in this format.
    ///
    /// # Errors
    /// As [`crate::process::Runner::run_ok`].
    pub fn inspect(&self, format: &str) -> Result<String> {
        let ask = ["inspect", "--type", "container", "--format", format, &self.name];
        Ok(self.docker.ok(ask)?.stdout.trim().to_owned())
    }

    /// A command in the container, not yet started.
    pub fn invocation<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Invocation {
        self.docker.invocation(["exec", &self.name]).named_by_what_follows().args(args)
    }

    /// Runs a command in the container, whatever its code is.
    ///
    /// # Errors
    /// As [`crate::process::Runner::run`].
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Result<Output> {
        self.docker.runner.run(&self.invocation(args))
    }

    /// Runs a command in the container and expects code 0.
    ///
    /// # Errors
    /// As [`crate::process::Runner::run_ok`].
    pub fn ok<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Result<Output> {
        self.docker.runner.run_ok(&self.invocation(args))
    }

    /// Starts a daemon in the container and leaves it running there; what it says goes to
    /// `/var/log/<its name>.log`.
    ///
    /// # Errors
    /// As [`crate::process::Runner::run_ok`].
    pub fn start_daemon(&self, program: &str, args: &[&str]) -> Result<()> {
        let name = program.rsplit('/').next().unwrap_or(program);
        let log = format!("/var/log/{name}.log");
        let start = ["start-stop-daemon", "--start", "--background", "--output", &log];
        let start = start.into_iter().chain(["--exec", program, "--"]);
        self.ok(start.chain(args.iter().copied())).map(|_| ())
    }

    /// Writes a file in the container, with an owner and a mode as `install` takes them.
    ///
    /// # Errors
    /// As [`crate::process::Runner::run_ok`].
    pub fn write_file(
        &self,
        path: &str,
        owner: (&str, &str),
        mode: &str,
        text: &str,
    ) -> Result<()> {
        let (user, group) = owner;
        let write = self
            .docker
            .invocation(["exec", "--interactive", &self.name, "install", "-D", "-o", user])
            .args(["-g", group, "-m", mode, "/dev/stdin", path])
            .stdin(text);
        self.docker.runner.run_ok(&write).map(|_| ())
    }
}
