// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What every action needs: which program and configuration, what is remembered, and which processes there
//! are.

#![allow(dead_code, reason = "wired by start")]

use crate::Parameters;
use crate::process::{self, Processes, Signature};
use crate::record::{self, Record};
use crate::settings::Settings;
use crate::{pidfile, seam};
use ocf::process::Identity;
use ocf::{Context, Result, StateFile};
use std::cell::OnceCell;
use std::path::{Path, PathBuf};

/// What there is of a server.
#[derive(Debug)]
pub(crate) enum Look {
    /// It is there.
    Server(Identity),
    /// Only workers are, of a server that is gone.
    Orphans(Vec<Identity>),
    /// Nothing is.
    Nothing,
}

/// One server's place on this host.
pub(crate) struct Site<'a> {
    /// The call.
    pub(crate) context: &'a Context,
    /// What the user says.
    pub(crate) parameters: &'a Parameters,
    /// The configuration's main file.
    pub(crate) configuration: PathBuf,
    /// Where its record is.
    pub(crate) file: StateFile,
    record: OnceCell<Option<Record>>,
    settings: OnceCell<Settings>,
}

impl<'a> Site<'a> {
    /// The site of a server. Nothing is read yet.
    pub(crate) fn new(context: &'a Context, parameters: &'a Parameters) -> Self {
        let configuration = seam::configuration(parameters);
        let file = record::file(context);
        let (record, settings) = (OnceCell::new(), OnceCell::new());
        Self { context, parameters, configuration, file, record, settings }
    }

    /// The record, if it is of this configuration or its server is there still.
    pub(crate) fn record(&self) -> Option<&Record> {
        self.record.get_or_init(|| Record::read(&self.file)).as_ref()
    }

    /// What the configuration's files say now; nothing where they can't be read.
    pub(crate) fn settings(&self) -> &Settings {
        self.settings.get_or_init(|| seam::settings(self.parameters, &self.configuration))
    }

    /// The programs that may be run as this server: the one that was, the user's, and what distributions
    /// call theirs.
    fn programs(&self) -> Vec<PathBuf> {
        let recorded = self.record().map(|record| record.program.clone());
        recorded.into_iter().chain(seam::programs(self.parameters)).collect()
    }

    /// The pid files that may be this server's, those first that were written down.
    pub(crate) fn pid_files(&self) -> Vec<PathBuf> {
        let recorded = self.record().map(|record| record.pid_file.clone());
        let said = recorded.into_iter().chain(self.settings().pid_file.clone());
        let mut files: Vec<PathBuf> = said.collect();
        let directory = &self.context.directories.varrun;
        for program in self.programs() {
            for name in [&self.context.instance.name, &self.context.instance.id] {
                let given = pidfile::given(directory, &program, name);
                if !files.contains(&given) {
                    files.push(given);
                }
            }
        }
        files
    }

    /// By what this server's processes are known.
    pub(crate) fn signature(&self) -> Signature {
        let programs = self.programs();
        let beginnings = programs.iter().map(|program| pidfile::beginning(program));
        Signature::new(&programs, &self.configuration).with_pid_files(
            &self.context.directories.varrun,
            beginnings,
            &self.pid_files(),
        )
    }

    /// Looks whether the server is there: as it is remembered, by its pid file, or else among all processes.
    ///
    /// # Errors
    /// When the processes can't be listed.
    pub(crate) fn look(&self) -> Result<Look> {
        if let Some(server) = self.record().map(Record::server).filter(Identity::is_alive) {
            return Ok(Look::Server(server));
        }
        let signature = self.signature();
        let named =
            self.pid_files().iter().filter_map(|path| pidfile::read(path)).find_map(|pid| {
                let identity = Identity::of(pid).filter(Identity::is_alive)?;
                signature.fits(pid).then_some(identity)
            });
        if let Some(server) = named {
            return Ok(Look::Server(server));
        }
        let Processes { parents, orphans, .. } = process::scan(&signature, &[], &[])?;
        Ok(match parents.first() {
            Some(server) => Look::Server(*server),
            None if orphans.is_empty() => Look::Nothing,
            None => Look::Orphans(orphans),
        })
    }

    /// Every process of the server; `seen` are servers that this action has seen already.
    ///
    /// # Errors
    /// When the processes can't be listed.
    pub(crate) fn processes(&self, seen: &[Identity]) -> Result<Processes> {
        let mut known = seen.to_vec();
        known.extend(self.record().map(Record::server));
        let named: Vec<i32> =
            self.pid_files().iter().filter_map(|path| pidfile::read(path)).collect();
        process::scan(&self.signature(), &known, &named)
    }

    /// Removes the pid files that name nobody, or a stranger who isn't a server. Another server's stays.
    pub(crate) fn remove_stale_pid_files(&self) {
        let signature = self.signature();
        for path in self.pid_files() {
            let is_anothers = |pid: i32| {
                Identity::of(pid).is_some_and(|process| process.is_alive())
                    && signature.is_some_server(pid)
            };
            if pidfile::is_one(&path) && !pidfile::read(&path).is_some_and(is_anothers) {
                pidfile::remove(&path);
            }
        }
    }

    /// The configuration's path.
    pub(crate) fn configuration(&self) -> &Path {
        &self.configuration
    }
}
