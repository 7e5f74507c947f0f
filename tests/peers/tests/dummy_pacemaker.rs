// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:pacemaker:Dummy`, shell and ours side by side. Check level 20 is left out: it fails by chance,
//! one time in five.

use ocf_tester::agent::{Execution, Invocation};
use ocf_tester::compare::Step;
use ocf_tester::profile::PACEMAKER;
use ocf_tester::scratch::Scratch;
use peers::case::{Case, Situation, Variable, matrix};
use peers::collection::Peers;
use peers::side_by_side::check;
use peers::{Outcome, claim};
use std::path::Path;
use std::time::Duration;

const AGENT: &str = "pacemaker/Dummy";
const DIFFERENCES: &str = include_str!("../../../agents/dummy/DIFFERENCES.md");
const STATE: &str = "{scratch}/run/Dummy-x.state";
const BUSY: &str = "{scratch}/run/Dummy-x.state.serialized";

const STOPPED: Situation = ("stopped", &[]);
const RUNNING: Situation = ("running", &[Step::Call("start")]);
const GARBAGE: Situation = ("state file with garbage", &[Step::Write(STATE, "garbage\n")]);
const PROMOTED: Situation = ("state file of a promoted one", &[Step::Write(STATE, "Promoted\n")]);
const DIRECTORY: Situation =
    ("directory in place of the state file", &[Step::MakeDirectory(STATE)]);
const LINK: Situation = (
    "link in place of the state file",
    &[Step::Write("{scratch}/victim", "precious"), Step::Link(STATE, "{scratch}/victim")],
);
const DANGLING: Situation =
    ("dangling link in place of the state file", &[Step::Link(STATE, "{scratch}/victim")]);
const NO_DIRECTORY: Situation =
    ("no directory for the state file", &[Step::Remove("{scratch}/run")]);
const BUSY_STOPPED: Situation = ("stopped, .serialized left", &[Step::Write(BUSY, "")]);
const BUSY_RUNNING: Situation =
    ("running, .serialized left", &[Step::Call("start"), Step::Write(BUSY, "")]);

const ACTIONS: [&str; 10] = [
    "start",
    "stop",
    "monitor",
    "recurring monitor",
    "reload",
    "reload-agent",
    "migrate_to",
    "migrate_from",
    "validate-all",
    "meta-data",
];
const OTHERS: [&str; 8] = ["promote", "demote", "notify", "status", "usage", "help", "bogus", ""];
const BOTH: [&str; 2] = ["monitor", "recurring monitor"];

#[test]
fn every_difference_has_its_row() -> Outcome {
    let states = [STOPPED, RUNNING, GARBAGE, PROMOTED, DIRECTORY, LINK, DANGLING, NO_DIRECTORY];
    let mut cases = matrix(AGENT, &ACTIONS, &states);
    cases.extend(matrix(AGENT, &OTHERS, &[STOPPED, RUNNING]));
    cases.extend(levels());
    cases.extend(dictated());
    cases.extend(slow());
    cases.extend(failing_starts());
    cases.extend(validation());
    cases.extend(environments());
    let state = [("OCF_RESKEY_state", "{scratch}/my own.state")];
    for action in ["start", "stop", "monitor"] {
        cases
            .push(Case::new(AGENT, action, RUNNING).with("with a blank in the state file", &state));
    }
    cases.push(Case::new(AGENT, "start", STOPPED).with("with permissions", &[]).with_modes());
    check(DIFFERENCES, &Peers::find(AGENT)?, &[("x", cases), ("x:1", clones())])
}

fn at_level(level: &'static str) -> (String, [Variable; 1]) {
    (format!("at level {level}"), [("OCF_CHECK_LEVEL", level)])
}

