// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The interface changes under a running address: it goes, gets another name, loses its link; and hosts
//! with very much on them.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use ipaddr2_tests::world::{VIP, VIP6};
use ipaddr2_tests::{Agent, Namespace, Snapshot, World, pause};
use std::time::Duration;

fn none(world: &World, address: &str) {
    assert_eq!(world.has(address), [""; 0]);
}

fn clean(world: &World) {
    none(world, VIP);
    assert_eq!(world.files(), [""; 0]);
    assert_eq!(world.node.processes(), []);
}

#[test]
fn an_interface_that_is_deleted() {
    for options in [&[("nic", "v1"), ("cidr_netmask", "24")][..], &[("ip", "10.1.1.2")]] {
        let world = World::ours().with_all(options);
        world.node.ip("address add 10.1.1.1/24 dev v1");
        world.expect("start", 0);
        world.node.ip("link delete v1");
        world.expect("monitor", 7);
        world.expect("probe", 7);
        world.expect("stop", 0);
        clean(&world);
        world.expect("start", 5);
        world.expect("stop", 0);
    }
}

#[test]
fn an_interface_that_is_renamed() {
    for options in [&[][..], &[("nic", "v0")], &[("nic", "v0"), ("cidr_netmask", "24")]] {
        let world = World::ours().with_all(options);
        world.expect("start", 0);
        world.node.ip("link set v0 down\nlink set v0 name lan0\nlink set lan0 up");
        if !options.is_empty() {
            world.expect_reason("monitor", 1, "lan0|v0");
        }
        world.expect("stop", 0);
        clean(&world);
        assert_eq!(world.has("192.168.144.1").len(), 1, "{options:?}");
    }
}

#[test]
fn an_interface_whose_name_another_one_has_now() {
    let world = World::ours().with("nic", "v0").with("cidr_netmask", "24");
    world.expect("start", 0);
    world.node.ip(
        "link set v0 down\nlink set v1 down\nlink set v0 name old\nlink set v1 name v0\n         link set v0 up\nlink set old up",
    );
    world.expect_reason("monitor", 1, "old|v0");
    world.expect_reason("probe", 1, "old|v0");
    world.expect("stop", 0);
    clean(&world);
}

/// Nobody wrote down that the interface was this one (the shell agent started it): the address is on one
/// that nobody asked for, where it may be somebody else's, and it stays, as with the shell agent.
#[test]
fn a_renamed_interface_without_a_record_is_somebody_elses() {
    let mut world = World::of(Agent::Shell).with("ip", VIP).with("nic", "v0");
    world.expect("start", 0);
    world.node.ip("link set v0 down\nlink set v0 name lan0\nlink set lan0 up");
    world.hand_to(Agent::Ours);
    world.expect("monitor", 7);
    world.expect("stop", 0);
    assert_eq!(world.has(VIP).len(), 1);
    assert_eq!(world.files(), [""; 0]);
}

#[test]
fn a_link_that_is_lost_and_found() {
    let world = World::ours().with("check_link_status", "true");
    world.expect("start", 0);
    world.expect("monitor", 0);
    world.peer.ip("link set p0 down");
    world.expect_reason("monitor", 1, "v0|link");
    world.peer.ip("link set p0 up");
    world.expect("monitor", 0);
    world.peer.ip("link set p0 down");
    world.expect("stop", 0);
    clean(&world);
}

/// A link that comes half a second later is waited for: that time passes is what is tested.
#[test]
fn a_link_that_is_late() {
    let world = World::ours().with("check_link_status", "true");
    world.peer.ip("link set p0 down");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            pause(Duration::from_millis(500));
            world.peer.ip("link set p0 up");
        });
        world.expect("start", 0);
    });
    world.expect("monitor", 0);
    world.expect("stop", 0);
}

#[test]
fn a_link_that_never_comes() {
    let world = World::ours().with("check_link_status", "true");
    world.peer.ip("link set p0 down");
    let before = Snapshot::full(&world.node);
    let seen = world.expect_reason("start", 1, "v0|link");
    println!("no link: {} ({:.0} ms)", seen.reason, seen.milliseconds());
    world.is_as_before(&before);
}

