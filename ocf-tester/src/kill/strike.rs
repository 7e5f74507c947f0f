// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One run of an action under the tracer, for a session that recovers by its own means.

use super::point::{Call, Target};
use super::trace::{self, Purpose};
use super::{Kill, is_hit, sight};
use crate::agent::{Execution, Invocation};
use crate::interrupt::Interrupt;
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::time::Instant;

/// What a run under the tracer did.
#[derive(Debug)]
pub(crate) struct Strike {
    /// The calls that may have changed state, up to the kill.
    pub(crate) calls: Vec<Call>,
    /// Where it made something, with nothing there before, or was about to.
    pub(crate) fresh: BTreeSet<PathBuf>,
    /// The kill that took place, if it is the wanted one.
    pub(crate) kill: Option<Kill>,
    /// How it ended.
    pub(crate) execution: Execution,
}

/// Runs an action and, if there is a kill, ends its whole process group there.
///
/// # Errors
/// When the agent can't be executed, or not be traced (`PermissionDenied`).
pub(crate) fn strike(
    call: &Invocation,
    kill: Option<&Kill>,
    interrupt: Option<&Interrupt>,
) -> io::Result<Strike> {
    let begun = Instant::now();
    let mut run = trace::run(call, Purpose::Trial(kill.map(Target::from)), interrupt)?;
    let execution = sight::execution(&mut run, begun)?;
    let hit = kill.filter(|kill| is_hit(&run, &kill.call));
    let done =
        hit.and_then(|kill| Some(Kill { call: run.killed_at.clone()?, moment: kill.moment }));
    Ok(Strike { calls: run.calls, fresh: run.sight.fresh, kill: done, execution })
}
