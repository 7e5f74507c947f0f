// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The resource that both agents manage: one file.

use ocf::{Context, Error, Result, State, StateFile, promotion, tracing};
use std::path::PathBuf;

/// The first line of a promoted instance's file.
const PROMOTED: &[u8] = b"Promoted";
/// The promotion scores: the instance that leads stays the best one to lead.
const SCORE_UNPROMOTED: i32 = 5;
const SCORE_PROMOTED: i32 = 10;

/// A resource that is a file.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) file: StateFile,
}

impl Resource {
    pub(crate) const fn at(path: PathBuf) -> Self {
        Self { file: StateFile::at(path) }
    }

    pub(crate) fn start(&self, context: &Context) -> Result<()> {
        self.file.write(b"")?;
        score(context, SCORE_UNPROMOTED);
        tracing::info!("{} started", context.instance.name);
        Ok(())
    }

    pub(crate) fn stop(&self, context: &Context) -> Result<()> {
        // The file first: attributes may hang, and what counts has to be done by then.
        let removed = self.file.remove();
        if context.promotable.is_some()
            && let Err(error) = promotion::delete_score(context)
        {
            tracing::warn!("{error}");
        }
        removed
    }

    /// The state. Scores do not survive the cluster's restart, so a probe puts them back, and so does
    /// a start that finds the instance running.
    pub(crate) fn state(&self, context: &Context) -> Result<State> {
        let Some(content) = self.file.read()? else {
            return Ok(State::stopped(format!("no state file {}", self.file.path().display())));
        };
        if content.split(|byte| *byte == b'\n').next() == Some(PROMOTED) {
            if context.probe {
                score(context, SCORE_PROMOTED);
            }
            return Ok(State::Promoted);
        }
        if context.interval.is_none() {
            score(context, SCORE_UNPROMOTED);
        }
        Ok(State::Running)
    }

    pub(crate) fn promote(&self, context: &Context) -> Result<()> {
        self.turn(context, b"Promoted\n", SCORE_PROMOTED)
    }

    pub(crate) fn demote(&self, context: &Context) -> Result<()> {
        self.turn(context, b"", SCORE_UNPROMOTED)
    }

    fn turn(&self, context: &Context, content: &[u8], points: i32) -> Result<()> {
        self.must_run(context)?;
        self.file.write(content)?;
        score(context, points);
        Ok(())
    }

    /// What can't be done to a stopped instance says so.
    pub(crate) fn must_run(&self, context: &Context) -> Result<()> {
        if self.file.exists()? {
            return Ok(());
        }
        Err(Error::not_running(format!("{} does not run", context.instance.name)))
    }

    pub(crate) fn leftovers(&self) -> Result<Vec<String>> {
        let parts = self.file.find_parts()?;
        Ok(parts.iter().map(|path| path.display().to_string()).collect())
    }

    /// Whether the place of the file can be written.
    pub(crate) fn check_host(&self) -> Result<()> {
        ocf::state_file::check_directory_of(self.file.path())
    }
}

/// Sets the score of an instance of a promotable clone. Without one nobody is promoted, but the
/// instance itself is well, so a failure is only logged.
fn score(context: &Context, points: i32) {
    if context.promotable.is_some()
        && let Err(error) = promotion::set_score(context, points)
    {
        tracing::warn!("{error}");
    }
}
