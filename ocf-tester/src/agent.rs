// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One execution of an action of a resource agent, the way Pacemaker's executor does it: a process
//! group of its own, standard input from /dev/null, output through pipes, KILL for the whole group
//! when the time is over.
//!
//! An agent that hangs, prints without end, or leaves a daemon on its standard output can't hang
//! the caller.

mod error;
mod output;

pub use error::AgentError;
pub(crate) use error::plain;
pub(crate) use output::{Collected, Ended, collect};
pub use output::{Holder, OUTPUT_CAP};

use crate::child;
use crate::family;
use crate::interrupt::Interrupt;
use crate::profile::{self, Profile};
use crate::quote::quote;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The time an action gets when the agent advertises none.
pub const DEFAULT_LIMIT: Duration = Duration::from_secs(20);

/// The longest time an action gets, whatever it advertises: an agent's description is foreign
/// text, which must neither keep the tester for ever nor overflow its clock.
pub const LONGEST_LIMIT: Duration = Duration::from_secs(60 * 60);

/// The variable through which Pacemaker announces an action's timeout, in milliseconds.
const TIMEOUT_VARIABLE: &str = "OCF_RESKEY_CRM_meta_timeout";

/// One call of an agent, ready to be made any number of times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The agent's file; what it sees as its argument 0.
    pub agent: PathBuf,
    /// The action, and whatever follows it.
    pub arguments: Vec<OsString>,
    /// Everything the agent finds in its environment, except the announced timeout.
    pub environment: BTreeMap<OsString, OsString>,
    /// The working directory.
    pub directory: PathBuf,
    /// The umask, if not the tester's own.
    pub umask: Option<u32>,
    /// User and group number to run as, if not the tester's own.
    pub user: Option<(u32, u32)>,
    /// How long after the start the process group is killed.
    pub limit: Duration,
    /// Whether the limit is announced to the agent as the action's timeout.
    pub announce_limit: bool,
    /// Whether standard input is a pipe that nobody writes to or closes, not /dev/null.
    pub endless_input: bool,
    /// Directories that are read-only for the agent; only root can have that.
    pub sealed: Vec<PathBuf>,
}

impl Invocation {
    /// A call with an environment of nothing but `PATH`, from `/`, with [`DEFAULT_LIMIT`].
    /// A relative path is taken from the tester's working directory.
    pub fn new(agent: impl Into<PathBuf>, action: impl AsRef<OsStr>) -> Self {
        let agent = agent.into();
        Self {
            agent: std::path::absolute(&agent).unwrap_or(agent),
            arguments: vec![action.as_ref().to_owned()],
            environment: BTreeMap::from([("PATH".into(), profile::inherited_path())]),
            directory: "/".into(),
            umask: None,
            user: None,
            limit: DEFAULT_LIMIT,
            announce_limit: false,
            endless_input: false,
            sealed: Vec::new(),
        }
    }

    /// Adds what a caller of agents gives them; see [`profile`].
    #[must_use]
    pub fn profile(mut self, profile: &Profile, instance: &str) -> Self {
        self.environment.extend(profile.variables(&self.agent, instance));
        self.directory = profile.working_directory();
        self.umask = profile.umask;
        self.announce_limit = profile.announces_timeout;
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// Removes a variable.
    #[must_use]
    pub fn without_env(mut self, name: impl AsRef<OsStr>) -> Self {
        self.environment.remove(name.as_ref());
        self
    }

    /// Sets an instance parameter (OCF 1.1, "Syntax for Instance Parameters").
    #[must_use]
    pub fn parameter(self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.env(format!("OCF_RESKEY_{name}"), value)
    }

    /// The same call with another action and no further arguments.
    #[must_use]
    pub fn action(&self, action: impl AsRef<OsStr>) -> Self {
        Self { arguments: vec![action.as_ref().to_owned()], ..self.clone() }
    }

    /// Adds an argument after the action.
    #[must_use]
    pub fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Sets the time after which the process group is killed; at most [`LONGEST_LIMIT`].
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit.min(LONGEST_LIMIT);
        self
    }

