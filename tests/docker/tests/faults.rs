// SPDX-License-Identifier: Apache-2.0 OR MIT
//! An Engine that is killed, frozen, or something else at its socket: every action answers within its
//! time and says what is wrong, with a container that runs and without one.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use docker_tests::fake::{self, Fake, Manner};
use docker_tests::processes::{is_alive, of_container};
use docker_tests::{Engine, Seen, World};
use std::time::Duration;

/// The time for each action; who waits for an Engine that doesn't answer waits for most of it.
const TIMEOUT: Duration = Duration::from_secs(8);

/// What is wrong with the Engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Killed,
    Frozen,
    Garbage(Manner),
}

impl Fault {
    /// Brings it about; what is given has to be kept.
    fn strike(self, engine: &Engine) -> Option<Fake> {
        match self {
            Self::Killed => engine.kill(),
            Self::Frozen => engine.freeze(),
            Self::Garbage(manner) => {
                engine.kill();
                return Some(Fake::listen(&engine.directory().join("socket"), manner));
            }
        }
        None
    }

    /// The Engine is well again.
    fn heal(self, engine: &Engine, fake: Option<Fake>) {
        drop(fake);
        match self {
            Self::Frozen => engine.thaw(),
            Self::Killed | Self::Garbage(_) => engine.restart(),
        }
    }

    /// What a reason says of it.
    fn words(self) -> &'static str {
        match self {
            Self::Killed => "docker engine",
            Self::Frozen => "answer",
            Self::Garbage(Manner::Error) => "raining",
            Self::Garbage(_) => "engine",
        }
    }
}

/// Says which call did not do what it had to.
fn expect(
    fault: Fault,
    title: &str,
    seen: &Seen,
    codes: &[i32],
    words: &str,
    wrong: &mut Vec<String>,
) {
    let reason = seen.reason.to_lowercase();
    let is_right = seen.code().is_some_and(|code| codes.contains(&code))
        && words.split('|').all(|word| reason.contains(word))
        && (seen.code() != Some(1) || !reason.is_empty())
        && (seen.code() != Some(0) || reason.is_empty())
        && seen.reason.len() <= 128
        && !seen.to_string().contains("panicked");
    println!("{fault:?}, {title}: {:?} {}", seen.execution.verdict, seen.reason);
    if !is_right {
        wrong.push(format!("{fault:?}, {title}: not {codes:?} with \"{words}\": {seen}"));
    }
}

/// Every action without a container. What says so is the kernel, where there is no Engine; one that only
/// doesn't answer may still have work to do, but none of ours was ever asked for.
fn without_container(fault: Fault, engine: &Engine, wrong: &mut Vec<String>) {
    let world = World::ours(engine, &engine.name("nobody")).limit(TIMEOUT);
    let fake = fault.strike(engine);
    for action in ["probe", "monitor"] {
        expect(fault, &format!("{action} of none"), &world.run(action), &[7], "", wrong);
    }
    expect(fault, "stop of none", &world.run("stop"), &[0], "", wrong);
    expect(fault, "start of none", &world.run("start"), &[1], fault.words(), wrong);
    fault.heal(engine, fake);
    // A start that failed was stopped by whoever manages it, and leaves nothing.
    expect(fault, "stop after it", &world.run("stop"), &[0], "", wrong);
    if world.status() != "absent" {
        wrong.push(format!("{fault:?}: a start without an Engine left a container"));
    }
}

/// Every action while a container runs: what runs is seen, and stop ends it.
fn with_container(fault: Fault, engine: &Engine, wrong: &mut Vec<String>) {
    let world = World::ours(engine, &engine.name("somebody")).limit(TIMEOUT);
    world.expect("start", 0);
    let id = engine.id(&world.name);
    let init = engine.init(&world.name);
    let fake = fault.strike(engine);
    for action in ["probe", "monitor"] {
        let title = format!("{action} of one that runs");
        expect(fault, &title, &world.run(action), &[1], fault.words(), wrong);
    }
    expect(fault, "start of one that runs", &world.run("start"), &[1], fault.words(), wrong);
    if !is_alive(init) {
        wrong.push(format!("{fault:?}: something but stop has ended the container"));
    }
    let stop = world.run("stop");
    expect(fault, "stop of one that runs", &stop, &[0], "", wrong);
    let left = of_container(&id);
    if stop.code() == Some(0) && !left.is_empty() {
        wrong.push(format!("{fault:?}: stop answers 0, and {left:?} live"));
    }
    fault.heal(engine, fake);
    expect(fault, "stop after it", &world.run("stop"), &[0], "", wrong);
    expect(fault, "monitor after it", &world.run("monitor"), &[7], "", wrong);
    if world.status() != "absent" || !of_container(&id).is_empty() {
        wrong.push(format!("{fault:?}: the container is {}", world.status()));
    }
}

fn strike(fault: Fault) {
    let engine = Engine::start();
    let mut wrong = Vec::new();
    without_container(fault, &engine, &mut wrong);
    with_container(fault, &engine, &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn an_engine_that_was_killed() {
    strike(Fault::Killed);
}

#[test]
fn an_engine_that_is_frozen() {
    strike(Fault::Frozen);
}

#[test]
fn something_else_at_the_engines_socket() {
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = fake::ALL
            .map(|manner| {
                scope.spawn(move || {
                    let engine = Engine::start();
                    let mut wrong = Vec::new();
                    without_container(Fault::Garbage(manner), &engine, &mut wrong);
                    with_container(Fault::Garbage(manner), &engine, &mut wrong);
                    wrong
                })
            })
            .into_iter()
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Where a record is lost, the name leads to the process by the Engine's own directory.
#[test]
fn a_killed_engine_and_a_lost_record() {
    let engine = Engine::start();
    let world = World::ours(&engine, "lost").limit(TIMEOUT);
    world.expect("start", 0);
    let id = engine.id("lost");
    for entry in std::fs::read_dir(world.records()).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    engine.kill();
    world.expect_reason("monitor", 1, "lost|process");
    world.expect("stop", 0);
    assert_eq!(of_container(&id), []);
    world.expect("monitor", 7);
    engine.restart();
    world.expect("monitor", 7);
    world.expect("stop", 0);
    assert_eq!(world.status(), "absent");
}

/// An Engine that starts it again would undo a stop without it.
#[test]
fn a_killed_engine_that_would_start_it_again() {
    let engine = Engine::start();
    let world = World::ours(&engine, "again").limit(TIMEOUT);
    let body = serde_json::json!({
        "Image": docker_tests::images::PLAIN,
        "HostConfig": {"RestartPolicy": {"Name": "always"}, "NetworkMode": "none"},
    });
    let id = engine.run("again", &body);
    engine.kill();
    world.expect_reason("stop", 1, "restart policy");
    assert_eq!(of_container(&id), []);
    engine.restart();
    world.expect("stop", 0);
    assert_eq!(world.status(), "absent");
}
