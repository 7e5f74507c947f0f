// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Takes the address and tells the network. It either holds the address at the end or leaves nothing.

use crate::cluster::Sharing;
use crate::configuration::Lifetime;
use crate::interface::{self, Held, Place};
use crate::kernel::{Assigned, Family, Link, Refusal};
use crate::namespace::Identity;
use crate::record::Record;
use crate::site::Site;
use crate::switch::{self, Off};
use crate::wire::announcer::{self, Bursts};
use crate::wire::{announce, probe};
use crate::{dad, lvs, stop};
use nix::errno::Errno;
use nix::libc;
use ocf::{Error, Result, tracing};

/// Takes the address.
pub(crate) fn start(mut site: Site<'_>) -> Result<()> {
    let place = interface::find_place(&site.kernel, site.wanted)?;
    site.wanted.check_label(&place.link.name)?;
    site.ensure_directory();
    let sharing = site.share_to_take(&place)?;
    // Another instance of the clone may be about to take the address away, or to add it.
    let turn = sharing.as_ref().map(|sharing| sharing.turn(site.context)).transpose()?;
    let is_ours = site.record.is_some();
    let before = before(&site, &place)?;
    let is_new = is_ours || before.is_none();
    let off = Off::before(&site, before.as_ref().map_or(&place.link, |held| &held.link))?;
    let done = hold(&mut site, &place, before, sharing.as_ref());
    drop(turn);
    match done {
        Ok(held) => {
            tell(&site, &held);
            Ok(())
        }
        Err(error) => {
            // Nothing is left of a start that failed, but what was there before it.
            let undone = if is_new { stop::stop(&site) } else { site.file.remove() };
            let restored = off.map_or(Ok(()), |off| off.restore(&site));
            for error in [undone, restored].into_iter().filter_map(Result::err) {
                tracing::warn!("after a start that failed: {error}");
            }
            Err(error)
        }
    }
}

/// Holds the address at a place, where it may be already.
fn hold(
    site: &mut Site<'_>,
    place: &Place,
    before: Option<Held>,
    sharing: Option<&Sharing>,
) -> Result<Held> {
    let link = switch::bring_up(site, before.as_ref().map_or(&place.link, |held| &held.link))?;
    remember(site, &link, before.as_ref().map_or(place.prefix, |held| held.address.prefix))?;
    // The rules come first: without them this node would answer every client.
    sharing.map_or(Ok(()), |sharing| sharing.start(site.context, &link))?;
    match before {
        Some(held) => adopt(site, &held).map(|()| held),
        None => take(site, place, link, sharing.is_some()),
    }
}

/// The address, if it is there already and can be used. What an earlier start put elsewhere goes, and so
/// does what the kernel won't use.
fn before(site: &Site<'_>, place: &Place) -> Result<Option<Held>> {
    let before = match site.find_as_recorded()? {
        Some(other) if !site.is_as_wanted(&other) => {
            let (address, name) = (&other.address, &other.link.name);
            tracing::warn!("{}/{} was on {name}: removing it there", address.ip, address.prefix);
            stop::remove(site, &other)?;
            None
        }
        held => held,
    };
    let before =
        before.map_or_else(|| interface::find_held(&site.kernel, site.wanted), |h| Ok(Some(h)))?;
    let Some(held) = before else { return Ok(None) };
    if held.address.has(libc::IFA_F_DADFAILED) {
        tracing::warn!("{} on {} is unused: adding it anew", held.address.ip, held.link.name);
        stop::remove(site, &held)?;
        return Ok(None);
    }
    if site.record.is_none() {
        tracing::warn!(
            "{} was on {} before: this resource adopts it, and its stop removes it",
            site.wanted.name(),
            place.link.name
        );
    }
    Ok(Some(held))
}

/// Writes down what is about to be done. Only how lo had the address is known nowhere else.
fn remember(site: &mut Site<'_>, link: &Link, prefix: u8) -> Result<()> {
    let record = Record {
        resource: site.context.instance.name.clone(),
        index: link.index,
        prefix,
        namespace: Identity::own(),
        mac: link.mac.clone(),
        carrier_changes: link.carrier_changes,
        on_lo: lvs::waiting(site)?,
        address_label: site.wanted.address_label(site.parameters),
    };
    match record.write(&site.file) {
        Err(error) if record.on_lo.is_some() => return Err(error),
        Err(error) => tracing::warn!("going on without a record: {error}"),
        Ok(()) => {}
    }
    site.record = Some(record);
    Ok(())
}

/// Takes an address that wasn't there.
fn take(site: &Site<'_>, place: &Place, link: Link, is_shared: bool) -> Result<Held> {
    if !is_shared {
        look_for_owner(site, &link)?;
    }
    give_address_label(site);
    lvs::take(site)?;
    let address = address(site, place, &link, is_shared);
    let waiting = dad::Waiting::before(&site.kernel, &address, &link)?;
    match site.kernel.add(&address) {
        Ok(()) => {}
        // It came between our look and now, as it is wanted.
        Err(refusal) if refusal.errno == Errno::EEXIST && site.find()?.is_some() => {}
        Err(refusal) => return Err(why_not(site, &address, &link, &refusal)),
    }
    waiting.until_usable(&site.kernel, &site.context.deadline)?;
    Ok(Held { link, address })
}

