// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `bench_apache FLOOR`: the CPU of one monitor of a web server, for a static C program that asks for the
//! same page, for our agent and for the shell agent, in turns in one run and in a world of its own. CPU is
//! told in ratios of the same turn: the machine's speed drifts. A measurement that fails where a target is
//! missed.
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

use apache_tests::inside::run_program_inside;
use apache_tests::{AGENT, Agent, World, is_inside};
use bench::{Subject, median, ratio, take_turns};
use ocf_tester::agent::Invocation;
use std::path::Path;
use std::process::Command;

/// Turns, and monitors of one kind in a turn; the shell agent is so slow that two are enough.
const TURNS: usize = 40;
const MONITORS: i64 = 20;
const OF_SHELL: i64 = 2;

/// At most so many times the floor, and at least so much less than the shell agent.
const TIMES_FLOOR: f64 = 2.5;
const TIMES_LESS: f64 = 15.0;

fn subject(name: &'static str, call: &Invocation, count: i64) -> Subject {
    let mut command = Command::new(&call.agent);
    command.args(&call.arguments).env_clear().envs(call.full_environment()).current_dir("/");
    Subject::new(name, command, count)
}

fn main() {
    let floor = std::env::args().nth(1).expect("usage: bench_apache FLOOR (the Makefile knows it)");
    if !is_inside() {
        return run_program_inside(&[floor]);
    }
    let world = World::ours();
    world.expect("start", 0);
    let small = measure("a small configuration", &world, &floor, "8088");
    world.expect("stop", 0);
    stopped(&world);
    let world = World::stock(Agent::Ours);
    world.expect("start", 0);
    let debians = measure("Debian's own configuration", &world, &floor, "80");
    world.expect("stop", 0);
    let size = std::fs::metadata(Agent::Ours.path(AGENT)).unwrap().len() / 1024;
    println!("size of ours: {size} KiB");
    let wrong: Vec<_> = small.into_iter().chain(debians).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("; "));
}

/// Prints every figure of a running server, and gives the sentences on missed targets.
fn measure(title: &str, world: &World, floor: &str, port: &str) -> Vec<String> {
    let ours = world.call("monitor");
    let words = ["127.0.0.1", port, "/server-status", "</html>"];
    // All get the same environment, which the kernel copies for each.
    let c =
        Invocation { agent: Path::new(floor).to_owned(), arguments: Vec::new(), ..ours.clone() };
    let c = words.iter().fold(c, Invocation::argument);
    let shell = Invocation { agent: Agent::Shell.path(AGENT), ..ours.clone() };
    let mut subjects = [
        subject("floor (C)", &c, MONITORS),
        subject("ours", &ours, MONITORS),
        subject("shell", &shell, OF_SHELL),
    ];
    take_turns(&mut subjects, TURNS, 0);
    let [floor, ours, shell] = &subjects;
    println!("one monitor of {title}, CPU, medians of {TURNS} turns:");
    for subject in &subjects {
        let (micros, times) = (median(subject.costs.clone()), ratio(subject, floor));
        println!("  {:<10} {micros:>7.0} us   {times:>6.2} x the floor", subject.name);
    }
    let (to_floor, to_shell) = (ratio(ours, floor), ratio(shell, ours));
    println!("  the shell agent costs {to_shell:.1} x ours");
    let mut wrong = Vec::new();
    if to_floor > TIMES_FLOOR {
        wrong.push(format!("{title}: {to_floor:.2} x the floor, more than {TIMES_FLOOR}"));
    }
    if to_shell < TIMES_LESS {
        wrong.push(format!(
            "{title}: the shell agent costs {to_shell:.1} x, less than {TIMES_LESS}"
        ));
    }
    wrong
}

/// Of a server that doesn't run, where nobody answers; the shell agent waits five seconds for that, and
/// computes meanwhile.
fn stopped(world: &World) {
    let ours = world.call("probe");
    let shell = Invocation { agent: Agent::Shell.path(AGENT), ..ours.clone() };
    let mut subjects = [subject("ours", &ours, MONITORS), subject("shell", &shell, OF_SHELL)];
    take_turns(&mut subjects, TURNS, 7);
    println!("one probe of a stopped server, CPU, medians of {TURNS} turns:");
    for subject in &subjects {
        println!("  {:<10} {:>7.0} us", subject.name, median(subject.costs.clone()));
    }
}
