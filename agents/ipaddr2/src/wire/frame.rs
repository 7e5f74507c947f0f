// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The packets themselves, as bytes: ARP (RFC 826, RFC 5227; RFC 4391 on InfiniBand) and Neighbor
//! Discovery (RFC 4861). The kernel writes the link's header around them, as the link has it.

use crate::kernel::Link;
use etherparse::icmpv6::{NdpOptionHeader, NdpOptionSlice};
use etherparse::icmpv6::{NdpOptionType, NdpOptionsIterator, NeighborAdvertisementHeader};
use etherparse::{
    ArpHardwareId, ArpOperation, ArpPacket, EtherType, Icmpv6Slice, Icmpv6Type, Ipv6Header,
    Ipv6HeaderSlice, ip_number,
};
use std::net::{Ipv4Addr, Ipv6Addr};

/// `ARPHRD_INFINIBAND` (linux/if_arp.h).
const INFINIBAND: u16 = 32;

/// No router passes on what has all its hops left, so its sender is on the link (RFC 4861, 7.1).
const HOPS: u8 = 255;

/// All nodes of the link (RFC 4291, 2.7.1).
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// All routers of the link (RFC 4291, 2.7.1).
const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);

/// A packet, and the hardware address that it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// `ETH_P_*` (linux/if_ether.h).
    pub(crate) protocol: u16,
    pub(crate) destination: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

/// Who is told of an IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Everybody: what they knew of the address before is wrong.
    Nodes,
    /// Routers, so that they know the address before the first packet to it comes (RFC 9131).
    Routers,
}

/// An ARP announcement that asks for the address that it names (RFC 5227, 3). The target's hardware
/// address means nothing in a request.
pub(crate) fn request(link: &Link, mac: &[u8], ip: Ipv4Addr, target: &[u8]) -> Option<Frame> {
    arp(link, ArpOperation::REQUEST, (mac, ip), (target, ip))
}

/// An ARP announcement that answers what nobody asked.
pub(crate) fn reply(link: &Link, mac: &[u8], ip: Ipv4Addr) -> Option<Frame> {
    arp(link, ArpOperation::REPLY, (mac, ip), (mac, ip))
}

/// An ARP probe: a request that claims no address, so that it changes nobody's mind (RFC 5227, 2.1.1).
pub(crate) fn probe(link: &Link, ip: Ipv4Addr) -> Option<Frame> {
    let nobody = vec![0; link.mac.len()];
    arp(link, ArpOperation::REQUEST, (&link.mac, Ipv4Addr::UNSPECIFIED), (&nobody, ip))
}

fn arp(
    link: &Link,
    operation: ArpOperation,
    sender: (&[u8], Ipv4Addr),
    target: (&[u8], Ipv4Addr),
) -> Option<Frame> {
    let packet = ArpPacket::new(
        ArpHardwareId(link.hardware),
        EtherType::IPV4,
        operation,
        sender.0,
        &sender.1.octets(),
        target.0,
        &target.1.octets(),
    );
    Some(Frame {
        protocol: EtherType::ARP.0,
        destination: link.broadcast.clone(),
        payload: packet.ok()?.to_bytes().to_vec(),
    })
}

/// An unsolicited Neighbor Advertisement (RFC 4861, 4.4 and 7.2.6). Nodes are to forget what they
/// believed (Override); to routers it is news, and no more (RFC 9131).
pub(crate) fn advertisement(
    link: &Link,
    mac: &[u8],
    ip: Ipv6Addr,
    audience: Audience,
    is_router: bool,
) -> Option<Frame> {
    let destination = match audience {
        Audience::Nodes => ALL_NODES,
        Audience::Routers => ALL_ROUTERS,
    };
    let kind = Icmpv6Type::NeighborAdvertisement(NeighborAdvertisementHeader {
        router: is_router,
        solicited: false,
        r#override: audience == Audience::Nodes,
    });
    let option = link_address_option(link, NdpOptionType::TARGET_LINK_LAYER_ADDRESS, mac)?;
    neighbor(link, kind, ip, destination, &[&ip.octets(), option.as_slice()].concat())
}

/// A Neighbor Solicitation. Without a source it is what duplicate address detection sends, and every
/// node on the link gets the answer (RFC 4862, 5.4.2); with one, only the asker does.
pub(crate) fn solicitation(link: &Link, ip: Ipv6Addr, source: Option<Ipv6Addr>) -> Option<Frame> {
    let option = match source {
        Some(_) => link_address_option(link, NdpOptionType::SOURCE_LINK_LAYER_ADDRESS, &link.mac)?,
        // Nobody can be answered at an address that nobody has.
        None => Vec::new(),
    };
    let source = source.unwrap_or(Ipv6Addr::UNSPECIFIED);
    let kind = Icmpv6Type::NeighborSolicitation;
    let payload = [&ip.octets(), option.as_slice()].concat();
    neighbor(link, kind, source, solicited_node(ip), &payload)
}

fn neighbor(
    link: &Link,
    kind: Icmpv6Type,
    source: Ipv6Addr,
    destination: Ipv6Addr,
    payload: &[u8],
) -> Option<Frame> {
    let (source, group) = (source.octets(), destination.octets());
    let message = kind.to_header(source, group, payload).ok()?.to_bytes();
    let header = Ipv6Header {
        payload_length: u16::try_from(message.len() + payload.len()).ok()?,
        next_header: ip_number::IPV6_ICMP,
        hop_limit: HOPS,
        source,
        destination: group,
        ..Ipv6Header::default()
    };
    Some(Frame {
        protocol: EtherType::IPV6.0,
        destination: group_address(link, destination)?,
        payload: [header.to_bytes().as_slice(), message.as_slice(), payload].concat(),
    })
}

