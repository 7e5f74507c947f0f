// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Packets: what tells the network of an address, and what asks it whether somebody has it.
//!
//! | | IPv4 | IPv6 |
//! |---|---|---|
//! | told by | ARP announcements (RFC 5227, 3), as requests, replies or both | unsolicited Neighbor Advertisements (RFC 4861, 7.2.6; RFC 9131 for routers) |
//! | how often | `arp_count` times, `arp_interval` apart | at most three times, no faster than the interface's retransmission timer |
//! | once more | three seconds later | three seconds later |
//! | asked by | ARP probes (RFC 5227, 2.1.1) | the kernel itself (RFC 4862, 5.4); a guard's question is a Neighbor Solicitation |

pub(crate) mod announce;
pub(crate) mod announcer;
pub(crate) mod frame;
pub(crate) mod probe;
pub(crate) mod shell_sender;
pub(crate) mod socket;
#[cfg(test)]
pub(crate) mod world;

use crate::kernel::Link;
use nix::libc;

/// Why nothing can be told or asked by packets on an interface; `None` where it can.
pub(crate) fn find_obstacle(link: &Link) -> Option<&'static str> {
    if link.has(libc::IFF_LOOPBACK) {
        return Some("it is a loopback interface");
    }
    if link.has(libc::IFF_NOARP) {
        return Some("it resolves no addresses (NOARP)");
    }
    let is_addressed = !link.mac.is_empty() && link.mac.len() == link.broadcast.len();
    (!is_addressed).then_some("it has no hardware address to tell of")
}
