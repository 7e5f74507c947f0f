// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Ctrl-C and its kin as a file descriptor, so that a running check can be ended and the resource
//! stopped, instead of the tester dying where it stands.

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Everything that would end or stop the tester, sent by a terminal, a supervisor or a person, with
/// a resource running. Not among them: what the kernel sends for a bug of the tester's own (SEGV
/// and its like), PIPE, which a closed report sends, and KILL and STOP, which can't be caught.
const ENDING: &[Signal] = &[
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGTSTP,
    Signal::SIGALRM,
    Signal::SIGVTALRM,
    Signal::SIGPROF,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGIO,
    Signal::SIGPWR,
    Signal::SIGXCPU,
    Signal::SIGXFSZ,
    Signal::SIGSTKFLT,
];

/// Blocked and nothing else: a tester in the background that reads or writes the terminal is
/// stopped by them, unless it blocks them.
const TERMINAL: &[Signal] = &[Signal::SIGTTIN, Signal::SIGTTOU];

/// Signals that follow one another faster are one request: timeout(1) sends its signal to the
/// command and then to the whole group.
const REPEAT: Duration = Duration::from_secs(1);

/// The signals that ask the tester to end: Ctrl-C, Ctrl-\\, Ctrl-Z, TERM and every other one that
/// would end it.
#[derive(Debug)]
pub struct Interrupt {
    descriptor: SignalFd,
    requests: Mutex<Requests>,
}

/// What has come so far.
#[derive(Debug)]
struct Requests {
    first: Option<Signal>,
    last: Instant,
    count: u32,
    /// How many it takes.
    wanted: u32,
}

impl Interrupt {
    /// Blocks the signals in this thread and collects them. To be called first in `main`, before
    /// any other thread exists: a thread that doesn't block them would be killed by them.
    ///
    /// # Errors
    /// The kernel's error when there is no file descriptor left.
    pub fn install() -> nix::Result<Self> {
        let ending = ENDING.iter().copied().collect::<SigSet>();
        let mut blocked = ending;
        blocked.extend(TERMINAL.iter().copied());
        blocked.thread_block()?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let requests = Requests { first: None, last: Instant::now(), count: 0, wanted: 1 };
        let descriptor = SignalFd::with_flags(&ending, flags)?;
        Ok(Self { descriptor, requests: Mutex::new(requests) })
    }

    /// From now on it takes two: the first asks for what is being done already, to clean up, and
    /// the second to leave it.
    pub fn insist(&self) {
        self.requests().wanted = 2;
    }

    /// From now on the first one is enough again.
    pub fn relent(&self) {
        self.requests().wanted = 1;
    }

    /// Whether there was a signal at all, however many it takes.
    pub fn is_asked(&self) -> bool {
        self.received();
        self.requests().first.is_some()
    }

    /// The first signal since `install`, if there were as many as it takes.
    pub fn received(&self) -> Option<Signal> {
        let mut requests = self.requests();
        while let Ok(Some(info)) = self.descriptor.read_signal() {
            let number = i32::try_from(info.ssi_signo).unwrap_or_default();
            if requests.count == 0 || requests.last.elapsed() >= REPEAT {
                requests.count += 1;
                requests.last = Instant::now();
                requests.first = requests.first.or_else(|| Signal::try_from(number).ok());
            }
        }
        requests.first.filter(|_| requests.count >= requests.wanted)
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsFd for Interrupt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
