// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The Engine, asked through its command line client.
//!
//! Always the local socket and an empty client configuration: a context, a `DOCKER_HOST` or
//! proxy settings of the administrator's would send the lab elsewhere or end up in its images.

use crate::process::{Invocation, Output, Runner};
use crate::{Error, Result};
use std::ffi::OsStr;
use std::process::Child;
use std::sync::Arc;
use std::time::Duration;

/// On every image and container of the lab; what carries it may be removed.
pub const LABEL: &str = "org.ocf-agents.lab=1";

/// On a host of a cluster: the run it belongs to.
pub const RUN_LABEL: &str = "org.ocf-agents.lab.run";

/// On a host: its name in the cluster.
pub const HOST_LABEL: &str = "org.ocf-agents.lab.host";

/// On a host: what it is for.
pub const ROLE_LABEL: &str = "org.ocf-agents.lab.role";

/// On a host: its address on the lab's network, `ADDRESS/PREFIX`.
pub const ADDRESS_LABEL: &str = "org.ocf-agents.lab.address";

/// On a container that was to stay (`lab demo --keep`), beside [`LABEL`].
pub const KEPT_LABEL: &str = "org.ocf-agents.lab.kept=1";

/// The lab's directory for what lives as long as the machine is up.
pub const RUN_DIR: &str = "/run/ocf-agents-lab";

const SOCKET: &str = "unix:///var/run/docker.sock";
const CLIENT_CONFIG: &str = "/run/ocf-agents-lab/client";

/// The local Engine.
#[derive(Debug, Clone)]
pub struct Docker {
    /// The door to other programs.
    pub runner: Arc<Runner>,
}

impl Docker {
    /// The Engine at the usual socket, whether it answers or not.
    #[must_use]
    pub fn new(runner: Arc<Runner>) -> Self {
        Self { runner }
    }

    /// A run of the client with these arguments, not yet started.
    pub fn invocation<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Invocation {
        Invocation::new("docker")
            .args(["--host", SOCKET, "--config", CLIENT_CONFIG])
            .named_by_what_follows()
            .args(args)
    }

    /// Runs the client and expects code 0.
    ///
    /// # Errors
    /// As [`Runner::run_ok`].
    pub fn ok<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Result<Output> {
        self.runner.run_ok(&self.invocation(args))
    }

    /// Whether an Engine answers at the socket, or what the client says instead.
    ///
    /// # Errors
    /// A signal came, or there is no client.
    pub fn answers(&self) -> Result<std::result::Result<(), String>> {
        let ask = self.invocation(["version", "--format", "{{.Server.Version}}"]);
        let output = self.runner.run(&ask.limit(Duration::from_secs(10)))?;
        Ok(if output.code == 0 { Ok(()) } else { Err(output.complaint().to_owned()) })
    }

    /// Whether an image of this name and tag is here.
    ///
    /// # Errors
    /// A signal came, or there is no client.
    pub fn has_image(&self, tag: &str) -> Result<bool> {
        let ask = self.invocation(["image", "inspect", "--format", "{{.Id}}", tag]);
        Ok(self.runner.run(&ask)?.code == 0)
    }

    /// Whether any container of anybody's is running.
    ///
    /// # Errors
    /// As [`Self::ok`].
    pub fn has_running_containers(&self) -> Result<bool> {
        let list = self.invocation(["ps", "--quiet"]).uninterruptible();
        Ok(!self.runner.run_ok(&list)?.stdout.trim().is_empty())
    }

    /// The ids or names the client lists, one a line, for what carries `label`. Goes on although a
    /// signal came: who cleans up has to know what there is.
    ///
    /// # Errors
    /// As [`Self::ok`].
    pub fn list(&self, command: &[&str], label: &str) -> Result<Vec<String>> {
        let filter = format!("label={label}");
        let list = self.invocation(command).args(["--filter", &filter]).uninterruptible();
        Ok(self.runner.run_ok(&list)?.stdout.lines().map(str::to_owned).collect())
    }

    /// Removes a container, running or not; one that is gone already is no error. Goes on to its
    /// end although a signal came.
    ///
    /// # Errors
    /// The Engine cannot remove it.
    pub fn remove_container(&self, name: &str) -> Result<()> {
        let remove = self.invocation(["rm", "--force", "--volumes", name]).uninterruptible();
        let output = self.runner.run(&remove)?;
        // The Engine's own removal (--rm) may have been first, or be on its way.
        let gone = ["No such container", "is already in progress"];
        if output.code == 0 || gone.iter().any(|text| output.stderr.contains(text)) {
            return Ok(());
        }
        let why = output.complaint();
        Err(Error::new(format!("cannot remove container {name}: {why}; try 'docker rm -f {name}'")))
    }

    /// Starts a created container and holds on to its standard input.
    ///
    /// # Errors
    /// The client cannot be started.
    pub fn start_attached(&self, name: &str) -> Result<Child> {
        self.runner.spawn_attached(&self.invocation(["start", "--attach", "--interactive", name]))
    }
}
