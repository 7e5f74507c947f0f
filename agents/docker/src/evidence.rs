// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What can be known of a container without its Engine: the Engine keeps a directory for each, with its
//! name in it, and the kernel knows the processes. Every container that has a process is looked at, so
//! what isn't found this way doesn't run on this host, wherever the Engine keeps its data. What can't
//! be told is an error, never "nothing".

mod directory;

use crate::daemons::{self, Daemon};
use crate::processes::{all, container_of, depth_of, members};
use directory::{directory_of, is_of_an_engine};
use ocf::process::{Identity, Signal};
use ocf::{Context, Error, Explain, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often it is looked at what can't be told, and how long after the look before: a container takes a
/// moment to begin or to end.
const LOOKS: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(100);

/// A container with processes.
#[derive(Debug)]
pub(crate) struct Remains {
    /// Its ID.
    pub(crate) id: String,
    /// Its init.
    pub(crate) init: Identity,
    /// The signal that asks it to end.
    pub(crate) stop_signal: Signal,
    /// The restart policy by which its Engine would start it again.
    pub(crate) returns: Option<String>,
}

/// Which Engine is meant: by its socket, and by where it keeps the directories of its containers, once
/// that was seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner<'a> {
    /// Where it listens.
    pub(crate) socket: &'a Path,
    /// `<data root>/containers`.
    pub(crate) containers: Option<&'a Path>,
}

/// Whose a container is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Ours,
    Others,
    /// Nobody's who runs.
    Unknown,
}

impl Owner<'_> {
    fn whose(&self, containers: &Path, daemons: &[Daemon]) -> Whose {
        if let Some(own) = self.containers {
            return if containers == own { Whose::Ours } else { Whose::Others };
        }
        match daemons.iter().find(|daemon| daemon.keeps(containers)) {
            Some(daemon) if daemon.listens_on(self.socket) => Whose::Ours,
            Some(_) => Whose::Others,
            None if daemons::is_usual(self.socket) && containers == daemons::usual_containers() => {
                Whose::Ours
            }
            None => Whose::Unknown,
        }
    }

    /// Where its containers' directories may be.
    fn places(&self, daemons: &[Daemon]) -> Vec<PathBuf> {
        if let Some(own) = self.containers {
            return vec![own.to_path_buf()];
        }
        let its = daemons.iter().filter(|daemon| daemon.listens_on(self.socket));
        let mut places: Vec<PathBuf> = its.map(Daemon::containers).collect();
        if daemons::is_usual(self.socket) {
            places.push(daemons::usual_containers());
        }
        places
    }
}

/// The container of a name that has processes on this host. Others may come and go meanwhile: one whose
/// directory isn't there yet, or no more, is looked at again.
///
/// # Errors
/// When a container has processes and it can't be told which it is. When several Engines have one of
/// that name, and which of them is meant isn't known.
pub(crate) fn find(context: &Context, name: &str, owner: &Owner<'_>) -> Result<Option<Remains>> {
    let mut found = look(name, owner);
    let mut looks = 1;
    while found.is_err() && looks < LOOKS && context.sleep(BETWEEN) {
        found = look(name, owner);
        looks += 1;
    }
    found
}

fn look(name: &str, owner: &Owner<'_>) -> Result<Option<Remains>> {
    let daemons = daemons::running()?;
    let mut places = owner.places(&daemons);
    places.extend(daemons.iter().map(Daemon::containers));
    places.push(daemons::usual_containers());
    let mut found: Option<(Whose, Option<Remains>)> = None;
    for (id, pid) in running()? {
        let Some(directory) = directory_of(&id, pid, &places) else {
            if is_of_an_engine(&id, pid)? {
                return Err(unknown(&id));
            }
            continue;
        };
        let description = read(&directory.join("config.v2.json"))?;
        if name_of(&description) != Some(name) {
            continue;
        }
        let containers = directory.parent().unwrap_or(&directory);
        let whose = owner.whose(containers, &daemons);
        match (&found, whose) {
            (_, Whose::Others) | (Some((Whose::Ours, _)), Whose::Unknown) => {}
            (Some((before, _)), now) if *before == now => return Err(several(name)),
            _ => found = Some((whose, remains(id, &directory, &description)?)),
        }
    }
    Ok(found.and_then(|(_, remains)| remains))
}

