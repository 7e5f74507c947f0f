// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The one door through which the lab runs other programs.
//!
//! Arguments are lists, never a shell's text. Every run has a time limit, its own process group
//! (so that Ctrl-C reaches the lab and not the tool in the middle of its work) and a fixed
//! environment for what changes output: PATH and locale.

use crate::signals::{Signals, timeout};
use crate::{Error, Result};
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where tools are looked for. Fixed: an administrator's PATH may lack the sbin directories.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long a tool that is to end may take after TERM before it is killed.
const GRACE: Duration = Duration::from_secs(3);

/// What happens to the tool's three standard streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Streams {
    /// Output is collected.
    Collected,
    /// Output goes where ours goes; nothing is read.
    Ours,
    /// All three are ours, and so are PATH, locale and process group: the user's own command.
    Foreground,
}

/// One run of one program, not yet started.
#[derive(Debug, Clone)]
pub struct Invocation {
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    stdin: Vec<u8>,
    lifeline: Option<Arc<OwnedFd>>,
    limit: Option<Duration>,
    streams: Streams,
    interruptible: bool,
    /// How many of the arguments say nothing about what is done.
    preamble: usize,
}

impl Invocation {
    /// A run of `program` with no arguments yet, and a limit of a minute.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            stdin: Vec::new(),
            lifeline: None,
            limit: Some(Duration::from_secs(60)),
            streams: Streams::Collected,
            interruptible: true,
            preamble: 0,
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|a| a.as_ref().to_owned()));
        self
    }

    /// Adds one environment variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// What the program reads; it must fit in a pipe (64 KiB), so that writing never waits.
    #[must_use]
    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = text.into();
        self
    }

    /// Holds a pipe's writing end open as long as the program runs, as its standard input: who reads
    /// the pipe sees its end only when the program has ended, even one that outlives us.
    #[must_use]
    pub fn holding(mut self, lifeline: &Arc<OwnedFd>) -> Self {
        self.lifeline = Some(Arc::clone(lifeline));
        self
    }

    /// The time limit; past it the program is ended and the run is an error. `None`: no limit.
    #[must_use]
    pub fn limit(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.limit = limit.into();
        self
    }

    /// Output goes where the lab's own goes instead of being collected.
    #[must_use]
    pub fn with_our_output(mut self) -> Self {
        self.streams = Streams::Ours;
        self
    }

    /// Runs as the user would have started it: our streams, environment and process group.
    #[must_use]
    pub fn in_foreground(mut self) -> Self {
        self.streams = Streams::Foreground;
        self
    }

    /// Goes on to its end although a signal came: for what cleans up.
    #[must_use]
    pub fn uninterruptible(mut self) -> Self {
        self.interruptible = false;
        self
    }

    /// Sentences about this run name it by the arguments that follow, not by what is there now.
    #[must_use]
    pub fn named_by_what_follows(mut self) -> Self {
        self.preamble = self.args.len();
        self
    }

    /// The program and its first words, or those that matter, for sentences about it.
    #[must_use]
    pub fn name(&self) -> String {
        let program = (self.preamble == 0).then_some(&self.program);
        let words = program.into_iter().chain(self.args.iter().skip(self.preamble));
        let words: Vec<_> = words.map(|word| word.to_string_lossy()).take(8).collect();
        words.join(" ")
    }

    #[expect(clippy::disallowed_methods, reason = "this is the lab's one door to other programs")]
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args);
        if self.streams != Streams::Foreground {
            command.env("PATH", PATH).env("LC_ALL", "C").process_group(0).stdin(Stdio::null());
        }
        if self.streams == Streams::Collected {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
        }
        if let Some(Ok(lifeline)) = self.lifeline.as_ref().map(|fd| fd.try_clone()) {
            command.stdin(lifeline);
        }
        if !self.stdin.is_empty() {
            command.stdin(Stdio::piped());
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// What a finished program left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// The exit code; 128 plus the number of the signal it died by.
    pub code: i32,
    /// Standard output; bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// Standard error; bytes that are not UTF-8 are replaced.
    pub stderr: String,
}

