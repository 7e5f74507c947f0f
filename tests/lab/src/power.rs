// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The power switch and the cable of a host of the lab's.
//!
//! A host is a container that can be cut off at any instant and started again: its disk (the
//! container's own layer and the Engine's volume) stays, `/run` and the network don't. What is to
//! be known of it stands in the container's labels, so that whoever has the right to the Engine
//! can switch it: the run that made it, and the fence device that outlives that run.

use crate::container::Container;
use crate::docker::{ADDRESS_LABEL, HOST_LABEL, ROLE_LABEL, RUN_LABEL};
use crate::process::Invocation;
use crate::{Error, Result};
use std::time::Duration;

/// The interface a host is on the network with.
pub const INTERFACE: &str = "eth0";

/// The switch all hosts are plugged into: a bridge in the third host's network namespace, so it
/// goes with that container, and the machine the lab runs on has none of it.
const SWITCH: &str = "switch0";

/// What a host is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Asks the cluster from outside; the network's switch is in it.
    Outside,
    /// Is a node: corosync, Pacemaker, an Engine of its own.
    Member,
    /// Is a Pacemaker Remote host.
    Remote,
}

impl Role {
    /// As it stands in the label.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Outside => "outside",
            Self::Member => "member",
            Self::Remote => "remote",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Outside, Self::Member, Self::Remote].into_iter().find(|role| role.word() == word)
    }
}

/// Cuts the power: every process of the host is gone when this returns.
///
/// # Errors
/// The Engine fails.
pub fn off(host: &Container) -> Result<()> {
    let docker = host.docker();
    // One that is down already is what is wanted, so the client's code says nothing.
    docker.runner.run(&docker.invocation(["kill", host.name()]).uninterruptible())?;
    docker
        .runner
        .poll("the host being off", Duration::from_secs(30), || Ok((!is_on(host)?).then_some(())))
}

/// Whether the host has power.
///
/// # Errors
/// The Engine does not know it.
pub fn is_on(host: &Container) -> Result<bool> {
    Ok(host.inspect("{{.State.Running}}")? == "true")
}

/// Gives the host power and plugs it in; one that is on stays as it is.
///
/// # Errors
/// The Engine or the kernel refuses.
pub fn on(host: &Container) -> Result<()> {
    if is_on(host)? {
        return Ok(());
    }
    host.docker().ok(["start", host.name()])?;
    plug(host)
}

/// Starts what a host of its role starts at boot; what it starts comes up behind this.
///
/// # Errors
/// Something cannot be started.
pub fn boot(host: &Container) -> Result<()> {
    // What the packages want in an empty /run; it complains of what a container hasn't got.
    host.run(["systemd-tmpfiles", "--create", "--prefix=/run", "--prefix=/var/run"])?;
    match role(host)? {
        Role::Outside => Ok(()),
        Role::Remote => host.start_daemon("/usr/sbin/pacemaker-remoted", &[]),
        Role::Member => {
            const ENGINE: &str = "/usr/sbin/dockerd";
            if host.run(["test", "-x", ENGINE])?.code == 0 {
                // Below the host's own control group, so that it goes with the host.
                let parent = format!("--cgroup-parent=/docker/{}", host.inspect("{{.Id}}")?);
                host.start_daemon(ENGINE, &[&parent])?;
            }
            host.start_daemon("/usr/sbin/corosync", &["-f"])?;
            host.docker().runner.poll("corosync being up", Duration::from_secs(60), || {
                Ok((host.run(["corosync-cfgtool", "-s"])?.code == 0).then_some(()))
            })?;
            host.start_daemon("/usr/sbin/pacemakerd", &["-f"])
        }
    }
}

/// Takes the host's cable out of the switch, or puts it back: everything on it goes on, alone.
///
/// # Errors
/// The kernel refuses.
pub fn connect(host: &Container, is_connected: bool) -> Result<()> {
    let state = if is_connected { "up" } else { "down" };
    let port = port(&label(host, HOST_LABEL)?);
    in_network_of(&switch_of(host)?, &["link", "set", &port, state])
}

