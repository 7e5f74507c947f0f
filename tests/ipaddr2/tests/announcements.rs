// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the neighbour sees: every field of the frames that tell it of the address, when they come, and
//! that none comes any more.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use ipaddr2_tests::capture::{Arp, Icmp};
use ipaddr2_tests::world::{VIP, VIP6};
use ipaddr2_tests::{Capture, Frame, World, pause, wait_for};
use std::net::IpAddr;
use std::time::Duration;

const BROADCAST: [u8; 6] = [0xff; 6];
const ALL_NODES: [u8; 6] = [0x33, 0x33, 0, 0, 0, 1];

/// All frames about an address, until nothing that announces it runs any more.
fn all(world: &World, capture: &Capture, address: &str) -> Vec<Frame> {
    let address: IpAddr = address.parse().unwrap();
    let mut frames = Vec::new();
    wait_for("the end of the announcements", || {
        let is_over = world.node.processes().is_empty();
        frames.extend(capture.take().into_iter().filter(|frame| frame.is_about(address)));
        is_over.then_some(())
    });
    frames
}

/// The pauses between frames, in milliseconds.
fn pauses(frames: &[Frame]) -> Vec<u128> {
    frames.windows(2).map(|pair| (pair[1].time - pair[0].time).as_millis()).collect()
}

fn arps(frames: &[Frame]) -> Vec<Arp> {
    frames.iter().map(|frame| frame.arp().unwrap_or_else(|| panic!("{frame}"))).collect()
}

/// The advertisements among them: the kernel's own solicitations look for duplicates.
fn advertisements(frames: &[Frame]) -> Vec<Icmp> {
    let messages = frames.iter().filter_map(Frame::icmp);
    messages.filter(|message| message.kind == 136).collect()
}

#[test]
fn requests_and_replies_of_ipv4() {
    let world = World::ours().with("arp_count", "3").with("arp_interval", "100");
    let capture = Capture::on(&world.peer);
    let seen = world.expect("start", 0);
    assert!(seen.execution.holders.is_empty(), "{:?}", seen.execution.holders);
    let frames = all(&world, &capture, VIP);
    println!("IPv4: {} frames, pauses {:?} ms", frames.len(), pauses(&frames));
    let (own, vip) = (world.mac("v0"), [192, 168, 144, 2]);
    for arp in arps(&frames) {
        assert_eq!((arp.destination, arp.source), (BROADCAST, own), "{arp:?}");
        assert_eq!((arp.sender.as_slice(), arp.target.as_slice()), (&vip[..], &vip[..]), "{arp:?}");
        assert_eq!(arp.sender_mac, own, "{arp:?}");
        let target: &[u8] = if arp.operation == 1 { &[0; 6] } else { &own };
        assert_eq!(arp.target_mac, target, "{arp:?}");
    }
    let of = |operation| arps(&frames).iter().filter(|arp| arp.operation == operation).count();
    assert!(of(1) >= 3 && of(2) >= 3 && of(1) + of(2) == frames.len(), "{} {}", of(1), of(2));
    assert!(frames.iter().all(|frame| frame.bytes.len() >= 42));
    world.expect("stop", 0);
}

#[test]
fn the_form_that_another_sender_would_have_sent() {
    for (options, operation) in [("-U", 1), ("-A", 2), ("", 1)] {
        let world = World::ours()
            .with_all(&[("arp_sender", "iputils_arping"), ("send_arp_opts", options)])
            .with_all(&[("arp_count", "2"), ("arp_interval", "50")]);
        let capture = Capture::on(&world.peer);
        world.expect("start", 0);
        let frames = all(&world, &capture, VIP);
        assert!(frames.len() >= 2, "{options}: {}", frames.len());
        let operations: Vec<u16> = arps(&frames).iter().map(|arp| arp.operation).collect();
        assert!(operations.iter().all(|one| *one == operation), "{options}: {operations:?}");
        world.expect("stop", 0);
    }
}