/// The group that every owner of an address is in (RFC 4291, 2.7.1).
fn solicited_node(ip: Ipv6Addr) -> Ipv6Addr {
    let [.., g, h] = ip.segments();
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | (g & 0xff), h)
}

/// The hardware address of a group: RFC 2464, 7 on Ethernet, RFC 4391, 4 on InfiniBand, where partition
/// and scope are those of the broadcast address. `None` where there is no such rule.
fn group_address(link: &Link, group: Ipv6Addr) -> Option<Vec<u8>> {
    let bytes = group.octets();
    match (link.hardware, link.broadcast.as_slice()) {
        (INFINIBAND, [_, _, _, _, _, scope, _, _, key, key_end, ..]) => {
            let prefix =
                [0, 0xff, 0xff, 0xff, 0xff, 0x10 | (scope & 0x0f), 0x60, 0x1b, *key, *key_end];
            Some([prefix.as_slice(), bytes.get(6..)?].concat())
        }
        (_, broadcast) if broadcast.len() == 6 => Some([&[0x33, 0x33], bytes.get(12..)?].concat()),
        _ => None,
    }
}

/// A link-layer address option (RFC 4861, 4.6.1): a multiple of eight bytes. InfiniBand has two reserved
/// bytes before the address (RFC 4391, 9.3).
fn link_address_option(link: &Link, kind: NdpOptionType, mac: &[u8]) -> Option<Vec<u8>> {
    let reserved = reserved_of(link);
    let length = (2 + reserved + mac.len()).next_multiple_of(8);
    let header =
        NdpOptionHeader { option_type: kind, length_units: u8::try_from(length / 8).ok()? };
    let mut option = header.to_bytes().to_vec();
    option.resize(2 + reserved, 0);
    option.extend_from_slice(mac);
    option.resize(length, 0);
    Some(option)
}

const fn reserved_of(link: &Link) -> usize {
    if link.hardware == INFINIBAND { 2 } else { 0 }
}

/// What an ARP packet says, whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arp {
    pub(crate) is_request: bool,
    pub(crate) mac: Vec<u8>,
    pub(crate) sender: Ipv4Addr,
    pub(crate) target: Ipv4Addr,
}

/// Reads an ARP packet of a link's; `None` for all else, and for what is malformed.
pub(crate) fn parse_arp(link: &Link, bytes: &[u8]) -> Option<Arp> {
    let packet = ArpPacket::from_slice(bytes).ok()?;
    let is_ours = is_hardware_of(link, packet.hw_addr_type.0)
        && packet.proto_addr_type == EtherType::IPV4
        && usize::from(packet.hw_addr_size()) == link.mac.len();
    let address = |bytes: &[u8]| <[u8; 4]>::try_from(bytes).ok().map(Ipv4Addr::from);
    let is_request = match packet.operation {
        ArpOperation::REQUEST => true,
        ArpOperation::REPLY => false,
        _ => return None,
    };
    Some(Arp {
        is_request,
        mac: packet.sender_hw_addr().to_vec(),
        sender: address(packet.sender_protocol_addr())?,
        target: address(packet.target_protocol_addr())?,
    })
    .filter(|_| is_ours)
}

/// On Ethernet some call themselves IEEE 802 (6), and are heard (`ARPHRD_*`, linux/if_arp.h).
const fn is_hardware_of(link: &Link, hardware: u16) -> bool {
    hardware == link.hardware || (link.hardware == 1 && hardware == 6)
}

/// What a Neighbor Discovery packet says, whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Neighbor {
    /// An advertisement; else a solicitation.
    pub(crate) is_advertisement: bool,
    pub(crate) source: Ipv6Addr,
    pub(crate) target: Ipv6Addr,
    /// The hardware address that it carries: the sender's own.
    pub(crate) mac: Option<Vec<u8>>,
}

/// Reads a Neighbor Advertisement or Solicitation; `None` for all else, and for what RFC 4861, 7.1 says is
/// to be discarded.
pub(crate) fn parse_neighbor(link: &Link, bytes: &[u8]) -> Option<Neighbor> {
    let header = Ipv6HeaderSlice::from_slice(bytes).ok()?;
    let length = usize::from(header.payload_length());
    let message = bytes.get(Ipv6Header::LEN..)?.get(..length)?;
    if header.next_header() != ip_number::IPV6_ICMP || header.hop_limit() != HOPS {
        return None;
    }
    let message = Icmpv6Slice::from_slice(message).ok()?;
    if !message.is_checksum_valid(header.source(), header.destination()) {
        return None;
    }
    let (is_advertisement, option) = match message.icmp_type() {
        Icmpv6Type::NeighborAdvertisement(_) => (true, NdpOptionType::TARGET_LINK_LAYER_ADDRESS),
        Icmpv6Type::NeighborSolicitation => (false, NdpOptionType::SOURCE_LINK_LAYER_ADDRESS),
        _ => return None,
    };
    let (target, options) = message.payload().split_first_chunk::<16>()?;
    let target = Ipv6Addr::from(*target);
    let mut mac = None;
    for found in NdpOptionsIterator::from_slice(options) {
        let bytes = match found.ok()? {
            NdpOptionSlice::TargetLinkLayerAddress(found) => {
                (found.option_type(), found.as_bytes())
            }
            NdpOptionSlice::SourceLinkLayerAddress(found) => {
                (found.option_type(), found.as_bytes())
            }
            _ => continue,
        };
        if bytes.0 == option {
            let address = bytes.1.get(2 + reserved_of(link)..)?.get(..link.mac.len())?;
            mac = Some(address.to_vec());
        }
    }
    let is_valid = !target.is_multicast();
    Some(Neighbor { is_advertisement, source: header.source_addr(), target, mac })
        .filter(|_| is_valid)
}

#[cfg(test)]
mod tests;
