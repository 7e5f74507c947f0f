// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The door to other programs, with real programs behind it.

use lab::Error;
use lab::process::{Invocation, Runner};
use lab::signals::Signals;
use nix::sys::signal::{Signal, raise};
use std::time::{Duration, Instant};

fn runner() -> Runner {
    Runner::new(Signals::left_alone())
}

fn call<const N: usize>(args: [&str; N]) -> Invocation {
    Invocation::new("env").args(["--"]).args(args)
}

#[test]
fn output_and_code_are_both_had() {
    let script = "cat; echo to-stderr >&2; exit 3";
    let output = runner().run(&call(["sh", "-c", script]).stdin("to-stdout")).expect("it runs");
    assert_eq!((output.code, output.stdout.as_str()), (3, "to-stdout"));
    assert_eq!(output.stderr, "to-stderr\n");
}

#[test]
fn more_output_than_a_pipe_holds_is_read() {
    let output = runner().run(&call(["head", "-c", "1000000", "/dev/zero"])).expect("it runs");
    assert_eq!(output.stdout.len(), 1_000_000);
}

#[test]
fn death_by_signal_is_told_as_a_shell_does() {
    let output = runner().run(&call(["sh", "-c", "kill -KILL $$"])).expect("it runs");
    assert_eq!(output.code, 137);
}

#[test]
fn a_failure_quotes_the_line_that_says_error() {
    let script = "echo 'Error: no such agent' >&2; echo 'Error: cannot continue' >&2; exit 1";
    let error = runner().run_ok(&call(["sh", "-c", script])).expect_err("code 1");
    assert!(error.to_string().contains("code 1: Error: no such agent"), "{error}");
}

#[test]
fn a_program_past_its_limit_is_ended_with_its_children() {
    // The child would outlive its parent, were it not for the process group.
    let script = "sleep 1000 & echo $! > $0; wait";
    let file = std::env::temp_dir().join(format!("lab-limit-{}", std::process::id()));
    let call = call(["sh", "-c", script, &file.to_string_lossy()]).limit(Duration::from_secs(1));
    let error = runner().run(&call).expect_err("it takes too long");
    assert!(error.to_string().contains("more than 1 s"), "{error}");
    let child = std::fs::read_to_string(&file).expect("the child's pid");
    std::fs::remove_file(&file).expect("removed");
    let gone = || is_gone(child.trim());
    let start = Instant::now();
    while !gone() {
        assert!(start.elapsed() < Duration::from_secs(30), "the child {child} lives on");
        std::thread::yield_now();
    }
}

/// Whether a process has ended; one that nobody has waited for yet counts.
fn is_gone(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.is_empty() || stat.rsplit_once(')').is_some_and(|(_, rest)| rest.starts_with(" Z"))
}

#[test]
fn programs_can_be_interrupted_themselves() {
    let _caught = Signals::catch().expect("signals can be caught");
    let status = runner().run(&call(["cat", "/proc/self/status"])).expect("it runs").stdout;
    let set = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
        u64::from_str_radix(line.trim(), 16).expect("a mask")
    };
    // Bits 0, 1 and 14: HUP, INT and TERM.
    assert_eq!(set("SigBlk:") & 0x4003, 0, "blocked: {status}");
    assert_eq!(set("SigIgn:") & 0x4003, 0, "ignored: {status}");
}

#[test]
fn a_child_that_keeps_the_pipe_open_holds_nobody_up() {
    let start = Instant::now();
    let output = runner().run(&call(["sh", "-c", "setsid sleep 60 & echo done"])).expect("it runs");
    assert_eq!(output.stdout, "done\n");
    assert!(start.elapsed() < Duration::from_secs(50), "it waited for the child");
}

#[test]
fn a_signal_ends_a_wait_and_everything_after_it_but_not_what_cleans_up() {
    // The other tests in this process leave signals alone, and so aren't reached by this one.
    let runner = Runner::new(Signals::catch().expect("signals can be caught"));
    raise(Signal::SIGTERM).expect("raised");
    let error = runner.run(&call(["sleep", "1000"])).expect_err("a signal came");
    assert_eq!(error, Error::Interrupted(Signal::SIGTERM));
    assert_eq!(runner.run(&call(["true"])), Err(Error::Interrupted(Signal::SIGTERM)));
    assert_eq!(runner.pause(Duration::from_secs(100)), Err(error));
    let cleaning = runner.run(&call(["true"]).uninterruptible()).expect("it runs");
    assert_eq!(cleaning.code, 0);
}
