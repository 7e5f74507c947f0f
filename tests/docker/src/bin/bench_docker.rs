// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `bench_docker FLOOR`: the client's CPU of one monitor of a running container, for a static C program
//! that makes the one inspect, for our agent and for the shell agent, in turns in one run; and the same
//! with 300 containers on the Engine. Figures are ratios: the machine's speed drifts, and the turns drift
//! with it. A measurement that fails where a target is missed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a measurement of the tests'"
)]

use bench::{Subject, median, ratio, take_turns};
use docker_tests::{AGENT, Agent, Engine, World, images};
use serde_json::json;
use std::process::Command;

/// Turns, and monitors of one kind in a turn; the shell agent is so slow that fewer are enough.
const TURNS: usize = 40;
const MONITORS: i64 = 20;
const OF_SHELL: i64 = 2;
/// Containers on the Engine, beside the one.
const MANY: usize = 299;
/// At most so many times the floor, and at least so much less than the shell agent.
const TIMES_FLOOR: f64 = 1.8;
const TIMES_LESS: f64 = 40.0;
/// What the same thing, measured twice, differs by on a machine that does other things as well.
const NOISE: f64 = 0.15;

fn main() {
    let floor = std::env::args().nth(1).expect("usage: bench_docker FLOOR (the Makefile knows it)");
    let engine = Engine::start();
    let world = World::ours(&engine, "measured").with("run_cmd", "/bin/serve");
    world.expect("start", 0);
    let mut c = Command::new(floor);
    c.arg(engine.directory().join("socket")).arg(&world.name).env_clear();
    let agent = |agent: Agent| {
        let call = world.call("monitor");
        let mut command = Command::new(agent.path(AGENT));
        command.arg("monitor").env_clear().envs(call.full_environment()).current_dir("/");
        command
    };
    let mut subjects = [
        Subject::new("floor (C)", c, MONITORS),
        Subject::new("ours", agent(Agent::Ours), MONITORS),
        Subject::new("shell", agent(Agent::Shell), OF_SHELL),
    ];
    println!("one monitor of a container, CPU of the client, medians of {TURNS} turns:");
    take_turns(&mut subjects, TURNS, 0);
    let (to_floor, to_shell) = (report(&subjects, 1), ratio(&subjects[2], &subjects[1]));
    println!("the shell agent costs {to_shell:.1} x ours");
    for number in 0..MANY {
        let body = json!({"Image": images::PLAIN, "HostConfig": {"NetworkMode": "none"}});
        engine.create(&format!("other-{number}"), &body);
    }
    // Of one after the other: that they follow each other cancels the machine's drift.
    take_turns(&mut subjects[..2], TURNS, 0);
    let to_floor_of_many = report(&subjects[..2], MANY + 1);
    let drift = to_floor_of_many / to_floor - 1.0;
    println!("with {} containers it costs {:+.1} % of that with one", MANY + 1, drift * 100.0);
    let size = std::fs::metadata(Agent::Ours.path(AGENT)).unwrap().len() / 1024;
    println!("size of ours: {size} KiB");
    drop(engine);
    assert!(to_floor <= TIMES_FLOOR, "more than {TIMES_FLOOR} x the floor");
    assert!(to_shell >= TIMES_LESS, "the shell agent costs less than {TIMES_LESS} x ours");
    assert!(drift.abs() <= NOISE, "the number of containers matters");
}

/// Ours in terms of the floor, with a line for each.
fn report(subjects: &[Subject], containers: usize) -> f64 {
    println!("containers on the Engine: {containers}");
    for subject in subjects {
        let (micros, times) = (median(subject.costs.clone()), ratio(subject, &subjects[0]));
        println!("  {:<10} {micros:>7.0} us   {times:>6.2} x the floor", subject.name);
    }
    ratio(&subjects[1], &subjects[0])
}
