// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The runner as a process, around an agent that misbehaves.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use conformance::expect;
use ocf_tester::agent::Invocation;
use ocf_tester::profile::PACEMAKER;
use std::fs::File;
use std::process::{Command, Stdio};
use std::time::Duration;

const AGENT: &str = env!("CARGO_BIN_EXE_misbehaving");

fn call(action: &str, how: &str) -> Invocation {
    Invocation::new(AGENT, action).profile(&PACEMAKER, "x").parameter("how", how)
}

#[test]
fn a_panic_ends_as_a_failure_with_a_reason() {
    let reason = expect(&call("reload", "panic"), 1).exit_reason.unwrap();
    assert!(reason.starts_with("defect in this agent at tests/conformance/"), "{reason}");
}

#[test]
fn a_reason_is_one_line_whatever_an_agent_says() {
    let reason = expect(&call("reload", "long"), 1).exit_reason.unwrap();
    assert_eq!(reason, "ä".repeat(64));
    let seen = call("reload", "lines").run().unwrap();
    assert_eq!(seen.exit_reason.as_deref(), Some("first exit reason:second"));
}

#[test]
fn a_log_line_never_counts_as_a_reason() {
    let seen = expect(&call("reload", "plant"), 0);
    assert_eq!(seen.exit_reason, None);
    assert!(String::from_utf8(seen.stderr).unwrap().contains("exit reason:planted"));
}

#[test]
fn a_start_that_never_gets_ready_gives_up_before_it_is_killed() {
    let seen = expect(&call("start", "nothing").limit(Duration::from_secs(2)), 1);
    assert!(seen.exit_reason.unwrap().contains("is not ready"));
}

#[test]
fn a_stop_that_leaves_something_fails_and_names_it() {
    let reason = expect(&call("stop", "leave"), 1).exit_reason.unwrap();
    assert_eq!(reason, "still there after stop: process 4711");
}

#[test]
fn an_action_that_used_most_of_its_time_gets_advice() {
    // Killed long after the timeout that the agent is told, so that a slow machine changes nothing.
    let dawdle = call("reload", "dawdle").limit(Duration::from_secs(60));
    let seen = expect(&dawdle.parameter("CRM_meta_timeout", "1000"), 0);
    let stderr = String::from_utf8(seen.stderr).unwrap();
    assert!(stderr.contains("of its timeout of 1s: raise the timeout"), "{stderr}");
}

#[test]
fn a_description_nobody_can_take_is_a_failure_and_a_reader_that_left_is_none() {
    let run = |stdout: Stdio| {
        let output = Command::new(AGENT).arg("meta-data").stdout(stdout).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, stderr) = run(File::options().write(true).open("/dev/full").unwrap().into());
    assert_eq!(code, Some(1));
    assert!(
        stderr.ends_with("ocf-exit-reason:cannot write to stdout: no space left on device\n"),
        "{stderr}"
    );
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(run(writer.into()), (Some(0), String::new()));
}

#[test]
fn a_prefix_of_the_callers_choice() {
    let seen = call("stop", "leave").env("OCF_EXIT_REASON_PREFIX", "why: ").run().unwrap();
    assert!(
        String::from_utf8(seen.stderr)
            .unwrap()
            .ends_with("why: still there after stop: process 4711\n")
    );
}
