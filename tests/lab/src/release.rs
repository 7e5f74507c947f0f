// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The Debian releases a node can be made of.

/// A Debian release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Release {
    /// Debian 12, whose shell agents are the baseline of this project: Pacemaker 2.1.
    Bookworm,
    /// Debian 13: Pacemaker 3.
    Trixie,
}

impl Release {
    /// The code name, as in a mirror's suites.
    #[must_use]
    pub fn code_name(self) -> &'static str {
        match self {
            Self::Bookworm => "bookworm",
            Self::Trixie => "trixie",
        }
    }

    /// How people call it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Bookworm => "Debian 12",
            Self::Trixie => "Debian 13",
        }
    }
}
