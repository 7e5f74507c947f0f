// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Deleting one IPv4 address and no other.
//!
//! The first address of a network on an interface is *primary*, later ones are *secondary*. When the primary
//! one goes, the kernel makes the next one primary only if the interface's `promote_secondaries` is 1.
//! Otherwise all of them go, whoever they belong to, and 0 is the kernel's default.
//!
//! So where others may go along it is made 1, and it stays so. Setting it back would be a time in which
//! another agent's deletion takes addresses along, and adding the lost ones again a time without them, which a
//! KILL would make last. Nobody loses anything by 1: systemd sets it on every interface.
//!
//! It is set by rtnetlink, which needs no /proc.

use super::netlink::{Kernel, Refusal};
use super::page::Page;
use super::{Assigned, contains};
use netlink_packet_core::Emitable;
use nix::libc::{AF_INET, IFA_F_SECONDARY, RTM_NEWLINK};
use ocf::tracing;
use std::net::IpAddr;

/// `IFLA_AF_SPEC`, `IFLA_INET_CONF` (linux/if_link.h), `IPV4_DEVCONF_PROMOTE_SECONDARIES` (linux/ip.h).
const AF_SPEC: u16 = 26;
const INET_CONF: u16 = 1;
const PROMOTE_SECONDARIES: u16 = 20;

impl Kernel {
    /// Deletes exactly this address with this prefix from its interface, and no other; whether it was there.
    pub(crate) fn delete_alone(&self, assigned: &Assigned) -> Result<bool, Refusal> {
        if matches!(assigned.ip, IpAddr::V6(_)) {
            return self.delete(assigned);
        }
        let page = self.first_addresses(assigned.index).unwrap_or_default();
        if may_take_others(assigned, &page)
            && let Err(refusal) = self.promote(assigned.index)
        {
            tracing::warn!("cannot set promote_secondaries for {}: {refusal}", assigned.ip);
        }
        self.delete(assigned)
    }

    /// Has an interface keep the other addresses of a network when its first one goes.
    fn promote(&self, index: u32) -> Result<(), Refusal> {
        self.tell(RTM_NEWLINK, 0, &Promotion { index })
    }
}

/// Whether others may go with an address, as far as the first of them tell.
pub(super) fn may_take_others(assigned: &Assigned, page: &Page) -> bool {
    let (ip, prefix) = (assigned.ip, assigned.prefix);
    let itself = page.addresses.iter().find(|one| one.ip == ip && one.prefix == prefix);
    if itself.is_some_and(|one| one.has(IFA_F_SECONDARY)) {
        return false;
    }
    let is_near =
        |one: &Assigned| one.ip != ip && one.prefix == prefix && contains(ip, prefix, one.ip);
    !page.is_last || assigned.peer.is_some() || page.addresses.iter().any(is_near)
}

/// The request: `struct ifinfomsg`, and the setting in three attributes around it. The crate knows this
/// attribute only as the kernel answers it, with all settings at once.
struct Promotion {
    index: u32,
}

impl Promotion {
    fn bytes(&self) -> Vec<u8> {
        let mut setting = 1_u32.to_ne_bytes().to_vec();
        for kind in [PROMOTE_SECONDARIES, INET_CONF, AF_INET as u16, AF_SPEC] {
            // The lengths are 8 to 20.
            let length = setting.len() as u16 + 4;
            setting = [&length.to_ne_bytes(), &kind.to_ne_bytes(), setting.as_slice()].concat();
        }
        let family_and_type = [0; 4];
        let flags_and_change = [0; 8];
        let index = self.index.to_ne_bytes();
        [&family_and_type, index.as_slice(), &flags_and_change, &setting].concat()
    }
}

impl Emitable for Promotion {
    fn buffer_len(&self) -> usize {
        self.bytes().len()
    }

    fn emit(&self, buffer: &mut [u8]) {
        buffer.copy_from_slice(&self.bytes());
    }
}
