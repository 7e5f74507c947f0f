// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The staged ocf-tester passes our agent with a real server, musts and shoulds, and nothing is left.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use apache_tests::{AGENT, Agent, World, inside};
use beside::tester;
use std::process::Command;

fn pass(world: &World, parameters: &[&str]) {
    let agent = Agent::Ours.path(AGENT);
    let before = world.snapshot();
    let mut command = Command::new(tester());
    command.args(["-n", "tested", "--level", "should"]);
    let expected = concat!(env!("CARGO_MANIFEST_DIR"), "/../../agents/apache/expected-failures");
    if std::fs::exists(expected).unwrap() {
        command.args(["--expect-fail", expected]);
    }
    for parameter in parameters {
        command.args(["-o", &world.text(parameter)]);
    }
    let output = command.arg(agent).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    println!("{}", said.lines().last().unwrap_or_default());
    let changes = before.changes(&world.snapshot());
    let mut left = changes
        .iter()
        .filter(|line| !line.contains("/log/") && !line.contains("adds directory /run/"));
    assert_eq!(left.next(), None, "{changes:?}");
    assert!(world.records().is_empty(), "{:?}", world.records());
}

#[test]
fn passes_every_must_and_should_with_a_small_configuration() {
    inside(|| pass(&World::ours(), &["configfile={w}/httpd.conf"]));
}

#[test]
fn passes_every_must_and_should_with_debians_own() {
    inside(|| {
        let world = World::stock(Agent::Ours);
        // The server writes down each request, and a monitor that asks seems to write.
        world.edit("/etc/apache2/sites-available/000-default.conf", "CustomLog", "#CustomLog");
        std::fs::remove_file("/etc/apache2/conf-enabled/other-vhosts-access-log.conf").unwrap();
        pass(&world, &[]);
    });
}

#[test]
fn passes_every_must_and_should_with_tests() {
    inside(|| {
        let world = World::ours();
        world.write("tests", "test a\nurl /index.html\nmatch works\nend\n");
        pass(&world, &["configfile={w}/httpd.conf", "testconffile={w}/tests", "testname=a"]);
    });
}
