// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The processes that come from this one, however far they went: a daemon with a session of its
//! own and without any environment, too.
//!
//! A process whose parent has ended is given to init, and nothing tells any more where it came
//! from, unless an ancestor asked for it (`PR_SET_CHILD_SUBREAPER`, prctl(2)). The command
//! `ocf-tester` asks. Only what another service manager starts on the agent's behalf (systemd, a
//! container engine) is out of reach.

use crate::child;
use crate::ledger::{self, Process, pause};
use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::{Pid, getpgid, getpgrp, getppid};
use std::collections::BTreeSet;
use std::io;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The descendants there were before, with what descends from them: a shell that starts a process
/// and then becomes the tester has them (`ocf-tester … > >(tee log)`). Set once this one adopts.
static STRANGERS: Mutex<Option<BTreeSet<(i32, u64)>>> = Mutex::new(None);

/// The children that somebody waits for.
static AWAITED: Mutex<BTreeSet<Pid>> = Mutex::new(BTreeSet::new());

/// How often is looked while somebody else's child has to be waited for by them.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// From now on every orphaned descendant becomes a child of this process, which ends it when its
/// run is over. For a process that makes one run at a time and starts nothing but agents.
///
/// # Errors
/// The kernel's, when it doesn't know the request.
pub fn adopt() -> nix::Result<()> {
    *strangers() = Some(ledger::lineage(&ledger::children(own_number())));
    prctl::set_child_subreaper(true)
}

fn strangers() -> MutexGuard<'static, Option<BTreeSet<(i32, u64)>>> {
    STRANGERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether orphans come to this process.
fn is_adopting() -> bool {
    strangers().is_some()
}

/// The children from which all descent is counted; none when orphans don't come here, because
/// then several runs may be under way in this process.
pub(crate) fn roots() -> BTreeSet<(i32, u64)> {
    let mut strangers = strangers();
    let Some(strangers) = &mut *strangers else { return BTreeSet::new() };
    if !strangers.is_empty() {
        // What they have started since may come to this process once they have ended.
        let more = ledger::lineage(strangers);
        strangers.extend(more);
    }
    &ledger::children(own_number()) - strangers
}

fn own_number() -> i32 {
    std::process::id().cast_signed()
}

/// Whether a process that was started then, in clock ticks since boot, is younger than this one:
/// what is older was not started by an agent under test.
pub(crate) fn is_younger(started: u64) -> bool {
    ledger::start_time(own_number()).is_some_and(|own| own <= started)
}

fn awaited() -> MutexGuard<'static, BTreeSet<Pid>> {
    AWAITED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes sure that no child is between fork and exec meanwhile, where it has copies of every
/// descriptor of this process.
pub(crate) fn without_births<T>(work: impl FnOnce() -> T) -> T {
    let _guard = awaited();
    work()
}

/// Starts a child that the caller waits for, and then calls [`forget`].
pub(crate) fn spawn(command: &mut Command) -> io::Result<Child> {
    reap_orphans();
    let mut awaited = awaited();
    let child = command.spawn()?;
    awaited.insert(Pid::from_raw(child.id().cast_signed()));
    Ok(child)
}

/// Leaves an orphan that has ended, or will, as it is until [`forget`]: it stays a zombie. Whether
/// it came to this process.
pub(crate) fn keep(process: &Process) -> bool {
    let is_ours = is_adopting() && roots().contains(&(process.pid, process.started));
    if is_ours {
        awaited().insert(Pid::from_raw(process.pid));
    }
    is_ours
}

/// The caller has waited for this child: its number may be another process's from now on.
pub(crate) fn forget(child: Pid) {
    awaited().remove(&child);
}

/// Returns when the child has ended; it stays a zombie, so that its number can't be reused. Orphans
/// that end meanwhile are taken away at once, as init does it: an agent's stop waits for that.
pub(crate) fn await_end(child: Pid) {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
    let whom = || if is_adopting() { Id::All } else { Id::Pid(child) };
    loop {
        match waitid(whom(), flags).map(|status| status.pid()) {
            Ok(Some(ended)) if ended != child => {
                if !reap(ended) {
                    // Each thread sees the dead in another order: two that wait for each other's
                    // to go first would wait for ever.
                    let own = waitid(Id::Pid(child), flags | WaitPidFlag::WNOHANG);
                    if own.is_ok_and(|status| status.pid().is_some()) {
                        return;
                    }
                    pause(LOOK_AGAIN);
                }
            }
            Err(Errno::EINTR) => {}
            Ok(_) | Err(_) => return,
        }
    }
}

