// SPDX-License-Identifier: Apache-2.0 OR MIT
//! By what a server's processes are known: what the kernel says they run, the configuration on their command
//! line, and where they run. Never a pattern: a sibling whose configuration's name only begins the same, an
//! editor with that name on its line, a stranger with a recycled pid are none of them.

use crate::config;
use crate::invocation::{Invocation, clean};
use crate::procfs::{FileId, Link, depth_of, directory_of, id_of, variables_of, words_of};
use crate::program::{Programs, Run, without_links};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// By what this server's processes are known.
#[derive(Debug)]
pub(crate) struct Signature {
    programs: Programs,
    /// The configuration's path, as it is written and with its directory's links followed; more than one where
    /// the distribution's own is meant.
    configurations: Vec<PathBuf>,
    /// Pid files of this instance.
    pid_files: Vec<PathBuf>,
    /// Where the pid files are that are given to instances, and the beginnings of their names.
    given: (PathBuf, Vec<Vec<u8>>),
    /// Our namespace of processes.
    namespace: Option<FileId>,
    /// Our root directory and our namespace of mounts.
    mounts: [Option<FileId>; 2],
}

/// A process that may be this server's.
#[derive(Debug, Default)]
pub(crate) struct Fit {
    /// What its command line says. Whoever renews may only be passing.
    pub(crate) line: Invocation,
    /// Whether it sees another file at its configuration's path, being where a program changed its root
    /// directory: more than the line has to say whose it is.
    pub(crate) is_jailed: bool,
}

/// Where a link of a process's leads.
fn of(pid: i32, name: &str) -> Link {
    Link::at(&PathBuf::from(format!("/proc/{pid}/{name}")))
}

/// The configuration's path with its directory's links followed. A link that is the file itself stays: two
/// names of one file may be two servers.
fn in_true_directory(path: &Path) -> PathBuf {
    let directory = path.parent().and_then(|directory| fs::canonicalize(directory).ok());
    match (directory, path.file_name()) {
        (Some(directory), Some(name)) => directory.join(name),
        _ => path.to_owned(),
    }
}

impl Signature {
    /// Of a server that one of those programs runs, with one of those configurations.
    pub(crate) fn new(programs: Programs, configurations: &[PathBuf]) -> Self {
        let written = configurations.iter().map(|path| clean(path));
        let both = written.flat_map(|path| [in_true_directory(&path), path]);
        Self {
            programs,
            configurations: both.collect(),
            pid_files: Vec::new(),
            given: (PathBuf::new(), Vec::new()),
            namespace: id_of(Path::new("/proc/self/ns/pid")),
            mounts: [id_of(Path::new("/")), id_of(Path::new("/proc/self/ns/mnt"))],
        }
    }

    /// The same, where instances are given pid files in a directory, in names that begin so, and these are
    /// our own: a process with another one's is another instance's, although the configuration is the same.
    pub(crate) fn with_pid_files(
        mut self,
        directory: &Path,
        beginnings: impl IntoIterator<Item = Vec<u8>>,
        own: &[PathBuf],
    ) -> Self {
        self.given = (without_links(directory), beginnings.into_iter().collect());
        self.pid_files = own.iter().map(|path| in_true_directory(path)).collect();
        self
    }

    /// A process that is this server's, or one of its workers, by all that it shows: a fork has its parent's
    /// command line.
    pub(crate) fn fit(&self, pid: i32) -> Option<Fit> {
        let run = self.programs.run_by(pid)?;
        if !self.is_here(pid) {
            return None;
        }
        let (line, configuration) = self.line_of(pid, &run)?;
        let is_jailed = self.is_jailed(pid, &configuration)?;
        Some(Fit { line, is_jailed })
    }

    /// Whether it has our namespace of processes, and isn't in a container. Where we mustn't see that, it is as
    /// deep as we are.
    fn is_here(&self, pid: i32) -> bool {
        let is_as_deep = || depth_of(&pid.to_string()) == depth_of("self");
        of(pid, "ns/pid").is(self.namespace).unwrap_or_else(is_as_deep)
    }

    /// Whether it is in a jail: at its configuration's path it sees another file. `None` for one that sees
    /// that in other mounts, and so is another server. Who sees no file there is in a directory to which
    /// servers go for safety, or outlived the file.
    fn is_jailed(&self, pid: i32, configuration: &Path) -> Option<bool> {
        let [root, mounts] = self.mounts;
        let sees_ours = of(pid, "ns/mnt").is(mounts).unwrap_or(true);
        if sees_ours && of(pid, "root").is(root).unwrap_or(true) {
            return Some(false);
        }
        let path = configuration.strip_prefix("/").unwrap_or(configuration);
        match Link::at(&PathBuf::from(format!("/proc/{pid}/root")).join(path)) {
            Link::To(file) if id_of(configuration) != Some((file.dev(), file.ino())) => {
                sees_ours.then_some(true)
            }
            Link::To(_) | Link::Hidden | Link::Nowhere => Some(false),
        }
    }

    /// Its command line, if that is a server's with our configuration, and how that is called there.
    fn line_of(&self, pid: i32, run: &Run) -> Option<(Invocation, PathBuf)> {
        let words = words_of(pid);
        let (_, words) = words.split_first()?;
        let said = Invocation::parse(words);
        if said.errand.is_some()
            || run.is_hearsay && said.file.is_none()
            || said.pid_file.as_deref().is_some_and(|file| self.is_of_another(file))
        {
            return None;
        }
        let found = said.configurations(&run.program, &directory_of(&variables_of(pid)));
        let configuration = found.into_iter().find(|path| self.is_configuration(path))?;
        Some((said, configuration))
    }

    fn is_configuration(&self, path: &Path) -> bool {
        self.configurations.iter().any(|own| own == path)
            || self.configurations.contains(&in_true_directory(path))
    }

    /// Whether a configuration of ours is among the words of a process's command line.
    pub(crate) fn is_mentioned_by(&self, pid: i32) -> bool {
        words_of(pid).iter().any(|word| {
            let bytes = word.as_bytes();
            let path = Path::new(OsStr::from_bytes(bytes.strip_prefix(b"-f").unwrap_or(bytes)));
            path.is_absolute() && self.is_configuration(&clean(path))
        })
    }

    /// Whether a pid file is one that another instance was given.
    fn is_of_another(&self, file: &Path) -> bool {
        let file = in_true_directory(file);
        let (directory, beginnings) = &self.given;
        let name = file.file_name().unwrap_or_default().as_bytes();
        file.parent() == Some(directory)
            && beginnings.iter().any(|beginning| name.starts_with(beginning))
            && !self.pid_files.contains(&file)
    }

    /// Whether a process is a server, whoever's, that a pid file is meant to be of.
    pub(crate) fn claims(&self, pid: i32, pid_file: &Path) -> bool {
        let Some(Run { program, .. }) = self.programs.run_by(pid) else { return false };
        let words = words_of(pid);
        let Some((_, words)) = words.split_first() else { return false };
        let said = Invocation::parse(words);
        if said.errand.is_some() {
            return false;
        }
        let variables = variables_of(pid);
        let texts: Vec<String> =
            words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let found = said.configurations(&program, &directory_of(&variables));
        let files = found.iter().filter_map(|path| config::pid_file_of(path, &variables, &texts));
        let pid_file = in_true_directory(pid_file);
        files.chain(said.pid_file.clone()).any(|file| in_true_directory(&file) == pid_file)
    }
}

#[cfg(test)]
mod tests;
