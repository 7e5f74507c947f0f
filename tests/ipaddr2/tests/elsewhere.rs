// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The same address somewhere else: waiting on lo, in another namespace, on another interface. What isn't
//! the resource's is never taken for it, and never taken away.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use ipaddr2_tests::world::{VIP, VIP6};
use ipaddr2_tests::{Namespace, Snapshot, World, wait_for};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command};

/// The real server's own copy stays, whatever became of the director's interface.
#[test]
fn what_waits_on_lo_stays_there_when_the_network_is_lost() {
    for (vip, bits) in [(VIP, 32), (VIP6, 128)] {
        let wait = format!("address add {vip}/{bits} dev lo\n");
        for options in [&[][..], &[("cidr_netmask", if bits == 32 { "32" } else { "128" })]] {
            // A copy, and nothing was ever started.
            let world = World::ours().with("ip", vip).with_all(options);
            world.node.ip(&wait);
            let waiting = world.has(vip);
            world.expect("probe", 7);
            world.node.ip("link set v0 down\n");
            for action in ["probe", "monitor"] {
                world.expect(action, 7);
            }
            world.expect("stop", 0);
            assert_eq!(world.has(vip), waiting);

            // Started on the interface while lo has a copy, too.
            let world = World::ours().with("ip", vip).with_all(options).with("nodad", "true");
            world.node.ip(&wait);
            world.expect("start", 0);
            assert_eq!(world.has(vip).len(), 2);
            world.node.ip("link set v0 down\n");
            world.expect("stop", 0);
            world.expect("stop", 0);
            assert_eq!(world.has(vip), waiting);
        }
    }
}

#[test]
fn what_stop_put_back_on_lo_stays_there_when_the_network_is_lost() {
    let world = World::ours().with_all(&[("lvs_support", "true"), ("cidr_netmask", "32")]);
    world.node.ip(&format!("address add {VIP}/32 dev lo\n"));
    let waiting = world.has(VIP);
    world.expect("start", 0);
    world.expect("monitor", 0);
    world.node.ip("link set v0 down\n");
    for _ in 0..2 {
        world.expect("stop", 0);
        assert_eq!(world.has(VIP), waiting);
        world.expect("monitor", 7);
    }
}

/// A namespace with a network of the address.
fn inhabited() -> Namespace {
    let made = Namespace::new();
    made.ip("link set lo up\nlink add w0 type veth peer name w1\nlink set w0 up\nlink set w1 up\n\
             address add 192.168.144.9/24 dev w0\n");
    made
}

fn has(namespace: &Namespace) -> usize {
    Snapshot::of(namespace).of_address(VIP.parse().unwrap()).len()
}

/// The kernel gives the inode of a namespace that is gone to the next one.
#[test]
fn a_namespace_with_the_inode_of_another_one_is_left_alone() {
    let (blue, red) = (inhabited(), inhabited());
    let world = World::ours().with("network_namespace", "blue");
    world.node.name("blue", &blue);
    world.expect("start", 0);
    let file = world.records().join(format!("IPaddr2-{VIP}@blue.record"));
    let inode = |of: &Namespace| fs::metadata(of.path()).unwrap().ino();
    let record = fs::read_to_string(&file).unwrap();
    world.node.forget("blue");
    let reused = record
        .replace(&format!("namespace {}\n", inode(&blue)), &format!("namespace {}\n", inode(&red)));
    assert_ne!(reused, record);
    drop(blue);
    red.ip(&format!("address add {VIP}/24 dev w0\n"));
    let inhabitant = Inhabitant::of(&red);
    for name in ["", "red"] {
        if !name.is_empty() {
            world.node.name(name, &red);
        }
        // What an earlier version wrote had no more than the inode.
        let earlier: String = reused
            .lines()
            .filter(|line| !line.starts_with("cookie"))
            .map(|l| format!("{l}\n"))
            .collect();
        for record in [&reused, &earlier] {
            fs::write(&file, record).unwrap();
            world.expect("monitor", 7);
            world.expect_reason("validate-all", 5, "blue");
            world.expect_reason("start", 5, "blue");
            world.expect("stop", 0);
            assert_eq!((has(&red), world.files().len()), (1, 0));
        }
    }
    drop(inhabitant);
}