    /// When a call that began then is killed.
    pub(crate) fn deadline(&self, begun: Instant) -> Instant {
        begun.checked_add(self.limit.min(LONGEST_LIMIT)).unwrap_or(begun)
    }

    /// The action, as text for messages.
    #[must_use]
    pub fn action_name(&self) -> String {
        self.arguments
            .first()
            .map(|action| action.to_string_lossy().into_owned())
            .unwrap_or_default()
    }

    /// Makes the call.
    ///
    /// # Errors
    /// When the agent can't be executed at all.
    pub fn run(&self) -> Result<Execution, AgentError> {
        self.run_until(None)
    }

    /// Makes the call; a signal that `interrupt` collects ends it like the limit does.
    ///
    /// # Errors
    /// When the agent can't be executed at all.
    pub fn run_until(&self, interrupt: Option<&Interrupt>) -> Result<Execution, AgentError> {
        let failed = |error| AgentError::new(self, error);
        let (done, ended) = io::pipe().map_err(failed)?;
        let mut command = self.command(false).map_err(failed)?;
        // The writing end stays open until the call is over.
        let input = self.endless_input.then(io::pipe).transpose().map_err(failed)?;
        if let Some((reader, _)) = &input {
            command.stdin(reader.try_clone().map_err(failed)?);
        }
        let begun = Instant::now();
        let mut child = family::spawn(&mut command).map_err(failed)?;
        let group = pid_of(&child);
        let waiter = std::thread::spawn(move || {
            family::await_end(group);
            drop(ended);
        });
        let (stdout, stderr) = take_pipes(&mut child);
        let kill = || {
            let _ = killpg(group, Signal::SIGKILL);
        };
        let deadline = self.deadline(begun);
        let collected =
            collect(stdout, stderr, &done.into(), deadline, interrupt, &kill).map_err(failed)?;
        let _ = waiter.join();
        let waited = child::wait(group);
        family::forget(group);
        let (status, usage) = waited.map_err(|error| failed(error.into()))?;
        let verdict = match (collected.ended, status.code(), status.signal()) {
            (Ended::TimedOut, ..) => Verdict::TimedOut,
            (Ended::Interrupted, ..) => Verdict::Interrupted,
            (Ended::Done, Some(code), _) => Verdict::Exit(code),
            (Ended::Done, None, signal) => Verdict::Signal(signal.unwrap_or_default()),
        };
        Ok(Execution {
            verdict,
            exit_reason: verdict.code().and_then(|_| parse_exit_reason(&collected.stderr)),
            stdout: collected.stdout,
            stderr: collected.stderr,
            truncated: collected.truncated,
            duration: begun.elapsed(),
            usage: Some(usage),
            processes: None,
            holders: collected.holders,
        })
    }

    /// The environment with the announced timeout.
    #[must_use]
    pub fn full_environment(&self) -> BTreeMap<OsString, OsString> {
        let mut all = self.environment.clone();
        if self.announce_limit {
            let milliseconds = self.limit.as_millis().to_string();
            all.entry(TIMEOUT_VARIABLE.into()).or_insert_with(|| milliseconds.into());
        }
        all
    }

    /// A command line that makes the same call by hand.
    #[must_use]
    pub fn reproduction(&self) -> String {
        let mut words = vec![];
        if !self.sealed.is_empty() {
            // As the tester does it, in a mount namespace of its own.
            let seal = "for d; do [ \"$d\" = -- ] && break; shift; mount --rbind \"$d\" \"$d\" && \
                        mount -o remount,bind,ro \"$d\"; done; shift; exec \"$@\"";
            words.extend(["unshare", "--mount", "sh", "-c"].map(str::to_owned));
            words.push(quote(OsStr::new(seal)));
            words.push("sh".to_owned());
            words.extend(self.sealed.iter().map(|directory| quote(directory.as_os_str())));
            words.push("--".to_owned());
        }
        words.extend(["env".to_owned(), "-i".to_owned()]);
        for (name, value) in self.full_environment() {
            let mut assignment = name;
            assignment.push("=");
            assignment.push(value);
            words.push(quote(&assignment));
        }
        words.push(quote(self.agent.as_os_str()));
        words.extend(self.arguments.iter().map(|argument| quote(argument)));
        words.join(" ")
    }

