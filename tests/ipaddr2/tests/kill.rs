// SPDX-License-Identifier: Apache-2.0 OR MIT
//! KILL at every call of start and stop that changes something; after each one stop answers 0, monitor 7,
//! start 0, and nothing is left: no address, address label, rule, file or process, and nobody else's
//! address is gone.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use ipaddr2_tests::world::VIP;
use ipaddr2_tests::{Snapshot, World};
use ocf_tester::kill::{Kill, Trial};
use std::time::Duration;

/// A traced action on a busy machine takes its time.
const LIMIT: Duration = Duration::from_secs(60);

/// What is wrong after a kill: the resource is brought back as Pacemaker does it, and used once more.
fn recover(world: &World, before: &Snapshot) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut call = |action: &str, code: i32| {
        let seen = world.run(action);
        if seen.code() != Some(code) {
            wrong.push(format!("{action} answers not {code}: {seen}"));
        }
    };
    call("stop", 0);
    call("monitor", 7);
    let first = left(world, before);
    let mut call = |action: &str, code: i32| {
        let seen = world.run(action);
        if seen.code() != Some(code) {
            wrong.push(format!("then {action} answers not {code}: {seen}"));
        }
    };
    call("start", 0);
    call("monitor", 0);
    call("stop", 0);
    wrong.extend(first);
    wrong.extend(left(world, before));
    forget_promotion(world);
    wrong
}

/// A kill may leave this setting as a stop needs it, which nobody's address is lost by; the next kill
/// begins with what there was at first.
fn forget_promotion(world: &World) {
    for interface in ["all", "v0", "v1"] {
        world.node.set(&format!("ipv4/conf/{interface}/promote_secondaries"), "0");
    }
}

fn left(world: &World, before: &Snapshot) -> Vec<String> {
    let changes = before.changes(&Snapshot::full(&world.node));
    // That an address moves up in its network, or that lo's comes back with a broadcast, is none.
    let plain = |line: &str| {
        line.replace(" secondary", "").replace(" brd 255.255.255.255", "").replace("  ", " ")
    };
    let of = |kind: &'static str| {
        changes.iter().filter_map(move |one| one.strip_prefix(kind)).map(plain).collect::<Vec<_>>()
    };
    let (added, removed) = (of("adds "), of("removes "));
    let mut wrong: Vec<String> = Vec::new();
    wrong.extend(
        added.iter().filter(|line| !removed.contains(line)).map(|line| format!("left: {line}")),
    );
    wrong.extend(
        removed.iter().filter(|line| !added.contains(line)).map(|line| format!("lost: {line}")),
    );
    wrong.extend(world.files().into_iter().map(|file| format!("left: file {file}")));
    let processes = world.node.processes();
    // The recovery runs beside the traced action's thread, never beside the action itself.
    wrong.extend(processes.into_iter().map(|(pid, name)| format!("left: process {pid} {name}")));
    wrong
}

/// Announced as long as the test takes: whether stop has an announcer to end isn't left to chance.
fn announced(world: World) -> World {
    world.with_all(&[("arp_count", "1000"), ("arp_interval", "100")])
}

fn survives(world: &World, action: &str, preparation: &[&str]) {
    survives_some(world, action, preparation, usize::MAX);
}

/// The same with a bounded number of kills, spread evenly.
fn survives_some(world: &World, action: &str, preparation: &[&str], kills: usize) {
    let before = Snapshot::full(&world.node);
    let report = world.node.inside(|| {
        Trial::new(world.call(action))
            .budget(kills)
            .limit(LIMIT)
            .prepare(preparation)
            .recover(|_: &Kill| recover(world, &before))
            .run()
            .unwrap_or_else(|error| panic!("{action}: {error}"))
    });
    println!("{action}: {report}");
    assert!(report.passed(), "{action}: {report}");
}

fn labelled() -> World {
    let all =
        [("nodad", "true"), ("lvs_ipv6_addrlabel", "true"), ("nic", "v1"), ("cidr_netmask", "64")];
    World::ours6().with_all(&all)
}

fn waiting_on_lo() -> World {
    let world = World::ours().with_all(&[("lvs_support", "true"), ("nic", "v0")]);
    world.node.ip("address add 192.168.144.2/32 brd 255.255.255.255 dev lo");
    // Once round: what stop puts back is what it is compared with.
    world.expect("start", 0);
    world.expect("stop", 0);
    world
}

/// Most calls that change something are those of iptables: all of them are nine minutes.
const OF_SHARES: usize = 50;

/// One instance's share of an address.
fn shared(world: World) -> World {
    world.with_all(&[("CRM_meta_clone", "0"), ("CRM_meta_clone_max", "2")])
}

