// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One node's share of an address among others: rules that nobody stands behind, another interface, another
//! instance's stop, and a plain resource.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use ipaddr2_tests::sharing::{rules, shared};
use ipaddr2_tests::world::VIP;
use ipaddr2_tests::{Snapshot, World};
use nix::fcntl::{Flock, FlockArg};
use std::fs;
use std::time::Duration;

/// The other instance's rules were saved while it was here, and restored when it was gone.
#[test]
fn a_restored_rule_of_an_instance_that_runs_nowhere_keeps_no_address() {
    let mut world = shared();
    let before = Snapshot::full(&world.node);
    let instance = |world: &mut World, number: &str, action: &str| {
        world.change("CRM_meta_clone", number);
        world.expect(action, 0);
    };
    instance(&mut world, "0", "start");
    instance(&mut world, "1", "start");
    let saved = world.node.run("iptables-save", &["-t", "mangle"], "");
    instance(&mut world, "0", "stop");
    instance(&mut world, "1", "stop");
    // It comes back before the other instance's start, or while that one runs.
    for is_before in [true, false] {
        let restore = || world.node.run("iptables-restore", &["-n"], &saved);
        let _ = is_before.then(restore);
        world.change("CRM_meta_clone", "0");
        world.expect("start", 0);
        assert_eq!(rules(&world).len(), 2);
        world.looks(0);
        if !is_before {
            world.node.run("iptables-restore", &["-n"], &saved);
        }
        world.expect("stop", 0);
        world.looks(7);
        world.is_as_before(&before);
    }
    let log = world.log();
    assert!(log.contains("no instance that runs here needs it"), "{log}");
    // Restored while the first one runs, and then its own instance starts here: now both count.
    instance(&mut world, "0", "start");
    world.node.run("iptables-restore", &["-n"], &saved);
    instance(&mut world, "1", "start");
    instance(&mut world, "0", "stop");
    world.change("CRM_meta_clone", "1");
    world.looks(0);
    world.expect("stop", 0);
    world.is_as_before(&before);
}

/// Two resources have the same address, each as a clone on an interface of its own.
#[test]
fn the_same_address_on_two_interfaces_is_shared_on_each_by_itself() {
    let mut world = shared().with_all(&[("nic", "v0"), ("cidr_netmask", "24")]);
    world.node.ip("link add u0 type veth peer name u1\nlink set u0 addrgenmode none\nlink set u1 addrgenmode none\nlink set u0 up\nlink set u1 up\n");
    world.node.ip("address add 192.168.144.3/24 dev u0\n");
    let before = Snapshot::full(&world.node);
    let on = |world: &mut World, nic: &str, number: &str| {
        world.change("nic", nic);
        world.change("CRM_meta_clone", number);
    };
    for last in [("v0", "0"), ("u0", "1")] {
        on(&mut world, "v0", "0");
        world.expect("start", 0);
        let first = rules(&world);
        on(&mut world, "u0", "1");
        world.expect("start", 0);
        assert_eq!((rules(&world).len(), &rules(&world)[2..]), (4, &first[..]));
        let other = if last.0 == "v0" { ("u0", "1") } else { ("v0", "0") };
        on(&mut world, other.0, other.1);
        world.expect("stop", 0);
        world.looks(7);
        on(&mut world, last.0, last.1);
        world.looks(0);
        world.expect("stop", 0);
        world.looks(7);
        world.is_as_before(&before);
    }
}

/// What a look finds halfway through another instance's stop is no failure: it looks again in its turn.
#[test]
fn a_look_while_another_instance_stops_finds_nothing_wrong() {
    let world = shared();
    let path = world.records().join("IPaddr2-192.168.144.2.turn");
    for action in ["probe", "monitor", "status"] {
        let file = fs::File::create(&path).unwrap();
        let turn = Flock::lock(file, FlockArg::LockExclusive).unwrap();
        // The address is there, and its rules are gone.
        world.node.ip(&format!("address add {VIP}/24 brd + dev v0\n"));
        std::thread::scope(|scope| {
            let looking = scope.spawn(|| world.run(action));
            std::thread::sleep(Duration::from_millis(300));
            assert!(!looking.is_finished(), "{action}");
            world.node.ip(&format!("address delete {VIP}/24 dev v0\n"));
            drop(turn);
            looking.join().unwrap().is(7);
        });
    }
}

/// The resource was taken out of its clone, or is called without what says that it is in one.
#[test]
fn a_plain_resource_ends_the_sharing_of_its_address() {
    for last in ["start", "stop"] {
        let mut world = shared();
        let before = Snapshot::full(&world.node);
        world.expect("start", 0);
        world.change("CRM_meta_clone", "1");
        world.expect("start", 0);
        world.change("CRM_meta_clone_max", "1");
        for action in ["probe", "monitor", "status"] {
            world.expect_reason(action, 1, "answers some clients only|mangle");
        }
        if last == "start" {
            world.expect("start", 0);
            assert!(rules(&world).is_empty());
            world.looks(0);
        }
        world.expect("stop", 0);
        world.looks(7);
        world.is_as_before(&before);
    }
}
