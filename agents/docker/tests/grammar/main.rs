// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The grammar of `docker run`, against the CLI itself: a stand-in for the Engine records what the CLI
//! asks for, and the agent's own request has to be the same, all of it.
//!
//! `recorded/` holds what the newest CLI asked for. What the installed CLI asks for is recorded while
//! the test runs: that needs Docker's CLI, no Engine. To record anew:
//!
//! `DOCKER_CLI=/path/to/docker cargo test -p ocf-docker --test grammar -- --ignored record`

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod cases;
mod compare;
mod engine;
mod fallback;
mod real;
mod recorder;

use cases::Case;
use compare::{Cli, Outcome};
use std::collections::BTreeMap;

/// The CLI whose requests are the measure: built from Docker's own tag.
const NEWEST: &str = include_str!("recorded/docker-29.7.2.jsonl");

fn recorded(text: &str) -> BTreeMap<String, Outcome> {
    text.lines().map(|line| recorder::from_line(line).unwrap()).collect()
}

#[test]
fn every_request_is_the_newest_clis() {
    let recorded = recorded(NEWEST);
    let cases = cases::all();
    assert!(cases.len() >= 190, "only {} cases", cases.len());
    let mut faults = Vec::new();
    let (mut made, mut refused) = (0, 0);
    for case in &cases {
        let theirs =
            recorded.get(&case.line).unwrap_or_else(|| panic!("not recorded: {}", case.line));
        let ours = case.outcome();
        match &ours {
            Outcome::Made { .. } => made += 1,
            Outcome::Refused(_) => refused += 1,
        }
        faults.extend(compare::compare(case, &ours, theirs, Cli::Newest));
    }
    assert_eq!(recorded.len(), cases.len(), "recordings without a case");
    assert!(faults.is_empty(), "{} differ:\n{}", faults.len(), faults.join("\n"));
    println!("{} cases: {made} requests are the same, {refused} are refused by both", cases.len());
    compare::print_table();
}

#[test]
#[ignore = "needs Docker's CLI: make test-docker"]
fn every_request_is_the_installed_clis() {
    let cli = recorder::cli();
    let recorded = recorded(NEWEST);
    let recorder = recorder::Recorder::new(&cli);
    let (mut faults, mut unknown, mut newer, mut same) = (Vec::new(), 0, 0, 0);
    let cases = cases::all();
    for case in &cases {
        let theirs = recorder.record(case);
        let ours = case.outcome();
        let newest =
            recorded.get(&case.line).unwrap_or_else(|| panic!("not recorded: {}", case.line));
        match (&theirs, newest) {
            // Not silently passed: the newest CLI is the measure for what the installed one hasn't got.
            (Outcome::Refused(words), Outcome::Made { .. }) => {
                let is_unknown =
                    words.contains("unknown flag") || words.contains("unknown shorthand");
                let kind = if is_unknown { &mut unknown } else { &mut newer };
                *kind += 1;
                println!("not in the installed CLI: {}: {words}", case.line);
                faults.extend(compare::compare(case, &ours, newest, Cli::Newest));
            }
            (Outcome::Made { .. }, Outcome::Refused(words)) => {
                println!("no longer in the newest CLI: {}: {words}", case.line);
                faults.extend(compare::compare(case, &ours, newest, Cli::Newest));
            }
            _ => {
                same += 1;
                faults.extend(compare::compare(
                    case,
                    &ours,
                    &theirs,
                    Cli::Installed(&recorder.version),
                ));
            }
        }
    }
    println!(
        "{}: {} cases: {same} compared, {unknown} have flags unknown to it, {newer} it refuses otherwise",
        recorder.version,
        cases.len()
    );
    compare::print_table();
    assert!(faults.is_empty(), "{} differ:\n{}", faults.len(), faults.join("\n"));
    assert!(same >= 190, "only {same} cases were compared");
}

#[test]
#[ignore = "writes recorded/: only when a newer CLI is to be the measure"]
fn record() {
    let recorder = recorder::Recorder::new(&recorder::cli());
    let version = recorder.version.split([' ', ',']).nth(2).unwrap().to_owned();
    let lines: Vec<String> =
        cases::all().iter().map(|case| recorder::to_line(case, &recorder.record(case))).collect();
    let path = format!("{}/recorded/docker-{version}.jsonl", cases::FOLDER);
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    println!("{path}: {} cases", lines.len());
}

#[test]
fn a_case_stands_once() {
    let mut lines: Vec<String> = cases::all().into_iter().map(|case: Case| case.line).collect();
    lines.sort();
    let before = lines.len();
    lines.dedup();
    assert_eq!(before, lines.len());
}
