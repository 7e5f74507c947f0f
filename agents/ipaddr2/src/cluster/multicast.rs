// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The hardware addresses of groups that an interface takes frames for, beside those that the kernel itself
//! put there (ip-maddress(8)).

use super::Mac;
use crate::kernel::Link;
use nix::errno::Errno;
use ocf::error::describe;
use ocf::{Error, Explain, Result};
use std::fs;
use std::path::Path;

/// Where the kernel lists them, for the namespace that this thread is in.
const LIST: &str = "/proc/thread-self/net/dev_mcast";

/// Whether somebody asked for that one.
///
/// # Errors
/// When the kernel doesn't say.
pub(crate) fn is_taken(link: &Link, mac: &Mac) -> Result<bool> {
    let list = fs::read_to_string(LIST).explain("read", Path::new(LIST))?;
    Ok(list.lines().any(|line| is_it(line, link.index, mac)))
}

/// A line has the interface's index and name, how many want the address, how many of them aren't the
/// kernel, and the address.
fn is_it(line: &str, index: u32, mac: &Mac) -> bool {
    let mut words = line.split_ascii_whitespace();
    let is_link = words.next().and_then(|word| word.parse().ok()) == Some(index);
    let is_asked_for = words.nth(2).is_some_and(|users| users != "0");
    let address: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    is_link && is_asked_for && words.next() == Some(&address)
}

/// Asks for it; nothing changes where it was asked for already.
///
/// # Errors
/// When the interface can't.
pub(crate) fn take(link: &Link, mac: &Mac) -> Result<()> {
    crate::sys::add_multicast(&link.name, mac).map_err(|errno| {
        let (mac, name) = (crate::kernel::Mac(mac), &link.name);
        let why = describe(&errno.into());
        Error::generic(format!("cannot have {name} take frames to {mac}: {why}"))
    })
}

/// Asks for it no longer, if it was asked for.
///
/// # Errors
/// When the interface refuses.
pub(crate) fn leave(name: &str, mac: &Mac) -> Result<()> {
    match crate::sys::delete_multicast(name, mac) {
        Ok(()) | Err(Errno::ENOENT | Errno::ENODEV | Errno::ENXIO) => Ok(()),
        Err(errno) => {
            let mac = crate::kernel::Mac(mac);
            let why = describe(&errno.into());
            Err(Error::generic(format!("cannot stop {name} taking frames to {mac}: {why}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_somebody_asked_for_on_that_interface_counts() {
        let mac = [3, 4, 0, 0x0a, 0, 1];
        assert!(is_it("3    v0              1     1     0304000a0001", 3, &mac));
        for line in [
            "3    v0              1     0     0304000a0001",
            "13   v0              1     1     0304000a0001",
            "3    v0              1     1     0304000a0002",
            "3    v0              1     1     0304000a000122",
            "3    v0",
            "",
        ] {
            assert!(!is_it(line, 3, &mac), "{line}");
        }
    }
}
