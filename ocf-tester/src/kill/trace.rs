// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One run of an action under ptrace: every system call of the action's process group is seen
//! before and after it takes effect; at a chosen one the whole group is killed.
//!
//! ptrace belongs to a thread, so each run has one of its own. A process that leaves the group
//! (a daemon) is let go at once: Pacemaker's KILL wouldn't reach it either.

use super::calls::{self, Attempt};
use super::point::{Call, Lineage, Moment, Target};
use super::sight::Sight;
use crate::agent::{Collected, Ended, Invocation, collect, pid_of, take_pipes};
use crate::child::{SyscallStop, syscall_stop};
use crate::family;
use crate::interrupt::Interrupt;
use nix::errno::Errno;
use nix::sys::ptrace::{self, Event, Options};
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpgid};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Instant;

/// How the action's own process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Exit(i32),
    Signal(Signal),
    Lost,
}

/// What one run did.
#[derive(Debug)]
pub(super) struct Run {
    /// How many system calls the group made.
    pub(super) total: usize,
    /// Those that may change state, in the order in which they began.
    pub(super) calls: Vec<Call>,
    /// The call at which the group was killed.
    pub(super) killed_at: Option<Call>,
    /// How the action's own process ended.
    pub(super) end: End,
    /// Whether the limit ended it.
    pub(super) timed_out: bool,
    /// What it printed; nothing when it could not be started.
    pub(super) printed: Option<Collected>,
    /// What it was seen to start and to make.
    pub(super) sight: Sight,
}

/// What a run is for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// To look at every process of the action, until its own one ends.
    Look,
    /// To look at its process group, and to kill that at the target, if there is one.
    Trial(Option<Target>),
}

/// Runs the action and, given a target, kills its process group there.
pub(super) fn run(
    invocation: &Invocation,
    purpose: Purpose,
    interrupt: Option<&Interrupt>,
) -> io::Result<Run> {
    let (done, ended) = io::pipe()?;
    let over = &AtomicBool::new(false);
    let (sender, receiver) = channel();
    std::thread::scope(|scope| {
        let tracer = scope.spawn(move || {
            let result = follow(invocation, purpose, sender);
            drop(ended);
            result
        });
        scope.spawn(|| family::reap_orphans_until(over));
        // No message: the agent could not be started, and the thread says why.
        let collected = receiver.recv().ok().map(|(group, stdout, stderr)| {
            let kill = || {
                let _ = killpg(group, Signal::SIGKILL);
            };
            let deadline = invocation.deadline(Instant::now());
            collect(stdout, stderr, &done.into(), deadline, interrupt, &kill)
        });
        let traced = tracer.join();
        over.store(true, Ordering::Relaxed);
        let mut run = traced.map_err(|_| io::Error::other("the tracer broke off"))??;
        if let Some(collected) = collected {
            let collected = collected?;
            run.timed_out = collected.ended == Ended::TimedOut;
            run.printed = Some(collected);
        }
        Ok(run)
    })
}

type Started = (Pid, Option<OwnedFd>, Option<OwnedFd>);

