// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:heartbeat:Dummy` and `ocf:pacemaker:Dummy`: a resource that is nothing but a state file.
//!
//! *Running*: the state file is there, as a regular file. *Promoted*: its first line is `Promoted`.
//! *Stopped*: it isn't there. Nothing else is ever touched. Both agents are for trying out and for
//! testing a cluster, and the smallest examples of an agent of this collection.

mod heartbeat;
mod pacemaker;
mod resource;

pub use heartbeat::Heartbeat;
pub use pacemaker::Pacemaker;
