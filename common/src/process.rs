// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The identity of a process: its pid *and* when it started, so that a pid that was given to another
//! process since is never taken for ours. Signals go through a pidfd, opened first and checked
//! afterwards, so that there is no moment in between.

use crate::deadline::Deadline;
use crate::error::{Error, Result, describe};
use crate::sys;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
/// The signals of [`Identity::signal`].
pub use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// A process that can't be confused with another one of the same boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Its pid, in our pid namespace.
    pub pid: i32,
    /// When it started: clock ticks since boot (proc_pid_stat(5), field 22).
    pub started: u64,
}

impl Identity {
    /// The process that has that pid now; `None` where there is none. A zombie is one still.
    #[must_use]
    pub fn of(pid: i32) -> Option<Self> {
        let stat = read_line(&format!("/proc/{pid}/stat"))?;
        parse_stat(&stat).map(|(_, started)| Self { pid, started })
    }

    /// Whether it still runs. A zombie does not.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        let stat = read_line(&format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        matches!(parse_stat(&stat), Some((state, started))
            if started == self.started && !matches!(state, 'Z' | 'X'))
    }

    /// How long ago it started.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        age(self.started)
    }

    /// A line to remember the process by between actions: version of the form, boot, pid, start.
    /// A hint only: who loses it must be able to find the process another way.
    #[must_use]
    pub fn record(&self) -> Option<String> {
        let boot = boot_id()?;
        Some(format!("1 {boot} {} {}\n", self.pid, self.started))
    }

    /// The process of a record; `None` for another boot's, another form's, or no record at all.
    #[must_use]
    pub fn from_record(record: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(record).ok()?.split_ascii_whitespace();
        let is_ours = words.next()? == "1" && words.next()? == boot_id()?;
        let identity =
            Self { pid: words.next()?.parse().ok()?, started: words.next()?.parse().ok()? };
        (is_ours && words.next().is_none() && identity.pid > 0).then_some(identity)
    }

    /// A descriptor that means this process for ever.
    fn open(&self) -> Handle {
        match sys::pidfd_open(self.pid) {
            // The descriptor is of whoever has the pid now; from here on that can't change.
            Ok(fd) if self.is_alive() => Handle::Descriptor(fd),
            Err(error) if error.raw_os_error() != Some(nix::libc::ESRCH) && self.is_alive() => {
                Handle::Number
            }
            Ok(_) | Err(_) => Handle::Gone,
        }
    }

    /// Sends a signal; `false` when the process is gone already.
    ///
    /// # Errors
    /// When the kernel refuses (EPERM).
    pub fn signal(&self, signal: Signal) -> Result<bool> {
        let sent = match self.open() {
            Handle::Gone => return Ok(false),
            Handle::Descriptor(fd) => sys::pidfd_send_signal(fd.as_fd(), signal as i32),
            Handle::Number => kill(Pid::from_raw(self.pid), signal).map_err(io::Error::from),
        };
        match sent {
            Ok(()) => Ok(true),
            Err(error) if error.raw_os_error() == Some(nix::libc::ESRCH) => Ok(false),
            Err(error) => {
                let why = describe(&error);
                Err(Error::permission(format!("cannot signal process {}: {why}", self.pid)))
            }
        }
    }

    /// Waits until it is gone; `false` when the deadline came first.
    #[must_use]
    pub fn wait_gone(&self, deadline: &Deadline) -> bool {
        let handle = self.open();
        while self.is_alive() && !deadline.is_over() {
            let mut wait = deadline.left();
            let mut fds = Vec::new();
            match &handle {
                Handle::Gone => break,
                Handle::Descriptor(fd) => fds.push(PollFd::new(fd.as_fd(), PollFlags::POLLIN)),
                Handle::Number => wait = wait.min(Duration::from_millis(20)),
            }
            // What woke us, or that something failed, shows in whether it is alive.
            let _woken = poll(&mut fds, PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX));
        }
        !self.is_alive()
    }
}