/// No start puts an address where its stop would only find it by a hint.
#[test]
fn nothing_is_started_in_a_namespace_without_its_name() {
    let blue = inhabited();
    let world = World::ours().with("network_namespace", "blue");
    world.node.name("blue", &blue);
    world.expect("start", 0);
    let inhabitant = Inhabitant::of(&blue);
    blue.ip(&format!("address del {VIP}/24 dev w0\n"));
    world.node.forget("blue");
    world.expect_reason("validate-all", 5, "blue");
    world.expect_reason("start", 5, "blue");
    assert_eq!(has(&blue), 0);
    world.expect("stop", 0);
    assert_eq!(world.files(), [""; 0]);
    drop(inhabitant);
}

#[test]
fn an_address_in_the_namespace_that_was_called_so_is_found_and_removed() {
    // Its name means another one now; it has another name; it has none, but a process.
    for case in ["made again", "renamed", "nameless"] {
        let (blue, other) = (inhabited(), inhabited());
        let world = World::ours().with("network_namespace", "blue");
        world.node.name("blue", &blue);
        world.expect("start", 0);
        let inhabitant = Inhabitant::of(&blue);
        world.node.forget("blue");
        match case {
            "made again" => world.node.name("blue", &other),
            "renamed" => {
                drop(inhabitant);
                world.node.name("green", &blue);
            }
            _ => {}
        }
        for action in ["probe", "monitor"] {
            world.expect_reason(action, 1, "still in the network namespace that was called blue");
        }
        if case == "made again" {
            // A start takes it from there, too: nobody has it twice.
            world.expect("start", 0);
            assert_eq!((has(&blue), has(&other)), (0, 1), "{case}");
            world.expect("monitor", 0);
        }
        world.expect("stop", 0);
        assert_eq!((has(&blue), has(&other)), (0, 0), "{case}");
        assert_eq!(world.files(), [""; 0], "{case}");
        world.expect("probe", 7);
    }
}

/// A process that lives in a namespace.
struct Inhabitant(Child);

impl Inhabitant {
    fn of(namespace: &Namespace) -> Self {
        Self(namespace.inside(|| Command::new("sleep").arg("600").spawn().unwrap()))
    }
}

impl Drop for Inhabitant {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// What every start refuses isn't the resource's, though the node has it.
#[test]
fn an_address_that_no_start_takes_is_left_alone() {
    let cases = [
        ("::1", "address show dev lo"),
        ("fe80::1", "address show dev v0"),
        ("fe80::1", "address add fe80::1/64 dev v1 nodad"),
        ("ff02::5", "address add ff02::5/64 dev v1 autojoin"),
        ("224.0.0.5", "address add 224.0.0.5/32 dev v1 autojoin"),
        ("0.1.2.3", "address add 0.1.2.3/32 dev v1"),
        ("::ffff:192.168.144.2", "address add ::ffff:192.168.144.2/128 dev v1 nodad"),
    ];
    for (ip, line) in cases {
        let world = World::ours()
            .with("ip", ip)
            .with_all(&[("lvs_ipv6_addrlabel", "true"), ("lvs_ipv6_addrlabel_value", "0")]);
        // The kernel refuses some: then there is even less to be found.
        let _refused =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.node.ip(line)));
        wait_for("the kernel's route", || {
            let routes = world.node.run("ip", &["-6", "route", "show", "table", "local"], "");
            let is_told = routes.contains(&format!("local {ip} "));
            (is_told || !line.ends_with("nodad")).then_some(())
        });
        let before = Snapshot::full(&world.node);
        world.expect("start", 6);
        world.looks(7);
        world.expect("stop", 0);
        world.is_as_before(&before);
    }
    // With its interface, a link-local one is as good as any.
    let world = World::ours().with("ip", "fe80::1").with("nic", "v0");
    world.expect("monitor", 0);
    world.expect("stop", 0);
    assert_eq!(world.has("fe80::1").len(), 0);
}