    /// The command, in a process group of its own; `traced` makes it a tracee of this thread.
    ///
    /// # Errors
    /// When an argument or a variable holds a NUL.
    #[expect(clippy::disallowed_methods, reason = "this is the tester's one door to a process")]
    pub(crate) fn command(&self, traced: bool) -> io::Result<Command> {
        let mut command = Command::new(&self.agent);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(self.full_environment())
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        child::set_up(&mut command, self.umask, traced, &self.sealed)?;
        Ok(command)
    }
}

/// The child's process number, which is its group's too.
pub(crate) fn pid_of(child: &Child) -> Pid {
    // The kernel's process numbers stay below 2^22.
    Pid::from_raw(child.id().cast_signed())
}

/// The reading ends of the child's output; empty pipes never happen, they were asked for.
pub(crate) fn take_pipes(child: &mut Child) -> (Option<OwnedFd>, Option<OwnedFd>) {
    (child.stdout.take().map(OwnedFd::from), child.stderr.take().map(OwnedFd::from))
}

/// How an execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It exited with this code.
    Exit(i32),
    /// It was killed by this signal, not by the tester.
    Signal(i32),
    /// It was killed with its process group because the limit was over.
    TimedOut,
    /// It was killed with its process group because the tester was asked to end.
    Interrupted,
}

impl Verdict {
    /// The exit code, if it exited.
    #[must_use]
    pub fn code(self) -> Option<i32> {
        match self {
            Self::Exit(code) => Some(code),
            _ => None,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "{code}"),
            Self::Signal(number) => match Signal::try_from(*number) {
                Ok(signal) => write!(f, "killed by {signal}"),
                Err(_) => write!(f, "killed by signal {number}"),
            },
            Self::TimedOut => f.write_str("no answer in time (killed)"),
            Self::Interrupted => f.write_str("interrupted (killed)"),
        }
    }
}

/// What a call used, with the processes it waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Processor time, in user and system mode.
    pub cpu: Duration,
    /// The most memory that one of its processes had at once, in bytes. The tester's own at the
    /// fork counts in, so that a few megabytes are the least there is (getrusage(2)).
    pub max_rss: u64,
}

/// What one call did.
#[derive(Debug, Clone)]
pub struct Execution {
    /// How it ended.
    pub verdict: Verdict,
    /// Its standard output, up to [`OUTPUT_CAP`] bytes.
    pub stdout: Vec<u8>,
    /// Its standard error, up to [`OUTPUT_CAP`] bytes.
    pub stderr: Vec<u8>,
    /// Whether it printed more than the cap.
    pub truncated: bool,
    /// From start to exit, or to the kill.
    pub duration: Duration,
    /// What it used; `None` where nobody has measured it.
    pub usage: Option<Usage>,
    /// How many processes it was, its own included; `None` where nobody has counted them. A call
    /// whose processes are counted is traced, which slows it down.
    pub processes: Option<usize>,
    /// The exit reason, read as Pacemaker does.
    pub exit_reason: Option<String>,
    /// Processes that still had its output open after it ended; a daemon there gets SIGPIPE later.
    pub holders: Vec<Holder>,
}

impl Execution {
    /// The exit code, if it exited.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.verdict.code()
    }

    /// Whether, as a monitor's answer, it says that a part of the resource is or may be there: 9 is
    /// a failed promoted one.
    pub(crate) fn tells_active(&self) -> bool {
        matches!(self.code(), Some(0 | 8 | 9 | 190 | 191))
    }
}

impl fmt::Display for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.verdict)?;
        match &self.exit_reason {
            Some(reason) => write!(f, " ({reason})"),
            None => Ok(()),
        }
    }
}

/// The text after the last `ocf-exit-reason:`, to the end of its line. An empty one is none, and
/// there is no falling back to an earlier one: so does Pacemaker (libcrmservice).
#[must_use]
pub fn parse_exit_reason(stderr: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(stderr);
    let (_, reason) = text.rsplit_once("ocf-exit-reason:")?;
    let line = reason.lines().next().unwrap_or_default();
    (!line.is_empty()).then(|| line.to_owned())
}
