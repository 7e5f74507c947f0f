// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What start remembers of a container, below /run: a hint that saves questions, and one thing nobody
//! else knows: that a request may still be in the Engine's hands. It is written *before* the Engine is
//! asked to make or start a container, because whoever asks may be killed before the answer.

use ocf::process::boot_id;
use ocf::{Context, Error, Result, StateFile};
use serde::{Deserialize, Serialize};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

/// The form of the file; another one's is nobody's.
const FORM: u32 = 1;

/// The longest name that a file has room for, with what stands around it.
const LONGEST: usize = 150;

/// How far a start came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Phase {
    /// The Engine is asked to make a container or to start it; the answer isn't in yet.
    Asking,
    /// It runs.
    Running,
}

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    form: u32,
    boot: String,
    /// How far it came.
    pub(crate) phase: Phase,
    /// The version of the API that the Engine speaks.
    pub(crate) api: String,
    /// Connections of clients that were gone before the Engine was asked: no request of ours.
    pub(crate) strangers: Vec<u32>,
    /// Where the Engine keeps its containers' directories, once that has been seen.
    pub(crate) root: Option<PathBuf>,
}

impl Record {
    /// A record of this boot.
    pub(crate) fn new(phase: Phase, api: String, strangers: Vec<u32>) -> Self {
        Self { form: FORM, boot: boot_id().unwrap_or_default(), phase, api, strangers, root: None }
    }

    /// The record of a container; `None` where there is none, or none of this form. No request is in an
    /// Engine's hands since an earlier boot; everything else is a hint that can't do harm.
    pub(crate) fn read(file: &StateFile) -> Option<Self> {
        let content = file.read().ok().flatten()?;
        let record: Self = serde_json::from_slice(&content).ok()?;
        let is_of_now = || !record.is_asking() || Some(&record.boot) == boot_id().as_ref();
        (record.form == FORM && is_of_now()).then_some(record)
    }

    /// Puts it in place.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn write(&self, file: &StateFile) -> Result<()> {
        let text = serde_json::to_vec(self)
            .map_err(|error| Error::generic(format!("cannot write a record: {error}")))?;
        file.write(&text)
    }

    /// Whether a request may still be in the Engine's hands.
    pub(crate) fn is_asking(&self) -> bool {
        self.phase == Phase::Asking
    }
}

/// Where the record of a container is.
pub(crate) fn file(context: &Context, name: &str) -> StateFile {
    let file = match name.get(..LONGEST) {
        // The Engine takes names that no file can have.
        Some(start) if start.len() < name.len() => {
            let mut hasher = DefaultHasher::new();
            name.hash(&mut hasher);
            format!("docker-{start}-{:016x}.record", hasher.finish())
        }
        _ => format!("docker-{name}.record"),
    };
    StateFile::at(context.directories.rsctmp.join(file))
}

/// Where records are; the first agent of a boot may come before whoever else makes it.
pub(crate) fn ensure_directory(context: &Context) {
    // If it isn't there afterwards, writing the record says so.
    let _there = fs::create_dir_all(&context.directories.rsctmp);
}
