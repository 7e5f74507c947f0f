// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A start is killed while its request waits in an Engine that is frozen; the Engine goes on later and
//! does what it was asked. A stop in between never answers 0 before the container is gone for good.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use docker_tests::processes::is_alive;
use docker_tests::side_by_side::release;
use docker_tests::{Engine, PATIENCE, World, images, pause};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use ocf_tester::agent::Invocation;
use serde_json::json;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How often each way is gone.
const TIMES: u64 = 20;

/// Some rounds at a time, each with an Engine of its own: they wait, mostly.
const ENGINES: usize = 4;

/// Which request is the one that is left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// That makes the container.
    Create,
    /// That starts it.
    Start,
}

/// A call in the background, in a group of its own, as Pacemaker runs it.
fn spawn(call: &Invocation) -> Child {
    let mut command = Command::new(&call.agent);
    command.args(&call.arguments).env_clear().envs(call.full_environment()).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

fn kill_group(mut child: Child) {
    // One that has ended and was waited for has no group any more.
    if child.try_wait().unwrap().is_none() {
        killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL).unwrap();
        child.wait().unwrap();
    }
}

/// The record that a start writes before each request, anew each time: its inode while it says that the
/// answer isn't in yet.
fn asking(world: &World<'_>) -> Option<u64> {
    let file = world.records().join(format!("docker-{}.record", world.name));
    let inode = std::fs::metadata(&file).ok()?.ino();
    std::fs::read_to_string(file).ok()?.contains("asking").then_some(inode)
}

/// Freezes the Engine the moment a start comes to the request, and kills the start a while later.
/// Says whether the request was open then.
fn leave_behind(world: &World<'_>, left: Left, delay: u64) -> bool {
    let mut child = spawn(&world.call("start"));
    let mut record = wait_for_record(world, None, &mut child);
    if left == Left::Start && record.is_some() {
        record = wait_for_record(world, record, &mut child);
    }
    world.engine.freeze();
    pause(Duration::from_millis(100 + delay));
    let is_alive = is_alive(Pid::from_raw(child.id().cast_signed()));
    let is_open = record.is_some() && asking(world) == record && is_alive;
    kill_group(child);
    is_open
}

/// In a hurry: the Engine is to be frozen before it has answered. `None` where the start was through before anybody
/// looked, as on a machine that stood still for a moment.
fn wait_for_record(world: &World<'_>, other_than: Option<u64>, child: &mut Child) -> Option<u64> {
    let begun = Instant::now();
    loop {
        match asking(world) {
            Some(record) if other_than != Some(record) => return Some(record),
            _ if child.try_wait().unwrap().is_some() => return None,
            _ => assert!(begun.elapsed() < PATIENCE, "no record in {:?}", world.records()),
        }
    }
}

/// The Engine goes on after this time, whatever is done meanwhile.
fn thaw_later(pid: Pid, after: Duration) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        std::thread::sleep(after);
        kill(pid, Signal::SIGCONT).unwrap();
    })
}

/// A container of this name stays away: whatever the Engine still had to do, it has done.
fn stays_away(world: &World<'_>) -> Result<(), String> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1500) {
        match world.status().as_str() {
            "absent" => pause(Duration::from_millis(20)),
            other => return Err(format!("is {other} {:?} after stop answered 0", begun.elapsed())),
        }
    }
    Ok(())
}

fn round(engine: &Engine, left: Left, number: u64) -> (bool, Result<(), String>) {
    let name = format!("flight-{left:?}-{number}").to_lowercase();
    let world = World::ours(engine, &name);
    let waited = leave_behind(&world, left, number * 3);
    // Mostly five seconds; sometimes about when stop begins to look.
    let after = Duration::from_millis(if number % 4 == 3 { number * 60 } else { 5000 });
    let thaw = thaw_later(engine.pid(), after);
    // Pacemaker repeats a stop that failed only by fencing; here it is enough that it says so.
    let stop = world.run("stop");
    // The Engine's answers count only once it goes on.
    thaw.join().unwrap();
    let result = match stop.code() {
        Some(0) => stays_away(&world),
        Some(1) => Ok(()),
        _ => Err(format!("stop: {stop}")),
    };
    if stop.code() == Some(1) && result.is_ok() {
        println!("{name}: stop answers 1: {}", stop.reason);
    }
    let again = world.run("stop");
    let result = result.and_then(|()| match again.code() {
        Some(0) => stays_away(&world),
        _ => Err(format!("a stop with a sound Engine: {again}")),
    });
    (waited && stop.code() == Some(0), result)
}

fn rounds(left: Left) {
    let of_one = |first: u64| {
        let engine = Engine::start();
        let numbers = (first..TIMES).step_by(ENGINES);
        numbers.map(|number| round(&engine, left, number)).collect::<Vec<_>>()
    };
    let all: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..ENGINES as u64).map(|n| scope.spawn(move || of_one(n))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let proved = all.iter().filter(|(is_proved, _)| *is_proved).count();
    println!(
        "{left:?}: {TIMES} starts killed; {proved} requests were open, and stop waited them out"
    );
    let wrong: Vec<_> = all.iter().filter_map(|(_, result)| result.as_ref().err()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    // On a busy machine some requests are through before the Engine is frozen.
    assert!(proved * 2 > all.len(), "only {proved} of {TIMES} have shown anything");
}

#[test]
fn a_start_killed_before_its_container_was_made() {
    rounds(Left::Create);
}

#[test]
fn a_start_killed_before_its_container_was_started() {
    rounds(Left::Start);
}

/// What the others stand on. Engine 26 may drop a request whose client is gone; Debian 12's does what it
/// was asked, always.
#[test]
fn a_request_in_flight_is_carried_out_after_its_client_is_gone() {
    let engine = Engine::start();
    engine.create("late", &json!({"Image": images::PLAIN, "HostConfig": {"NetworkMode": "none"}}));
    engine.freeze();
    let socket = engine.directory().join("socket");
    let mut client = std::os::unix::net::UnixStream::connect(&socket).unwrap();
    let request = "POST /containers/late/start HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
    std::io::Write::write_all(&mut client, request.as_bytes()).unwrap();
    drop(client);
    engine.thaw();
    if release() == "Debian 12" {
        engine.wait_status("late", "running");
    } else {
        let status = engine.status("late");
        println!("{}: a start whose client is gone: {status}", release());
        assert!(matches!(status.as_str(), "created" | "running"), "{status}");
    }
}