/// Level 10 has a test of its own.
fn levels() -> Vec<Case> {
    let mut cases = Vec::new();
    for level in ["0", "5", "25", "30", "99", "x", ""] {
        let (words, level) = at_level(level);
        cases.extend(
            matrix(AGENT, &BOTH, &[STOPPED, RUNNING]).into_iter().map(|c| c.with(&words, &level)),
        );
    }
    let (words, level) = at_level("10");
    cases.push(Case::new(AGENT, "monitor", STOPPED).with(&words, &level));
    for action in ["start", "stop", "reload-agent"] {
        let (words, level) = at_level("30");
        cases.push(Case::new(AGENT, action, RUNNING_BEFORE).with(&words, &level));
    }
    cases
}

/// By hand: a scenario would stop the resource at that level too, which takes the shell agent another
/// half minute.
#[test]
fn check_level_10_takes_half_a_minute() -> Outcome {
    let peers = Peers::find(AGENT)?;
    let monitor = |agent: &Path| -> Outcome<Execution> {
        let scratch = Scratch::new("level10")?;
        let state = scratch.path().join("x.state");
        std::fs::write(&state, "")?;
        let call = Invocation::new(agent, "monitor").profile(&PACEMAKER, "x");
        let call = call.parameter("state", &state).env("OCF_CHECK_LEVEL", "10");
        Ok(call.limit(Duration::from_secs(300)).run()?)
    };
    let both = std::thread::scope(|scope| {
        let running = [&peers.shell, &peers.ours].map(|agent| scope.spawn(|| monitor(agent)));
        running.map(std::thread::ScopedJoinHandle::join)
    });
    for done in both {
        let done = done.map_err(|_| "a monitor ended before its time")??;
        let is_so = done.code() == Some(0) && done.duration >= Duration::from_secs(30);
        claim(is_so, format!("a monitor at level 10 is {done} after {:?}", done.duration))?;
    }
    Ok(())
}

/// Level 40: the state file holds the answer.
fn dictated() -> Vec<Case> {
    const CONTENTS: [Situation; 14] = [
        ("state file says 0", &[Step::Write(STATE, "0\n")]),
        ("state file says 1", &[Step::Write(STATE, "1\n")]),
        ("state file says 2", &[Step::Write(STATE, "2\n")]),
        ("state file says 3", &[Step::Write(STATE, "3\n")]),
        ("state file says 4", &[Step::Write(STATE, "4\n")]),
        ("state file says 5", &[Step::Write(STATE, "5\n")]),
        ("state file says 6", &[Step::Write(STATE, "6\n")]),
        ("state file says 7", &[Step::Write(STATE, "7\n")]),
        ("state file says 8", &[Step::Write(STATE, "8\n")]),
        ("state file says 9", &[Step::Write(STATE, "9\n")]),
        ("state file says 42", &[Step::Write(STATE, "42\n")]),
        ("state file says 190", &[Step::Write(STATE, "190\n")]),
        ("state file says 191", &[Step::Write(STATE, "191\n")]),
        ("state file says no number", &[Step::Write(STATE, "none\n")]),
    ];
    let (words, level) = at_level("40");
    let mut cases = matrix(AGENT, &BOTH, &CONTENTS);
    cases.extend(matrix(AGENT, &BOTH, &[STOPPED, RUNNING, PROMOTED]));
    cases.into_iter().map(|case| case.with(&words, &level)).collect()
}

/// `op_sleep`, and the rule of the `.serialized` file.
fn slow() -> Vec<Case> {
    let mut cases = matrix(
        AGENT,
        &[
            "start",
            "stop",
            "monitor",
            "recurring monitor",
            "reload",
            "reload-agent",
            "migrate_from",
        ],
        &[STOPPED, RUNNING, BUSY_STOPPED, BUSY_RUNNING],
    );
    cases = cases
        .into_iter()
        .map(|case| case.with("slowly", &[("OCF_RESKEY_op_sleep", "1")]))
        .collect();
    cases.extend(matrix(AGENT, &["start", "stop", "monitor"], &[BUSY_STOPPED, BUSY_RUNNING]));
    for (words, text) in
        [("with op_sleep x", "x"), ("with op_sleep 1x", "1x"), ("with op_sleep -1", "-1")]
    {
        for action in ["start", "stop", "monitor", "recurring monitor"] {
            let case = Case::new(AGENT, action, RUNNING_BEFORE);
            cases.push(case.with(words, op_sleep(text)));
        }
        cases.push(Case::new(AGENT, "start", STOPPED).with(words, op_sleep(text)));
    }
    cases
}

