// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The one place with `unsafe`: what has to happen in a child between fork and exec, signals to a
//! process that can't be taken for another one (`pidfd_open`), and the union in which the kernel
//! describes a system call (`PTRACE_GET_SYSCALL_INFO`).
#![expect(
    unsafe_code,
    reason = "fork/exec hooks, pidfds and a kernel union have no safe form in std or nix"
)]

use crate::agent::Usage;
use nix::errno::Errno;
use nix::libc;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::ptrace;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::stat::{Mode, umask};
use nix::unistd::Pid;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::ptr;
use std::time::Duration;

/// What `execve` is given, made before the fork, because nothing may be allocated after it.
struct Image {
    path: CString,
    arguments: Pointers,
    environment: Pointers,
}

/// Strings, and the null-terminated list of pointers to them that the kernel takes.
struct Pointers {
    list: Vec<*const libc::c_char>,
    _strings: Vec<CString>,
}

// SAFETY: the pointers lead into the strings beside them, whose bytes stay where they are on the
// heap, are never changed, and are dropped with the list.
unsafe impl Send for Pointers {}
// SAFETY: as above; nothing behind a shared reference is ever written.
unsafe impl Sync for Pointers {}

impl Pointers {
    fn new(strings: Vec<CString>) -> Self {
        let list = strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect();
        Self { list, _strings: strings }
    }
}

impl Image {
    fn new(command: &Command) -> io::Result<Self> {
        let all = [command.get_program()].into_iter().chain(command.get_args());
        let arguments = all.map(|word| c_string(word.as_bytes())).collect::<io::Result<_>>()?;
        // The variables of a command that inherits none are those that were set.
        let environment = command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?)))
            .map(|(name, value)| c_string(&[name.as_bytes(), b"=", value.as_bytes()].concat()))
            .collect::<io::Result<_>>()?;
        Ok(Self {
            path: c_string(command.get_program().as_bytes())?,
            arguments: Pointers::new(arguments),
            environment: Pointers::new(environment),
        })
    }

    /// Becomes the program; comes back only with the reason why not.
    fn execute(&self) -> io::Error {
        let (arguments, environment) = (&self.arguments.list, &self.environment.list);
        // SAFETY: three valid pointers: to a string that ends with NUL, and to two lists of such
        // strings that end with a null pointer; all live in `self`.
        unsafe { libc::execve(self.path.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
        io::Error::last_os_error()
    }
}

fn c_string(bytes: &[u8]) -> io::Result<CString> {
    CString::new(bytes).map_err(io::Error::from)
}

/// Gives the child an empty signal mask (the tester blocks the signals it waits for, and a mask
/// survives exec), the wanted umask, makes it a tracee of the calling thread if wanted, seals
/// directories, and executes the command, whose environment must be cleared: with `execve` itself, because the C
/// library's `execvp`, which the standard library uses, runs what the kernel refuses by /bin/sh.
///
/// # Errors
/// When a word of the command holds a NUL.
pub(crate) fn set_up(
    command: &mut Command,
    mask: Option<u32>,
    traced: bool,
    sealed: &[PathBuf],
) -> io::Result<()> {
    let image = Image::new(command)?;
    let sealed: Vec<CString> = sealed
        .iter()
        .map(|path| c_string(path.as_os_str().as_bytes()))
        .collect::<io::Result<_>>()?;
    let hook = move || -> io::Result<()> {
        if !sealed.is_empty() {
            seal(&sealed)?;
        }
        SigSet::empty().thread_set_mask()?;
        if let Some(mask) = mask {
            umask(Mode::from_bits_truncate(mask));
        }
        if traced {
            ptrace::traceme()?;
        }
        Err(image.execute())
    };
    // SAFETY: the hook runs after fork, where only async-signal-safe functions are allowed. It
    // makes plain system calls (unshare, mount, rt_sigprocmask, umask, ptrace, execve), takes no lock and doesn't
    // allocate: nix turns errno into a number, and io::Error holds that number inline.
    unsafe {
        command.pre_exec(hook);
    }
    Ok(())
}

/// Makes these directories read-only for the calling process and those it starts: each becomes a
/// mount of itself in a mount namespace of its own (mount_namespaces(7)), which goes with them.
fn seal(directories: &[CString]) -> io::Result<()> {
    const NONE: Option<&CStr> = None;
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(NONE, c"/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    for directory in directories {
        let directory = directory.as_c_str();
        mount(Some(directory), directory, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)?;
        let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(NONE, directory, NONE, flags, NONE)?;
    }
    Ok(())
}

/// A descriptor of the process that has this number now; it stays that process's for ever.
///
/// # Errors
/// The kernel's: there is no such process, or (ENOSYS, before Linux 5.3) no such call.
pub(crate) fn open_process(pid: Pid) -> nix::Result<OwnedFd> {
    // SAFETY: two numbers, no pointer; the result is a new descriptor that nobody else owns.
    let number = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) })?;
    let number = i32::try_from(number).map_err(|_| Errno::EBADF)?;
    // SAFETY: see above.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Kills the process behind the descriptor.
