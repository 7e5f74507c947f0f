// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The one place with `unsafe`: what has to happen in a child between fork and exec, and the union
//! in which the kernel describes a system call (`PTRACE_GET_SYSCALL_INFO`).
#![expect(
    unsafe_code,
    reason = "fork/exec hooks and a kernel union have no safe form in std or nix"
)]

use nix::libc;
use nix::sys::ptrace;
use nix::sys::signal::SigSet;
use nix::sys::stat::{Mode, umask};
use nix::unistd::Pid;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Gives the child an empty signal mask (the tester blocks the signals it waits for, and a mask
/// survives exec), the wanted umask, and makes it a tracee of the calling thread if wanted.
pub(crate) fn set_up(command: &mut Command, mask: Option<u32>, traced: bool) {
    let hook = move || -> io::Result<()> {
        SigSet::empty().thread_set_mask()?;
        if let Some(mask) = mask {
            umask(Mode::from_bits_truncate(mask));
        }
        if traced {
            ptrace::traceme()?;
        }
        Ok(())
    };
    // SAFETY: the hook runs after fork, where only async-signal-safe functions are allowed. It
    // makes three plain system calls (rt_sigprocmask, umask, ptrace), takes no lock and doesn't
    // allocate: nix turns errno into a number, and io::Error holds that number inline.
    unsafe {
        command.pre_exec(hook);
    }
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
