// SPDX-License-Identifier: Apache-2.0 OR MIT
//! KILL at every call of start and stop that changes something, the Engine's requests among them; after
//! each one stop answers 0, monitor 7, start 0, and nothing is left: no container, volume or exec.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use docker_tests::{Engine, World};
use ocf_tester::kill::{Kill, Trial};

/// What is wrong after a kill: the resource is brought back as Pacemaker does it, and used once more.
fn recover(world: &World<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut call = |action: &str, code: i32| {
        let seen = world.run(action);
        if seen.code() != Some(code) {
            wrong.push(format!("{action} answers not {code}: {seen}"));
        }
    };
    for (action, code) in [("stop", 0), ("monitor", 7), ("start", 0), ("monitor", 0), ("stop", 0)] {
        call(action, code);
    }
    let (containers, volumes) = (world.engine.api().containers(), world.engine.api().volumes());
    if !containers.is_empty() || !volumes.is_empty() {
        wrong.push(format!("left: containers {containers:?}, volumes {volumes:?}"));
    }
    let records = std::fs::read_dir(world.records()).unwrap().flatten();
    wrong.extend(records.map(|record| format!("left: {}", record.path().display())));
    wrong
}

fn survives(action: &str, before: &[&str], parameters: &[(&str, &str)]) {
    let engine = Engine::start();
    let world = World::ours(&engine, "killed").with_all(parameters).with("run_opts", "-v /data");
    let report = Trial::new(world.call(action))
        .prepare(before)
        .recover(|_: &Kill| recover(&world))
        .run()
        .unwrap_or_else(|error| panic!("{action}: {error}"));
    println!("{action}: {report}");
    assert!(report.passed(), "{action}: {report}");
}

#[test]
fn killed_in_start() {
    survives("start", &[], &[]);
}

#[test]
fn killed_in_start_with_a_command() {
    survives("start", &[], &[("monitor_cmd", "/bin/test -d /data")]);
}

#[test]
fn killed_in_stop() {
    survives("stop", &["start"], &[]);
}

/// What a monitor runs in the container goes with the container, at the latest.
#[test]
fn killed_in_a_monitor_with_a_command() {
    let engine = Engine::start();
    let world = World::ours(&engine, "killed").with("monitor_cmd", "/bin/test -d /data");
    let report = Trial::new(world.call("monitor"))
        .prepare(&["start"])
        .recover(|_: &Kill| recover(&world))
        .run()
        .unwrap_or_else(|error| panic!("monitor: {error}"));
    println!("monitor: {report}");
    assert!(report.passed(), "monitor: {report}");
}

/// A hundred containers at once: each start and stop does its own.
#[test]
fn a_hundred_starts_and_stops_at_once() {
    let engine = Engine::start();
    let all = |action: &str| {
        let wrong: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..100)
                .map(|number| {
                    let engine = &engine;
                    scope.spawn(move || {
                        let limit = std::time::Duration::from_secs(90);
                        let name = format!("many-{number}");
                        let world = World::ours(engine, &name).limit(limit);
                        let seen = world.run(action);
                        (seen.code() != Some(0)).then(|| seen.to_string())
                    })
                })
                .collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
        });
        assert!(wrong.is_empty(), "{} of 100: {}", wrong.len(), wrong[0]);
    };
    all("start");
    assert_eq!(engine.api().containers().len(), 100);
    all("monitor");
    all("stop");
    assert_eq!(engine.api().containers(), [""; 0]);
    assert_eq!(engine.api().volumes(), [""; 0]);
}

/// One resource, asked by many at once, as an impatient administrator and the cluster may do it: whatever
/// each is told, at the end it is stopped.
#[test]
fn one_container_started_and_stopped_by_many() {
    let engine = Engine::start();
    let world = World::ours(&engine, "one");
    std::thread::scope(|scope| {
        for number in 0..20 {
            let call = world.call(if number % 2 == 0 { "start" } else { "stop" });
            scope.spawn(move || {
                let seen = call.run().unwrap();
                assert!(
                    matches!(seen.code(), Some(0 | 1)),
                    "{}",
                    String::from_utf8_lossy(&seen.stderr)
                );
            });
        }
    });
    world.expect("stop", 0);
    world.expect("monitor", 7);
    assert_eq!(engine.api().containers(), [""; 0]);
}
