// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What unit tests share.

use std::fs;
use std::path::PathBuf;

/// A directory of a test's own, gone with it.
pub(crate) struct Tree(pub(crate) PathBuf);

impl Tree {
    /// With a name that no other test has.
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ocf-apache-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a file; `@` in its text becomes the directory.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text.replace('@', self.0.to_str().unwrap())).unwrap();
        path
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}
