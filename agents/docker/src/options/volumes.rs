// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `--volume`, `--tmpfs` and `--volumes-from`.
//!
//! A bind stays text: the Engine makes a missing source directory for `Binds`, and none for `Mounts`.

use super::flags::{Flags, quoted, wrong};
use ocf::Result;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// What `-v` asks for.
#[derive(Debug, Default)]
pub(super) struct Volumes {
    pub(super) binds: Vec<String>,
    pub(super) anonymous: BTreeSet<String>,
}

/// Where a value leads to.
enum Volume {
    Bind(String),
    Anonymous,
}

/// Reads `--volume`; what was given twice counts once.
pub(super) fn read(flags: &Flags, warnings: &mut Vec<String>) -> Result<Volumes> {
    let mut volumes = Volumes::default();
    let mut seen = BTreeSet::new();
    for value in flags.many("volume").filter(|value| seen.insert(*value)) {
        match volume(value).map_err(|cause| wrong("volume", &cause))? {
            Volume::Bind(bind) => volumes.binds.push(bind),
            Volume::Anonymous => {
                if value.contains(':') {
                    let name = value.split(':').next().unwrap_or_default();
                    warnings.push(format!(
                        "run_opts: --volume: docker takes {name}: for a Windows drive and makes an \
                         anonymous volume of {}: give the volume a name of two letters or more",
                        quoted(value)
                    ));
                }
                volumes.anonymous.insert(value.to_owned());
            }
        }
    }
    Ok(volumes)
}

/// `--tmpfs`: a path, and its options after a colon.
pub(super) fn tmpfs(flags: &Flags) -> HashMap<String, String> {
    let split = |value: &str| {
        let (path, options) = value.split_once(':').unwrap_or((value, ""));
        (path.to_owned(), options.to_owned())
    };
    flags.many("tmpfs").map(split).collect()
}

fn volume(value: &str) -> Result<Volume, String> {
    if value.is_empty() {
        return Err("the value is empty".to_owned());
    }
    if value.len() <= 2 {
        return Ok(Volume::Anonymous);
    }
    let sections = sections(value);
    if sections.iter().any(String::is_empty) {
        return Err(format!("a part of {} is empty", quoted(value)));
    }
    match sections.as_slice() {
        [_] => Ok(Volume::Anonymous),
        [source, _] | [source, _, _] => Ok(Volume::Bind(bind(value, source))),
        _ => Err(format!("{} has too many colons", quoted(value))),
    }
}

/// Cuts at colons, but not at one behind a single letter, which the CLI takes for a Windows drive.
fn sections(value: &str) -> Vec<String> {
    let mut sections = vec![String::new()];
    for char in value.chars() {
        let Some(section) = sections.last_mut() else { break };
        let mut letters = section.chars();
        let is_drive = letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none();
        if char != ':' || is_drive {
            section.push(char);
        } else {
            sections.push(String::new());
        }
    }
    sections
}

/// A source like `./data` is made absolute, from where the agent runs.
fn bind(value: &str, source: &str) -> String {
    match value.split_once(':') {
        Some((source, rest)) if source.starts_with('.') => format!("{}:{rest}", absolute(source)),
        _ => {
            let _ = source;
            value.to_owned()
        }
    }
}

/// A path as seen from where this process runs, without `.` and `..`.
pub(super) fn absolute(path: &str) -> String {
    std::path::absolute(Path::new(path))
        .ok()
        .and_then(|path| path.to_str().map(clean))
        .unwrap_or_else(|| path.to_owned())
}

/// The shortest path that means the same, by its letters alone.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let is_absolute = path.starts_with('/');
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if is_absolute => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (is_absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}
