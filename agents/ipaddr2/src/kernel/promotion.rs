// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Deleting one IPv4 address and no other.
//!
//! The first address of a network on an interface is *primary*, later ones are *secondary*. When the primary
//! one goes, the kernel makes the next one primary only if the interface's `promote_secondaries` is 1.
//! Otherwise all of them go, whoever they belong to, and 0 is the kernel's default.
//!
//! So it is 1 while we delete, and what it was before afterwards. Adding the lost ones again would need no
//! setting, but there would be a time without them, and a KILL in that time would make it last. A KILL here
//! leaves the setting at 1, and nobody loses anything by that: systemd sets it on every interface.
//!
//! Two agents may do this at once. If one set it back while another deletes, addresses would go after all, so
//! each holds a lock on the setting's own file, which no KILL leaves behind.

use super::netlink::{Kernel, Refusal};
use super::{Assigned, Family};
use nix::fcntl::{Flock, FlockArg};
use nix::poll::{PollTimeout, poll};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// `IFA_F_SECONDARY` (linux/if_addr.h).
const SECONDARY: u32 = 0x01;

/// How long another's lock is waited for: it is held for microseconds, unless its holder is frozen.
const PATIENCE: Duration = Duration::from_secs(2);

impl Kernel {
    /// Deletes exactly this address with this prefix from an interface of this name, and no other; whether
    /// it was there.
    pub(crate) fn delete_alone(&self, name: &str, assigned: &Assigned) -> Result<bool, Refusal> {
        if matches!(assigned.ip, IpAddr::V6(_)) {
            return self.delete(assigned);
        }
        match Promotion::ensure(name) {
            Ok(promotion) => {
                let deleted = self.delete(assigned);
                promotion.restore();
                deleted
            }
            // /proc is read-only, or isn't there.
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
        for lost in before {
            if !is(&lost, assigned) && !after.iter().any(|left| is(left, &lost)) {
                // Which of them is the first one is for the kernel to say.
                self.add(&Assigned { flags: lost.flags & !SECONDARY, ..lost })?;
            }
        }
        Ok(true)
    }
}

/// An interface's setting, locked, and 1.
struct Promotion {
    file: Flock<File>,
    was_off: bool,
}

impl Promotion {
    fn ensure(name: &str) -> io::Result<Self> {
        let path = format!("/proc/sys/net/ipv4/conf/{name}/promote_secondaries");
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let mut file = lock(file)?;
        let mut value = String::new();
        file.read_to_string(&mut value)?;
        let was_off = value.trim() == "0";
        if was_off {
            file.rewind()?;
            file.write_all(b"1\n")?;
        }
        Ok(Self { file, was_off })
    }

    fn restore(mut self) {
        if self.was_off {
            // The interface may be gone; and 1 is the safe side.
            let _left = self.file.rewind().and_then(|()| self.file.write_all(b"0\n"));
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
