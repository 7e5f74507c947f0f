// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Very many addresses, and very many who ask for one.
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
use ipaddr2_tests::{Agent, Capture, Frame, Snapshot, World, wait_for};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// All of them are under way before the first is waited for.
fn all(world: &World, action: &str, code: i32) {
    let begun = Instant::now();
    let wrong = world.node.inside(|| {
        let children: Vec<Child> =
            (0..500_u32).map(|number| spawn(world, action, number)).collect();
        let outputs = children.into_iter().map(|child| child.wait_with_output().unwrap());
        let failed = outputs.filter(|output| output.status.code() != Some(code));
        let said =
            failed.map(|one| format!("{}: {}", one.status, String::from_utf8_lossy(&one.stderr)));
        said.collect::<Vec<_>>()
    });
    assert!(wrong.is_empty(), "{action}: {} of 500: {}", wrong.len(), wrong[0]);
    println!("500 addresses, {action} at once: {:.1} s", begun.elapsed().as_secs_f64());
}

fn spawn(world: &World, action: &str, number: u32) -> Child {
    let [_, _, high, low] = (number + 256).to_be_bytes();
    let call = world
        .call(action)
        .parameter("ip", format!("10.77.{high}.{low}"))
        .env("OCF_RESOURCE_INSTANCE", format!("vip-{number}"))
        .limit(Duration::from_secs(120));
    Command::new(&call.agent)
        .args(&call.arguments)
        .env_clear()
        .envs(call.full_environment())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Each start and stop does its own, and takes nobody else's along.
#[test]
fn five_hundred_addresses_at_once() {
    let world = World::of(Agent::Ours);
    world.node.ip("address add 10.77.0.1/16 brd + dev v1");
    let before = Snapshot::full(&world.node);
    all(&world, "start", 0);
    let there = Snapshot::of(&world.node);
    assert_eq!(there.addresses().filter(|line| line.starts_with("v1 10.77.")).count(), 501);
    all(&world, "monitor", 0);
    all(&world, "stop", 0);
    all(&world, "monitor", 7);
    world.is_as_before(&before);
}

/// One resource, asked by many at once, which Pacemaker never does: whatever each is told, at the end it is
/// stopped. An announcer of a start beside which another's stop ended its file may sleep until its next look;
/// it says nothing more.
#[test]
fn one_address_started_and_stopped_by_many() {
    for address in [VIP, VIP6] {
        let world = World::of(Agent::Ours).with("ip", address).with("nodad", "true");
        let before = Snapshot::full(&world.node);
        std::thread::scope(|scope| {
            for number in 0..40 {
                let (world, action) = (&world, if number % 2 == 0 { "start" } else { "stop" });
                scope.spawn(move || {
                    let seen = world.run(action);
                    assert!(matches!(seen.code(), Some(0 | 1)), "{seen}");
                });
            }
        });
        world.expect("stop", 0);
        world.expect("monitor", 7);
        let capture = Capture::on(&world.peer);
        wait_for("the end of all announcers", || world.node.processes().is_empty().then_some(()));
        let is_ours = |frame: &Frame| frame.is_about(address.parse().unwrap());
        assert!(!capture.take().iter().any(is_ours), "announced after a stop");
        world.is_as_before(&before);
    }
}
