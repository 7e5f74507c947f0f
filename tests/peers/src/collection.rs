// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The two collections of agents: ours as staged, and Debian's.

use crate::{Failure, Outcome};
use std::ffi::OsString;
use std::path::PathBuf;

/// Where Pacemaker looks for agents.
pub const INSTALLED: &str = "/usr/lib/ocf/resource.d";

/// Every agent that both collections have, as `provider/Type`.
pub const AGENTS: [&str; 7] = [
    "heartbeat/Dummy",
    "heartbeat/IPaddr2",
    "heartbeat/apache",
    "heartbeat/docker",
    "pacemaker/Dummy",
    "pacemaker/Stateful",
    "pacemaker/remote",
];

/// One agent in both collections.
#[derive(Debug, Clone)]
pub struct Peers {
    /// `provider/Type`.
    pub name: &'static str,
    /// Debian's.
    pub shell: PathBuf,
    /// Ours.
    pub ours: PathBuf,
}

impl Peers {
    /// Finds an agent in both: ours below `OCF_AGENTS` (unset: the workspace's stage), Debian's below
    /// `OCF_SHELL_AGENTS` (unset: where it installs them).
    ///
    /// # Errors
    /// A sentence that says how to get the missing one, or that root is needed.
    pub fn find(name: &'static str) -> Outcome<Self> {
        if !nix::unistd::geteuid().is_root() {
            return Err("these tests run agents as Pacemaker does: run them as root".into());
        }
        let staged =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/stage/usr/lib/ocf/resource.d");
        let ours = directory("OCF_AGENTS", staged).join(name);
        let shell = directory("OCF_SHELL_AGENTS", INSTALLED).join(name);
        let missing = |what: &str, path: &PathBuf, remedy: &str| {
            Failure::from(format!("{what} agent {name} is not at {}: {remedy}", path.display()))
        };
        if !ours.is_file() {
            return Err(missing("our", &ours, "run `make stage`, or set OCF_AGENTS"));
        }
        if !shell.is_file() {
            let remedy = "install resource-agents and pacemaker, or set OCF_SHELL_AGENTS";
            return Err(missing("Debian's", &shell, remedy));
        }
        Ok(Self { name, shell, ours })
    }

    /// `ocf:provider:Type`, as the tools call it.
    #[must_use]
    pub fn spec(&self) -> String {
        format!("ocf:{}", self.name.replace('/', ":"))
    }

    /// The resource type.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(self.name)
    }
}

/// The variables that say where the collections are, for a test that starts itself anew.
#[must_use]
pub(crate) fn variables() -> Vec<(&'static str, OsString)> {
    ["OCF_AGENTS", "OCF_SHELL_AGENTS"]
        .into_iter()
        .filter_map(|name| Some((name, variable(name)?)))
        .collect()
}

fn directory(name: &str, default: &str) -> PathBuf {
    variable(name).map_or_else(|| default.into(), PathBuf::from)
}

#[expect(clippy::disallowed_methods, reason = "the tests' own settings, not an agent's")]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
