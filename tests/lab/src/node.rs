// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One container of the lab.
//!
//! A container lives no longer than the run that made it, whatever ends that run: its first
//! process reads a pipe that only the run holds open, and the Engine removes it when that
//! process ends. Even a run that is killed with SIGKILL leaves nothing to clean up. Only
//! `--keep` makes one that stays.

use crate::docker::{Docker, KEPT_LABEL, LABEL};
use crate::process::{Invocation, Output, end_group};
use crate::{Error, Result};
use std::ffi::OsStr;
use std::process::Child;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// What a container is to be.
#[derive(Debug, Clone, Default)]
pub struct Spec {
    /// Image and tag.
    pub image: String,
    /// Host name, and the last part of the container's name.
    pub hostname: String,
    /// Name of the Docker network; empty: loopback only.
    pub network: String,
    /// Capabilities beyond the Engine's usual ones, such as `SYS_NICE`.
    pub capabilities: Vec<String>,
    /// Whether it may make namespaces and mounts of its own, which the Engine's usual profiles
    /// keep it from.
    pub has_namespaces: bool,
    /// Environment of whatever runs in it: `NAME=VALUE`.
    pub environment: Vec<String>,
    /// Host files or directories mounted read-only: (on the host, in the container).
    pub mounts: Vec<(String, String)>,
    /// Names it knows beyond its own: (name, address).
    pub hosts: Vec<(String, String)>,
    /// Memory file systems: `PATH` or `PATH:OPTIONS`.
    pub tmpfs: Vec<String>,
    /// Whether it stays when the run ends.
    pub is_kept: bool,
}

/// A container that runs; removed when dropped, unless it is kept.
#[derive(Debug)]
pub struct Node {
    docker: Docker,
    name: String,
    lifeline: Option<Child>,
    is_kept: bool,
    is_removed: bool,
}

impl Node {
    /// Creates and starts a container.
    ///
    /// # Errors
    /// The Engine refuses it, or a signal came.
    pub fn start(docker: &Docker, spec: &Spec) -> Result<Self> {
        let name = unique_name(&spec.hostname);
        let create = docker.invocation(create_arguments(spec, &name));
        let mut node = Self {
            docker: docker.clone(),
            name,
            lifeline: None,
            is_kept: spec.is_kept,
            is_removed: false,
        };
        // A request that is cut off may still be carried out, behind the removal's back.
        let started = docker
            .runner
            .run_ok(&create.uninterruptible())
            .and_then(|_| node.run_first_process())
            .map_err(|error| error.during(format_args!("starting container {}", node.name)));
        if started.is_err() {
            node.is_kept = false;
        }
        started.map(|()| node)
    }

    fn run_first_process(&mut self) -> Result<()> {
        if self.is_kept {
            return self.docker.ok(["start", &self.name]).map(|_| ());
        }
        let mut lifeline = self.docker.start_attached(&self.name)?;
        let state = ["inspect", "--format", "{{.State.Running}} {{.State.Error}}", &self.name];
        let running = self.docker.runner.poll("container running", Duration::from_secs(30), || {
            let ended = matches!(lifeline.try_wait(), Ok(Some(_)));
            let state = self.docker.ok(state)?.stdout;
            match state.trim().split_once(' ').unwrap_or((state.trim(), "")) {
                ("true", _) => Ok(Some(())),
                (_, why) if ended => Err(Error::new(if why.is_empty() {
                    "its first process ended at once"
                } else {
                    why
                })),
                _ => Ok(None),
            }
        });
        self.lifeline = Some(lifeline);
        running
    }

    /// Joins this container and another one by a cable of their own (a veth pair `lab0`), each
    /// end with its address (`ADDRESS/PREFIX`).
    ///
    /// Made from outside, so neither container needs a right to its network; and there is no
    /// bridge or Docker network that a killed run could leave behind, for the cable goes with the
    /// containers.
    ///
    /// # Errors
    /// As [`crate::process::Runner::run_ok`].
    pub fn link(&self, address: &str, peer: &Self, peer_address: &str) -> Result<()> {
        let (here, there) = (self.process()?, peer.process()?);
        let add = ["link", "add", "name", "lab0", "netns", &here, "type", "veth"];
        let to = ["peer", "name", "lab0", "netns", &there];
        self.docker.runner.run_ok(&Invocation::new("ip").args(add).args(to))?;
        for (process, address) in [(here, address), (there, peer_address)] {
            let ip = || Invocation::new("nsenter").args(["--net", "--target", &process, "ip"]);
            let give = ["address", "add", address, "dev", "lab0"];
            self.docker.runner.run_ok(&ip().args(give))?;
            self.docker.runner.run_ok(&ip().args(["link", "set", "lab0", "up"]))?;
        }
        Ok(())
    }

    /// The process id, on the host, of the container's first process.
    fn process(&self) -> Result<String> {
        let pid = self.docker.ok(["inspect", "--format", "{{.State.Pid}}", &self.name])?.stdout;
        Ok(pid.trim().to_owned())
    }

