// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The same rows with the shell agent and with ours: ours has to answer what the row says, and where the
//! shell agent does something else, agents/apache/DIFFERENCES.md has to say so, with a reason.

use crate::row::{Did, Row, Step};
use crate::{Agent, inside};
use beside::table::{compare, disagreements};
use ocf_tester::agent::Verdict;
use std::path::Path;
use std::sync::Mutex;

/// Plays all rows with both agents, each in a world of its own; `topic` begins their names in the table of
/// differences. A test has one such call.
pub fn check(topic: &str, rows: &[Row]) {
    if let Some(row) = std::env::var_os(inside::ROW) {
        return play(&row.to_string_lossy(), rows);
    }
    let names: std::collections::BTreeSet<_> = rows.iter().map(|row| &row.name).collect();
    assert_eq!(names.len(), rows.len(), "two rows of one name");
    let (mut differences, mut wrong, mut count) = (Vec::new(), Vec::new(), 0);
    for (row, [shell, ours]) in rows.iter().zip(play_all(rows)) {
        for (number, ((step, shell), ours)) in row.steps.iter().zip(&shell).zip(&ours).enumerate() {
            count += 1;
            let id = format!("{topic}: {}", id(row, step, number));
            let did = [shell, ours].map(|did| (verdict(did), did.own_effects.as_slice()));
            differences.extend(compare(&id, did));
            wrong.extend(row.complaint(step, ours));
        }
    }
    let disagreements = disagreements("apache", topic, &differences);
    if std::env::var_os("APACHE_TESTS_SHOW").is_some() {
        differences.iter().for_each(|difference| println!("{difference}"));
    }
    println!("{topic}: {count} actions in {} rows, {} differences", rows.len(), differences.len());
    assert!(
        wrong.is_empty() && disagreements.is_empty(),
        "{} of {count} actions are wrong:\n{}\n{} disagree with DIFFERENCES.md:\n{}",
        wrong.len(),
        wrong.join("\n"),
        disagreements.len(),
        disagreements.join("\n"),
    );
}

fn id(row: &Row, step: &Step, number: usize) -> String {
    let then = if number > 0 { "then " } else { "" };
    let earlier = row.steps.iter().take(number).filter(|one| one.action == step.action).count();
    let again = ["", " again", " once more"][earlier];
    format!("{then}{}{again}, {}", step.action, row.name)
}

/// In a row's world: plays it, and leaves what was seen.
fn play(row: &str, rows: &[Row]) {
    let (number, agent) = row.split_once(' ').unwrap();
    let agent = if agent == "ours" { Agent::Ours } else { Agent::Shell };
    let did = rows[number.parse::<usize>().unwrap()].play(agent);
    let outer = std::env::var_os(inside::WORLD).unwrap();
    let text = serde_json::to_string(&did).unwrap();
    std::fs::write(inside::result(Path::new(&outer)), text).unwrap();
}

/// What both agents did, in the rows' order.
fn play_all(rows: &[Row]) -> Vec<[Vec<Did>; 2]> {
    let test = inside::test_name();
    let next = Mutex::new(0..rows.len() * 2);
    let found = Mutex::new(Vec::new());
    let work = || {
        loop {
            // The lock is taken for the next number alone, not for the whole round.
            let Some(number) = next.lock().unwrap().next() else { return };
            let agent = ["shell", "ours"][number % 2];
            let came = inside::enter(&test, Some(&format!("{} {agent}", number / 2)));
            let did: Vec<Did> = serde_json::from_str(&came.result).unwrap();
            found.lock().unwrap().push((number, did));
        }
    };
    std::thread::scope(|scope| (0..inside::WORKERS).for_each(|_| drop(scope.spawn(work))));
    let mut found = found.into_inner().unwrap();
    assert_eq!(found.len(), rows.len() * 2, "not every row was played");
    found.sort_by_key(|(number, _)| *number);
    let mut all = found.into_iter().map(|(_, did)| did);
    std::iter::from_fn(|| Some([all.next()?, all.next()?])).collect()
}

fn verdict(did: &Did) -> Verdict {
    did.code.map_or(Verdict::TimedOut, Verdict::Exit)
}
