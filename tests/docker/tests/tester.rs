// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The staged ocf-tester passes our agent on a real Engine, musts and shoulds, and nothing is left.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use beside::tester;
use docker_tests::{AGENT, Agent, Engine, images};
use std::process::Command;

/// Whether stop removes it: with reuse a stopped container is what is to be left.
fn pass(parameters: &[&str], is_removed: bool) {
    let engine = Engine::start();
    let agent = Agent::Ours.path(AGENT);
    let mut command = Command::new(tester());
    command.args([
        "-n",
        "tested",
        "--level",
        "should",
        // Of all odd values the same ones in every run: some make the Engine's own runc hang.
        "--seed",
        "1",
        "--env",
        &format!("DOCKER_HOST={}", engine.host()),
    ]);
    if !is_removed {
        // Kills are in the other run, and in tests/kill.rs.
        command.args(["--skip", "KILL-*"]);
    }
    for parameter in parameters {
        command.args(["-o", parameter]);
    }
    let output = command.arg(agent).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    println!("{}", said.lines().last().unwrap_or_default());
    let containers = engine.api().containers();
    let active =
        containers.iter().filter(|name| !matches!(&*engine.status(name), "exited" | "created"));
    assert_eq!(active.collect::<Vec<_>>(), [""; 0], "{said}");
    assert!(!is_removed || containers.is_empty(), "{containers:?} {said}");
    assert_eq!(engine.api().volumes(), [""; 0], "{said}");
}

#[test]
fn passes_every_must_and_should_as_pacemaker_has_bundles() {
    pass(&[&format!("image={}", images::PLAIN), "allow_pull=true", "monitor_cmd=/bin/true"], true);
}

#[test]
fn passes_every_must_and_should_with_reuse_and_a_command() {
    pass(
        &[&format!("image={}", images::PLAIN), "reuse=1", "monitor_cmd=/bin/test -d /data"],
        false,
    );
}
