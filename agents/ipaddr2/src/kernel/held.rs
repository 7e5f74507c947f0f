// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The monitor's question: does this interface have exactly this address with this prefix?
//!
//! IPv6 has it as a question of its own: one answer, from a hash. IPv4 doesn't, not even in Linux 6.18, so a
//! *yes* is put together from cheap questions, and whatever they leave open is decided by reading all
//! addresses of that one interface.
//!
//! - The route to the address itself is of type local, made by the kernel, leads to this interface, and has
//!   as its source P, the *primary address of the same network and mask* (`fib_add_ifaddr`, linux
//!   net/ipv4/fib_frontend.c). It comes and goes with the address, and with every change of P. The look-up
//!   doesn't depend on how many addresses there are.
//! - So the address has the mask of P, and P's is asked by ioctl(2) with P's label. The kernel answers from a
//!   list in which primary addresses come first, so that is quick however many there are behind them: asking
//!   for the address itself reads the whole list, 0.1 ms for 10,000 addresses at best and a millisecond when
//!   they aren't in the processor's cache.
//! - Where the address is its own P, the ioctl's answer is about the address itself. Otherwise it is also
//!   checked that the network of P has the address in it. What is left open is P twice on one interface, with
//!   two masks that both cover the address: it is then certain that the address is there, in the network that
//!   is asked for, and open only whether the kernel put it into the larger or the smaller one.

use super::netlink::{Kernel, Refusal};
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
    /// Of an IPv4 address, only what was asked for is told: [`Kernel::details`] has the rest.
    pub(crate) fn holds(
        &self,
        label: &str,
        index: u32,
        ip: IpAddr,
        prefix: u8,
    ) -> Result<Option<Assigned>, Refusal> {
        match ip {
            IpAddr::V4(v4) => {
                if self.is_surely_held(label, index, v4, prefix)? {
                    return Ok(Some(Assigned::bare(index, ip, prefix)));
                }
                self.details(&Assigned::bare(index, ip, prefix))
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
    ) -> Result<bool, Refusal> {
        let Some(route) = self.fib_match(ip.into(), Some(index))? else { return Ok(false) };
        let is_own = route.kind == libc::RTN_LOCAL
            && route.protocol == libc::RTPROT_KERNEL
            && route.scope == libc::RT_SCOPE_HOST
            && route.prefix == 32
            && route.index == Some(index);
        let Some(IpAddr::V4(primary)) = route.source.filter(|_| is_own) else { return Ok(false) };
        let label = match primary == ip {
            true => label,
            // Who knows its label? Almost always it has none of its own.
            false => label.split(':').next().unwrap_or(label),
        };
        let is_near = contains(primary.into(), prefix, ip.into());
        Ok(is_near && prefix_of(label, primary)? == Some(prefix))
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
