// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What becomes of the stage: the manual pages of the agents, made from their descriptions, and the
//! Debian packages. A tool for building; nothing of it ships.

pub mod agent;
pub mod package;
pub mod page;
pub mod release;
pub mod tool;
pub mod tree;

use std::fmt;
use std::path::Path;

/// Why there is no package: one sentence that names the object and the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    /// An error of this sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// A file that can't be handled.
    #[must_use]
    pub fn file(verb: &str, path: &Path, error: impl fmt::Display) -> Self {
        Self(format!("cannot {verb} {}: {error}", path.display()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// What a step comes to.
pub type Result<T> = std::result::Result<T, Error>;
