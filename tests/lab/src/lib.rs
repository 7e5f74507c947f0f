// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A real Pacemaker cluster on one machine: two nodes with Engines of their own, a fence device,
//! a third host, and our packages in place of the shell agents.
//!
//! The hosts are containers of images made on this machine from the mirror the machine itself
//! uses. On them stand `make demo`, the cluster tier of `make test`, and every test that needs
//! Debian's own tools or agents beside ours: the machine needs an Engine and nothing else.
//!
//! What the lab touches: packages it names before it installs them, containers, their volumes and
//! images that carry [`docker::LABEL`], `/run/ocf-agents-lab`, `/var/tmp/ocf-agents-lab` while an
//! image is made, and a directory of logs when something failed. Networks are inside the containers.
//!
//! Where to begin:
//!
//! | for | see |
//! |---|---|
//! | what is shown and tested | [`demo`], [`tier`], [`checks`], [`bundle`], [`fault`], [`failover`], [`scenarios`], [`takeover`], [`soak`], [`recovery`], [`scale`], [`accounting`], [`asking`], [`clients`], [`probing`] |
//! | a cluster, and what it says | [`cluster`], [`configuration`], [`status`], [`executor`], [`journal`], [`logs`], [`hearing`] |
//! | hosts, their network and power | [`site`], [`power`], [`rights`], [`attendant`], [`fence`] |
//! | images and packages | [`recipe`], [`image`], [`build`], [`mirror`], [`packages`], [`beside`], [`carry`], [`space`] |
//! | this machine | [`setup`], [`engine`], [`host`], [`docker`], [`container`], [`transient`] |
//! | the program itself | [`process`], [`signals`], [`progress`], [`error`] |

pub mod accounting;
pub mod asking;
pub mod attendant;
pub mod beside;
pub mod build;
pub mod bundle;
pub mod carry;
pub mod checks;
pub mod clients;
pub mod cluster;
pub mod configuration;
pub mod container;
pub mod demo;
pub mod docker;
pub mod engine;
pub mod error;
pub mod executor;
pub mod failover;
pub mod fault;
pub mod fence;
pub mod hearing;
pub mod host;
pub mod image;
pub mod journal;
pub mod logs;
pub mod mirror;
pub mod packages;
pub mod power;
pub mod probing;
pub mod process;
pub mod progress;
pub mod recipe;
pub mod recovery;
pub mod release;
pub mod rights;
pub mod scale;
pub mod scenarios;
pub mod setup;
pub mod signals;
pub mod site;
pub mod soak;
pub mod space;
pub mod status;
pub mod takeover;
pub mod tier;
pub mod transient;

pub use error::{Error, Result};
pub use setup::Lab;
