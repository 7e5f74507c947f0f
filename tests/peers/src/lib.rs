// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Our agents and their peers: Debian's shell agents, put through the same scenarios, and the tools
//! that run agents (Pacemaker's executor, crm_resource, pcs, crmsh, upstream's ocf-tester).
//!
//! Needs root and the Debian packages; where one is missing a test fails with a sentence that says
//! which. Nothing of the machine is changed: what has to be put in place of something else is mounted
//! in namespaces of the test's own ([`place`]).

pub mod case;
pub mod collection;
pub mod executor;
pub mod operations;
pub mod place;
pub mod program;
pub mod side_by_side;

use std::fmt::{self, Debug, Display};

/// Why a test failed; printed as it is, with its lines.
pub struct Failure(String);

impl Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// What a test comes to.
pub type Outcome<T = ()> = Result<T, Failure>;

/// Fails unless a claim holds, saying what was seen instead.
///
/// # Errors
/// `seen`, when the claim doesn't hold.
pub fn claim(holds: bool, seen: impl Display) -> Outcome {
    if holds { Ok(()) } else { Err(seen.into()) }
}
