// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Makes changed tunables effective while the address stays.

use crate::kernel::Assigned;
use crate::record::Record;
use crate::site::Site;
use crate::start;
use ocf::{Error, Result, tracing};

/// Applies what can be changed: the lifetime, the address label, and how the network is told.
pub(crate) fn reload(site: &Site<'_>) -> Result<()> {
    let Some(held) = site.find()? else {
        return Err(Error::not_running(format!("{} is not there", site.wanted.name())));
    };
    if site.wanted.ip.is_ipv6() {
        prefer(site, &held.address)?;
        relabel(site)?;
    }
    if let Some(record) = &site.record {
        let address_label = site.wanted.address_label(site.parameters);
        let written = Record { address_label, ..record.clone() }.write(&site.file);
        written.unwrap_or_else(|error| tracing::warn!("{error}"));
    }
    start::tell(site, &held);
    Ok(())
}

/// How long new connections may have it as their source.
fn prefer(site: &Site<'_>, address: &Assigned) -> Result<()> {
    let changed = Assigned { preferred: start::preferred(site), valid: None, ..address.clone() };
    site.kernel
        .replace(&changed)
        .map_err(|refusal| refusal.error(&format!("change the lifetime of {}", address.ip)))
}

/// The address label that is asked for now, and no other.
fn relabel(site: &Site<'_>) -> Result<()> {
    let ip = site.wanted.ip;
    let asked = site.wanted.address_label(site.parameters);
    let before = site.record.as_ref().and_then(|record| record.address_label);
    let failed = |verb: &str| format!("{verb} the address label of {ip}");
    if let Some(label) = before.filter(|label| asked != Some(*label)) {
        let done = site.kernel.remove_address_label(ip, label);
        done.map_err(|refusal| refusal.error(&failed("remove")))?;
    }
    if let Some(label) = asked {
        let done = site.kernel.add_address_label(ip, label);
        done.map_err(|refusal| refusal.error(&failed("add")))?;
    }
    Ok(())
}
