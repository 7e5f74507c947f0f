// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which Engine is meant.

use super::{Answer, Failure};
use bollard::{ClientVersion, Docker};
use ocf::environment::Environment;
use ocf::{Error, Result};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where an Engine listens when nobody says otherwise.
const SOCKET: &str = "/var/run/docker.sock";

/// Where an Engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// A socket on this host.
    Unix(PathBuf),
}

impl Endpoint {
    /// The endpoint that the environment names.
    ///
    /// # Errors
    /// When it names none that we can talk to.
    pub(crate) fn find(environment: &Environment) -> Result<Self> {
        let host = environment.text("DOCKER_HOST").filter(|host| !host.is_empty());
        let Some(host) = host else { return Ok(Self::Unix(PathBuf::from(SOCKET))) };
        let path = host.strip_prefix("unix://");
        path.map(|path| Self::Unix(PathBuf::from(path)))
            .ok_or_else(|| Error::args("DOCKER_HOST names no socket of this host"))
    }

    /// The socket, when the Engine is on this host: what it runs can then be looked at without it.
    pub(crate) fn socket(&self) -> Option<&Path> {
        match self {
            Self::Unix(path) => Some(path),
        }
    }

    /// A client of it; nothing is sent yet.
    ///
    /// # Errors
    /// When it can't be made, for want of a certificate say.
    pub(super) fn connect(&self, seconds: u64, version: &ClientVersion) -> Answer<Docker> {
        match self {
            Self::Unix(path) => {
                let path = path.to_string_lossy();
                Docker::connect_with_unix(&path, seconds, version)
                    .map_err(|error| Failure::of(error, Duration::ZERO))
            }
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}
