// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Takes the address away. Whatever the tunables say, it acts on what is really there.

use crate::cluster::{Rest, Sharing};
use crate::interface::{self, Held};
use crate::kernel::Link;
use crate::site::Site;
use crate::wanted::Wanted;
use crate::wire::announcer;
use crate::{Parameters, lvs, record};
use ocf::{Context, Result, tracing};
use std::fs;

/// Most copies of an address that are looked for: one on the interface that is asked for, and one where
/// start put it.
const COPIES: usize = 3;

/// Stops announcing, then takes the address, and what came with it, away.
pub(crate) fn stop(site: &Site<'_>) -> Result<()> {
    let sharing = sharing(site, site.find()?.as_ref());
    let _turn = sharing.as_ref().and_then(|(sharing, _)| sharing.turn_to_stop(site.context));
    if let Some((sharing, _)) = &sharing
        && sharing.stop(site.context)? == Rest::Others
    {
        // Another instance of the clone needs the address.
        return Ok(());
    }
    announcer::end(site.announcer.path(), &site.context.deadline)?;
    remove_all(site)?;
    if let Some((sharing, link)) = &sharing {
        sharing.clear(site.context, link.as_ref())?;
    }
    lvs::put_back(site)?;
    remove_address_label(site);
    if site.parameters.flush_routes {
        flush_routes();
    }
    site.file.remove()
}

/// The share in the address, as far as it can be told, and the interface that it would be on.
fn sharing(site: &Site<'_>, held: Option<&Held>) -> Option<(Sharing, Option<Link>)> {
    if let Some(held) = held {
        return site.share_in(held).map(|sharing| (sharing, Some(held.link.clone())));
    }
    let sharing = site.sharing(None, None, None)?;
    let Ok(place) = interface::find_place(&site.kernel, site.wanted) else {
        return Some((sharing, None));
    };
    let sharing = site.sharing(Some(place.prefix), place.broadcast, Some(&place.link))?;
    Some((sharing, Some(place.link)))
}

/// Takes the address away, wherever it is as it is wanted.
fn remove_all(site: &Site<'_>) -> Result<()> {
    for _ in 0..COPIES {
        let Some(Held { link, address }) = site.find()? else { break };
        interface::remove(&site.kernel, &link, &address).map_err(|refusal| {
            let what = format!("remove {}/{} from {}", address.ip, address.prefix, link.name);
            refusal.error(&what)
        })?;
    }
    Ok(())
}

/// The namespace is gone, and every address in it.
pub(crate) fn forget(context: &Context, parameters: &Parameters, wanted: &Wanted) -> Result<()> {
    let name = parameters.network_namespace.as_deref();
    announcer::end(record::file(context, wanted.ip, name, "announcer").path(), &context.deadline)?;
    record::file(context, wanted.ip, name, "record").remove()
}

/// Takes the label away by which the address is no source of connections.
fn remove_address_label(site: &Site<'_>) {
    let recorded = site.record.as_ref().and_then(|record| record.address_label);
    if let Some(label) = recorded.or_else(|| site.wanted.address_label(site.parameters))
        && let Err(refusal) = site.kernel.remove_address_label(site.wanted.ip, label)
    {
        tracing::warn!("cannot remove the address label of {}: {refusal}", site.wanted.ip);
    }
}

/// Since Linux 3.6 there is no cache to flush, but what hangs on the routes is looked up afresh.
fn flush_routes() {
    let flushed = fs::write("/proc/sys/net/ipv4/route/flush", "1\n");
    if let Err(error) = flushed {
        tracing::warn!("cannot flush the cache of routes: {}", ocf::error::describe(&error));
    }
}

/// What is still there.
pub(crate) fn leftovers(site: &Site<'_>) -> Result<Vec<String>> {
    let held = site.find()?;
    let mut left = Vec::new();
    if let Some((sharing, link)) = sharing(site, held.as_ref()) {
        let (rest, parts) = sharing.leftovers(site.context, link.as_ref())?;
        left = parts;
        if rest == Rest::Others {
            return Ok(left);
        }
    }
    if let Some(Held { link, address }) = held {
        left.push(format!("{}/{} on {}", address.ip, address.prefix, link.name));
    }
    if announcer::is_running(site.announcer.path())? {
        left.push("the process that announces it".to_owned());
    }
    if site.file.exists()? {
        left.push(site.file.path().display().to_string());
    }
    Ok(left)
}