/// Somebody may have missed the first ones: a switch that has just opened its port.
#[test]
fn a_second_burst_comes_later() {
    let world = World::ours().with("arp_count", "2").with("arp_interval", "50");
    let capture = Capture::on(&world.peer);
    world.expect("start", 0);
    let frames = all(&world, &capture, VIP);
    let longest = pauses(&frames).into_iter().max().unwrap();
    assert!(longest >= 2000, "{:?}", pauses(&frames));
    world.expect("stop", 0);
}

fn advertised(world: &World) -> Vec<Icmp> {
    let capture = Capture::on(&world.peer);
    let seen = world.expect("start", 0);
    assert!(seen.execution.holders.is_empty(), "{:?}", seen.execution.holders);
    let found = advertisements(&all(world, &capture, VIP6));
    assert!(!found.is_empty());
    let (own, vip): ([u8; 6], std::net::Ipv6Addr) = (world.mac("v0"), VIP6.parse().unwrap());
    for message in found.iter().filter(|message| message.destination_mac == ALL_NODES) {
        assert_eq!((message.source, message.hop_limit), (vip, 255), "{message:?}");
        assert_eq!(message.destination.to_string(), "ff02::1", "{message:?}");
        assert!(message.is_sound, "{message:?}");
        assert_eq!(message.source_mac, own, "{message:?}");
        assert_eq!(message.body[4..20], vip.octets(), "{message:?}");
        // The target's link-layer address: type 2, one unit of 8 bytes.
        assert_eq!(message.body[20..28], [&[2, 1], &own[..]].concat(), "{message:?}");
    }
    world.expect("stop", 0);
    found
}

#[test]
fn advertisements_of_ipv6() {
    let all = advertised(&World::ours6().with("nodad", "true").with("arp_interval", "100"));
    println!("IPv6: {} advertisements", all.len());
    let to_all = all.iter().filter(|message| message.destination_mac == ALL_NODES);
    let flags: Vec<u8> = to_all.map(|message| message.body[0]).collect();
    assert!(!flags.is_empty() && flags.iter().all(|flags| *flags == 0x20), "{flags:02x?}");
}

/// Whoever has the address as its default gateway would drop it otherwise (RFC 4861, 7.2.5).
#[test]
fn a_router_says_that_it_is_one() {
    let world = World::ours6().with("nodad", "true").with("arp_interval", "100");
    world.node.set("ipv6/conf/all/forwarding", "1");
    let all = advertised(&world);
    let to_all = all.iter().filter(|message| message.destination_mac == ALL_NODES);
    let flags: Vec<u8> = to_all.map(|message| message.body[0]).collect();
    assert!(!flags.is_empty() && flags.iter().all(|flags| *flags == 0xa0), "{flags:02x?}");
}

#[test]
fn nothing_is_sent_before_duplicates_are_ruled_out() {
    let world = World::ours6();
    let capture = Capture::on(&world.peer);
    world.expect("start", 0);
    let frames = all(&world, &capture, VIP6);
    let kinds: Vec<u8> = frames.iter().filter_map(Frame::icmp).map(|one| one.kind).collect();
    let solicited = kinds.iter().take_while(|kind| **kind == 135).count();
    assert!(solicited >= 1, "{kinds:?}");
    assert!(kinds[solicited..].contains(&136), "{kinds:?}");
    assert!(!kinds[solicited..].contains(&135), "still looked for: {kinds:?}");
    world.expect("stop", 0);
}

#[test]
fn a_monitor_refreshes() {
    for (address, world) in [(VIP, World::ours()), (VIP6, World::ours6().with("nodad", "true"))] {
        let world = world.with_all(&[
            ("arp_count", "1"),
            ("arp_interval", "50"),
            ("arp_count_refresh", "2"),
        ]);
        let capture = Capture::on(&world.peer);
        world.expect("start", 0);
        let first = all(&world, &capture, address).len();
        world.expect("monitor", 0);
        let refreshed = all(&world, &capture, address).len();
        println!("{address}: {first} frames at start, {refreshed} at a monitor");
        assert!(refreshed >= 2);
        world.expect("stop", 0);
        world.expect("monitor", 7);
        assert!(all(&world, &capture, address).is_empty(), "a stopped one announces");
    }
}