/// The tracer's thread: starts the agent as its tracee and follows it to the end.
fn follow(invocation: &Invocation, purpose: Purpose, sender: Sender<Started>) -> io::Result<Run> {
    // A static binary and a shell script alike stop right after exec, because of PTRACE_TRACEME.
    let mut child = family::spawn(&mut invocation.command(true)?)?;
    let root = pid_of(&child);
    let (stdout, stderr) = take_pipes(&mut child);
    if !matches!(waitpid(root, Some(flags()))?, WaitStatus::Stopped(..)) {
        return Err(io::Error::other("it ended before it could be traced"));
    }
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_EXITKILL
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEEXEC;
    ptrace::setoptions(root, options)?;
    let _ = sender.send((root, stdout, stderr));
    let mut tracer = Tracer::new(root, purpose);
    tracer.resume(root, None);
    loop {
        match waitpid(None, Some(flags())) {
            Ok(status) => tracer.handle(status),
            Err(Errno::EINTR) => {}
            Err(Errno::ECHILD) => {
                family::forget(root);
                return Ok(tracer.run);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Only this thread's tracees: other threads run agents of their own.
fn flags() -> WaitPidFlag {
    WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD
}

/// What is known about one process (or thread) of the action.
struct Tracee {
    lineage: Lineage,
    children: u32,
    ordinal: usize,
    /// The call it is in, if that may change state: position in the run's list.
    inside: Option<usize>,
}

impl Tracee {
    fn new(lineage: Lineage) -> Self {
        Self { lineage, children: 0, ordinal: 0, inside: None }
    }
}

struct Tracer {
    root: Pid,
    target: Option<Target>,
    /// Whether what leaves the process group is followed, too.
    looks_far: bool,
    tracees: BTreeMap<Pid, Tracee>,
    /// Children whose parent has told of them and that haven't stopped yet.
    announced: BTreeMap<Pid, Lineage>,
    /// Children that have stopped before their parent told of them.
    early: BTreeSet<Pid>,
    /// The action is over; whoever is left is let go.
    releasing: bool,
    /// Who was let go then, and may be stopped.
    released: Vec<Pid>,
    run: Run,
}

impl Tracer {
    fn new(root: Pid, purpose: Purpose) -> Self {
        let (target, looks_far) = match purpose {
            Purpose::Look => (None, true),
            Purpose::Trial(target) => (target, false),
        };
        Self {
            root,
            target,
            looks_far,
            tracees: BTreeMap::from([(root, Tracee::new(Lineage::root()))]),
            announced: BTreeMap::new(),
            early: BTreeSet::new(),
            releasing: false,
            released: Vec::new(),
            run: Run {
                total: 0,
                calls: Vec::new(),
                killed_at: None,
                end: End::Lost,
                timed_out: false,
                printed: None,
                sight: Sight::default(),
            },
        }
    }

    /// Lets a stopped tracee go on to its next system call. One that has died meanwhile is told of
    /// by waitpid, so errors mean nothing here.
    fn resume(&self, pid: Pid, signal: Option<Signal>) {
        let _ = ptrace::syscall(pid, signal);
    }

    fn handle(&mut self, status: WaitStatus) {
        match status {
            WaitStatus::PtraceSyscall(pid) => self.system_call(pid),
            WaitStatus::PtraceEvent(pid, _, event) => self.event(pid, event),
            WaitStatus::Stopped(pid, signal) => self.signal(pid, signal),
            WaitStatus::Exited(pid, code) => self.ended(pid, End::Exit(code)),
            WaitStatus::Signaled(pid, signal, _) => self.ended(pid, End::Signal(signal)),
            WaitStatus::Continued(_) | WaitStatus::StillAlive => {}
        }
    }

    fn ended(&mut self, pid: Pid, end: End) {
        self.tracees.remove(&pid);
        self.announced.remove(&pid);
        self.early.remove(&pid);
        if pid == self.root {
            self.run.end = end;
            self.release();
        }
        self.let_all_go_on();
    }

    /// The action's own process has ended: what it leaves running is no longer part of it. Each is
    /// made to stop, because only a stopped tracee can be let go.
    fn release(&mut self) {
        self.releasing = true;
        let all: Vec<Pid> = self.tracees.keys().chain(&self.early).copied().collect();
        for pid in all {
            if self.early.contains(&pid) {
                self.let_go(pid, None);
            } else {
                let _ = kill(pid, Signal::SIGSTOP);
            }
        }
    }

    /// Ends the tracing of a stopped process, which goes on undisturbed.
    fn let_go(&mut self, pid: Pid, signal: Option<Signal>) {
        let _ = ptrace::detach(pid, signal);
        self.tracees.remove(&pid);
        self.announced.remove(&pid);
        self.early.remove(&pid);
        if self.releasing {
            self.released.push(pid);
        }
        self.let_all_go_on();
    }

    /// Takes back the SIGSTOPs of `release`, once nobody has to stop any more.
    fn let_all_go_on(&mut self) {
        if self.releasing && self.tracees.is_empty() && self.early.is_empty() {
            for pid in self.released.drain(..) {
                let _ = kill(pid, Signal::SIGCONT);
            }
        }
    }

    fn event(&mut self, pid: Pid, event: i32) {
        let message = ptrace::getevent(pid).unwrap_or_default();
        let other = Pid::from_raw(i32::try_from(message).unwrap_or_default());
        if event == Event::PTRACE_EVENT_EXEC as i32 {
            self.run.sight.became(pid);
            // exec by a thread that isn't the first: it takes over the first one's number.
            if other != pid
                && let Some(tracee) = self.tracees.remove(&other)
            {
                self.tracees.insert(pid, tracee);
            }
        } else {
            self.announce(pid, other);
        }
        if self.releasing {
            self.let_go(pid, None);
        } else {
            self.resume(pid, None);
        }
    }

    fn announce(&mut self, parent: Pid, child: Pid) {
        self.run.sight.born(parent, child);
        let Some(tracee) = self.tracees.get_mut(&parent) else { return };
        let lineage = tracee.lineage.child(tracee.children);
        tracee.children += 1;
        if self.early.remove(&child) {
            self.tracees.insert(child, Tracee::new(lineage));
            self.resume(child, None);
        } else {
            self.announced.insert(child, lineage);
        }
    }

    fn signal(&mut self, pid: Pid, signal: Signal) {
        if self.releasing {
            // SIGSTOP is for a whole process, and is delivered, so that its other threads stop, too.
            return self.let_go(pid, Some(signal));
        }
        if self.tracees.contains_key(&pid) {
            // A group stop has no siginfo, and isn't a signal that could be delivered again.
            let delivered = ptrace::getsiginfo(pid).is_ok();
            return self.resume(pid, Some(signal).filter(|_| delivered));
        }
        // The first stop of a new child, which ptrace itself has caused.
        match self.announced.remove(&pid) {
            Some(lineage) => {
                self.tracees.insert(pid, Tracee::new(lineage));
                self.resume(pid, None);
            }
            None => {
                self.early.insert(pid);
            }
        }
    }

    fn system_call(&mut self, pid: Pid) {
        if self.releasing || self.has_left(pid) {
            return self.let_go(pid, None);
        }
        let killed = match syscall_stop(pid) {
            Ok(Some(SyscallStop::Entry { number, arguments })) => {
                self.run.total += 1;
                if let Some(path) = calls::made(pid, number, &arguments) {
                    self.run.sight.will_make(path);
                }
                match calls::attempt(pid, number, &arguments) {
                    Some(attempt) => self.enters(pid, attempt),
                    None => false,
                }
            }
            Ok(Some(SyscallStop::Exit { result })) => self.leaves(pid, result),
            Ok(None) | Err(_) => false,
        };
        if !killed {
            self.resume(pid, None);
        }
    }

    /// Whether a process is out of reach of the KILL for the action's process group.
    fn has_left(&self, pid: Pid) -> bool {
        !self.looks_far
            && pid != self.root
            && getpgid(Some(pid)).is_ok_and(|group| group != self.root)
    }

    /// A call begins; says whether the group was killed there.
    fn enters(&mut self, pid: Pid, attempt: Attempt) -> bool {
        let Some(tracee) = self.tracees.get_mut(&pid) else { return false };
        tracee.ordinal += 1;
        tracee.inside = Some(self.run.calls.len());
        let Attempt { name, arguments } = attempt;
        let (process, ordinal) = (tracee.lineage.clone(), tracee.ordinal);
        let call = Call { index: self.run.total, process, ordinal, name, arguments, result: None };
        self.run.calls.push(call.clone());
        self.kill_if(&call, Moment::Before)
    }

    /// A call has returned; says whether the group was killed there.
    fn leaves(&mut self, pid: Pid, result: i64) -> bool {
        let inside = self.tracees.get_mut(&pid).and_then(|tracee| tracee.inside.take());
        let Some(call) = inside.and_then(|position| self.run.calls.get_mut(position)) else {
            return false;
        };
        call.result = Some(result);
        let call = call.clone();
        self.kill_if(&call, Moment::After)
    }

    fn kill_if(&mut self, call: &Call, moment: Moment) -> bool {
        let wanted = self.target.as_ref().is_some_and(|target| {
            target.process == call.process
                && target.ordinal == call.ordinal
                && target.moment == moment
        });
        if wanted && killpg(self.root, Signal::SIGKILL).is_ok() {
            self.run.killed_at = Some(call.clone());
            self.target = None;
            return true;
        }
        false
    }
}
