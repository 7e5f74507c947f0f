// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The two agents: ours as it is staged, and Debian's shell agent.

use std::path::PathBuf;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agent {
    Ours,
    Shell,
}

impl Agent {
    /// Its file: ours below `OCF_AGENTS` (unset: the workspace's stage).
    #[must_use]
    pub fn path(self) -> PathBuf {
        let (path, remedy) = match self {
            Self::Ours => {
                let staged = concat!(
                    env!("CARGO_MANIFEST_DIR"),
                    "/../../target/stage/usr/lib/ocf/resource.d"
                );
                let given = std::env::var_os("OCF_AGENTS").map_or(staged.into(), PathBuf::from);
                (given.join("heartbeat/apache"), "run `make stage`, or set OCF_AGENTS")
            }
            Self::Shell => {
                let installed = "/usr/lib/ocf/resource.d/heartbeat/apache";
                (installed.into(), "install Debian's resource-agents, without our packages")
            }
        };
        assert!(path.is_file(), "there is no agent {}: {remedy}", path.display());
        path
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Ours => Self::Shell,
            Self::Shell => Self::Ours,
        }
    }
}
