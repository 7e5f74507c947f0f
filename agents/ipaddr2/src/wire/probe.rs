// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Who has an address: asked on the wire, before it is taken and while it is held.
//!
//! Before it is taken, three questions as RFC 5227, 2.1.1 has them, but faster: the RFC's own pace takes
//! up to seven seconds, the shell agent's check two. A start gets no random delay either: there the RFC
//! thinks of a whole building whose power comes back. As in the RFC, whoever says that the address is
//! theirs has it, asked or not, and whoever is asking for it at the same moment is about to take it.
//!
//! Only a network that was there to be asked has answered: without a link nobody is *free*.

use super::find_obstacle;
use super::frame::{self, Frame};
use super::socket::{Heard, Packets};
use crate::kernel::{Family, Kernel, Link, Mac};
use nix::errno::Errno;
use nix::libc;
use ocf::Error;
use ocf::deadline::Deadline;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// `IFA_F_DADFAILED` and `IFA_F_TENTATIVE` (linux/if_addr.h): addresses that aren't to be used.
const UNUSABLE: u32 = libc::IFA_F_DADFAILED | libc::IFA_F_TENTATIVE;

/// What the network says of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Nobody said that it is theirs.
    Nobody,
    /// The host with this hardware address has it, or is about to take it.
    Other(Vec<u8>),
    /// Nobody could be asked; the words say why, and name the interface.
    Unknown(String),
}

/// How it is asked.
struct Manner {
    questions: u32,
    /// The time from one question to the next, and from the last one to the end.
    apart: Duration,
    /// Whether this node has the address: then somebody who asks for it gets the kernel's answer and
    /// takes another one, and is no owner.
    is_held: bool,
}

/// What to say of another owner.
pub(crate) fn taken(ip: IpAddr, mac: &[u8]) -> Error {
    Error::generic(format!("{ip} is used by another host: {} answers for it", Mac(mac)))
}

/// Asks who has an address that this node doesn't have yet; takes 2.1 s where nobody does.
pub(crate) fn find_owner(kernel: &Kernel, link: &Link, ip: IpAddr, deadline: &Deadline) -> Owner {
    let manner = Manner { questions: 3, apart: Duration::from_millis(680), is_held: false };
    ask(kernel, link, ip, deadline, &manner)
}

/// Asks who else has an address that this node has; takes 0.9 s where nobody does. Not for an address that
/// several nodes share.
pub(crate) fn guard(kernel: &Kernel, link: &Link, ip: IpAddr, deadline: &Deadline) -> Owner {
    let manner = Manner { questions: 3, apart: Duration::from_millis(300), is_held: true };
    ask(kernel, link, ip, deadline, &manner)
}

fn ask(kernel: &Kernel, link: &Link, ip: IpAddr, deadline: &Deadline, manner: &Manner) -> Owner {
    match find_other(kernel, link, ip, deadline, manner) {
        Ok(None) => Owner::Nobody,
        Ok(Some(mac)) => Owner::Other(mac),
        Err(why) => Owner::Unknown(format!("{}: {why}", link.name)),
    }
}

/// The hardware address of another owner; an error is why it can't be said.
fn find_other(
    kernel: &Kernel,
    link: &Link,
    ip: IpAddr,
    deadline: &Deadline,
    manner: &Manner,
) -> Result<Option<Vec<u8>>, String> {
    let refused = |errno: Errno| format!("nobody can be asked: {}", errno.desc().to_lowercase());
    let link = look_at(kernel, link)?;
    let packets = Packets::to_hear(link.index, ip).map_err(refused)?;
    let question = question(kernel, &link, ip, manner).ok_or("it carries no such packets")?;
    let began = Instant::now();
    let ends = began + deadline.left();
    let mut ears = Ears { link: &link, ip, is_held: manner.is_held, own: None };
    let mut sent = Err(Errno::EAGAIN);
    for number in 1..=manner.questions {
        // One that left is enough: a queue that is full for a moment is no reason to know nothing.
        sent = packets.send(&question).or(sent);
        let until = (began + manner.apart * number).min(ends);
        while Instant::now() < until
            && let Some(heard) = packets.receive(until).map_err(refused)?
        {
            if let Some(mac) = ears.find_other(&heard) {
                return Ok(Some(mac));
            }
        }
    }
    if began.elapsed() < manner.apart * manner.questions {
        return Err("there was no time to ask".to_owned());
    }
    sent.map_err(refused)?;
    let now = look_at(kernel, &link)?;
    if now.carrier_changes != link.carrier_changes {
        return Err("the link was lost while its hosts were asked".to_owned());
    }
    Ok(None)
}

