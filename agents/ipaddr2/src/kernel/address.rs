// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Addresses of interfaces.

use super::answer::{address, attributes, text};
use super::netlink::{Kernel, Refusal};
use super::{Assigned, Family};
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, parse_ip, parse_u32};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage, CacheInfo,
};
use nix::errno::Errno;
use nix::libc::{RTM_DELADDR, RTM_GETADDR, RTM_NEWADDR};
use std::net::IpAddr;

// linux/if_addr.h
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_LABEL: u16 = 3;
const IFA_BROADCAST: u16 = 4;
const IFA_CACHEINFO: u16 = 6;
const IFA_FLAGS: u16 = 8;
const IFA_RT_PRIORITY: u16 = 9;

/// The bytes of `struct ifaddrmsg`.
const HEADER: usize = 8;

/// A lifetime that doesn't end (`INFINITY_LIFE_TIME`).
const FOREVER: u32 = u32::MAX;

impl Kernel {
    /// The addresses of one interface; none if there is no such interface.
    pub(crate) fn addresses(&self, index: u32, family: Family) -> Result<Vec<Assigned>, Refusal> {
        self.addresses_where(index, family, |_| true)
    }

    /// Every place where this node has an address. Costs as much as there are addresses.
    pub(crate) fn addresses_anywhere(&self, ip: IpAddr) -> Result<Vec<Assigned>, Refusal> {
        self.addresses_where(0, Family::of(ip), |assigned| assigned.ip == ip)
    }

    /// The addresses of one interface, or of all (0), that matter; none if there is no such interface.
    pub(crate) fn addresses_where(
        &self,
        index: u32,
        family: Family,
        matters: impl Fn(&Assigned) -> bool,
    ) -> Result<Vec<Assigned>, Refusal> {
        let is_here = |one: &Assigned| index == 0 || one.index == index;
        let read =
            |_, payload: &[u8]| Ok(Some(read(payload)?).filter(|one| is_here(one) && matters(one)));
        match self.dump(RTM_GETADDR, &of_interface(index, family), read) {
            Err(Refusal { errno: Errno::ENODEV, .. }) => Ok(Vec::new()),
            other => other,
        }
    }

    /// Adds an address; `EEXIST` if the interface has it already.
    pub(crate) fn add(&self, assigned: &Assigned) -> Result<(), Refusal> {
        self.tell(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &message(assigned, true))
    }

    /// Changes an address's lifetimes, flags and metric, or adds it. IPv4 keeps its label and broadcast.
    pub(crate) fn replace(&self, assigned: &Assigned) -> Result<(), Refusal> {
        self.tell(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &message(assigned, true))
    }

    /// Deletes exactly this address with this prefix from this interface; whether it was there.
    ///
    /// With IPv4, other addresses of the interface may go too: see [`Kernel::delete_alone`].
    pub(crate) fn delete(&self, assigned: &Assigned) -> Result<bool, Refusal> {
        match self.tell(RTM_DELADDR, 0, &message(assigned, false)) {
            Ok(()) => Ok(true),
            Err(Refusal { errno: Errno::EADDRNOTAVAIL | Errno::ENODEV, .. }) => Ok(false),
            Err(refusal) => Err(refusal),
        }
    }
}

/// The request for the addresses of one interface, or of all (0).
pub(super) fn of_interface(index: u32, family: Family) -> AddressMessage {
    let mut request = AddressMessage::default();
    request.header.family = AddressFamily::from(family as u8);
    request.header.index = index;
    request
}

/// The request about an address; `is_whole` is with what only adding it needs.
fn message(assigned: &Assigned, is_whole: bool) -> AddressMessage {
    let mut message = AddressMessage::default();
    let header = &mut message.header;
    header.family = AddressFamily::from(Family::of(assigned.ip) as u8);
    header.prefix_len = assigned.prefix;
    header.scope = assigned.scope.into();
    header.index = assigned.index;
    message.attributes.push(AddressAttribute::Local(assigned.ip));
    // The kernel matches the network of this one: without it, the prefix would mean nothing to a deletion.
    message.attributes.push(AddressAttribute::Address(assigned.peer.unwrap_or(assigned.ip)));
    if !is_whole {
        return message;
    }
    let flags = AddressFlags::from_bits_retain(assigned.flags);
    // The header has room for the first eight flags only; the attribute has them all.
    let [first, ..] = assigned.flags.to_le_bytes();
    message.header.flags = AddressHeaderFlags::from_bits_retain(first);
    let attributes = &mut message.attributes;
    attributes.push(AddressAttribute::Flags(flags));
    attributes.extend(assigned.broadcast.map(AddressAttribute::Broadcast));
    attributes.extend(assigned.label.clone().map(AddressAttribute::Label));
    attributes.extend(assigned.metric.map(AddressAttribute::RoutePriority));
    if assigned.preferred.is_some() || assigned.valid.is_some() {
        let mut lifetimes = CacheInfo::default();
        lifetimes.ifa_preferred = assigned.preferred.unwrap_or(FOREVER);
        lifetimes.ifa_valid = assigned.valid.unwrap_or(FOREVER);
        attributes.push(AddressAttribute::CacheInfo(lifetimes));
    }
    message
}

/// An address as the kernel describes it (`struct ifaddrmsg` and attributes).
pub(super) fn read(payload: &[u8]) -> Result<Assigned, Refusal> {
    let Some((&[family, prefix, flags, scope], rest)) = payload.split_first_chunk() else {
        return Err(Refusal::unreadable("an address shorter than its header"));
    };
    let index = parse_u32(rest.get(..4).unwrap_or_default())?;
    let (mut local, mut other) = (None, None);
    let mut assigned = Assigned::bare(index, IpAddr::from([0; 4]), prefix);
    assigned.flags = flags.into();
    assigned.scope = scope;
    attributes(payload, HEADER, |kind, bytes| {
        match kind {
            IFA_LOCAL => local = Some(address(family, bytes)?),
            IFA_ADDRESS => other = Some(address(family, bytes)?),
            IFA_LABEL => assigned.label = Some(text(bytes)),
            IFA_BROADCAST => {
                if let IpAddr::V4(broadcast) = parse_ip(bytes)? {
                    assigned.broadcast = Some(broadcast);
                }
            }
            IFA_FLAGS => assigned.flags = parse_u32(bytes)?,
            IFA_RT_PRIORITY => assigned.metric = Some(parse_u32(bytes)?),
            IFA_CACHEINFO => {
                let lifetime = |at: usize| parse_u32(bytes.get(at..at + 4).unwrap_or_default());
                assigned.preferred = Some(lifetime(0)?).filter(|&seconds| seconds != FOREVER);
                assigned.valid = Some(lifetime(4)?).filter(|&seconds| seconds != FOREVER);
            }
            _ => {}
        }
        Ok(())
    })?;
    assigned.ip = local
        .or(other)
        .ok_or_else(|| Refusal::unreadable("an address without the address itself"))?;
    assigned.peer = other.filter(|&other| other != assigned.ip);
    Ok(assigned)
}
