// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The monitor's question: does this interface have exactly this address with this prefix?
//!
//! IPv6 has it as a question of its own: one answer, from a hash. IPv4 doesn't, not even in Linux 6.18, and
//! reading all addresses of an interface takes 7 ms when it has 10,000. But the first page of them is read
//! in no time, and mostly it has them all. Where it doesn't, two more cheap questions prove a *yes*:
//!
//! - The route to the address itself is of type local, made by the kernel, leads to this interface, and has
//!   as its source P, the *primary address of the same network and mask* (`fib_add_ifaddr`, linux
//!   net/ipv4/fib_frontend.c). It comes and goes with the address, and with every change of P. The look-up
//!   doesn't depend on how many addresses there are.
//! - P is another address: then the address has P's mask. The kernel lists primary addresses first, so that
//!   P is on the first page, and with the first secondary address it is known that no other primary one
//!   comes: not P once more, with another mask.
//! - P is the address itself: then ioctl(2) tells its mask, for its label and for exactly this address. That
//!   reads the kernel's list up to it, but copies nothing.
//!
//! Whatever is left open then, and every *no*, is decided by reading all addresses of that one interface.

use super::netlink::{Kernel, Refusal};
use super::page::Page;
use super::{Assigned, Family, address, contains};
use crate::sys;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{AddressFamily as Domain, SockFlag, SockType, socket};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, OwnedFd};

impl Kernel {
    /// The address, if the interface has it with exactly this prefix. `label` is the one it would have: the
    /// interface's name, or that and `:` and more.
    ///
    /// Of an IPv4 address, only what was asked for is sure to be told: [`Kernel::details`] has the rest.
    pub(crate) fn holds(
        &self,
        label: &str,
        index: u32,
        ip: IpAddr,
        prefix: u8,
    ) -> Result<Option<Assigned>, Refusal> {
        match ip {
            IpAddr::V4(v4) => {
                let page = self.first_addresses(index)?;
                let found = page.addresses.iter().find(|one| one.ip == ip && one.prefix == prefix);
                if found.is_some() || page.is_last {
                    return Ok(found.cloned());
                }
                let bare = Assigned::bare(index, ip, prefix);
                match self.is_surely_held(label, index, v4, prefix, &page)? {
                    true => Ok(Some(bare)),
                    false => self.details(&bare),
                }
            }
            IpAddr::V6(ip) => {
                let found = self.find_ipv6(index, ip)?;
                Ok(found.filter(|assigned| assigned.prefix == prefix))
            }
        }
    }

    /// Everything about an address, if it is there: the same address with the same prefix on the same
    /// interface. Costs as much as the interface has addresses.
    pub(crate) fn details(&self, one: &Assigned) -> Result<Option<Assigned>, Refusal> {
        let same = |other: &Assigned| other.ip == one.ip && other.prefix == one.prefix;
        let found = self.addresses_where(one.index, Family::of(one.ip), same)?;
        Ok(found.into_iter().next())
    }

    /// Whether an interface has an address, with whatever prefix.
    pub(crate) fn is_on(&self, index: u32, ip: IpAddr) -> Result<bool, Refusal> {
        match ip {
            IpAddr::V4(_) => {
                Ok(!self.addresses_where(index, Family::V4, |one| one.ip == ip)?.is_empty())
            }
            IpAddr::V6(ip) => Ok(self.find_ipv6(index, ip)?.is_some()),
        }
    }

    /// The broadcast address of an IPv4 address of an interface that has no label of its own; `None` where
    /// it has one, or isn't there.
    pub(crate) fn broadcast_of(
        &self,
        name: &str,
        ip: Ipv4Addr,
    ) -> Result<Option<Ipv4Addr>, Refusal> {
        let questions = Questions::about(name, ip)?;
        Ok(match questions.ask(libc::SIOCGIFADDR)? {
            Some(found) if found == ip => questions.ask(libc::SIOCGIFBRDADDR)?,
            _ => None,
        })
    }

    /// An IPv6 address of an interface: it can have one only once, whatever the prefix.
    fn find_ipv6(&self, index: u32, ip: Ipv6Addr) -> Result<Option<Assigned>, Refusal> {
        let mut request = AddressMessage::default();
        request.header.family = AddressFamily::Inet6;
        request.header.index = index;
        request.attributes.push(AddressAttribute::Address(ip.into()));
        match self.ask(libc::RTM_GETADDR, &request, |_, payload| address::read(payload)) {
            // With an index that no interface has, the kernel looks at all of them.
            Ok(found) if found.ip == ip => Ok(Some(found).filter(|found| found.index == index)),
            Ok(_) => Err(Refusal::unreadable("an answer about another address")),
            Err(Refusal { errno: Errno::EADDRNOTAVAIL | Errno::ENODEV, .. }) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Whether the cheap questions prove that an IPv4 address is held.
    pub(super) fn is_surely_held(
        &self,
        label: &str,
        index: u32,
        ip: Ipv4Addr,
        prefix: u8,
        page: &Page,
    ) -> Result<bool, Refusal> {
        let Some(route) = self.fib_match(ip.into(), Some(index))? else { return Ok(false) };
        let is_own = route.kind == libc::RTN_LOCAL
            && route.protocol == libc::RTPROT_KERNEL
            && route.scope == libc::RT_SCOPE_HOST
            && route.prefix == 32
            && route.index == Some(index);
        let Some(primary) = route.source.filter(|_| is_own) else { return Ok(false) };
        if primary == IpAddr::V4(ip) {
            return Ok(prefix_of(label, ip)? == Some(prefix));
        }
        let has_all = page.addresses.iter().any(|one| one.has(libc::IFA_F_SECONDARY));
        let is_primary = |one: &&Assigned| {
            one.ip == primary
                && !one.has(libc::IFA_F_SECONDARY)
                && contains(primary, one.prefix, ip.into())
        };
        let mut prefixes =
            page.addresses.iter().filter(is_primary).map(|one| one.prefix).peekable();
        Ok(has_all && prefixes.peek().is_some() && prefixes.all(|one| one == prefix))
    }
}

/// What ioctl(2) can be asked about an IPv4 address with a label.
struct Questions<'a> {
    socket: OwnedFd,
    label: &'a str,
    ip: Ipv4Addr,
}

impl<'a> Questions<'a> {
    fn about(label: &'a str, ip: Ipv4Addr) -> Result<Self, Refusal> {
        let socket = socket(Domain::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
        Ok(Self { socket, label, ip })
    }

    /// The answer; one about another address of the label if it isn't there, `None` without any.
    fn ask(&self, question: libc::c_ulong) -> Result<Option<Ipv4Addr>, Refusal> {
        match sys::ask_address(self.socket.as_fd(), question, self.label, self.ip) {
            Err(Errno::EADDRNOTAVAIL | Errno::ENODEV) => Ok(None),
            other => Ok(other.map(Some)?),
        }
    }
}

/// The prefix of the first address of an interface that is this one, by its label.
fn prefix_of(label: &str, ip: Ipv4Addr) -> Result<Option<u8>, Refusal> {
    let questions = Questions::about(label, ip)?;
    if questions.ask(libc::SIOCGIFADDR)? != Some(ip) {
        return Ok(None);
    }
    let mask = questions.ask(libc::SIOCGIFNETMASK)?.map(u32::from);
    Ok(mask.and_then(|mask| u8::try_from(mask.leading_ones()).ok()))
}
