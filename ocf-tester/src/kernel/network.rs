// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Network devices, addresses, routes of every table and routing rules, each as a line of text.

use super::netlink::{self, Row};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The kinds of requests, and the lengths of the fixed parts of what they are answered with.
const LINKS: (u16, usize) = (18, 16);
const ADDRESSES: (u16, usize) = (22, 8);
const ROUTES: (u16, usize) = (26, 12);
const RULES: (u16, usize) = (34, 12);

/// Devices that come and go with containers.
const OF_CONTAINERS: &[&str] = &["veth", "docker", "br-", "cni", "podman"];

/// The table of the routes that go with addresses.
const LOCAL_TABLE: u32 = 255;

/// `RTPROT_REDIRECT` and `RTPROT_RA`: routes that neighbours announce, and that come and go.
const ANNOUNCED: &[u8] = &[1, 9];

/// `RTPROT_KERNEL`: a route that goes with an address.
const OF_KERNEL: u8 = 2;

/// `RTM_F_CLONED`: no route but the memory of one that was used.
const CLONED: u32 = 0x200;

/// `IFA_F_PERMANENT`: an address without it comes from neighbours' announcements and runs out.
const PERMANENT: u32 = 0x80;

/// Everything of the network that a resource may leave.
pub(super) fn all() -> Vec<String> {
    let rows = |(request, fixed)| netlink::table(request, fixed).unwrap_or_default();
    let devices: BTreeMap<u32, String> = rows(LINKS)
        .iter()
        .filter_map(|row| Some((netlink::number(&row.fixed, 4)?, row.text(3)?)))
        .collect();
    let is_own = |name: &&String| !OF_CONTAINERS.iter().any(|other| name.starts_with(other));
    let mut all: Vec<String> =
        devices.values().filter(is_own).map(|name| format!("network device {name}")).collect();
    let on = |index: Option<u32>| index.and_then(|index| devices.get(&index));
    for row in rows(ADDRESSES) {
        let device = on(netlink::number(&row.fixed, 4));
        if device.as_ref().is_none_or(is_own) {
            all.extend(address_line(&row, device));
        }
    }
    for row in rows(ROUTES) {
        let device = on(row.number(4));
        if device.as_ref().is_none_or(is_own) {
            all.extend(route_line(&row, device));
        }
    }
    all.extend(rows(RULES).iter().map(rule_line));
    all
}

fn address_line(row: &Row, device: Option<&String>) -> Option<String> {
    // Only the attribute has all flags.
    let flags = row.number(8).unwrap_or_else(|| u32::from(row.byte(2)));
    if flags & PERMANENT == 0 {
        return None;
    }
    // On a link between two the other one's address stands in the place of the own one.
    let address = ip(row.bytes(2).or_else(|| row.bytes(1))?)?;
    if is_automatic(address) {
        return None;
    }
    Some(format!("address {address}/{} on {}", row.byte(1), named(device)))
}

/// Whether the kernel gives it to every device by itself, a moment after that has come up.
fn is_automatic(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(six) if six.is_unicast_link_local())
}

fn route_line(row: &Row, device: Option<&String>) -> Option<String> {
    let table = row.number(15).unwrap_or_else(|| u32::from(row.byte(4)));
    let flags = netlink::number(&row.fixed, 8)?;
    if table == LOCAL_TABLE || flags & CLONED != 0 || ANNOUNCED.contains(&row.byte(5)) {
        return None;
    }
    if row.byte(5) == OF_KERNEL && row.bytes(1).and_then(ip).is_some_and(is_automatic) {
        return None;
    }
    let (target, source) = (prefix(row, 1, 1), row.bytes(7).and_then(ip));
    let mut line = format!("route to {target} in table {table}");
    if let Some(gateway) = row.bytes(5).and_then(ip) {
        line.push_str(&format!(" by {gateway}"));
    }
    if device.is_some() {
        line.push_str(&format!(" on {}", named(device)));
    }
    if let Some(source) = source {
        line.push_str(&format!(" from {source}"));
    }
    if let Some(metric) = row.number(6).filter(|metric| *metric != 0) {
        line.push_str(&format!(" metric {metric}"));
    }
    Some(line)
}

fn rule_line(row: &Row) -> String {
    let table = row.number(15).unwrap_or_else(|| u32::from(row.byte(4)));
    let mut line = format!("routing rule {}: ", row.number(6).unwrap_or_default());
    line.push_str(&format!("from {} to {}", prefix(row, 2, 2), prefix(row, 1, 1)));
    if let Some(mark) = row.number(10) {
        line.push_str(&format!(" mark {mark:#x}"));
    }
    for (what, kind) in [("in by", 3), ("out by", 17)] {
        if let Some(device) = row.text(kind) {
            line.push_str(&format!(" {what} {device}"));
        }
    }
    line.push_str(&format!(", table {table}, action {}", row.byte(7)));
    line
}

/// The addresses that a route or a rule is about: the attribute, and the byte with the length.
fn prefix(row: &Row, attribute: u16, length: usize) -> String {
    let whole = if row.byte(0) == 10 { "all of IPv6" } else { "all of IPv4" };
    match row.bytes(attribute).and_then(ip) {
        Some(address) => format!("{address}/{}", row.byte(length)),
        None => whole.to_owned(),
    }
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    let four: Option<[u8; 4]> = bytes.try_into().ok();
    let sixteen: Option<[u8; 16]> = bytes.try_into().ok();
    four.map(|four| Ipv4Addr::from(four).into())
        .or(sixteen.map(|sixteen| Ipv6Addr::from(sixteen).into()))
}

fn named(device: Option<&String>) -> &str {
    device.map_or("an unknown device", String::as_str)
}
