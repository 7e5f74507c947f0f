// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A life of the resource that is looked at closely: which processes it takes, what they execute,
//! and where they make files.

use super::{MARKER, Session, State};
use crate::agent::{Execution, Invocation};
use crate::check::{Halt, Stop};
use crate::kill::{self, Sight};
use crate::ledger::Process;
use crate::places::{self, Mark};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// What one action of such a life did.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    /// The call.
    pub(crate) call: Invocation,
    /// What was seen of it.
    pub(crate) sight: Sight,
    /// The processes that were there after it.
    pub(crate) there: Vec<Process>,
}

/// Start, monitor and stop, in this order.
pub(crate) type Life = Vec<Deed>;

impl Session<'_> {
    /// The plain life of the resource; looked at once, whoever asks.
    ///
    /// # Errors
    /// A reason to skip when it can't be looked at; else as [`Session::make`].
    pub(crate) fn plain_life(&mut self) -> Result<Life, Stop> {
        if self.life.is_none() {
            let seen = match self.watched_life(&|call| call) {
                Ok(life) => Ok(life),
                Err(Stop::Skipped(why)) => Err(why),
                Err(other) => return Err(other),
            };
            self.life = Some(seen);
        }
        match &self.life {
            Some(Ok(life)) => Ok(life.clone()),
            Some(Err(why)) => Err(Stop::Skipped(why.clone())),
            None => Ok(Life::new()),
        }
    }

    /// Where start was seen to make files; nothing where it can't be looked at.
    ///
    /// # Errors
    /// As [`Session::make`].
    pub(crate) fn made_by_start(&mut self) -> Result<BTreeSet<PathBuf>, Stop> {
        match self.plain_life() {
            Err(Stop::Skipped(_)) => Ok(BTreeSet::new()),
            life => Ok(life?.into_iter().next().map(|deed| deed.sight.made).unwrap_or_default()),
        }
    }

    /// The resource's files: those in its own directories, and those elsewhere that start was seen to
    /// make; where that can't be seen, those that have its name. Before the first time the resource
    /// is stopped.
    ///
    /// # Errors
    /// As [`Session::make`].
    pub(crate) fn files(&mut self) -> Result<BTreeMap<PathBuf, Mark>, Stop> {
        let mut files = places::own_files(&self.base);
        files.extend(match self.plain_life() {
            Err(Stop::Skipped(_)) => places::named_files(&self.base),
            life => places::there(life?.iter().take(1).flat_map(|deed| &deed.sight.made)),
        });
        Ok(files)
    }

    /// A life whose calls are changed in this way; the resource is stopped before and after it.
    ///
    /// # Errors
    /// As [`Session::plain_life`].
    pub(crate) fn watched_life(
        &mut self,
        change: &dyn Fn(Invocation) -> Invocation,
    ) -> Result<Life, Stop> {
        self.reach(State::Stopped)?;
        let mut life = Life::new();
        let mut wrong = None;
        for action in ["start", "monitor", "stop"] {
            let call = change(self.prepare(action));
            match self.make_watched(&call) {
                Ok((execution, sight)) => {
                    if wrong.is_none() && !matches!(execution.code(), Some(0 | 190)) {
                        wrong = Some(format!("{action}, looked at closely, answers {execution}"));
                    }
                    life.push(Deed { call, sight, there: self.processes() });
                }
                Err(Stop::Skipped(why)) => {
                    wrong.get_or_insert(why);
                }
                Err(other) => return Err(other),
            }
        }
        // Closely looked at, it may have ended in another way than usual.
        self.call("monitor")?;
        self.reach(State::Stopped)?;
        match wrong {
            None => Ok(life),
            Some(why) => Err(Stop::Skipped(why)),
        }
    }

    /// Makes a call that is looked at.
    fn make_watched(&mut self, call: &Invocation) -> Result<(Execution, Sight), Stop> {
        if self.is_interrupted() {
            return Err(Stop::Halt(Halt::Interrupted));
        }
        self.expect_change(call);
        let marked = call.clone().env(MARKER, &self.marker);
        let (execution, sight) = kill::observe(&marked, self.interrupt)
            .map_err(|error| Stop::Skipped(format!("ptrace can't look at the agent: {error}")))?;
        Ok((self.note(call, execution)?, sight))
    }
}