///
/// # Errors
/// The kernel's: it has gone, or belongs to somebody else.
pub(crate) fn kill_process(process: &OwnedFd) -> nix::Result<()> {
    let (number, no_details) = (process.as_raw_fd(), ptr::null::<libc::siginfo_t>());
    let kill = libc::SIGKILL;
    // SAFETY: a descriptor that is open, and a null pointer, which the kernel takes for "none".
    let done = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, number, kill, no_details, 0) };
    Errno::result(done).map(drop)
}

/// Waits for a child; says how it ended and what it used. One that asked to be traced, which nobody
/// does here, would stop for ever at its first signal: it is killed.
///
/// # Errors
/// The kernel's: it is no child, or somebody else has waited for it.
pub(crate) fn wait(pid: Pid) -> nix::Result<(ExitStatus, Usage)> {
    let mut status = 0;
    // SAFETY: a struct of integers, for which all zeros are a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: two pointers to variables of the right type that outlive the call.
        match Errno::result(unsafe { libc::wait4(pid.as_raw(), &mut status, 0, &mut usage) }) {
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
            Ok(_) if libc::WIFSTOPPED(status) => kill(pid, Signal::SIGKILL)?,
            Ok(_) => break,
        }
    }
    let time = |time: libc::timeval| {
        let micros = time.tv_sec.saturating_mul(1_000_000).saturating_add(time.tv_usec);
        Duration::from_micros(u64::try_from(micros).unwrap_or_default())
    };
    let cpu = time(usage.ru_utime) + time(usage.ru_stime);
    // The kernel counts it in KiB.
    let max_rss = u64::try_from(usage.ru_maxrss).unwrap_or_default().saturating_mul(1024);
    Ok((ExitStatus::from_raw(status), Usage { cpu, max_rss }))
}

/// Where a tracee stopped because of a system call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SyscallStop {
    /// Before the call: its number and arguments.
    Entry { number: i64, arguments: [u64; 6] },
    /// After the call: what it returned, below zero for an error.
    Exit { result: i64 },
}

/// What the system-call stop of a tracee is about; `None` when it stopped for something else.
pub(crate) fn syscall_stop(pid: Pid) -> nix::Result<Option<SyscallStop>> {
    let info = ptrace::syscall_info(pid)?;
    match info.op {
        libc::PTRACE_SYSCALL_INFO_ENTRY => {
            // SAFETY: the kernel filled the `entry` member of the union: `op` says so.
            let entry = unsafe { info.u.entry };
            // The kernel's number is a C int widened to u64, so the cast keeps its meaning.
            Ok(Some(SyscallStop::Entry { number: entry.nr as i64, arguments: entry.args }))
        }
        libc::PTRACE_SYSCALL_INFO_EXIT => {
            // SAFETY: the kernel filled the `exit` member of the union: `op` says so.
            let exit = unsafe { info.u.exit };
            Ok(Some(SyscallStop::Exit { result: exit.sval }))
        }
        _ => Ok(None),
    }
}
