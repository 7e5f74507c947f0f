// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The codes with which `ocf-tester` ends. They are part of its interface.

/// Everything that was judged passed.
pub const PASSED: u8 = 0;
/// The agent breaks at least one rule, or something was left running.
pub const VIOLATIONS: u8 = 1;
/// The command line is wrong; nothing was run.
pub const USAGE: u8 = 2;
/// The tester could not do its work: the agent can't be executed, a check lacked something that
/// says nothing about the agent, or the report can't be written. Violations come first: 1.
pub const ENVIRONMENT: u8 = 3;
/// Refused: the resource was already active, and `--destructive` wasn't given; or another tester is
/// at work on it.
pub const REFUSED: u8 = 4;
/// Ended by a signal, after the resource was stopped; or, after a second one, with a word about it.
pub const INTERRUPTED: u8 = 130;
