// SPDX-License-Identifier: Apache-2.0 OR MIT
//! KILL at every system call that changes state, of start, stop, promote and demote; after each one
//! stop answers 0, monitor 7, start 0, and nothing is left.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use conformance::{WITH_STATE, World};
use ocf_tester::kill::Trial;

fn survives(action: &str, before: &[&str]) {
    for agent in WITH_STATE {
        let world = World::of(agent);
        let report = Trial::new(world.call(action))
            .prepare(before)
            .watch(world.path())
            .run()
            .unwrap_or_else(|error| panic!("{agent} {action}: {error}"));
        println!("{agent} {action}: {report}");
        assert!(report.passed(), "{agent} {action}: {report}");
    }
}

#[test]
fn killed_in_start() {
    survives("start", &[]);
}

#[test]
fn killed_in_stop() {
    survives("stop", &["start"]);
}

#[test]
fn killed_in_stop_of_a_promoted_instance() {
    survives("stop", &["start", "promote"]);
}

#[test]
fn killed_in_promote() {
    survives("promote", &["start"]);
}

#[test]
fn killed_in_demote() {
    survives("demote", &["start", "promote"]);
}