impl Output {
    /// The line that says what went wrong: the first that calls itself an error, or else the last
    /// that says something, of standard error or of standard output.
    #[must_use]
    pub fn complaint(&self) -> &str {
        let lines = || [&self.stderr, &self.stdout].into_iter();
        let error = lines()
            .flat_map(|text| text.lines())
            .find(|line| ["Error: ", "ERROR: ", "E: "].iter().any(|start| line.starts_with(start)));
        let last = lines().find_map(|text| text.lines().rfind(|line| !line.trim().is_empty()));
        error.or(last).map_or("it printed nothing", str::trim)
    }
}

/// Runs programs, and stops waiting for them when a signal comes.
#[derive(Debug)]
pub struct Runner {
    signals: Signals,
}

impl Runner {
    /// A runner that watches `signals`.
    #[must_use]
    pub fn new(signals: Signals) -> Self {
        Self { signals }
    }

    /// Runs to the end and gives the code and output, whatever the code is.
    ///
    /// # Errors
    /// The program cannot be started, outlives its limit, or a signal came.
    pub fn run(&self, invocation: &Invocation) -> Result<Output> {
        if invocation.interruptible {
            self.signals.check()?;
        }
        let mut child = self.spawn(invocation)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that ends without reading says why by its exit code.
            let _ = stdin.write_all(&invocation.stdin);
        }
        let result = self.follow(&mut child, invocation);
        if result.is_err() && invocation.streams != Streams::Foreground {
            end_group(&mut child);
        }
        result
    }

    /// Like [`Self::run`], but a code other than 0 is an error that quotes the last line.
    ///
    /// # Errors
    /// Those of [`Self::run`], and any exit code but 0.
    pub fn run_ok(&self, invocation: &Invocation) -> Result<Output> {
        let output = self.run(invocation)?;
        if output.code == 0 {
            return Ok(output);
        }
        let (name, code) = (invocation.name(), output.code);
        Err(Error::new(format!("'{name}' ended with code {code}: {}", output.complaint())))
    }

    /// Starts a program and leaves it running; its standard input is a pipe, output is dropped.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn spawn_attached(&self, invocation: &Invocation) -> Result<Child> {
        let mut command = invocation.command();
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map_err(|e| cannot_start(invocation, &e))
    }

    /// Starts a program that looks after something of ours: its standard input is a pipe that only
    /// we hold, all output goes into `log`.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn spawn_attended(&self, invocation: &Invocation, log: std::fs::File) -> Result<Child> {
        spawn_into(invocation.command().stdin(Stdio::piped()), invocation, log)
    }

    /// Starts a program that outlives us if need be: no input, all output into `log`.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn spawn_logged(&self, invocation: &Invocation, log: std::fs::File) -> Result<Child> {
        spawn_into(&mut invocation.command(), invocation, log)
    }

    /// Waits for `time`, less when a signal comes.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn pause(&self, time: Duration) -> Result<()> {
        self.signals.pause(time)
    }

    /// Asks `look` again and again until it has an answer.
    ///
    /// # Errors
    /// Those of `look`, a signal, or `what` not having come about within `limit`.
    pub fn poll<T>(
        &self,
        what: &str,
        limit: Duration,
        mut look: impl FnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        let start = Instant::now();
        let mut wait = Duration::from_millis(20);
        loop {
            if let Some(answer) = look()? {
                return Ok(answer);
            }
            if start.elapsed() >= limit {
                return Err(Error::new(format!("{what}: not within {} s", limit.as_secs())));
            }
            self.pause(wait)?;
            wait = (wait * 2).min(Duration::from_millis(500));
        }
    }

    fn spawn(&self, invocation: &Invocation) -> Result<Child> {
        invocation.command().spawn().map_err(|e| cannot_start(invocation, &e))
    }

    fn follow(&self, child: &mut Child, invocation: &Invocation) -> Result<Output> {
        let start = Instant::now();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut forwarded = false;
        loop {
            wait_for_news(child);
            read_ready(&mut child.stdout, &mut out);
            read_ready(&mut child.stderr, &mut err);
            let ended = child.try_wait().map_err(|e| cannot_start(invocation, &e))?;
            if let Some(status) = ended {
                // What it wrote is all in the pipes now; a child of its own may still hold them.
                read_ready(&mut child.stdout, &mut out);
                read_ready(&mut child.stderr, &mut err);
                return Ok(output(status, &out, &err));
            }
            if invocation.interruptible && !forwarded {
                match self.signals.check() {
                    // The user's own command decides itself what a signal means to it.
                    Err(Error::Interrupted(signal))
                        if invocation.streams == Streams::Foreground =>
                    {
                        let _ = kill(group_of(child), signal);
                        forwarded = true;
                    }
                    other => other?,
                }
            }
            if let Some(limit) = invocation.limit.filter(|limit| start.elapsed() > *limit) {
                let name = invocation.name();
                return Err(Error::new(format!(
                    "'{name}' took more than {} s and was ended",
                    limit.as_secs()
                )));
            }
        }
    }
}

