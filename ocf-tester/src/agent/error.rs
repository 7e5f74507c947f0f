// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Why an agent can't be executed, in a sentence that says what to do about it.

use super::Invocation;
use nix::errno::Errno;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// An agent that can't be executed.
#[derive(Debug)]
pub struct AgentError {
    agent: PathBuf,
    directory: PathBuf,
    error: io::Error,
}

impl AgentError {
    pub(crate) fn new(invocation: &Invocation, error: io::Error) -> Self {
        let Invocation { agent, directory, .. } = invocation.clone();
        Self { agent, directory, error }
    }

    /// Whether permission was what lacked.
    #[must_use]
    pub fn is_permission(&self) -> bool {
        self.error.kind() == io::ErrorKind::PermissionDenied
    }
}

impl fmt::Display for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let agent = self.agent.display();
        if self.error.raw_os_error() == Some(Errno::ENOEXEC as i32) {
            return write!(
                f,
                "cannot run {agent}: it is neither a program for this machine nor a script whose \
                 first line names its interpreter; begin it with #!/bin/sh, for example"
            );
        }
        match self.error.kind() {
            io::ErrorKind::NotFound if self.agent.exists() => write!(
                f,
                "cannot run {agent}: its interpreter (first line) or the directory {} doesn't exist",
                self.directory.display()
            ),
            io::ErrorKind::NotFound => {
                write!(f, "cannot run {agent}: there is no such file; give the agent's full path")
            }
            io::ErrorKind::PermissionDenied => {
                write!(f, "cannot run {agent}: not permitted; make the file executable (chmod 755)")
            }
            _ => write!(f, "cannot run {agent}: {}", self.error),
        }
    }
}

impl std::error::Error for AgentError {}
