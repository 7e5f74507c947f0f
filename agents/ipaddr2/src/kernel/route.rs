// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Routes: which one the kernel has for an address.

use super::answer::{address, attributes};
use super::netlink::{Kernel, Refusal};
use super::{Family, Route};
use netlink_packet_core::parse_u32;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage,
};
use nix::errno::Errno;
use nix::libc::{
    RTA_DST, RTA_GATEWAY, RTA_MULTIPATH, RTA_OIF, RTA_PREFSRC, RTA_PRIORITY, RTA_TABLE, RTA_VIA,
    RTM_GETROUTE,
};
use std::net::IpAddr;

/// The bytes of `struct rtmsg`.
const HEADER: usize = 12;

impl Kernel {
    /// The route that the kernel would take to an address, through one interface or any: its own decision
    /// of policy rules, longest prefix and metric, in a time that doesn't depend on how many there are.
    /// `None` if there is none, and where the address is unreachable or prohibited.
    pub(crate) fn fib_match(&self, ip: IpAddr, oif: Option<u32>) -> Result<Option<Route>, Refusal> {
        let mut request = RouteMessage::default();
        let header = &mut request.header;
        header.address_family = AddressFamily::from(Family::of(ip) as u8);
        header.destination_prefix_length = Family::of(ip).bits();
        // IPv4 names the table only if asked to, and IPv6 doesn't know the question.
        header.flags = match ip {
            IpAddr::V4(_) => RouteFlags::FibMatch | RouteFlags::LookupTable,
            IpAddr::V6(_) => RouteFlags::FibMatch,
        };
        request.attributes.push(RouteAttribute::Destination(match ip {
            IpAddr::V4(ip) => RouteAddress::Inet(ip),
            IpAddr::V6(ip) => RouteAddress::Inet6(ip),
        }));
        request.attributes.extend(oif.map(RouteAttribute::Oif));
        match self.ask(RTM_GETROUTE, &request, |_, payload| read(payload)) {
            Ok(route) => Ok(Some(route)),
            // ENODEV: no such interface. EINVAL without words: a blackhole.
            Err(Refusal {
                errno: Errno::ENETUNREACH | Errno::EHOSTUNREACH | Errno::EACCES | Errno::ENODEV,
                ..
            })
            | Err(Refusal { errno: Errno::EINVAL, text: None }) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// The routes of table main, through one interface or any, that matter. Costs as much as there are routes.
    pub(crate) fn routes(
        &self,
        family: Family,
        oif: Option<u32>,
        matters: impl Fn(&Route) -> bool,
    ) -> Result<Vec<Route>, Refusal> {
        let mut request = RouteMessage::default();
        request.header.address_family = AddressFamily::from(family as u8);
        request.header.table = RouteHeader::RT_TABLE_MAIN;
        request.attributes.extend(oif.map(RouteAttribute::Oif));
        let read = |_, payload: &[u8]| Ok(Some(read(payload)?).filter(&matters));
        match self.dump(RTM_GETROUTE, &request, read) {
            // ENOENT: there never was a route in the table. ENODEV: no such interface.
            Err(Refusal { errno: Errno::ENOENT | Errno::ENODEV, .. }) => Ok(Vec::new()),
            other => other,
        }
    }
}

/// A route as the kernel describes it (`struct rtmsg` and attributes).
pub(super) fn read(payload: &[u8]) -> Result<Route, Refusal> {
    let Some((&[family, prefix, _, _, table, protocol, scope, kind], _)) =
        payload.split_first_chunk()
    else {
        return Err(Refusal::unreadable("a route shorter than its header"));
    };
    let mut route = Route {
        index: None,
        destination: None,
        prefix,
        kind,
        table: table.into(),
        protocol,
        scope,
        source: None,
        metric: None,
        is_via: false,
    };
    let mut has_many = false;
    attributes(payload, HEADER, |attribute, bytes| {
        match attribute {
            RTA_DST => route.destination = Some(address(family, bytes)?),
            RTA_OIF => route.index = Some(parse_u32(bytes)?),
            RTA_TABLE => route.table = parse_u32(bytes)?,
            RTA_PRIORITY => route.metric = Some(parse_u32(bytes)?),
            RTA_PREFSRC => route.source = Some(address(family, bytes)?),
            RTA_GATEWAY | RTA_VIA => route.is_via = true,
            RTA_MULTIPATH => has_many = true,
            _ => {}
        }
        Ok(())
    })?;
    if has_many {
        route.index = None;
    }
    Ok(route)
}
