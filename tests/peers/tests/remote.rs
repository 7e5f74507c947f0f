// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:pacemaker:remote`, shell and ours side by side. In a network of its own: validate-all looks
//! for a server, and must find the same everywhere.

use peers::case::{Case, Situation, matrix};
use peers::collection::Peers;
use peers::side_by_side::check;
use peers::{Outcome, place};

const AGENT: &str = "pacemaker/remote";
const DIFFERENCES: &str = include_str!("../../../agents/remote/DIFFERENCES.md");
const ANY: Situation = ("always", &[]);
const ACTIONS: [&str; 17] = [
    "start",
    "stop",
    "monitor",
    "recurring monitor",
    "migrate_to",
    "migrate_from",
    "reload",
    "reload-agent",
    "meta-data",
    "usage",
    "help",
    "promote",
    "demote",
    "notify",
    "status",
    "bogus",
    "",
];

#[test]
fn every_difference_has_its_row() -> Outcome {
    place::alone("every_difference_has_its_row", || {
        let mut cases = matrix(AGENT, &ACTIONS, &[ANY]);
        let key = ("PCMK_authkey_location", "{scratch}/authkey");
        let no_key = [("OCF_RESKEY_server", "127.0.0.1"), key];
        let validate = |words: &str, env: &[(&'static str, &'static str)]| {
            Case::new(AGENT, "validate-all", ANY).with(words, env)
        };
        cases.push(validate("at level 0", &[("OCF_CHECK_LEVEL", "0"), key]));
        cases.push(validate("without a key", &no_key));
        cases.push(validate("with port x", &[("OCF_RESKEY_port", "x")]));
        cases.push(validate(
            "at level 0 with port x",
            &[("OCF_RESKEY_port", "x"), ("OCF_CHECK_LEVEL", "0")],
        ));
        for action in ["start", "stop", "monitor"] {
            let case = Case::new(AGENT, action, ANY);
            cases.push(case.with("with port x", &[("OCF_RESKEY_port", "x")]));
        }
        check(DIFFERENCES, &Peers::find(AGENT)?, &[("x", cases)])
    })
}
