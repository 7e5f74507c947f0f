// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Conformance tester for OCF resource agents in any language.
//!
//! The library has what a test of an agent needs: one execution with a limit ([`agent`]), the
//! classic sequence of checks ([`classic`]), KILL at every system call that changes state
//! ([`kill`]), the same scenario on two agents ([`compare`]) and what was left behind
//! ([`ledger`]). The binary `ocf-tester` is a command line over it.

pub mod agent;
pub mod cause;
pub mod check;
pub mod checks;
mod child;
pub mod classic;
pub mod cli;
pub mod compare;
pub mod event;
pub mod exit_codes;
pub mod expectation;
pub mod explain;
pub mod family;
mod glob;
pub mod human;
pub mod interrupt;
mod kernel;
pub mod kill;
pub mod ledger;
mod places;
pub mod profile;
mod quote;
pub mod report;
pub mod scratch;
pub mod seed;
pub mod selection;
pub mod session;
mod turn;
