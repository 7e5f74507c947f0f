// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The container agent on real Engines. Each test starts Engines of its own, which it may freeze and
//! kill, and makes its images from what is installed: there is no registry but one that pretends.
//!
//! The needs of this tier: root, Debian's docker.io, resource-agents, busybox-static, pacemaker-remote
//! and openssl, and the right to run containers. `make test-docker` runs it in the lab's image, where
//! they are. Without them the tests fail, they don't pass.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::missing_panics_doc,
    clippy::print_stdout,
    missing_docs,
    reason = "test code: a panic is how a test fails"
)]

pub mod api;
pub mod engine;
pub mod fake;
pub mod images;
pub mod processes;
pub mod registry;
pub mod side_by_side;
pub mod state;
pub mod world;

pub use beside::{Agent, PATIENCE, Seen, pause, wait_for};
pub use engine::Engine;
pub use registry::Registry;
pub use world::World;

/// The agent that is judged here, both ours and the shell one.
pub const AGENT: &str = "heartbeat/docker";
