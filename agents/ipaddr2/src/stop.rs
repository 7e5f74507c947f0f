// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Takes the address away. Whatever the tunables say, it acts on what is really there.

use crate::cluster::{Rest, Sharing};
use crate::interface::{self, Held};
use crate::kernel::Link;
use crate::site::Site;
use crate::wanted::Wanted;
use crate::wire::announcer;
use crate::{Parameters, lvs, record, shell_agent};
use ocf::{Context, Result, tracing};
use std::fs;
use std::time::Duration;

/// How long the announcer's end is waited for: it ends at once, or can't be ended.
const FOR_ANNOUNCER: Duration = Duration::from_secs(2);

/// How many copies are taken away, if somebody should add them as fast.
const COPIES: usize = 256;

/// Stops announcing, then takes the address, and what came with it, away.
pub(crate) fn stop(site: &Site<'_>) -> Result<()> {
    let sharing = sharing(site, site.find()?.as_ref());
    let _turn = sharing.as_ref().and_then(|(sharing, _)| sharing.turn_or_not(site.context));
    if let Some((sharing, _)) = &sharing
        && sharing.stop(site.context)? == Rest::Others
    {
        // Another instance of the clone needs the address.
        return Ok(());
    }
    let bound = site.context.deadline.within(FOR_ANNOUNCER);
    let silenced = announcer::end(site.announcer.path(), &bound);
    shell_agent::end_announcing(site);
    remove_all(site)?;
    // It looks before each packet, so it is silent without the address, too.
    silenced.unwrap_or_else(|error| tracing::warn!("{error}"));
    if let Some((sharing, link)) = &sharing {
        sharing.clear(site.context, link.as_ref())?;
    }
    let on_lo = lvs::put_back(site);
    remove_address_label(site);
    if site.parameters.flush_routes {
        flush_routes();
    }
    // A record without an address says nothing wrong, and a full or read-only /run is no reason to fence.
    site.file.remove().unwrap_or_else(|error| tracing::warn!("{error}"));
    on_lo
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
    site.share_at(&place).map(|sharing| (sharing, Some(place.link)))
}

/// Takes the address away where start put it, or else wherever it is as it is wanted.
fn remove_all(site: &Site<'_>) -> Result<()> {
    let place = site.find_as_recorded()?.map(|held| held.link.index);
    for _ in 0..COPIES {
        let found = place.map_or_else(|| site.find(), |index| site.find_on(index))?;
        let Some(held) = found else { break };
        remove(site, &held)?;
    }
    Ok(())
}

/// Takes one away.
pub(crate) fn remove(site: &Site<'_>, Held { link, address }: &Held) -> Result<()> {
    interface::remove(&site.kernel, address).map_err(|refusal| {
        let what = format!("remove {}/{} from {}", address.ip, address.prefix, link.name);
        refusal.error(&what)
    })
}

/// The namespace is gone, and every address in it.
pub(crate) fn forget(context: &Context, parameters: &Parameters, wanted: &Wanted) -> Result<()> {
    let name = parameters.network_namespace.as_deref();
    let nic = wanted.nic.as_deref();
    let announcer = record::file(context, wanted.ip, nic, name, "announcer");
    let silenced = announcer::end(announcer.path(), &context.deadline.within(FOR_ANNOUNCER));
    // Rules went with the namespace as addresses did.
    let forgotten = ["record", "sharing", "turn"]
        .map(|kind| record::file(context, wanted.ip, nic, name, kind).remove());
    for error in forgotten.into_iter().chain([silenced]).filter_map(Result::err) {
        tracing::warn!("{error}");
    }
    Ok(())
}

/// What is to go of an address, as far as a start's record tells it: that goes, too.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Due {
    /// The index of the interface on which the address is where start put it.
    place: Option<u32>,
    address_label: Option<u32>,
}

impl Due {
    /// Before a stop.
    ///
    /// # Errors
    /// When the kernel can't be asked.
    pub(crate) fn of(site: &Site<'_>) -> Result<Self> {
        let place = site.find_as_recorded()?.map(|held| held.link.index);
        Ok(Self { place, address_label: address_label(site) })
    }
}

/// The label by which the address is no source of connections, as start gave it, or would.
fn address_label(site: &Site<'_>) -> Option<u32> {
    let recorded = site.record.as_ref().and_then(|record| record.address_label);
    recorded.or_else(|| site.wanted.address_label(site.parameters))
}

/// Takes the label away by which the address is no source of connections.
fn remove_address_label(site: &Site<'_>) {
    if let Some(label) = address_label(site)
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

/// What is still there of what is due; of the address, on the interface where start had put it, if that is
/// known.
pub(crate) fn leftovers(site: &Site<'_>, due: Due) -> Result<Vec<String>> {
    let find = || due.place.map_or_else(|| site.find(), |index| site.find_on(index));
    let sharing = sharing(site, find()?.as_ref());
    // Another instance may be about to start: what it put there by now is no leftover of this one.
    let _turn = sharing.as_ref().and_then(|(sharing, _)| sharing.turn_or_not(site.context));
    let held = find()?;
    let mut left = Vec::new();
    if let Some((sharing, link)) = sharing {
        let (rest, parts) = sharing.leftovers(site.context, link.as_ref())?;
        left = parts;
        if rest == Rest::Others {
            return Ok(left);
        }
    }
    if let Some(Held { link, address }) = held {
        left.push(format!("{}/{} on {}", address.ip, address.prefix, link.name));
    }
    if let Some(label) = due.address_label {
        match site.kernel.find_address_label(site.wanted.ip) {
            Ok(found) if found != Some(label) => {}
            Ok(_) => left.push(format!("address label {label} of {}", site.wanted.ip)),
            Err(refusal) => left.push(format!("perhaps address label {label} ({refusal})")),
        }
    }
    if announcer::is_running(site.announcer.path()).unwrap_or_default() {
        left.push("the process that announces it".to_owned());
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Kernel;
    use crate::testing::{in_namespace, ip};
    use ocf::environment::Environment;
    use ocf::parameter::{Declared, Reader, Rigour};

    #[test]
    fn an_address_label_that_stays_is_told_of() {
        in_namespace(|| {
            let vip = "2001:db8::5";
            let variables = [
                ("OCF_RESOURCE_INSTANCE", "vip"),
                ("HA_RSCTMP", "/nonexistent"),
                ("OCF_RESKEY_ip", vip),
                ("OCF_RESKEY_lvs_ipv6_addrlabel", "true"),
            ];
            let environment: Environment = variables
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into_iter()
                .collect();
            let parameters =
                Parameters::read(&mut Reader::new(&environment, Rigour::Lenient)).unwrap();
            let context = Context::of("stop", Duration::from_secs(20), environment).unwrap();
            let wanted = Wanted::of(&parameters, &context).unwrap();
            let site = Site::enter(&context, &parameters, &wanted).unwrap().unwrap();
            let left = || leftovers(&site, Due::of(&site).unwrap()).unwrap();
            assert_eq!(left(), [""; 0]);
            for (label, expected) in [(99, 1), (7, 0)] {
                let kernel = Kernel::open().unwrap();
                kernel.add_address_label(vip.parse().unwrap(), label).unwrap();
                assert_eq!(left().len(), expected);
                ip(&format!("addrlabel del prefix {vip}/128 label {label}"));
            }
        });
    }
}
