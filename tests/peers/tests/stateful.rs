// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:pacemaker:Stateful`, shell and ours side by side; every call of crm_attribute is part of it.

use ocf_tester::compare::Step;
use peers::Outcome;
use peers::case::{Case, Situation, matrix};
use peers::collection::Peers;
use peers::side_by_side::check;

const AGENT: &str = "pacemaker/Stateful";
const DIFFERENCES: &str = include_str!("../../../agents/stateful/DIFFERENCES.md");
const STATE: &str = "{scratch}/run/Stateful-x.state";
const DICTATE: &str = "{scratch}/run/Stateful-x.state.rc";

const STOPPED: Situation = ("stopped", &[]);
const UNPROMOTED: Situation = ("unpromoted", &[Step::Call("start")]);
const PROMOTED: Situation = ("promoted", &[Step::Call("start"), Step::Call("promote")]);
const GARBAGE: Situation = ("state file with garbage", &[Step::Write(STATE, "garbage\n")]);
const EMPTY: Situation = ("empty state file", &[Step::Write(STATE, "")]);
const DIRECTORY: Situation =
    ("directory in place of the state file", &[Step::MakeDirectory(STATE)]);
const LINK: Situation = (
    "link in place of the state file",
    &[Step::Write("{scratch}/victim", "precious"), Step::Link(STATE, "{scratch}/victim")],
);
const NO_DIRECTORY: Situation =
    ("no directory for the state file", &[Step::Remove("{scratch}/run")]);

const ACTIONS: [&str; 9] = [
    "start",
    "stop",
    "monitor",
    "recurring monitor",
    "promote",
    "demote",
    "notify",
    "reload-agent",
    "validate-all",
];
const OTHERS: [&str; 9] =
    ["meta-data", "reload", "migrate_to", "migrate_from", "status", "usage", "help", "bogus", ""];

#[test]
fn every_difference_has_its_row() -> Outcome {
    let states = [STOPPED, UNPROMOTED, PROMOTED, GARBAGE, EMPTY, DIRECTORY, LINK, NO_DIRECTORY];
    let mut cases = matrix(AGENT, &ACTIONS, &states);
    cases.extend(matrix(AGENT, &OTHERS, &[STOPPED, UNPROMOTED, PROMOTED]));
    cases.extend(dictated());
    cases.extend(validation());
    cases.extend(notifications());
    let envfile = [("OCF_RESKEY_envfile", "{scratch}/envfile")];
    cases.extend(
        matrix(
            AGENT,
            &[
                "start",
                "stop",
                "monitor",
                "promote",
                "demote",
                "notify",
                "reload-agent",
                "validate-all",
                "meta-data",
                "bogus",
            ],
            &[STOPPED, UNPROMOTED],
        )
        .into_iter()
        .map(|case| case.with("writing its environment", &envfile).without_contents()),
    );
    cases.push(Case::new(AGENT, "start", STOPPED).with("with permissions", &[]).with_modes());
    check(DIFFERENCES, &Peers::find(AGENT)?, &[("x", cases), ("x:1", clones())])
}

/// The `.rc` file beside the state file holds the answer of a monitor, whatever the state.
fn dictated() -> Vec<Case> {
    const CONTENTS: [Situation; 13] = [
        (".rc file says 0", &[Step::Write(DICTATE, "0\n")]),
        (".rc file says 1", &[Step::Write(DICTATE, "1\n")]),
        (".rc file says 2", &[Step::Write(DICTATE, "2\n")]),
        (".rc file says 3", &[Step::Write(DICTATE, "3\n")]),
        (".rc file says 4", &[Step::Write(DICTATE, "4\n")]),
        (".rc file says 5", &[Step::Write(DICTATE, "5\n")]),
        (".rc file says 6", &[Step::Write(DICTATE, "6\n")]),
        (".rc file says 7", &[Step::Write(DICTATE, "7\n")]),
        (".rc file says 8", &[Step::Write(DICTATE, "8\n")]),
        (".rc file says 9", &[Step::Write(DICTATE, "9\n")]),
        (".rc file says 42", &[Step::Write(DICTATE, "42\n")]),
        (".rc file says 190", &[Step::Write(DICTATE, "190\n")]),
        (".rc file says no number", &[Step::Write(DICTATE, "none\n")]),
    ];
    const BESIDE: [Situation; 3] = [
        ("stopped, .rc file there", &[Step::Write(DICTATE, "1\n")]),
        ("unpromoted, .rc file there", &[Step::Call("start"), Step::Write(DICTATE, "1\n")]),
        (
            "promoted, .rc file there",
            &[Step::Call("start"), Step::Call("promote"), Step::Write(DICTATE, "1\n")],
        ),
    ];
    let mut cases = matrix(AGENT, &["monitor", "recurring monitor"], &CONTENTS);
    cases.extend(matrix(AGENT, &["start", "stop", "promote", "demote", "monitor"], &BESIDE));
    cases
}

fn validation() -> Vec<Case> {
    let mut cases = Vec::new();
    for level in ["0", "10"] {
        for state in [STOPPED, NO_DIRECTORY] {
            let case = Case::new(AGENT, "validate-all", state);
            cases.push(case.with(&format!("at level {level}"), &[("OCF_CHECK_LEVEL", level)]));
        }
    }
    let malformed = [("OCF_RESKEY_notify_delay", "x")];
    for action in ["start", "stop", "notify", "validate-all"] {
        let case = Case::new(AGENT, action, STOPPED);
        cases.push(case.with("with notify_delay x", &malformed));
    }
    let envfile = [("OCF_RESKEY_envfile", "{scratch}/none/envfile")];
    for action in ["start", "validate-all", "stop"] {
        let case = Case::new(AGENT, action, STOPPED);
        cases.push(case.with("without a directory for envfile", &envfile));
    }
    cases
}

/// Notifications, with what Pacemaker tells, and the score's target inside a bundle.
fn notifications() -> Vec<Case> {
    let told = [
        ("OCF_RESKEY_CRM_meta_notify", "true"),
        ("OCF_RESKEY_CRM_meta_notify_type", "pre"),
        ("OCF_RESKEY_CRM_meta_notify_operation", "promote"),
        ("OCF_RESKEY_CRM_meta_notify_promote_resource", "x:0"),
        ("OCF_RESKEY_CRM_meta_notify_promote_uname", "node1"),
        ("OCF_RESKEY_CRM_meta_notify_active_resource", " "),
    ];
    let slow = [("OCF_RESKEY_notify_delay", "1")];
    let promotable =
        [("OCF_RESKEY_CRM_meta_promoted_max", "1"), ("OCF_RESKEY_CRM_meta_master_max", "1")];
    let mut cases = vec![
        Case::new(AGENT, "notify", UNPROMOTED).with("told of a promotion", &told),
        Case::new(AGENT, "notify", PROMOTED).with("slowly", &slow),
        Case::new(AGENT, "notify", STOPPED)
            .with("with an empty delay", &[("OCF_RESKEY_notify_delay", "")]),
    ];
    for action in ["start", "promote", "demote", "stop", "monitor"] {
        cases.push(Case::new(AGENT, action, UNPROMOTED).with("in a promotable clone", &promotable));
    }
    cases
}

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
        cases.push(Case::new(AGENT, "start", STOPPED).with(&words, &unique));
    }
    cases
}