/// Every host of a run, the outside one too, whether it is on or not.
///
/// # Errors
/// The Engine does not answer.
pub fn hosts(docker: &crate::docker::Docker, run: &str) -> Result<Vec<Container>> {
    let list = ["ps", "--all", "--format", "{{.Names}}"];
    let names = docker.list(&list, &format!("{RUN_LABEL}={run}"))?;
    Ok(names.into_iter().map(|name| Container::new(docker.clone(), name)).collect())
}

/// The host of a run by the name it has in the cluster.
///
/// # Errors
/// There is none.
pub fn host_named(docker: &crate::docker::Docker, run: &str, name: &str) -> Result<Container> {
    for host in hosts(docker, run)? {
        if label(&host, HOST_LABEL)? == name {
            return Ok(host);
        }
    }
    Err(Error::new(format!("there is no host {name} in this lab")))
}

fn plug(host: &Container) -> Result<()> {
    let address = label(host, ADDRESS_LABEL)?;
    if role(host)? == Role::Outside {
        in_network_of(host, &["link", "add", SWITCH, "type", "bridge"])?;
        in_network_of(host, &["address", "add", &address, "dev", SWITCH])?;
        return in_network_of(host, &["link", "set", SWITCH, "up"]);
    }
    let switch = switch_of(host)?;
    let (here, there) = (host.process()?, switch.process()?);
    let port = port(&label(host, HOST_LABEL)?);
    // The kernel removes the old one behind the back of whoever cut the power.
    let _ = in_network_of(&switch, &["link", "delete", &port]);
    let mac = mac(&address)?;
    let add = ["link", "add", "name", INTERFACE, "address", &mac, "netns", &here, "type", "veth"];
    let peer = ["peer", "name", &port, "netns", &there];
    host.docker().runner.run_ok(&Invocation::new("ip").args(add).args(peer))?;
    in_network_of(host, &["address", "add", &address, "dev", INTERFACE])?;
    in_network_of(host, &["link", "set", INTERFACE, "up"])?;
    in_network_of(&switch, &["link", "set", &port, "master", SWITCH, "up"])
}

/// Runs `ip` of the machine the lab is on in the host's network: the host itself may be frozen.
fn in_network_of(host: &Container, args: &[&str]) -> Result<()> {
    let process = host.process()?;
    let enter = ["--net", "--target", &process, "ip"];
    let ip = Invocation::new("nsenter").args(enter).named_by_what_follows().args(args);
    host.docker().runner.run_ok(&ip).map(|_| ())
}

fn switch_of(host: &Container) -> Result<Container> {
    let run = label(host, RUN_LABEL)?;
    for other in hosts(host.docker(), &run)? {
        if role(&other)? == Role::Outside {
            return Ok(other);
        }
    }
    Err(Error::new(format!("{} has no switch to be plugged into", host.name())))
}

fn role(host: &Container) -> Result<Role> {
    let word = label(host, ROLE_LABEL)?;
    Role::parse(&word).ok_or_else(|| Error::new(format!("{} has the role '{word}'", host.name())))
}

fn label(host: &Container, name: &str) -> Result<String> {
    host.inspect(&format!("{{{{index .Config.Labels \"{name}\"}}}}"))
}

/// The switch's end of a host's cable; the kernel allows 15 bytes.
fn port(host: &str) -> String {
    format!("to-{host}").chars().take(15).collect()
}

/// A network card keeps its address through a power cut, and neighbours remember it.
fn mac(address: &str) -> Result<String> {
    let octets: Vec<u8> = address
        .split(['.', '/'])
        .take(4)
        .map(str::parse)
        .collect::<std::result::Result<_, _>>()
        .map_err(|_| Error::new(format!("'{address}' is not an IPv4 address")))?;
    let octets: Vec<_> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    Ok(format!("02:00:{}", octets.join(":")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_card_has_one_address_for_ever() {
        assert_eq!(mac("192.0.2.11/24"), Ok("02:00:c0:00:02:0b".into()));
        assert!(mac("fe80::1/64").is_err());
    }

    #[test]
    fn a_port_has_a_name_the_kernel_takes() {
        assert_eq!(port("node1"), "to-node1");
        assert!(port("a-very-long-name-of-a-host").len() <= 15);
    }
}
