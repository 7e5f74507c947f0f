// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One node's share of an address: every state that it can be in, and what is wrong with parameters.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use ipaddr2_tests::sharing::{CLONE, rules, shared};
use ipaddr2_tests::world::{VIP, VIP6};
use ipaddr2_tests::{Snapshot, World};
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn flush(world: &World) {
    world.node.run("iptables", &["-t", "mangle", "-F", "PREROUTING"], "");
}

#[test]
fn without_the_address_nothing_runs_and_a_stop_has_nothing_to_do() {
    let world = shared();
    let before = Snapshot::full(&world.node);
    world.looks(7);
    world.expect("validate-all", 0);
    world.expect("stop", 0);
    world.is_as_before(&before);
}

#[test]
fn the_last_bucket_takes_everything_along() {
    let mut world = shared().with("clusterip_mac_mangle", "true");
    let before = Snapshot::full(&world.node);
    world.expect("start", 0);
    world.looks(0);
    world.change("CRM_meta_clone", "1");
    world.looks(7);
    world.expect("start", 0);
    world.looks(0);
    assert_eq!(rules(&world).len(), 3);
    world.expect("stop", 0);
    world.looks(7);
    assert_eq!((rules(&world).len(), world.has(VIP).len()), (2, 1));
    world.change("CRM_meta_clone", "0");
    world.looks(0);
    world.expect("stop", 0);
    world.looks(7);
    world.is_as_before(&before);
}

/// Another bucket than this instance's is served: nothing of this one is to be stopped.
#[test]
fn a_stop_leaves_another_instance_alone() {
    let mut world = shared();
    world.change("CRM_meta_clone", "1");
    world.expect("start", 0);
    let there = rules(&world);
    world.change("CRM_meta_clone", "0");
    let seen = world.expect("monitor", 7);
    seen.says("bucket 1 of 2|is not served here");
    world.expect("stop", 0);
    assert_eq!((rules(&world), world.has(VIP).len()), (there, 1));
}

#[test]
fn an_address_without_its_rules_is_a_failure_that_start_mends_and_stop_ends() {
    for last in ["start", "stop"] {
        let world = shared();
        let before = Snapshot::full(&world.node);
        world.expect("start", 0);
        let there = rules(&world);
        flush(&world);
        for action in ["probe", "monitor", "status"] {
            world.expect_reason(action, 1, "answers all clients|mangle");
        }
        if last == "start" {
            world.expect("start", 0);
            assert_eq!(rules(&world), there);
            world.looks(0);
        }
        world.expect("stop", 0);
        world.is_as_before(&before);
    }
}

#[test]
fn rules_without_their_address_are_neither_doubled_nor_left() {
    for again in [true, false] {
        let world = shared();
        let before = Snapshot::full(&world.node);
        world.expect("start", 0);
        let there = rules(&world);
        world.node.ip(&format!("address delete {VIP}/24 dev v0\n"));
        world.looks(7);
        if again {
            world.expect("start", 0);
            assert_eq!(rules(&world), there);
            world.looks(0);
        }
        world.expect("stop", 0);
        world.is_as_before(&before);
    }
}

/// The interface lost its other addresses, so that nothing tells the prefix or the seed any more.
#[test]
fn a_stop_remembers_what_the_seed_was_made_of() {
    let world = shared();
    world.expect("start", 0);
    world.node.set("ipv4/conf/all/promote_secondaries", "1");
    world.node.ip("address delete 192.168.144.1/24 dev v0\n");
    world.expect("monitor", 0);
    world.expect("stop", 0);
    assert!(rules(&world).is_empty() && world.files().is_empty());
    assert!(world.has(VIP).is_empty());
}

#[test]
fn what_can_work_on_no_node_is_refused_and_never_fails_a_stop() {
    let cases: [(&[(&str, &str)], &str); 8] = [
        (&[("clusterip_hash_seed", "010")], "clusterip_hash_seed"),
        (&[("clusterip_hash_seed", "junk")], "clusterip_hash_seed"),
        (&[("mac", "00:11:22:33:44:55")], "mac"),
        (&[("clusterip_firewall", "junk")], "clusterip_firewall"),
        (&[("clusterip_firewall", "nft")], "clusterip_firewall"),
        (&[("clusterip_table", "nosuch")], "clusterip_table"),
        (&[("clusterip_chain", "no such")], "clusterip_chain"),
        (&[("CRM_meta_clone_max", "33")], "clone-max"),
    ];
    for (parameters, words) in cases {
        let world = shared().with_all(parameters);
        let before = Snapshot::full(&world.node);
        world.expect_reason("start", 6, words);
        world.expect_reason("validate-all", 6, words);
        world.looks(7);
        world.expect("stop", 0);
        world.is_as_before(&before);
    }
    let six = World::ours6().with_all(&CLONE).with("clusterip_mac_mangle", "true");
    six.expect_reason("start", 6, "clusterip_mac_mangle");
    six.expect("stop", 0);
}

#[test]
fn what_this_node_lacks_is_named_and_leaves_nothing() {
    let without = shared().with("clusterip_chain", "NOSUCH");
    let before = Snapshot::full(&without.node);
    without.expect_reason("start", 5, "NOSUCH|clusterip_chain");
    without.expect_reason("validate-all", 5, "NOSUCH|clusterip_chain");
    without.looks(7);
    without.expect("stop", 0);
    without.is_as_before(&before);

    // No iptables at all.
    let world = shared();
    let bare =
        |action: &str| world.make(&world.call(action).env("OCF_TESTER_FAIL_HAVE_BINARY", "1"));
    for action in ["start", "validate-all"] {
        let seen = bare(action);
        seen.is(5);
        seen.says("iptables is not installed");
    }
    bare("probe").is(7);
    bare("stop").is(0);
    world.is_as_before(&before);
}

