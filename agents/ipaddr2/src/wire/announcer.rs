// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The process that goes on announcing when the agent has long answered.
//!
//! It is this process once more (fork(2)), in a session of its own, in the same network namespace, and
//! without anything of Pacemaker's: whoever waits for the end of an action's output doesn't wait for it.
//! There is one for each address: it holds a record lock on the address's file. The kernel tells who holds
//! that lock, and lets go of it when the process ends in whatever way: a file that was left behind names
//! nobody, and nobody is ever taken for the announcer. The file stays until [`end`] removes it.
//!
//! Before each step it asks the kernel whether the address is still there, and whether its file is. So it
//! may be killed at any moment, and it never outlives the address by more than one pause.

use super::announce::{Plan, Tally, rest};
use super::socket::Packets;
use crate::kernel::Kernel;
use crate::sys;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::prctl::set_name;
use nix::sys::socket::{AddressFamily, SockaddrLike, SockaddrStorage, getsockname};
use nix::unistd::{ForkResult, chdir, pipe2, setsid};
use ocf::deadline::Deadline;
use ocf::process::{Identity, Signal};
use ocf::{Error, Explain, Result, tracing};
use std::ffi::CStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

/// The time from the end of the first burst to the second one, which is for what didn't forward yet when
/// the first was sent.
pub(crate) const SECOND_BURST_AFTER: Duration = Duration::from_secs(3);

/// How long a start waits for the new process to hold its file: far longer than it takes.
const READY_WITHIN: Duration = Duration::from_secs(2);

/// How long its end is waited for: a KILL takes some milliseconds.
const END_WITHIN: Duration = Duration::from_secs(2);

/// What the process is called (proc_pid_comm(5)): 15 bytes at most.
const NAME: &CStr = c"IPaddr2-garp";

/// Never through a link somebody planted, and without waiting for the reader of a FIFO.
const FLAGS: i32 = libc::O_NOFOLLOW | libc::O_NONBLOCK;

/// What is to be announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bursts {
    /// Two bursts, the second so long after the end of the first: a start's.
    All(Duration),
    /// The second only: [`Plan::send_all`] sent the first.
    Second(Duration),
    /// One burst: a monitor's.
    First,
}

impl Bursts {
    /// Whether the first step is to leave at once.
    const fn is_urgent(self) -> bool {
        matches!(self, Self::All(_) | Self::First)
    }

    /// The steps after that, each with the time to wait before it. What is late makes all that follows it
    /// late: nothing is sent faster than it was asked for.
    fn steps(self, steps: u32, pause: Duration) -> impl Iterator<Item = (Duration, u32)> {
        let (first, second) = match self {
            Self::All(after) => (1..steps, Some(after)),
            Self::Second(after) => (0..0, Some(after)),
            Self::First => (1..steps, None),
        };
        let again = second.map(|_| 0..steps).into_iter().flatten();
        let wait = move |step| if step == 0 { second.unwrap_or(pause) } else { pause };
        first.chain(again).map(move |step| (wait(step), step))
    }
}

/// Announces the address: the first step leaves before this returns, from this process; the rest is sent
/// in the background, by a process that holds its file when this returns. Where there is such a process
/// already, that one goes on alone. What can't be sent is told in the log.
///
/// # Errors
/// When the file can't be made, or no process. The address works none the less.
pub(crate) fn start(kernel: &Kernel, path: &Path, plan: &Plan, bursts: Bursts) -> Result<()> {
    let mut tally = Tally::default();
    let Some(packets) = plan.open(&mut tally) else {
        tally.report(plan);
        return Ok(());
    };
    if bursts.is_urgent() {
        plan.tell(kernel, &packets, 0, &mut tally);
    }
    tally.report(plan);
    if bursts.steps(plan.steps(), Duration::ZERO).next().is_none() {
        return Ok(());
    }
    go_on(path, plan, bursts, &packets)
}

/// Sends the rest in the background. The new process takes over the socket: closing the last reference to
/// one takes the kernel tens of milliseconds, which a start can't wait for.
fn go_on(path: &Path, plan: &Plan, bursts: Bursts, packets: &Packets) -> Result<()> {
    let cannot = |errno: Errno| {
        let why = errno.desc().to_lowercase();
        Error::generic(format!("cannot announce {} in the background: {why}", plan.ip))
    };
    let file = create(path)?;
    let (ready, tell) = pipe2(OFlag::O_CLOEXEC).map_err(cannot)?;
    match sys::fork().map_err(cannot)? {
        ForkResult::Child => {
            let run = AssertUnwindSafe(|| run(path, &file, tell, plan, bursts, packets));
            // Whatever happens there, nothing of the agent may go on twice.
            let _panicked = catch_unwind(run);
            sys::end_process()
        }
        ForkResult::Parent { .. } => {
            drop(tell);
            if wait_ready(ready) || find_holder(&file, path)?.is_some() {
                return Ok(());
            }
            Err(Error::generic(format!("the announcer of {} ended at once", plan.ip)))
        }
    }
}

