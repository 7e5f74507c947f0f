// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the tracer does to processes that it isn't there for.

use super::observe;
use super::trace::{self, End};
use crate::agent::Invocation;
use crate::ledger::{Watch, pause};
use crate::profile::PACEMAKER;
use crate::scratch::Scratch;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Lines such as `TracerPid: 0` of a process's status.
fn status(pid: i32, key: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_whitespace().nth(1).unwrap().to_owned()
}

#[test]
fn what_start_leaves_running_is_let_go_unharmed() {
    let scratch = Scratch::new("trace").unwrap();
    let agent = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agents/kill/daemons");
    let state = scratch.path().join("state");
    let start =
        Invocation::new(agent, "start").profile(&PACEMAKER, "fixture").parameter("state", &state);
    let run = trace::run(&start, trace::Purpose::Trial(None), None).unwrap();
    assert_eq!(run.end, End::Exit(0));

    let watch = Watch::new().marker(format!("OCF_RESKEY_state={}", state.display()));
    let left = watch.snapshot().unwrap().processes;
    let sessions: Vec<bool> = left.values().map(|one| one.session == one.pid).collect();
    // Let go means: no tracer, and asleep again once the signals of letting go are dealt with.
    let deadline = Instant::now() + Duration::from_secs(60);
    let free = |pid| status(pid, "TracerPid:") == "0" && status(pid, "State:") == "S";
    while !left.values().all(|one| free(one.pid)) && Instant::now() < deadline {
        pause(Duration::from_millis(5));
    }
    let all_free = left.values().all(|one| free(one.pid));
    for process in left.values() {
        nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(process.pid),
            nix::sys::signal::Signal::SIGKILL,
        )
        .unwrap();
    }
    assert_eq!(sessions.len(), 2, "{left:?}");
    assert!(sessions.contains(&true) && sessions.contains(&false), "{left:?}");
    assert!(all_free, "{left:?}");
}

#[test]
fn an_action_that_never_ends_is_ended_at_its_limit() {
    let call = Invocation::new("/bin/sleep", "300").limit(Duration::from_millis(200));
    let run = trace::run(&call, trace::Purpose::Trial(None), None).unwrap();
    assert!(run.timed_out);
    assert_eq!(run.end, End::Signal(nix::sys::signal::Signal::SIGKILL));
}

#[test]
fn what_an_action_starts_executes_and_makes_is_seen() {
    let scratch = Scratch::new("sight").unwrap();
    let mut call = Invocation::new("/bin/sh", "-c")
        .argument("(:); (setsid true a-word) & wait; : > made; mkdir nested; exec true last-word");
    call.directory = scratch.path().to_owned();
    let (execution, sight) = observe(&call, None).unwrap();
    assert_eq!(execution.code(), Some(0), "{execution:?}");
    assert_eq!(execution.processes, Some(sight.started + 1));
    // The first subshell; the second, which becomes setsid; mkdir.
    assert_eq!(sight.started, 3, "{sight:?}");
    for words in ["true a-word", "true last-word"] {
        assert!(sight.programs.iter().any(|program| program == words), "{sight:?}");
    }
    for name in ["made", "nested"] {
        assert!(sight.made.contains(&scratch.path().join(name)), "{sight:?}");
    }
    assert!(sight.calls.contains("setsid") && sight.calls.contains("execve"), "{sight:?}");
}