/// A new MAC, or a cable that was plugged in elsewhere: whoever knew the old way has to be told.
#[test]
fn a_monitor_announces_again_what_changed_on_the_wire() {
    for (address, world) in [(VIP, World::ours()), (VIP6, World::ours6().with("nodad", "true"))] {
        let world = world.with_all(&[("arp_count", "1"), ("arp_interval", "50"), ("nic", "v0")]);
        let world = world.with("cidr_netmask", if address == VIP { "24" } else { "64" });
        let capture = Capture::on(&world.peer);
        world.expect("start", 0);
        all(&world, &capture, address);
        let quiet = |why: &str| {
            world.expect("monitor", 0);
            let frames = all(&world, &capture, address);
            assert!(frames.is_empty(), "{address}, {why}: {frames:?}");
        };
        quiet("nothing has changed");
        world.node.ip("link set v0 address 02:00:00:00:00:77");
        world.expect("monitor", 0);
        let frames = all(&world, &capture, address);
        assert!(!frames.is_empty(), "{address}: silent about its new MAC");
        for frame in &frames {
            assert_eq!(frame.bytes[6..12], [2, 0, 0, 0, 0, 0x77], "{frame}");
        }
        quiet("told already");
        // Down and up again: the kernel keeps the addresses of an interface that is up itself.
        world.peer.ip("link set p0 down");
        wait_for("the loss of the carrier", || {
            let state = world.node.run("cat", &["/sys/class/net/v0/carrier"], "");
            (state.trim() == "0").then_some(())
        });
        world.peer.ip("link set p0 up");
        wait_for("the carrier", || {
            let state = world.node.run("cat", &["/sys/class/net/v0/carrier"], "");
            (state.trim() == "1").then_some(())
        });
        capture.clear();
        world.expect("monitor", 0);
        assert!(!all(&world, &capture, address).is_empty(), "{address}: silent after the carrier");
        quiet("told already, again");
        world.expect("stop", 0);
    }
}

/// The passing of time is what is tested: no frame leaves in the ten seconds after a stop.
#[test]
fn no_frame_after_a_stop() {
    let worlds: Vec<(&str, World)> = vec![
        (VIP, World::ours()),
        (VIP6, World::ours6().with("nodad", "true")),
        (VIP, World::ours().with("arp_count", "50").with("arp_interval", "20")),
    ];
    let captures: Vec<Capture> = worlds.iter().map(|(_, world)| Capture::on(&world.peer)).collect();
    for (_, world) in &worlds {
        world.expect("start", 0);
    }
    pause(Duration::from_millis(500));
    for ((address, world), capture) in worlds.iter().zip(&captures) {
        let sent = capture.take();
        let address: IpAddr = address.parse().unwrap();
        assert!(sent.iter().any(|frame| frame.is_about(address)), "{address}: nothing was sent");
        assert!(!world.node.processes().is_empty(), "{address}: nobody announces any more");
        world.expect("stop", 0);
        assert_eq!(world.node.processes(), []);
        // What was in flight when stop ended is there now.
        capture.clear();
    }
    pause(Duration::from_secs(10));
    for ((address, _), capture) in worlds.iter().zip(&captures) {
        let address: IpAddr = address.parse().unwrap();
        let late: Vec<_> =
            capture.take().into_iter().filter(|frame| frame.is_about(address)).collect();
        assert_eq!(late, [], "{address}");
    }
}

/// Somebody takes the address away by hand: who announces it looks before each frame.
#[test]
fn no_frame_for_an_address_that_was_taken_away_by_hand() {
    let world = World::ours().with("arp_count", "20").with("arp_interval", "50");
    let capture = Capture::on(&world.peer);
    world.expect("start", 0);
    world.node.ip("address del 192.168.144.2/24 dev v0");
    // One that was on its way.
    pause(Duration::from_millis(100));
    capture.clear();
    let late = all(&world, &capture, VIP);
    assert_eq!(late, []);
    world.expect("monitor", 7);
    world.expect("stop", 0);
}
