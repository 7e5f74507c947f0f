// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Everything an OCF resource agent needs, and nothing that a simple agent doesn't.
//!
//! An agent declares its parameters once ([`parameters!`]), its actions once ([`Action`]), and
//! implements [`Agent`]; [`agent_main!`] makes the binary. The [`runner`] owns the order of things,
//! the environment, exit codes and exit reasons; the agent owns the truth about its resource.
//!
//! Standard: OCF Resource Agent API 1.1; what Pacemaker adds to it is said where it matters.

pub mod action;
pub mod agent;
pub mod code;
pub mod command;
pub mod context;
pub mod deadline;
pub mod environment;
pub mod error;
pub mod log;
pub mod notify;
pub mod parameter;
pub mod policy;
pub mod process;
pub mod promotion;
pub mod runner;
pub mod state;
pub mod state_file;
mod sys;
mod trace;
pub mod value;

pub use action::Action;
pub use agent::Agent;
pub use context::Context;
pub use error::{Error, Explain, Result};
pub use ocf_metadata::{About, Role};
pub use state::State;
pub use state_file::StateFile;
/// The log macros: `ocf::tracing::info!` and so on.
pub use tracing;
pub use value::Secret;

/// What the macros of this crate name; not for agents.
#[doc(hidden)]
pub mod private {
    pub use ocf_metadata::ParameterRow;
}
