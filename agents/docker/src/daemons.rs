// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The Engines that run on this host: where each keeps its data, and where it listens. Another
//! Engine's container must never be taken for ours, whatever its name.

use crate::processes::{all, words_of};
use ocf::Result;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Where an Engine keeps its data, and listens, unless it is told otherwise.
const ROOT: &str = "/var/lib/docker";
const SOCKETS: &[&str] = &["/var/run/docker.sock", "/run/docker.sock"];
const CONFIGURATION: &str = "/etc/docker/daemon.json";

/// An Engine that runs.
#[derive(Debug)]
pub(crate) struct Daemon {
    root: PathBuf,
    hosts: Vec<String>,
}

impl Daemon {
    /// Whether it keeps its containers' directories there.
    pub(crate) fn keeps(&self, containers: &Path) -> bool {
        let Some(root) = containers.parent() else { return false };
        // With a user namespace of its own it keeps all of it in `<uid>.<gid>`. Not just anywhere below:
        // that may be another Engine's.
        let is_remapped = || {
            let name = root.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.split_once('.').is_some_and(|(user, group)| {
                user.parse::<u32>().is_ok() && group.parse::<u32>().is_ok()
            })
        };
        root == self.root || (root.parent() == Some(&self.root) && is_remapped())
    }

    /// Where they are.
    pub(crate) fn containers(&self) -> PathBuf {
        self.root.join("containers")
    }

    /// Whether it listens on a socket. systemd hands over the usual one as `fd://`.
    pub(crate) fn listens_on(&self, socket: &Path) -> bool {
        self.hosts.iter().any(|host| match host.strip_prefix("unix://") {
            Some(path) => is_same(Path::new(path), socket),
            None => host.starts_with("fd://") && is_usual(socket),
        })
    }
}

/// Whether a socket is the one that an Engine listens on unless it is told otherwise.
pub(crate) fn is_usual(socket: &Path) -> bool {
    SOCKETS.iter().any(|usual| is_same(Path::new(usual), socket))
}

/// Where the Engine of the usual socket keeps the directories of its containers.
pub(crate) fn usual_containers() -> PathBuf {
    root_of(&[], &configuration(Path::new(CONFIGURATION))).join("containers")
}

/// Whether two paths, one of which may be relative to where we are, lead to one socket.
fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| std::path::absolute(path).ok()?.parent()?.canonicalize().ok();
    let is_in_one_place = || real(one).is_some_and(|place| Some(place) == real(other));
    one == other || (one.file_name() == other.file_name() && is_in_one_place())
}

/// Every Engine that runs.
///
/// # Errors
/// When the processes can't be looked at.
pub(crate) fn running() -> Result<Vec<Daemon>> {
    let mut found = Vec::new();
    for pid in all()? {
        let words = words_of(pid)?;
        let program = words.first().map(Path::new).and_then(Path::file_name);
        if program.is_some_and(|name| name == "dockerd") {
            found.push(daemon(&words));
        }
    }
    Ok(found)
}

fn daemon(words: &[String]) -> Daemon {
    let file = values(words, &["--config-file"]).pop();
    let file = file.unwrap_or_else(|| CONFIGURATION.to_owned());
    let configuration = configuration(Path::new(&file));
    let mut hosts = values(words, &["-H", "--host"]);
    let listed = configuration.get("hosts").and_then(Value::as_array);
    hosts.extend(listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
    if hosts.is_empty() {
        hosts.extend(SOCKETS.iter().map(|path| format!("unix://{path}")));
    }
    Daemon { root: root_of(words, &configuration), hosts }
}

fn root_of(words: &[String], configuration: &Value) -> PathBuf {
    let given = values(words, &["--data-root", "-g", "--graph"]).pop();
    let configured =
        || ["data-root", "graph"].iter().find_map(|key| configuration.get(key)?.as_str());
    given.map(PathBuf::from).unwrap_or_else(|| PathBuf::from(configured().unwrap_or(ROOT)))
}

fn configuration(path: &Path) -> Value {
    let text = fs::read(path).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// The values of a flag: `--flag value`, `--flag=value`.
fn values(words: &[String], names: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.split_once('=') {
            Some((name, value)) if names.contains(&name) => found.push(value.to_owned()),
            None if names.contains(&word.as_str()) => found.extend(rest.next().cloned()),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn an_engine_is_known_by_its_command_line() {
        let one = daemon(&words("dockerd --data-root /a/b -H unix:///x/sock --config-file=/none"));
        assert!(one.keeps(Path::new("/a/b/containers")) && !one.keeps(Path::new("/a/bc")));
        assert!(one.listens_on(Path::new("/x/sock")) && !one.listens_on(Path::new("/y/sock")));
        let usual = daemon(&words("dockerd -H fd:// --config-file /none"));
        assert!(usual.listens_on(Path::new("/var/run/docker.sock")));
        assert!(usual.keeps(Path::new("/var/lib/docker/containers")));
        let here = std::env::current_dir().unwrap().join("a.sock");
        assert!(is_same(&here, Path::new("a.sock")) && !is_same(&here, Path::new("b.sock")));
        let bare = daemon(&words("/usr/sbin/dockerd --config-file=/none"));
        assert!(bare.listens_on(Path::new("/run/docker.sock")));
    }
}
