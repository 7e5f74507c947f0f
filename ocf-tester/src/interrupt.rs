// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Ctrl-C and its kin as a file descriptor, so that a running check can be ended and the resource
//! stopped, instead of the tester dying where it stands.

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::OnceLock;

/// The signals that ask the tester to end: INT, TERM and HUP.
#[derive(Debug)]
pub struct Interrupt {
    descriptor: SignalFd,
    seen: OnceLock<Signal>,
}

impl Interrupt {
    /// Blocks the signals in this thread and collects them. To be called first in `main`, before
    /// any other thread exists: a thread that doesn't block them would be killed by them.
    ///
    /// # Errors
    /// The kernel's error when there is no file descriptor left.
    pub fn install() -> nix::Result<Self> {
        let mut signals = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            signals.add(signal);
        }
        signals.thread_block()?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        Ok(Self { descriptor: SignalFd::with_flags(&signals, flags)?, seen: OnceLock::new() })
    }

    /// The first such signal since `install`, if one came.
    pub fn received(&self) -> Option<Signal> {
        if self.seen.get().is_none()
            && let Ok(Some(info)) = self.descriptor.read_signal()
            && let Ok(signal) = i32::try_from(info.ssi_signo).map_err(|_| ()).and_then(parse_signal)
        {
            let _ = self.seen.set(signal);
        }
        self.seen.get().copied()
    }
}

fn parse_signal(number: i32) -> Result<Signal, ()> {
    Signal::try_from(number).map_err(|_| ())
}

impl AsFd for Interrupt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
