// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the server itself says of its configuration: asked at start and validate only.

mod refusal;
#[cfg(test)]
mod tests;

use crate::config::{Asking, Files};
use crate::envfile::Variables;
use crate::layout::Layout;
use crate::log;
use crate::settings::Settings;
use ocf::command::{Command, Failure, Output};
use ocf::deadline::Deadline;
use ocf::{Context, Error, Result, tracing};
use std::borrow::Cow;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// How much of a line of the program's goes into the log, in characters.
const LONGEST: usize = 1000;

/// A directory that every host has.
const THERE: &str = "/";

/// What begins the line with which the server begins to say how it would run.
const RUN: &[u8] = b"ServerRoot: \"";

/// What the program says of its configuration.
#[derive(Debug)]
pub(crate) struct Answer {
    /// What that says: the program's word counts; where it is silent, what this agent reads in the files does.
    pub(crate) settings: Settings,
    /// Whether the program takes it; it may not have said so in time.
    pub(crate) is_certain: bool,
    /// What it couldn't find the address of.
    pub(crate) unresolved: Option<String>,
}

/// What is asked: which program, with which configuration, environment and words, and until when.
#[derive(Debug, Clone)]
pub(crate) struct Question<'a> {
    pub(crate) context: &'a Context,
    pub(crate) layout: &'a Layout,
    pub(crate) environment: &'a Variables,
    pub(crate) words: &'a [String],
    pub(crate) deadline: Deadline,
}

impl Question<'_> {
    /// Asks the program whether it can take its configuration, and what that says.
    ///
    /// # Errors
    /// `installed` (5): there is no such program or file, or the program refuses the configuration; the
    /// reason names file and line, and the program's own words are in the log.
    pub(crate) fn ask(&self) -> Result<Answer> {
        let read = |root| {
            let (file, variables) = (&self.layout.configuration, Cow::Borrowed(self.environment));
            Files::read(file, variables, self.words, root, &self.context.deadline)
        };
        let mut files = read(None)?;
        let uncertain = |files: &Files<'_>| Answer {
            settings: files.settings(Asking::Resolver),
            is_certain: false,
            unresolved: None,
        };
        // A module that is loaded for this question only writes down the configuration as it was understood.
        // It may fail where the server itself wouldn't, so its failure is nobody's. What would be too much to
        // take isn't asked for: the server would only have to be asked once more.
        let mut understood = None;
        if let Some(module) = files.info_module().filter(|_| !files.is_large()) {
            let Some(output) = self.put(Some(&module))? else { return Ok(uncertain(&files)) };
            understood = Some(output).filter(is_whole);
        }
        let is_understood = understood.is_some();
        let output = match understood {
            Some(output) => Some(output),
            None => self.put(None)?,
        };
        let Some(output) = output else { return Ok(uncertain(&files)) };
        if !output.is_success() {
            return Err(refused(self.layout, &output));
        }
        let (dump, run) = split(&output.stdout);
        let root = path(run, "ServerRoot");
        if root.is_some() && root.as_deref() != Some(files.root()) {
            // The files were read below a root that isn't this program's.
            files = read(root)?;
        }
        // The program has just resolved all of its names itself.
        let asking = Asking::Resolver;
        let settings =
            if is_understood { files.settings_by(dump, asking) } else { files.settings(asking) };
        let unresolved = log::unresolved(&String::from_utf8_lossy(&output.stderr));
        Ok(Answer { settings: corrected(settings, run), is_certain: true, unresolved })
    }

    /// Asks the program whether it can take its configuration, and nothing else; `false` where it didn't say so
    /// in time. These directories are missing and will be made: that one of them is isn't held against the
    /// configuration, and where a variable names it, what stands behind is looked at, too.
    ///
    /// # Errors
    /// As [`Question::ask`].
    pub(crate) fn is_answered(&self, missing: &[&Path]) -> Result<bool> {
        let Some(output) = self.put(None)? else { return Ok(false) };
        if output.is_success() {
            return Ok(true);
        }
        if !is_want_of(&output, missing) {
            return Err(refused(self.layout, &output));
        }
        let mut environment = self.environment.clone();
        for value in environment.values_mut() {
            let path = Path::new(value.as_os_str());
            let is_missing = || missing.iter().any(|missing| missing.starts_with(path));
            if path.is_absolute() && !path.is_dir() && is_missing() {
                *value = THERE.into();
            }
        }
        let with_directories = Question { environment: &environment, ..self.clone() };
        match with_directories.put(None)? {
            Some(output) if !output.is_success() && !is_want_of(&output, missing) => {
                Err(refused(self.layout, &output))
            }
            answer => Ok(answer.is_some()),
        }
    }

    /// What the program says; `None` where it doesn't end in time.
    fn put(&self, module: Option<&Path>) -> Result<Option<Output>> {
        let mut command = Command::new(self.context, self.layout.program()?)
            .environment(self.environment)
            .arg("-DSTATUS")
            .args(self.words)
            .arg("-f")
            .arg(&self.layout.configuration);
        if let Some(module) = module {
            let load = format!("LoadModule info_module \"{}\"", module.display());
            command = command.arg("-c").arg(load).arg("-DDUMP_CONFIG");
        }
        match command.arg("-t").arg("-DDUMP_RUN_CFG").run(&self.deadline) {
            Ok(output) => Ok(Some(output)),
            Err(failure @ (Failure::TimedOut(_) | Failure::NoTime(_))) => {
                tracing::warn!("asked for its configuration, {failure}");
                Ok(None)
            }
            Err(failure) => Err(failure.into()),
        }
    }
}

