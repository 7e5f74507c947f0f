// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The last way out: what a session may have started is stopped when the tester itself breaks off.
//! It needs nothing of the session, because a panic that aborts leaves none to ask.

use super::guard;
use crate::agent::Invocation;
use crate::ledger::Watch;
use crate::quote::visible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// How a session is made safe without it.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Demotes it, where that may be needed.
    pub(crate) demote: Option<Invocation>,
    /// Stops it.
    pub(crate) stop: Invocation,
    /// What finds the processes it has started.
    pub(crate) watch: Watch,
}

/// The sessions that may have started something, by their threads.
static PLANS: Mutex<Vec<(ThreadId, Plan)>> = Mutex::new(Vec::new());

fn plans() -> MutexGuard<'static, Vec<(ThreadId, Plan)>> {
    PLANS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Replaces this thread's plan.
pub(crate) fn arm(plan: Plan) {
    disarm();
    plans().push((thread::current().id(), plan));
}

/// This thread's session is safe.
pub(crate) fn disarm() {
    let own = thread::current().id();
    plans().retain(|(thread, _)| *thread != own);
}

/// Makes this thread's session safe, if it isn't; says what was wrong.
pub(super) fn make_safe_own() -> Vec<String> {
    let own = thread::current().id();
    let mine = plans().extract_if(.., |(thread, _)| *thread == own).collect();
    carry_out(mine)
}

/// Makes every session of this process safe; says what was wrong.
pub(crate) fn make_safe_all() -> Vec<String> {
    let all = std::mem::take(&mut *plans());
    carry_out(all)
}

fn carry_out(plans: Vec<(ThreadId, Plan)>) -> Vec<String> {
    let mut left = Vec::new();
    for (_, Plan { demote, stop, watch }) in plans {
        // Its answer doesn't matter: stop's does.
        let _ = demote.map(|demote| demote.run());
        let answer = match stop.run() {
            Ok(execution) if execution.code() == Some(0) => None,
            Ok(execution) => Some(execution.to_string()),
            Err(error) => Some(error.to_string()),
        };
        left.extend(answer.map(|answer| {
            let (answer, by_hand) = (visible(&answer, 500), stop.reproduction());
            format!(
                "the resource could not be stopped (stop answered {answer}); stop it: {by_hand}"
            )
        }));
        left.extend(guard::end_processes(&watch, false));
    }
    left
}
