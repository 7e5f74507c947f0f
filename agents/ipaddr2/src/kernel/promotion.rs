// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Deleting one IPv4 address and no other.
//!
//! The first address of a network on an interface is *primary*, later ones are *secondary*. When the primary
//! one goes, the kernel makes the next one primary only if the interface's `promote_secondaries` is 1.
//! Otherwise all of them go, whoever they belong to, and 0 is the kernel's default.
//!
//! So where others may go along it is 1 while we delete, and what it was before afterwards. Adding the lost
//! ones again would need no setting, but there would be a time without them, and a KILL in that time would
//! make it last. A KILL here leaves the setting at 1, and nobody loses anything by that: systemd sets it on
//! every interface.
//!
//! Two agents may do this at once. If one set it back while another deletes, addresses would go after all, so
//! each holds a lock on the setting's own file, which no KILL leaves behind.

use super::netlink::{Kernel, Refusal};
use super::page::Page;
use super::{Assigned, Family, contains};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::libc::IFA_F_SECONDARY;
use nix::poll::{PollTimeout, poll};
use std::fs::{self, File};
use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// How long another's lock is waited for: it is held for microseconds, unless its holder is frozen.
const PATIENCE: Duration = Duration::from_secs(2);

impl Kernel {
    /// Deletes exactly this address with this prefix from an interface of this name, and no other; whether
    /// it was there.
    pub(crate) fn delete_alone(&self, name: &str, assigned: &Assigned) -> Result<bool, Refusal> {
        if matches!(assigned.ip, IpAddr::V6(_)) {
            return self.delete(assigned);
        }
        let mut setting = Setting::hold(name);
        let page = self.first_addresses(assigned.index).unwrap_or_default();
        if !may_take_others(assigned, &page) {
            return self.delete(assigned);
        }
        match setting.set() {
            Ok(()) => {
                let deleted = self.delete(assigned);
                setting.restore();
                deleted
            }
            // /proc/sys is read-only, or isn't there.
            Err(_) => self.delete_and_restore(assigned),
        }
    }

    /// Deletes an address, and adds those again that went with it.
    fn delete_and_restore(&self, assigned: &Assigned) -> Result<bool, Refusal> {
        let before = self.addresses(assigned.index, Family::V4)?;
        let deleted = self.delete(assigned)?;
        if !deleted {
            return Ok(false);
        }
        let after = self.addresses(assigned.index, Family::V4)?;
        let is =
            |one: &Assigned, other: &Assigned| one.ip == other.ip && one.prefix == other.prefix;
        let mut refusals = Vec::new();
        for lost in before {
            if !is(&lost, assigned) && !after.iter().any(|left| is(left, &lost)) {
                // Which of them is the first one is for the kernel to say.
                let added = self.add(&Assigned { flags: lost.flags & !IFA_F_SECONDARY, ..lost });
                refusals.extend(added.err().filter(|refusal| refusal.errno != Errno::EEXIST));
            }
        }
        refusals.into_iter().next().map_or(Ok(true), Err)
    }
}

/// Whether others may go with an address, as far as the first of them tell.
pub(super) fn may_take_others(assigned: &Assigned, page: &Page) -> bool {
    let (ip, prefix) = (assigned.ip, assigned.prefix);
    let itself = page.addresses.iter().find(|one| one.ip == ip && one.prefix == prefix);
    if itself.is_some_and(|one| one.has(IFA_F_SECONDARY)) {
        return false;
    }
    let is_near =
        |one: &Assigned| one.ip != ip && one.prefix == prefix && contains(ip, prefix, one.ip);
    !page.is_last || assigned.peer.is_some() || page.addresses.iter().any(is_near)
}

/// An interface's setting.
struct Setting {
    path: String,
    /// `None` where somebody is frozen who has it, or there is no such file.
    lock: Option<Flock<File>>,
    was_off: bool,
}

impl Setting {
    /// Locks it; a file that can't be written can be locked, too.
    fn hold(name: &str) -> Self {
        let path = format!("/proc/sys/net/ipv4/conf/{name}/promote_secondaries");
        let lock = File::open(&path).and_then(lock).ok();
        Self { path, lock, was_off: false }
    }

    /// Makes it 1.
    fn set(&mut self) -> io::Result<()> {
        if fs::read_to_string(&self.path)?.trim() == "0" {
            fs::write(&self.path, "1\n")?;
            self.was_off = true;
        }
        Ok(())
    }

    fn restore(self) {
        // Without the lock, another may be deleting now: then it stays.
        if self.was_off && self.lock.is_some() {
            // The interface may be gone; and 1 is the safe side.
            let _left = fs::write(&self.path, "0\n");
        }
    }
}

fn lock(mut file: File) -> io::Result<Flock<File>> {
    let since = Instant::now();
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(locked) => return Ok(locked),
            Err((_, errno)) if since.elapsed() > PATIENCE => return Err(errno.into()),
            Err((back, _)) => file = back,
        }
        // Nothing tells when it is free; this is a wait of a millisecond.
        let _over = poll(&mut [], PollTimeout::from(1_u8));
    }
}
