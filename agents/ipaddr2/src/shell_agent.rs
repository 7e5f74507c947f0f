// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the shell agent leaves below `HA_RSCTMP`, and reads there: a cluster may change its agents, either
//! way, while the address is up.

use crate::site::Site;
use crate::wire::shell_sender;
use ocf::{StateFile, tracing};

/// Where it remembers that it took the address from lo.
pub(crate) fn lo_file(site: &Site<'_>) -> StateFile {
    StateFile::at(site.context.directories.rsctmp.join(site.wanted.ip.to_string()))
}

/// Remembers that for it, in case it is the one that stops.
pub(crate) fn note_lo(site: &Site<'_>) {
    let line = format!("{} 32 255.255.255.255 lo\n", site.wanted.ip);
    if let Err(error) = lo_file(site).write(line.as_bytes()) {
        tracing::warn!("{error}");
    }
}

/// Ends what it still has announcing. That it goes on is no reason to keep the address.
pub(crate) fn end_announcing(site: &Site<'_>) {
    let (rsctmp, deadline) = (&site.context.directories.rsctmp, &site.context.deadline);
    if let Err(error) = shell_sender::end(rsctmp, site.wanted.ip, deadline) {
        tracing::warn!("{error}");
    }
}
