// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is kept of each call, for the checks that judge all of them: a run makes hundreds.

use crate::agent::{Execution, Invocation};
use std::sync::Arc;

/// Among how many of the last calls an equal one is looked for.
const ALIKE: usize = 8;

/// How much is kept of each stream, in bytes.
const KEPT: usize = 4096;

/// One call that was made.
#[derive(Debug, Clone)]
pub struct Record {
    /// The call; equal ones are one, for a call may have megabytes of parameters.
    pub call: Arc<Invocation>,
    /// What it did; of its output the beginning, and of its standard error the end.
    pub execution: Execution,
    /// Whether the tester had done something before that nobody would do on purpose: its duration
    /// and its words say nothing of the ordinary.
    pub provoked: bool,
}

impl Record {
    /// A record that follows those before it.
    pub(super) fn new(
        call: &Invocation,
        execution: &Execution,
        provoked: bool,
        before: &[Self],
    ) -> Self {
        let mut last = before.iter().rev().take(ALIKE);
        let alike = last.find(|record| *record.call == *call);
        let call = alike.map_or_else(|| Arc::new(call.clone()), |record| Arc::clone(&record.call));
        Self { call, execution: shortened(execution), provoked }
    }
}

/// Without most of its output: that may be megabytes, and no later judgement needs it.
fn shortened(execution: &Execution) -> Execution {
    let Execution { stdout, stderr, .. } = execution;
    let beginning = stdout.get(..stdout.len().min(KEPT)).unwrap_or_default().to_vec();
    let end = stderr.get(stderr.len().saturating_sub(KEPT)..).unwrap_or_default().to_vec();
    Execution {
        stdout: beginning,
        stderr: end,
        verdict: execution.verdict,
        truncated: execution.truncated,
        duration: execution.duration,
        usage: execution.usage,
        processes: execution.processes,
        exit_reason: execution.exit_reason.clone(),
        holders: execution.holders.clone(),
    }
}

impl super::Session<'_> {
    /// Whether checks of behaviour are left out.
    #[must_use]
    pub fn is_barred(&self) -> bool {
        self.barrier.is_some()
    }

    /// The rest of this check's calls are made under conditions that nobody would make on purpose.
    pub fn provoke(&mut self) {
        self.provoking = true;
    }
}
