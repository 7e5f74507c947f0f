// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The staged ocf-tester passes our agent on a real Engine, musts and shoulds, and nothing is left.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use docker_tests::{Agent, Engine, images};
use std::path::PathBuf;
use std::process::Command;

const AGENT: &str = "heartbeat/docker";

fn tester() -> PathBuf {
    let staged = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/stage/usr/bin/ocf-tester");
    let path = std::env::var_os("OCF_TESTER").map_or(staged.into(), PathBuf::from);
    assert!(path.is_file(), "no tester {}: run `make stage` first", path.display());
    path
}

fn pass(parameters: &[&str]) {
    let engine = Engine::start();
    let agent = Agent::Ours.path();
    assert!(agent.ends_with(AGENT), "{}", agent.display());
    let mut command = Command::new(tester());
    command.args([
        "-n",
        "tested",
        "--level",
        "should",
        "--env",
        &format!("DOCKER_HOST={}", engine.host()),
    ]);
    for parameter in parameters {
        command.args(["-o", parameter]);
    }
    let output = command.arg(agent).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    println!("{}", said.lines().last().unwrap_or_default());
    assert_eq!(engine.api().containers(), [""; 0], "{said}");
    assert_eq!(engine.api().volumes(), [""; 0], "{said}");
}

#[test]
fn passes_every_must_and_should_as_pacemaker_has_bundles() {
    pass(&[&format!("image={}", images::PLAIN), "allow_pull=true", "monitor_cmd=/bin/true"]);
}

#[test]
fn passes_every_must_and_should_with_reuse_and_a_command() {
    pass(&[&format!("image={}", images::PLAIN), "reuse=1", "monitor_cmd=/bin/test -d /data"]);
}
