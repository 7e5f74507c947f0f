// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What both agents did in one place, and the table in which an agent's DIFFERENCES.md says where they differ.

use ocf_tester::agent::Verdict;
use ocf_tester::compare::{Difference, Observation, Scenario, difference, table};

/// How an agent ended, and what it changed, in words.
pub type Did<'a> = (Verdict, &'a [String]);

/// The difference between what both did, if there is one, by the name of a row of the table.
#[must_use]
pub fn compare(id: &str, [shell, ours]: [Did<'_>; 2]) -> Option<Difference> {
    let observation = |(verdict, effects): Did<'_>| Observation {
        verdict,
        exit_reason: None,
        effects: effects.to_vec(),
        stdout: String::new(),
        stderr: String::new(),
    };
    let scenario = Scenario { id, ..Scenario::PLAIN };
    difference(&scenario, &observation(shell), &observation(ours))
}

/// Where these differences and the table of `agents/<agent>` disagree, of the rows whose names begin with
/// `topic`.
#[must_use]
pub fn disagreements(agent: &str, topic: &str, differences: &[Difference]) -> Vec<String> {
    let agents = concat!(env!("CARGO_MANIFEST_DIR"), "/../../agents");
    let file = format!("{agents}/{agent}/DIFFERENCES.md");
    let markdown = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut rows = table::read(&markdown).unwrap_or_else(|error| panic!("{file}: {error}"));
    rows.retain(|row| row.scenario.starts_with(&format!("{topic}: ")));
    let wrong = table::agree(&rows, differences).err().unwrap_or_default();
    wrong.iter().map(ToString::to_string).collect()
}
