// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What can be known of a container without its Engine: the Engine keeps a directory for each, with its
//! name in it, and the kernel knows the processes. Every container that has a process is looked at, so
//! what isn't found this way doesn't run on this host, wherever the Engine keeps its data.

use crate::processes::{all, container_of, members};
use ocf::process::{Identity, Signal};
use ocf::{Error, Explain, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Where an Engine keeps its data unless it is told otherwise.
const ROOT: &str = "/var/lib/docker";

/// A container with processes.
#[derive(Debug)]
pub(crate) struct Remains {
    /// Its ID.
    pub(crate) id: String,
    /// Its init.
    pub(crate) init: Identity,
    /// The signal that asks it to end.
    pub(crate) stop_signal: Signal,
    /// Its restart policy.
    pub(crate) restart_policy: String,
}

impl Remains {
    /// Whether an Engine that comes back would start it again.
    pub(crate) fn is_restarted(&self) -> bool {
        self.restart_policy != "no"
    }
}

/// The container of a name that has processes on this host, of the Engine that keeps its containers in
/// `root`; of any Engine, where that isn't known.
///
/// # Errors
/// When a container has processes and its description can't be read: it may be this one. When several
/// Engines have one of that name, and which of them is meant isn't known.
pub(crate) fn find(name: &str, root: Option<&Path>) -> Result<Option<Remains>> {
    let mut found = None;
    for (id, pid) in running() {
        let directory = directory_of(&id, pid);
        let is_of_engine = |path: &PathBuf| root.is_none_or(|root| path.parent() == Some(root));
        let Some(directory) = directory.filter(is_of_engine) else { continue };
        let description = read(&directory.join("config.v2.json"))?;
        if text(&description, &["Name"]).and_then(|name| name.strip_prefix('/')) != Some(name) {
            continue;
        }
        if found.is_some() {
            return Err(Error::generic(format!(
                "several Engines of this host run a container {name}: start the right Engine"
            )));
        }
        found = remains(id, &directory, &description);
    }
    Ok(found)
}

/// The containers that have processes, each with one of them. Its init started first.
fn running() -> BTreeMap<String, i32> {
    let mut found: BTreeMap<String, Identity> = BTreeMap::new();
    for pid in all() {
        let Some((id, process)) = container_of(pid).zip(Identity::of(pid)) else { continue };
        if is_nested(pid) {
            continue;
        }
        let first = found.entry(id).or_insert(process);
        if process.started < first.started {
            *first = process;
        }
    }
    found.into_iter().map(|(id, process)| (id, process.pid)).collect()
}

/// Whether a process is in a container of a container: that one's Engine isn't ours.
fn is_nested(pid: i32) -> bool {
    let depth = |pid: &str| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let pids = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
        pids.map_or(1, |pids| pids.split_whitespace().count())
    };
    // Ours has one number for each namespace that /proc sees us in.
    depth(&pid.to_string()) > depth("self") + 1
}

fn remains(id: String, directory: &Path, description: &Value) -> Option<Remains> {
    let members = members(&id);
    let recorded = description.get("State").and_then(|state| state.get("Pid")?.as_i64());
    let is_recorded = |member: &&Identity| Some(i64::from(member.pid)) == recorded;
    let eldest = members.iter().min_by_key(|member| (member.started, member.pid));
    let init = *members.iter().find(is_recorded).or(eldest)?;
    let signal = text(description, &["Config", "StopSignal"]).unwrap_or_default();
    let number = crate::container::parse_signal(signal);
    let host = read(&directory.join("hostconfig.json")).unwrap_or_default();
    let policy = text(&host, &["RestartPolicy", "Name"]).filter(|policy| !policy.is_empty());
    Some(Remains {
        id,
        init,
        stop_signal: number
            .and_then(|number| Signal::try_from(number).ok())
            .unwrap_or(Signal::SIGTERM),
        restart_policy: policy.unwrap_or("no").to_owned(),
    })
}

/// The directory in which an Engine keeps a container's description: where Engines usually do, or
/// where the container's own mounts come from (/etc/hostname and its like are files in it).
fn directory_of(id: &str, pid: i32) -> Option<PathBuf> {
    let usual = Path::new(ROOT).join("containers").join(id);
    if usual.is_dir() {
        return Some(usual);
    }
    let mounts = fs::read_to_string(format!("/proc/{pid}/mountinfo")).ok()?;
    let ours = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let marker = format!("/containers/{id}/");
    mounts.lines().find_map(|line| {
        let (device, root) = source(line)?;
        let directory = root.get(..root.find(&marker)? + marker.len())?;
        on_this_host(&ours, device, directory).filter(|path| path.is_dir())
    })
}

/// Device and root of a mount (proc_pid_mountinfo(5), fields 3 and 4).
fn source(line: &str) -> Option<(&str, &str)> {
    let mut fields = line.split(' ').skip(2);
    Some((fields.next()?, fields.next()?))
}

/// The path of what is at `root` in the file system of a device, by one of our own mounts of it.
fn on_this_host(mounts: &str, device: &str, root: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let (_, mounted) = source(line).filter(|(of, _)| *of == device)?;
        let rest = Path::new(root).strip_prefix(mounted).ok()?;
        let path = Path::new(line.split(' ').nth(4)?).join(rest);
        path.is_dir().then_some(path)
    })
}

fn read(path: &Path) -> Result<Value> {
    let content = fs::read(path).explain("read the Engine's", path)?;
    serde_json::from_slice(&content)
        .map_err(|_| Error::generic(format!("{} is no JSON: ask the Engine", path.display())))
}

fn text<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    path.iter().try_fold(value, |value, key| value.get(key))?.as_str()
}