#[test]
fn killed_in_start_of_a_shared_address() {
    survives_some(
        &shared(World::ours()).with("clusterip_mac_mangle", "true"),
        "start",
        &[],
        OF_SHARES,
    );
}

#[test]
fn killed_in_stop_of_a_shared_address() {
    let world = shared(announced(World::ours())).with("clusterip_mac_mangle", "true");
    survives_some(&world, "stop", &["start"], OF_SHARES);
}

#[test]
fn killed_in_start_of_a_shared_ipv6_address() {
    survives_some(&shared(World::ours6()), "start", &[], OF_SHARES);
}

#[test]
fn killed_in_stop_of_a_shared_ipv6_address() {
    survives_some(&shared(announced(World::ours6())), "stop", &["start"], OF_SHARES);
}

#[test]
fn killed_in_start() {
    survives(&World::ours(), "start", &[]);
}

#[test]
fn killed_in_stop() {
    survives(&announced(World::ours()), "stop", &["start"]);
}

#[test]
fn killed_in_start_of_ipv6_with_a_label() {
    survives(&labelled(), "start", &[]);
}

#[test]
fn killed_in_stop_of_ipv6_with_a_label() {
    survives(&announced(labelled()), "stop", &["start"]);
}

#[test]
fn killed_in_start_of_an_address_that_waits_on_lo() {
    let world = waiting_on_lo();
    lives_through_lo(&world, "start", &[]);
}

#[test]
fn killed_in_stop_of_an_address_that_waits_on_lo() {
    let world = announced(waiting_on_lo());
    lives_through_lo(&world, "stop", &["start"]);
}

/// The address is on lo before and after: only what else is left counts, and that it is there.
fn lives_through_lo(world: &World, action: &str, preparation: &[&str]) {
    survives(world, action, preparation);
    let found = world.has(VIP);
    assert!(found.len() == 1 && found[0].starts_with("lo "), "{found:?}");
}

/// The kernel takes the others along unless it is told not to, and a kill may fall in between.
#[test]
fn killed_in_stop_of_the_first_address_of_a_network() {
    let world = World::ours();
    world.node.ip(
        "address del 192.168.144.1/24 dev v0\n         address add 192.168.144.2/24 brd + dev v0\n         address add 192.168.144.1/24 brd + dev v0\n         address add 192.168.144.7/24 brd + dev v0",
    );
    let check = |world: &World| -> Vec<String> {
        let mut wrong = Vec::new();
        for action in ["stop", "stop"] {
            let seen = world.run(action);
            if seen.code() != Some(0) {
                wrong.push(format!("{action} answers not 0: {seen}"));
            }
        }
        for survivor in ["192.168.144.1", "192.168.144.7"] {
            if world.has(survivor).len() != 1 {
                wrong.push(format!("lost: {survivor}"));
            }
        }
        if !world.has(VIP).is_empty() {
            wrong.push("left: the address".to_owned());
        }
        // The resource's address is the first again, as the next stop finds it.
        for (address, bits) in [("192.168.144.1", 24), ("192.168.144.7", 24)] {
            if !world.has(address).is_empty() {
                world.node.ip(&format!("address del {address}/{bits} dev v0"));
            }
        }
        world.node.ip("address add 192.168.144.2/24 brd + dev v0");
        world.node.ip(
            "address add 192.168.144.1/24 brd + dev v0\n             address add 192.168.144.7/24 brd + dev v0",
        );
        forget_promotion(world);
        wrong
    };
    let report = world.node.inside(|| {
        Trial::new(world.call("stop"))
            .limit(LIMIT)
            .recover(|_: &Kill| check(&world))
            .run()
            .unwrap_or_else(|error| panic!("stop: {error}"))
    });
    println!("stop of the first address: {report}");
    assert!(report.passed(), "{report}");
}

#[test]
fn killed_in_a_start_that_fails() {
    let world = World::ours().with("run_arping", "true");
    world.peer.ip("address add 192.168.144.2/24 dev p0");
    let before = Snapshot::full(&world.node);
    let report = world.node.inside(|| {
        Trial::new(world.call("start"))
            .limit(LIMIT)
            .expected(1)
            .budget(12)
            .recover(|_: &Kill| {
                let seen = world.run("stop");
                let mut wrong = left(&world, &before);
                if seen.code() != Some(0) {
                    wrong.push(format!("stop answers not 0: {seen}"));
                }
                wrong
            })
            .run()
            .unwrap_or_else(|error| panic!("start: {error}"))
    });
    println!("a start that fails: {report}");
    assert!(report.passed(), "{report}");
}

#[test]
fn killed_in_reload_agent() {
    let mut world = World::ours6().with("nodad", "true");
    world.change("lvs_ipv6_addrlabel", "true");
    survives(&world, "reload-agent", &["start"]);
}
