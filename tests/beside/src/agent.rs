// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The two agents: ours as it is staged, and Debian's shell agent.

use std::path::{Path, PathBuf};

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agent {
    Ours,
    Shell,
}

impl Agent {
    /// The file of the one called `provider/Type`: ours below `OCF_AGENTS` (unset: the workspace's stage).
    #[must_use]
    pub fn path(self, name: &str) -> PathBuf {
        let (directory, remedy) = match self {
            Self::Ours => {
                let staged = concat!(
                    env!("CARGO_MANIFEST_DIR"),
                    "/../../target/stage/usr/lib/ocf/resource.d"
                );
                let given = std::env::var_os("OCF_AGENTS").map_or(staged.into(), PathBuf::from);
                (given, "run `make stage`, or set OCF_AGENTS")
            }
            Self::Shell => {
                let installed = Path::new("/usr/lib/ocf/resource.d").to_owned();
                (installed, "install Debian's resource-agents, without our packages")
            }
        };
        let path = directory.join(name);
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
