// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a configuration says, read from its files by the server's rules: for a monitor that has no record
//! of what the server itself said, and for what the server doesn't say.

mod condition;
mod dump;
mod glob;
mod hosts;
mod line;
mod location;
mod macros;
mod modules;
mod names;
mod reader;
#[cfg(test)]
mod tests;

use crate::layout::compiled_root;
use crate::settings::Settings;
use crate::words::Switches;
use hosts::Hosts;
pub(crate) use names::Asking;
use names::Names;
use ocf::deadline::Deadline;
use ocf::error::describe;
use ocf::{Error, Result};
use reader::{Directive, Reader};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

/// The directives that are kept.
const KEPT: &[&str] = &[
    "customlog",
    "defaultruntimedir",
    "errorlog",
    "globallog",
    "gnutlsenable",
    "listen",
    "lockfile",
    "mutex",
    "nssengine",
    "pidfile",
    "port",
    "scoreboardfile",
    "serveralias",
    "servername",
    "sethandler",
    "sslenable",
    "sslengine",
    "tlsengine",
    "transferlog",
    "user",
];

/// How long a stranger's configuration is read.
const PATIENCE: Duration = Duration::from_secs(1);

/// The pid file that a server's configuration names, of this file, these variables and these further arguments.
pub(crate) fn pid_file_of(
    configfile: &Path,
    environment: &BTreeMap<OsString, OsString>,
    words: &[String],
) -> Option<PathBuf> {
    let deadline = Deadline::since(Instant::now(), PATIENCE);
    Files::read(configfile, Cow::Borrowed(environment), words, None, &deadline).ok()?.pid_file()
}

/// Of what is longer, in bytes, a server writes down more than the 1 MiB that is taken of what a program says.
const LARGE: u64 = 512 * 1024;

/// A configuration's files, read.
#[derive(Debug)]
pub(crate) struct Files<'a>(Reader<'a>);

impl<'a> Files<'a> {
    /// Reads the configuration that a server has of this file, these variables and these further arguments,
    /// with that root compiled in, where it is known. What the server would refuse is passed over, and so is
    /// what can't be read within the time.
    ///
    /// # Errors
    /// `installed` (5): the file itself can't be read.
    pub(crate) fn read(
        configfile: &Path,
        environment: Cow<'a, BTreeMap<OsString, OsString>>,
        words: &[String],
        root: Option<PathBuf>,
        deadline: &Deadline,
    ) -> Result<Self> {
        let switches = Switches::of(words);
        let given = switches.root.map(PathBuf::from).or(root);
        let root = given.unwrap_or_else(|| compiled_root(configfile));
        let mut reader = Reader::new(root, environment, &switches, deadline);
        for directive in &switches.before {
            reader.text(directive.as_bytes());
        }
        reader.file(configfile).map_err(|error| {
            let file = configfile.display();
            Error::installed(format!("cannot read configuration {file}: {}", describe(&error)))
        })?;
        for directive in &switches.after {
            reader.text(directive.as_bytes());
        }
        Ok(Self(reader))
    }

    /// What they say.
    pub(crate) fn settings(&self, asking: Asking) -> Settings {
        settings(&self.0, asking)
    }

    /// `PidFile`, absolute, where they name one. Nothing else has to be known for that.
    pub(crate) fn pid_file(&self) -> Option<PathBuf> {
        last(&self.0, "pidfile").and_then(|name| pid_file(&self.0, name))
    }

    /// `ServerRoot`.
    pub(crate) fn root(&self) -> &Path {
        &self.0.root
    }

    /// Whether it is more than can be taken of what a server writes down of it.
    pub(crate) fn is_large(&self) -> bool {
        self.0.bytes() > LARGE
    }

    /// The module that can write down a configuration, where it is beside those that are loaded.
    pub(crate) fn info_module(&self) -> Option<PathBuf> {
        let directory = self.0.modules.files().find_map(Path::parent)?;
        Some(directory.join("mod_info.so")).filter(|file| file.is_file())
    }

    /// The same, of the configuration as the server has understood and written it down: all in one text,
    /// without conditions and variables, and without what is carried out while it is read.
    pub(crate) fn settings_by(&self, dump: &[u8], asking: Asking) -> Settings {
        let nothing = Cow::Owned(BTreeMap::new());
        let root = self.0.root.clone();
        let mut reader = Reader::new(root, nothing, &Switches::default(), &self.0.deadline);
        reader.inherit(&self.0);
        reader.text(&dump::closed(dump));
        settings(&reader, asking)
    }
}

