// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The web server agent with real servers. Every situation is in a world of its own: processes, mounts and
//! network are its own, and so are /run, /etc, /usr/sbin and /var/log, in which it may write. What an agent
//! kills or breaks there is gone with the world; the shell agent's stop ends whatever on the machine has
//! the right words in its command line, and would else take other worlds' servers along.
//!
//! The needs of this tier: root, and Debian's resource-agents, apache2, curl, wget, openssl, iproute2 and
//! procps. `make test-apache` runs it in the lab's image, where they are. Without them the tests fail, they
//! don't pass.
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

pub mod certificate;
pub mod host;
pub mod inside;
pub mod row;
pub mod server;
pub mod side_by_side;
pub mod stub;
pub mod world;

pub use beside::{Agent, PATIENCE, Seen, pause, wait_for};
pub use inside::{in_worlds, inside, is_inside};
pub use row::Row;
pub use world::World;

/// The agent that is judged here, both ours and the shell one.
pub const AGENT: &str = "heartbeat/apache";
