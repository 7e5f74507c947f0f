// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a monitor found.

use crate::error::{Error, Result};
use std::borrow::Cow;

/// The state of an instance. "Failed" is an [`crate::Error`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Cleanly stopped. The text says how that shows (`no state file /run/x`), and becomes the exit
    /// reason where a running instance was expected.
    Stopped(Cow<'static, str>),
    /// Properly active; of a promotable clone: unpromoted.
    Running,
    /// Properly active and promoted.
    Promoted,
    /// Active, but failure is more likely than usual; the text says why.
    Degraded(Cow<'static, str>),
    /// The same, promoted.
    DegradedPromoted(Cow<'static, str>),
}

impl State {
    /// Stopped, with how that shows.
    pub fn stopped(how: impl Into<Cow<'static, str>>) -> Self {
        Self::Stopped(how.into())
    }

    /// Whether the instance is active in any role.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        !matches!(self, Self::Stopped(_))
    }

    /// Whether the instance is promoted.
    #[must_use]
    pub const fn is_promoted(&self) -> bool {
        matches!(self, Self::Promoted | Self::DegradedPromoted(_))
    }

    /// The answer that an exit code written down stands for: what the agents for testing a cluster
    /// let a file dictate. `why` becomes the sentence; a text that is no code is a failure.
    ///
    /// # Errors
    /// The failure that the code stands for.
    pub fn dictated(code: &str, why: String) -> Result<Self> {
        Err(match code {
            "0" => return Ok(Self::Running),
            "7" => return Ok(Self::stopped(why)),
            "8" => return Ok(Self::Promoted),
            "190" => return Ok(Self::Degraded(why.into())),
            "191" => return Ok(Self::DegradedPromoted(why.into())),
            "2" => Error::args(why),
            "3" => Error::unimplemented(why),
            "4" => Error::permission(why),
            "5" => Error::installed(why),
            "6" => Error::configured(why),
            "9" => Error::failed_promoted(why),
            _ => Error::generic(why),
        })
    }
}
