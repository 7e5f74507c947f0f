// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The address agent in network namespaces of a test's own: a node with two interfaces, and a second
//! host at the other end of both that sees every frame. Nothing of the machine's own network is touched.
//!
//! The needs of this tier: root, and Debian's resource-agents, iproute2, iptables and arping.
//! `make test-ipaddr2` runs it in the lab's image, where they are. Without them the tests fail, they don't
//! pass.
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

pub mod capture;
pub mod namespace;
pub mod row;
pub mod segment;
pub mod sharing;
pub mod side_by_side;
pub mod snapshot;
pub mod world;

pub use beside::{Agent, PATIENCE, Seen, pause, wait_for};
pub use capture::{Capture, Frame};
pub use namespace::Namespace;
pub use row::Row;
pub use segment::Segment;
pub use snapshot::Snapshot;
pub use world::World;

/// The agent that is judged here, both ours and the shell one.
pub const AGENT: &str = "heartbeat/IPaddr2";