/// Takes away the orphans that have ended, and kills the groups they were in: a process that starts
/// itself anew and ends, over and over, is never there when somebody looks, but what comes after it
/// is in its group. While the dead one isn't taken away, the group's number is no other group's. The
/// orphans are told by number and start time, and whether they were killed.
pub(crate) fn end_groups_of_orphans() -> Vec<((i32, u64), bool)> {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::WNOHANG;
    let mut all = Vec::new();
    while is_adopting()
        && let Ok(status) = waitid(Id::All, flags)
        && let Some(pid) = status.pid()
    {
        let killed = matches!(status, WaitStatus::Signaled(_, Signal::SIGKILL, _));
        let group = getpgid(Some(pid)).ok().filter(|group| is_foreign(*group, pid));
        if let Some(group) = group {
            let _ = killpg(group, Signal::SIGKILL);
            let started = ledger::start_time(pid.as_raw());
            all.extend(started.map(|started| ((pid.as_raw(), started), killed)));
        }
        if !reap(pid) {
            break;
        }
    }
    all
}

/// Whether a group is neither this process's own, nor that of its parent, nor one of those that were
/// there before.
fn is_foreign(group: Pid, member: Pid) -> bool {
    let strangers = strangers().clone().unwrap_or_default();
    let is_member = strangers.iter().any(|(pid, started)| {
        let pid = Pid::from_raw(*pid);
        let is_there = ledger::start_time(pid.as_raw()) == Some(*started);
        is_there && (pid == member || getpgid(Some(pid)) == Ok(group))
    });
    !is_member && group != getpgrp() && getpgid(Some(getppid())) != Ok(group)
}

/// Takes away the orphans that have ended.
pub(crate) fn reap_orphans() {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::WNOHANG;
    while is_adopting()
        && let Ok(Some(ended)) = waitid(Id::All, flags).map(|status: WaitStatus| status.pid())
        && reap(ended)
    {}
}

/// Whether any process that a run has started is there still. The kernel knows, and misses none,
/// where a look at /proc may come between the end of one process and the birth of the next. Says no
/// where others than orphans may be among the children.
pub(crate) fn is_left_with_some() -> bool {
    if strangers().as_ref().is_none_or(|strangers| !strangers.is_empty()) {
        return false;
    }
    reap_orphans();
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::WNOHANG;
    waitid(Id::All, flags) != Err(Errno::ECHILD)
}

/// Takes away the orphans that end, until told that it is over: for a run whose processes somebody
/// follows with ptrace, and are left to them.
pub(crate) fn reap_orphans_until(over: &AtomicBool) {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::WNOHANG;
    while is_adopting() && !over.load(Ordering::Relaxed) {
        match waitid(Id::All, flags).map(|status| status.pid()) {
            Ok(Some(ended)) if !ledger::is_traced(ended.as_raw()) && reap(ended) => {}
            _ => pause(LOOK_AGAIN),
        }
    }
}

/// Takes away a child that has ended, unless somebody waits for it.
fn reap(child: Pid) -> bool {
    let awaited = awaited();
    if awaited.contains(&child) {
        return false;
    }
    let _ = waitpid(child, Some(WaitPidFlag::WNOHANG));
    true
}

/// Kills this very process, never another one that got its number.
pub(crate) fn end(process: &Process) {
    let pid = Pid::from_raw(process.pid);
    let is_same = || ledger::start_time(process.pid) == Some(process.started);
    match child::open_process(pid) {
        Ok(descriptor) if is_same() => {
            let _ = child::kill_process(&descriptor);
        }
        // Before Linux 5.3: the best that can be done.
        Err(Errno::ENOSYS) if is_same() => {
            let _ = kill(pid, Signal::SIGKILL);
        }
        _ => {}
    }
}