/// Keeps the address from being a source, where that is asked for. A label that an administrator gave it stays.
fn give_address_label(site: &Site<'_>) {
    let ip = site.wanted.ip;
    let Some(label) = site.wanted.address_label(site.parameters) else { return };
    match site.kernel.find_address_label(ip) {
        Ok(Some(other)) if other != label => {
            tracing::warn!("{ip} has address label {other} already: leaving it instead of {label}");
        }
        _ => {
            if let Err(refusal) = site.kernel.add_address_label(ip, label) {
                tracing::warn!("cannot give {ip} address label {label}: {refusal}");
            }
        }
    }
}

/// Why the kernel didn't take the address.
fn why_not(site: &Site<'_>, address: &Assigned, link: &Link, refusal: &Refusal) -> Error {
    let (ip, prefix, name) = (address.ip, address.prefix, &link.name);
    if refusal.errno == Errno::EACCES && ip.is_ipv6() {
        let sentence = format!("IPv6 is disabled on {name}: set its sysctl disable_ipv6 to 0");
        return Error::installed(sentence);
    }
    let there = site.kernel.addresses(link.index, Family::of(ip)).unwrap_or_default();
    match there.iter().find(|there| there.ip == ip) {
        Some(Assigned { prefix: other, .. }) if refusal.errno == Errno::EEXIST => {
            Error::generic(format!("{name} has {ip}/{other}, not /{prefix}: remove that one"))
        }
        _ => refusal.error(&format!("add {ip}/{prefix} to {name}")),
    }
}

/// The address as the kernel is told it. One that other nodes share would never pass its detection of
/// duplicates.
fn address(site: &Site<'_>, place: &Place, link: &Link, is_shared: bool) -> Assigned {
    let parameters = site.parameters;
    let is_v6 = site.wanted.ip.is_ipv6();
    let flag = |flag: u32, is_set: bool| if is_set { flag } else { 0 };
    Assigned {
        index: link.index,
        ip: site.wanted.ip,
        prefix: place.prefix,
        peer: None,
        broadcast: place.broadcast,
        label: site.wanted.label_on(&link.name),
        flags: flag(libc::IFA_F_NODAD, is_v6 && (parameters.nodad || is_shared))
            | flag(libc::IFA_F_NOPREFIXROUTE, parameters.noprefixroute),
        scope: place.scope,
        preferred: preferred(site),
        valid: None,
        metric: place.metric,
    }
}

/// For how many seconds new connections may have the address as their source; `None` is for ever.
pub(crate) fn preferred(site: &Site<'_>) -> Option<u32> {
    match site.parameters.preferred_lft {
        Lifetime::Seconds(seconds) if site.wanted.ip.is_ipv6() => Some(seconds),
        _ => None,
    }
}

/// An address that was there before lasts from now on, as it is asked for, and is waited for like a new one.
fn adopt(site: &Site<'_>, Held { link, address }: &Held) -> Result<()> {
    give_address_label(site);
    let waiting = dad::Waiting::before(&site.kernel, address, link)?;
    let all = site.kernel.details(address)?;
    let preferred = preferred(site);
    if let Some(address) = all.filter(|all| all.valid.is_some() || all.preferred != preferred) {
        let lasting = Assigned { valid: None, preferred, ..address };
        site.kernel.replace(&lasting).map_err(|refusal| {
            refusal.error(&format!("make {} on {} last", lasting.ip, link.name))
        })?;
    }
    waiting.until_usable(&site.kernel, &site.context.deadline)
}

/// Asks the network, where that is wanted, whether somebody has the address.
fn look_for_owner(site: &Site<'_>, link: &Link) -> Result<()> {
    let ip = site.wanted.ip;
    if !site.parameters.run_arping || ip.is_ipv6() {
        return Ok(());
    }
    match probe::find_owner(&site.kernel, link, ip, &site.context.deadline) {
        probe::Owner::Nobody => Ok(()),
        probe::Owner::Other(mac) => Err(probe::taken(ip, &mac)),
        probe::Owner::Unknown(why) => {
            tracing::warn!("cannot look for another owner of {ip}: {why}");
            Ok(())
        }
    }
}

/// Tells the network, from the beginning. That it can't be told is no reason to be without the address.
pub(crate) fn tell(site: &Site<'_>, held: &Held) {
    if let Err(error) = announcer::end(site.announcer.path(), &site.context.deadline) {
        tracing::warn!("{error}");
    }
    let after = announcer::SECOND_BURST_AFTER;
    let plan = plan(site, held);
    if site.parameters.arp_bg.unwrap_or(true) {
        announce(site, &plan, Bursts::All(after));
    } else {
        plan.send_all(&site.kernel, &site.context.deadline);
        announce(site, &plan, Bursts::Second(after));
    }
}

/// How the network is told of an address.
pub(crate) fn plan(site: &Site<'_>, held: &Held) -> announce::Plan {
    let Held { link, address } = held;
    let plan = announce::Plan::of(address, link, site.parameters);
    let sharing = site.share_in(held);
    match sharing.and_then(|sharing| sharing.mac()) {
        Some(mac) => plan.with_shared_mac(mac.to_vec()),
        None => plan,
    }
}

/// Tells it at once, and goes on in the background.
pub(crate) fn announce(site: &Site<'_>, plan: &announce::Plan, bursts: Bursts) {
    if let Err(error) = announcer::start(&site.kernel, site.announcer.path(), plan, bursts) {
        tracing::warn!("cannot go on announcing {} in the background: {error}", site.wanted.ip);
    }
}
