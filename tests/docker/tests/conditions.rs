// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What can be wrong beside the container's state, action by action: what ours answers, and beside it
//! what the shell agent answers.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use docker_tests::side_by_side::{Case, Did, Expected, check, release};
use docker_tests::state::effects;
use docker_tests::{Agent, Engine, World, images, wait_for};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The shell agent waits for ever for some things: until then.
const TIMEOUT: Duration = Duration::from_secs(12);

type Parameters<'a> = &'a [(&'a str, &'a str)];

/// Somebody's container that runs, with these fields of the request beyond the usual ones.
fn running(more: Value) -> Option<Value> {
    let mut body = json!({
        "Image": images::PLAIN, "Cmd": ["/bin/serve"], "HostConfig": {"NetworkMode": "none"},
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Some(body)
}

/// An action with parameters, with a container made by hand or without one.
fn case<'a>(
    engine: &'a Engine,
    (action, what): (&'static str, &str),
    parameters: Parameters<'a>,
    body: Option<Value>,
    expected: Expected,
) -> Case<'a> {
    let play = move |agent: Agent| {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("y{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let world = World::of(agent, engine, &name).limit(TIMEOUT).with_all(parameters);
        if let Some(body) = &body {
            engine.run(&name, body);
            wait_for_health(engine, &name, body);
        }
        let before = engine.api().inspect(&name);
        let seen = world.run(action);
        let after = settled(engine, &name);
        let effects = effects(before.as_ref(), after.as_ref(), engine);
        engine.remove(&name);
        Did { seen, effects }
    };
    Case { id: format!("{action}, {what}"), expected, play: Box::new(play) }
}

/// A health check that comes to a result has come to it.
fn wait_for_health(engine: &Engine, name: &str, body: &Value) {
    let Some(wanted) = body["Labels"]["wanted"].as_str() else { return };
    wait_for(wanted, || {
        let found = engine.api().inspect(name).unwrap();
        (found["State"]["Health"]["Status"] == wanted).then_some(())
    });
}

/// What is there once the Engine has removed what it removes by itself.
fn settled(engine: &Engine, name: &str) -> Option<Value> {
    wait_for("an end of the removal", || {
        let found = engine.api().inspect(name);
        let status = found.as_ref().map(|found| found["State"]["Status"].clone());
        (status != Some(json!("removing"))).then_some(found)
    })
}

const DOES_NOT_EXIST: &str = "127.0.0.1:1/ocf/nothing:1";

#[test]
fn a_command_that_judges_the_service() {
    let engine = Engine::start();
    let of = |command: &'static str, expected: Expected| {
        let parameters: Parameters<'_> = Box::leak(Box::new([("monitor_cmd", command)]));
        let what = format!("monitor_cmd={command}");
        case(&engine, ("monitor", &what), parameters, running(json!({})), expected)
    };
    let cases = [
        of("/bin/true", (0, "")),
        of("/bin/test -d /data", (0, "")),
        of("/bin/false", (1, "monitor_cmd|1")),
        of("/bin/fail", (1, "cannot open the store")),
        of("/bin/exit-126", (1, "126")),
        of("/bin/exit-127", (1, "127")),
        of("/bin/nothing", (1, "/bin/nothing")),
        of("/etc/passwd", (1, "/etc/passwd")),
        of("/bin/sleep 1000", (1, "didn't end")),
    ];
    check(&format!("command on {}", release()), &cases, true);
    assert_eq!(engine.api().containers(), [""; 0]);
}

#[test]
fn the_images_own_health_check() {
    let engine = Engine::start();
    let asks: Parameters<'_> = &[("query_docker_health", "1")];
    let check_of = |command: &str, interval: u64, wanted: &str| {
        let test = json!({
            "Test": ["CMD", command], "Interval": interval * 1_000_000_000, "Retries": 1,
        });
        running(json!({"Healthcheck": test, "Labels": {"wanted": wanted}}))
    };
    let row = |action, what, body, expected| case(&engine, (action, what), asks, body, expected);
    let cases = [
        row("monitor", "no health check", running(json!({})), (0, "")),
        row("monitor", "starting", check_of("/bin/true", 3600, "starting"), (0, "")),
        row("monitor", "healthy", check_of("/bin/true", 1, "healthy"), (0, "")),
        row("monitor", "unhealthy", check_of("/bin/fail", 1, "unhealthy"), (1, "unhealthy|store")),
        row("probe", "unhealthy", check_of("/bin/false", 1, "unhealthy"), (1, "unhealthy")),
        row("start", "unhealthy", check_of("/bin/false", 1, "unhealthy"), (0, "")),
        row("stop", "unhealthy", check_of("/bin/false", 1, "unhealthy"), (0, "")),
    ];
    check("health", &cases, true);
}

#[test]
fn images_and_flags_and_what_becomes_of_a_start() {
    let engine = Engine::start();
    let row = |action, what: &str, parameters, expected| {
        case(&engine, (action, what), parameters, None, expected)
    };
    let missing: Parameters<'_> = &[("image", DOES_NOT_EXIST)];
    let pulled: Parameters<'_> = &[("image", DOES_NOT_EXIST), ("allow_pull", "1")];
    let empty: Parameters<'_> = &[("image", "")];
    let flag: Parameters<'_> = &[("run_opts", "--no-such-flag")];
    let nothing: Parameters<'_> = &[("run_cmd", "/bin/nothing")];
    let never: Parameters<'_> = &[("monitor_cmd", "/bin/false")];
    let cases = [
        row("start", "image missing", missing, (5, "image|allow_pull")),
        row("validate-all", "image missing", missing, (5, "image")),
        row("monitor", "image missing", missing, (7, "")),
        row("stop", "image missing", missing, (0, "")),
        row("start", "image can't be pulled", pulled, (1, "pull")),
        row("validate-all", "image can be pulled", pulled, (0, "")),
        row("start", "image empty", empty, (6, "image")),
        row("validate-all", "image empty", empty, (6, "image")),
        row("monitor", "image empty", empty, (7, "")),
        row("stop", "image empty", empty, (0, "")),
        row("start", "unknown flag", flag, (2, "--no-such-flag")),
        row("validate-all", "unknown flag", flag, (2, "--no-such-flag")),
        row("monitor", "unknown flag", flag, (7, "")),
        row("stop", "unknown flag", flag, (0, "")),
        row("start", "no such program", nothing, (1, "/bin/nothing")),
        row("start", "command never content", never, (1, "monitor_cmd")),
    ];
    check("start", &cases, true);
}

/// What ends by itself right after its start may do so while either agent looks, or later. Ours says so
/// in either case; the shell agent has one code for both, and chance decides it.
#[test]
fn a_process_that_ends_right_after_its_start() {
    let engine = Engine::start();
    let at_once = |command: &str, words: &str| {
        let world = World::ours(&engine, "short").with("run_cmd", command);
        let start = world.run("start");
        let failed = match start.code() {
            Some(1) => start,
            _ => {
                start.is(0);
                engine.wait_status("short", "exited");
                world.expect("monitor", 7)
            }
        };
        failed.says(words);
        world.expect("stop", 0);
        assert_eq!(world.status(), "absent");
        failed
    };
    at_once("/bin/true", "exited|code 0");
    let said: Vec<_> = (0..5).map(|_| at_once("/bin/fail", "exited|code 3")).collect();
    let has_log = said.iter().any(|seen| seen.stderr().contains("cannot open the store"));
    assert!(has_log, "none of {} has the container's own last words: {}", said.len(), said[0]);
}

/// The Engine and stop remove it at the same time. With the shell agent chance decides whether that is
/// a failed stop, so there is no row for it.
#[test]
fn one_that_the_engine_removes_by_itself() {
    let engine = Engine::start();
    let body = running(json!({"HostConfig": {"AutoRemove": true, "NetworkMode": "none"}})).unwrap();
    for parameters in [&[][..], &[("reuse", "1")], &[("force_kill", "1")]] {
        for _ in 0..10 {
            engine.run("own", &body);
            let world = World::ours(&engine, "own").with_all(parameters);
            world.expect("monitor", 0);
            world.expect("stop", 0);
            match parameters {
                // Kept by stop: it has ended, and the Engine takes it away when it comes to that.
                [("reuse", _)] => engine.wait_status("own", "absent"),
                _ => assert_eq!(engine.status("own"), "absent"),
            }
            world.expect("monitor", 7);
        }
    }
}

/// The port's owner is another container, or any process of this host.
#[test]
fn a_port_that_is_taken() {
    let engine = Engine::start();
    engine.network("ports", "10.213.0.0/24");
    let owner = std::net::TcpListener::bind("127.0.0.1:18080").unwrap();
    let options: Parameters<'_> = &[("run_opts", "--net=ports -p 127.0.0.1:18080:80")];
    let cases = [case(&engine, ("start", "port in use"), options, None, (1, "18080"))];
    check("port", &cases, false);
    drop(owner);
    let world = World::ours(&engine, "port").with_all(options);
    world.expect("start", 0);
    world.expect("stop", 0);
}

/// The same without an Engine: what the shell agent does depends on its version.
#[test]
fn without_an_engine() {
    let engine = Engine::start();
    engine.kill();
    let row =
        |action: &'static str, what: &'static str, parameters: Parameters<'static>, expected| {
            let engine = &engine;
            let play = move |agent: Agent| {
                let world = World::of(agent, engine, "gone").limit(TIMEOUT).with_all(parameters);
                Did { seen: world.run(action), effects: Vec::new() }
            };
            Case { id: format!("{action}, {what}"), expected, play: Box::new(play) }
        };
    let pull: Parameters<'_> = &[("allow_pull", "1")];
    let reuse: Parameters<'_> = &[("reuse", "1")];
    let cases = [
        row("probe", "down", &[], (7, "")),
        row("monitor", "down", &[], (7, "")),
        row("stop", "down", &[], (0, "")),
        row("stop", "down, with reuse", reuse, (0, "")),
        row("start", "down", &[], (1, "Docker Engine")),
        row("start", "down, with allow_pull", pull, (1, "Docker Engine")),
        row("validate-all", "down", &[], (1, "image|Docker Engine")),
        row("validate-all", "down, with allow_pull", pull, (0, "")),
    ];
    check(&format!("engine on {}", release()), &cases, true);
    engine.restart();
}
