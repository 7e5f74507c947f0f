// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Patterns of file names in `Include`, and the files they mean, in the server's order.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// How deep directories are read that stand in an `Include`: the server's own bound.
const DEEPEST: usize = 20;

/// The most files that one `Include` may mean.
const MOST: usize = 10_000;

/// The files that an `Include` of this absolute path means, in the order of their names: directories with
/// all that is in them, `*`, `?` and `[…]` in any part of the path.
pub(super) fn find_files(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("/")];
    for part in path.iter().filter(|part| *part != "/") {
        found = if is_pattern(part.as_bytes()) {
            found.iter().flat_map(|directory| matching(directory, part)).take(MOST).collect()
        } else {
            found.into_iter().map(|directory| directory.join(part)).collect()
        };
    }
    let mut files = Vec::new();
    for path in found {
        collect(path, 0, &mut files);
    }
    files
}

/// The file, or every file below the directory.
fn collect(path: PathBuf, depth: usize, files: &mut Vec<PathBuf>) {
    if files.len() >= MOST {
        return;
    }
    if !path.is_dir() {
        files.push(path);
    } else if depth < DEEPEST {
        for path in sorted(&path, |_| true) {
            collect(path, depth + 1, files);
        }
    }
}

fn matching(directory: &Path, pattern: &OsStr) -> Vec<PathBuf> {
    let pattern = pattern.as_bytes();
    // As in a shell, a dot at the front has to be written.
    let is_meant = |name: &[u8]| {
        (name.first() != Some(&b'.') || pattern.first() == Some(&b'.')) && matches(pattern, name)
    };
    sorted(directory, is_meant)
}

fn sorted(directory: &Path, is_meant: impl Fn(&[u8]) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let meant = entries.filter(|entry| is_meant(entry.file_name().as_bytes()));
    let mut paths: Vec<_> =
        meant.map(|entry| entry.path().into_os_string().into_vec()).take(MOST).collect();
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

/// Whether a name is one of those that a pattern means (fnmatch(3)).
pub(super) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut pattern, mut name) = (pattern, name);
    // Where the last star stands, and how much of the name it takes for now.
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        if let Some((b'*', behind)) = pattern.split_first() {
            star = Some((behind, name));
            pattern = behind;
            continue;
        }
        let Some((byte, rest)) = name.split_first() else {
            return pattern.is_empty();
        };
        if let Some(behind) = matches_one(pattern, *byte) {
            (pattern, name) = (behind, rest);
        } else if let Some((behind, (_, longer))) =
            star.and_then(|(behind, from)| Some((behind, from.split_first()?)))
        {
            star = Some((behind, longer));
            (pattern, name) = (behind, longer);
        } else {
            return false;
        }
    }
}

/// What of the pattern is left where its first item means the byte.
fn matches_one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    match pattern.split_first()? {
        (b'?', behind) => Some(behind),
        (b'[', behind) if behind.contains(&b']') => matches_class(behind, byte),
        (b'\\', behind) if !behind.is_empty() => {
            behind.split_first().filter(|(next, _)| **next == byte).map(|(_, behind)| behind)
        }
        (letter, behind) => (*letter == byte).then_some(behind),
    }
}

/// The same for a class, from behind its bracket on.
fn matches_class(class: &[u8], byte: u8) -> Option<&[u8]> {
    let inverted = class.strip_prefix(b"!").or_else(|| class.strip_prefix(b"^"));
    let mut rest = inverted.unwrap_or(class);
    let mut is_in = false;
    let mut is_first = true;
    while let Some((low, behind)) = rest.split_first() {
        if *low == b']' && !is_first {
            return (is_in != inverted.is_some()).then_some(behind);
        }
        is_first = false;
        if let Some((high, behind)) = behind
            .strip_prefix(b"-")
            .and_then(<[u8]>::split_first)
            .filter(|(high, _)| **high != b']')
        {
            is_in |= (*low..=*high).contains(&byte);
            rest = behind;
        } else {
            is_in |= *low == byte;
            rest = behind;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_the_server() {
        let cases = [
            ("*.conf", "a.conf", true),
            ("*.conf", ".conf", true),
            ("*.conf", "a.conf.bak", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("?", "", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]x]", "]", true),
            ("[a", "[a", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("***************************a", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}
