// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The one door, with real programs behind it.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "test code")]

use ocf::Context;
use ocf::command::{Command, End, Failure, find_program};
use ocf::deadline::Deadline;
use ocf::environment::Environment;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

fn context(pairs: &[(&str, &str)]) -> Context {
    let environment: Environment = pairs.iter().copied().collect();
    Context::of("start", Duration::from_secs(60), environment).unwrap()
}

fn shell(script: &str) -> Command {
    // A shell as the program under test: it can be made to do anything.
    Command::new(&context(&[]), "sh").arg("-c").arg(script)
}

/// One test at a time: a program that is killed takes all children of this process with it.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn seconds(n: u64) -> Deadline {
    Deadline::since(Instant::now(), Duration::from_secs(n))
}

#[test]
fn output_status_and_signals() {
    let _alone = alone();
    let output =
        shell("echo out; echo first >&2; echo last >&2; exit 3").run(&seconds(60)).unwrap();
    assert_eq!((output.end, output.stdout.as_slice()), (End::Exit(3), b"out\n".as_slice()));
    assert_eq!(output.last_words(), "last");
    let output = shell("kill -KILL $$").run(&seconds(60)).unwrap();
    assert_eq!(output.end, End::Signal(9));
}

#[test]
fn a_program_that_ignores_term_is_killed_at_the_deadline() {
    let _alone = alone();
    let begun = Instant::now();
    let failure = shell("trap '' TERM; while :; do sleep 1; done").run(&seconds(1)).unwrap_err();
    assert!(matches!(failure, Failure::TimedOut(_)), "{failure}");
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn what_a_killed_program_had_started_is_killed_too() {
    let _alone = alone();
    let scratch = std::env::temp_dir().join(format!("ocf-command-{}", std::process::id()));
    let script = format!("sleep 600 & echo $! >{}; wait; sleep 600", scratch.display());
    shell(&script).run(&seconds(1)).unwrap_err();
    let pid = std::fs::read_to_string(&scratch).unwrap().trim().parse().unwrap();
    std::fs::remove_file(&scratch).unwrap();
    let left = ocf::process::Identity::of(pid).filter(ocf::process::Identity::is_alive);
    assert_eq!(left, None);
}

#[test]
fn nothing_is_started_when_no_time_is_left() {
    let _alone = alone();
    let failure = shell("true").run(&seconds(0)).unwrap_err();
    assert!(matches!(failure, Failure::NoTime(_)), "{failure}");
}

#[test]
fn endless_output_is_read_and_dropped() {
    let _alone = alone();
    let output = shell("head -c 5000000 /dev/zero").run(&seconds(60)).unwrap();
    assert!(output.is_success() && output.truncated);
    assert_eq!(output.stdout.len(), 1 << 20);
}

#[test]
fn a_grandchild_that_keeps_the_pipe_holds_nobody_up() {
    let _alone = alone();
    let begun = Instant::now();
    let output = shell("sleep 20 & echo $!").run(&seconds(60)).unwrap();
    assert!(output.is_success());
    assert!(begun.elapsed() < Duration::from_secs(15));
    let pid: i32 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    let sleeper = ocf::process::Identity::of(pid).unwrap();
    assert!(sleeper.signal(nix::sys::signal::Signal::SIGKILL).unwrap());
}

#[test]
fn no_parameter_reaches_a_child() {
    let _alone = alone();
    let context = context(&[("OCF_RESKEY_passwd", "hunter2"), ("PCMK_debug", "yes")]);
    let output = Command::new(&context, "env").env("X", "y").run(&seconds(60)).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("hunter2"), "{text}");
    for line in ["PCMK_debug=yes", "X=y", "LC_ALL=C"] {
        assert!(text.lines().any(|seen| seen == line), "{line}: {text}");
    }
}

#[test]
fn a_service_gets_its_own_environment_and_nothing_else() {
    let _alone = alone();
    let context = context(&[("PCMK_debug", "yes"), ("HOME", "/root"), ("TZ", "UTC")]);
    let env = |variables: &[(&'static str, &'static str)]| {
        let command = Command::new(&context, "env").environment(variables.iter().copied());
        String::from_utf8(command.run(&seconds(60)).unwrap().stdout).unwrap()
    };
    let text = env(&[("LANG", "C.UTF-8")]);
    let mut names: Vec<_> = text.lines().filter_map(|line| line.split('=').next()).collect();
    names.sort_unstable();
    assert_eq!(names, ["LANG", "PATH"], "{text}");
    assert_eq!(env(&[("PATH", "/nowhere")]), "PATH=/nowhere\n");
}

#[test]
fn programs_are_found_behind_a_poor_path_and_hidden_from_a_tester() {
    let _alone = alone();
    let poor = context(&[("PATH", "/nonexistent")]);
    assert!(find_program(&poor, Path::new("sh")).is_some());
    assert!(find_program(&poor, Path::new("no-such-program")).is_none());
    let hidden = context(&[("OCF_TESTER_FAIL_HAVE_BINARY", "1")]);
    assert!(find_program(&hidden, Path::new("sh")).is_none());
    let failure = Command::new(&poor, "/no/such/program").run(&seconds(60)).unwrap_err();
    assert_eq!(failure.to_string(), "/no/such/program is not installed");
}

#[test]
fn a_program_reads_what_it_is_given_and_then_the_end() {
    let _alone = alone();
    let output = shell("cat; echo end").stdin("a text").run(&seconds(60)).unwrap();
    assert_eq!(output.stdout, b"a textend\n");
    let output = shell("cat; echo end").run(&seconds(60)).unwrap();
    assert_eq!(output.stdout, b"end\n");
    // One that doesn't read isn't waited for, and is no failure.
    let output = shell("exec <&-; echo end").stdin("x".repeat(4096)).run(&seconds(60)).unwrap();
    assert_eq!((output.end, output.stdout.as_slice()), (End::Exit(0), b"end\n".as_slice()));
    let failure = shell("cat").stdin("x".repeat(4097)).run(&seconds(60)).unwrap_err();
    assert!(failure.to_string().contains("too much to read"), "{failure}");
}
