// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The one door through which an agent runs another program: a list of arguments (never a shell), a
//! deadline (TERM, then KILL), captured output with a cap, stdin empty or one short text, and an
//! environment that carries no parameter of the resource, so no secret. A program that goes on as a
//! daemon and keeps its output
//! open holds nobody up: its start is over when the process that was started ends.
//!
//! The child stays in our process group: when Pacemaker kills the action, it dies with it.

mod surroundings;
mod watch;

pub use surroundings::{Height, Limit, RLIM_INFINITY, Resource, Surroundings};

use crate::context::Context;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::error::describe;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

/// Where to look for programs when the caller's PATH is unset, and after it: Pacemaker's children
/// sometimes get `/bin:/usr/bin` only.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a pipe takes at once, whoever reads it (pipe(7)).
const PIPE_BUF: usize = nix::libc::PIPE_BUF;

/// A program to run.
#[derive(Debug)]
pub struct Command {
    program: PathBuf,
    is_there: bool,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    stdin: Option<String>,
    surroundings: Surroundings,
    limit: usize,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With an exit status.
    Exit(i32),
    /// By a signal.
    Signal(i32),
}

/// What a program left behind.
#[derive(Debug, Clone)]
pub struct Output {
    /// How it ended.
    pub end: End,
    /// Its stdout, at most 1 MiB unless more is asked for.
    pub stdout: Vec<u8>,
    /// Its stderr, as much.
    pub stderr: Vec<u8>,
    /// Whether something was dropped.
    pub truncated: bool,
}

impl Output {
    /// Whether it ended with status 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.end == End::Exit(0)
    }

    /// The last line of stderr that says something, for an error message; not mount(8)'s last line,
    /// which says only where to read on.
    #[must_use]
    pub fn last_words(&self) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        let says_something =
            |line: &&str| !line.is_empty() && !line.contains("may have more information");
        text.lines().rev().map(str::trim).find(says_something).unwrap_or("").to_owned()
    }
}

/// Why there is no output.
#[derive(Debug)]
pub enum Failure {
    /// No such program on this host.
    Missing(PathBuf),
    /// It can't be started or watched.
    Io(PathBuf, io::Error),
    /// It was still running at the deadline and has been killed, with everything it had started.
    TimedOut(PathBuf),
    /// The deadline was over before it could be started.
    NoTime(PathBuf),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(program) => write!(f, "{} is not installed", program.display()),
            Self::Io(program, error) => {
                write!(f, "cannot run {}: {}", program.display(), describe(error))
            }
            Self::TimedOut(program) => {
                write!(f, "{} did not end in time and was killed", program.display())
            }
            Self::NoTime(program) => {
                write!(f, "no time is left to run {}: raise the timeout", program.display())
            }
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let sentence = failure.to_string();
        match failure {
            Failure::Missing(_) => Self::installed(sentence),
            Failure::Io(..) | Failure::TimedOut(_) | Failure::NoTime(_) => Self::generic(sentence),
        }
    }
}

