// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The only module that may say `unsafe`: the calls that have no safe wrapper in `nix`. Each block
//! is one call, with its reason.
#![expect(unsafe_code, reason = "system calls without a safe wrapper")]

use nix::libc;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// A descriptor for a process (pidfd_open(2)): it can't come to mean another one.
pub(crate) fn pidfd_open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: takes two integers, touches no memory of ours.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let fd = i32::try_from(fd).map_err(io::Error::other)?;
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just gave us this descriptor and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sends a signal through a pidfd (pidfd_send_signal(2)).
pub(crate) fn pidfd_send_signal(fd: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    let none: *const libc::siginfo_t = std::ptr::null();
    // SAFETY: a null siginfo is allowed and means what kill(2) would send.
    let done =
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd.as_raw_fd(), signal, none, 0) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Has a program's process do something before it becomes the program: system calls only, without memory of
/// its own to ask for.
pub(crate) fn before_exec(command: &mut Command, act: impl Fn() + Send + Sync + 'static) {
    let act = move || {
        act();
        Ok(())
    };
    // SAFETY: the one caller only makes system calls that are safe between fork(2) and execve(2).
    unsafe { command.pre_exec(act) };
}

/// The local time now in the form of strftime(3), at most 127 bytes; empty when it does not fit.
pub(crate) fn local_time(format: &CStr) -> String {
    let mut buffer = [0_u8; 128];
    // SAFETY: all-zero is a valid `tm`: integers and a null pointer.
    let mut parts: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: a null argument asks only for the return value.
    let now = unsafe { libc::time(std::ptr::null_mut()) };
    // SAFETY: both pointers are to live values of the right type.
    let converted = unsafe { libc::localtime_r(&raw const now, &raw mut parts) };
    if converted.is_null() {
        return String::new();
    }
    // SAFETY: the buffer has the length given, the format ends in NUL, `parts` is filled.
    let length = unsafe {
        libc::strftime(buffer.as_mut_ptr().cast(), buffer.len(), format.as_ptr(), &raw const parts)
    };
    String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned()
}
