// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Files of environment variables (parameter `envfiles`). They are shell text, but no shell runs: what
//! such files are made of is understood, and nothing else is done.

mod arithmetic;
mod builtin;
mod condition;
mod expansion;
mod extended;
mod host;
mod limits;
mod shell;
mod syntax;
#[cfg(test)]
mod tests;
mod word;

use ocf::command::Surroundings;
use ocf::{Context, Error};
use shell::Shell;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Names and values that a server is started with.
pub(crate) type Variables = BTreeMap<OsString, OsString>;

/// Something in a file that isn't understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The file.
    pub(crate) file: PathBuf,
    /// The line, from 1 on; 0 is the whole file.
    pub(crate) line: usize,
    /// What it is.
    pub(crate) what: String,
    /// Whether no variable can depend on it: worth a warning only.
    pub(crate) is_harmless: bool,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, line, what, .. } = self;
        match line {
            0 => write!(f, "{} {what}", file.display()),
            line => write!(f, "{} line {line}: {what}", file.display()),
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        let remedy = match problem.line {
            0 => "write plain assignments",
            _ => "assign plainly, no shell runs here",
        };
        Self::installed(format!("{problem}: {remedy}"))
    }
}

/// What files come to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The whole environment of a server.
    pub(crate) variables: Variables,
    /// What else it is started with.
    pub(crate) surroundings: Surroundings,
    /// What isn't understood: to be refused at start, and to be passed over elsewhere.
    pub(crate) problems: Vec<Problem>,
}

/// What a server has after the files (separated by blanks; those that aren't there are passed over).
pub(crate) fn read(context: &Context, files: &str, configuration: &Path) -> Outcome {
    let mut shell = Shell::new(context.environment().iter().filter(|(name, _)| is_passed(name)));
    // Debian's own file makes the directories of a second server of it.
    if let Some(directory) = configuration.parent() {
        shell.export("APACHE_CONFDIR", directory);
    }
    for file in files.split_ascii_whitespace().map(Path::new).filter(|file| file.is_file()) {
        shell.file(file);
    }
    let variables = shell.exported();
    Outcome { variables, surroundings: shell.surroundings, problems: shell.problems }
}

/// Refuses what isn't understood and may matter, and warns of the rest.
///
/// # Errors
/// `installed` (5): a file has something that isn't understood; the reason names file and line.
pub(crate) fn refuse(problems: Vec<Problem>) -> ocf::Result<()> {
    for problem in problems {
        if !problem.is_harmless {
            return Err(problem.into());
        }
        ocf::tracing::warn!("{problem}");
    }
    Ok(())
}

/// Whether a variable of this process is a server's business: not what the cluster tells its agents, nor
/// the socket on which systemd hears from the cluster manager.
fn is_passed(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let foreign =
        ["OCF_", "__OCF", "HA_", "PCMK_", "CIB_", "NOTIFY_SOCKET", "LISTEN_", "WATCHDOG_"];
    !foreign.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
}
