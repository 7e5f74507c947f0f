// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The environment an agent was called with: read from the process once, and from a recording in
//! tests. Nothing else in the project asks the process for it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// A file to append to, private to root; never through a link somebody planted, and without waiting for
/// the reader of a FIFO, who may never come.
pub(crate) fn open_to_append(path: &Path) -> io::Result<File> {
    File::options()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK)
        .open(path)
}

/// Names and values, as bytes: nothing outside is promised to be UTF-8.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment(Vec<(OsString, OsString)>);

impl Environment {
    /// The process's own.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
    pub fn of_process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// The value of a name, also when it is empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_os_str())
    }

    /// The value of a name where it is set and not empty.
    #[must_use]
    pub fn filled(&self, name: &str) -> Option<&OsStr> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// The same as text; bytes that are no UTF-8 count as unset.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.filled(name).and_then(OsStr::to_str)
    }

    /// A resource meta attribute, `OCF_RESKEY_CRM_meta_<name>`.
    #[must_use]
    pub fn meta(&self, name: &str) -> Option<&str> {
        self.with_prefix("OCF_RESKEY_CRM_meta_", name).and_then(OsStr::to_str)
    }

    /// The raw value of an instance parameter, `OCF_RESKEY_<name>`, also when it is empty.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&OsStr> {
        self.with_prefix("OCF_RESKEY_", name)
    }

    fn with_prefix(&self, prefix: &str, name: &str) -> Option<&OsStr> {
        let wanted = |key: &OsString| {
            let key = key.as_encoded_bytes();
            key.strip_prefix(prefix.as_bytes()) == Some(name.as_bytes())
        };
        self.0.iter().find(|(key, _)| wanted(key)).map(|(_, value)| value.as_os_str())
    }

    /// Appends everything, sorted, to a file below a title line: what the test agents offer for
    /// finding out what a manager passes. The parameters named `secrets` are left out.
    ///
    /// # Errors
    /// When it can't be written, or is anything but a regular file.
    pub fn append_to(&self, path: &Path, title: &str, secrets: &[&str]) -> io::Result<()> {
        let is_secret = |name: &OsStr| {
            let name = name.to_str().and_then(|name| name.strip_prefix("OCF_RESKEY_"));
            name.is_some_and(|name| secrets.contains(&name))
        };
        let mut lines: Vec<Vec<u8>> = self
            .iter()
            .filter(|(name, _)| !is_secret(name))
            .map(|(name, value)| {
                [name.as_encoded_bytes(), b"=", value.as_encoded_bytes(), b"\n"].concat()
            })
            .collect();
        lines.sort();
        let seconds = std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
        let title = format!("### {title} @ {seconds} ###\n");
        let text = [title.as_bytes(), &lines.concat(), b"###\n"].concat();
        let mut file = open_to_append(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        file.write_all(&text)
    }

    /// Every name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().map(|(key, value)| (key.as_os_str(), value.as_os_str()))
    }
}

impl<K: Into<OsString>, V: Into<OsString>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}