/// What the directives come to.
fn settings(reader: &Reader<'_>, asking: Asking) -> Settings {
    let hosts = Hosts::of(reader, Names::new(asking));
    let first = hosts.host(hosts.listens.first());
    let mut settings = Settings {
        root: Some(reader.root.clone()),
        pid_file: last(reader, "pidfile").and_then(|name| pid_file(reader, name)),
        user: last(reader, "user").map(|user| String::from_utf8_lossy(user).into_owned()),
        error_log: error_log(reader),
        status: first.status,
        name: first.name,
        hosts: hosts.listens.iter().map(|listen| hosts.host(Some(listen))).collect(),
        listens: hosts.listens,
        ..Settings::default()
    };
    settings.lock_directories = lock_directories(reader);
    settings.directories = directories(reader, &settings);
    settings
}

/// The first word of the last such directive at the top.
fn last<'a>(reader: &'a Reader<'_>, name: &str) -> Option<&'a [u8]> {
    let is_meant = |directive: &&Directive| directive.name == name && directive.section.is_none();
    let directive = reader.directives.iter().rev().find(is_meant)?;
    directive.words.first().map(Vec::as_slice)
}

/// Where the configuration names one that the shell agent would take, too: neither `./x` nor a variable
/// that has no value.
fn pid_file(reader: &Reader<'_>, name: &[u8]) -> Option<PathBuf> {
    let is_name = |first: &u8| *first == b'/' || first.is_ascii_alphanumeric();
    name.first().is_some_and(is_name).then(|| reader.below_root(name))
}

/// The file that a directive for a log names; `None` for programs and services.
fn log_file(reader: &Reader<'_>, name: &[u8]) -> Option<PathBuf> {
    let is_service = [b"|".as_slice(), b"syslog", b"journald", b"/dev/"];
    let is_file = !name.is_empty() && !is_service.iter().any(|prefix| name.starts_with(prefix));
    is_file.then(|| reader.below_root(name))
}

fn error_log(reader: &Reader<'_>) -> Option<PathBuf> {
    match last(reader, "errorlog") {
        Some(name) => log_file(reader, name),
        None => Some(reader.root.join("logs/error_log")),
    }
}

/// Where the server keeps what is for as long as it runs.
fn runtime_directory(reader: &Reader<'_>) -> Option<PathBuf> {
    last(reader, "defaultruntimedir").map(|name| reader.below_root(name))
}

fn lock_directories(reader: &Reader<'_>) -> Vec<PathBuf> {
    let mutexes = reader.directives.iter().filter(|directive| directive.name == "mutex");
    let mut directories = Vec::new();
    for directive in mutexes {
        let mechanism = directive.words.first().map(Vec::as_slice).unwrap_or_default();
        let mut parts = mechanism.splitn(2, |byte| *byte == b':');
        let directory = match (parts.next(), parts.next()) {
            (Some(_), Some(directory)) => directory,
            (Some(directory), None) if directory.starts_with(b"/") => directory,
            _ => continue,
        };
        let directory = OsString::from_vec(directory.to_owned());
        let base = runtime_directory(reader).unwrap_or_else(|| reader.root.clone());
        directories.push(normal(&base.join(directory)));
    }
    unique(directories)
}

fn directories(reader: &Reader<'_>, settings: &Settings) -> Vec<PathBuf> {
    let parent = |file: &PathBuf| file.parent().map(Path::to_owned);
    let mut directories: Vec<PathBuf> = runtime_directory(reader).into_iter().collect();
    directories.extend(settings.pid_file.as_ref().and_then(parent));
    directories.extend(settings.lock_directories.iter().cloned());
    for directive in &reader.directives {
        let Some(name) = directive.words.first() else { continue };
        let file = match directive.name.as_str() {
            "errorlog" | "customlog" | "transferlog" | "globallog" => log_file(reader, name),
            "lockfile" | "scoreboardfile" => Some(reader.below_root(name)),
            _ => None,
        };
        directories.extend(file.as_ref().and_then(parent));
    }
    // Red Hat's root has links to what is below /run and /var/log.
    let links = ["logs", "run"].map(|name| reader.root.join(name));
    directories.extend(links.into_iter().filter(|link| link.is_symlink()));
    unique(directories)
}

fn unique(mut directories: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    directories.retain(|directory| seen.insert(directory.clone()));
    directories
}

/// A path without `.` and `..`, taken by its words alone, as the server does.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            component => normal.push::<&OsStr>(component.as_ref()),
        }
    }
    normal
}
