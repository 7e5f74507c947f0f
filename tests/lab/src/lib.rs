// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A real Pacemaker in a container of its own.
//!
//! Debian's Pacemaker, pcs and crmsh are put in a container image made on this machine from the
//! mirror the machine itself uses. On that image stand `make demo`, the cluster tier of
//! `make test`, and every test that needs Debian's own tools or agents beside ours: the host
//! needs an Engine and nothing else.
//!
//! What the lab touches: packages it names before it installs them, containers and images that
//! carry [`docker::LABEL`], and `/run/ocf-agents-lab`.

pub mod checks;
pub mod cluster;
pub mod demo;
pub mod docker;
pub mod engine;
pub mod error;
pub mod host;
pub mod image;
pub mod mirror;
pub mod node;
pub mod process;
pub mod progress;
pub mod remote;
pub mod setup;
pub mod signals;
pub mod soak;
pub mod space;
pub mod status;
pub mod tier;

pub use error::{Error, Result};
pub use setup::Lab;
