// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The socket: requests, acknowledgements, and what the kernel says when it refuses.

use nix::errno::Errno;

/// A connection to the kernel's routing sockets, in the namespace of whoever opened it.
#[derive(Debug)]
pub(crate) struct Kernel;

/// Why the kernel refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The number.
    pub(crate) errno: Errno,
    /// The kernel's own words, where it has some (`NLMSGERR_ATTR_MSG`).
    pub(crate) text: Option<String>,
}
