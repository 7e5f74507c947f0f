// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Is the address there: exactly it, with its prefix, on its interface, and fit for use?

use crate::cluster::Sharing;
use crate::interface::Held;
use crate::kernel::{Family, Link};
use crate::record::Record;
use crate::site::Site;
use crate::start;
use crate::wanted::{Wanted, short};
use crate::wire::announcer::Bursts;
use crate::wire::probe;
use nix::libc::{IFA_F_DADFAILED, IFA_F_TENTATIVE, RTN_LOCAL};
use ocf::{Error, Result, State, tracing};

/// An address that is there, and what its share says.
struct Seen {
    held: Held,
    sharing: Option<Sharing>,
    verdict: Result<State>,
}

/// The address's state; a repeated monitor also keeps the network informed.
pub(crate) fn monitor(site: &Site<'_>) -> Result<State> {
    let Some(Seen { held, sharing, verdict }) = look(site)? else {
        return absent(site);
    };
    let state = verdict?;
    if !state.is_active() {
        return Ok(state);
    }
    let sharing = sharing.filter(|sharing| !sharing.is_former());
    let is_start = site.context.action == "start";
    if is_start && sharing.as_ref().is_some_and(|sharing| !sharing.is_started()) {
        return Ok(State::stopped("it is served, but nobody looks after it"));
    }
    // A look before a start: what needs more than a look is the start's.
    if site.context.action == "start" && needs_adoption(site, &held)? {
        return Ok(State::stopped("it is there, but nobody looks after it"));
    }
    if site.context.action == "monitor" && !site.context.probe {
        // Of an address that nodes share, others are owners, too.
        if sharing.is_none() && site.context.level_among(&[0, 10]) == 10 {
            guard(site, &held)?;
        }
        if let Some(sharing) = &sharing {
            sharing.note_running(site.context, &held.link);
        }
        inform(site, &held);
    }
    Ok(State::Running)
}

/// Looks at the address and then at its share. Another instance may start or stop between the two, so that
/// what is wrong with a share counts only if it is wrong while nobody does.
fn look(site: &Site<'_>) -> Result<Option<Seen>> {
    let seen = glance(site)?;
    let Some(Seen { sharing: Some(sharing), verdict: Err(_), .. }) = &seen else {
        return Ok(seen);
    };
    let _turn = sharing.turn_or_not(site.context);
    glance(site)
}

fn glance(site: &Site<'_>) -> Result<Option<Seen>> {
    let Some(held) = site.find()? else { return Ok(None) };
    if let Some(why) = &site.wanted.odd_prefix
        && site.find_as_recorded()?.is_none()
    {
        // No start of ours put it there, and none will.
        let verdict = Ok(State::stopped(why.clone()));
        return Ok(Some(Seen { held, sharing: None, verdict }));
    }
    check_fitness(site, &held)?;
    let sharing = site.share_in(&held);
    let verdict = match &sharing {
        Some(sharing) => sharing.verdict(site.context, &held.link),
        None => Ok(State::Running),
    };
    Ok(Some(Seen { held, sharing, verdict }))
}

/// Not there, or not as it is wanted: then what is there belongs to somebody else.
fn absent(site: &Site<'_>) -> Result<State> {
    let (kernel, wanted) = (&site.kernel, site.wanted);
    let (ip, name) = (wanted.ip, wanted.name());
    let on_nic = on_nic(wanted);
    // A probe that finds nothing gives no reason.
    let own = if site.context.probe { None } else { kernel.fib_match(ip, None)? };
    let index = own.filter(|route| route.kind == RTN_LOCAL).and_then(|route| route.index);
    let Some(link) = index.map(|index| kernel.find_link_by_index(index)).transpose()?.flatten()
    else {
        return Ok(State::stopped(format!("{name} is not there{on_nic}")));
    };
    let there = kernel.addresses(link.index, Family::of(ip))?;
    let Some(there) = there.iter().find(|there| there.ip == ip) else {
        return Ok(State::stopped(format!("{name} is not there{on_nic}")));
    };
    let there = format!("{ip}/{} is on {}", there.prefix, link.name);
    Ok(State::stopped(format!(
        "{name} is not there{on_nic}; {there}, which is not this resource's"
    )))
}

fn on_nic(wanted: &Wanted) -> String {
    wanted.nic.as_deref().map_or_else(String::new, |nic| format!(" on {}", short(nic)))
}

/// Whether an address that is there can be used.
fn check_fitness(site: &Site<'_>, held: &Held) -> Result<()> {
    let Held { link, address } = held;
    let (ip, name) = (address.ip, &link.name);
    if !site.is_as_wanted(held) {
        let place = format!("{ip}/{} is on {name}", address.prefix);
        let (wanted, on_nic) = (site.wanted.name(), on_nic(site.wanted));
        return Err(Error::generic(format!("{place}, not {wanted}{on_nic} any more")));
    }
    if address.has(IFA_F_DADFAILED) {
        return Err(Error::generic(format!("{ip} on {name} is unused: another host has it")));
    }
    if site.parameters.check_link_status && link.is_down() {
        return Err(Error::generic(down(link)));
    }
    Ok(())
}

/// What to do about an interface without a link.
pub(crate) fn down(link: &Link) -> String {
    format!("{} has no link: look at its cable, its switch or, of a bridge, its ports", link.name)
}

/// Whether nobody remembers that the address is the resource's, it would end by itself, or it can't be used
/// yet.
fn needs_adoption(site: &Site<'_>, Held { link, address }: &Held) -> Result<bool> {
    let is_known = site.record.as_ref().is_some_and(|record| record.index == link.index);
    let ends =
        || site.kernel.details(address).map(|all| all.is_some_and(|all| all.valid.is_some()));
    let is_tentative = address.has(IFA_F_TENTATIVE);
    Ok(!is_known || is_tentative || ends()?)
}

/// Says it once more: where that is asked for, and where the wire isn't the one that heard it.
fn inform(site: &Site<'_>, held: &Held) {
    let Held { link, address } = held;
    let mut count = site.parameters.arp_count_refresh;
    if let Some(record) = site.record.as_ref().filter(|record| has_changed(record, link)) {
        tracing::info!(
            "{} has another hardware address or link: telling the network of {}",
            link.name,
            address.ip
        );
        count = count.max(site.parameters.arp_count);
        let (mac, carrier_changes) = (link.mac.clone(), link.carrier_changes);
        if let Err(error) = (Record { mac, carrier_changes, ..record.clone() }).write(&site.file) {
            tracing::warn!("{error}");
        }
    }
    if count > 0 {
        start::announce(site, &start::plan(site, held).times(count), Bursts::First);
    }
}

fn has_changed(record: &Record, link: &Link) -> bool {
    link.has_carrier && (record.mac != link.mac || record.carrier_changes != link.carrier_changes)
}

/// Whether somebody else answers for the address.
fn guard(site: &Site<'_>, Held { link, .. }: &Held) -> Result<()> {
    match probe::guard(&site.kernel, link, site.wanted.ip, &site.context.deadline) {
        probe::Owner::Nobody => Ok(()),
        probe::Owner::Other(mac) => Err(probe::taken(site.wanted.ip, &mac)),
        probe::Owner::Unknown(why) => {
            tracing::warn!("cannot look for another owner of {}: {why}", site.wanted.ip);
            Ok(())
        }
    }
}