/// The link went while it ran, and a start looks at it.
#[test]
fn a_start_that_fails_without_a_link_takes_the_address_away() {
    let world = World::ours();
    let before = Snapshot::full(&world.node);
    world.expect("start", 0);
    world.peer.ip("link set p0 down");
    let world = world.with("check_link_status", "true").limit(Duration::from_secs(5));
    world.expect_reason("start", 1, "v0|link");
    none(&world, VIP);
    assert_eq!((world.files(), world.node.processes()), (vec![], vec![]));
    world.peer.ip("link set p0 up");
    pause(Duration::from_millis(200));
    world.is_as_before(&before);
}

#[test]
fn a_start_that_fails_switches_its_interface_off_again() {
    let options = [("nic", "v1"), ("cidr_netmask", "24"), ("check_link_status", "true")];
    let fails = |with: &str, stays: bool| {
        let world = World::ours().with_all(&options).limit(Duration::from_secs(5));
        world.peer.ip("link set p1 down");
        world.node.ip(&format!("link set v1 down\n{with}"));
        let before = world.has(VIP);
        world.expect_reason("start", 1, "v1|link");
        let flags = world.node.run("ip", &["-o", "link", "show", "v1"], "");
        assert_eq!(flags.contains("UP"), stays, "{with}: {flags}");
        assert_eq!((world.has(VIP), world.files()), (before, vec![]));
        world
    };
    fails("", false);
    fails("address add 192.168.144.3/24 dev v1\n", false);
    fails("address add 192.168.144.2/24 dev v1\n", false);
    // These would be gone.
    let world = fails("address add 2001:db8:77::1/64 dev v1 nodad\n", true);
    assert_eq!(world.has("2001:db8:77::1").len(), 1);
    // Another resource is there by then.
    let world = World::ours().with_all(&options).limit(Duration::from_secs(5));
    world.peer.ip("link set p1 down");
    world.node.ip("link set v1 down\n");
    let other = [("ip", "192.168.144.3"), ("check_link_status", "false")];
    let other =
        other.iter().fold(world.call("start"), |call, (name, value)| call.parameter(name, value));
    std::thread::scope(|scope| {
        let failing = scope.spawn(|| world.expect_reason("start", 1, "v1|link"));
        pause(Duration::from_millis(500));
        world.make(&other).is(0);
        failing.join().unwrap();
    });
    let flags = world.node.run("ip", &["-o", "link", "show", "v1"], "");
    assert!(flags.contains("UP"), "{flags}");
}

#[test]
fn a_namespace_that_goes() {
    let blue = Namespace::new();
    let world = World::ours().with("network_namespace", "blue");
    blue.ip("link set lo up\nlink add w0 type veth peer name w1\nlink set w0 up\n             link set w1 up\naddress add 192.168.144.9/24 dev w0");
    world.node.name("blue", &blue);
    let before = Snapshot::full(&world.node);
    world.expect("probe", 7);
    world.expect("start", 0);
    world.expect("monitor", 0);
    let inside = Snapshot::of(&blue).of_address(VIP.parse().unwrap());
    assert_eq!(inside.len(), 1, "{inside:?}");
    none(&world, VIP);
    // The name goes; the namespace stays as long as somebody is in it, and so does the address.
    world.node.forget("blue");
    world.expect("stop", 0);
    assert_eq!(Snapshot::of(&blue).of_address(VIP.parse().unwrap()), [""; 0]);
    world.expect_reason("start", 5, "blue");
    world.node.name("blue", &blue);
    world.expect("start", 0);
    // Now all of it goes, with the address.
    world.node.forget("blue");
    drop(blue);
    world.expect("probe", 7);
    world.expect("monitor", 7);
    world.expect("stop", 0);
    world.expect_reason("start", 5, "blue");
    world.is_as_before(&before);
}

