// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Hosts on a network of their own, with a fence device.
//!
//! Nothing of it is the machine's that the lab runs on: hosts are containers, the network is
//! cables between them, and both go with the run, see [`crate::attendant`].

use crate::attendant::{KEEP, LOG, SOCKET, directory};
use crate::container::Container;
use crate::docker::{ADDRESS_LABEL, Docker, HOST_LABEL, KEPT_LABEL, LABEL, ROLE_LABEL, RUN_LABEL};
use crate::fence::SOCKET_ON_NODE;
use crate::power::{self, Role};
use crate::process::Invocation;
use crate::transient::unique_name;
use crate::{Error, Lab, Result, attendant, rights};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use std::io::Write;
use std::ops::Deref;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::Child;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the hosts' removal may take.
const LIMIT: Duration = Duration::from_secs(120);

/// Where a host is to be.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its name on the network and in the cluster.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Its address on the network, which is a /24 of the documentation's addresses (RFC 5737).
    pub address: &'static str,
    /// Image and tag.
    pub image: String,
    /// Directories that it is lent, read-only: on this machine, and there.
    pub lent: Vec<(String, String)>,
}

/// A host: a container with a name, an address and a power switch.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its name on the network and in the cluster.
    pub name: String,
    /// What it is for.
    pub role: Role,
    container: Container,
}

impl Deref for Host {
    type Target = Container;

    fn deref(&self) -> &Container {
        &self.container
    }
}

/// Hosts, network and fence device; all of it goes when this is dropped, unless it is kept.
#[derive(Debug)]
pub struct Site {
    docker: Docker,
    run: String,
    hosts: Vec<Host>,
    attendant: Option<Child>,
}

impl Site {
    /// Makes the hosts, gives them power and plugs them in; nothing runs on them yet. Exactly one
    /// place is [`Role::Outside`], the first.
    ///
    /// # Errors
    /// The Engine or the kernel refuses; nothing is left then.
    pub fn open(lab: &Lab, places: &[Place], is_kept: bool) -> Result<Self> {
        let docker = lab.docker().clone();
        let run = unique_name("run");
        let attendant = attendant::start(&docker, &sibling("lab")?, &run)?;
        let mut site = Self { docker, run, hosts: Vec::new(), attendant: Some(attendant) };
        site.wait_for_device()?;
        let image = places.first().map_or("", |place| &place.image);
        let lifeline = Arc::new(site.lifeline()?);
        let rights = rights::options(&site.docker, image, &site.run, Some(&lifeline))?;
        for place in places {
            let create = site.create(place, places, &rights, is_kept)?.holding(&lifeline);
            let host = site.make(place, &create)?;
            power::on(&host)?;
            site.hosts.push(host);
        }
        // Only now: an Engine that took our hosts has our files, and so the runs we see are its own.
        attendant::sweep(&site.docker)?;
        Ok(site)
    }

    fn wait_for_device(&mut self) -> Result<()> {
        let socket = directory(&self.run).join(SOCKET);
        let attendant = &mut self.attendant;
        self.docker.runner.poll("the fence device listening", Duration::from_secs(30), || {
            if let Some(Ok(Some(status))) = attendant.as_mut().map(Child::try_wait) {
                return Err(Error::new(format!("the fence device ended with {status}")));
            }
            Ok(socket.exists().then_some(()))
        })
    }

    fn create(
        &self,
        place: &Place,
        all: &[Place],
        rights: &[String],
        is_kept: bool,
    ) -> Result<Invocation> {
        let name = format!("{}-{}", self.run, place.name);
        let mut args = ["create", "--init", "--name", &name, "--hostname", &place.name]
            .map(str::to_owned)
            .to_vec();
        let labels = [
            LABEL.to_owned(),
            format!("{RUN_LABEL}={}", self.run),
            format!("{HOST_LABEL}={}", place.name),
            format!("{ROLE_LABEL}={}", place.role.word()),
            format!("{ADDRESS_LABEL}={}", place.address),
        ];
        let kept = is_kept.then(|| KEPT_LABEL.to_owned());
        for label in labels.into_iter().chain(kept) {
            args.extend(["--label".to_owned(), label]);
        }
        for other in all {
            let address = other.address.split('/').next().unwrap_or_default();
            args.extend(["--add-host".to_owned(), format!("{}:{address}", other.name)]);
        }
        args.extend(["--network", "none", "--shm-size", "512m"].map(str::to_owned));
        args.extend(["--tmpfs", "/run"].map(str::to_owned));
        args.extend(place.lent.iter().flat_map(|(here, there)| mount(here, there)));
        args.extend_from_slice(rights);
        if place.role == Role::Member {
            // Only its debug messages tell of every monitor, and not of those alone that answer anew.
            args.extend(["--env", "PCMK_debug=pacemaker-execd"].map(str::to_owned));
            // An Engine's store can't be on the kind of file system that the host is on.
            args.extend(["--volume", "/var/lib/docker"].map(str::to_owned));
            let device = directory(&self.run).join("device");
            let inside = SOCKET_ON_NODE.trim_end_matches("/socket");
            args.extend(mount(&device.to_string_lossy(), inside));
        }
        args.extend([place.image.as_str(), "sleep", "infinity"].map(str::to_owned));
        Ok(self.docker.invocation(args).limit(Duration::from_secs(120)))
    }

