// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Why an action failed: a kind, which becomes an exit code, and one sentence for the operator,
//! which becomes the exit reason. The sentence names the object first, then the cause.

use std::borrow::Cow;
use std::path::Path;
use std::{fmt, io};

/// The result of everything an agent does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of failure it is. [`crate::policy`] turns it into the code that the action may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Failed or undetermined, may pass (1).
    Generic,
    /// Wrong on this host (2).
    Args,
    /// Not an action of this agent (3).
    Unimplemented,
    /// No authority (4).
    Permission,
    /// Software missing on this host (5).
    Installed,
    /// Wrong on every host (6).
    Configured,
    /// The instance doesn't run (7): what promote, demote and reload-agent may say.
    NotRunning,
    /// Promoted and failed (9).
    FailedPromoted,
}

/// A failure: its kind and its sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What sort of failure.
    pub kind: Kind,
    /// One sentence, lower case, object first, no full stop, no secret:
    /// `cannot add 10.0.0.5/24 to eth1: no such device`.
    pub reason: Cow<'static, str>,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(reason: impl Into<Cow<'static, str>>) -> Self {
            Self { kind: Kind::$kind, reason: reason.into() }
        }
    )*};
}

impl Error {
    constructors! {
        /// Failed or undetermined; another try may succeed.
        generic => Generic;
        /// Wrong on this host only.
        args => Args;
        /// Not an action of this agent.
        unimplemented => Unimplemented;
        /// The caller lacks some authority.
        permission => Permission;
        /// Software is missing on this host.
        installed => Installed;
        /// Wrong on every host of the cluster.
        configured => Configured;
        /// The instance doesn't run, so it can't be promoted, demoted or reloaded.
        not_running => NotRunning;
        /// The instance is promoted and has failed.
        failed_promoted => FailedPromoted;
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Error {}

/// Turns the failure of a system call into a sentence: what was tried, on which object, and the
/// kernel's words.
pub trait Explain<T> {
    /// `cannot <what> <object>: <cause>`; `permission` (4) where that is the cause, else generic.
    ///
    /// # Errors
    /// The failure itself, explained.
    fn explain(self, what: &str, object: &Path) -> Result<T>;
}

impl<T> Explain<T> for io::Result<T> {
    fn explain(self, what: &str, object: &Path) -> Result<T> {
        self.map_err(|error| {
            let sentence = format!("cannot {what} {}: {}", object.display(), describe(&error));
            match error.kind() {
                io::ErrorKind::PermissionDenied => Error::permission(sentence),
                _ => Error::generic(sentence),
            }
        })
    }
}

/// An I/O error in the kernel's words, without Rust's "(os error 2)".
#[must_use]
pub fn describe(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => nix::errno::Errno::from_raw(number).desc().to_lowercase(),
        None => error.to_string(),
    }
}
