// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Where an address is already, as it is wanted. That needs no route, but where one says with which prefix
//! it is wanted, it counts.

use super::Held;
use super::network::{Network, Search};
use crate::kernel::{Family, Kernel, Link};
use crate::wanted::Wanted;
use nix::libc::{IFF_LOOPBACK, RTN_LOCAL};
use ocf::Result;
use std::collections::BTreeSet;

/// The address as it is wanted, if it is there: on the interface that is asked for, or where none is, on any
/// whose network is as good as the best, and where no network is known, on any but the loopback; with the prefix that is asked for, or where none is, with that of
/// the network, or else, where the best network is, with any.
///
/// # Errors
/// When the kernel can't be asked.
pub(crate) fn find_held(kernel: &Kernel, wanted: &Wanted) -> Result<Option<Held>> {
    find_held_but(kernel, wanted, &|_| false)
}

/// The same, on an interface that wasn't named passing over what is another's.
///
/// # Errors
/// When the kernel can't be asked.
pub(crate) fn find_held_but(
    kernel: &Kernel,
    wanted: &Wanted,
    is_anothers: &dyn Fn(&Held) -> bool,
) -> Result<Option<Held>> {
    if let Some(nic) = &wanted.nic {
        return match kernel.find_link(nic)? {
            Some(link) => find_on(kernel, wanted, link),
            None => Ok(None),
        };
    }
    let ip = wanted.ip;
    // The kernel's own route to an address of this node says where it is, but not where it is, too.
    let own = kernel.fib_match(ip, None)?.filter(|route| route.kind == RTN_LOCAL);
    let first = own.filter(|route| route.prefix == Family::of(ip).bits()).and_then(|r| r.index);
    let is_own = |held: &Held| !is_anothers(held);
    if let Some(held) = find_at(kernel, wanted, first)?.filter(is_own) {
        return Ok(Some(held));
    }
    let places = kernel.addresses_anywhere(ip)?;
    let others: BTreeSet<u32> = places.iter().map(|place| place.index).collect();
    for index in others.into_iter().filter(|&index| Some(index) != first) {
        if let Some(held) = find_at(kernel, wanted, Some(index))?.filter(is_own) {
            return Ok(Some(held));
        }
    }
    Ok(None)
}

/// The address on an interface that wasn't named.
fn find_at(kernel: &Kernel, wanted: &Wanted, index: Option<u32>) -> Result<Option<Held>> {
    let link = index.map(|index| kernel.find_link_by_index(index)).transpose()?.flatten();
    link.map_or(Ok(None), |link| find_on(kernel, wanted, link))
}

/// The address on one interface.
fn find_on(kernel: &Kernel, wanted: &Wanted, link: Link) -> Result<Option<Held>> {
    let label = wanted.label_on(&link.name).unwrap_or_else(|| link.name.clone());
    let holds = |prefix| kernel.holds(&label, link.index, wanted.ip, prefix);
    let is_named = wanted.nic.is_some();
    if let Some(prefix) = wanted.prefix.filter(|_| is_named) {
        return Ok(holds(prefix)?.map(|address| Held { link, address }));
    }
    if !is_there(kernel, wanted, &link)? {
        return Ok(None);
    }
    // What waits on lo, as on the real servers of LVS, is no resource's: that needs its network there.
    let only_waits = !is_named && link.has(IFF_LOOPBACK);
    // First by what the kernel says at once, then by all routes there are.
    for is_thorough in [false, true] {
        let find = |link: Option<&Link>| match is_thorough {
            false => Search::of(wanted, link).ask(kernel),
            true => Network::find(kernel, wanted, link),
        };
        let best = find(Some(&link).filter(|_| is_named))?;
        let is_best = best.as_ref().is_none_or(|best| best.index == link.index);
        let prefix = match &best {
            Some(best) if is_best => wanted.prefix.or(Some(best.prefix)),
            _ if only_waits => None,
            // Another interface has as good a network.
            Some(best) => {
                let own = find(Some(&link))?.filter(|own| own.prefix == best.prefix);
                own.map(|own| wanted.prefix.unwrap_or(own.prefix))
            }
            None => wanted.prefix.filter(|_| is_thorough),
        };
        let mut address = prefix.map(holds).transpose()?.flatten();
        let is_here = is_named || is_best && (best.is_some() || is_thorough && !only_waits);
        if address.is_none() && is_here && wanted.prefix.is_none() {
            // No prefix is asked for, so none is wrong: the address answers here, and has to be known.
            let found = kernel.addresses(link.index, Family::of(wanted.ip))?;
            address = found.into_iter().find(|one| one.ip == wanted.ip);
        }
        if let Some(address) = address {
            return Ok(Some(Held { link, address }));
        }
    }
    Ok(None)
}

/// Whether the interface has the address at all, with whatever prefix.
fn is_there(kernel: &Kernel, wanted: &Wanted, link: &Link) -> Result<bool> {
    let own = kernel.fib_match(wanted.ip, Some(link.index))?;
    let bits = Family::of(wanted.ip).bits();
    let is_own = own.is_some_and(|route| route.kind == RTN_LOCAL && route.prefix == bits);
    Ok(is_own || kernel.is_on(link.index, wanted.ip)?)
}
