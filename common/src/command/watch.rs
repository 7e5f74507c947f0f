// SPDX-License-Identifier: Apache-2.0 OR MIT
//! From a program's start to its end: its output read, its time kept, and nothing of it left behind
//! when the time is over.

use super::{End, Output};
use crate::deadline::Deadline;
use crate::process::{Identity, children};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStderr, ChildStdout};
use std::time::{Duration, Instant};

/// What is kept of stdout and of stderr unless it is said; the rest is read and dropped, and the output says
/// so.
pub(super) const CAPTURE_LIMIT: usize = 1 << 20;

/// How long before the deadline a program gets TERM; at most a quarter of its time.
const GRACE: Duration = Duration::from_secs(2);

/// How long to go on reading after the program's end, from children that kept its output.
const DRAIN: Duration = Duration::from_millis(100);

/// How long what was killed may take to be gone: only the kernel can delay that.
const BURIAL: Duration = Duration::from_millis(100);

/// How often to look where the kernel has no pidfd to wait for.
const LOOK: Duration = Duration::from_millis(20);

/// A pipe being read, and what it gave.
struct Capture<P> {
    pipe: Option<P>,
    bytes: Vec<u8>,
    limit: usize,
    truncated: bool,
}

impl<P: Read + AsFd> Capture<P> {
    fn new(pipe: Option<P>, limit: usize) -> io::Result<Self> {
        if let Some(pipe) = &pipe {
            fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        Ok(Self { pipe, bytes: Vec::new(), limit, truncated: false })
    }

    /// Reads what is there now, up to 1 MiB at a time: a writer without end must not keep us from
    /// looking at the clock. Forgets the pipe at its end.
    fn read(&mut self) -> io::Result<()> {
        let mut buffer = [0_u8; 16 * 1024];
        for _ in 0..64 {
            let Some(pipe) = &mut self.pipe else { break };
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(count) => {
                    let room = self.limit.saturating_sub(self.bytes.len()).min(count);
                    self.bytes.extend_from_slice(buffer.get(..room).unwrap_or_default());
                    self.truncated |= room < count;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Both outputs of a program.
struct Captures {
    stdout: Capture<ChildStdout>,
    stderr: Capture<ChildStderr>,
}

impl Captures {
    fn read(&mut self) -> io::Result<()> {
        self.stdout.read()?;
        self.stderr.read()
    }

    fn is_at_end(&self) -> bool {
        self.stdout.pipe.is_none() && self.stderr.pipe.is_none()
    }

    /// Waits for output, for the program's end, or for that long.
    fn wait(&self, pidfd: Option<&OwnedFd>, limit: Duration) {
        let pidfd = pidfd.map(AsFd::as_fd);
        let stdout = self.stdout.pipe.as_ref().map(AsFd::as_fd);
        let stderr = self.stderr.pipe.as_ref().map(AsFd::as_fd);
        let fds = [pidfd, stdout, stderr].into_iter().flatten();
        let mut fds: Vec<PollFd<'_>> = fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        let limit = PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX);
        // Whoever waits looks again in any case; an interrupted wait is a short one.
        let _woken = poll(&mut fds, limit);
    }

    /// Reads the rest. A grandchild may hold a pipe open for ever; what comes later is not for us.
    fn drain(&mut self) -> io::Result<()> {
        let begun = Instant::now();
        loop {
            self.read()?;
            let left = DRAIN.saturating_sub(begun.elapsed());
            if self.is_at_end() || left.is_zero() {
                return Ok(());
            }
            self.wait(None, left);
        }
    }
}

/// Reads until the child's end; `None` when the deadline came first. However it ends, the child is
/// not left to itself.
pub(super) fn watch(
    mut child: Child,
    limit: usize,
    deadline: &Deadline,
) -> io::Result<Option<Output>> {
    let left = deadline.left();
    let polite = deadline.within(left - GRACE.min(left / 4));
    let watched = read_to_end(&mut child, limit, &polite);
    if !matches!(watched, Ok(Some(_))) {
        end(&mut child, deadline);
    }
    watched
}

fn read_to_end(child: &mut Child, limit: usize, deadline: &Deadline) -> io::Result<Option<Output>> {
    let mut captures = Captures {
        stdout: Capture::new(child.stdout.take(), limit)?,
        stderr: Capture::new(child.stderr.take(), limit)?,
    };
    let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
    let pidfd = crate::sys::pidfd_open(pid).ok();
    loop {
        captures.read()?;
        if let Some(status) = child.try_wait()? {
            captures.drain()?;
            let end = match (status.code(), status.signal()) {
                (Some(code), _) => End::Exit(code),
                (None, signal) => End::Signal(signal.unwrap_or_default()),
            };
            let Captures { stdout, stderr } = captures;
            let truncated = stdout.truncated || stderr.truncated;
            let (stdout, stderr) = (stdout.bytes, stderr.bytes);
            return Ok(Some(Output { end, stdout, stderr, truncated }));
        }
        let left = deadline.left();
        if left.is_zero() {
            return Ok(None);
        }
        captures.wait(pidfd.as_ref(), if pidfd.is_some() { left } else { left.min(LOOK) });
    }
}

/// TERM, what is left of the time, KILL; and KILL for whatever the program had started: it would go on
/// changing things after the action has said that it failed. An agent runs one program at a time, so
/// every child there is belongs to it.
fn end(child: &mut Child, deadline: &Deadline) {
    // What loses its parent from here on becomes our child, so that it can be found.
    let _old_kernel = nix::sys::prctl::set_child_subreaper(true);
    if let Some(identity) = i32::try_from(child.id()).ok().and_then(Identity::of) {
        let asked = identity.signal(Signal::SIGTERM);
        if asked.is_err() || !identity.wait_gone(deadline) {
            let _gone = child.kill();
        }
    }
    let burial = Deadline::since(Instant::now(), BURIAL * 2);
    loop {
        let left = children();
        for identity in &left {
            let _gone = identity.signal(Signal::SIGKILL);
            let _gone = identity.wait_gone(&burial);
            let _buried = waitpid(Pid::from_raw(identity.pid), Some(WaitPidFlag::WNOHANG));
        }
        if left.is_empty() || burial.is_over() {
            return;
        }
    }
}
