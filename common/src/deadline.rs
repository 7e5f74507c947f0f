// SPDX-License-Identifier: Apache-2.0 OR MIT
//! When an action has to be over. Pacemaker kills an action's process group with SIGKILL when its
//! timeout ends, with no TERM first; an action that gives up a little earlier can still say why.
//!
//! Measured from the process's own start, not from when we first looked at a clock: on a busy node
//! the time before that counts too, and Pacemaker counts it.

use std::cell::OnceCell;
use std::time::{Duration, Instant};

/// The end of an action's time, on the monotonic clock.
#[derive(Debug, Clone)]
pub struct Deadline {
    timeout: Duration,
    budget: Duration,
    started: OnceCell<Instant>,
}

impl Deadline {
    /// For a timeout counted from the start of this process.
    #[must_use]
    pub fn of_process(timeout: Duration) -> Self {
        Self { timeout, budget: timeout - margin(timeout), started: OnceCell::new() }
    }

    /// For a timeout counted from a moment (tests, parts of an action).
    #[must_use]
    pub fn since(started: Instant, timeout: Duration) -> Self {
        Self { started: OnceCell::from(started), ..Self::of_process(timeout) }
    }

    /// The whole timeout, as the manager counts it.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Time used up.
    #[must_use]
    pub fn used(&self) -> Duration {
        self.started.get_or_init(process_start).elapsed()
    }

    /// Time left until the action has to end; zero when it is over.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.budget.saturating_sub(self.used())
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.left().is_zero()
    }

    /// An earlier deadline, of the first `percent` of the budget: what a stop may spend on asking
    /// politely, so that at least a quarter remains for force and proof.
    #[must_use]
    pub fn share(&self, percent: u32) -> Self {
        Self { budget: self.budget * percent.min(100) / 100, ..self.clone() }
    }

    /// The earlier of this and a deadline that far from now.
    #[must_use]
    pub fn within(&self, limit: Duration) -> Self {
        Self { budget: self.budget.min(self.used() + limit), ..self.clone() }
    }
}

/// What is kept back to end in good order: a tenth, at least 0.2 s and at most 2 s, and never more
/// than half.
fn margin(timeout: Duration) -> Duration {
    let tenth = timeout / 10;
    tenth.clamp(Duration::from_millis(200), Duration::from_secs(2)).min(timeout / 2)
}

/// When this process started. The kernel gives it in hundredths of a second since boot
/// (proc_pid_stat(5), field 22); where that can't be read, now.
fn process_start() -> Instant {
    let now = Instant::now();
    let age = crate::process::Identity::of_self().and_then(|identity| identity.age());
    age.and_then(|age| now.checked_sub(age)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn the_margin_is_a_tenth_within_bounds() {
        assert_eq!(margin(seconds(10)), seconds(1));
        assert_eq!(margin(seconds(600)), seconds(2));
        assert_eq!(margin(seconds(1)), Duration::from_millis(200));
        assert_eq!(margin(Duration::from_millis(100)), Duration::from_millis(50));
    }

    #[test]
    fn a_share_leaves_the_rest_for_force() {
        let whole = Deadline::since(Instant::now(), seconds(100));
        let part = whole.share(75);
        assert!(part.left() <= Duration::from_millis(73_500));
        assert!(part.left() > seconds(70), "{:?}", part.left());
        let short = whole.within(seconds(5));
        assert!(short.left() <= seconds(5) && short.left() > seconds(3), "{:?}", short.left());
    }

    #[test]
    fn the_clock_starts_with_the_process() {
        let deadline = Deadline::of_process(seconds(3600));
        assert!(deadline.used() < seconds(3600), "{:?}", deadline.used());
        assert!(Deadline::since(Instant::now(), Duration::ZERO).is_over());
    }
}
