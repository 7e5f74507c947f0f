// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whose container it is: ours by its exact name, whoever made it, and nobody else's by an accident of
//! names and IDs.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use docker_tests::world::run;
use docker_tests::{AGENT, Agent, Engine, World, images};
use serde_json::{Value, json};

fn quiet(command: &[&str]) -> Value {
    json!({"Image": images::PLAIN, "Cmd": command, "HostConfig": {"NetworkMode": "none"}})
}

fn started_at(engine: &Engine, name: &str) -> String {
    engine.api().inspect(name).unwrap()["State"]["StartedAt"].as_str().unwrap().to_owned()
}

/// The Engine takes the beginning of an ID for a name.
#[test]
fn a_name_that_is_the_beginning_of_another_containers_id() {
    let engine = Engine::start();
    let other = engine.run("other", &quiet(&["/bin/serve"]));
    for length in [2, 12, 64] {
        let world = World::ours(&engine, &other[..length]);
        world.expect("probe", 7);
        world.expect("monitor", 7);
        world.expect("stop", 0);
        assert_eq!(engine.status("other"), "running", "{length} digits");
    }
    let world = World::ours(&engine, &other[..12]);
    world.expect("start", 0);
    world.expect("monitor", 0);
    world.expect("stop", 0);
    assert_eq!(engine.api().containers(), ["other"]);
    assert_eq!(engine.status("other"), "running");
}

#[test]
fn a_name_that_is_part_of_another_containers_name() {
    let engine = Engine::start();
    for name in ["redis-exporter", "my-redis", "REDIS", "redis.1"] {
        engine.run(name, &quiet(&["/bin/serve"]));
    }
    let world = World::ours(&engine, "redis");
    world.expect("monitor", 7);
    world.expect("stop", 0);
    world.expect("start", 0);
    world.expect("stop", 0);
    assert_eq!(engine.api().containers().len(), 4);
}

#[test]
fn one_that_the_shell_agent_started_is_monitored_and_stopped_by_ours() {
    let engine = Engine::start();
    let world = World::of(Agent::Shell, &engine, "taken");
    world.expect("start", 0);
    let (id, since) = (engine.id("taken"), started_at(&engine, "taken"));
    let ours = |action: &str| {
        let mut call = world.call(action);
        call.agent = Agent::Ours.path(AGENT);
        run(&call)
    };
    ours("probe").is(0);
    ours("monitor").is(0);
    ours("start").is(0);
    assert_eq!((engine.id("taken"), started_at(&engine, "taken")), (id, since));
    ours("stop").is(0);
    assert_eq!(engine.api().containers(), [""; 0]);
}

#[test]
fn one_that_ours_started_is_monitored_and_stopped_by_the_shell_agent() {
    let engine = Engine::start();
    let world = World::ours(&engine, "given");
    world.expect("start", 0);
    let (id, since) = (engine.id("given"), started_at(&engine, "given"));
    for action in ["monitor", "start"] {
        run(&{
            let mut call = world.call(action);
            call.agent = Agent::Shell.path(AGENT);
            call
        })
        .is(0);
    }
    assert_eq!((engine.id("given"), started_at(&engine, "given")), (id, since));
    run(&world.handed_to(Agent::Shell).action("stop")).is(0);
    assert_eq!(engine.api().containers(), [""; 0]);
    // What ours remembers of it is out of date now, and misleads nobody.
    world.expect("monitor", 7);
    world.expect("stop", 0);
    world.expect("start", 0);
    world.expect("stop", 0);
}

/// Nothing that ours adds makes it another container: what is asked for is what there is.
#[test]
fn ours_adds_no_label_and_no_variable() {
    let engine = Engine::start();
    let ours = World::ours(&engine, "mine").with("run_opts", "-e A=b");
    ours.expect("start", 0);
    let shell = World::of(Agent::Shell, &engine, "theirs").with("run_opts", "-e A=b");
    shell.expect("start", 0);
    let of = |name: &str| engine.api().inspect(name).unwrap()["Config"].clone();
    let (mut mine, mut theirs) = (of("mine"), of("theirs"));
    for config in [&mut mine, &mut theirs] {
        // The Engine makes it from the ID.
        config["Hostname"] = json!("");
    }
    assert_eq!(mine, theirs);
    ours.expect("stop", 0);
    shell.expect("stop", 0);
}

#[test]
fn a_record_that_is_lost_or_says_nothing_changes_nothing() {
    let engine = Engine::start();
    for damage in ["lost", "", "\0\0\0", "{\"form\":1}", "not ours"] {
        let world = World::ours(&engine, "record");
        world.expect("start", 0);
        let since = started_at(&engine, "record");
        for entry in std::fs::read_dir(world.records()).unwrap().flatten() {
            match damage {
                "lost" => std::fs::remove_file(entry.path()).unwrap(),
                text => std::fs::write(entry.path(), text).unwrap(),
            }
        }
        world.expect("monitor", 0);
        world.expect("start", 0);
        assert_eq!(started_at(&engine, "record"), since, "{damage:?}");
        world.expect("stop", 0);
        world.expect("monitor", 7);
        assert_eq!(world.status(), "absent", "{damage:?}");
    }
}

/// The instance's name is the container's; the parameter and its old alias come before it.
#[test]
fn the_parameters_name_the_container() {
    let engine = Engine::start();
    for parameter in ["name", "container"] {
        let world = World::ours(&engine, "instance").with(parameter, "other-name");
        world.expect("start", 0);
        assert_eq!(engine.api().containers(), ["other-name"]);
        world.expect("monitor", 0);
        world.expect("stop", 0);
        assert_eq!(engine.api().containers(), [""; 0]);
    }
}

/// Other containers see nothing of a life of ours.
#[test]
fn strangers_are_left_alone() {
    let engine = Engine::start();
    engine.run("stranger", &quiet(&["/bin/serve"]));
    engine.create("waiting", &quiet(&["/bin/serve"]));
    let since = started_at(&engine, "stranger");
    let world = World::ours(&engine, "own");
    for action in ["start", "monitor", "stop"] {
        world.expect(action, 0);
    }
    assert_eq!(started_at(&engine, "stranger"), since);
    assert_eq!(engine.status("waiting"), "created");
}
