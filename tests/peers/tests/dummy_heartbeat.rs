// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:heartbeat:Dummy`, shell and ours side by side.

use ocf_tester::compare::Step;
use peers::Outcome;
use peers::case::{Case, Situation, matrix};
use peers::collection::Peers;
use peers::side_by_side::check;

const AGENT: &str = "heartbeat/Dummy";
const DIFFERENCES: &str = include_str!("../../../agents/dummy/DIFFERENCES.md");
const STATE: &str = "{scratch}/rsctmp/Dummy-x.state";

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
    ("no directory for the state file", &[Step::Remove("{scratch}/rsctmp")]);

const ACTIONS: [&str; 9] = [
    "start",
    "stop",
    "monitor",
    "recurring monitor",
    "reload",
    "migrate_to",
    "migrate_from",
    "validate-all",
    "meta-data",
];
const OTHERS: [&str; 9] =
    ["promote", "demote", "notify", "reload-agent", "status", "usage", "help", "bogus", ""];

#[test]
fn every_difference_has_its_row() -> Outcome {
    let states = [STOPPED, RUNNING, GARBAGE, PROMOTED, DIRECTORY, LINK, DANGLING, NO_DIRECTORY];
    let mut cases = matrix(AGENT, &ACTIONS, &states);
    cases.extend(matrix(AGENT, &OTHERS, &[STOPPED, RUNNING]));
    let state = [("OCF_RESKEY_state", "{scratch}/own.state")];
    let blanks = [("OCF_RESKEY_state", "{scratch}/my own.state")];
    for action in ["start", "stop", "monitor", "validate-all"] {
        cases.push(Case::new(AGENT, action, RUNNING).with("with a state file of its own", &state));
        cases.push(Case::new(AGENT, action, STOPPED).with("with a state file of its own", &state));
    }
    cases.push(Case::new(AGENT, "start", STOPPED).with("with a blank in the state file", &blanks));
    for level in ["0", "10"] {
        let words = format!("at level {level}");
        let level = [("OCF_CHECK_LEVEL", level)];
        for state in [STOPPED, RUNNING, NO_DIRECTORY] {
            for action in ["validate-all", "monitor"] {
                cases.push(Case::new(AGENT, action, state).with(&words, &level));
            }
        }
    }
    cases.push(Case::new(AGENT, "start", STOPPED).with("with permissions", &[]).with_modes());
    check(DIFFERENCES, &Peers::find(AGENT)?, &[("x", cases), ("x:1", clones())])
}

/// Clones: this agent takes the name of the instance as it is.
fn clones() -> Vec<Case> {
    let unique = |value| [("OCF_RESKEY_CRM_meta_globally_unique", value)];
    let plain = Case::new(AGENT, "start", STOPPED).with("of instance x:1", &[]);
    let of = |words: &str, value| {
        Case::new(AGENT, "start", STOPPED)
            .with(&format!("of instance x:1, {words}"), &unique(value))
    };
    vec![plain, of("globally unique", "true"), of("anonymous", "false")]
}
