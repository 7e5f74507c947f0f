// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a server is started with: its program, its configuration, its environment and its words.

use crate::envfile::{self, Variables};
use crate::invocation::Invocation;
use crate::layout::Layout;
use crate::server::{Answer, Question};
use crate::site::Site;
use crate::{Parameters, suse, words};
use ocf::command::{Command, Failure, Output, Surroundings};
use ocf::deadline::Deadline;
use ocf::{Context, Error, Result, tracing};
use std::fs;
use std::path::Path;

/// What a server is started with.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    context: &'a Context,
    layout: &'a Layout,
    environment: Variables,
    surroundings: Surroundings,
    words: Vec<String>,
}

impl<'a> Launch<'a> {
    /// Of a server's place.
    ///
    /// # Errors
    /// `installed` (5): the program or the configuration isn't there, or an envfile isn't understood.
    pub(crate) fn new(site: &'a Site<'_>) -> Result<Self> {
        let (context, layout) = (site.context, site.layout());
        layout.program()?;
        if let Some((wanted, program)) = layout.substitute() {
            let (wanted, program) = (wanted.display(), program.display());
            tracing::warn!("{wanted} can't be run: {program} runs in its place");
        }
        check_configuration(&layout.configuration)?;
        let outcome = envfile::read(context, &site.parameters.envfiles, &layout.configuration);
        envfile::refuse(outcome.problems)?;
        let (environment, surroundings) = (outcome.variables, outcome.surroundings);
        let mut words = suse::status_words(&layout.configuration);
        words.extend(words::split(&site.parameters.options));
        Ok(Self { context, layout, environment, surroundings, words })
    }

    /// The program.
    ///
    /// # Errors
    /// `installed` (5): there is none.
    pub(crate) fn program(&self) -> Result<&Path> {
        self.layout.program()
    }

    /// Asks the program whether it can take its configuration, and what that says.
    ///
    /// # Errors
    /// As [`Question::ask`].
    pub(crate) fn ask(&self, deadline: Deadline) -> Result<Answer> {
        self.question(deadline).ask()
    }

    /// Asks the program only whether it can take its configuration; `false` where it doesn't say so in time.
    /// These directories needn't be there yet.
    ///
    /// # Errors
    /// As [`Question::is_answered`].
    pub(crate) fn check(&self, deadline: Deadline, missing: &[&Path]) -> Result<bool> {
        self.question(deadline).is_answered(missing)
    }

    fn question(&self, deadline: Deadline) -> Question<'_> {
        let Self { context, layout, environment, words, .. } = self;
        Question { context, layout, environment, words, deadline }
    }

    /// Runs the program, until the server has left it.
    ///
    /// # Errors
    /// When it can't be run, or doesn't leave in time.
    pub(crate) fn run(
        &self,
        program: &Path,
        pid_file: Option<&Path>,
        deadline: &Deadline,
    ) -> Result<Output, Failure> {
        let mut command = Command::new(self.context, program)
            .arg("-DSTATUS")
            .args(&self.words)
            .arg("-f")
            .arg(&self.layout.configuration)
            .environment(&self.environment)
            .surroundings(self.surroundings.clone());
        if let Some(pid_file) = pid_file {
            command = command.arg("-c").arg(format!("PidFile {}", pid_file.display()));
        }
        command.run(deadline)
    }
}

/// Whether the configuration can be one.
fn check_configuration(path: &Path) -> Result<()> {
    let name = path.display();
    match fs::metadata(path) {
        Ok(found) if found.is_file() => Ok(()),
        Ok(_) => {
            Err(Error::installed(format!("configuration {name} is no file: name its main file")))
        }
        Err(error) => {
            let why = ocf::error::describe(&error);
            Err(Error::installed(format!(
                "no configuration {name}: {why}: create it or set configfile"
            )))
        }
    }
}

/// Judges the parameters that a server is started with, looking at nothing outside.
///
/// # Errors
/// `configured` (6): no server can be started like that, on any node.
pub(crate) fn check(parameters: &Parameters) -> Result<()> {
    if let Some(path) = parameters.configfile.as_ref().filter(|path| !path.is_absolute()) {
        let name = path.display();
        return Err(Error::configured(format!("configfile {name} is no absolute path")));
    }
    let said = Invocation::parse(&words::split(&parameters.options));
    if let Some(word) = said.errand.or(said.renewal) {
        let reason = format!("options has {word}, with which no server is started: remove it");
        return Err(Error::configured(reason));
    }
    if let Some(word) = said.stays {
        let reason = format!("options has {word}, with which a start never ends: remove it");
        return Err(Error::configured(reason));
    }
    Ok(())
}
