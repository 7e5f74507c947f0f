// SPDX-License-Identifier: Apache-2.0 OR MIT
//! KILL at every call of start and stop that changes something; after each one stop answers 0, monitor 7,
//! start 0, and nothing is left: no server, worker, record or pid file.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use apache_tests::host::Snapshot;
use apache_tests::{Agent, World, inside};
use ocf_tester::kill::{Kill, Trial};
use std::time::Duration;

/// A traced action on a busy machine takes its time.
const LIMIT: Duration = Duration::from_secs(60);

/// What is wrong after a kill: the resource is brought back as Pacemaker does it, and used once more.
fn recover(world: &World, before: &Snapshot) -> Vec<String> {
    let mut wrong = Vec::new();
    for (action, code) in [("stop", 0), ("monitor", 7), ("probe", 7)] {
        let seen = world.run(action);
        if seen.code() != Some(code) {
            wrong.push(format!("{action} answers not {code}: {seen}"));
        }
    }
    wrong.extend(left(world, before));
    for (action, code) in [("start", 0), ("monitor", 0), ("stop", 0)] {
        let seen = world.run(action);
        if seen.code() != Some(code) {
            wrong.push(format!("then {action} answers not {code}: {seen}"));
        }
    }
    wrong.extend(left(world, before));
    wrong
}

fn left(world: &World, before: &Snapshot) -> Vec<String> {
    let changes = before.changes(&world.snapshot());
    // Once started, there is a log.
    let is_log = |line: &String| line.contains("/log/") || line.contains("/var/log/");
    let mut wrong: Vec<_> = changes.into_iter().filter(|line| !is_log(line)).collect();
    wrong.extend(world.records().into_iter().map(|name| format!("left: record {name}")));
    wrong
}

fn survives(world: &World, action: &str, preparation: &[&str]) {
    survives_some(world, action, preparation, usize::MAX);
}

/// The same with a bounded number of kills, spread evenly.
fn survives_some(world: &World, action: &str, preparation: &[&str], kills: usize) {
    // Directories for good are made by the first start.
    world.expect("start", 0);
    world.expect("stop", 0);
    let before = world.snapshot();
    let report = Trial::new(world.call(action))
        .limit(LIMIT)
        .budget(kills)
        .prepare(preparation)
        .recover(|_: &Kill| recover(world, &before))
        .run()
        .unwrap_or_else(|error| panic!("{action}: {error}"));
    println!("{action}: {report}");
    assert!(report.passed(), "{action}: {report}");
}

#[test]
fn killed_in_start() {
    inside(|| survives(&World::ours(), "start", &[]));
}

#[test]
fn killed_in_stop() {
    inside(|| survives(&World::ours(), "stop", &["start"]));
}

#[test]
fn killed_in_start_of_debians_own() {
    // The calls are those of the small configuration, of which none is left out.
    inside(|| survives_some(&World::stock(Agent::Ours), "start", &[], 24));
}

#[test]
fn killed_in_reload_agent() {
    inside(|| survives(&World::ours(), "reload-agent", &["start"]));
}
