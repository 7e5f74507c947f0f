// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What runs is never called stopped for want of looking: without the Engine, without file descriptors,
//! or because the command that judges it is missing.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use docker_tests::{AGENT, Agent, Engine, World, images};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;
use std::time::Duration;

fn served(network: &str) -> Value {
    json!({"Image": images::PLAIN, "Cmd": ["/bin/serve"], "HostConfig": {"NetworkMode": network}})
}

#[test]
fn a_probe_of_one_whose_monitor_cmd_is_missing_does_not_say_stopped() {
    let engine = Engine::start();
    engine.run("half", &served("none"));
    let world = World::ours(&engine, "half").with("monitor_cmd", "/bin/no-such-program");
    world.expect_reason("probe", 1, "/bin/no-such-program");
    world.expect_reason("monitor", 1, "/bin/no-such-program");
    world.expect("stop", 0);
}

/// The Engine calls the beginning of several IDs an error of its own.
#[test]
fn a_name_that_is_the_beginning_of_several_ids() {
    let engine = Engine::start();
    let mut heads = std::collections::BTreeSet::new();
    let name = (0..400).find_map(|number| {
        let id = engine.create(&format!("other-{number}"), &served("none"));
        let head = id[..2].to_owned();
        (!heads.insert(head.clone())).then_some(head)
    });
    let world = World::ours(&engine, &name.unwrap());
    world.expect("probe", 7);
    world.expect("start", 0);
    world.expect("monitor", 0);
    world.expect("stop", 0);
    world.expect("probe", 7);
}

#[test]
fn without_file_descriptors_nothing_is_called_stopped() {
    let engine = Engine::start();
    engine.run("many", &served("none"));
    let world = World::ours(&engine, "many");
    let mut failures = 0;
    for limit in 3..12 {
        let output = Command::new("prlimit")
            .arg(format!("--nofile={limit}:{limit}"))
            .arg(Agent::Ours.path(AGENT))
            .arg("monitor")
            .env("OCF_ROOT", "/usr/lib/ocf")
            .env("OCF_RA_VERSION_MAJOR", "1")
            .env("OCF_RESOURCE_INSTANCE", "many")
            .env("OCF_RESKEY_image", images::PLAIN)
            .env("OCF_RESKEY_CRM_meta_timeout", "20000")
            .env("HA_RSCTMP", world.records())
            .env("DOCKER_HOST", engine.host())
            .output()
            .unwrap();
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 1 | 127)), "{limit} descriptors: {output:?}");
        failures += i32::from(code == Some(1));
    }
    assert!(failures > 0, "no limit was low enough to matter");
    world.expect("stop", 0);
}

/// A container of another Engine that just begins or ends has a process, and no directory.
#[test]
fn a_container_that_comes_or_goes_keeps_no_stop_from_its_end() {
    let (engine, others) = (Engine::start(), Engine::start());
    let id = others.create("passing", &served("none"));
    others.act("passing", "start");
    let world = World::ours(&engine, &engine.name("staying"));
    world.expect("start", 0);
    engine.kill();
    let (there, aside) =
        (others.store().join("containers").join(&id), others.store().join("aside"));
    fs::rename(&there, &aside).unwrap();
    world.expect_reason("stop", 1, "data isn't found");
    std::thread::scope(|scope| {
        // That some time passes before it is there is what is tested.
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(500));
            fs::rename(&aside, &there).unwrap();
        });
        world.expect("stop", 0);
    });
}
