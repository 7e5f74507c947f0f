// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Duplicate address detection (RFC 4862, 5.4), which the kernel does for every IPv6 address: waited for
//! by its own events, so that a start is over when the kernel is.
//!
//! It takes the kernel one to two seconds, as its settings say (`dad_transmits`, `retrans_time_ms`). Until
//! then the address is *tentative*: nobody may use it, and this agent neither.

use crate::kernel::{Assigned, Event, Events, Group, Kernel, Link};
use crate::wire::probe::{self, Owner};
use nix::libc;
use ocf::deadline::Deadline;
use ocf::{Error, Result, tracing};
use std::net::IpAddr;
use std::time::Duration;

/// The longest that the kernel is waited for: what the shell agent waits.
const LONGEST: Duration = Duration::from_secs(10);

/// The same without a link: the kernel doesn't even begin then.
const WITHOUT_LINK: Duration = Duration::from_secs(1);

/// The time to find out who the other owner is, for the sentence that tells of it.
const TO_NAME_IT: Duration = Duration::from_millis(800);

/// Waiting for the end of the detection, from before the address was added.
#[derive(Debug)]
pub(crate) struct Waiting {
    address: Assigned,
    link: Link,
    /// None where the kernel won't look for anybody.
    events: Option<Events>,
}

impl Waiting {
    /// Begins to listen; the address is added next.
    ///
    /// # Errors
    /// When the kernel can't be listened to.
    pub(crate) fn before(kernel: &Kernel, address: &Assigned, link: &Link) -> Result<Self> {
        let is_looked_for = address.ip.is_ipv6() && !address.has(libc::IFA_F_NODAD);
        let groups = [Group::Ipv6Address, Group::Link];
        let events = is_looked_for.then(|| kernel.subscribe(&groups)).transpose()?;
        Ok(Self { address: address.clone(), link: link.clone(), events })
    }

    /// Waits until the address can be used. Where the kernel doesn't come to an end in time, for want of a
    /// link most likely, that is told in the log, and the address stays: the kernel goes on looking.
    ///
    /// # Errors
    /// Another host has the address, or it is gone. It has still to be removed.
    pub(crate) fn until_usable(self, kernel: &Kernel, deadline: &Deadline) -> Result<()> {
        let Self { address, link, events } = self;
        let Some(mut events) = events else { return Ok(()) };
        let has_link = kernel.find_link_by_index(link.index)?.is_some_and(|now| now.has_carrier);
        let bound = deadline.within(if has_link { LONGEST } else { WITHOUT_LINK });
        loop {
            // Asked each time: what an event says may be over already.
            match kernel.holds(&link.name, link.index, address.ip, address.prefix)? {
                None => return Err(gone(&address, &link)),
                Some(now) if now.has(libc::IFA_F_DADFAILED) => {
                    return Err(taken(kernel, &address, &link, deadline));
                }
                Some(now) if !now.has(libc::IFA_F_TENTATIVE) => return Ok(()),
                Some(_) => {}
            }
            loop {
                match events.next(&bound)? {
                    None => {
                        let (ip, name) = (address.ip, &link.name);
                        tracing::warn!(
                            "{ip} on {name} can't be used yet: the kernel still looks for another owner"
                        );
                        return Ok(());
                    }
                    Some(event) if is_about(&event, &address) => break,
                    Some(_) => {}
                }
            }
        }
    }
}

/// Whether an event is a reason to look again.
fn is_about(event: &Event, address: &Assigned) -> bool {
    match event {
        Event::Address(other) | Event::AddressGone(other) => {
            (other.ip, other.index) == (address.ip, address.index)
        }
        Event::LinkGone(link) => link.index == address.index,
        Event::Link(_) => false,
        Event::Lost => true,
    }
}

fn gone(address: &Assigned, link: &Link) -> Error {
    let (ip, name) = (address.ip, &link.name);
    Error::generic(format!("{ip} was taken from {name} while the kernel looked for another owner"))
}

/// Another host has the address; which, is asked once more.
fn taken(kernel: &Kernel, address: &Assigned, link: &Link, deadline: &Deadline) -> Error {
    let ip: IpAddr = address.ip;
    match probe::find_owner(kernel, link, ip, &deadline.within(TO_NAME_IT)) {
        Owner::Other(mac) => probe::taken(ip, &mac),
        Owner::Nobody | Owner::Unknown(_) => {
            let name = &link.name;
            Error::generic(format!("{ip} is used by another host: the kernel met it on {name}"))
        }
    }
}

#[cfg(test)]
mod tests;
