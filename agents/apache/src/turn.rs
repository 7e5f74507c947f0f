// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Starts of one instance take turns: whoever starts holds a file of the instance's below /run (flock(2)). It
//! is root's alone, so that nobody else can hold it. The kernel lets go of it when its holder ends, however
//! that ends; what a killed holder leaves, the next stop removes.

use crate::record;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, Flock, FlockArg, OFlag, openat};
use nix::sys::stat::Mode;
use ocf::error::describe;
use ocf::{Context, Error, Result, tracing};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The turn of this process; it ends with this value.
#[derive(Debug)]
pub(crate) struct Turn {
    path: PathBuf,
    _held: Flock<File>,
}

impl Turn {
    /// Waits until no other start of this instance is under way. Where there can't be such a file there are no
    /// turns: `None`.
    ///
    /// # Errors
    /// `generic` (1): another start doesn't end in time.
    pub(crate) fn wait(context: &Context) -> Result<Option<Self>> {
        record::ensure_directory(context);
        let (path, mut held) = (path(context), None);
        context.wait_until(|| {
            held = hold(&path, OFlag::O_CREAT).transpose();
            Ok(held.is_some())
        })?;
        match held {
            Some(Ok(held)) => Ok(Some(Self { path, _held: held })),
            Some(Err(error)) => {
                let (path, why) = (path.display(), describe(&error));
                // As little as a full /run is a reason not to serve anybody.
                tracing::warn!("starts of this server take no turns: cannot lock {path}: {why}");
                Ok(None)
            }
            None => {
                tracing::error!("{} is held by the other one", path.display());
                let reason = "another start of this server is under way: wait for its end";
                Err(Error::generic(reason))
            }
        }
    }
}

impl Drop for Turn {
    /// The file goes while it is held. Whoever waits for it sees that it isn't the one at the path any more.
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Removes what a start left that was killed. While another is under way the file is its own, and stays.
pub(crate) fn forget(context: &Context) {
    let path = path(context);
    if let Ok(Some(_held)) = hold(&path, OFlag::empty()) {
        remove(&path);
    }
}

fn path(context: &Context) -> PathBuf {
    context.directories.rsctmp.join(format!("apache-{}.turn", context.file_name()))
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!("cannot remove {}: {}", path.display(), describe(&error));
    }
}

/// Holds the file; `None` while somebody else does.
fn hold(path: &Path, more: OFlag) -> io::Result<Option<Flock<File>>> {
    let flags = OFlag::O_RDWR | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC | more;
    let mode = Mode::S_IRUSR | Mode::S_IWUSR;
    let file = File::from(openat(AT_FDCWD, path, flags, mode)?);
    let held = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(held) => held,
        Err((_, Errno::EWOULDBLOCK | Errno::EINTR)) => return Ok(None),
        Err((_, errno)) => return Err(errno.into()),
    };
    let of_file = held.metadata()?;
    let is_same = fs::symlink_metadata(path)
        .is_ok_and(|found| found.ino() == of_file.ino() && found.dev() == of_file.dev());
    Ok(is_same.then_some(held))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Tree;

    #[test]
    fn a_turn_is_held_by_one_and_leaves_nothing() {
        let tree = Tree::new("turn");
        let path = tree.0.join("turn");
        assert!(hold(&path, OFlag::empty()).is_err());
        let first = hold(&path, OFlag::O_CREAT).unwrap().unwrap();
        assert_eq!(first.metadata().unwrap().mode() & 0o777, 0o600);
        assert!(hold(&path, OFlag::O_CREAT).unwrap().is_none());
        // Its holder is killed: the file is there, and free.
        drop(first);
        let second =
            Turn { path: path.clone(), _held: hold(&path, OFlag::O_CREAT).unwrap().unwrap() };
        let late = File::open(&path).unwrap();
        drop(second);
        assert!(!path.exists());
        // Who waited has a file that isn't there any more.
        let stale = Flock::lock(late, FlockArg::LockExclusiveNonblock).unwrap();
        assert!(hold(&path, OFlag::O_CREAT).unwrap().is_some());
        drop(stale);
        std::os::unix::fs::symlink("/etc/passwd", tree.0.join("link")).unwrap();
        assert!(hold(&tree.0.join("link"), OFlag::O_CREAT).is_err());
    }
}
