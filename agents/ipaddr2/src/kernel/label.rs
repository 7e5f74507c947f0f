// SPDX-License-Identifier: Apache-2.0 OR MIT
//! IPv6 address labels (RFC 6724): an address with a label that no other has is chosen as the source of no
//! connection, as long as there is another.

use super::answer::{address, attributes};
use super::netlink::{Kernel, Refusal};
use netlink_packet_core::{NLM_F_CREATE, NLM_F_REPLACE, parse_u32};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::addrlabel::{AddrLabelAttribute, AddrLabelMessage};
use nix::errno::Errno;
use nix::libc::{AF_INET6, RTM_DELADDRLABEL, RTM_GETADDRLABEL, RTM_NEWADDRLABEL};
use std::net::IpAddr;

// linux/if_addrlabel.h
const IFAL_ADDRESS: u16 = 1;
const IFAL_LABEL: u16 = 2;

/// The bytes of `struct ifaddrlblmsg`.
const HEADER: usize = 12;

impl Kernel {
    /// Gives one IPv6 address this label, whatever label of its own it has.
    pub(crate) fn add_address_label(&self, ip: IpAddr, label: u32) -> Result<(), Refusal> {
        self.tell(RTM_NEWADDRLABEL, NLM_F_CREATE | NLM_F_REPLACE, &message(ip, Some(label)))
    }

    /// Takes the label away that one IPv6 address has of its own, if it is this one.
    pub(crate) fn remove_address_label(&self, ip: IpAddr, label: u32) -> Result<(), Refusal> {
        if self.find_address_label(ip)? != Some(label) {
            return Ok(());
        }
        match self.tell(RTM_DELADDRLABEL, 0, &message(ip, Some(label))) {
            // ESRCH: it went in between.
            Ok(()) | Err(Refusal { errno: Errno::ESRCH, .. }) => Ok(()),
            Err(refusal) => Err(refusal),
        }
    }

    /// The label that one IPv6 address has of its own: one of a network doesn't count.
    pub(crate) fn find_address_label(&self, ip: IpAddr) -> Result<Option<u32>, Refusal> {
        match self.ask(RTM_GETADDRLABEL, &message(ip, None), |_, payload| read(payload)) {
            Ok((128, found, label)) if found == ip => Ok(Some(label)),
            // EAFNOSUPPORT, EOPNOTSUPP: a kernel without IPv6.
            Ok(_)
            | Err(Refusal {
                errno: Errno::ESRCH | Errno::EAFNOSUPPORT | Errno::EOPNOTSUPP, ..
            }) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }
}

fn message(ip: IpAddr, label: Option<u32>) -> AddrLabelMessage {
    let mut message = AddrLabelMessage::default();
    message.header.family = AddressFamily::Inet6;
    message.header.prefix_len = 128;
    message.attributes.push(AddrLabelAttribute::Address(ip));
    message.attributes.extend(label.map(AddrLabelAttribute::Label));
    message
}

/// The prefix, the address and the label of an entry (`struct ifaddrlblmsg` and attributes).
pub(super) fn read(payload: &[u8]) -> Result<(u8, IpAddr, u32), Refusal> {
    let (mut ip, mut label) = (None, None);
    attributes(payload, HEADER, |kind, bytes| {
        match kind {
            IFAL_ADDRESS => ip = Some(address(AF_INET6 as u8, bytes)?),
            IFAL_LABEL => label = Some(parse_u32(bytes)?),
            _ => {}
        }
        Ok(())
    })?;
    match (payload.get(2), ip, label) {
        (Some(&prefix), Some(ip), Some(label)) => Ok((prefix, ip, label)),
        _ => Err(Refusal::unreadable("an address label without an address or a label")),
    }
}
