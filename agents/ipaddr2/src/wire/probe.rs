// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Who has an address: asked on the wire, before it is taken (RFC 5227) and while it is held.

use crate::kernel::Link;
use ocf::deadline::Deadline;
use std::net::IpAddr;

/// What the network says of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Nobody said that it is theirs.
    Nobody,
    /// The host with this hardware address has it, or is about to take it.
    Other(Vec<u8>),
    /// Nobody could be asked; the sentence says why.
    Unknown(String),
}

/// Asks who has an address that this node doesn't have yet: three questions in two seconds, 2.1 s in all.
pub(crate) fn find_owner(_link: &Link, _ip: IpAddr, _deadline: &Deadline) -> Owner {
    Owner::Unknown("to be written".to_owned())
}

/// Asks who else has an address that this node has; one second at most.
pub(crate) fn guard(_link: &Link, _ip: IpAddr, _deadline: &Deadline) -> Owner {
    Owner::Unknown("to be written".to_owned())
}
