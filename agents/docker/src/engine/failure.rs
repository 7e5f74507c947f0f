// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The ways in which an Engine doesn't do what it is asked.

use super::endpoint::{Endpoint, explain_tls};
use bollard::errors::Error as Bollard;
use ocf::Error;
use std::fmt;
use std::io;
use std::time::Duration;

/// So little time that nothing can be said of an Engine that didn't answer in it.
const NOTHING: Duration = Duration::from_millis(500);

/// Why there is no answer, or not the one that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nobody is there to be asked: no socket, or nobody behind it.
    Unreachable(String),
    /// We may not ask.
    Forbidden,
    /// It can't even be asked: a certificate is missing, say.
    Unusable(String),
    /// No answer in the time there was.
    Silent(Duration),
    /// An answer that is none, or half of one.
    Garbage(String),
    /// The Engine refuses, in its own words.
    Refused {
        /// The HTTP status (RFC 9110).
        status: u16,
        /// One sentence, as the Engine says it.
        message: String,
    },
}

impl Failure {
    /// What bollard's error means.
    pub(crate) fn of(error: Bollard, patience: Duration) -> Self {
        match error {
            Bollard::DockerResponseServerError { status_code, message } => {
                Self::Refused { status: status_code, message: one_line(&message) }
            }
            Bollard::RequestTimeoutError => Self::Silent(patience),
            Bollard::SocketNotFoundError(_) => Self::Unreachable("no such socket".to_owned()),
            Bollard::DockerStreamError { error } => {
                Self::Refused { status: 500, message: one_line(&error) }
            }
            other => match (find_tls(&other), find_io(&other)) {
                (Some(error), _) => Self::Unusable(explain_tls(error)),
                (None, Some(error)) => Self::of_io(error, patience),
                (None, None) if is_about_connecting(&other) => {
                    Self::Unreachable(one_line(&innermost(&other)))
                }
                (None, None) => Self::Garbage(one_line(&innermost(&other))),
            },
        }
    }

    fn of_io(error: &io::Error, patience: Duration) -> Self {
        match error.kind() {
            io::ErrorKind::PermissionDenied => Self::Forbidden,
            // Ours, and no fault of the Engine's: no descriptor is left, no memory.
            _ if matches!(
                error.raw_os_error(),
                Some(
                    nix::libc::EMFILE | nix::libc::ENFILE | nix::libc::ENOMEM | nix::libc::ENOBUFS
                )
            ) =>
            {
                Self::Unusable(ocf::error::describe(error))
            }
            // The queue of those who wait to be let in is full: it is there, and doesn't move.
            io::ErrorKind::WouldBlock => Self::Silent(patience),
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                Self::Garbage(error.to_string())
            }
            _ => Self::Unreachable(ocf::error::describe(error)),
        }
    }

    /// Whether the Engine says that there is no such thing.
    pub(crate) fn is_absence(&self) -> bool {
        match self {
            Self::Refused { status: 404, .. } => true,
            // It has no container of the name, and takes it for the beginning of several IDs.
            Self::Refused { message, .. } => message.contains("IDs found with provided prefix"),
            _ => false,
        }
    }

    /// Whether it is well and may not, or will not, do this: nothing is learnt by looking without it. One
    /// that fails (a status of 500 and above) can't be relied on.
    pub(crate) const fn is_final(&self) -> bool {
        matches!(self, Self::Forbidden | Self::Unusable(_) | Self::Refused { status: 0..500, .. })
    }

    /// Whether the Engine has heard what it was asked, and doesn't do it.
    pub(crate) const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// The failure of something that was asked of the Engine at an endpoint.
    pub(crate) fn explain(&self, what: &str, endpoint: &Endpoint) -> Error {
        match self {
            Self::Refused { message, .. } => Error::generic(format!("cannot {what}: {message}")),
            Self::Forbidden => {
                Error::permission(format!("cannot {what}: no permission to use {endpoint}"))
            }
            Self::Unreachable(_) | Self::Silent(_) | Self::Garbage(_) | Self::Unusable(_) => {
                Error::generic(format!("cannot {what}: {}", self.of_engine(endpoint)))
            }
        }
    }

    /// The sentence about the Engine itself.
    pub(crate) fn of_engine(&self, endpoint: &Endpoint) -> String {
        match self {
            Self::Unreachable(why) => format!("Docker Engine at {endpoint} is down ({why})"),
            Self::Forbidden => format!("no permission to use {endpoint}"),
            Self::Unusable(why) => format!("Docker Engine at {endpoint} can't be asked: {why}"),
            Self::Silent(time) if *time < NOTHING => {
                format!("no time is left to ask Docker Engine at {endpoint}: raise the timeout")
            }
            Self::Silent(time) => {
                format!("Docker Engine at {endpoint} didn't answer in {:.1} s", time.as_secs_f32())
            }
            Self::Garbage(what) => format!("{endpoint} answers as no Docker Engine does: {what}"),
            Self::Refused { message, .. } => format!("Docker Engine refuses: {message}"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "it is down ({why})"),
            Self::Forbidden => f.write_str("no permission to ask it"),
            Self::Unusable(why) => write!(f, "it can't be asked: {why}"),
            Self::Silent(time) => write!(f, "no answer in {:.1} s", time.as_secs_f32()),
            Self::Garbage(what) => write!(f, "an answer that is none: {what}"),
            Self::Refused { message, .. } => f.write_str(message),
        }
    }
}

/// An error and what is behind it; an I/O error hides what it was made of.
fn causes(error: &Bollard) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |one| {
        let hidden = one.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        hidden.map(|inner| inner as _).or_else(|| one.source())
    })
}

fn find_tls(error: &Bollard) -> Option<&rustls::Error> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The kernel's error at the bottom of another one.
fn find_io(error: &Bollard) -> Option<&io::Error> {
    let errors = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>());
    errors.filter(|error| error.raw_os_error().is_some()).last()
}

fn is_about_connecting(error: &Bollard) -> bool {
    matches!(error, Bollard::HyperLegacyError { err } if err.is_connect())
}

fn innermost(error: &Bollard) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// What stands around the cause in what the Engine and those below it say.
const WRAPPERS: &[&str] = &[
    "Error response from daemon: ",
    "failed to create shim task: ",
    "failed to create task for container: ",
    "failed to set up container networking: ",
    "OCI runtime create failed: ",
    "runc create failed: ",
    "container_linux.go:367: starting container process caused: ",
    "unable to start container process: ",
    "error during container init: ",
];

/// The Engine's words in one line, the cause first: an exit reason has room for 128 bytes.
fn one_line(message: &str) -> String {
    let words: Vec<&str> = message.split_whitespace().collect();
    let mut line = words.join(" ");
    for wrapper in WRAPPERS {
        line = line.replacen(wrapper, "", 1);
    }
    line.strip_suffix(": unknown").unwrap_or(&line).to_owned()
}
