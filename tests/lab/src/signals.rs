// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Ctrl-C and its kin as something that is looked for, not something that happens.
//!
//! A handler notes the first signal and does nothing else; every wait of the lab looks at the
//! note. So containers are removed by ordinary code on the ordinary way out. Blocking the signals
//! and reading them from a descriptor would need no handler, but programs inherit what is
//! blocked, and could no longer be interrupted themselves.

use crate::{Error, Result};
use nix::poll::{PollTimeout, poll};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

/// The signals that end a run in an orderly way.
const ENDING: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// How long a wait may go on without a look at the note: the signal may have interrupted another
/// thread's wait.
const LOOK: Duration = Duration::from_millis(50);

/// Number of the first signal that came; 0 before that.
static FIRST: AtomicI32 = AtomicI32::new(0);

extern "C" fn note(signal: i32) {
    let _ = FIRST.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
}

/// Whether this process has been asked to end.
#[derive(Debug, Clone, Copy)]
pub struct Signals {
    are_caught: bool,
}

impl Signals {
    /// Catches the ending signals of this process from now on.
    ///
    /// # Errors
    /// The kernel refuses.
    #[expect(unsafe_code, reason = "sigaction(2): the handler is one atomic operation")]
    pub fn catch() -> Result<Self> {
        // Reads and locks go on; poll(2) ends all the same, and the lab waits nowhere else.
        let restart = SaFlags::SA_RESTART;
        let action = SigAction::new(SigHandler::Handler(note), restart, SigSet::empty());
        for signal in ENDING {
            // SAFETY: `note` only touches an atomic, which is async-signal-safe
            // (signal-safety(7)), and there was no handler that anybody relied on.
            unsafe { sigaction(signal, &action) }
                .map_err(|e| Error::new(format!("cannot catch {signal}: {e}")))?;
        }
        Ok(Self { are_caught: true })
    }

    /// Leaves signals to do what they do in this process, such as a test's.
    #[must_use]
    pub fn left_alone() -> Self {
        Self { are_caught: false }
    }

    /// An error once an ending signal has come.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn check(self) -> Result<()> {
        match Signal::try_from(FIRST.load(Ordering::SeqCst)) {
            Ok(signal) if self.are_caught => Err(Error::Interrupted(signal)),
            _ => Ok(()),
        }
    }

    /// Waits for `time`, or until an ending signal comes.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn pause(self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        loop {
            self.check()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            // A poll that fails (EINTR) is only a shorter wait: the loop looks at the clock.
            let _ = poll(&mut [], timeout(left.min(LOOK)));
        }
    }
}

/// A wait for `poll`, rounded up so that a loop around it does not spin through its last
/// millisecond.
#[must_use]
pub fn timeout(time: Duration) -> PollTimeout {
    PollTimeout::try_from(time + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
}
