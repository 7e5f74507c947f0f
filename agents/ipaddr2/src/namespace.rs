// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The network namespace that the address is in (setns(2), ip-netns(8)).

use crate::sys;
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

/// The file of this thread's.
const OWN: &str = "/proc/thread-self/ns/net";

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

/// What tells one namespace of this boot from all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The inode of its file; 0 where /proc isn't there. When a namespace is gone, another one gets it.
    pub(crate) inode: u64,
    /// The number that no other one ever gets (`SO_NETNS_COOKIE`); `None` before Linux 5.14.
    pub(crate) cookie: Option<u64>,
}

impl Identity {
    /// That of the namespace which this thread is in.
    pub(crate) fn own() -> Self {
        Self { inode: own_inode(), cookie: sys::namespace_cookie().ok() }
    }

    /// Whether it is that of the namespace which this thread is in.
    pub(crate) fn is_own(&self) -> bool {
        match (self.cookie, sys::namespace_cookie()) {
            (Some(cookie), Ok(own)) => cookie == own,
            // It was remembered by an earlier version, or the kernel has no such number.
            _ => self.inode == own_inode(),
        }
    }

    /// Moves this thread into that namespace, whatever its name is now: by that, or by way of a process in
    /// it; `false` where there is neither. Then it is gone with its addresses, as far as can be known: by
    /// the inode alone it would be anybody's.
    pub(crate) fn enter(&self) -> bool {
        let (Some(_), Ok(before)) = (self.cookie, File::open(OWN)) else { return false };
        let list = |directory: &str| fs::read_dir(directory).into_iter().flatten().flatten();
        let names = list(NAMES).map(|name| name.path());
        let processes = list("/proc").map(|process| process.path().join("ns/net"));
        let has_inode =
            |file: &PathBuf| fs::metadata(file).is_ok_and(|found| found.ino() == self.inode);
        for file in names.chain(processes).filter(has_inode) {
            let entered = File::open(file).map_err(|_| Errno::ENOENT);
            let entered = entered.and_then(|file| setns(file, CloneFlags::CLONE_NEWNET));
            if entered.is_ok() && self.is_own() {
                return true;
            }
        }
        // Nobody acts here before the namespace of the name is entered again.
        let _back = setns(before, CloneFlags::CLONE_NEWNET);
        false
    }
}

fn own_inode() -> u64 {
    fs::metadata(OWN).map_or(0, |found| found.ino())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::in_namespace;

    #[test]
    fn a_name_is_one_files() {
        for name in ["", ".", "..", "a/b", "../x", "a\0b"] {
            assert!(!is_name(name), "{name:?}");
            assert_eq!(enter(name), Ok(false), "{name:?}");
        }
        assert!(is_name("blue") && is_name("a b"));
        assert_eq!(enter("no-such-namespace-of-a-test"), Ok(false));
    }

    #[test]
    fn another_namespace_with_the_same_inode_is_not_entered() {
        let outside = Identity::own();
        assert_ne!(outside.inode, 0);
        assert!(outside.cookie.is_some(), "a kernel since 5.14");
        in_namespace(move || {
            let own = Identity::own();
            assert!(own.is_own() && !outside.is_own());
            let reused = Identity { inode: outside.inode, ..own };
            let unknown = Identity { cookie: None, ..outside };
            for other in [reused, unknown, Identity { inode: 1, ..outside }] {
                assert!(!other.enter(), "{other:?}");
                assert_eq!(Identity::own(), own);
            }
            // Every process of the host is in it.
            assert!(outside.enter());
            assert_eq!(Identity::own(), outside);
        });
    }
}