/// The interface as it is now; an error where nobody hears what it sends.
fn look_at(kernel: &Kernel, link: &Link) -> Result<Link, String> {
    let found = kernel.find_link_by_index(link.index).map_err(|refusal| refusal.to_string())?;
    let found = found.ok_or("the interface is gone")?;
    if let Some(why) = find_obstacle(&found) {
        return Err(why.to_owned());
    }
    if !found.has(libc::IFF_UP) {
        return Err("the interface is down".to_owned());
    }
    if !found.has_carrier {
        return Err("there is no link: check the cable or the switch".to_owned());
    }
    Ok(found)
}

/// What is asked. A held IPv6 address is asked for from a link-local one, where there is one: then only
/// this node gets the answer, and no neighbour is told of the other owner.
fn question(kernel: &Kernel, link: &Link, ip: IpAddr, manner: &Manner) -> Option<Frame> {
    let ip = match ip {
        IpAddr::V4(ip) => return frame::probe(link, ip),
        IpAddr::V6(ip) => ip,
    };
    let own = manner.is_held.then(|| kernel.addresses(link.index, Family::V6).ok()).flatten();
    let source = own.into_iter().flatten().find_map(|assigned| match assigned.ip {
        IpAddr::V6(own) if own.is_unicast_link_local() && own != ip => {
            (assigned.flags & UNUSABLE == 0).then_some(own)
        }
        _ => None,
    });
    frame::solicitation(link, ip, source)
}

/// Who listens, and for what.
struct Ears<'a> {
    link: &'a Link,
    ip: IpAddr,
    is_held: bool,
    /// The hardware addresses of this node, once somebody has been heard.
    own: Option<Vec<[u8; 6]>>,
}

impl Ears<'_> {
    /// The hardware address of another host, where what was heard makes it an owner.
    fn find_other(&mut self, heard: &Heard) -> Option<Vec<u8>> {
        let mac = match self.ip {
            IpAddr::V4(ip) => {
                let arp = frame::parse_arp(self.link, &heard.bytes)?;
                let asks = arp.is_request && arp.sender.is_unspecified() && arp.target == ip;
                (arp.sender == ip || (asks && !self.is_held)).then_some(arp.mac)?
            }
            IpAddr::V6(ip) => {
                let said = frame::parse_neighbor(self.link, &heard.bytes)?;
                let asks = !said.is_advertisement && said.target == ip;
                let claims = said.is_advertisement && said.target == ip;
                let is_source = !said.is_advertisement && said.source == ip;
                let is_asked_for = asks && said.source == Ipv6Addr::UNSPECIFIED && !self.is_held;
                let is_owner = claims || is_source || is_asked_for;
                let from = || heard.from.map(|from| from.to_vec());
                is_owner.then(|| said.mac.or_else(from))??
            }
        };
        (!self.is_own(&mac)).then_some(mac)
    }

    /// A node with two interfaces on one network answers itself.
    fn is_own(&mut self, mac: &[u8]) -> bool {
        mac == self.link.mac
            || self.own.get_or_insert_with(own_addresses).iter().any(|own| own == mac)
    }
}

/// The hardware addresses of all interfaces of this namespace that have six bytes.
fn own_addresses() -> Vec<[u8; 6]> {
    let all = nix::ifaddrs::getifaddrs().into_iter().flatten();
    all.filter_map(|interface| interface.address?.as_link_addr()?.addr()).collect()
}

#[cfg(test)]
mod tests;
