// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which interface an address belongs to, with which prefix and which broadcast address.
//!
//! The kernel knows: by the route that it would take to the address. Where that leads to a network of one of
//! this node's interfaces, the address belongs there. A default route doesn't name a network, and neither
//! does one through a gateway. Where no route fits, an address of the node whose network has it in it does,
//! which finds the networks that somebody keeps without a route.

mod held;
mod network;
#[cfg(test)]
mod tests;

pub(crate) use held::{find_held, find_held_but};

use crate::configuration::Broadcast;
use crate::kernel::{Assigned, Family, Kernel, Link, Refusal, contains};
use crate::wanted::Wanted;
use network::Network;
use ocf::{Error, Result};
use std::net::{IpAddr, Ipv4Addr};

/// `RT_SCOPE_UNIVERSE`, `RT_SCOPE_HOST` (linux/rtnetlink.h).
const UNIVERSE: u8 = 0;
const HOST: u8 = 254;

/// The longest name of an interface that is repeated whole, in bytes.
const LONGEST_NAME: usize = 40;

/// Where an address is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) link: Link,
    /// The length of the prefix, in bits.
    pub(crate) prefix: u8,
    pub(crate) broadcast: Option<Ipv4Addr>,
    /// The metric of the route that the kernel makes for the prefix, where the network's isn't the usual one:
    /// otherwise there would be two such routes, and the kernel would leave one behind.
    pub(crate) metric: Option<u32>,
    /// `RT_SCOPE_*`.
    pub(crate) scope: u8,
}

/// An address that is there as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) link: Link,
    /// Of an IPv4 address, only what was asked for is sure: [`Kernel::details`] has the rest.
    pub(crate) address: Assigned,
}

/// Finds out where an address is to be.
///
/// # Errors
/// `installed` (5), when this node has no such interface or network; `configured` (6), when no node can know.
pub(crate) fn find_place(kernel: &Kernel, wanted: &Wanted) -> Result<Place> {
    let named = match &wanted.nic {
        None => None,
        Some(nic) => Some(kernel.find_link(nic)?.ok_or_else(|| {
            let nic = shortened(nic);
            Error::installed(format!(
                "this node has no interface {nic}: name one of its own in nic"
            ))
        })?),
    };
    if let Some(why) = wanted.never() {
        return Err(Error::configured(why));
    }
    let network = match (&named, wanted.prefix) {
        // All that counts is known; a network of the interface tells its broadcast address.
        (Some(_), Some(_)) => Network::find_quickly(kernel, wanted, named.as_ref())?,
        _ => Network::find(kernel, wanted, named.as_ref())?,
    };
    let (link, prefix) = match (named, wanted.prefix, &network) {
        (Some(link), Some(prefix), _) => (link, prefix),
        (Some(link), None, Some(network)) => (link, network.prefix),
        (None, prefix, Some(network)) => {
            let link = kernel.find_link_by_index(network.index)?;
            let link =
                link.ok_or_else(|| Error::generic("an interface went while it was looked at"))?;
            (link, prefix.unwrap_or(network.prefix))
        }
        (link, _, None) => return Err(no_network(wanted, link.as_ref())),
    };
    let broadcast = match wanted.ip {
        IpAddr::V4(ip) => broadcast(kernel, wanted, ip, prefix, network.as_ref(), &link)?,
        IpAddr::V6(_) => None,
    };
    let scope = if wanted.ip.is_loopback() { HOST } else { UNIVERSE };
    let metric = network.filter(|network| network.prefix == prefix).and_then(|n| n.metric);
    Ok(Place { link, prefix, broadcast, metric, scope })
}

/// Takes an address from an interface, and no other; one that isn't there is no failure.
pub(crate) fn remove(kernel: &Kernel, address: &Assigned) -> Result<(), Refusal> {
    if !kernel.delete_alone(address)? {
        // A point-to-point address is only known with its other end.
        if let Some(whole) = kernel.details(address)? {
            kernel.delete_alone(&whole)?;
        }
    }
    Ok(())
}

/// A name as it fits into a sentence: an alternative one may have 127 bytes.
fn shortened(name: &str) -> String {
    match name.get(..name.floor_char_boundary(LONGEST_NAME)) {
        Some(start) if start.len() < name.len() => format!("{start}..."),
        _ => name.to_owned(),
    }
}

/// No network fits; at most 128 bytes.
fn no_network(wanted: &Wanted, link: Option<&Link>) -> Error {
    let (ip, name) = (wanted.ip, wanted.name());
    let by = if wanted.protocol.is_some() { " by the routes of proto" } else { "" };
    Error::installed(match link {
        Some(link) => {
            format!("{} has no network with {ip}{by}: add one, or set cidr_netmask", link.name)
        }
        None if wanted.prefix.is_none() => {
            format!("no network here has {ip}{by}: add one, or set nic and cidr_netmask")
        }
        None => format!("no network here has {name}{by}: add one, or set nic"),
    })
}

/// The broadcast address by the rule that is asked for; without one, that of the address by which the
/// network is known. A network of one or two hosts has none.
fn broadcast(
    kernel: &Kernel,
    wanted: &Wanted,
    ip: Ipv4Addr,
    prefix: u8,
    network: Option<&Network>,
    link: &Link,
) -> Result<Option<Ipv4Addr>> {
    let hosts = u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
    let rule = match wanted.broadcast {
        Some(Broadcast::Address(address)) => return Ok(Some(address)),
        rule => rule,
    };
    if prefix > 30 {
        return Ok(None);
    }
    match (rule, network) {
        (Some(Broadcast::Last), _) => Ok(Some(Ipv4Addr::from(u32::from(ip) | hosts))),
        (Some(_), _) => Ok(Some(Ipv4Addr::from(u32::from(ip) & !hosts))),
        (None, Some(network)) => Ok(known_broadcast(kernel, ip, network, link)?),
        (None, None) => Ok(None),
    }
}

/// The broadcast address of the network that an address is in, even where its own prefix is one host's, which
/// has none: load sharing is made of it.
pub(crate) fn broadcast_around(
    kernel: &Kernel,
    wanted: &Wanted,
    place: &Place,
) -> Result<Option<Ipv4Addr>> {
    let (IpAddr::V4(ip), None) = (wanted.ip, place.broadcast) else { return Ok(place.broadcast) };
    match Network::find_quickly(kernel, wanted, Some(&place.link))? {
        Some(network) => Ok(known_broadcast(kernel, ip, &network, &place.link)?),
        None => Ok(None),
    }
}

/// The broadcast address of a network, as an address of the interface has it.
fn known_broadcast(
    kernel: &Kernel,
    ip: Ipv4Addr,
    network: &Network,
    link: &Link,
) -> Result<Option<Ipv4Addr>, Refusal> {
    if let Some(IpAddr::V4(source)) = network.source {
        let known = kernel.broadcast_of(&link.name, source)?;
        if known.is_some() {
            return Ok(known.filter(|broadcast| !broadcast.is_unspecified()));
        }
    }
    let addresses = kernel.addresses(link.index, Family::V4)?;
    let is_of_network = |one: &&Assigned| {
        one.prefix == network.prefix
            && contains(one.ip, one.prefix, ip.into())
            && one.ip != IpAddr::V4(ip)
    };
    let base = addresses.iter().find(|one| Some(one.ip) == network.source);
    let base = base.or_else(|| addresses.iter().find(is_of_network));
    Ok(base.and_then(|base| base.broadcast))
}
