// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The staged ocf-tester passes our agent in a network namespace, musts and shoulds, and nothing is left.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use beside::tester;
use ipaddr2_tests::world::{VIP, VIP6};
use ipaddr2_tests::{AGENT, Agent, Snapshot, World};
use std::process::Command;

fn pass(parameters: &[&str]) {
    let world = World::of(Agent::Ours);
    let agent = Agent::Ours.path(AGENT);
    let before = Snapshot::full(&world.node);
    let mut command = Command::new(tester());
    let expected = concat!(env!("CARGO_MANIFEST_DIR"), "/../../agents/ipaddr2/expected-failures");
    command.args(["-n", "tested", "--level", "should", "--expect-fail", expected]);
    command.args(["--env", &format!("HA_RSCTMP={}", world.records().display())]);
    for parameter in parameters {
        command.args(["-o", parameter]);
    }
    command.arg(agent);
    let output = world.node.inside(|| command.output().unwrap());
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    println!("{}", said.lines().last().unwrap_or_default());
    world.is_as_before(&before);
}

#[test]
fn passes_every_must_and_should_with_an_ipv4_address() {
    pass(&[&format!("ip={VIP}")]);
}

#[test]
fn passes_every_must_and_should_with_an_ipv6_address() {
    pass(&[&format!("ip={VIP6}"), "nic=v0", "cidr_netmask=64", "nodad=true"]);
}
