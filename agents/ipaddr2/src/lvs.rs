// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A real server of a Linux Virtual Server has the virtual address on its loopback interface. While it is
//! the director too, the address is on the outer interface; afterwards it goes back.

use crate::kernel::{Assigned, Family, Link};
use crate::record::OnLo;
use crate::shell_agent;
use crate::site::Site;
use ocf::{Error, Result, tracing};
use std::net::Ipv4Addr;

/// The loopback interface.
const LO: &str = "lo";

/// How the shell agent puts an address back.
const BY_SHELL: OnLo = OnLo { scope: 0, broadcast: Some(Ipv4Addr::BROADCAST) };

/// The loopback interface, with the address if it is there as a host's address.
fn find(site: &Site<'_>) -> Result<Option<(Link, Option<Assigned>)>> {
    let Some(link) = site.kernel.find_link(LO)? else { return Ok(None) };
    let all = site.kernel.addresses(link.index, Family::V4)?;
    let address = all.into_iter().find(|one| one.ip == site.wanted.ip && one.prefix == 32);
    Ok(Some((link, address)))
}

/// How the address waits on lo, if it does: as a start before this one saw it, or as it is.
pub(crate) fn waiting(site: &Site<'_>) -> Result<Option<OnLo>> {
    if !site.parameters.lvs_support || site.wanted.ip.is_ipv6() {
        return Ok(None);
    }
    if let Some(before) = site.record.as_ref().and_then(|record| record.on_lo) {
        return Ok(Some(before));
    }
    let found = find(site)?.and_then(|(_, address)| address);
    Ok(found.map(|Assigned { scope, broadcast, .. }| OnLo { scope, broadcast }))
}

/// Takes the address from lo, where it waited.
pub(crate) fn take(site: &Site<'_>) -> Result<()> {
    if waiting(site)?.is_none() {
        return Ok(());
    }
    shell_agent::note_lo(site);
    if let Some((_, Some(address))) = find(site)? {
        let done = site.kernel.delete(&address);
        done.map_err(|refusal| refusal.error(&format!("take {} from lo", site.wanted.ip)))?;
    }
    Ok(())
}

/// Puts the address back on lo, where start took it from there.
pub(crate) fn put_back(site: &Site<'_>) -> Result<()> {
    let shell = shell_agent::lo_file(site);
    let by_shell = || site.parameters.lvs_support && shell.exists().unwrap_or(false);
    let recorded = site.record.as_ref().and_then(|record| record.on_lo);
    let Some(OnLo { scope, broadcast }) = recorded.or_else(|| by_shell().then_some(BY_SHELL))
    else {
        return Ok(());
    };
    let there = find(site)?;
    let Some((link, None)) = there else { return shell.remove() };
    let address = Assigned {
        index: link.index,
        ip: site.wanted.ip,
        prefix: 32,
        peer: None,
        broadcast,
        label: Some(LO.to_owned()),
        flags: 0,
        scope,
        preferred: None,
        valid: None,
        metric: None,
    };
    if let Err(refusal) = site.kernel.add(&address) {
        return Err(Error::generic(format!(
            "cannot put {} back on lo: {refusal}; add it by hand",
            site.wanted.ip
        )));
    }
    tracing::info!("{} is back on lo", site.wanted.ip);
    shell.remove()
}
