// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A start in a bundle ends when Pacemaker finds somebody to connect to, and in time where nobody comes.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use docker_tests::{Engine, World, images};
use std::fs;

/// What Pacemaker tells a container that it will connect to, and lends it.
fn bundled<'a>(engine: &'a Engine, name: &str, command: &str) -> World<'a> {
    let world = World::ours(engine, name);
    let key = world.data().join("authkey");
    fs::write(&key, "a key\n").unwrap();
    let options = format!(
        "--restart=no --network none -e PCMK_remote_port=3121 -v {}:/etc/pacemaker/authkey",
        key.display()
    );
    world.with("run_opts", &options).with("run_cmd", command).with("monitor_cmd", "")
}

/// Whether the port is listened to, as the kernel says of the container's network.
fn listens(engine: &Engine, name: &str) -> bool {
    let network = format!("/proc/{}/net", engine.init(name));
    let tables =
        ["tcp", "tcp6"].map(|table| fs::read_to_string(format!("{network}/{table}")).unwrap());
    tables
        .iter()
        .flat_map(|table| table.lines())
        .any(|line| line.contains(":0C31 ") && line.contains(" 0A "))
}

#[test]
fn a_start_ends_when_pacemaker_remote_listens() {
    let engine = Engine::start();
    images::load_remote(&engine);
    let name = engine.name("guest");
    let world =
        bundled(&engine, &name, "/usr/sbin/pacemaker-remoted").with("image", images::REMOTE);
    world.expect("start", 0);
    assert!(listens(&engine, &name), "nobody listens after start");
    world.expect("stop", 0);
}

#[test]
fn a_server_that_listens_late_is_waited_for() {
    let engine = Engine::start();
    let name = engine.name("late");
    let world = bundled(&engine, &name, "/bin/late-listener").with("image", images::PLAIN);
    world.expect("start", 0);
    assert!(listens(&engine, &name), "nobody listens after start");
    world.expect("stop", 0);
}

#[test]
fn where_nobody_listens_the_start_ends_in_time() {
    let engine = Engine::start();
    let name = engine.name("deaf");
    let world = bundled(&engine, &name, "/bin/serve").with("image", images::PLAIN);
    let seen = world.expect("start", 0);
    assert!(!listens(&engine, &name), "{seen}");
    world.expect("stop", 0);
}
