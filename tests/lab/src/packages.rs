// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Our own packages, as `make deb` built them.

use crate::recipe::fnv1a;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// The agents, and the provider of their own.
pub const COLLECTION: &str = "ocf-agents";

/// Puts the agents in the place of Debian's packages of shell agents.
pub const STANDALONE: &str = "ocf-agents-standalone";

/// Takes the shell agents' names beside Debian's packages.
pub const NAMES: &str = "ocf-agents-names";

/// A directory with one version of our packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packages {
    directory: PathBuf,
    files: Vec<String>,
}

impl Packages {
    /// Finds them.
    ///
    /// # Errors
    /// The directory cannot be read, or one of them is missing or there twice.
    pub fn find(directory: &Path) -> Result<Self> {
        let directory = std::path::absolute(directory)
            .map_err(|e| Error::new(format!("no directory {}: {e}", directory.display())))?;
        let read = std::fs::read_dir(&directory)
            .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
            .map_err(|e| {
                let directory = directory.display();
                Error::new(format!("cannot read {directory}: {e}; 'make deb' builds our packages"))
            })?;
        let files = read.iter().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let packages = Self { directory, files: files.collect() };
        for name in [COLLECTION, STANDALONE, NAMES] {
            packages.file(name)?;
        }
        Ok(packages)
    }

    /// The file of one of them.
    ///
    /// # Errors
    /// It isn't there, or more than once.
    pub fn file(&self, name: &str) -> Result<PathBuf> {
        let is_one = |file: &&String| {
            let rest = file.strip_prefix(name).and_then(|rest| rest.strip_prefix('_'));
            rest.is_some_and(|rest| rest.ends_with(".deb"))
        };
        let found: Vec<_> = self.files.iter().filter(is_one).collect();
        let [file] = found.as_slice() else {
            return Err(Error::new(format!(
                "{} has {} packages {name}, not one; 'make deb' builds them",
                self.directory.display(),
                found.len()
            )));
        };
        Ok(self.directory.join(file))
    }

    /// Where they are on this host.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What stands for Debian's shell agents on a node: the collection and the standalone one.
    ///
    /// # Errors
    /// As [`Self::file`].
    pub fn for_node(&self) -> Result<[PathBuf; 2]> {
        Ok([self.file(COLLECTION)?, self.file(STANDALONE)?])
    }

    /// A hash of [`Self::for_node`].
    ///
    /// # Errors
    /// One of them cannot be read.
    pub fn hash(&self) -> Result<u64> {
        let read = |file: PathBuf| {
            std::fs::read(&file)
                .map_err(|e| Error::new(format!("cannot read {}: {e}", file.display())))
        };
        let [collection, standalone] = self.for_node()?;
        Ok(fnv1a(&[&read(collection)?, &read(standalone)?]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_doubled_package_is_named_with_the_remedy() {
        let packages = |files: &[&str]| Packages {
            directory: "/d".into(),
            files: files.iter().map(|file| (*file).to_owned()).collect(),
        };
        let one = packages(&["ocf-agents_1_amd64.deb", "ocf-agents-names_1_all.deb", "x"]);
        assert_eq!(one.file(COLLECTION), Ok("/d/ocf-agents_1_amd64.deb".into()));
        let missing = one.file(STANDALONE).expect_err("none is there").to_string();
        assert_eq!(
            missing,
            "/d has 0 packages ocf-agents-standalone, not one; 'make deb' builds them"
        );
        let two = packages(&["ocf-agents_1_amd64.deb", "ocf-agents_2_amd64.deb"]);
        assert!(two.file(COLLECTION).is_err());
    }
}
