// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Small files that remember something between actions. Right at every instant (a KILL may come at
//! any), private to root, and never written or read through a link somebody planted in their place.
//!
//! Only a regular file counts as one: a directory, a link or a socket in its place says nothing about
//! the resource, and is never removed or replaced.

use crate::error::{Error, Explain, Result};
use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::Mode;
use nix::unistd::{AccessFlags, access};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// The longest name of a state file, in bytes: the kernel allows 255, and an agent puts endings behind
/// it, as a write does.
const MAX_NAME: usize = 255 - ".serialized".len() - ".4194304.new".len();

/// A larger content than any of ours is refused.
const MAX_SIZE: u64 = 64 * 1024;

/// A file that remembers something between actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateFile {
    path: PathBuf,
}

impl StateFile {
    /// The file at a path; nothing is looked at yet.
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is there, as a regular file.
    ///
    /// # Errors
    /// When that can't be found out.
    pub fn exists(&self) -> Result<bool> {
        match fs::symlink_metadata(&self.path) {
            Ok(found) => Ok(found.file_type().is_file()),
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(error).explain("look at state file", &self.path),
        }
    }

    /// Its content, `None` where there is no such file.
    ///
    /// # Errors
    /// When it can't be read, or is larger than 64 KiB.
    pub fn read(&self) -> Result<Option<Vec<u8>>> {
        let size = match fs::symlink_metadata(&self.path) {
            Ok(found) if !found.file_type().is_file() => return Ok(None),
            // Most state files are empty: that they are there says it all.
            Ok(found) if found.len() == 0 => return Ok(Some(Vec::new())),
            Ok(found) => found.len().min(MAX_SIZE),
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(error).explain("look at state file", &self.path),
        };
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = match openat(AT_FDCWD, &self.path, flags, Mode::empty()) {
            Ok(fd) => File::from(fd),
            Err(nix::errno::Errno::ENOENT) => return Ok(None),
            Err(errno) => {
                return Err(errno.into()).explain("read state file", &self.path);
            }
        };
        let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or_default() + 1);
        file.take(MAX_SIZE + 1).read_to_end(&mut content).explain("read state file", &self.path)?;
        if content.len() as u64 > MAX_SIZE {
            let name = self.path.display();
            return Err(Error::generic(format!("{name} is no state file: it is too large")));
        }
        Ok(Some(content))
    }

    /// Puts a content in place, as a whole: written beside it under another name, then renamed.
    ///
    /// # Errors
    /// When the place holds something other than a file, or can't be written; what was there before
    /// is there still.
    pub fn write(&self, content: &[u8]) -> Result<()> {
        if let Ok(found) = fs::symlink_metadata(&self.path)
            && !found.file_type().is_file()
        {
            return Err(self.in_the_way(found.file_type()));
        }
        let new = self.new_name(std::process::id());
        let written = write_new(&new, content).and_then(|()| fs::rename(&new, &self.path));
        if written.is_err() {
            // The half-written file must not outlive the failure; its own failure adds nothing.
            let _gone = fs::remove_file(&new);
        }
        written.explain("write state file", &self.path)
    }

    /// Removes it, and what a killed write left beside it. Anything else in its place stays.
    ///
    /// # Errors
    /// When something of it can't be removed.
    pub fn remove(&self) -> Result<()> {
        // The file first: it must go even where its directory can't be listed.
        if self.exists()? {
            remove_part(&self.path)?;
        }
        self.find_parts()?.iter().try_for_each(|path| remove_part(path))
    }

    /// The file and the remains of killed writes, as far as they exist.
    ///
    /// # Errors
    /// When the directory can't be read.
    pub fn find_parts(&self) -> Result<Vec<PathBuf>> {
        let mut parts = Vec::new();
        if self.exists()? {
            parts.push(self.path.clone());
        }
        let Some(name) = self.path.file_name() else { return Ok(parts) };
        let directory = directory_of(&self.path);
        let prefix = [name.as_encoded_bytes(), b"."].concat();
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(parts),
            Err(error) => return Err(error).explain("list directory", directory),
        };
        for entry in entries {
            let entry = entry.explain("list directory", directory)?;
            let name = entry.file_name();
            let middle = name
                .as_encoded_bytes()
                .strip_prefix(prefix.as_slice())
                .and_then(|rest| rest.strip_suffix(b".new"));
            if middle.is_some_and(|pid| !pid.is_empty() && pid.iter().all(u8::is_ascii_digit)) {
                parts.push(entry.path());
            }
        }
        Ok(parts)
    }

    fn new_name(&self, pid: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{pid}.new"));
        PathBuf::from(name)
    }

    fn in_the_way(&self, found: fs::FileType) -> Error {
        let kind = match found {
            kind if kind.is_dir() => "a directory",
            kind if kind.is_symlink() => "a symbolic link",
            kind if kind.is_fifo() => "a FIFO",
            kind if kind.is_socket() => "a socket",
            _ => "a device",
        };
        Error::generic(format!("state file {} is {kind}: remove it", self.path.display()))
    }
}

