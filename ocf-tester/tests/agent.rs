// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Single executions: what an agent is given, how it ends, and that it can't hang its caller.

use ocf_tester::agent::{Execution, Invocation, LONGEST_LIMIT, OUTPUT_CAP, Verdict};
use ocf_tester::ledger::Watch;
use ocf_tester::profile::{self, CLASSIC, EMPTY, PACEMAKER};
use ocf_tester::scratch::Scratch;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn talker() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agents/talker")
}

#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn says(execution: &Execution) -> String {
    String::from_utf8(execution.stdout.clone()).unwrap()
}

#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn variables(call: &Invocation) -> Vec<String> {
    let mut names: Vec<String> = says(&call.run().unwrap())
        .lines()
        .filter_map(|l| l.split_once('='))
        .map(|v| v.0.into())
        .collect();
    // The shell's own.
    names.retain(|name| !["PWD", "_", "SHLVL", "OLDPWD"].contains(&name.as_str()));
    names.sort();
    names
}

#[test]
fn nothing_is_inherited_but_the_path() {
    assert_eq!(variables(&Invocation::new(talker(), "environment")), ["PATH"]);
    let empty = Invocation::new(talker(), "environment").profile(&EMPTY, "x");
    assert_eq!(variables(&empty), ["PATH"]);
    let classic = Invocation::new(talker(), "environment").profile(&CLASSIC, "x");
    assert_eq!(
        variables(&classic),
        ["OCF_RESKEY_CRM_meta_timeout", "OCF_RESOURCE_INSTANCE", "OCF_ROOT", "PATH"]
    );
    for profile in profile::ALL {
        let call = Invocation::new(talker(), "environment").profile(profile, "x");
        assert!(!variables(&call).contains(&"__OCF_ACTION".to_owned()), "{}", profile.name);
    }
}

#[test]
fn pacemakers_surroundings_are_given() {
    let call =
        Invocation::new(talker(), "environment").profile(&PACEMAKER, "web").parameter("a", "b c");
    let text = says(&call.limit(Duration::from_secs(7)).run().unwrap());
    for line in [
        "OCF_RESOURCE_INSTANCE=web",
        "OCF_RESOURCE_TYPE=talker",
        "OCF_RESOURCE_PROVIDER=agents",
        "OCF_RA_VERSION_MAJOR=1",
        "OCF_RESKEY_a=b c",
        "OCF_RESKEY_CRM_meta_timeout=7000",
    ] {
        assert!(text.lines().any(|one| one == line), "{line} in\n{text}");
    }
    let text =
        says(&Invocation::new(talker(), "whereabouts").profile(&PACEMAKER, "x").run().unwrap());
    assert!(text.ends_with("0026\n"), "{text}");
}

#[test]
fn arguments_reach_the_agent_as_they_are() {
    let call = Invocation::new(talker(), "show").argument("a b").argument("$(id)").argument("");
    assert_eq!(says(&call.run().unwrap()), "show|a b|$(id)||");
    assert_eq!(says(&call.action("show").run().unwrap()), "show|");
}

#[test]
fn the_reproduction_does_the_same_in_a_shell() {
    let call = Invocation::new(talker(), "environment")
        .profile(&PACEMAKER, "it's \"x\"")
        .parameter("odd", "two words;\n$(id) `id` \\");
    let line = call.reproduction();
    assert!(line.starts_with("env -i "), "{line}");
    let by_hand = Invocation::new("/bin/sh", "-c").argument(&line).run().unwrap();
    assert_eq!(by_hand.code(), Some(0), "{line}");
    let without = |text: String| -> Vec<String> {
        let own =
            |line: &&str| !["PWD=", "_=", "OLDPWD="].iter().any(|name| line.starts_with(name));
        text.lines().filter(own).map(str::to_owned).collect()
    };
    assert_eq!(without(says(&by_hand)), without(says(&call.run().unwrap())));
}

#[test]
fn the_exit_reason_is_the_last_one_to_the_end_of_its_line() {
    let execution = Invocation::new(talker(), "reasons").run().unwrap();
    assert_eq!(execution.exit_reason.as_deref(), Some("the last one counts"));
    assert_eq!(execution.to_string(), "5 (the last one counts)");
    let execution = Invocation::new(talker(), "empty-reason").run().unwrap();
    assert_eq!(execution.exit_reason, None);
}

#[test]
fn standard_input_is_at_its_end() {
    assert_eq!(says(&Invocation::new(talker(), "reads-input").run().unwrap()), "end of input\n");
}

#[test]
fn the_agent_leads_a_process_group_of_its_own() {
    let text = says(&Invocation::new(talker(), "group").run().unwrap());
    let numbers: Vec<&str> = text.lines().collect();
    assert_eq!(numbers[0], numbers[1]);
}

#[test]
fn a_signal_is_not_an_exit_code() {
    let execution = Invocation::new(talker(), "dies").run().unwrap();
    assert_eq!(execution.verdict, Verdict::Signal(15));
    assert_eq!(execution.to_string(), "killed by SIGTERM");
}

#[test]
fn the_limit_ends_the_whole_group() {
    let scratch = Scratch::new("agent").unwrap();
    let mark = scratch.path().display().to_string();
    let call = Invocation::new(talker(), "dies-later").env("MARK", &mark);
    let execution = call.limit(Duration::from_millis(300)).run().unwrap();
    assert_eq!(execution.verdict, Verdict::TimedOut);
    let watch = Watch::new().marker(format!("MARK={mark}"));
    let left = watch.settled(&Default::default()).unwrap().processes;
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_limit_that_no_clock_holds_is_cut() {
    let mut call = Invocation::new(talker(), "group").limit(Duration::MAX);
    assert_eq!(call.limit, LONGEST_LIMIT);
    call.limit = Duration::MAX;
    assert_eq!(call.run().unwrap().code(), Some(0));
}

#[test]
fn endless_output_is_cut_and_ended_at_the_limit() {
    let call = Invocation::new(talker(), "floods").limit(Duration::from_secs(3));
    let execution = call.run().unwrap();
    assert_eq!(execution.verdict, Verdict::TimedOut);
    assert!(execution.stdout.len() <= OUTPUT_CAP);
    assert!(execution.truncated || execution.stdout.len() < OUTPUT_CAP);
}

#[test]
fn a_daemon_on_standard_output_is_named_and_not_waited_for() {
    let limit = Duration::from_secs(200);
    let begun = Instant::now();
    let execution = Invocation::new(talker(), "leaves-daemon").limit(limit).run().unwrap();
    // The daemon sleeps for 300 s: having returned before is the whole point.
    assert!(begun.elapsed() < limit);
    assert_eq!(execution.verdict, Verdict::Exit(0));
    let [holder] = execution.holders.as_slice() else { panic!("{:?}", execution.holders) };
    assert_eq!(holder.command, "sleep");
    let pid = nix::unistd::Pid::from_raw(holder.pid.unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
}

#[test]
fn an_agent_that_cannot_be_executed_is_no_verdict() {
    let error = Invocation::new("/nonexistent/agent", "start").run().unwrap_err();
    assert!(error.to_string().contains("there is no such file"), "{error}");
    let scratch = Scratch::new("agent").unwrap();
    let plain = scratch.path().join("plain");
    std::fs::write(&plain, "not executable").unwrap();
    let error = Invocation::new(plain, "start").run().unwrap_err();
    assert!(error.to_string().contains("chmod 755"), "{error}");
    assert!(error.is_permission());
}