/// Ends the announcer and removes its file: no packet of its leaves after this returned.
///
/// # Errors
/// When it can't be ended within two seconds, or before the deadline. Then it ends by itself, as soon as it
/// looks for its file or for the address.
pub(crate) fn end(path: &Path, deadline: &Deadline) -> Result<()> {
    let deadline = deadline.within(END_WITHIN);
    while let Some(file) = find(path)? {
        if end_holder(path, &file, &deadline)? || deadline.is_over() {
            break;
        }
    }
    Ok(())
}

/// Ends the announcer that holds a file, and removes that; `false` where another one is at its path by then.
fn end_holder(path: &Path, file: &File, deadline: &Deadline) -> Result<bool> {
    let mut is_removed = false;
    while !lock(file, Lock::Shared).map_err(io::Error::from).explain("lock", path)? {
        match find_holder(file, path)? {
            Some(Holder::Announcer(pid)) => {
                let identity = Identity::of(pid);
                // The pid was looked up before the identity and is so after it: the identity is its.
                let still = find_holder(file, path)? == Some(Holder::Announcer(pid));
                if let Some(identity) = identity.filter(|_| still) {
                    identity.signal(Signal::SIGKILL)?;
                    let _gone = identity.wait_gone(deadline);
                }
            }
            // It ends by itself when it finds its file gone.
            Some(Holder::Invisible) if !is_removed => {
                if is_at(path, file) {
                    remove(path)?;
                }
                is_removed = true;
            }
            Some(Holder::Invisible) | None => {}
            Some(Holder::Other) => break,
        }
        if deadline.is_over() {
            let path = path.display();
            let why = "is held by a process that can't be ended: see lslocks";
            return Err(Error::generic(format!("{path} {why}")));
        }
        rest(Duration::from_millis(1));
    }
    // Nobody starts with this file while it is locked. What another stop left room for isn't this one.
    if !is_at(path, file) {
        return Ok(false);
    }
    // One that can't be removed is nobody's.
    if let Err(error) = remove(path) {
        tracing::warn!("{error}");
    }
    Ok(true)
}

/// Whether there is an announcer.
///
/// # Errors
/// When the file can't be looked at.
pub(crate) fn is_running(path: &Path) -> Result<bool> {
    let Some(file) = find(path)? else { return Ok(false) };
    let holder = find_holder(&file, path)?;
    Ok(matches!(holder, Some(Holder::Announcer(_) | Holder::Invisible)))
}

/// The announcer's whole life.
fn run(path: &Path, file: &File, tell: OwnedFd, plan: &Plan, bursts: Bursts, packets: &Packets) {
    let _leader_already = setsid();
    let _named = set_name(NAME);
    let kept = [file.as_raw_fd(), tell.as_raw_fd(), packets.as_raw_fd()];
    let is_detached = chdir("/").is_ok() && detach(&kept).is_ok();
    if !is_detached || !matches!(lock(file, Lock::Announcer), Ok(true)) || !is_at(path, file) {
        return;
    }
    let _start_was_killed = File::from(tell).write_all(b"1");
    let tally = announce(path, file, plan, bursts, packets);
    tally.report(plan);
}

/// Gives back everything that came from whoever started the agent, and everything that the agent had
/// open: files with their locks, pipes. The log's socket stays: the one to a path that is of our own
/// making, as its flag tells.
fn detach(kept: &[i32]) -> io::Result<()> {
    let nothing = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    let entries = fs::read_dir("/proc/self/fd")?.flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    // The list first: reading it needs a descriptor too.
    for number in numbers.collect::<Vec<_>>() {
        let is_kept = kept.contains(&number) || number == nothing.as_raw_fd();
        let Some(is_own) = sys::closes_on_exec(number) else { continue };
        if is_kept || (number > 2 && is_own && is_local_socket(number)) {
            continue;
        }
        // Replaced, not closed: what still has the number would find another file there later.
        sys::replace_descriptor(nothing.as_fd(), number)?;
    }
    Ok(())
}

fn is_local_socket(number: i32) -> bool {
    getsockname::<SockaddrStorage>(number)
        .is_ok_and(|name| name.family() == Some(AddressFamily::Unix))
}

