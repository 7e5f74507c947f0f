// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Another host has the address: before the start, during it, and after it.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use ipaddr2_tests::world::{VIP, VIP6};
use ipaddr2_tests::{Capture, Frame, Seen, Snapshot, World, wait_for};

fn text(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

fn own(world: &World, address: &str) {
    let bits = if address == VIP { 24 } else { 64 };
    let flag = if address == VIP { "" } else { " nodad" };
    world.peer.ip(&format!("address add {address}/{bits} dev p0{flag}"));
}

fn guard(world: &World, code: i32) -> Seen {
    let seen = world.make(&world.call("monitor").env("OCF_CHECK_LEVEL", "10"));
    seen.is(code);
    seen
}

#[test]
fn a_start_names_the_other_owner() {
    let world = World::ours().with("run_arping", "true");
    let before = Snapshot::full(&world.node);
    own(&world, VIP);
    let capture = Capture::on(&world.peer);
    let seen = world.expect_reason("start", 1, VIP);
    seen.says(&text(world.mac("p0")));
    println!("a conflict is found in {:.0} ms", seen.milliseconds());
    world.expect("monitor", 7);
    let probes = capture.take().iter().filter_map(Frame::arp).collect::<Vec<_>>();
    for arp in &probes {
        // RFC 5227, 2.1.1: nobody's cache may learn from a probe.
        assert_eq!((arp.operation, arp.sender.as_slice()), (1, &[0; 4][..]), "{arp:?}");
        assert_eq!(
            (arp.target.as_slice(), arp.target_mac.as_slice()),
            (&[192, 168, 144, 2][..], &[0; 6][..])
        );
        assert_eq!((arp.sender_mac.as_slice(), arp.destination), (&world.mac("v0")[..], [0xff; 6]));
    }
    assert!(!probes.is_empty());
    world.is_as_before(&before);
}

#[test]
fn a_free_address_is_asked_for_and_taken() {
    let world = World::ours().with("run_arping", "true");
    let capture = Capture::on(&world.peer);
    let seen = world.expect("start", 0);
    let frames = capture.take();
    let probes = frames.iter().filter_map(Frame::arp).filter(|arp| arp.sender == [0; 4]).count();
    println!("free after {probes} probes in {:.0} ms", seen.milliseconds());
    assert!(probes >= 2);
    let first = frames.iter().position(|frame| frame.is_about(VIP.parse().unwrap()));
    let last = frames.iter().rposition(|one| one.arp().is_some_and(|arp| arp.sender == [0; 4]));
    assert!(first > last, "announced before it was free");
    world.expect("stop", 0);
}

#[test]
fn a_duplicate_of_ipv6_is_no_success() {
    let world = World::ours6();
    let before = Snapshot::full(&world.node);
    own(&world, VIP6);
    let seen = world.expect_reason("start", 1, VIP6);
    println!("a duplicate: {} ({:.0} ms)", seen.reason, seen.milliseconds());
    world.expect("monitor", 7);
    world.is_as_before(&before);
}

/// A failed duplicate address detection is never a running address, whoever added it.
#[test]
fn an_address_that_failed_detection_is_a_failure() {
    let world = World::ours6();
    own(&world, VIP6);
    world.node.ip(&format!("address add {VIP6}/64 dev v0"));
    wait_for("dadfailed", || {
        world.has(VIP6).iter().any(|line| line.contains("dadfailed")).then_some(())
    });
    world.expect_reason("monitor", 1, VIP6);
    world.expect_reason("probe", 1, VIP6);
    world.expect_reason("start", 1, VIP6);
    world.expect("stop", 0);
    assert_eq!(world.has(VIP6), [""; 0]);
    // The other one gives it up.
    world.peer.ip(&format!("address del {VIP6}/64 dev p0"));
    world.expect("start", 0);
    world.expect("monitor", 0);
    world.expect("stop", 0);
}

#[test]
fn a_guard_names_who_else_answers() {
    for (address, world) in [(VIP, World::ours()), (VIP6, World::ours6().with("nodad", "true"))] {
        world.expect("start", 0);
        guard(&world, 0);
        own(&world, address);
        let seen = guard(&world, 1);
        seen.says(address);
        seen.says(&text(world.mac("p0")));
        world.expect("monitor", 0);
        world
            .peer
            .ip(&format!("address del {address}/{} dev p0", if address == VIP { 24 } else { 64 }));
        guard(&world, 0);
        world.expect("stop", 0);
        guard(&world, 7);
    }
}