impl Command {
    /// A program by its absolute path, or by a name looked up with [`find_program`].
    #[must_use]
    pub fn new(context: &Context, program: impl Into<PathBuf>) -> Self {
        let program = program.into();
        let found = find_program(context, &program);
        // Everything an administrator's environment decides about tools, and no OCF_RESKEY_*.
        let passed = |name: &OsStr| {
            let name = name.as_encoded_bytes();
            matches!(name, b"HOME" | b"TZ" | b"TMPDIR" | b"CIB_file" | b"CIB_shadow")
                || [b"PCMK_".as_slice(), b"HA_"].iter().any(|prefix| name.starts_with(prefix))
        };
        let mut environment: Vec<(OsString, OsString)> = context
            .environment()
            .iter()
            .filter(|(name, _)| passed(name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        environment.push(("PATH".into(), search_path(context)));
        environment.push(("LC_ALL".into(), "C".into()));
        let is_there = found.is_some();
        Self {
            program: found.unwrap_or(program),
            is_there,
            arguments: Vec::new(),
            environment,
            stdin: None,
            surroundings: Surroundings::default(),
            limit: watch::CAPTURE_LIMIT,
        }
    }

    /// With one more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// With more arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item = S>, S: Into<OsString>>(mut self, arguments: I) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// With one more variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// With exactly these variables, and the usual PATH where they have none: for a service that goes on,
    /// and that the environment of our own tools is none of its business.
    #[must_use]
    pub fn environment<K: Into<OsString>, V: Into<OsString>>(
        mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let own = std::mem::take(&mut self.environment);
        self.environment.extend(own.into_iter().filter(|(name, _)| name == "PATH"));
        self.environment
            .extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// With a text to read, of at most 4096 bytes: so much a pipe takes without anybody reading.
    #[must_use]
    pub fn stdin(mut self, text: impl Into<String>) -> Self {
        self.stdin = Some(text.into());
        self
    }

    /// With limits and a mask of its own.
    #[must_use]
    pub fn surroundings(mut self, surroundings: Surroundings) -> Self {
        self.surroundings = surroundings;
        self
    }

    /// With so many bytes of stdout and of stderr kept, in place of 1 MiB.
    #[must_use]
    pub fn capture(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it to its end or to the deadline: shortly before that it gets TERM, at the deadline KILL.
    ///
    /// # Errors
    /// When it isn't there, can't be started, or had to be killed.
    #[expect(clippy::disallowed_methods, reason = "this is the one door")]
    pub fn run(self, deadline: &Deadline) -> Result<Output, Failure> {
        if !self.is_there {
            return Err(Failure::Missing(self.program));
        }
        if deadline.is_over() {
            return Err(Failure::NoTime(self.program));
        }
        if self.stdin.as_ref().is_some_and(|text| text.len() > PIPE_BUF) {
            let error = io::Error::other("it would be given too much to read");
            return Err(Failure::Io(self.program, error));
        }
        tracing::debug!("running {} {:?}", self.program.display(), self.arguments);
        let mut command = std::process::Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment)
            .stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        self.surroundings.give(&mut command);
        let fed = command.spawn().and_then(|child| feed(child, self.stdin.as_deref()));
        match fed.and_then(|child| watch::watch(child, self.limit, deadline)) {
            Ok(Some(output)) => {
                tracing::debug!("{} ended: {:?}", self.program.display(), output.end);
                Ok(output)
            }
            Ok(None) => Err(Failure::TimedOut(self.program)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(Failure::Missing(self.program))
            }
            Err(error) => Err(Failure::Io(self.program, error)),
        }
    }
}

/// Gives a program what it is to read, and its end.
fn feed(mut child: Child, text: Option<&str>) -> io::Result<Child> {
    if let (Some(mut stdin), Some(text)) = (child.stdin.take(), text) {
        // A program that is gone, or doesn't read, needs nothing.
        let _nobody_reads = stdin.write_all(text.as_bytes());
    }
    Ok(child)
}

/// The caller's PATH, with the system's directories behind it.
fn search_path(context: &Context) -> OsString {
    let mut path = OsString::new();
    if let Some(given) = context.environment().filled("PATH") {
        path.push(given);
        path.push(":");
    }
    path.push(SYSTEM_PATH);
    path
}

/// Where a program is; `None` where it isn't, or where a tester pretends so
/// (`OCF_TESTER_FAIL_HAVE_BINARY`).
#[must_use]
pub fn find_program(context: &Context, name: &Path) -> Option<PathBuf> {
    if context.environment().filled("OCF_TESTER_FAIL_HAVE_BINARY").is_some() {
        return None;
    }
    let runs = |path: &PathBuf| {
        path.is_file() && nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok()
    };
    if name.is_absolute() {
        return Some(name.to_owned()).filter(runs);
    }
    let path = search_path(context);
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(runs)
}
