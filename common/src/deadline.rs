// SPDX-License-Identifier: Apache-2.0 OR MIT
//! When an action has to be over. Pacemaker kills an action's process group with SIGKILL when its
//! timeout ends, with no TERM first; an action that gives up a little earlier can still say why.
//!
//! Measured from the process's own start, not from when we first looked at a clock: on a busy node
//! the time before that counts too, and Pacemaker counts it.

use std::cell::OnceCell;
use std::time::{Duration, Instant};

/// A longer timeout is none: ten years.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The end of an action's time, on the monotonic clock.
#[derive(Debug, Clone)]
pub struct Deadline {
    timeout: Duration,
    budget: Duration,
    entered: Instant,
    started: OnceCell<Instant>,
}

impl Deadline {
    /// For a timeout counted from the start of this process.
    #[must_use]
    pub fn of_process(timeout: Duration) -> Self {
        let timeout = timeout.min(LONGEST);
        let budget = timeout - margin(timeout);
        Self { timeout, budget, entered: Instant::now(), started: OnceCell::new() }
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
        self.started.get_or_init(|| process_start(self.entered, self.timeout)).elapsed()
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
        Self { budget: self.budget.min(self.used().saturating_add(limit)), ..self.clone() }
    }
}

/// What is kept back to end in good order: a tenth, at least 0.2 s and at most 2 s, and never more
/// than half.
fn margin(timeout: Duration) -> Duration {
    let tenth = timeout / 10;
    tenth.clamp(Duration::from_millis(200), Duration::from_secs(2)).min(timeout / 2)
}

/// When this process started (proc_pid_stat(5), field 22), from the moment we first knew it. A process
/// that was older than its whole timeout then did something else before, as a wrapper that turned into
/// the agent does: its manager would have killed it otherwise. Then the clock starts with us.
fn process_start(entered: Instant, timeout: Duration) -> Instant {
    let age = crate::process::age_of_self().unwrap_or_default();
    let age_at_entry = age.saturating_sub(entered.elapsed());
    let is_ours = |age: &Duration| *age < timeout;
    Some(age_at_entry).filter(is_ours).and_then(|age| entered.checked_sub(age)).unwrap_or(entered)
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

    #[test]
    #[expect(clippy::disallowed_methods, reason = "to grow older")]
    fn a_process_older_than_its_timeout_was_something_else_before() {
        std::thread::sleep(Duration::from_millis(50));
        let deadline = Deadline::of_process(Duration::from_millis(40));
        assert!(deadline.used() < Duration::from_millis(40), "{:?}", deadline.used());
    }

    #[test]
    fn an_absurd_timeout_is_no_trap() {
        let deadline = Deadline::of_process(Duration::MAX);
        assert!(deadline.share(75).left() > seconds(3600));
        assert!(!deadline.within(Duration::MAX).is_over());
    }
}
