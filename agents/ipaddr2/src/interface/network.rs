// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The network that an address is in: by the kernel's routes, or else by its addresses.

use crate::kernel::{Assigned, Family, Kernel, Link, Refusal, Route, contains};
use crate::wanted::Wanted;
use nix::libc::{IFF_UP, RT_SCOPE_LINK, RTN_LOCAL, RTN_UNICAST, RTPROT_KERNEL};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The metric of the routes that the kernel makes for IPv6 addresses (`IP6_RT_PRIO_ADDRCONF`).
const USUAL: u32 = 256;

/// How many neighbours of an address are asked about before all routes are read.
const NEIGHBOURS: usize = 4;

/// A network of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Network {
    /// The index of the interface.
    pub(super) index: u32,
    /// The length of the prefix, in bits.
    pub(super) prefix: u8,
    /// The node's own address in it, as far as it is known.
    pub(super) source: Option<IpAddr>,
    /// The metric of the route that the kernel made for an IPv6 address, where it isn't the usual one.
    pub(super) metric: Option<u32>,
}

impl Network {
    /// The smallest network, of one interface or of any, that has the address with all of its prefix in it.
    ///
    /// A route to the address alone doesn't say with which prefix its interface has others like it, and a
    /// network behind a gateway isn't here: both count only where nothing else has the address.
    pub(super) fn find(
        kernel: &Kernel,
        wanted: &Wanted,
        link: Option<&Link>,
    ) -> Result<Option<Self>, Refusal> {
        let search = Search::of(wanted, link);
        // The last resort: a route to this one host, or to a network that a router told of.
        let any = search.of_any(wanted);
        let steps: [&dyn Fn() -> Result<Option<Self>, Refusal>; 5] = [
            &|| search.ask(kernel),
            &|| search.read(kernel),
            &|| search.read_addresses(kernel),
            &|| any.ask(kernel),
            &|| any.read(kernel),
        ];
        for step in steps {
            if let Some(network) = step()? {
                return Ok(Some(network));
            }
        }
        Ok(None)
    }

    /// The same without reading all routes.
    pub(super) fn find_quickly(
        kernel: &Kernel,
        wanted: &Wanted,
        link: Option<&Link>,
    ) -> Result<Option<Self>, Refusal> {
        let search = Search::of(wanted, link);
        match search.ask(kernel)? {
            None => search.read_addresses(kernel),
            found => Ok(found),
        }
    }
}

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search {
    ip: IpAddr,
    oif: Option<u32>,
    /// The longest prefix that a network may have.
    longest: u8,
    protocol: Option<u8>,
    /// Whether a route to a single host counts and, in IPv6, one through a gateway.
    is_any: bool,
}

impl Search {
    pub(super) fn of(wanted: &Wanted, link: Option<&Link>) -> Self {
        let longest = wanted.prefix.unwrap_or(u8::MAX).min(Family::of(wanted.ip).bits() - 1);
        let oif = link.map(|link| link.index);
        Self { ip: wanted.ip, oif, longest, protocol: wanted.protocol, is_any: false }
    }

    /// The same with routes to this one host and to what is behind a gateway.
    fn of_any(self, wanted: &Wanted) -> Self {
        let longest = wanted.prefix.unwrap_or_else(|| Family::of(wanted.ip).bits());
        Self { longest, is_any: true, ..self }
    }

    /// Asks the kernel which route it would take: in a time that doesn't depend on how many there are.
    ///
    /// An address that is here already has a route of its own, to this node, before that to its network; and
    /// with a prefix asked for, networks smaller than that don't count. A route of at most N bits to the
    /// address is one to every other that has the same first N bits. So where the best route to any of them
    /// has at most N bits, it is the one that is looked for.
    pub(super) fn ask(&self, kernel: &Kernel) -> Result<Option<Network>, Refusal> {
        // Of neighbours, a route to that one address only says nothing.
        let longest = self.longest.min(Family::of(self.ip).bits() - 1);
        match kernel.fib_match(self.ip, self.oif)? {
            Some(route) if self.fits(&route) => return Ok(network(&route)),
            // The best that there is, and it doesn't do: there may be a worse one that does.
            Some(route) if route.prefix <= longest => return Ok(None),
            // One to fewer addresses, or nowhere.
            _ => {}
        }
        let search = Self { longest, ..*self };
        for ip in neighbours(self.ip, longest).take(NEIGHBOURS) {
            match kernel.fib_match(ip, self.oif)? {
                Some(route) if search.fits(&route) => return Ok(network(&route)),
                Some(route) if route.prefix <= longest => return Ok(None),
                _ => {}
            }
        }
        Ok(None)
    }