/// What stands for a process while it is signalled or waited for.
enum Handle {
    /// It is gone.
    Gone,
    /// It, for ever.
    Descriptor(OwnedFd),
    /// Its number, where the kernel or a container's filter has no pidfd: as good as it was looked at
    /// a moment ago.
    Number,
}

/// How long ago this process started: clock ticks since boot (proc_pid_stat(5), field 22).
pub(crate) fn age_of_self() -> Option<Duration> {
    let stat = read_line("/proc/self/stat")?;
    parse_stat(&stat).and_then(|(_, started)| age(started))
}

/// How long ago that was: clock ticks since boot.
fn age(started: u64) -> Option<Duration> {
    let hertz = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok()??;
    let ticks = u32::try_from(hertz).ok().filter(|hertz| *hertz > 0)?;
    let now = Duration::from(clock_gettime(ClockId::CLOCK_BOOTTIME).ok()?);
    Some(now.saturating_sub(Duration::from_secs(started) / ticks))
}

/// The processes whose parent is this one.
pub(crate) fn children() -> Vec<Identity> {
    let own = std::process::id().to_string();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let parent = stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?;
        let (_, started) = parse_stat(&stat)?;
        (parent == own).then_some(Identity { pid, started })
    })
    .collect()
}

/// The kernel's name of this boot (random(4)).
#[must_use]
pub fn boot_id() -> Option<String> {
    let text = read_line("/proc/sys/kernel/random/boot_id")?;
    Some(text.trim().to_owned())
}

/// A short file of the kernel's, in one call: these have no size, and a reader that has to guess it
/// calls again and again.
fn read_line(path: &str) -> Option<String> {
    let mut buffer = [0; 1024];
    let length = File::open(path).ok()?.read(&mut buffer).ok()?;
    Some(String::from_utf8_lossy(buffer.get(..length)?).into_owned())
}

/// State letter and start time. The name in parentheses may hold anything, parentheses too.
fn parse_stat(stat: &str) -> Option<(char, u64)> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    // Fields are counted from 1; behind the name (2) and the state (3), the 22nd is 18 further on.
    let started = fields.nth(18)?.parse().ok()?;
    Some((state, started))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn deadline(seconds: u64) -> Deadline {
        Deadline::since(Instant::now(), Duration::from_secs(seconds))
    }

    #[expect(clippy::disallowed_methods, reason = "a process to look at")]
    fn sleeper() -> std::process::Child {
        std::process::Command::new("sleep").arg("600").spawn().unwrap()
    }

    #[test]
    fn a_recycled_pid_is_never_signalled() {
        let mut child = sleeper();
        let pid = i32::try_from(child.id()).unwrap();
        let real = Identity::of(pid).unwrap();
        let earlier = Identity { started: real.started - 1, ..real };
        assert!(real.is_alive() && !earlier.is_alive());
        assert!(!earlier.signal(Signal::SIGKILL).unwrap());
        assert!(real.is_alive());
        assert!(!real.wait_gone(&deadline(0)));
        assert!(real.signal(Signal::SIGKILL).unwrap());
        assert!(real.wait_gone(&deadline(30)));
        child.wait().unwrap();
        assert_eq!(Identity::of(pid).filter(|now| *now == real), None);
    }

    #[test]
    fn a_record_of_another_boot_or_form_means_nobody() {
        let own = Identity::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        let record = own.record().unwrap();
        assert_eq!(Identity::from_record(record.as_bytes()), Some(own));
        for bad in ["", "1", "2 x 1 1", "1 other-boot 1 1", "1 other", "\u{0}", &(record + "more")]
        {
            assert_eq!(Identity::from_record(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_name_full_of_parentheses_is_no_trap() {
        let stat = "42 (a) R 1 (b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        assert_eq!(parse_stat(stat), Some(('S', 4711)));
        assert_eq!(parse_stat("42 (a"), None);
    }

    #[test]
    fn our_own_age_is_sane() {
        let age = age_of_self().unwrap();
        assert!(age < Duration::from_secs(3600), "{age:?}");
    }
}
