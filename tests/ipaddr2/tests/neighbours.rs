// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What else is on the host stays as it is: other addresses, other processes, and what the other agent
//! started goes over into our hands and back.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use ipaddr2_tests::world::{VIP, VIP6};
use ipaddr2_tests::{Agent, Capture, Snapshot, World, pause};
use std::process::{Command, Stdio};
use std::time::Duration;

/// With promote_secondaries=0 the kernel takes every address of the network along with the first one.
#[test]
fn the_other_addresses_of_the_network_survive() {
    for promote in ["0", "1"] {
        let world = World::ours();
        for interface in ["all", "v0"] {
            world.node.set(&format!("ipv4/conf/{interface}/promote_secondaries"), promote);
        }
        world.node.ip(
            "address del 192.168.144.1/24 dev v0\n             address add 192.168.144.2/24 brd + dev v0\n             address add 192.168.144.1/24 brd + dev v0\n             address add 192.168.144.7/24 brd + dev v0 label v0:seven\n             route add 10.99.0.0/16 via 192.168.144.254",
        );
        world.expect("monitor", 0);
        world.expect("stop", 0);
        assert_eq!(world.has(VIP), [""; 0]);
        for (survivor, label) in [("192.168.144.1", "v0"), ("192.168.144.7", "v0:seven")] {
            let found = world.has(survivor);
            assert!(found.len() == 1 && found[0].ends_with(label), "{promote}: {found:?}");
        }
    }
}

#[test]
fn an_address_that_was_there_is_adopted_and_told_of() {
    let world = World::ours();
    world.node.ip("address add 192.168.144.2/24 brd + dev v0");
    world.expect("start", 0);
    assert!(world.log().contains(VIP), "nothing is said: {}", world.log());
    world.expect("stop", 0);
    assert_eq!(world.has(VIP), [""; 0]);
    assert_eq!(world.files(), [""; 0]);
}

/// It would be gone one day, and the resource with it.
#[test]
fn an_address_that_would_expire_stays() {
    let world = World::ours();
    world.node.ip("address add 192.168.144.2/24 brd + dev v0 valid_lft 600 preferred_lft 600");
    world.expect("start", 0);
    let found = world.has(VIP);
    assert!(found.len() == 1 && !found[0].contains("lft"), "{found:?}");
    world.expect("stop", 0);
}

/// A start that found the address there left it as it was.
#[test]
fn an_ipv6_address_that_was_there_gets_what_is_asked_for() {
    let world = World::ours6().with_all(&[
        ("lvs_ipv6_addrlabel", "true"),
        ("lvs_ipv6_addrlabel_value", "77"),
        ("preferred_lft", "0"),
    ]);
    world.node.ip(&format!("address add {VIP6}/64 dev v0 nodad\n"));
    world.expect("start", 0);
    let labels = world.node.run("ip", &["addrlabel", "list"], "");
    assert!(labels.contains(&format!("{VIP6}/128 label 77")), "{labels}");
    let addresses = world.node.run("ip", &["-6", "address", "show", "deprecated"], "");
    assert!(addresses.contains(VIP6), "{addresses}");
    world.expect("stop", 0);
    let labels = world.node.run("ip", &["addrlabel", "list"], "");
    assert!(!labels.contains(VIP6), "{labels}");
}

const HANDED: [&[(&str, &str)]; 6] = [
    &[("ip", VIP)],
    &[("ip", VIP), ("nic", "v0"), ("cidr_netmask", "28"), ("iflabel", "vip")],
    &[("ip", VIP), ("nic", "v1"), ("cidr_netmask", "32"), ("broadcast", "+")],
    &[("ip", VIP), ("nic", "v0"), ("lvs_support", "true")],
    &[("ip", VIP6), ("nodad", "true"), ("lvs_ipv6_addrlabel", "true")],
    &[("ip", VIP6), ("nic", "v1"), ("cidr_netmask", "64"), ("nodad", "true")],
];

#[test]
fn what_one_agent_started_the_other_one_stops() {
    std::thread::scope(|scope| {
        for parameters in HANDED {
            for first in [Agent::Shell, Agent::Ours] {
                scope.spawn(move || hand_over(first, parameters));
            }
        }
    });
}

