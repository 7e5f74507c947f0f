// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A container for one thing to be done: a test's command, or the making of an image.
//!
//! It lives no longer than the run that made it, whatever ends that run: its first process reads
//! a pipe that only the run holds open, and the Engine removes it when that process ends. Of
//! a run that is killed with SIGKILL only a container that had not been started yet is left, which
//! the next run removes. (The hosts of a cluster, which outlive their first process, are in
//! [`crate::site`].)

use crate::container::Container;
use crate::docker::{Docker, LABEL};
use crate::process::end_group;
use crate::{Error, Result, rights};
use std::ops::Deref;
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
    /// Whether it may run an Engine and containers of its own.
    pub has_engine: bool,
    /// Environment of whatever runs in it: `NAME=VALUE`.
    pub environment: Vec<String>,
    /// Host files or directories mounted read-only: (on the host, in the container).
    pub mounts: Vec<(String, String)>,
    /// Memory file systems: `PATH` or `PATH:OPTIONS`.
    pub tmpfs: Vec<String>,
}

/// A container that runs; removed when dropped.
#[derive(Debug)]
pub struct Transient {
    container: Container,
    lifeline: Option<Child>,
}

impl Deref for Transient {
    type Target = Container;

    fn deref(&self) -> &Container {
        &self.container
    }
}

impl Transient {
    /// Creates and starts a container.
    ///
    /// # Errors
    /// The Engine refuses it, or a signal came.
    pub fn start(docker: &Docker, spec: &Spec) -> Result<Self> {
        let name = unique_name(&spec.hostname);
        let rights = match spec.has_engine {
            true => rights::options(docker, &spec.image, &name, None)?,
            false => Vec::new(),
        };
        let create = docker.invocation(create_arguments(spec, &name, &rights));
        let mut started = Self { container: Container::new(docker.clone(), name), lifeline: None };
        // A request that is cut off may still be carried out, behind the removal's back.
        docker
            .runner
            .run_ok(&create.uninterruptible())
            .and_then(|_| started.run_first_process())
            .map_err(|error| error.during(format_args!("starting container {}", started.name())))?;
        Ok(started)
    }

    fn run_first_process(&mut self) -> Result<()> {
        let docker = self.docker().clone();
        let mut lifeline = docker.start_attached(self.name())?;
        let running = docker.runner.poll("container running", Duration::from_secs(30), || {
            let ended = matches!(lifeline.try_wait(), Ok(Some(_)));
            let state = self.inspect("{{.State.Running}} {{.State.Error}}")?;
            match state.split_once(' ').unwrap_or((&state, "")) {
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
}

impl Drop for Transient {
    fn drop(&mut self) {
        let removed = self.docker().remove_container(self.name());
        if let Some(mut lifeline) = self.lifeline.take() {
            drop(lifeline.stdin.take());
            end_group(&mut lifeline);
        }
        if let Err(error) = removed {
            crate::progress::complain(&error.to_string());
        }
    }
}

fn create_arguments(spec: &Spec, name: &str, rights: &[String]) -> Vec<String> {
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
        // Unlike --volume, this makes no source that isn't there.
        let bind = format!("type=bind,source={host},target={inside},readonly");
        args.extend(["--mount".to_owned(), bind]);
    }
    for tmpfs in &spec.tmpfs {
        args.extend(["--tmpfs".to_owned(), tmpfs.clone()]);
    }
    args.extend_from_slice(rights);
    if spec.has_engine {
        // An Engine's store can't be on the kind of file system that the container is on.
        args.extend(["--volume", "/var/lib/docker"].map(str::to_owned));
    }
    args.extend(["--interactive", "--rm", &spec.image, "cat"].map(str::to_owned));
    args
}

/// A name no other run uses at the same time, and no other container of this run.
#[must_use]
pub fn unique_name(hostname: &str) -> String {
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
    fn it_ends_with_its_run_and_carries_the_label() {
        let spec = Spec { image: "i".into(), hostname: "h".into(), ..Spec::default() };
        let args = create_arguments(&spec, "n", &[]);
        assert!(args.ends_with(&["--interactive", "--rm", "i", "cat"].map(str::to_owned)));
        assert!(args.windows(2).any(|pair| pair == ["--label", LABEL]), "{args:?}");
    }

    #[test]
    fn no_two_containers_have_one_name() {
        assert_ne!(unique_name("node1"), unique_name("node1"));
    }
}
