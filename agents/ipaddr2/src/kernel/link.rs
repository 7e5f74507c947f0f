// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Interfaces.

use super::Link;
use super::answer::{attributes, text};
use super::netlink::{Kernel, Refusal};
use netlink_packet_core::{DefaultNla, NlasIterator, parse_u8, parse_u16, parse_u32};
use netlink_packet_route::link::{LinkAttribute, LinkExtentMask, LinkFlags, LinkMessage};
use nix::errno::Errno;
use nix::libc::{RTM_GETLINK, RTM_NEWLINK};

// linux/if_link.h
const IFLA_ADDRESS: u16 = 1;
const IFLA_BROADCAST: u16 = 2;
const IFLA_IFNAME: u16 = 3;
const IFLA_OPERSTATE: u16 = 16;
const IFLA_CARRIER: u16 = 33;
const IFLA_CARRIER_CHANGES: u16 = 35;
const IFLA_PROP_LIST: u16 = 52;
const IFLA_ALT_IFNAME: u16 = 53;

/// The longest name (`IFNAMSIZ`) and alternative name (`ALTIFNAMSIZ`) of an interface, in bytes.
const LONGEST_NAME: usize = 15;
const LONGEST_ALTERNATIVE: usize = 127;

/// The bytes of `struct ifinfomsg`.
const HEADER: usize = 16;

impl Kernel {
    /// The interface of a name, which may be one of its alternative names.
    pub(crate) fn find_link(&self, name: &str) -> Result<Option<Link>, Refusal> {
        // The kernel takes no such text for a name, so none has it.
        if name.is_empty() || name.len() > LONGEST_ALTERNATIVE || name.contains('\0') {
            return Ok(None);
        }
        let mut bytes = name.as_bytes().to_vec();
        bytes.push(0);
        let kind = if name.len() > LONGEST_NAME { IFLA_ALT_IFNAME } else { IFLA_IFNAME };
        let mut request = LinkMessage::default();
        request.attributes.push(LinkAttribute::Other(DefaultNla::new(kind, bytes)));
        self.ask_link(request)
    }

    /// The interface of an index.
    pub(crate) fn find_link_by_index(&self, index: u32) -> Result<Option<Link>, Refusal> {
        let mut request = LinkMessage::default();
        request.header.index = index;
        self.ask_link(request)
    }

    fn ask_link(&self, mut request: LinkMessage) -> Result<Option<Link>, Refusal> {
        let skip = LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]);
        request.attributes.push(skip);
        match self.ask(RTM_GETLINK, &request, |_, payload| read(payload)) {
            Ok(link) => Ok(Some(link)),
            Err(Refusal { errno: Errno::ENODEV, .. }) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Sets an interface up; one that is up stays so.
    pub(crate) fn set_up(&self, index: u32) -> Result<(), Refusal> {
        self.switch(index, LinkFlags::Up)
    }

    /// Switches an interface off.
    pub(crate) fn set_down(&self, index: u32) -> Result<(), Refusal> {
        self.switch(index, LinkFlags::empty())
    }

    fn switch(&self, index: u32, to: LinkFlags) -> Result<(), Refusal> {
        let mut request = LinkMessage::default();
        request.header.index = index;
        request.header.flags = to;
        request.header.change_mask = LinkFlags::Up;
        self.tell(RTM_NEWLINK, 0, &request)
    }
}

/// An interface as the kernel describes it (`struct ifinfomsg` and attributes). Only what is needed is read:
/// attributes of kernels to come can't make it fail.
pub(super) fn read(payload: &[u8]) -> Result<Link, Refusal> {
    let number = |at: usize| parse_u32(payload.get(at..at + 4).unwrap_or_default());
    let mut link = Link {
        index: number(4)?,
        name: String::new(),
        altnames: Vec::new(),
        hardware: parse_u16(payload.get(2..4).unwrap_or_default())?,
        flags: number(8)?,
        operstate: 0,
        has_carrier: true,
        carrier_changes: 0,
        mac: Vec::new(),
        broadcast: Vec::new(),
    };
    attributes(payload, HEADER, |kind, bytes| {
        match kind {
            IFLA_IFNAME => link.name = text(bytes),
            IFLA_ADDRESS => link.mac = bytes.to_vec(),
            IFLA_BROADCAST => link.broadcast = bytes.to_vec(),
            IFLA_OPERSTATE => link.operstate = parse_u8(bytes)?,
            IFLA_CARRIER => link.has_carrier = parse_u8(bytes)? != 0,
            IFLA_CARRIER_CHANGES => link.carrier_changes = parse_u32(bytes)?,
            IFLA_PROP_LIST => {
                for property in NlasIterator::new(bytes) {
                    let property = property?;
                    if property.kind() == IFLA_ALT_IFNAME {
                        link.altnames.push(text(property.value()));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    match link.name.is_empty() {
        true => Err(Refusal::unreadable("an interface without a name")),
        false => Ok(link),
    }
}