/// Running without the help of the agent, whose parameters may be malformed.
const RUNNING_BEFORE: Situation = ("state file there", &[Step::Write(STATE, "")]);

fn op_sleep(text: &str) -> &'static [Variable] {
    match text {
        "x" => &[("OCF_RESKEY_op_sleep", "x")],
        "1x" => &[("OCF_RESKEY_op_sleep", "1x")],
        "-1" => &[("OCF_RESKEY_op_sleep", "-1")],
        "" => &[("OCF_RESKEY_op_sleep", "")],
        _ => &[("OCF_RESKEY_op_sleep", "1")],
    }
}

/// `fail_start_on`: this host, another one.
fn failing_starts() -> Vec<Case> {
    // The host's name isn't known here, so the scenarios get it from the one file that says it.
    let here = peers::side_by_side::host_name();
    let mut cases = Vec::new();
    for (words, node) in [("told to fail here", here), ("told to fail elsewhere", "elsewhere")] {
        for action in ["start", "migrate_from", "reload-agent", "monitor", "stop"] {
            for state in [STOPPED, RUNNING_BEFORE] {
                let case = Case::new(AGENT, action, state);
                cases.push(case.with(words, &[("OCF_RESKEY_fail_start_on", node)]));
            }
        }
    }
    cases
}

/// validate-all at the levels unset, 0 and 10.
fn validation() -> Vec<Case> {
    let mut cases = Vec::new();
    for level in ["unset", "0", "10"] {
        let (words, variables) = match level {
            "unset" => (String::new(), Vec::new()),
            _ => (format!("at level {level} "), vec![("OCF_CHECK_LEVEL", level)]),
        };
        let mut add = |what: &str, state, more: &[Variable]| {
            let all: Vec<Variable> = variables.iter().chain(more).copied().collect();
            let words = format!("{words}{what}");
            cases.push(Case::new(AGENT, "validate-all", state).with(&words, &all));
        };
        add("", STOPPED, &[("OCF_RESKEY_fake", "x")]);
        add("without a directory for state", NO_DIRECTORY, &[]);
        add("with a file for a directory", STOPPED, &[("OCF_RESKEY_state", "/etc/passwd/x.state")]);
        let envfile = "{scratch}/none/envfile";
        add("without a directory for envfile", STOPPED, &[("OCF_RESKEY_envfile", envfile)]);
        for text in ["x", "1x", "-1", "", "1"] {
            add(&format!("with op_sleep \"{text}\""), STOPPED, op_sleep(text));
        }
    }
    cases
}

/// `envfile` appears for every action; what is in it is a test of its own.
fn environments() -> Vec<Case> {
    let envfile = [("OCF_RESKEY_envfile", "{scratch}/envfile")];
    let actions = [ACTIONS.as_slice(), &["bogus"]].concat();
    let words = "writing its environment";
    let cases = matrix(AGENT, &actions, &[STOPPED, RUNNING_BEFORE]).into_iter();
    cases.map(|case| case.with(words, &envfile).without_contents()).collect()
}

/// The number of a clone's instance is part of the state file's name where instances are distinct.
fn clones() -> Vec<Case> {
    let mut cases = vec![Case::new(AGENT, "start", STOPPED).with("of instance x:1", &[])];
    for (words, value) in [
        ("true", "true"),
        ("yes", "yes"),
        ("false", "false"),
        ("empty", ""),
        ("no word of Pacemaker's", "maybe"),
    ] {
        let words = format!("of instance x:1, globally_unique {words}");
        let unique = [("OCF_RESKEY_CRM_meta_globally_unique", value)];
        for action in ["start", "stop"] {
            cases.push(Case::new(AGENT, action, STOPPED).with(&words, &unique));
        }
    }
    cases
}
