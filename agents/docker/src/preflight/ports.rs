// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Ports of this host that the container's are to be published on.

use crate::engine::Engine;
use bollard::Docker;
use bollard::models::{ContainerSummary, HostConfig, PortBinding, PortSummary};
use bollard::query_parameters::ListContainersOptions;
use ocf::deadline::Deadline;
use ocf::{Error, Result, tracing};
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

/// The option of a network that says where ports without an address are published.
const BINDING: &str = "com.docker.network.bridge.host_binding_ipv4";

/// A port of the host that is to be published on. Ranges are not looked at: the Engine chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Port {
    /// None is all of the host's.
    address: Option<IpAddr>,
    number: u16,
    protocol: Protocol,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Tcp,
    Udp,
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => write!(f, "{}", SocketAddr::new(address, self.number))?,
            None => write!(f, "{}", self.number)?,
        }
        match self.protocol {
            Protocol::Tcp => Ok(()),
            Protocol::Udp => f.write_str("/udp"),
        }
    }
}

/// Whether the ports are free, asked as the Engine's own proxy does: by binding them.
pub(super) fn check(
    engine: &Engine,
    host: &HostConfig,
    own_name: &str,
    deadline: &Deadline,
) -> Result<()> {
    let mode = host.network_mode.as_deref().unwrap_or_default();
    if matches!(mode, "host" | "none") || mode.starts_with("container:") {
        return Ok(());
    }
    for port in wanted(host) {
        let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let Err(error) = bind(&port, port.address.unwrap_or(any)) else { continue };
        if is_meant(engine, mode, &port, deadline) {
            return Err(explain(engine, &port, &error, own_name, deadline));
        }
    }
    Ok(())
}

fn wanted(host: &HostConfig) -> Vec<Port> {
    let bindings = host.port_bindings.iter().flatten();
    let mut ports: Vec<Port> = bindings
        .flat_map(|(inside, outside)| {
            let protocol = inside.split_once('/').map_or("tcp", |(_, protocol)| protocol);
            let outside = outside.iter().flatten();
            outside.filter_map(move |binding| parse(binding, protocol))
        })
        .collect();
    ports.sort_by_key(|port| (port.number, port.address));
    ports
}

fn parse(binding: &PortBinding, protocol: &str) -> Option<Port> {
    let protocol = match protocol.to_ascii_lowercase().as_str() {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => return None,
    };
    let number = binding.host_port.as_deref()?.parse().ok().filter(|number| *number != 0)?;
    let address = match binding.host_ip.as_deref().unwrap_or_default() {
        "" => None,
        address => Some(address.trim_matches(['[', ']']).parse().ok()?),
    };
    Some(Port { address, number, protocol })
}

/// Binds it and lets it go. What isn't about the port or the address is no answer.
fn bind(port: &Port, address: IpAddr) -> io::Result<()> {
    let address = SocketAddr::new(address, port.number);
    let bound = match port.protocol {
        Protocol::Tcp => TcpListener::bind(address).map(drop),
        Protocol::Udp => UdpSocket::bind(address).map(drop),
    };
    bound.or_else(|error| match error.kind() {
        ErrorKind::AddrInUse | ErrorKind::AddrNotAvailable => Err(error),
        _ => {
            tracing::debug!("port {port} can't be tried: {error}");
            Ok(())
        }
    })
}

/// Whether the Engine would bind that at all: networks of some drivers publish nothing, and one may
/// have an address of its own for ports without one.
fn is_meant(engine: &Engine, mode: &str, port: &Port, deadline: &Deadline) -> bool {
    let network = if matches!(mode, "" | "default") { "bridge" } else { mode };
    let question = async |docker: &Docker| docker.inspect_network(network, None).await;
    let Ok(network) = engine.ask(deadline, question) else { return false };
    if !matches!(network.driver.as_deref(), Some("bridge" | "overlay")) {
        return false;
    }
    let options = network.options.unwrap_or_default();
    let own = options.get(BINDING).and_then(|text| text.parse::<IpAddr>().ok());
    match own.filter(|own| port.address.is_none() && !own.is_unspecified()) {
        Some(own) => bind(port, own).is_err(),
        None => true,
    }
}

fn explain(
    engine: &Engine,
    port: &Port,
    error: &io::Error,
    own_name: &str,
    deadline: &Deadline,
) -> Error {
    if error.kind() == ErrorKind::AddrNotAvailable {
        return Error::generic(format!("cannot publish port {port}: no such address on this node"));
    }
    let list = async |docker: &Docker| docker.list_containers(None::<ListContainersOptions>).await;
    let containers = engine.ask(deadline, list).unwrap_or_default();
    Error::generic(match find_holder(&containers, port, own_name) {
        Some(name) => format!("cannot publish port {port}: container {name} has it"),
        None => format!("cannot publish port {port}: another program of this node listens there"),
    })
}

fn find_holder<'a>(
    containers: &'a [ContainerSummary],
    port: &Port,
    own_name: &str,
) -> Option<&'a str> {
    let names = |one: &'a ContainerSummary| {
        let name = one.names.iter().flatten().next()?;
        Some(name.trim_start_matches('/')).filter(|name| *name != own_name)
    };
    let holds =
        |one: &&ContainerSummary| one.ports.iter().flatten().any(|held| is_held(port, held));
    containers.iter().filter(holds).find_map(names)
}

fn is_held(port: &Port, held: &PortSummary) -> bool {
    let protocol = held.typ.as_ref().map(ToString::to_string).unwrap_or_default();
    let is_protocol = match port.protocol {
        Protocol::Tcp => protocol == "tcp",
        Protocol::Udp => protocol == "udp",
    };
    let address = held.ip.as_deref().and_then(|text| text.parse::<IpAddr>().ok());
    let overlaps = match (port.address, address) {
        (Some(one), Some(other)) => one == other || one.is_unspecified() || other.is_unspecified(),
        _ => true,
    };
    held.public_port == Some(port.number) && is_protocol && overlaps
}

#[cfg(test)]
mod tests;