    /// The container's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
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

    /// Starts a command in the container and leaves it running there.
    ///
    /// # Errors
    /// As [`crate::process::Runner::run_ok`].
    pub fn start_in_background(&self, args: &[&str]) -> Result<()> {
        let detached = self.docker.invocation(["exec", "--detach", &self.name]).args(args);
        self.docker.runner.run_ok(&detached).map(|_| ())
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

    /// Copies a host file over a file of the container, or into a directory that may not be there
    /// yet.
    ///
    /// # Errors
    /// As [`crate::process::Runner::run_ok`].
    pub fn copy_in(&self, host_path: &OsStr, path: &str) -> Result<()> {
        if let Some((directory, _)) = path.rsplit_once('/') {
            self.ok(["install", "-d", directory])?;
        }
        let target = format!("{}:{path}", self.name);
        let copy =
            self.docker.invocation(["cp", "--follow-link"]).args([host_path, target.as_ref()]);
        self.docker.runner.run_ok(&copy).map(|_| ())
    }

    /// The Engine this container runs on.
    #[must_use]
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// No longer leaves the container behind: it goes when this is dropped.
    pub fn unkeep(&mut self) {
        self.is_kept = false;
    }

    /// Removes the container now, kept or not.
    ///
    /// # Errors
    /// The Engine cannot remove it.
    pub fn remove(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        self.is_removed = true;
        let removed = self.docker.remove_container(&self.name);
        if let Some(mut lifeline) = self.lifeline.take() {
            drop(lifeline.stdin.take());
            end_group(&mut lifeline);
        }
        removed
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if self.is_kept || self.is_removed {
            return;
        }
        if let Err(error) = self.end() {
            crate::progress::complain(&error.to_string());
        }
    }
}

fn create_arguments(spec: &Spec, name: &str) -> Vec<String> {
    let network = if spec.network.is_empty() { "none" } else { &spec.network };
    let mut args: Vec<String> =
        ["create", "--init", "--label", LABEL, "--name", name, "--hostname"]
            .into_iter()
            .chain([spec.hostname.as_str(), "--network", network, "--shm-size", "256m"])
            .map(str::to_owned)
            .collect();
    for capability in &spec.capabilities {
        args.extend(["--cap-add".to_owned(), capability.clone()]);
    }
    if spec.capabilities.iter().any(|capability| capability == "SYS_ADMIN") {
        // The Engine's AppArmor profile denies mounts even to who has the capability.
        args.extend(["--security-opt", "apparmor=unconfined"].map(str::to_owned));
    }
    if spec.has_namespaces {
        // The default AppArmor and seccomp profiles refuse mounts; the kernel refuses a new /proc
        // where the Engine masks parts of the old one.
        args.extend(["--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN"].map(str::to_owned));
        for lifted in ["apparmor", "seccomp", "systempaths"] {
            args.extend(["--security-opt".to_owned(), format!("{lifted}=unconfined")]);
        }
    }
    for variable in &spec.environment {
        args.extend(["--env".to_owned(), variable.clone()]);
    }
    for (host, inside) in &spec.mounts {
        args.extend(["--volume".to_owned(), format!("{host}:{inside}:ro")]);
    }
    for (host, address) in &spec.hosts {
        args.extend(["--add-host".to_owned(), format!("{host}:{address}")]);
    }
    for tmpfs in &spec.tmpfs {
        args.extend(["--tmpfs".to_owned(), tmpfs.clone()]);
    }
    let rest: &[&str] = if spec.is_kept {
        &["--label", KEPT_LABEL, &spec.image, "sleep", "infinity"]
    } else {
        &["--interactive", "--rm", &spec.image, "cat"]
    };
    args.extend(rest.iter().map(|arg| (*arg).to_owned()));
    args
}

/// A name no other run uses at the same time, and no other container of this run.
fn unique_name(hostname: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let millis = since.map_or(0, |time| time.as_millis());
    format!("ocf-agents-lab-{millis:x}-{}-{count}-{hostname}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_that_is_not_kept_ends_with_its_run() {
        let spec = Spec { image: "i".into(), hostname: "h".into(), ..Spec::default() };
        let args = create_arguments(&spec, "n");
        assert!(args.ends_with(&["--interactive", "--rm", "i", "cat"].map(str::to_owned)));
        let kept = create_arguments(&Spec { is_kept: true, ..spec }, "n");
        assert!(!kept.contains(&"--rm".to_owned()) && kept.contains(&KEPT_LABEL.to_owned()));
        for args in [args, kept] {
            assert!(args.windows(2).any(|pair| pair == ["--label", LABEL]), "{args:?}");
        }
    }

    #[test]
    fn no_two_containers_have_one_name() {
        assert_ne!(unique_name("node1"), unique_name("node1"));
    }
}
