// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Reads what an agent prints until the agent ends, the limit is over or the tester is told to end;
//! whoever keeps the pipes open beyond that is named, not waited for.

use crate::interrupt::Interrupt;
use crate::{family, ledger};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

/// How much of each of the two streams is kept, in bytes: what Pacemaker keeps.
pub const OUTPUT_CAP: usize = 10 * 1024 * 1024;

/// How long a helper that is just ending may keep the pipes open after the agent has exited.
const HOLD_GRACE: Duration = Duration::from_millis(500);

/// How long a killed process may take to go; longer means it is stuck in the kernel.
const KILL_GRACE: Duration = Duration::from_secs(10);

/// A process that kept an agent's standard output or standard error open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its number; `None` when the tester may not look at it.
    pub pid: Option<i32>,
    /// When it was started, in clock ticks since boot; `None` when it has gone since.
    pub started: Option<u64>,
    /// The name of its program.
    pub command: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "{} (pid {pid})", self.command),
            None => f.write_str(&self.command),
        }
    }
}

/// Why reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The agent exited or was killed by somebody else.
    Done,
    /// The limit was over.
    TimedOut,
    /// A signal told the tester to end.
    Interrupted,
}

/// What an agent printed.
#[derive(Debug)]
pub(crate) struct Collected {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) truncated: bool,
    pub(crate) ended: Ended,
    pub(crate) holders: Vec<Holder>,
}

/// One of the two streams.
struct Stream {
    file: Option<File>,
    bytes: Vec<u8>,
    truncated: bool,
}

impl Stream {
    fn new(pipe: Option<OwnedFd>) -> io::Result<Self> {
        if let Some(pipe) = &pipe {
            fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        Ok(Self { file: pipe.map(File::from), bytes: Vec::new(), truncated: false })
    }

    /// Takes what is there, up to one pipe's worth: an endless writer must not keep us here.
    fn drain(&mut self) {
        let mut buffer = [0; 65536];
        let Some(file) = &mut self.file else { return };
        match file.read(&mut buffer) {
            Ok(0) => self.file = None,
            Ok(count) => {
                let room = OUTPUT_CAP.saturating_sub(self.bytes.len());
                self.bytes.extend_from_slice(buffer.get(..count.min(room)).unwrap_or_default());
                self.truncated |= count > room;
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) => {}
            Err(_) => self.file = None,
        }
    }
}

/// Reads both streams until the other end of `done` is closed, which says that the agent ended.
/// When the deadline passes or a signal comes, `kill` is called and the end awaited.
pub(crate) fn collect(
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    done: &OwnedFd,
    deadline: Instant,
    interrupt: Option<&Interrupt>,
    kill: &dyn Fn(),
) -> io::Result<Collected> {
    let mut streams = [Stream::new(stdout)?, Stream::new(stderr)?];
    let mut ended = Ended::Done;
    let mut deadline = deadline;
    while !wait(
        &mut streams,
        Some(done.as_fd()),
        interrupt.filter(|_| ended == Ended::Done),
        deadline,
    )? {
        let over = Instant::now() >= deadline;
        match (ended, over, interrupt.and_then(Interrupt::received)) {
            (Ended::Done, _, Some(_)) => ended = Ended::Interrupted,
            (Ended::Done, true, None) => ended = Ended::TimedOut,
            (Ended::Done, ..) => continue,
            (_, true, _) => {
                return Err(io::Error::other("it can't be killed: stuck in the kernel"));
            }
            _ => continue,
        }
        kill();
        deadline = Instant::now() + KILL_GRACE;
    }
    let grace = Instant::now() + HOLD_GRACE;
    while streams.iter().any(|stream| stream.file.is_some()) && Instant::now() < grace {
        wait(&mut streams, None, None, grace)?;
    }
    let mut holders: Vec<Holder> = Vec::new();
    for holder in streams.iter().filter_map(|stream| stream.file.as_ref()).flat_map(find_holders) {
        if !holders.contains(&holder) {
            holders.push(holder);
        }
    }
    let [stdout, stderr] = streams;
    Ok(Collected {
        truncated: stdout.truncated || stderr.truncated,
        stdout: stdout.bytes,
        stderr: stderr.bytes,
        ended,
        holders,
    })
}

/// One round: waits for news until the deadline, reads what came; says whether `done` was closed.
fn wait(
    streams: &mut [Stream; 2],
    done: Option<BorrowedFd<'_>>,
    interrupt: Option<&Interrupt>,
    deadline: Instant,
) -> io::Result<bool> {
    let open: Vec<BorrowedFd<'_>> =
        streams.iter().filter_map(|stream| stream.file.as_ref().map(AsFd::as_fd)).collect();
    let mut watched: Vec<PollFd<'_>> = done
        .into_iter()
        .chain(interrupt.map(AsFd::as_fd))
        .chain(open)
        .map(|descriptor| PollFd::new(descriptor, PollFlags::POLLIN))
        .collect();
    let left = deadline.saturating_duration_since(Instant::now());
    // One millisecond more than is left, so that the deadline is over when poll returns.
    let timeout =
        PollTimeout::try_from(left.as_millis().saturating_add(1)).unwrap_or(PollTimeout::MAX);
    match poll(&mut watched, timeout) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => {}
        Err(error) => return Err(error.into()),
    }
    let closed = done.is_some() && watched.first().and_then(PollFd::any).unwrap_or_default();
    drop(watched);
    for stream in streams {
        stream.drain();
    }
    Ok(closed)
}

/// Who has the other end of this pipe open.
fn find_holders(pipe: &File) -> Vec<Holder> {
    let Ok(inode) = pipe.metadata().map(|metadata| metadata.ino()) else { return Vec::new() };
    let link = format!("pipe:[{inode}]");
    let own = std::process::id().cast_signed();
    // A child that is just being started by another thread has the pipe, too, and lets it go.
    let all = family::without_births(|| {
        let all = ledger::process_numbers().into_iter();
        all.filter(|pid| *pid != own && has_open(*pid, &link)).collect::<Vec<i32>>()
    });
    let mut holders: Vec<Holder> = all
        .into_iter()
        .map(|pid| Holder {
            pid: Some(pid),
            started: ledger::start_time(pid),
            command: ledger::program_name(pid),
        })
        .collect();
    if holders.is_empty() && !at_end(pipe) {
        let command = "a process of another user".to_owned();
        holders.push(Holder { pid: None, started: None, command });
    }
    holders
}

fn has_open(pid: i32, link: &str) -> bool {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    entries
        .flatten()
        .any(|entry| fs::read_link(entry.path()).is_ok_and(|target| target.as_os_str() == link))
}

/// Whether nobody can write into the pipe any more.
fn at_end(pipe: &File) -> bool {
    let mut watched = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
    let polled = poll(&mut watched, PollTimeout::ZERO).is_ok();
    polled
        && watched
            .iter()
            .filter_map(PollFd::revents)
            .any(|events| events.contains(PollFlags::POLLHUP))
}
