// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How long a stop waits, and for what: for a service that uses the time, never for one that can't hear.
//! Nothing is measured in absolute terms; what counts is whether the grace was waited for.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use docker_tests::processes::{self, of_container};
use docker_tests::{Engine, Seen, World, images};
use serde_json::{Value, json};
use std::time::Duration;

/// The action's time; the grace of both agents is then ten seconds.
const TIMEOUT: Duration = Duration::from_secs(20);
const GRACE: Duration = Duration::from_secs(10);

/// Makes a container with this command and stops it; what stop came to, the container's last exit code,
/// and whether the sign of an orderly end is there.
fn stop(engine: &Engine, command: &str, more: Value, parameter: (&str, &str)) -> (Seen, i64, bool) {
    let name = engine.name("stopped");
    let world = World::ours(engine, &name).limit(TIMEOUT).with("reuse", "1");
    let world = world.with(parameter.0, parameter.1);
    let mut body = json!({
        "Image": images::PLAIN, "Cmd": command.split(' ').collect::<Vec<_>>(),
        "HostConfig": {"NetworkMode": "none", "Binds": [format!("{}:/data", world.data().display())]},
    });
    for (key, value) in more.as_object().unwrap() {
        match value.as_object() {
            Some(inner) => body[key].as_object_mut().unwrap().extend(inner.clone()),
            None => body[key] = value.clone(),
        }
    }
    let id = engine.run(&name, &body);
    if body["Image"] == images::REMOTE {
        processes::wait_handler(&id);
    }
    processes::wait_quiet(engine.init(&name));
    let seen = world.expect("stop", 0);
    assert_eq!(of_container(&id), [], "processes are left");
    let code = engine.api().inspect(&name).unwrap()["State"]["ExitCode"].as_i64().unwrap();
    (seen, code, world.data().join("done").exists())
}

const USUAL: (&str, &str) = ("reuse", "1");

fn waited(seen: &Seen) -> Duration {
    seen.execution.duration
}

#[test]
fn a_service_that_needs_five_seconds_gets_them() {
    let engine = Engine::start();
    let (seen, code, is_done) = stop(&engine, "/bin/slow", json!({}), USUAL);
    assert!(is_done && code == 0, "code {code}: {seen}");
    assert!(waited(&seen) >= Duration::from_secs(5), "{seen}");
}

#[test]
fn a_service_that_hears_and_stays_is_killed_when_the_grace_is_over() {
    let engine = Engine::start();
    let (seen, code, _) = stop(&engine, "/bin/deaf", json!({}), USUAL);
    assert_eq!(code, 137, "{seen}");
    assert!(waited(&seen) >= Duration::from_secs(8), "it hadn't its time: {seen}");
}

/// busybox's sleep has no handler, and as the first process nothing reaches it without one.
#[test]
fn an_init_without_a_handler_is_not_waited_for() {
    let engine = Engine::start();
    let (seen, code, _) = stop(&engine, "/bin/sleep 1000", json!({}), USUAL);
    assert_eq!(code, 137, "{seen}");
    assert!(waited(&seen) < GRACE / 2, "waited {:?} for nothing: {seen}", waited(&seen));
}

/// The same with children, one of them with a handler: none of them is left.
#[test]
fn an_init_without_a_handler_and_its_children() {
    let engine = Engine::start();
    let (seen, code, _) = stop(&engine, "/bin/careless", json!({}), USUAL);
    assert_eq!(code, 137, "{seen}");
    assert!(waited(&seen) < GRACE / 2, "waited {:?} for nothing: {seen}", waited(&seen));
}

/// In the host's PID namespace there is no first process: everything ends on TERM, and what the service
/// has started doesn't end with it.
#[test]
fn children_in_the_hosts_namespace_are_not_orphaned() {
    let engine = Engine::start();
    let host = json!({"HostConfig": {"PidMode": "host"}});
    let (seen, ..) = stop(&engine, "/bin/careless", host, USUAL);
    assert!(waited(&seen) < GRACE / 2, "waited {:?} for nothing: {seen}", waited(&seen));
}

/// It has no handler, and takes the signal nevertheless.
#[test]
fn an_init_that_waits_for_the_signal_gets_its_grace() {
    let engine = Engine::start();
    let (seen, code, is_done) = stop(&engine, "/inside 3", json!({}), USUAL);
    assert!(is_done && code == 0, "code {code}: {seen}");
    assert!(waited(&seen) >= Duration::from_secs(3), "{seen}");
}

/// tini hands the signal on to a child with a handler.
#[test]
fn an_init_of_the_engines_hands_it_on() {
    let engine = Engine::start();
    let (seen, code, is_done) =
        stop(&engine, "/bin/slow", json!({"HostConfig": {"Init": true}}), USUAL);
    assert!(is_done && code == 0, "code {code}: {seen}");
    assert!(waited(&seen) >= Duration::from_secs(5), "{seen}");
}

/// The signal that the container itself asks for.
#[test]
fn another_stop_signal_is_the_one_that_counts() {
    let engine = Engine::start();
    let quit = json!({"StopSignal": "QUIT"});
    let (seen, code, is_done) = stop(&engine, "/bin/slow", quit, USUAL);
    assert!(!is_done && code == 137, "it has no handler for QUIT; code {code}: {seen}");
    assert!(waited(&seen) < GRACE / 2, "waited {:?} for nothing: {seen}", waited(&seen));
}

#[test]
fn force_kill_asks_nobody() {
    let engine = Engine::start();
    let (seen, code, is_done) = stop(&engine, "/bin/slow", json!({}), ("force_kill", "true"));
    assert!(!is_done && code == 137, "code {code}: {seen}");
}

/// Pacemaker's init of every bundle: its child ends gracefully, and both with code 0, where the shell
/// agent waits for the whole grace and then kills.
#[test]
fn pacemaker_remoted_as_the_first_process_of_a_bundle() {
    let engine = Engine::start();
    images::load_remote(&engine);
    let bundle = json!({
        "Image": images::REMOTE, "Env": ["PCMK_stderr=1", "PCMK_remote_port=3121"],
    });
    let (seen, code, _) = stop(&engine, "/usr/sbin/pacemaker-remoted", bundle, USUAL);
    assert_eq!(code, 0, "{seen}");
    assert!(waited(&seen) < GRACE / 2, "waited {:?}: {seen}", waited(&seen));
    println!("stop of pacemaker-remoted: {:?}", waited(&seen));
}

/// A frozen container hears nothing; it is thawed for its stop and gets its time.
#[test]
fn a_paused_service_gets_its_time_too() {
    let engine = Engine::start();
    let world = World::ours(&engine, "paused").limit(TIMEOUT);
    let body = json!({
        "Image": images::PLAIN, "Cmd": ["/bin/slow"],
        "HostConfig": {"NetworkMode": "none", "Binds": [format!("{}:/data", world.data().display())]},
    });
    engine.run("paused", &body);
    processes::wait_quiet(engine.init("paused"));
    engine.pause("paused");
    world.expect("stop", 0);
    assert_eq!(world.status(), "absent");
    println!("a paused service has ended in order: {}", world.data().join("done").exists());
}
