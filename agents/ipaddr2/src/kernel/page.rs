// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The first page of an interface's IPv4 addresses.

use super::netlink::{Kernel, Refusal, receive_one};
use super::{Assigned, Family, address, answer};
use netlink_packet_core::NLM_F_DUMP;
use nix::errno::Errno;
use nix::libc::RTM_GETADDR;

/// The kernel makes a page of a dump as large as the room for the one before, and the first one less than
/// this: some forty addresses.
const ROOM: usize = 4096;

/// Addresses in the kernel's order: primary ones first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Page {
    pub(super) addresses: Vec<Assigned>,
    /// Whether there are no more.
    pub(super) is_last: bool,
}

impl Kernel {
    /// The first addresses of an interface; the last ones, too, if there is no such interface.
    pub(super) fn first_addresses(&self, index: u32) -> Result<Page, Refusal> {
        // What isn't read goes with its socket.
        let kernel = Self::open()?;
        let sequence =
            kernel.send(RTM_GETADDR, NLM_F_DUMP, &address::of_interface(index, Family::V4))?;
        let mut datagram = Vec::with_capacity(ROOM);
        let mut addresses = Vec::new();
        let mut next = || {
            if !receive_one(kernel.socket(), &mut datagram)? {
                return Err(Refusal::unreadable("the kernel gave no answer"));
            }
            let progress = answer::read(&datagram, sequence, &mut |_, payload| {
                addresses.extend(Some(address::read(payload)?).filter(|one| one.index == index));
                Ok(())
            })?;
            Ok((progress, datagram.len()))
        };
        let end = match next() {
            // The kernel says that there are no more in a datagram of its own.
            Ok((progress, length)) if !progress.is_over && length < ROOM * 3 / 4 => next(),
            first => first,
        };
        match end {
            Ok((progress, _)) => {
                let is_last = progress.is_over && !progress.is_interrupted;
                Ok(Page { addresses, is_last })
            }
            Err(Refusal { errno: Errno::ENODEV, .. }) => {
                Ok(Page { is_last: true, ..Page::default() })
            }
            // A kernel with larger pages.
            Err(Refusal { errno: Errno::EMSGSIZE, .. }) => Ok(Page { addresses, is_last: false }),
            Err(refusal) => Err(refusal),
        }
    }
}
