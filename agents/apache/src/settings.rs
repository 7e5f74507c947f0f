// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a server's configuration says, as far as this agent has to know it.

use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::PathBuf;

/// What the configuration says, whoever read it: the server itself or this agent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// `ServerRoot`; what is relative is below it.
    pub(crate) root: Option<PathBuf>,
    /// `PidFile`, absolute, where the configuration itself names one.
    pub(crate) pid_file: Option<PathBuf>,
    /// Where the server listens, in the order of the configuration.
    pub(crate) listens: Vec<Listen>,
    /// The path of the last location that the handler `server-status` is for, among those that the first
    /// of `listens` serves.
    pub(crate) status: Option<String>,
    /// The directories that the server writes in: those of its pid file, its mutexes, its logs.
    pub(crate) directories: Vec<PathBuf>,
    /// Those of `directories` that hold mutexes: the server's user has to be able to write there.
    pub(crate) lock_directories: Vec<PathBuf>,
    /// `User`: a name, or `#` and a number.
    pub(crate) user: Option<String>,
    /// `ErrorLog`, absolute, where it is a file.
    pub(crate) error_log: Option<PathBuf>,
    /// `ServerName` of the host that the first of `listens` serves, without scheme and port.
    pub(crate) name: Option<String>,
    /// `status` and `name` for each of `listens`, where they are known.
    pub(crate) hosts: Vec<Host>,
}

/// What those meet who come by one listener.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Host {
    /// As [`Settings::status`].
    pub(crate) status: Option<String>,
    /// As [`Settings::name`].
    pub(crate) name: Option<String>,
}

impl Settings {
    /// What those meet who come by this listener: it is one of `listens`.
    pub(crate) fn host(&self, listen: &Listen) -> Host {
        let mut hosts = self.listens.iter().zip(&self.hosts);
        let found = hosts.find(|(known, _)| *known == listen).map(|(_, host)| host.clone());
        let first = || Host { status: self.status.clone(), name: self.name.clone() };
        found.unwrap_or_else(first)
    }
}

/// One `Listen`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listen {
    /// `None` is every address (`80`, `*:80`); every one of a family is `0.0.0.0` or `::`.
    pub(crate) address: Option<IpAddr>,
    /// The port.
    pub(crate) port: u16,
    /// Whether it speaks TLS.
    pub(crate) is_https: bool,
}