fn spawn_into(command: &mut Command, invocation: &Invocation, log: std::fs::File) -> Result<Child> {
    let error = log.try_clone().map_err(|e| Error::new(format!("cannot share a log: {e}")))?;
    command.stdout(log).stderr(error).spawn().map_err(|e| cannot_start(invocation, &e))
}

/// Waits a moment for output, or the end of the program.
fn wait_for_news(child: &Child) {
    let mut fds = vec![];
    fds.extend(child.stdout.as_ref().map(|p| PollFd::new(p.as_fd(), PollFlags::POLLIN)));
    fds.extend(child.stderr.as_ref().map(|p| PollFd::new(p.as_fd(), PollFlags::POLLIN)));
    // Without pipes, or with both closed, only its end is to come, and no descriptor tells of it.
    let wait = if fds.is_empty() { 5 } else { 50 };
    let _ = poll(&mut fds, timeout(Duration::from_millis(wait)));
}

fn cannot_start(invocation: &Invocation, error: &std::io::Error) -> Error {
    Error::new(format!("cannot run {}: {error}", invocation.program.to_string_lossy()))
}

fn output(status: ExitStatus, out: &[u8], err: &[u8]) -> Output {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    Output {
        code,
        stdout: String::from_utf8_lossy(out).into_owned(),
        stderr: String::from_utf8_lossy(err).into_owned(),
    }
}

/// Reads all that is there without waiting; closes the pipe at its end.
fn read_ready<P: Read + AsFd>(pipe: &mut Option<P>, into: &mut Vec<u8>) {
    let mut buffer = [0; 8192];
    while let Some(open) = pipe.as_mut() {
        let mut fds = [PollFd::new(open.as_fd(), PollFlags::POLLIN)];
        if poll(&mut fds, 0u8).unwrap_or(0) == 0 {
            return;
        }
        match open.read(&mut buffer) {
            Ok(0) | Err(_) => *pipe = None,
            Ok(n) => into.extend_from_slice(buffer.get(..n).unwrap_or_default()),
        }
    }
}

/// A child's process id, which is its group's too unless it runs in the foreground.
fn group_of(child: &Child) -> Pid {
    // A pid always fits: the kernel's largest is 2^22.
    Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX))
}

/// Ends a program of ours and everything in its process group: TERM, a moment, KILL.
pub fn end_group(child: &mut Child) {
    let group = group_of(child);
    let _ = killpg(group, Signal::SIGTERM);
    let start = Instant::now();
    while start.elapsed() < GRACE {
        if matches!(child.try_wait(), Ok(Some(_))) {
            break;
        }
        let _ = poll(&mut [], timeout(Duration::from_millis(20)));
    }
    let _ = killpg(group, Signal::SIGKILL);
    let _ = child.wait();
}
