// SPDX-License-Identifier: Apache-2.0 OR MIT

use super::*;
use crate::wire::world::Numbers;

/// What Debian 12's `send_arp` (resource-agents 4.12.0-2) sent for 192.168.144.2 from an interface with the
/// hardware address 02:00:00:00:00:0a, as a packet socket on the other end of the pair saw it: a request
/// and a reply, with their Ethernet headers.
const SEND_ARP: [&str; 2] = [
    "ffffffffffff02000000000a0806\
     000108000604000102000000000ac0a89002000000000000c0a89002",
    "ffffffffffff02000000000a0806\
     000108000604000202000000000ac0a8900202000000000ac0a89002",
];

/// The same of `send_ua`, for 2001:db8:1234::2.
const SEND_UA: &str = "33330000000102000000000a86dd\
    6002514900203aff20010db8123400000000000000000002ff020000000000000000000000000001\
    8800d4b72000000020010db8123400000000000000000002020102000000000a";

/// What the kernel (6.18) sends for duplicate address detection of fe80::ff:fe00:a; its last eight bytes
/// are the nonce of RFC 7527.
const KERNELS_DAD: &str = "3333ff00000a02000000000a86dd\
    6000000000203aff00000000000000000000000000000000ff0200000000000000000001ff00000a\
    8700409500000000fe80000000000000000000fffe00000a0e01c8ffabf0b984";

