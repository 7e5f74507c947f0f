// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Why an agent can't be executed at all, in words that lead to the remedy.

use super::Invocation;
use nix::errno::Errno;
use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How far into a file its interpreter is looked for.
const HEAD: u64 = 4096;

/// An agent that can't be executed.
#[derive(Debug)]
pub struct AgentError {
    agent: PathBuf,
    directory: PathBuf,
    error: io::Error,
    ran: bool,
}

impl AgentError {
    pub(crate) fn new(invocation: &Invocation, error: io::Error) -> Self {
        let Invocation { agent, directory, .. } = invocation.clone();
        Self { agent, directory, error, ran: false }
    }

    /// Notes whether it could be executed before.
    #[must_use]
    pub(crate) fn after_a_call(self, ran: bool) -> Self {
        Self { ran, ..self }
    }

    /// Whether permission was what lacked.
    #[must_use]
    pub fn is_permission(&self) -> bool {
        self.error.kind() == io::ErrorKind::PermissionDenied
    }

    /// The kernel says "no such file" of the agent for anything on the way that isn't there.
    fn missing(&self) -> String {
        if std::fs::symlink_metadata(&self.agent).is_ok_and(|found| found.is_symlink())
            && !self.agent.exists()
        {
            let target = std::fs::read_link(&self.agent).unwrap_or_default();
            return format!("it is a link to {}, which isn't there", target.display());
        }
        if !self.agent.exists() {
            if self.ran {
                return "there is no such file".to_owned();
            }
            return "there is no such file; give the agent's full path".to_owned();
        }
        if !self.directory.is_dir() {
            return format!("the working directory {} isn't there", self.directory.display());
        }
        match interpreter(&self.agent) {
            Some(Interpreter::Script(path)) => format!(
                "its interpreter {} (first line) isn't there; install it or mend that line",
                path.display()
            ),
            Some(Interpreter::Program(path)) => format!(
                "the loader it was linked for, {}, isn't there; install that C library or link it \
                 statically",
                path.display()
            ),
            None => "the interpreter that it needs isn't there".to_owned(),
        }
    }
}

impl fmt::Display for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = if self.error.raw_os_error() == Some(Errno::ENOEXEC as i32) {
            "it is neither a program for this machine nor a script whose first line names its \
             interpreter; begin it with #!/bin/sh, for example"
                .to_owned()
        } else {
            match self.error.kind() {
                io::ErrorKind::NotFound => self.missing(),
                io::ErrorKind::PermissionDenied => {
                    "not permitted; make the file executable (chmod 755), on a file system that \
                     isn't mounted with noexec"
                        .to_owned()
                }
                _ => plain(&self.error),
            }
        };
        let agent = self.agent.display();
        if self.ran {
            return write!(f, "{agent} was changed or removed during the test; now {why}");
        }
        write!(f, "cannot run {agent}: {why}")
    }
}

impl std::error::Error for AgentError {}

/// A system's error in words, without its number.
pub(crate) fn plain(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => Errno::from_raw(number).desc().to_lowercase(),
        None => error.to_string(),
    }
}

/// What the kernel starts to run a file.
#[derive(Debug, PartialEq, Eq)]
enum Interpreter {
    /// The first line of a script names it.
    Script(PathBuf),
    /// A program's dynamic loader.
    Program(PathBuf),
}

fn interpreter(agent: &Path) -> Option<Interpreter> {
    let mut head = Vec::new();
    File::open(agent).ok()?.take(HEAD).read_to_end(&mut head).ok()?;
    let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
    if let Some(rest) = head.strip_prefix(b"#!") {
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        // A carriage return is a part of the name here, and mostly the whole trouble.
        let word = line.split(|byte| matches!(byte, b' ' | b'\t')).find(|word| !word.is_empty())?;
        return Some(Interpreter::Script(path(word)));
    }
    if !head.starts_with(b"\x7fELF") {
        return None;
    }
    let mut strings = head.split(|byte| *byte == 0);
    let is_path = |text: &&[u8]| text.len() > 1 && text.iter().all(u8::is_ascii_graphic);
    let loader = strings.find(|text| text.starts_with(b"/") && is_path(text))?;
    Some(Interpreter::Program(path(loader)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::{Scratch, executable};
    use std::os::unix::fs::symlink;

    /// What is said about a file of this content that can't be executed.
    fn said(content: &[u8]) -> String {
        let scratch = Scratch::new("error").unwrap();
        let path = scratch.path().join("agent");
        executable(&path, content).unwrap();
        Invocation::new(&path, "start").run().unwrap_err().to_string()
    }

    #[test]
    fn what_is_missing_is_named() {
        for (content, named) in [
            (
                &b"#!/nonexistent/python -u\n"[..],
                "its interpreter /nonexistent/python (first line)",
            ),
            (b"#! /nonexistent/sh\n", "/nonexistent/sh "),
            (b"", "begin it with #!/bin/sh"),
        ] {
            let said = said(content);
            assert!(said.contains(named) && !said.contains("os error"), "{said}");
        }
    }

    #[test]
    fn a_link_to_nowhere_is_told_from_a_missing_file() {
        let scratch = Scratch::new("error").unwrap();
        let path = scratch.path().join("agent");
        let said = || Invocation::new(&path, "start").run().unwrap_err().to_string();
        assert!(said().contains("there is no such file"), "{}", said());
        symlink("/nonexistent/agent", &path).unwrap();
        assert!(said().contains("a link to /nonexistent/agent"), "{}", said());
    }

    #[test]
    fn a_program_names_its_loader() {
        let loader = b"\x7fELF\x02\0\0/lib/nonexistent-ld.so.1\0rest";
        let scratch = Scratch::new("error").unwrap();
        let path = scratch.path().join("agent");
        std::fs::write(&path, loader).unwrap();
        let expected = Interpreter::Program("/lib/nonexistent-ld.so.1".into());
        assert_eq!(interpreter(&path), Some(expected));
    }

    #[test]
    fn a_system_error_has_no_number() {
        let error = io::Error::from_raw_os_error(Errno::E2BIG as i32);
        assert_eq!(plain(&error), "argument list too long");
    }
}
