// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the kernel tells of a process, to whoever may ask.

use crate::envfile::Variables;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The most of a command line that is read.
const LONGEST_LINE: u64 = 256 * 1024;

/// A file as the kernel knows it: device and inode.
pub(crate) type FileId = (u64, u64);

/// A link of a process's.
pub(crate) enum Link {
    /// It leads there.
    To(Metadata),
    /// We mustn't see where: the process may do what we may not.
    Hidden,
    /// It leads nowhere, or the process is gone.
    Nowhere,
}

impl Link {
    /// The link there.
    pub(crate) fn at(path: &Path) -> Self {
        match fs::metadata(path) {
            Ok(found) => Self::To(found),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Self::Hidden,
            Err(_) => Self::Nowhere,
        }
    }

    /// Whether it leads to this one; `None` where we mustn't see that.
    pub(crate) fn is(&self, id: Option<FileId>) -> Option<bool> {
        match self {
            Self::To(found) => Some(Some((found.dev(), found.ino())) == id),
            Self::Hidden => None,
            Self::Nowhere => Some(false),
        }
    }
}

/// How many namespaces of processes a process is in, from where we see it. Everybody may read that.
pub(crate) fn depth_of(who: &str) -> Option<usize> {
    let text = fs::read(format!("/proc/{who}/status")).ok()?;
    let mut lines = text.split(|byte| *byte == b'\n');
    let numbers = lines.find_map(|line| line.strip_prefix(b"NSpid:"))?;
    let numbers = numbers.split(u8::is_ascii_whitespace).filter(|number| !number.is_empty());
    Some(numbers.count())
}

pub(crate) fn id_of(path: &Path) -> Option<FileId> {
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// The words of a command line; none when the process is gone.
pub(crate) fn words_of(pid: i32) -> Vec<OsString> {
    let mut line = Vec::new();
    let read = File::open(format!("/proc/{pid}/cmdline"))
        .and_then(|file| file.take(LONGEST_LINE).read_to_end(&mut line));
    if read.is_err() || line.is_empty() {
        return Vec::new();
    }
    if line.last() == Some(&0) {
        line.pop();
    }
    line.split(|byte| *byte == 0).map(|word| OsStr::from_bytes(word).to_owned()).collect()
}

/// The variables that a process was started with.
pub(crate) fn variables_of(pid: i32) -> Variables {
    let mut text = Vec::new();
    let read = File::open(format!("/proc/{pid}/environ"))
        .and_then(|file| file.take(LONGEST_LINE).read_to_end(&mut text));
    let lines = text.split(|byte| *byte == 0).filter(|_| read.is_ok());
    let pairs = lines.filter_map(|line| {
        let end = line.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (line.get(..end)?, line.get(end + 1..)?);
        Some((OsStr::from_bytes(name).to_owned(), OsStr::from_bytes(value).to_owned()))
    });
    pairs.collect()
}

/// Where a process was started: what its starter's shell said. A server itself goes to the root directory.
pub(crate) fn directory_of(variables: &Variables) -> PathBuf {
    let said = variables.get(OsStr::new("PWD")).map(PathBuf::from);
    said.filter(|path| path.is_absolute()).unwrap_or_else(|| PathBuf::from("/"))
}