fn unknown(id: &str) -> Error {
    let short = id.get(..12).unwrap_or(id);
    Error::generic(format!(
        "container {short} runs, and its Engine's data isn't found: start the Engine"
    ))
}

fn several(name: &str) -> Error {
    Error::generic(format!(
        "several Engines of this host run a container {name}: start the one that is meant"
    ))
}

/// The restart policy of the container of a name that has no process, when its Engine would start it
/// again as soon as that comes back.
///
/// # Errors
/// When the Engine's data can't be read.
pub(crate) fn find_returning(name: &str, owner: &Owner<'_>) -> Result<Option<String>> {
    for place in owner.places(&daemons::running()?) {
        let Ok(entries) = fs::read_dir(&place) else { continue };
        for entry in entries {
            let directory = entry.explain("list", &place)?.path();
            let file = directory.join("config.v2.json");
            if !file.is_file() {
                continue;
            }
            let description = read(&file)?;
            if name_of(&description) != Some(name) {
                continue;
            }
            return returning(&directory, &description);
        }
    }
    Ok(None)
}

/// The restart policy, when by it an Engine that comes back starts the container again.
fn returning(directory: &Path, description: &Value) -> Result<Option<String>> {
    let is_stopped = description.get("HasBeenManuallyStopped") == Some(&Value::Bool(true));
    let host = read(&directory.join("hostconfig.json"))?;
    let policy = text(&host, &["RestartPolicy", "Name"]).unwrap_or_default();
    let returns =
        policy == "always" || (matches!(policy, "unless-stopped" | "on-failure") && !is_stopped);
    Ok(returns.then(|| policy.to_owned()))
}

/// The containers that have processes, each with one of them: the eldest.
fn running() -> Result<BTreeMap<String, i32>> {
    let mut found: BTreeMap<String, Identity> = BTreeMap::new();
    // An agent in a container: that one's Engine is outside. In a container of a container: that one's
    // Engine isn't ours.
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let (around_us, deepest) = (container_of(own)?, depth_of(own) + 1);
    for pid in all()? {
        let Some((id, process)) = container_of(pid)?.zip(Identity::of(pid)) else { continue };
        if Some(&id) == around_us.as_ref() || depth_of(pid) > deepest || !process.is_alive() {
            continue;
        }
        let first = found.entry(id).or_insert(process);
        if process.started < first.started {
            *first = process;
        }
    }
    Ok(found.into_iter().map(|(id, process)| (id, process.pid)).collect())
}

fn remains(id: String, directory: &Path, description: &Value) -> Result<Option<Remains>> {
    let members = members(&id)?;
    let recorded = description.get("State").and_then(|state| state.get("Pid")?.as_i64());
    let is_recorded = |member: &&Identity| Some(i64::from(member.pid)) == recorded;
    let eldest = members.iter().min_by_key(|member| (member.started, member.pid));
    let Some(init) = members.iter().find(is_recorded).or(eldest).copied() else { return Ok(None) };
    let signal = text(description, &["Config", "StopSignal"]).unwrap_or_default();
    let number = crate::container::parse_signal(signal);
    let stop_signal = number.and_then(|number| Signal::try_from(number).ok());
    let returns = returning(directory, description)?;
    Ok(Some(Remains { id, init, stop_signal: stop_signal.unwrap_or(Signal::SIGTERM), returns }))
}

fn read(path: &Path) -> Result<Value> {
    let content = fs::read(path).explain("read the Engine's", path)?;
    serde_json::from_slice(&content)
        .map_err(|_| Error::generic(format!("{} is no JSON: ask the Engine", path.display())))
}

fn name_of(description: &Value) -> Option<&str> {
    text(description, &["Name"])?.strip_prefix('/')
}

fn text<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    path.iter().try_fold(value, |value, key| value.get(key))?.as_str()
}
