// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Several instances of one address on a node take turns: whoever starts or stops holds a file below /run
//! (flock(2)). The kernel lets go of it when its holder ends, however that ends.

use nix::fcntl::{AT_FDCWD, Flock, FlockArg, OFlag, openat};
use nix::sys::stat::{Mode, fstat};
use ocf::error::describe;
use ocf::{Context, Error, Result, tracing};
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The turn of this process; it ends with this value.
#[derive(Debug)]
pub(crate) struct Turn {
    path: PathBuf,
    _held: Flock<File>,
}

impl Turn {
    /// Waits for the turn, until the deadline. Where the file can't be made there are no turns: `None`.
    ///
    /// # Errors
    /// When it doesn't come in time.
    pub(crate) fn wait(context: &Context, path: &Path) -> Result<Option<Self>> {
        let mut held = None;
        let waited = context.wait_until(|| {
            held = try_to_hold(path)?;
            Ok(held.is_some())
        });
        match (waited, held) {
            (Ok(_), Some(held)) => Ok(Some(Self { path: path.to_owned(), _held: held })),
            (Ok(_), None) => {
                let path = path.display();
                let sentence = format!("{path} is held by another instance's start or stop");
                Err(Error::generic(sentence))
            }
            // As little as a full /run is a reason not to serve anybody.
            (Err(error), _) => {
                tracing::warn!("instances do not take turns: {}", error.reason);
                Ok(None)
            }
        }
    }
}

impl Drop for Turn {
    /// The file goes while it is held. Whoever waits for it sees that it isn't the one at the path any more.
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!("{}", cannot("remove", &self.path, &error).reason);
        }
    }
}

fn try_to_hold(path: &Path) -> Result<Option<Flock<File>>> {
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mode = Mode::S_IRUSR | Mode::S_IWUSR;
    let opened = openat(AT_FDCWD, path, flags, mode);
    let file = opened.map(File::from).map_err(|errno| cannot("open", path, &errno.into()))?;
    let held = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(held) => held,
        Err((_, nix::errno::Errno::EWOULDBLOCK | nix::errno::Errno::EINTR)) => return Ok(None),
        Err((_, errno)) => return Err(cannot("lock", path, &errno.into())),
    };
    let of_file = fstat(&*held).map_err(|errno| cannot("look at", path, &errno.into()))?;
    let is_same = fs::symlink_metadata(path)
        .is_ok_and(|found| found.ino() == of_file.st_ino && found.dev() == of_file.st_dev);
    Ok(is_same.then_some(held))
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::generic(format!("cannot {what} {}: {}", path.display(), describe(error)))
}