/// A start found iptables and put rules there; now it is gone: the address goes, and the log says what stays.
#[test]
fn a_stop_without_iptables_names_what_it_leaves() {
    let world = shared();
    world.expect("start", 0);
    world.make(&world.call("stop").env("OCF_TESTER_FAIL_HAVE_BINARY", "1")).is(0);
    assert!(world.has(VIP).is_empty());
    assert_eq!(rules(&world).len(), 2);
    let log = world.log();
    assert!(log.contains("iptables is not installed: rule -d 192.168.144.2"), "{log}");
    world.expect("start", 0);
    assert_eq!(rules(&world).len(), 2);
    world.expect("stop", 0);
    assert!(rules(&world).is_empty());
}

/// The kernel tells 32 buckets apart, and every one of them can be served.
#[test]
fn all_of_thirty_two_buckets_are_served() {
    let mut world = shared().with("CRM_meta_clone_max", "32");
    let before = Snapshot::full(&world.node);
    for instance in ["0", "6", "31"] {
        world.change("CRM_meta_clone", instance);
        world.expect("start", 0);
        world.expect("monitor", 0);
    }
    for instance in ["6", "31", "0"] {
        world.change("CRM_meta_clone", instance);
        world.expect("stop", 0);
        world.expect("probe", 7);
    }
    world.is_as_before(&before);
}

/// iptables without the `cluster` match, as a host has it where the kernel was built without.
#[test]
fn a_host_without_the_cluster_match_says_so() {
    let world = shared();
    let before = Snapshot::full(&world.node);
    let tools = world.path().join("tools");
    fs::create_dir(&tools).unwrap();
    let script = "#!/bin/sh\nfor word; do [ \"$word\" = cluster ] && exec env \
                  XTABLES_LIBDIR=/nowhere /usr/sbin/iptables \"$@\"; done\n\
                  exec /usr/sbin/iptables \"$@\"\n";
    fs::write(tools.join("iptables"), script).unwrap();
    fs::set_permissions(tools.join("iptables"), fs::Permissions::from_mode(0o755)).unwrap();
    let seen = world.make(&world.call("start").env("PATH", &tools));
    seen.is(5);
    seen.says("no cluster match in iptables or kernel");
    world.is_as_before(&before);
}

/// Real servers of LVS have the address on lo, as a clone: no client's frame comes in there (#323).
#[test]
fn a_clone_on_lo_shares_nothing() {
    let world = shared().with_all(&[("nic", "lo"), ("cidr_netmask", "32")]);
    let before = Snapshot::full(&world.node);
    world.expect("start", 0);
    assert!(rules(&world).is_empty());
    world.looks(0);
    world.expect("stop", 0);
    world.is_as_before(&before);
}

#[test]
fn an_ipv6_address_is_shared_without_detection_of_duplicates() {
    let world = World::ours6().with_all(&CLONE);
    let before = Snapshot::full(&world.node);
    // The other node has it, too.
    world.peer.ip(&format!("address add {VIP6}/64 dev p0 nodad\n"));
    world.expect("start", 0);
    world.expect("monitor", 0);
    world.expect("stop", 0);
    world.is_as_before(&before);
}

/// Both instances of a node at once, again and again: rules and address are there while one needs them.
#[test]
fn instances_that_start_and_stop_at_once_dont_hurt_each_other() {
    let world = shared();
    let before = Snapshot::full(&world.node);
    let call = |action: &str, number: &str| world.call(action).parameter("CRM_meta_clone", number);
    let at_once = |calls: [(&str, &str); 2]| {
        std::thread::scope(|scope| {
            let running = calls.map(|(action, number)| {
                let call = call(action, number);
                let world = &world;
                scope.spawn(move || world.make(&call))
            });
            for seen in running.map(|one| one.join().unwrap()) {
                seen.is(0);
            }
        });
    };
    for _ in 0..10 {
        at_once([("start", "0"), ("start", "1")]);
        assert_eq!(rules(&world).len(), 3);
        // One goes while the other one comes: what stays is there.
        at_once([("stop", "0"), ("stop", "1")]);
        at_once([("start", "0"), ("stop", "1")]);
        at_once([("stop", "0"), ("start", "1")]);
        world.make(&call("monitor", "1")).is(0);
        world.make(&call("monitor", "0")).is(7);
        at_once([("start", "0"), ("stop", "1")]);
        world.make(&call("monitor", "0")).is(0);
        at_once([("stop", "0"), ("stop", "1")]);
        world.is_as_before(&before);
    }
}

/// The seed is what `md5sum` makes of address, prefix and broadcast address in the shell agent of 2026, which
/// gives a host's own prefix the broadcast address of the network, and takes a rule for it as it is written.
#[test]
fn the_seed_is_the_shell_agents() {
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[], "0x581b5597"),
        (&[("nic", "v0"), ("cidr_netmask", "24")], "0x581b5597"),
        (&[("cidr_netmask", "32")], "0x3ff4307e"),
        (&[("broadcast", "+")], "0x1c5a4aab"),
        (&[("nic", "v0"), ("cidr_netmask", "16")], "0x113acddc"),
    ];
    for (parameters, seed) in cases {
        let world = shared().with_all(parameters);
        world.expect("start", 0);
        assert!(rules(&world)[0].contains(seed), "{parameters:?}: {:?}", rules(&world));
        world.expect("stop", 0);
    }
}
