// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the shell agent leaves below `HA_RSCTMP`, and reads there: a cluster may change its agents, either
//! way, while the address is up.

use crate::site::Site;
use nix::sys::signal::Signal;
use ocf::process::Identity;
use ocf::{StateFile, tracing};
use std::fs;
use std::time::Duration;

/// The programs that announce for it.
const SENDERS: &[&str] = &["send_arp", "send_ua", "arping", "ipoibarping"];

/// How long one of them may take to end.
const PATIENCE: Duration = Duration::from_secs(1);

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

/// Ends what it still has announcing. The number in its file may be somebody else's by now: what has
/// another name is left alone.
pub(crate) fn end_announcing(site: &Site<'_>) {
    let name = format!("send_arp-{}", site.wanted.ip);
    let file = StateFile::at(site.context.directories.rsctmp.join(name));
    let Ok(Some(content)) = file.read() else { return };
    let number = std::str::from_utf8(&content).ok().and_then(|text| text.trim().parse().ok());
    if let Some(sender) = number.and_then(Identity::of).filter(is_sender) {
        match sender.signal(Signal::SIGKILL) {
            Ok(_) if sender.wait_gone(&site.context.deadline.within(PATIENCE)) => {}
            Ok(_) => tracing::warn!("process {} goes on announcing", sender.pid),
            Err(error) => tracing::warn!("{error}"),
        }
    }
    if let Err(error) = file.remove() {
        tracing::warn!("{error}");
    }
}

fn is_sender(process: &Identity) -> bool {
    let name = fs::read_to_string(format!("/proc/{}/comm", process.pid)).unwrap_or_default();
    SENDERS.contains(&name.trim_end())
}
