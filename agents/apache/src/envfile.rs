// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Files of environment variables (parameter `envfiles`), read without a shell.

use ocf::{Context, Error};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Names and values that a server is started with.
pub(crate) type Variables = BTreeMap<OsString, OsString>;

/// Something in a file that isn't understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The file.
    pub(crate) file: PathBuf,
    /// The line, from 1 on.
    pub(crate) line: usize,
    /// What it is.
    pub(crate) what: String,
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        let Problem { file, line, what } = problem;
        Self::installed(format!("{}:{line}: {what}: this agent runs no shell", file.display()))
    }
}

/// What the files (separated by blanks; those that aren't there are passed over) leave a server's
/// environment with, and what isn't understood: to be refused at start, and to be passed over elsewhere.
pub(crate) fn read(
    context: &Context,
    files: &str,
    configuration: &Path,
) -> (Variables, Vec<Problem>) {
    let _unused = (context, files, configuration);
    (Variables::new(), Vec::new())
}
