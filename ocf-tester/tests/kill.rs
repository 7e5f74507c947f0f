// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The kill harness on an agent that stands it and on agents that don't. Needs ptrace.

use ocf_tester::agent::Invocation;
use ocf_tester::kill::{Kill, Moment, Report, Trial};
use ocf_tester::profile::PACEMAKER;
use ocf_tester::scratch::Scratch;
use std::fs;
use std::path::Path;

fn call(agent: &str, action: &str, scratch: &Scratch) -> Invocation {
    let agents = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agents");
    Invocation::new(agents.join(agent), action)
        .profile(&PACEMAKER, "fixture")
        .parameter("state", scratch.path().join("state"))
}

fn names(report: &Report) -> Vec<&str> {
    report.kills.iter().map(|kill| kill.call.name).collect()
}

#[test]
fn an_agent_that_renames_stands_every_kill() {
    for (action, before) in [
        ("start", &[][..]),
        ("stop", &["start"]),
        ("promote", &["start"]),
        ("demote", &["start", "promote"]),
    ] {
        let scratch = Scratch::new("kill").unwrap();
        let trial = Trial::new(call("safe", action, &scratch));
        let report = trial.prepare(before).watch(scratch.path()).run().unwrap();
        assert!(report.passed(), "{report}");
        assert_eq!(report.share(), 100, "{report}");
        let change = if action == "stop" { "unlinkat" } else { "rename" };
        assert!(names(&report).iter().any(|name| name.starts_with(change)), "{report}");
        // Whatever is done in a child counts too: mv and rm are processes of their own.
        assert!(names(&report).contains(&"execve"), "{report}");
    }
}

#[test]
fn a_kill_before_a_call_prevents_it_and_one_after_does_not() {
    let scratch = Scratch::new("kill").unwrap();
    let (state, new) = (scratch.path().join("state"), scratch.path().join("state.new"));
    let start = call("safe", "start", &scratch);
    let stop = start.action("stop");
    let mut judged = 0;
    let report = Trial::new(start)
        .recover(|Kill { call, moment }| {
            let content = fs::read_to_string(&new).ok();
            let renamed = state.exists();
            let after = *moment == Moment::After;
            let as_it_should_be = match call.name {
                "openat" => content == after.then(String::new),
                "write" => content.as_deref() == Some(if after { "unpromoted\n" } else { "" }),
                "renameat2" | "renameat" | "rename" => {
                    renamed == after && content.is_some() != after
                }
                _ => true,
            };
            judged += 1;
            let _ = stop.run();
            let seen = format!("{moment} {call}: {content:?}, renamed: {renamed}");
            if as_it_should_be { Vec::new() } else { vec![seen] }
        })
        .run()
        .unwrap();
    assert!(report.passed(), "{report}");
    let sides = |name: &str| report.kills.iter().filter(|kill| kill.call.name == name).count();
    assert_eq!((sides("openat"), sides("write")), (2, 2), "{report}");
    assert_eq!(judged, report.kills.len() + 2, "two undisturbed runs come first");
}

#[test]
fn a_state_file_written_in_place_is_found_out() {
    let scratch = Scratch::new("kill").unwrap();
    let trial = Trial::new(call("kill/half-written", "start", &scratch));
    let report = trial.watch(scratch.path()).run().unwrap();
    assert!(!report.passed(), "{report}");
    let text = report.to_string();
    assert!(text.contains("monitor answered 1"), "{text}");
    assert!(text.contains("state (file"), "the half-written file is named: {text}");
}

#[test]
fn a_temporary_file_that_nobody_finds_again_is_found_out() {
    let scratch = Scratch::new("kill").unwrap();
    let trial = Trial::new(call("kill/leaves-temporary", "start", &scratch));
    let report = trial.watch(scratch.path()).run().unwrap();
    assert!(!report.passed(), "{report}");
    assert!(report.share() >= 80, "what is wrong is the recovery, not the harness: {report}");
    assert!(report.to_string().contains("left: "), "{report}");
    // The same leftover, allowed, is none.
    let trial = Trial::new(call("kill/leaves-temporary", "start", &scratch));
    let report = trial.watch(scratch.path()).allow("state.*").run().unwrap();
    assert!(report.passed(), "{report}");
}

#[test]
fn kills_that_do_not_hit_the_planned_call_do_not_count() {
    let scratch = Scratch::new("kill").unwrap();
    let runs = scratch.path().join("runs");
    fs::write(&runs, "").unwrap();
    let call = call("kill/restless", "start", &scratch).parameter("runs", &runs);
    let report = Trial::new(call).run().unwrap();
    assert!(report.failures.is_empty(), "{report}");
    assert!(report.share() < 80, "{report}");
    assert!(!report.passed(), "{report}");
    assert_eq!(report.kills.len() + report.missed.len(), report.planned);
}

#[test]
fn a_budget_spreads_the_kills() {
    let scratch = Scratch::new("kill").unwrap();
    let trial = Trial::new(call("safe", "start", &scratch)).budget(4);
    let report = trial.watch(scratch.path()).run().unwrap();
    assert_eq!((report.planned, report.kills.len()), (4, 4), "{report}");
    assert_eq!(report.kills[0].call.index, report.calls[0].index, "{report}");
}

#[test]
fn an_action_that_fails_by_itself_is_no_trial() {
    let scratch = Scratch::new("kill").unwrap();
    let error = Trial::new(call("safe", "unknown", &scratch)).run().unwrap_err();
    assert!(error.to_string().contains("unknown without a kill ended with 3"), "{error}");
    let error = Trial::new(call("missing", "start", &scratch)).run().unwrap_err();
    assert!(error.to_string().contains("cannot trace"), "{error}");
}