fn is_whole(output: &Output) -> bool {
    output.is_success() && !output.truncated
}

/// The configuration as it was understood, and what follows it.
fn split(text: &[u8]) -> (&[u8], &[u8]) {
    // The last such line: nothing in a configuration that was understood begins like it.
    let is_start = |at: &usize| {
        let (before, from) = text.split_at_checked(*at).unwrap_or_default();
        from.starts_with(RUN) && before.last().is_none_or(|byte| *byte == b'\n')
    };
    let start = (0..text.len()).rev().find(is_start);
    start.and_then(|start| text.split_at_checked(start)).unwrap_or((text, b""))
}

/// What the server says under a name: `NAME: "value"`.
fn said<'a>(run: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut lines = run.split(|byte| *byte == b'\n');
    let value = lines.find_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b": \""))?;
    value.strip_suffix(b"\"").filter(|value| !value.is_empty())
}

/// The same, where it is a whole path.
fn path(run: &[u8], name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(OsString::from_vec(said(run, name)?.to_owned()));
    Some(path).filter(|path| path.is_absolute())
}

/// With what the server says of itself in place of what the files say.
fn corrected(mut settings: Settings, run: &[u8]) -> Settings {
    settings.root = path(run, "ServerRoot").or(settings.root);
    // It names one that is compiled in, too; that one isn't the configuration's.
    settings.pid_file = settings.pid_file.map(|named| path(run, "PidFile").unwrap_or(named));
    if settings.error_log.is_some() {
        settings.error_log = path(run, "Main ErrorLog").or(settings.error_log);
    }
    settings
}

/// Whether a program refuses its configuration for want of one of these directories.
fn is_want_of(output: &Output, missing: &[&Path]) -> bool {
    let text = [output.stderr.as_slice(), &output.stdout].concat();
    let text = String::from_utf8_lossy(&text);
    refusal::is_want_of(&text, missing)
}

/// The error of a program that refuses its configuration. Its own words go to the log.
fn refused(layout: &Layout, output: &Output) -> Error {
    let text = [output.stderr.as_slice(), &output.stdout].concat();
    let text = String::from_utf8_lossy(&text);
    // How the program is used is known; a loop of files makes one line of all of them.
    let said = text.lines().take_while(|line| !line.starts_with("Usage: "));
    for line in said.filter(|line| !line.trim().is_empty()) {
        tracing::error!("{}", line.chars().take(LONGEST).collect::<String>());
    }
    Error::installed(refusal::sentence(&text, &layout.configuration))
}