/// Sends what is left, step by step, as long as there is reason to.
fn announce(path: &Path, file: &File, plan: &Plan, bursts: Bursts, packets: &Packets) -> Tally {
    let mut tally = Tally::default();
    let kernel = match Kernel::open() {
        Ok(kernel) => kernel,
        Err(refusal) => {
            tally.count(Err(refusal.errno));
            return tally;
        }
    };
    let began = Instant::now();
    let longest = plan.longest();
    for (wait, step) in bursts.steps(plan.steps(), plan.pause()) {
        rest(wait.min(longest.saturating_sub(began.elapsed())));
        if began.elapsed() >= longest || !is_at(path, file) {
            break;
        }
        if !plan.tell(&kernel, packets, step, &mut tally) {
            break;
        }
    }
    tally
}

/// Whether a start heard from its announcer; not, when that ended.
fn wait_ready(pipe: OwnedFd) -> bool {
    let mut fds = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
    let _woken = poll(&mut fds, super::socket::timeout(READY_WITHIN));
    let is_woken = fds.iter().any(|fd| fd.any().unwrap_or(false));
    is_woken && File::from(pipe).read_exact(&mut [0]).is_ok()
}

/// The file, made where it is missing: private to root.
fn create(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600).custom_flags(FLAGS);
    let file = options.open(path).explain("open", path)?;
    let is_file = file.metadata().is_ok_and(|found| found.is_file());
    is_file.then_some(file).ok_or_else(|| {
        Error::generic(format!("{} is in the way: it is no regular file", path.display()))
    })
}

/// The file; `None` where there is none. Something else at its path says nothing, and stays.
fn find(path: &Path) -> Result<Option<File>> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Ok(None),
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(error).explain("look at", path),
    }
    // A file system that can't be written to any more is no reason to go on announcing.
    match OpenOptions::new().read(true).custom_flags(FLAGS).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error).explain("open", path),
    }
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if !is_absent(&error) => Err(error).explain("remove", path),
        _ => Ok(()),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Whether the file is still the one at its path.
fn is_at(path: &Path, file: &File) -> bool {
    let identity = |found: fs::Metadata| (found.dev(), found.ino());
    let at = fs::symlink_metadata(path).map(identity).ok();
    at.is_some() && at == file.metadata().map(identity).ok()
}

/// The locks of a file (fcntl(2), "Advisory record locking"). They are one process's: its child has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lock {
    /// Its holder announces. There is one at most.
    Announcer,
    /// Nobody announces while somebody holds it; several may.
    Shared,
}

impl Lock {
    /// The lock of the whole file.
    const fn whole(self) -> libc::flock {
        let kind = match self {
            Self::Announcer => libc::F_WRLCK,
            Self::Shared => libc::F_RDLCK,
        };
        libc::flock {
            l_type: kind as libc::c_short,
            l_whence: libc::SEEK_SET as libc::c_short,
            l_start: 0,
            l_len: 0,
            l_pid: 0,
        }
    }
}

/// Takes a lock; `false` where somebody else has one that forbids it.
fn lock(file: &File, lock: Lock) -> Result<bool, Errno> {
    match fcntl(file, FcntlArg::F_SETLK(&lock.whole())) {
        Ok(_) => Ok(true),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Who holds the announcer's lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    /// The announcer, by its pid.
    Announcer(i32),
    /// A process that has no pid here, as in another container, or whose name can't be read: the announcer,
    /// as far as can be known. It ends when it finds its file gone.
    Invisible,
    /// Somebody else: then nobody announces. Not ours to end.
    Other,
}

/// Who holds the announcer's lock; whoever only looks at the file, as another stop may, doesn't.
fn find_holder(file: &File, path: &Path) -> Result<Option<Holder>> {
    let mut asked = Lock::Shared.whole();
    fcntl(file, FcntlArg::F_GETLK(&mut asked)).map_err(io::Error::from).explain("ask of", path)?;
    if asked.l_type == libc::F_UNLCK as libc::c_short {
        return Ok(None);
    }
    Ok(Some(match asked.l_pid {
        0 => Holder::Invisible,
        // The lock is an open file's, not a process's: ours aren't.
        ..0 => Holder::Other,
        // Ours call themselves so before they have the lock.
        pid => match fs::read(format!("/proc/{pid}/comm")) {
            Ok(name) if name.strip_suffix(b"\n") == Some(NAME.to_bytes()) => Holder::Announcer(pid),
            Ok(_) => Holder::Other,
            Err(_) => Holder::Invisible,
        },
    }))
}

#[cfg(test)]
mod tests;
