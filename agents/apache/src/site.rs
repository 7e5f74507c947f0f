// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What every action needs: which program and configuration, what is remembered, and which processes there
//! are.

use crate::config::{Asking, Files};
use crate::layout::{self, Layout};
use crate::process::{self, Processes, Seen};
use crate::program::Programs;
use crate::record::{self, Record};
use crate::settings::Settings;
use crate::signature::Signature;
use crate::{Parameters, envfile, pidfile, words};
use ocf::process::Identity;
use ocf::{Context, Error, Result, StateFile};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::path::{Path, PathBuf};

/// The part of the time that reading the configuration may take, in percent.
const FOR_READING: u32 = 20;

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
    /// Where its record is.
    pub(crate) file: StateFile,
    layout: OnceCell<Layout>,
    record: OnceCell<Option<Record>>,
    files: OnceCell<Result<Files<'static>>>,
    settings: OnceCell<Result<Settings>>,
}

impl<'a> Site<'a> {
    /// The site of a server. Nothing is read yet.
    pub(crate) fn new(context: &'a Context, parameters: &'a Parameters) -> Self {
        let file = record::file(context);
        let (layout, record) = (OnceCell::new(), OnceCell::new());
        let (files, settings) = (OnceCell::new(), OnceCell::new());
        Self { context, parameters, file, layout, record, files, settings }
    }

    /// Which server is meant.
    pub(crate) fn layout(&self) -> &Layout {
        let Parameters { httpd, configfile, .. } = self.parameters;
        self.layout
            .get_or_init(|| Layout::find(self.context, httpd.as_deref(), configfile.as_deref()))
    }

    /// The configuration's main file.
    pub(crate) fn configuration(&self) -> &Path {
        match &self.parameters.configfile {
            Some(path) => path,
            None => &self.layout().configuration,
        }
    }

    /// The configurations that its processes may have on their command lines: all that would be meant where
    /// none is named, and the one that was.
    fn configurations(&self) -> Vec<PathBuf> {
        if let Some(path) = &self.parameters.configfile {
            return vec![path.clone()];
        }
        let recorded = self.record().map(|record| record.configuration.clone());
        recorded.into_iter().chain(layout::default_configurations()).collect()
    }

    /// What is remembered, as it was before this action wrote anything.
    pub(crate) fn record(&self) -> Option<&Record> {
        self.record.get_or_init(|| Record::read(&self.file)).as_ref()
    }

    /// The same, of the configuration that is meant now.
    pub(crate) fn record_of_now(&self) -> Option<&Record> {
        let configfile = self.parameters.configfile.as_ref();
        self.record().filter(|record| configfile.is_none_or(|path| *path == record.configuration))
    }

