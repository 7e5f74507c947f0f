// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Patterns of file names in `Include`, and the files they mean, in the server's order.

use crate::pattern::matches;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// How deep directories are read that stand in an `Include`: the server's own bound.
const DEEPEST: usize = 20;

/// How long a path may be (path_resolution(7), PATH_MAX).
const LONGEST: usize = 4096;

/// The files that an `Include` of this absolute path means, in the order of their names: directories with
/// all that is in them, `*`, `?` and `[…]` in any part of the path. No more than `most` are looked at.
pub(super) fn find_files(path: &Path, most: usize) -> Vec<PathBuf> {
    // Nothing that is there has a longer name.
    if path.as_os_str().len() >= LONGEST {
        return Vec::new();
    }
    let mut found = vec![PathBuf::from("/")];
    for part in path.iter().filter(|part| *part != "/") {
        found = if is_pattern(part.as_bytes()) {
            found.iter().flat_map(|directory| matching(directory, part, most)).take(most).collect()
        } else {
            found.into_iter().map(|directory| directory.join(part)).collect()
        };
    }
    let mut files = Vec::new();
    for path in found {
        collect(path, 0, most, &mut files);
    }
    files
}

/// The file, or every file below the directory.
fn collect(path: PathBuf, depth: usize, most: usize, files: &mut Vec<PathBuf>) {
    if files.len() >= most {
        return;
    }
    if !path.is_dir() {
        files.push(path);
    } else if depth < DEEPEST {
        for path in sorted(&path, most, |_| true) {
            collect(path, depth + 1, most, files);
        }
    }
}

fn matching(directory: &Path, pattern: &OsStr, most: usize) -> Vec<PathBuf> {
    let pattern = pattern.as_bytes();
    // As in a shell, a dot at the front has to be written.
    let is_meant = |name: &[u8]| {
        (name.first() != Some(&b'.') || pattern.first() == Some(&b'.')) && matches(pattern, name)
    };
    sorted(directory, most, is_meant)
}

fn sorted(directory: &Path, most: usize, is_meant: impl Fn(&[u8]) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let meant = entries.filter(|entry| is_meant(entry.file_name().as_bytes()));
    let mut paths: Vec<_> =
        meant.map(|entry| entry.path().into_os_string().into_vec()).take(most).collect();
    paths.sort_unstable();
    paths.into_iter().map(|path| PathBuf::from(std::ffi::OsString::from_vec(path))).collect()
}

fn is_pattern(name: &[u8]) -> bool {
    let mut rest = name;
    while let Some((byte, behind)) = rest.split_first() {
        match byte {
            b'*' | b'?' => return true,
            b'[' if behind.contains(&b']') => return true,
            b'\\' => rest = behind.split_first().map_or(behind, |(_, behind)| behind),
            _ => rest = behind,
        }
    }
    false
}
