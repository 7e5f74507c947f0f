// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The same rows with the shell agent and with ours: ours has to answer what the row says, and where the
//! shell agent does something else, agents/ipaddr2/DIFFERENCES.md has to say so, with a reason.

use crate::row::{Did, Row};
use crate::{Agent, row::Step};
use beside::table::{compare, disagreements};
use std::sync::Mutex;

/// Rows wait as much as they compute.
const WORKERS: usize = 4;

/// Plays all rows with both agents; `topic` begins their names in the table of differences.
pub fn check(topic: &str, rows: &[Row]) {
    let names: std::collections::BTreeSet<_> = rows.iter().map(|row| &row.name).collect();
    assert_eq!(names.len(), rows.len(), "two rows of one name");
    let (mut differences, mut wrong, mut count) = (Vec::new(), Vec::new(), 0);
    for (row, [shell, ours]) in rows.iter().zip(play_all(rows)) {
        for ((step, shell), ours) in row.steps.iter().zip(&shell).zip(&ours) {
            count += 1;
            let id = format!("{topic}: {}", id(row, step));
            let did = [shell, ours].map(|did| (did.seen.execution.verdict, did.effects.as_slice()));
            differences.extend(compare(&id, did));
            wrong.extend(row.complaint(step, ours));
        }
    }
    let disagreements = disagreements("ipaddr2", topic, &differences);
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

fn id(row: &Row, step: &Step) -> String {
    let then = if step.goes_on { "then " } else { "" };
    format!("{then}{}, {}", step.action, row.name)
}

/// What both agents did, in the rows' order.
fn play_all(rows: &[Row]) -> Vec<[Vec<Did>; 2]> {
    let next = Mutex::new(0..rows.len() * 2);
    let found = Mutex::new(Vec::new());
    let work = || {
        loop {
            // The lock is taken for the next number alone, not for the whole round.
            let Some(number) = next.lock().unwrap().next() else { return };
            let agent = [Agent::Shell, Agent::Ours][number % 2];
            let did = rows[number / 2].play(agent);
            found.lock().unwrap().push((number, did));
        }
    };
    std::thread::scope(|scope| (0..WORKERS).for_each(|_| drop(scope.spawn(work))));
    let mut found = found.into_inner().unwrap();
    assert_eq!(found.len(), rows.len() * 2, "not every row was played");
    found.sort_by_key(|(number, _)| *number);
    let mut all = found.into_iter().map(|(_, did)| did);
    std::iter::from_fn(|| Some([all.next()?, all.next()?])).collect()
}