    /// The configuration's files, as far as they can be read within a part of the time.
    fn files(&self) -> Result<&Files<'static>> {
        let read = || {
            let (parameters, configuration) = (self.parameters, self.configuration());
            let variables =
                envfile::read(self.context, &parameters.envfiles, configuration).variables;
            let words = words::split(&parameters.options);
            let deadline = self.context.deadline.share(FOR_READING);
            Files::read(configuration, Cow::Owned(variables), &words, None, &deadline)
        };
        self.files.get_or_init(read).as_ref().map_err(Error::clone)
    }

    /// What the configuration's files say now, read by us.
    ///
    /// # Errors
    /// `installed` (5): they can't be read.
    pub(crate) fn settings(&self) -> Result<&Settings> {
        let read = || Ok(self.files()?.settings(Asking::Nobody));
        self.settings.get_or_init(read).as_ref().map_err(Error::clone)
    }

    /// The programs that this server was said to be run by: the one that was, and the user's.
    fn said_programs(&self) -> Vec<PathBuf> {
        let recorded = self.record().map(|record| record.program.clone());
        let wanted = self.parameters.httpd.clone().filter(|name| name.is_absolute());
        recorded.into_iter().chain(wanted).collect()
    }

    /// The same, and what distributions call theirs.
    fn programs(&self) -> Vec<PathBuf> {
        let mut programs = self.said_programs();
        programs.extend(layout::programs(None));
        programs
    }

    /// The pid files that may be this server's, those first that were written down.
    fn pid_files(&self) -> Vec<PathBuf> {
        let recorded = self.record().map(|record| record.pid_file.clone());
        // Only this is asked of the configuration here: a stop can't wait for the rest of it.
        let said = self.files().ok().and_then(Files::pid_file);
        let mut files: Vec<PathBuf> = recorded.into_iter().chain(said).collect();
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
    fn signature(&self) -> Signature {
        let (programs, said) = (self.programs(), self.said_programs());
        let beginnings = programs.iter().map(|program| pidfile::beginning(program));
        let known = Programs::new(&said, &layout::programs(None));
        Signature::new(known, &self.configurations()).with_pid_files(
            &self.context.directories.varrun,
            beginnings,
            &self.pid_files(),
        )
    }

    /// The server that a pid file names.
    pub(crate) fn named_by(&self, pid_file: &Path) -> Option<Identity> {
        let named = Identity::of(pidfile::read(pid_file)?).filter(Identity::is_alive)?;
        self.signature().fit(named.pid).map(|_| named)
    }

    /// Looks whether the server is there: as it is remembered, by its pid file, or else among all processes.
    ///
    /// # Errors
    /// When the processes can't be listed.
    pub(crate) fn look(&self) -> Result<Look> {
        let remembered = self.record_of_now().map(Record::server).filter(Identity::is_alive);
        let named = || self.pid_files().iter().find_map(|path| self.named_by(path));
        match remembered.or_else(named) {
            Some(server) => Ok(Look::Server(server)),
            None => self.search(),
        }
    }

    /// Looks among all processes.
    ///
    /// # Errors
    /// When they can't be listed.
    pub(crate) fn search(&self) -> Result<Look> {
        let Processes { parents, orphans, .. } =
            process::scan(&self.signature(), &Seen::default(), None, &self.named())?;
        Ok(match parents.first() {
            Some(server) => Look::Server(*server),
            None if orphans.is_empty() => Look::Nothing,
            None => Look::Orphans(orphans),
        })
    }

    /// Every process of the server; `seen` is what this action has seen already.
    ///
    /// # Errors
    /// When the processes can't be listed.
    pub(crate) fn processes(&self, seen: &Seen) -> Result<Processes> {
        let recorded = self.record().map(Record::server);
        process::scan(&self.signature(), seen, recorded, &self.named())
    }

    /// The pids that its pid files name.
    fn named(&self) -> Vec<i32> {
        self.pid_files().iter().filter_map(|path| pidfile::read(path)).collect()
    }

    /// Removes the pid files that name nobody, or a stranger.
    ///
    /// # Errors
    /// `installed` (5): one of them is another server's own; `generic` (1): one names a process that isn't
    /// known as this server's and yet has its configuration on its command line. Those stay.
    pub(crate) fn remove_stale_pid_files(&self, own: Option<&Path>) -> Result<()> {
        let signature = self.signature();
        let mut files = self.pid_files();
        files.extend(own.map(Path::to_owned));
        let mut judged = Ok(());
        for path in files.iter().filter(|path| pidfile::is_one(path)) {
            let lives = |pid: &i32| Identity::of(*pid).is_some_and(|process| process.is_alive());
            let file = path.display();
            let kept = match pidfile::read(path).filter(lives) {
                Some(pid) if signature.claims(pid, path) => {
                    let reason = format!("{file} is the pid file of another server, process {pid}");
                    Error::installed(format!("{reason}: set another PidFile"))
                }
                Some(pid) if signature.is_mentioned_by(pid) => {
                    let configuration = self.configuration().display();
                    let reason = format!("{file} names process {pid}, on whose command line is");
                    let remedy = "end it if it is this server, else remove the file";
                    Error::generic(format!("{reason} {configuration}: {remedy}"))
                }
                _ => {
                    pidfile::remove(path);
                    continue;
                }
            };
            judged = judged.and(Err(kept));
        }
        judged
    }
}
