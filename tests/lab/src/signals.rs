//! Ctrl-C and its kin as something that can be waited for.
//!
//! The signals are blocked and read from a descriptor. So no handler runs in the middle of
//! anything, every wait of the lab can watch for them, and containers are removed by ordinary
//! code on the ordinary way out.

use crate::{Error, Result};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

/// The signals that end a run in an orderly way.
const ENDING: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// The ending signals of this process, seen at most once each.
#[derive(Debug)]
pub struct Signals {
    fd: SignalFd,
    first: AtomicI32,
}

impl Signals {
    /// Blocks the ending signals in this thread, and in every thread it starts from now on.
    ///
    /// # Errors
    /// When the kernel refuses the mask or the descriptor.
    pub fn block() -> Result<Self> {
        let mut set = SigSet::empty();
        for signal in ENDING {
            set.add(signal);
        }
        set.thread_block().map_err(|e| Error::new(format!("cannot block signals: {e}")))?;
        let fd = SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
            .map_err(|e| Error::new(format!("cannot open a signal descriptor: {e}")))?;
        Ok(Self { fd, first: AtomicI32::new(0) })
    }

    /// An error once an ending signal has come; the first one counts, and is kept.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn check(&self) -> Result<()> {
        while let Ok(Some(info)) = self.fd.read_signal() {
            let number = i32::try_from(info.ssi_signo).unwrap_or(0);
            let _ = self.first.compare_exchange(0, number, Ordering::SeqCst, Ordering::SeqCst);
        }
        match Signal::try_from(self.first.load(Ordering::SeqCst)) {
            Ok(signal) => Err(Error::Interrupted(signal)),
            Err(_) => Ok(()),
        }
    }

    /// The descriptor that becomes readable when a signal comes.
    #[must_use]
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Waits for `time`, or until an ending signal comes.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn pause(&self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        loop {
            self.check()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let mut fds = [PollFd::new(self.fd.as_fd(), PollFlags::POLLIN)];
            // A poll that fails (EINTR) is only a shorter wait: the loop looks at the clock.
            let _ = poll(&mut fds, timeout(left));
        }
    }
}

/// A wait for `poll`, rounded up so that a loop around it does not spin through its last
/// millisecond.
#[must_use]
pub fn timeout(time: Duration) -> PollTimeout {
    PollTimeout::try_from(time + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
}