    /// Reads all routes of table main: the last word, where the kernel's choice doesn't do.
    pub(super) fn read(&self, kernel: &Kernel) -> Result<Option<Network>, Refusal> {
        let has_ip = |route: &Route| {
            self.fits(route)
                && route.destination.is_some_and(|to| contains(to, route.prefix, self.ip))
        };
        let routes = kernel.routes(Family::of(self.ip), self.oif, has_ip)?;
        let metric = |route: &Route| route.metric.unwrap_or(0);
        // Of equal ones the first, which is what the kernel would take.
        let best = routes.iter().rev().max_by_key(|route| (route.prefix, u32::MAX - metric(route)));
        Ok(best.and_then(network))
    }

    /// Reads the addresses: a network without a route is one, too, if the interface is in use or was named.
    fn read_addresses(&self, kernel: &Kernel) -> Result<Option<Network>, Refusal> {
        if self.protocol.is_some() {
            return Ok(None);
        }
        let family = Family::of(self.ip);
        let has_ip = |one: &Assigned| {
            one.ip != self.ip
                && one.peer.is_none()
                && (1..=self.longest).contains(&one.prefix)
                && contains(one.ip, one.prefix, self.ip)
        };
        let mut found = kernel.addresses_where(self.oif.unwrap_or(0), family, has_ip)?;
        found.sort_by_key(|one| u8::MAX - one.prefix);
        for one in found {
            let is_used = match self.oif {
                Some(_) => true,
                None => kernel.find_link_by_index(one.index)?.is_some_and(|link| link.has(IFF_UP)),
            };
            if is_used {
                let (index, prefix) = (one.index, one.prefix);
                return Ok(Some(Network { index, prefix, source: Some(one.ip), metric: None }));
            }
        }
        Ok(None)
    }

    /// Whether a route names a network of an interface that may have the address.
    fn fits(&self, route: &Route) -> bool {
        let is_network = match self.ip {
            // 127.0.0.0/8 is this node itself.
            IpAddr::V4(ip) if ip.is_loopback() => route.kind == RTN_LOCAL && route.prefix < 32,
            // What is behind a gateway isn't here.
            IpAddr::V4(_) => route.kind == RTN_UNICAST && route.scope == RT_SCOPE_LINK,
            IpAddr::V6(_) => route.kind == RTN_UNICAST && (self.is_any || !route.is_via),
        };
        // The kernel's own route to one host is one to an address of this node, or to the other end of one.
        let is_own = route.protocol == RTPROT_KERNEL && route.prefix == Family::of(self.ip).bits();
        // A prefix of 0 bits is everywhere, and no network.
        is_network
            && !is_own
            && (1..=self.longest).contains(&route.prefix)
            && route.index.is_some()
            && self.protocol.is_none_or(|protocol| protocol == route.protocol)
    }
}

fn network(route: &Route) -> Option<Network> {
    let is_made = route.protocol == RTPROT_KERNEL && !route.is_via;
    let has_metric = |&metric: &u32| is_made && metric != 0 && metric != USUAL;
    Some(Network {
        index: route.index?,
        prefix: route.prefix,
        source: route.source,
        // IPv4 addresses of one network share its first one's route.
        metric: route
            .metric
            .filter(has_metric)
            .filter(|_| matches!(route.destination, Some(IpAddr::V6(_)))),
    })
}

/// Addresses whose first bits, so many, are the same: each with another one of the later bits the other way
/// round, beginning with the first of these.
fn neighbours(ip: IpAddr, same: u8) -> impl Iterator<Item = IpAddr> {
    let bits = Family::of(ip).bits();
    (same..bits).map(move |bit| match ip {
        IpAddr::V4(ip) => {
            Ipv4Addr::from(u32::from(ip) ^ (1_u32 << 31).checked_shr(bit.into()).unwrap_or(0))
                .into()
        }
        IpAddr::V6(ip) => {
            let one = (1_u128 << 127).checked_shr(bit.into()).unwrap_or(0);
            Ipv6Addr::from(u128::from(ip) ^ one).into()
        }
    })
}
