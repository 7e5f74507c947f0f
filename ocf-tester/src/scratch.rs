// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A private directory for one test, gone when the value is dropped, and programs to put there.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A new directory below the system's directory for temporary files, mode 0755 (an agent may run
/// as another user).
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Scratch {
    /// Makes the directory.
    ///
    /// # Errors
    /// When it can't be made; the message names its path.
    pub fn new(name: &str) -> io::Result<Self> {
        let parent = std::env::temp_dir();
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!("ocf-tester-{name}-{}-{number}", std::process::id()));
            // Never an existing one: somebody else may have planted it.
            match DirBuilder::new().mode(0o755).create(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(named(&path, &error)),
            }
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a directory below it (with its parents) and returns the path.
    ///
    /// # Errors
    /// When it can't be made; the message names its path.
    pub fn directory(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        fs::create_dir_all(&path).map_err(|error| named(&path, &error))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A directory that stays is a nuisance in /tmp, not a wrong result: nothing to report to.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Writes a file that can be run at once, mode 0755.
///
/// Written by another process: a file that this one had open for writing can't be executed as long as
/// a child, forked by another thread at that moment and not yet executing its program, holds a copy of
/// the descriptor (ETXTBSY, execve(2)).
///
/// # Errors
/// When it can't be written; the message names its path.
#[expect(clippy::disallowed_methods, reason = "cp, that this process never has the file open")]
pub fn executable(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".draft");
    let written = || {
        fs::write(&draft, content)?;
        let copied = Command::new("/bin/cp").arg("--").arg(&draft).arg(path).status()?;
        fs::remove_file(&draft)?;
        if !copied.success() {
            return Err(io::Error::other(format!("cp ended with {copied}")));
        }
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))
    };
    written().map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot make {}: {error}", path.display()))
}
