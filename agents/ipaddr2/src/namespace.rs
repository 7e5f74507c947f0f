// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The network namespace that the address is in (setns(2), ip-netns(8)).

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};
use ocf::error::describe;
use ocf::{Error, Result};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// Where namespaces have names.
const NAMES: &str = "/run/netns";

/// Whether a namespace can have that name: it is one file's.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && name != "."
        && name != ".."
        && !name.contains(['/', '\0'])
}

/// Moves this process into the namespace of that name; `false` where there is none.
///
/// # Errors
/// When it is there and can't be entered.
pub(crate) fn enter(name: &str) -> Result<bool> {
    if !is_name(name) {
        return Ok(false);
    }
    let path = PathBuf::from(NAMES).join(name);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(cannot_enter(name, &error)),
    };
    match setns(file, CloneFlags::CLONE_NEWNET) {
        Ok(()) => Ok(true),
        // The name outlived the namespace: it is a plain file again.
        Err(Errno::EINVAL) => Ok(false),
        Err(errno) => Err(cannot_enter(name, &errno.into())),
    }
}

fn cannot_enter(name: &str, error: &io::Error) -> Error {
    let sentence = format!("cannot enter network namespace {name}: {}", describe(error));
    match error.kind() {
        io::ErrorKind::PermissionDenied => Error::permission(sentence + "; run it as root"),
        _ => Error::generic(sentence),
    }
}

/// The inode that tells this process's namespace from all others of this boot; 0 where /proc isn't there.
pub(crate) fn own() -> u64 {
    fs::metadata("/proc/self/ns/net").map_or(0, |found| found.ino())
}

/// Moves this process into the namespace of that inode, which lost its name, by way of a process that is
/// in it; `false` where there is none: then the namespace is gone, with its addresses.
pub(crate) fn enter_nameless(inode: u64) -> bool {
    let Ok(processes) = fs::read_dir("/proc") else { return false };
    let files = processes.flatten().map(|process| process.path().join("ns/net"));
    let mut same = files.filter(|file| fs::metadata(file).is_ok_and(|found| found.ino() == inode));
    same.any(|file| {
        File::open(file).is_ok_and(|file| setns(file, CloneFlags::CLONE_NEWNET).is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_files() {
        for name in ["", ".", "..", "a/b", "../x", "a\0b"] {
            assert!(!is_name(name), "{name:?}");
            assert_eq!(enter(name), Ok(false), "{name:?}");
        }
        assert!(is_name("blue") && is_name("a b"));
        assert_eq!(enter("no-such-namespace-of-a-test"), Ok(false));
        assert!(!enter_nameless(1));
        assert_ne!(own(), 0);
    }
}
