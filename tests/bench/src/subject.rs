// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is called again and again, and the CPU of each of its calls.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::missing_panics_doc,
    clippy::cast_precision_loss,
    reason = "a measurement of the tests': what can't be measured ends it"
)]

use crate::{children_cpu, median};
use std::process::{Command, Stdio};

/// One of those that are compared.
#[derive(Debug)]
pub struct Subject {
    /// As it is told of.
    pub name: &'static str,
    command: Command,
    count: i64,
    /// CPU of one call in microseconds, one figure a turn.
    pub costs: Vec<f64>,
}

impl Subject {
    /// A command, and how often it is called in a turn. Nobody reads what it says.
    #[must_use]
    pub fn new(name: &'static str, mut command: Command, count: i64) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { name, command, count, costs: Vec::new() }
    }

    /// Calls it so often, with this exit code each time; the CPU of one call in microseconds.
    pub fn turn(&mut self, code: i32) -> f64 {
        let before = children_cpu().unwrap();
        for _ in 0..self.count {
            let status = self.command.status().unwrap();
            assert_eq!(status.code(), Some(code), "{}: {:?}", self.name, self.command);
        }
        (children_cpu().unwrap() - before) as f64 / self.count as f64
    }
}

/// Has them take turns, and keeps what each cost, instead of what was kept before.
pub fn take_turns(subjects: &mut [Subject], turns: usize, code: i32) {
    subjects.iter_mut().for_each(|subject| subject.costs.clear());
    // The first turn warms the page cache and is not counted.
    for turn in 0..=turns {
        for subject in &mut *subjects {
            let cost = subject.turn(code);
            if turn > 0 {
                subject.costs.push(cost);
            }
        }
    }
}

/// Of figures of the same turn: the machine's drift is in both.
#[must_use]
pub fn ratio(a: &Subject, b: &Subject) -> f64 {
    median(a.costs.iter().zip(&b.costs).map(|(a, b)| a / b).collect())
}