/// Whether a file can be made at a path: its directory is there and writable.
///
/// # Errors
/// `args` (2), naming the directory.
pub fn check_directory_of(path: &Path) -> Result<()> {
    let directory = directory_of(path);
    let length = path.file_name().map_or(0, |name| name.as_encoded_bytes().len());
    if length > MAX_NAME {
        return Err(Error::args(format!("a file name of {length} bytes is too long: shorten it")));
    }
    if !directory.is_dir() {
        let name = directory.display();
        return Err(Error::args(format!("no directory {name} for {}: create it", path.display())));
    }
    access(directory, AccessFlags::W_OK | AccessFlags::X_OK).map_err(|errno| {
        let name = directory.display();
        Error::args(format!("directory {name} is not writable: {}", errno.desc().to_lowercase()))
    })
}

fn directory_of(path: &Path) -> &Path {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    directory.unwrap_or_else(|| Path::new("."))
}

/// What means "no such file": nothing is there, a directory in the path is missing or is none, or the
/// path is one that no file can have.
fn is_absent(error: &std::io::Error) -> bool {
    use nix::errno::Errno;
    let errno = error.raw_os_error().map(Errno::from_raw);
    matches!(errno, Some(Errno::ENOENT | Errno::ENOTDIR | Errno::ENAMETOOLONG | Errno::ELOOP))
}

fn remove_part(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if is_absent(&error) => Ok(()),
        other => other.explain("remove state file", path),
    }
}

fn write_new(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW;
    let open = || openat(AT_FDCWD, path, flags | OFlag::O_CLOEXEC, Mode::S_IRUSR | Mode::S_IWUSR);
    let fd = match open() {
        // A killed writer that had our pid left it: the name is ours now.
        Err(nix::errno::Errno::EEXIST) => {
            fs::remove_file(path)?;
            open()?
        }
        other => other?,
    };
    let mut file = File::from(fd);
    file.write_all(content)?;
    if content.is_empty() { Ok(()) } else { file.sync_data() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of its own for one test, removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("ocf-{name}-{}", std::process::id()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn file(&self) -> StateFile {
            StateFile::at(self.0.join("x.state"))
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            let mut names: Vec<String> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _gone = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn written_read_and_removed() {
        let scratch = Scratch::new("cycle");
        let file = scratch.file();
        assert_eq!(file.read().unwrap(), None);
        file.write(b"Promoted\n").unwrap();
        assert_eq!(file.read().unwrap().unwrap(), b"Promoted\n");
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &fs::metadata(file.path()).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
        file.remove().unwrap();
        file.remove().unwrap();
        assert!(scratch.names().is_empty());
    }

    #[test]
    fn a_planted_link_is_neither_followed_nor_replaced() {
        let scratch = Scratch::new("link");
        let victim = scratch.0.join("victim");
        fs::write(&victim, b"precious").unwrap();
        let file = scratch.file();
        std::os::unix::fs::symlink(&victim, file.path()).unwrap();
        assert!(!file.exists().unwrap());
        assert_eq!(file.read().unwrap(), None);
        let error = file.write(b"x").unwrap_err();
        assert!(error.reason.contains("is a symbolic link: remove it"), "{error}");
        file.remove().unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
        assert_eq!(scratch.names(), ["victim", "x.state"]);
    }

    #[test]
    fn remains_of_a_killed_write_are_found_and_removed_and_nothing_else_is() {
        let scratch = Scratch::new("remains");
        let file = scratch.file();
        for name in ["x.state.123.new", "x.state.serialized", "x.state.a.new", "y.state.1.new"] {
            fs::write(scratch.0.join(name), b"").unwrap();
        }
        file.write(b"").unwrap();
        assert_eq!(file.find_parts().unwrap().len(), 2);
        file.remove().unwrap();
        assert_eq!(scratch.names(), ["x.state.a.new", "x.state.serialized", "y.state.1.new"]);
    }

    #[test]
    fn a_path_that_no_file_can_have_is_absent() {
        let scratch = Scratch::new("long");
        let around = scratch.0.join("loop");
        std::os::unix::fs::symlink(&around, &around).unwrap();
        let long = "a".repeat(300);
        for path in [scratch.0.join(&long), around.join("x"), PathBuf::from("/a".repeat(3000))] {
            let file = StateFile::at(path.clone());
            assert!(!file.exists().unwrap());
            assert_eq!(file.read().unwrap(), None);
            file.remove().unwrap();
            file.write(b"").unwrap_err();
            let kind = check_directory_of(&path).unwrap_err().kind;
            assert_eq!(kind, crate::error::Kind::Args, "{}", path.display());
        }
        check_directory_of(&scratch.0.join("a".repeat(232))).unwrap();
    }

    #[test]
    fn a_directory_in_the_way_is_named() {
        let scratch = Scratch::new("directory");
        let file = scratch.file();
        fs::create_dir(file.path()).unwrap();
        let error = file.write(b"x").unwrap_err();
        assert!(error.reason.ends_with("is a directory: remove it"), "{error}");
        file.remove().unwrap();
        let missing = StateFile::at(scratch.0.join("none/x.state"));
        assert!(!missing.exists().unwrap());
        missing.remove().unwrap();
        assert!(missing.write(b"x").unwrap_err().reason.ends_with("no such file or directory"));
    }
}