fn bytes(hex: &str) -> Vec<u8> {
    let hex: String = hex.split_whitespace().collect();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn ethernet() -> Link {
    Link {
        index: 7,
        name: "v0".to_owned(),
        altnames: Vec::new(),
        hardware: 1,
        flags: 0,
        operstate: 6,
        has_carrier: true,
        carrier_changes: 0,
        mac: vec![2, 0, 0, 0, 0, 0x0a],
        broadcast: vec![0xff; 6],
    }
}

fn infiniband() -> Link {
    Link {
        hardware: 32,
        mac: (0x40..0x54).collect(),
        broadcast: bytes("00ffffffff12401b8001000000000000ffffffff"),
        ..ethernet()
    }
}

/// As it is on an Ethernet, where the kernel writes the header.
fn on_ethernet(frame: &Frame) -> Vec<u8> {
    let link = ethernet();
    let header = [&frame.destination, link.mac.as_slice(), &frame.protocol.to_be_bytes()];
    [&header.concat(), frame.payload.as_slice()].concat()
}

#[test]
fn arp_announcements_are_send_arps_byte_for_byte() {
    let (link, ip) = (ethernet(), Ipv4Addr::new(192, 168, 144, 2));
    let sent = [request(&link, &link.mac, ip, &[0; 6]), reply(&link, &link.mac, ip)];
    for (sent, captured) in sent.iter().zip(SEND_ARP) {
        assert_eq!(on_ethernet(sent.as_ref().unwrap()), bytes(captured));
        assert_eq!(on_ethernet(sent.as_ref().unwrap()).len(), 42);
    }
}

#[test]
fn an_advertisement_is_send_uas_but_for_the_flow_label() {
    let link = ethernet();
    let ip = "2001:db8:1234::2".parse().unwrap();
    let sent = advertisement(&link, &link.mac, ip, Audience::Nodes, false).unwrap();
    let mut captured = bytes(SEND_UA);
    // The flow label: the kernel made it up of the addresses, and its checksum doesn't cover it.
    captured[15..18].fill(0);
    assert_eq!(on_ethernet(&sent), captured);
}

#[test]
fn a_routers_advertisement_says_so_and_news_for_routers_overrides_nothing() {
    let link = ethernet();
    let ip = "2001:db8:1234::2".parse().unwrap();
    let flags = |audience, is_router| {
        let frame = advertisement(&link, &link.mac, ip, audience, is_router).unwrap();
        let heard = parse_neighbor(&link, &frame.payload).unwrap();
        assert!(heard.is_advertisement && heard.mac.as_ref() == Some(&link.mac), "{heard:?}");
        (frame.payload[44], frame.destination[5], frame.payload[39])
    };
    assert_eq!(flags(Audience::Nodes, false), (0x20, 1, 1));
    assert_eq!(flags(Audience::Nodes, true), (0xa0, 1, 1));
    assert_eq!(flags(Audience::Routers, false), (0x00, 2, 2));
    assert_eq!(flags(Audience::Routers, true), (0x80, 2, 2));
}

#[test]
fn a_solicitation_is_the_kernels_but_for_the_nonce() {
    let link = ethernet();
    let ip: Ipv6Addr = "fe80::ff:fe00:a".parse().unwrap();
    let sent = solicitation(&link, ip, None).unwrap();
    let kernels = bytes(KERNELS_DAD);
    let heard = parse_neighbor(&link, &kernels[14..]).unwrap();
    assert_eq!(heard, parse_neighbor(&link, &sent.payload).unwrap());
    assert_eq!((heard.target, heard.source, heard.mac), (ip, Ipv6Addr::UNSPECIFIED, None));
    assert_eq!(on_ethernet(&sent)[..6], kernels[..6]);
    assert_eq!(on_ethernet(&sent)[22..54], kernels[22..54], "both IPv6 addresses");
    let asked = solicitation(&link, ip, Some("fe80::1".parse().unwrap())).unwrap();
    let heard = parse_neighbor(&link, &asked.payload).unwrap();
    assert_eq!(heard.mac, Some(link.mac));
}

#[test]
fn a_probe_claims_nothing() {
    let (link, ip) = (ethernet(), Ipv4Addr::new(192, 168, 144, 2));
    let frame = probe(&link, ip).unwrap();
    let expected = "ffffffffffff02000000000a0806\
                    000108000604000102000000000a00000000000000000000c0a89002";
    assert_eq!(on_ethernet(&frame), bytes(expected));
    let heard = parse_arp(&link, &frame.payload).unwrap();
    assert_eq!(
        heard,
        Arp { is_request: true, mac: link.mac, sender: Ipv4Addr::UNSPECIFIED, target: ip }
    );
}

#[test]
fn infiniband_has_twenty_bytes_and_its_own_groups() {
    let link = infiniband();
    let ip = Ipv4Addr::new(10, 0, 0, 1);
    let arp = request(&link, &link.mac, ip, &link.broadcast).unwrap();
    assert_eq!(arp.destination, link.broadcast);
    // Hardware type 32, addresses of 20 and 4 bytes; 8 + 2 * (20 + 4) bytes in all.
    assert_eq!(arp.payload[..8], [0, 32, 8, 0, 20, 4, 0, 1]);
    assert_eq!((arp.payload.len(), &arp.payload[8..28]), (56, link.mac.as_slice()));
    assert_eq!(parse_arp(&link, &arp.payload).unwrap().mac, link.mac);

    let ip = "2001:db8::5".parse().unwrap();
    let sent = advertisement(&link, &link.mac, ip, Audience::Nodes, false).unwrap();
    // RFC 4391, 4: the signature of IPv6, scope and partition of the broadcast group.
    assert_eq!(sent.destination, bytes("00ffffffff12601b800100000000000000000001"));
    // RFC 4391, 9.3: 24 bytes, two of them reserved.
    assert_eq!(sent.payload[64..68], [2, 3, 0, 0]);
    assert_eq!((sent.payload.len(), &sent.payload[68..]), (88, link.mac.as_slice()));
    assert_eq!(parse_neighbor(&link, &sent.payload).unwrap().mac, Some(link.mac));
}

#[test]
fn what_another_sort_of_link_says_is_not_heard() {
    let arp = request(&infiniband(), &infiniband().mac, Ipv4Addr::new(10, 0, 0, 1), &[0; 20]);
    assert_eq!(parse_arp(&ethernet(), &arp.unwrap().payload), None);
    // IEEE 802 (6) is Ethernet too.
    let mut arp = bytes(SEND_ARP[0])[14..].to_vec();
    arp[1] = 6;
    assert!(parse_arp(&ethernet(), &arp).is_some());
    arp[1] = 7;
    assert_eq!(parse_arp(&ethernet(), &arp), None);
}

#[test]
fn what_came_over_a_router_or_broken_is_not_heard() {
    let link = ethernet();
    let good = bytes(SEND_UA)[14..].to_vec();
    assert!(parse_neighbor(&link, &good).is_some());
    let change = |at: usize, to: u8| {
        let mut changed = good.clone();
        changed[at] = to;
        parse_neighbor(&link, &changed)
    };
    assert_eq!(change(7, 254), None, "hop limit");
    assert_eq!(change(42, 0), None, "checksum");
    assert_eq!(change(65, 0), None, "option of no length");
    assert_eq!(change(5, 40), None, "longer than it is");
    for length in 0..good.len() {
        assert_eq!(parse_neighbor(&link, &good[..length]), None, "{length} bytes");
    }
    let arp = bytes(SEND_ARP[0])[14..].to_vec();
    for length in 0..arp.len() {
        assert_eq!(parse_arp(&link, &arp[..length]), None, "{length} bytes");
    }
    // The rest of an Ethernet frame's least length means nothing.
    assert!(parse_arp(&link, &[arp, vec![0xaa; 18]].concat()).is_some());
}

#[test]
fn garbage_is_no_trap() {
    let mut numbers = Numbers(0x1234_5678_9abc_def1);
    let seeds = [&SEND_ARP[..], &[SEND_UA, KERNELS_DAD]].concat();
    let seeds: Vec<_> = seeds.iter().map(|hex| bytes(hex)[14..].to_vec()).collect();
    let mut heard = [0, 0];
    for round in 0..20_000 {
        let mut bytes = seeds[numbers.next() % seeds.len()].clone();
        if round % 2 == 0 {
            bytes = (0..numbers.next() % 200).map(|_| (numbers.next() & 0xff) as u8).collect();
        }
        for _ in 0..numbers.next() % 4 {
            let at = numbers.next() % (bytes.len() + 1);
            match numbers.next() % 3 {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, 0xff),
                _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 0x41),
            }
        }
        for link in [ethernet(), infiniband()] {
            heard[0] += usize::from(parse_arp(&link, &bytes).is_some());
            heard[1] += usize::from(parse_neighbor(&link, &bytes).is_some());
        }
    }
    // Some of what was barely changed is heard, or nothing was looked at.
    assert!(heard.iter().all(|count| *count > 500), "{heard:?}");
}
