// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What agents leave running is found, told and ended, wherever it went; and what isn't theirs is
//! left alone.
#![expect(clippy::disallowed_methods, reason = "a test starts the command itself, with signals")]

mod common;

use common::{Label, code, tester, text};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use ocf_tester::exit_codes::{INTERRUPTED, PASSED, VIOLATIONS};
use ocf_tester::scratch::Scratch;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Polls until it is so; the deadline is for a test that fails.
fn wait_for(mut is_so: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(120);
    while Instant::now() < deadline {
        if is_so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

fn send(signal: Signal, child: &Child) {
    let _ = kill(Pid::from_raw(child.id().cast_signed()), signal);
}

#[test]
fn a_process_without_environment_or_output_is_named_by_stop_01_and_ended() {
    for (name, rules) in [
        ("processes/clears-environment", &["STOP-01"][..]),
        ("processes/keeps-output", &["STOP-01", "USE-23"]),
        ("processes/respawns", &["STOP-01"]),
    ] {
        let (scratch, label) = (Scratch::new("processes").unwrap(), Label::new());
        let output = tester(name, &scratch).args(["-o", &label.option()]).output().unwrap();
        assert!(label.processes().is_empty(), "{name}");
        assert_eq!(code(&output), Some(VIOLATIONS), "{name}: {output:?}");
        let said = text(&output.stdout);
        for rule in rules {
            let line = said.lines().find(|line| line.starts_with(&format!("FAILED   {rule} ")));
            let line = line.unwrap_or_default();
            assert!(line.contains("sleep"), "{name}: {rule} names none:\n{said}");
        }
        let named = said.lines().any(|line| line.starts_with("LEFT ") && line.contains(&label.0));
        assert!(named, "{name}: {said}");
        assert!(!scratch.path().join("state").exists(), "{name}");
    }
}

/// Init takes the dead away at once; whoever adopts them in its place has to, too.
#[test]
fn a_stop_that_waits_for_its_daemon_to_vanish_does_not_wait_for_ever() {
    let (scratch, label) = (Scratch::new("processes").unwrap(), Label::new());
    let mut command = tester("processes/waits-for-its-daemon", &scratch);
    // What it makes of a daemon that was killed, or of two starts at once, is another question.
    command.args(["-o", &label.option(), "--only", "START-01,START-02,START-03,STOP-01"]);
    let output = command.output().unwrap();
    assert_eq!(code(&output), Some(PASSED), "{output:?}");
    assert!(label.processes().is_empty());
}

/// A shell that becomes the tester passes its children on to it.
#[test]
fn children_that_were_there_before_are_left_alone() {
    let (scratch, label) = (Scratch::new("processes").unwrap(), Label::new());
    let tester = tester("safe", &scratch);
    let mut shell = Command::new("/bin/sh");
    let script = "(sleep \"$0\"; :) < /dev/null > /dev/null 2>&1 & exec \"$@\"";
    shell.args(["-c", script, &label.0]).arg(tester.get_program()).args(tester.get_args());
    let output = shell.stdin(Stdio::null()).output().unwrap();
    let there = label.processes();
    there.iter().for_each(|pid| {
        let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
    });
    assert_eq!(code(&output), Some(PASSED), "{output:?}");
    assert!(!there.is_empty());
}

#[test]
fn a_timeout_of_ages_breaks_nothing() {
    let scratch = Scratch::new("processes").unwrap();
    let output = tester("timeout-of-ages", &scratch).args(["--skip", "MD-01"]).output().unwrap();
    assert_eq!(code(&output), Some(PASSED), "{output:?}");
    assert!(!scratch.path().join("state").exists());
}

/// Starts the tester and waits until it has started the resource.
#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn started(name: &str, state: &Path, scratch: &Scratch, label: &Label) -> Child {
    let child = tester(name, scratch).args(["-o", &label.option()]).spawn().unwrap();
    assert!(wait_for(|| state.exists()), "it was never started");
    child
}

#[test]
fn a_second_signal_leaves_a_stop_that_hangs_and_says_so() {
    let (scratch, label) = (Scratch::new("processes").unwrap(), Label::new());
    let state = scratch.path().join("state");
    let mut child = started("processes/hangs-in-stop", &state, &scratch, &label);
    let ended = wait_for(|| {
        send(Signal::SIGINT, &child);
        child.try_wait().unwrap().is_some()
    });
    if !ended {
        send(Signal::SIGKILL, &child);
    }
    let output = child.wait_with_output().unwrap();
    assert!(ended, "no signal could end it: {output:?}");
    assert_eq!(code(&output), Some(INTERRUPTED), "{output:?}");
    let said = text(&output.stdout);
    let left = said.lines().find(|line| line.starts_with("LEFT ")).unwrap_or_default();
    assert!(left.contains("a second signal ended the clean-up"), "{said}");
    assert!(left.contains("stop it: env -i "), "{said}");
    assert!(!said.contains("nothing was left running"), "{said}");
    assert!(label.processes().is_empty(), "the hanging stop itself");
    assert!(state.exists(), "the fixture can't be stopped, that is its point");
}

/// Each of them would end or stop a process that isn't prepared, and the resource would go on.
#[test]
fn every_signal_that_would_end_the_tester_stops_the_resource() {
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let signals = [
            Signal::SIGHUP,
            Signal::SIGQUIT,
            Signal::SIGTSTP,
            Signal::SIGALRM,
            Signal::SIGUSR1,
            Signal::SIGUSR2,
            Signal::SIGVTALRM,
            Signal::SIGPWR,
        ];
        let tests = signals.map(|signal| scope.spawn(move || interrupt(signal).err()));
        tests.into_iter().filter_map(|test| test.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn interrupt(signal: Signal) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let (scratch, label) = (Scratch::new("processes").map_err(failed)?, Label::new());
    let state = scratch.path().join("state");
    let child = started("slow-start", &state, &scratch, &label);
    send(signal, &child);
    let output: Output = child.wait_with_output().map_err(failed)?;
    match code(&output) {
        Some(INTERRUPTED) if !state.exists() => Ok(()),
        code => Err(format!("{signal}: {code:?}, running: {}: {output:?}", state.exists())),
    }
}

/// Calls at the same time wait for different processes, each of which another one may see first.
#[test]
fn calls_at_once_end_though_each_sees_the_others_processes() {
    let tests = (0..30).map(|_| {
        let scratch = Scratch::new("processes").unwrap();
        let mut command = tester("processes/leaves-orphans", &scratch);
        let mut child = command.args(["--only", "USE-38,START-07"]).spawn().unwrap();
        let ended = wait_for(|| child.try_wait().unwrap().is_some());
        if !ended {
            send(Signal::SIGKILL, &child);
        }
        (ended, child.wait_with_output().unwrap())
    });
    for (number, (ended, output)) in tests.enumerate() {
        assert!(ended, "run {number} never ended");
        assert_eq!(code(&output), Some(PASSED), "run {number}: {output:?}");
    }
}

/// A resource can be something else than a process, and start one all the same.
#[test]
fn a_process_that_helps_for_a_moment_is_not_taken_for_the_service() {
    let scratch = Scratch::new("processes").unwrap();
    let mut command = tester("processes/helps-for-a-moment", &scratch);
    let output = command.args(["-v", "--only", "MON-02,MON-05,STOP-02,USE-58"]).output().unwrap();
    assert_eq!(code(&output), Some(PASSED), "{output:?}");
    let said = text(&output.stdout);
    for (id, verdict) in
        [("MON-02", "passed"), ("MON-05", "skipped"), ("STOP-02", "skipped"), ("USE-58", "skipped")]
    {
        assert!(said.contains(&format!("{verdict:8} {id}")), "{id}: {said}");
    }
}