fn hand_over(first: Agent, parameters: &[(&str, &str)]) {
    let mut world = World::of(first).with_all(parameters);
    let waits = parameters.contains(&("lvs_support", "true"));
    if waits {
        world.node.ip("address add 192.168.144.2/32 dev lo");
    }
    let before = Snapshot::full(&world.node);
    world.expect("start", 0);
    let running = Snapshot::of(&world.node);
    world.hand_to(first.other());
    world.expect("monitor", 0);
    world.expect("start", 0);
    world.expect("probe", 0);
    assert_eq!(running, Snapshot::of(&world.node), "taken over in another form");
    world.expect("stop", 0);
    world.expect("monitor", 7);
    // The first one agrees, and takes with it whatever it kept.
    world.hand_to(first);
    world.expect("monitor", 7);
    world.expect("stop", 0);
    let mut changes = before.changes(&Snapshot::full(&world.node));
    // On lo it comes back with a broadcast address, as the shell agent has it.
    changes.retain(|change| !(waits && (change.contains(" lo ") || change.contains("dev lo"))));
    assert!(changes.is_empty(), "{first:?} {parameters:?}: {changes:?}");
    if first == Agent::Ours {
        assert_eq!(world.files(), [""; 0], "{parameters:?}");
    }
}

/// The shell agent's stop knows nothing of our announcer, which looks before each frame.
#[test]
fn what_the_shell_agent_stops_isnt_announced_any_more() {
    let mut world = World::ours().with("arp_count", "50").with("arp_interval", "50");
    let capture = Capture::on(&world.peer);
    world.expect("start", 0);
    world.hand_to(Agent::Shell);
    world.expect("stop", 0);
    // One that was on its way.
    pause(Duration::from_millis(100));
    capture.clear();
    // The passing of time is what is tested.
    pause(Duration::from_secs(4));
    let late = capture.take().into_iter().filter(|frame| frame.is_about(VIP.parse().unwrap()));
    assert_eq!(late.collect::<Vec<_>>(), []);
    world.hand_to(Agent::Ours);
    world.expect("stop", 0);
    assert_eq!((world.files(), world.node.processes()), (vec![], vec![]));
}

/// A file that names the number of somebody else's process: of an older boot, or of a reused number.
#[test]
fn nobody_elses_process_is_ended() {
    let world = World::ours();
    world.expect("start", 0);
    let mut stranger = Command::new("sleep")
        .arg("600")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let number = stranger.id().to_string();
    let names = world.files().into_iter().chain([format!("send_arp-{VIP}")]);
    for name in names.filter(|name| !name.ends_with(".record")) {
        std::fs::write(world.records().join(name), &number).unwrap();
    }
    world.expect("monitor", 0);
    world.expect("stop", 0);
    assert!(stranger.try_wait().unwrap().is_none(), "a stranger was ended");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn reloading_loses_no_packet() {
    for (address, world) in [(VIP, World::ours()), (VIP6, World::ours6().with("nodad", "true"))] {
        let mut world = world;
        world.expect("start", 0);
        world.node.ip("address show");
        let ping = world.peer.inside(|| {
            Command::new("ping")
                .args(["-n", "-q", "-i", "0.005", "-c", "400", "-W", "5", address])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        });
        for (name, value) in [
            ("arp_interval", "100"),
            ("arp_count", "2"),
            ("check_link_status", "true"),
            ("preferred_lft", "0"),
            ("lvs_ipv6_addrlabel", "true"),
            ("lvs_ipv6_addrlabel_value", "77"),
            ("preferred_lft", "600"),
            ("preferred_lft", "forever"),
            ("lvs_ipv6_addrlabel", "false"),
        ] {
            world.change(name, value);
            world.expect("reload-agent", 0);
            world.expect("monitor", 0);
        }
        let output = ping.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(" 0% packet loss"), "{said}");
        world.expect("stop", 0);
        world.expect("reload-agent", 7);
    }
}

/// Nothing tells the address apart but the kernel's own words: not even the record is needed.
#[test]
fn a_lost_record_changes_nothing() {
    for what in ["removed", "torn", "of another address"] {
        let world = World::ours();
        world.expect("start", 0);
        for name in world.files().iter().filter(|name| name.ends_with(".record")) {
            let path = world.records().join(name);
            match what {
                "removed" => std::fs::remove_file(path).unwrap(),
                "torn" => std::fs::write(path, "version 1\ninde").unwrap(),
                _ => std::fs::write(path, "version 1\nindex 1\nprefix 8\n").unwrap(),
            }
        }
        world.expect("monitor", 0);
        world.expect("probe", 0);
        world.expect("start", 0);
        world.expect("stop", 0);
        world.expect("monitor", 7);
        assert_eq!(world.has(VIP), [""; 0], "{what}");
        assert_eq!((world.files(), world.node.processes()), (vec![], vec![]), "{what}");
    }
}
