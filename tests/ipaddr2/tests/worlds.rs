// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The worlds themselves: what the other tests stand on.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use ipaddr2_tests::{Agent, Capture, Snapshot, World};
use std::time::Instant;

#[test]
fn a_neighbour_sees_what_the_node_sends() {
    let begun = Instant::now();
    let world = World::of(Agent::Ours);
    println!("a world takes {:?}", begun.elapsed());
    let capture = Capture::on(&world.peer);
    let before = Snapshot::full(&world.node);
    world.node.run("ping", &["-c1", "-W5", "192.168.144.254"], "");
    let frames = capture.wait(1, |frame| frame.arp().is_some());
    let arp = frames[0].arp().unwrap();
    assert_eq!((arp.operation, arp.sender.as_slice()), (1, &[192, 168, 144, 1][..]));
    assert_eq!(arp.sender_mac, world.mac("v0"));
    world.is_as_before(&before);
}