    fn make(&self, place: &Place, create: &Invocation) -> Result<Host> {
        // A request that is cut off may still be carried out, behind the removal's back.
        self.docker
            .runner
            .run_ok(&create.clone().uninterruptible())
            .map_err(|error| explain(error).during(format_args!("making host {}", place.name)))?;
        let name = format!("{}-{}", self.run, place.name);
        if place.role == Role::Member {
            // Copied, not mounted: a kept host must be fenced when what built it is gone.
            let (agent, there) = (sibling("fence_lab")?, format!("{name}:/usr/sbin/fence_lab"));
            let copy = self.docker.invocation(["cp"]).args([agent.as_os_str(), there.as_ref()]);
            self.docker.runner.run_ok(&copy)?;
        }
        let container = Container::new(self.docker.clone(), name);
        Ok(Host { name: place.name.clone(), role: place.role, container })
    }

    /// The run's end of the pipe to the attendant: what holds it is waited for before the hosts are
    /// removed, so that nothing makes another one then.
    fn lifeline(&self) -> Result<OwnedFd> {
        let pipe = self.attendant.as_ref().and_then(|attendant| attendant.stdin.as_ref());
        let pipe = pipe.ok_or_else(|| Error::new("no pipe leads to the fence device"))?;
        let lifeline = pipe.as_fd().try_clone_to_owned();
        lifeline.map_err(|e| Error::new(format!("cannot share the fence device's pipe: {e}")))
    }

    /// An error once the fence device has ended: nothing is fenced any more.
    ///
    /// # Errors
    /// It has.
    pub fn require_device(&self) -> Result<()> {
        let Some(attendant) = &self.attendant else { return Ok(()) };
        // Only looked at: who waits for it at the end is to see it too.
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        let pid = Pid::from_raw(i32::try_from(attendant.id()).unwrap_or(i32::MAX));
        match waitid(Id::Pid(pid), flags) {
            Ok(WaitStatus::StillAlive) => Ok(()),
            _ => Err(Error::new(format!(
                "the lab's fence device (process {pid}) has ended, and without it nothing is \
                 fenced: run this again"
            ))),
        }
    }

    /// The name of this run, which all its hosts' names begin with.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }

    /// All hosts, the outside one first.
    #[must_use]
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The host of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn host(&self, name: &str) -> Result<&Host> {
        let host = self.hosts.iter().find(|host| host.name == name);
        host.ok_or_else(|| Error::new(format!("there is no host {name} in this lab")))
    }

    /// What the fence device did so far: seconds, action, host, who asked, outcome.
    #[must_use]
    pub fn fence_log(&self) -> Vec<String> {
        let log = std::fs::read_to_string(directory(&self.run).join(LOG)).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    /// The Engine the hosts are on.
    #[must_use]
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Leaves the hosts and the fence device as they are, and gives the process id of the device.
    ///
    /// # Errors
    /// The device is gone.
    pub fn keep(mut self) -> Result<u32> {
        let gone = |why: String| Error::new(format!("the fence device is gone: {why}"));
        let mut attendant = self.attendant.take().ok_or_else(|| gone("it has ended".into()))?;
        let pipe = attendant.stdin.as_mut().ok_or_else(|| gone("no pipe leads to it".into()))?;
        pipe.write_all(KEEP.as_bytes()).map_err(|e| gone(e.to_string()))?;
        Ok(attendant.id())
    }

    /// Removes all of it now.
    ///
    /// # Errors
    /// Something is left.
    pub fn close(mut self) -> Result<()> {
        self.end()
    }

    /// Closes the pipe to the attendant and waits for it to remove everything.
    fn end(&mut self) -> Result<()> {
        let Some(mut attendant) = self.attendant.take() else { return Ok(()) };
        drop(attendant.stdin.take());
        let start = Instant::now();
        loop {
            match attendant.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                // It was killed, so its work is ours.
                Ok(Some(_)) if attendant::remove(&self.docker, &self.run).is_ok() => return Ok(()),
                Ok(None) if start.elapsed() < LIMIT => {}
                _ => {
                    return Err(Error::new(format!(
                        "not all hosts of the lab could be removed: the next run removes them, \
                         'make clean-lab' too, and 'docker ps --all --filter \
                         label={RUN_LABEL}={}' lists them",
                        self.run
                    )));
                }
            }
            let _ = nix::poll::poll(&mut [], 20u8);
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            crate::progress::complain(&error.to_string());
        }
    }
}

/// A program that was built with the one that runs.
pub(crate) fn sibling(name: &str) -> Result<PathBuf> {
    let here = std::env::current_exe()
        .map_err(|e| Error::new(format!("this program doesn't know where it is: {e}")))?;
    let there = here.with_file_name(name);
    if there.is_file() {
        return Ok(there);
    }
    Err(Error::new(format!("{} is missing: 'make lab-tool' builds it", there.display())))
}

/// Unlike `--volume`, this refuses a source that the Engine doesn't find, and makes none.
fn mount(host: &str, inside: &str) -> [String; 2] {
    ["--mount".to_owned(), format!("type=bind,source={host},target={inside},readonly")]
}

/// An Engine that is elsewhere (a container's lab on the machine's Engine) has other files.
fn explain(error: Error) -> Error {
    match error {
        Error::Failed(sentence) if sentence.contains("bind source path does not exist") => {
            Error::new(format!(
                "the Engine doesn't see the files of this machine: run the lab where the Engine \
                 runs, not in a container beside it ({sentence})"
            ))
        }
        other => other,
    }
}