const NO_PREFIXES: [&str; 6] = ["junk", "024", "255.0.255.0", "-1", "33", "0"];

/// Nothing runs by a prefix that every start refuses. But a stop may be for what ran before that was spoilt.
#[test]
fn a_prefix_that_is_none_means_no_address_of_lo_and_nothing_that_runs() {
    for prefix in NO_PREFIXES {
        for (nic, kept) in [("v1", 0), ("lo", 1)] {
            let world = World::ours().with_all(&[("nic", nic), ("cidr_netmask", prefix)]);
            world.node.ip(&format!("address add {VIP}/32 dev {nic}\n"));
            for action in ["probe", "monitor"] {
                world.expect(action, 7);
            }
            world.expect_reason("start", 6, "cidr_netmask");
            assert_eq!(world.has(VIP).len(), 1);
            world.expect("stop", 0);
            assert_eq!(world.has(VIP).len(), kept, "{prefix} {nic}");
        }
    }
}

#[test]
fn what_was_started_runs_on_when_its_prefix_is_spoilt() {
    for prefix in NO_PREFIXES {
        for nic in ["v1", "lo"] {
            let mut world = World::ours().with_all(&[("nic", nic), ("cidr_netmask", "32")]);
            world.expect("start", 0);
            world.change("cidr_netmask", prefix);
            world.expect("monitor", 0);
            world.expect("stop", 0);
            assert_eq!((world.has(VIP).len(), world.files().len()), (0, 0), "{prefix} {nic}");
        }
    }
}

/// Three interfaces have as good a network: nic names them, or the kernel does.
fn on_many() -> World {
    let world = World::ours();
    world.node.ip("link add v2 type veth peer name w2\nlink set w2 up\nlink set v2 up\naddress add 192.168.144.3/24 dev v1\n\
                   address add 192.168.144.4/24 dev v2\n");
    world
}

#[test]
fn a_stop_leaves_copies_on_other_interfaces_alone() {
    let world = on_many();
    world.expect("start", 0);
    // Somebody's own, which no record names.
    world.node.ip(&format!("address add {VIP}/24 dev v1\n"));
    let other = world.call("start").parameter("nic", "v2").env("OCF_RESOURCE_INSTANCE", "other");
    world.make(&other).is(0);
    assert_eq!(world.has(VIP).len(), 3);
    world.expect("stop", 0);
    let left = world.has(VIP).join(" ");
    assert!(!left.contains("v0") && left.contains("v1") && left.contains("v2"), "{left}");
    world.make(&other.action("monitor")).is(0);
}

#[test]
fn what_another_resource_started_on_a_named_interface_is_its_own() {
    let world = on_many();
    let other = world.call("start").parameter("nic", "v2").env("OCF_RESOURCE_INSTANCE", "other");
    world.make(&other).is(0);
    for action in ["probe", "monitor"] {
        world.expect(action, 7);
    }
    world.expect("stop", 0);
    world.make(&other.clone().action("monitor")).is(0);
    // Without its record nobody knows whose it is.
    fs::remove_file(world.records().join(format!("IPaddr2-{VIP}%v2.record"))).unwrap();
    world.expect("monitor", 0);
    world.expect("stop", 0);
    assert_eq!(world.has(VIP).len(), 0);
    // The same resource, whose nic was taken out of the configuration while it ran.
    let mut world = on_many().with("nic", "v2");
    world.expect("start", 0);
    world.change("nic", "");
    world.expect("monitor", 0);
    world.expect("stop", 0);
    assert_eq!(world.has(VIP).len(), 0);
}

#[test]
fn an_address_with_many_prefixes_goes_with_all_of_them() {
    let world = World::ours();
    world.expect("start", 0);
    let lines: String = (16..=32)
        .filter(|bits| *bits != 24)
        .map(|bits| format!("address add {VIP}/{bits} dev v0\n"))
        .collect();
    world.node.ip(&lines);
    world.expect("stop", 0);
    assert_eq!(world.has(VIP).len(), 0);
}
