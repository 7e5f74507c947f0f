// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The files of a directory tree: type, mode, size, and the beginning of what is in them.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// How much of a file's content is kept, in bytes.
const CONTENT_CAP: u64 = 4096;

/// One file, directory, link, socket…
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is: `file`, `directory`, `link`, `fifo`, `socket` or `device`.
    pub kind: &'static str,
    /// The permission bits.
    pub mode: u32,
    /// The size in bytes; 0 for a directory, whose size says nothing.
    pub size: u64,
    /// The first 4 KiB of a file, or where a link points.
    pub content: Vec<u8>,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, mode {:04o}", self.kind, self.mode)?;
        match self.kind {
            "link" => write!(f, ", to {}", String::from_utf8_lossy(&self.content)),
            "file" if self.size == 0 => f.write_str(", empty"),
            "file" => write!(f, ", {} bytes: {}", self.size, show_content(&self.content)),
            _ => Ok(()),
        }
    }
}

/// Content on one line, not too long.
pub(crate) fn show_content(content: &[u8]) -> String {
    const SHOWN: usize = 60;
    let text = String::from_utf8_lossy(content);
    let mut shown: String = text.escape_debug().take(SHOWN).collect();
    if text.chars().count() > SHOWN {
        shown.push('…');
    }
    format!("\"{shown}\"")
}

/// Adds a directory and everything below it. What vanishes while it is read isn't there.
pub(super) fn read_tree(root: &Path, found: &mut BTreeMap<PathBuf, Entry>) -> io::Result<()> {
    let mut waiting = vec![root.to_owned()];
    while let Some(path) = waiting.pop() {
        let Some(metadata) = unless_gone(&path, fs::symlink_metadata(&path))? else { continue };
        if metadata.is_dir() {
            let Some(entries) = unless_gone(&path, fs::read_dir(&path))? else { continue };
            for entry in entries {
                if let Some(entry) = unless_gone(&path, entry)? {
                    waiting.push(entry.path());
                }
            }
        }
        found.insert(path.clone(), describe(&path, &metadata));
    }
    Ok(())
}

fn unless_gone<T>(path: &Path, result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(io::Error::new(error.kind(), format!("cannot look at {}: {error}", path.display())))
        }
    }
}

fn describe(path: &Path, metadata: &Metadata) -> Entry {
    let kind = metadata.file_type();
    let (kind, content) = if kind.is_dir() {
        ("directory", Vec::new())
    } else if kind.is_symlink() {
        let target = fs::read_link(path).unwrap_or_default();
        ("link", target.as_os_str().as_bytes().to_vec())
    } else if kind.is_fifo() {
        ("fifo", Vec::new())
    } else if kind.is_socket() {
        ("socket", Vec::new())
    } else if kind.is_file() {
        ("file", beginning(path).unwrap_or_default())
    } else {
        ("device", Vec::new())
    };
    let size = if metadata.is_dir() { 0 } else { metadata.len() };
    Entry { kind, mode: metadata.mode() & 0o7777, size, content }
}

fn beginning(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(CONTENT_CAP).read_to_end(&mut content)?;
    Ok(content)
}