/// Two of one address, each in its own namespace, know nothing of each other.
#[test]
fn one_address_in_two_namespaces() {
    let blue = Namespace::new();
    blue.ip("link set lo up\nlink add w0 type veth peer name w1\nlink set w0 up\n             link set w1 up\naddress add 192.168.144.9/24 dev w0");
    let mut world = World::ours();
    world.node.name("blue", &blue);
    world.expect("start", 0);
    world.change("network_namespace", "blue");
    world.expect("start", 0);
    world.expect("stop", 0);
    assert_eq!(world.has(VIP).len(), 1);
    world.change("network_namespace", "");
    world.expect("monitor", 0);
    world.expect("stop", 0);
    clean(&world);
}

#[test]
fn a_full_route_table() {
    let world = World::ours();
    let mut routes = String::new();
    for number in 0..100_000_u32 {
        let [_, a, b, c] = (number * 4).to_be_bytes();
        routes += &format!("route add 10.{a}.{b}.{c}/30 dev v1\n");
    }
    let small = fastest(&world, "probe", 7);
    world.node.ip(&routes);
    let large = fastest(&world, "probe", 7);
    let start = world.expect("start", 0);
    let monitor = fastest(&world, "monitor", 0);
    world.expect("stop", 0);
    println!(
        "with 100,000 routes: probe {small:.2} -> {large:.2} ms, start {:.2} ms, monitor {monitor:.2} ms",
        start.milliseconds()
    );
    clean(&world);
}

/// The fastest of some calls, in milliseconds.
fn fastest(world: &World, action: &str, code: i32) -> f64 {
    let times = (0..10).map(|_| world.expect(action, code).milliseconds());
    times.fold(f64::INFINITY, f64::min)
}

#[test]
fn ten_thousand_addresses() {
    let world = World::ours().with("ip", "10.7.255.1").with("nic", "v1").with("cidr_netmask", "16");
    let mut addresses = String::from("address add 10.7.254.1/16 dev v1\n");
    for number in 0..10_000_u32 {
        let [_, _, b, c] = (number + 1).to_be_bytes();
        addresses += &format!("address add 10.7.{b}.{c}/32 dev v1\n");
    }
    let absent = fastest(&world, "probe", 7);
    world.node.ip(&addresses);
    let absent_now = fastest(&world, "probe", 7);
    world.expect("start", 0);
    let monitor = fastest(&world, "monitor", 0);
    world.expect("stop", 0);
    world.node.ip("address add 10.7.255.1/24 dev v1");
    let other = fastest(&world, "probe", 7);
    println!(
        "with 10,000 addresses: absent {absent:.2} -> {absent_now:.2} ms, there {monitor:.2} ms,          with another prefix {other:.2} ms"
    );
    world.expect("stop", 0);
    assert_eq!(world.has("10.7.255.1").len(), 1);
    assert_eq!(world.has("10.7.254.1").len(), 1);
}

/// How long a start takes; printed, not judged: that is what `make bench` is for.
#[test]
fn how_long_a_start_takes() {
    let world = World::ours();
    let times: Vec<f64> = (0..5)
        .map(|_| {
            let start = world.expect("start", 0).milliseconds();
            world.expect("stop", 0);
            start
        })
        .collect();
    println!("IPv4 start: {times:.1?} ms");
    let world = World::ours6();
    for _ in 0..3 {
        let ours = world.expect("start", 0).milliseconds();
        let tentative = world.node.ip(&format!("address show to {VIP6}/128 tentative"));
        assert!(tentative.is_empty(), "{tentative}");
        world.expect("stop", 0);
        let begun = std::time::Instant::now();
        world.node.ip(&format!("address add {VIP6}/64 dev v0"));
        let is_tentative = || world.node.ip(&format!("address show to {VIP6}/128 tentative"));
        while is_tentative().contains(VIP6) {
            pause(Duration::from_millis(5));
        }
        let kernel = begun.elapsed().as_millis();
        world.node.ip(&format!("address del {VIP6}/64 dev v0"));
        println!("IPv6 start: {ours:.0} ms; the kernel's detection alone: {kernel} ms");
    }
}
