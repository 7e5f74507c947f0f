// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Where an agent may leave something: the directories of its parameters and variables, and those
//! that everybody uses.

use crate::agent::Invocation;
use crate::kernel::{self, Object};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where any program may leave files.
const COMMON: &[&str] =
    &["/run", "/run/lock", "/run/resource-agents", "/tmp", "/var/tmp", "/dev/shm"];

/// Directories that are too big, or not the resource's own.
const NOT_OWN: &[&str] = &["/", "/etc", "/usr", "/var", "/dev", "/home", "/root", "/proc", "/sys"];

/// A file as far as it matters here: its kind and mode, size, and the time of its last change.
pub(crate) type Mark = (u32, u64, i64, i64);

/// What is there at one moment.
#[derive(Debug)]
pub(crate) struct Moment {
    /// In the resource's own directories.
    pub(crate) own: BTreeMap<PathBuf, Mark>,
    /// In the directories that everybody uses.
    pub(crate) common: BTreeMap<PathBuf, Mark>,
    /// In the kernel.
    pub(crate) objects: BTreeSet<Object>,
}

impl Moment {
    /// What is there now.
    pub(crate) fn now(call: &Invocation) -> Self {
        Self { own: own_files(call), common: common_files(), objects: kernel::objects() }
    }
}

/// The directories that the parameters and variables of the call name.
fn own(call: &Invocation) -> BTreeSet<PathBuf> {
    let environment = call.environment.iter();
    let named = environment.filter(|(name, value)| {
        let ours =
            name.as_bytes().starts_with(b"OCF_RESKEY_") || name.as_bytes().starts_with(b"HA_");
        ours && value.as_bytes().starts_with(b"/")
    });
    let directory = |path: &Path| {
        if path.is_dir() { Some(path.to_owned()) } else { path.parent().map(Path::to_owned) }
    };
    let is_own = |path: &PathBuf| {
        let common = COMMON.iter().chain(NOT_OWN).any(|other| path == Path::new(other));
        !common && !path.starts_with("/usr")
    };
    named.filter_map(|(_, value)| directory(Path::new(value))).filter(is_own).collect()
}

/// The files in the resource's own directories.
pub(crate) fn own_files(call: &Invocation) -> BTreeMap<PathBuf, Mark> {
    own(call).iter().flat_map(|directory| list(directory)).collect()
}

/// The files elsewhere that have the resource's name: likely its own.
pub(crate) fn named_files(call: &Invocation) -> BTreeMap<PathBuf, Mark> {
    let name = call.environment.get(OsStr::new("OCF_RESOURCE_INSTANCE"));
    let is_its =
        |path: &Path| name.is_some_and(|name| is_named(path.file_name().unwrap_or_default(), name));
    common_files().into_iter().filter(|(path, _)| is_its(path)).collect()
}

/// Those of the paths at which there is something.
pub(crate) fn there<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> BTreeMap<PathBuf, Mark> {
    paths.filter_map(|path| Some((path.clone(), mark(path)?))).collect()
}

/// Whether the name stands in the file's as a word of its own. One character says nothing.
fn is_named(file: &OsStr, name: &OsStr) -> bool {
    let (file, name) = (file.as_bytes(), name.as_bytes());
    let is_edge = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let stands_at = |at: usize| {
        let before = at.checked_sub(1).and_then(|at| file.get(at));
        file.get(at..at + name.len()) == Some(name)
            && is_edge(before)
            && is_edge(file.get(at + name.len()))
    };
    name.len() > 1 && (0..file.len()).any(stands_at)
}

/// The files in the directories that everybody uses, but those of testers like this one.
fn common_files() -> BTreeMap<PathBuf, Mark> {
    let all = COMMON.iter().flat_map(|directory| list(Path::new(directory)));
    all.filter(|(path, _)| {
        let name = path.file_name().unwrap_or_default();
        !name.as_bytes().starts_with(b"ocf-tester-")
    })
    .collect()
}

fn list(directory: &Path) -> Vec<(PathBuf, Mark)> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.path(), mark(&entry.path())?))).collect()
}

fn mark(path: &Path) -> Option<Mark> {
    let found = fs::symlink_metadata(path).ok()?;
    let size = if found.is_dir() { 0 } else { found.len() };
    Some((found.mode(), size, found.ctime(), found.ctime_nsec()))
}

/// A path whose directories aren't links; the file itself may be one, and needn't be there.
pub(crate) fn real(path: &Path) -> Option<PathBuf> {
    Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_resources_name_as_a_word() {
        for (file, name, wanted) in [
            ("Dummy-db.state", "db", true),
            ("db", "db", true),
            ("Dummy-db-lock", "db", true),
            ("Dummy-db2.state", "db", false),
            ("Dummy-adb.state", "db", false),
            ("adb-db", "db", true),
            ("x", "x", false),
            ("", "db", false),
        ] {
            assert_eq!(is_named(OsStr::new(file), OsStr::new(name)), wanted, "{file} {name}");
        }
    }
}
