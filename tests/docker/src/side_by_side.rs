// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The same case with the shell agent and with ours: ours has to answer what the test's table says, and
//! where the shell agent does something else, agents/docker/DIFFERENCES.md has to say so, with a reason.

use crate::{Agent, Seen};
use beside::table::{compare, disagreements};
use ocf_tester::compare::Difference;
use std::sync::Mutex;

/// Cases wait much and compute little.
const WORKERS: usize = 4;

/// What our agent has to answer, and words of its reason (several between bars).
pub type Expected = (i32, &'static str);

/// What an agent did.
#[derive(Debug)]
pub struct Did {
    pub seen: Seen,
    /// What it changed, in words.
    pub effects: Vec<String>,
}

/// A case: its name, what ours has to answer, and how it is played with either agent.
pub struct Case<'a> {
    pub id: String,
    pub expected: Expected,
    pub play: Box<dyn Fn(Agent) -> Did + Send + Sync + 'a>,
}

impl std::fmt::Debug for Case<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.id)
    }
}

/// Debian's release, as it is called in the names of cases that its shell agent decides.
#[must_use]
pub fn release() -> &'static str {
    let text = std::fs::read_to_string("/etc/os-release").unwrap();
    match () {
        () if text.contains("VERSION_CODENAME=bookworm") => "Debian 12",
        () if text.contains("VERSION_CODENAME=trixie") => "Debian 13",
        () => panic!("no release whose shell agent is known:\n{text}"),
    }
}

/// Plays all cases with both agents; `topic` begins their names in the table of differences.
pub fn check(topic: &str, cases: &[Case<'_>], is_parallel: bool) {
    let next = Mutex::new(0..cases.len());
    let found = Mutex::new(Vec::new());
    let work = || {
        loop {
            let Some(number) = next.lock().unwrap().next() else { return };
            let result = play(topic, &cases[number]);
            found.lock().unwrap().push((number, result));
        }
    };
    let workers = if is_parallel { WORKERS } else { 1 };
    std::thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
    let mut found = found.into_inner().unwrap();
    assert_eq!(found.len(), cases.len(), "not every case was played");
    found.sort_by_key(|(number, _)| *number);
    let (mut differences, mut wrong) = (Vec::new(), Vec::new());
    for (_, (difference, complaint)) in found {
        differences.extend(difference);
        wrong.extend(complaint);
    }
    let disagreements = disagreements("docker", topic, &differences);
    println!("{topic}: {} cases, {} differences", cases.len(), differences.len());
    assert!(
        wrong.is_empty() && disagreements.is_empty(),
        "{} of {} cases are wrong:\n{}\n{} disagree with DIFFERENCES.md:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n"),
        disagreements.len(),
        disagreements.join("\n"),
    );
}

/// The difference, if there is one, and what is wrong with ours, if anything is.
fn play(topic: &str, case: &Case<'_>) -> (Option<Difference>, Option<String>) {
    let id = format!("{topic}: {}", case.id);
    let [shell, ours] = [Agent::Shell, Agent::Ours].map(|agent| (case.play)(agent));
    let wrong = complaint(&id, case.expected, &ours);
    let did = [&shell, &ours].map(|did| (did.seen.execution.verdict, did.effects.as_slice()));
    (compare(&id, did), wrong)
}

fn complaint(id: &str, (code, words): Expected, ours: &Did) -> Option<String> {
    let Did { seen, effects } = ours;
    let reason = seen.reason.to_lowercase();
    let has_words = words.split('|').all(|word| reason.contains(&word.to_lowercase()));
    let is_said = (code == 0) == seen.reason.is_empty() || (code == 7 && words.is_empty());
    let is_short = seen.reason.len() <= 128 && !seen.reason.contains('\n');
    if seen.code() == Some(code) && has_words && is_said && is_short {
        return None;
    }
    Some(format!(
        "{id}: ours has to answer {code} with \"{words}\", and answers {} with \"{}\" ({effects:?})",
        seen.execution.verdict, seen.reason
    ))
}
