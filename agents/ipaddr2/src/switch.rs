// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The interface's switch: a start sets it on, and one that fails off again.

use crate::kernel::{Assigned, Family, Link};
use crate::site::Site;
use crate::{monitor, record};
use nix::libc;
use ocf::{Error, Result, tracing};
use std::net::IpAddr;
use std::time::Duration;

/// How much of the time that is left start waits for a link, in percent.
const FOR_LINK: u32 = 60;
/// How long it waits where nobody asked that the link be up: a card that was just switched on needs seconds.
const FOR_ANY_LINK: Duration = Duration::from_secs(3);

/// Switches the interface on and waits, within bounds, for its link.
pub(crate) fn bring_up(site: &Site<'_>, link: &Link) -> Result<Link> {
    let was_up = link.has(libc::IFF_UP);
    if !was_up {
        let done = site.kernel.set_up(link.index);
        done.map_err(|refusal| refusal.error(&format!("switch {} on", link.name)))?;
    }
    let is_asked = site.parameters.check_link_status;
    let deadline = &site.context.deadline;
    let bound = match (is_asked, was_up) {
        (true, _) => deadline.share(FOR_LINK),
        (false, false) => deadline.share(FOR_LINK).within(FOR_ANY_LINK),
        // It goes without, as it always has.
        (false, true) => return Ok(link.clone()),
    };
    let now = site.kernel.wait_for_carrier(link.index, &bound)?;
    if is_asked && now.is_down() {
        return Err(Error::generic(monitor::down(&now)));
    }
    if !now.has_carrier {
        tracing::warn!("{}; going on without", monitor::down(&now));
    }
    Ok(now)
}

/// An interface that was switched off, with the addresses it had.
#[derive(Debug)]
pub(crate) struct Off {
    index: u32,
    addresses: Vec<Place>,
}

/// An address and its prefix.
type Place = (IpAddr, u8);

impl Off {
    /// The interface, before a start: `None` where it is on.
    ///
    /// # Errors
    /// When the kernel can't be asked.
    pub(crate) fn before(site: &Site<'_>, link: &Link) -> Result<Option<Self>> {
        if link.has(libc::IFF_UP) {
            return Ok(None);
        }
        Ok(Some(Self { index: link.index, addresses: addresses(site, link.index)? }))
    }

    /// Switches it off again, if nobody has begun to use it: no other address came, no other start remembers
    /// it. IPv6 addresses would go with that, so that one with some stays on.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn restore(self, site: &Site<'_>) -> Result<()> {
        let Self { index, addresses: before } = self;
        let is_used = before.iter().any(|(ip, _)| ip.is_ipv6())
            || addresses(site, index)? != before
            || record::is_remembered(site.context, index);
        if is_used {
            return Ok(());
        }
        let done = site.kernel.set_down(index);
        done.map_err(|refusal| refusal.error("switch the interface off again"))
    }
}

/// The addresses of an interface, but those that the kernel makes by itself when it is switched on.
fn addresses(site: &Site<'_>, index: u32) -> Result<Vec<Place>> {
    let is_kernels = |one: &Assigned| match one.ip {
        IpAddr::V4(_) => false,
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    let mut found = site.kernel.addresses(index, Family::V4)?;
    found.extend(site.kernel.addresses(index, Family::V6)?);
    let mut places: Vec<Place> =
        found.iter().filter(|one| !is_kernels(one)).map(|one| (one.ip, one.prefix)).collect();
    places.sort_unstable();
    Ok(places)
}
