// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which system calls change state that outlives the process: files, locks, sockets, mounts,
//! namespaces, devices, and other processes. What a process does to itself isn't among them.
//!
//! Left out on purpose: `fsync` and its kin, because a kill before or after one leaves the same
//! files as a kill at its neighbours (they matter to power cuts, not to kills).

use nix::libc;
use nix::unistd::Pid;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// When a call of this kind changes state.
#[derive(Debug, Clone, Copy)]
enum When {
    /// Whenever it succeeds.
    Always,
    /// When the open flags in this argument create, truncate or allow writing.
    Opens(usize),
    /// Like `Opens`, with the flags in the structure this argument points to (`openat2`).
    OpensStruct(usize),
    /// When the descriptor in this argument isn't a pipe, a terminal or /dev/null.
    Writes(usize),
    /// When the signal in this argument is one.
    Signals(usize),
    /// When the `fcntl` command in this argument sets a lock.
    Locks(usize),
}

/// How an argument is shown: one letter for each argument.
/// `p` path, `f` descriptor with its file, `n` number, `x` hexadecimal, `s` signal, `-` nothing.
type Shape = &'static str;

/// One kind of call: number, name, condition, arguments.
struct Kind(i64, &'static str, When, Shape);

use When::{Always, Locks, Opens, OpensStruct, Signals, Writes};

const KINDS: &[Kind] = &[
    Kind(libc::SYS_openat, "openat", Opens(2), "-px"),
    Kind(libc::SYS_openat2, "openat2", OpensStruct(2), "-p"),
    Kind(libc::SYS_write, "write", Writes(0), "f-n"),
    Kind(libc::SYS_writev, "writev", Writes(0), "f"),
    Kind(libc::SYS_pwrite64, "pwrite64", Writes(0), "f-n"),
    Kind(libc::SYS_pwritev, "pwritev", Writes(0), "f"),
    Kind(libc::SYS_pwritev2, "pwritev2", Writes(0), "f"),
    Kind(libc::SYS_sendfile, "sendfile", Writes(0), "f"),
    Kind(libc::SYS_splice, "splice", Writes(2), "--f"),
    Kind(libc::SYS_copy_file_range, "copy_file_range", Writes(2), "--f"),
    Kind(libc::SYS_fallocate, "fallocate", Always, "f"),
    Kind(libc::SYS_truncate, "truncate", Always, "pn"),
    Kind(libc::SYS_ftruncate, "ftruncate", Always, "fn"),
    Kind(libc::SYS_renameat, "renameat", Always, "-p-p"),
    Kind(libc::SYS_renameat2, "renameat2", Always, "-p-p"),
    Kind(libc::SYS_unlinkat, "unlinkat", Always, "-p"),
    Kind(libc::SYS_linkat, "linkat", Always, "-p-p"),
    Kind(libc::SYS_symlinkat, "symlinkat", Always, "p-p"),
    Kind(libc::SYS_mkdirat, "mkdirat", Always, "-p"),
    Kind(libc::SYS_mknodat, "mknodat", Always, "-p"),
    Kind(libc::SYS_fchmod, "fchmod", Always, "fx"),
    Kind(libc::SYS_fchmodat, "fchmodat", Always, "-px"),
    Kind(452, "fchmodat2", Always, "-px"),
    Kind(libc::SYS_fchown, "fchown", Always, "fnn"),
    Kind(libc::SYS_fchownat, "fchownat", Always, "-pnn"),
    Kind(libc::SYS_utimensat, "utimensat", Always, "-p"),
    Kind(libc::SYS_setxattr, "setxattr", Always, "pp"),
    Kind(libc::SYS_lsetxattr, "lsetxattr", Always, "pp"),
    Kind(libc::SYS_fsetxattr, "fsetxattr", Always, "fp"),
    Kind(libc::SYS_removexattr, "removexattr", Always, "pp"),
    Kind(libc::SYS_lremovexattr, "lremovexattr", Always, "pp"),
    Kind(libc::SYS_fremovexattr, "fremovexattr", Always, "fp"),
    Kind(libc::SYS_flock, "flock", Always, "fn"),
    Kind(libc::SYS_fcntl, "fcntl", Locks(1), "fn"),
    Kind(libc::SYS_ioctl, "ioctl", Writes(0), "fx"),
    Kind(libc::SYS_kill, "kill", Signals(1), "ns"),
    Kind(libc::SYS_tkill, "tkill", Signals(1), "ns"),
    Kind(libc::SYS_tgkill, "tgkill", Signals(2), "-ns"),
    Kind(libc::SYS_rt_sigqueueinfo, "rt_sigqueueinfo", Always, "ns"),
    Kind(libc::SYS_pidfd_send_signal, "pidfd_send_signal", Always, "ns"),
    Kind(libc::SYS_clone, "clone", Always, "x"),
    Kind(libc::SYS_clone3, "clone3", Always, ""),
    Kind(libc::SYS_execve, "execve", Always, "p"),
    Kind(libc::SYS_execveat, "execveat", Always, "-p"),
    Kind(libc::SYS_setsid, "setsid", Always, ""),
    Kind(libc::SYS_setpgid, "setpgid", Always, "nn"),
    Kind(libc::SYS_ptrace, "ptrace", Always, "nn"),
    Kind(libc::SYS_bind, "bind", Always, "f"),
    Kind(libc::SYS_listen, "listen", Always, "f"),
    Kind(libc::SYS_connect, "connect", Always, "f"),
    Kind(libc::SYS_setsockopt, "setsockopt", Always, "fnn"),
    Kind(libc::SYS_sendto, "sendto", Always, "f-n"),
    Kind(libc::SYS_sendmsg, "sendmsg", Always, "f"),
    Kind(libc::SYS_sendmmsg, "sendmmsg", Always, "f"),
    Kind(libc::SYS_io_uring_enter, "io_uring_enter", Always, "n"),
    Kind(libc::SYS_mount, "mount", Always, "ppp"),
    Kind(libc::SYS_umount2, "umount2", Always, "p"),
    Kind(libc::SYS_move_mount, "move_mount", Always, "-p-p"),
    Kind(libc::SYS_fsopen, "fsopen", Always, "p"),
    Kind(libc::SYS_fsconfig, "fsconfig", Always, "fn"),
    Kind(libc::SYS_fsmount, "fsmount", Always, "f"),
    Kind(libc::SYS_open_tree, "open_tree", Always, "-p"),
    Kind(libc::SYS_mount_setattr, "mount_setattr", Always, "-p"),
    Kind(libc::SYS_pivot_root, "pivot_root", Always, "pp"),
    Kind(libc::SYS_setns, "setns", Always, "fx"),
    Kind(libc::SYS_unshare, "unshare", Always, "x"),
    Kind(libc::SYS_swapon, "swapon", Always, "p"),
    Kind(libc::SYS_swapoff, "swapoff", Always, "p"),
    Kind(libc::SYS_sethostname, "sethostname", Always, "p"),
    Kind(libc::SYS_settimeofday, "settimeofday", Always, ""),
    Kind(libc::SYS_clock_settime, "clock_settime", Always, "n"),
    Kind(libc::SYS_init_module, "init_module", Always, ""),
    Kind(libc::SYS_finit_module, "finit_module", Always, "f"),
    Kind(libc::SYS_delete_module, "delete_module", Always, "p"),
    Kind(libc::SYS_bpf, "bpf", Always, "n"),
    Kind(libc::SYS_quotactl, "quotactl", Always, "xp"),
    Kind(libc::SYS_add_key, "add_key", Always, "pp"),
    Kind(libc::SYS_keyctl, "keyctl", Always, "n"),
    Kind(libc::SYS_mq_open, "mq_open", Always, "px"),
    Kind(libc::SYS_mq_unlink, "mq_unlink", Always, "p"),
    Kind(libc::SYS_mq_timedsend, "mq_timedsend", Always, "n"),
    Kind(libc::SYS_shmget, "shmget", Always, "xnx"),
    Kind(libc::SYS_shmctl, "shmctl", Always, "nn"),
    Kind(libc::SYS_semget, "semget", Always, "xnx"),
    Kind(libc::SYS_semctl, "semctl", Always, "nnn"),
    Kind(libc::SYS_semop, "semop", Always, "n"),
    Kind(libc::SYS_semtimedop, "semtimedop", Always, "n"),
    Kind(libc::SYS_msgget, "msgget", Always, "xx"),
    Kind(libc::SYS_msgctl, "msgctl", Always, "nn"),
    Kind(libc::SYS_msgsnd, "msgsnd", Always, "n"),
];

/// Calls that newer architectures don't have.
#[cfg(target_arch = "x86_64")]
const OLD_KINDS: &[Kind] = &[
    Kind(libc::SYS_open, "open", Opens(1), "px"),
    Kind(libc::SYS_creat, "creat", Always, "p"),
    Kind(libc::SYS_rename, "rename", Always, "pp"),
    Kind(libc::SYS_unlink, "unlink", Always, "p"),
    Kind(libc::SYS_link, "link", Always, "pp"),
    Kind(libc::SYS_symlink, "symlink", Always, "pp"),
    Kind(libc::SYS_mkdir, "mkdir", Always, "p"),
    Kind(libc::SYS_rmdir, "rmdir", Always, "p"),
    Kind(libc::SYS_mknod, "mknod", Always, "p"),
    Kind(libc::SYS_chmod, "chmod", Always, "px"),
    Kind(libc::SYS_chown, "chown", Always, "pnn"),
    Kind(libc::SYS_lchown, "lchown", Always, "pnn"),
    Kind(libc::SYS_utime, "utime", Always, "p"),
    Kind(libc::SYS_utimes, "utimes", Always, "p"),
    Kind(libc::SYS_futimesat, "futimesat", Always, "-p"),
    Kind(libc::SYS_fork, "fork", Always, ""),
    Kind(libc::SYS_vfork, "vfork", Always, ""),
];
#[cfg(not(target_arch = "x86_64"))]
const OLD_KINDS: &[Kind] = &[];

/// A call that may change state, as seen before it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attempt {
    /// The call's name.
    pub(super) name: &'static str,
    /// Its arguments in short.
    pub(super) arguments: String,
}

/// Whether this call, about to be made by a stopped tracee, would change state if it succeeded.
pub(super) fn attempt(pid: Pid, number: i64, arguments: &[u64; 6]) -> Option<Attempt> {
    let Kind(_, name, when, shape) =
        KINDS.iter().chain(OLD_KINDS).find(|Kind(own, ..)| *own == number)?;
    if !applies(*when, pid, arguments) {
        return None;
    }
    let shown: Vec<String> = shape
        .bytes()
        .zip(arguments)
        .filter_map(|(letter, value)| show(letter, *value, pid))
        .collect();
    Some(Attempt { name, arguments: shown.join(", ") })
}

/// Where this call, about to be made by a stopped tracee, makes a file, link, directory or socket,
/// or takes one that is there already; `None` for every other call.
pub(super) fn made(pid: Pid, number: i64, arguments: &[u64; 6]) -> Option<PathBuf> {
    let Kind(_, name, when, _) =
        KINDS.iter().chain(OLD_KINDS).find(|Kind(own, ..)| *own == number)?;
    let argument = |index: usize| arguments.get(index).copied().unwrap_or_default();
    let creates = |flags: u64| flags & u64::from(libc::O_CREAT.unsigned_abs()) != 0;
    // Which argument is the path, and which the directory that it starts from.
    let (directory, path) = match (*name, when) {
        ("openat" | "open", Opens(flags)) if !creates(argument(*flags)) => return None,
        ("openat" | "openat2" | "mkdirat" | "mknodat", _) => (Some(0), 1),
        ("open" | "creat" | "mkdir" | "mknod", _) => (None, 0),
        ("renameat" | "renameat2" | "linkat", _) => (Some(2), 3),
        ("rename" | "link" | "symlink", _) => (None, 1),
        ("symlinkat", _) => (Some(1), 2),
        ("bind", _) => (None, 1),
        _ => return None,
    };
    let mut address = argument(path);
    if *name == "bind" {
        let mut family = [0; 2];
        read_memory(pid, address, &mut family);
        if i32::from(u16::from_ne_bytes(family)) != libc::AF_UNIX {
            return None;
        }
        // The path follows its family.
        address += 2;
    }
    let mut buffer = [0; libc::PATH_MAX as usize];
    let path = PathBuf::from(read_string(pid, address, &mut buffer));
    // AT_FDCWD is -100 in the lower half of the register.
    let place = match directory.map(|index| argument(index) as u32 as i32) {
        None | Some(libc::AT_FDCWD) => "cwd".to_owned(),
        Some(descriptor) => format!("fd/{descriptor}"),
    };
    if path.is_absolute() || path.as_os_str().is_empty() {
        return Some(path).filter(|path| path.is_absolute());
    }
    Some(fs::read_link(format!("/proc/{pid}/{place}")).ok()?.join(path))
}

fn applies(when: When, pid: Pid, arguments: &[u64; 6]) -> bool {
    let argument = |index: usize| arguments.get(index).copied().unwrap_or_default();
    match when {
        Always => true,
        // The path stands just before the flags.
        Opens(index) => {
            opens_for_writing(argument(index))
                && !is_nowhere(&read_text(pid, argument(index.saturating_sub(1))))
        }
        OpensStruct(index) => {
            let mut flags = [0; 8];
            // What can't be read counts: a kill too many does no harm, one too few would.
            read_memory(pid, argument(index), &mut flags) < flags.len()
                || opens_for_writing(u64::from_ne_bytes(flags))
        }
        Writes(index) => {
            let file = file_of(pid, argument(index));
            !(file.starts_with("pipe:") || is_nowhere(&file))
        }
        // Signal 0 asks whether the process is there.
        Signals(index) => argument(index) != 0,
        Locks(index) => {
            let set = [libc::F_SETLK, libc::F_SETLKW, libc::F_OFD_SETLK, libc::F_OFD_SETLKW];
            i32::try_from(argument(index)).is_ok_and(|command| set.contains(&command))
        }
    }
}

/// What is written there changes nothing that stays.
fn is_nowhere(file: &str) -> bool {
    file == "/dev/null" || file == "/dev/tty" || file.starts_with("/dev/pts/")
}

fn opens_for_writing(flags: u64) -> bool {
    let mask = libc::O_CREAT | libc::O_TRUNC | libc::O_WRONLY | libc::O_RDWR;
    flags & u64::from(mask.unsigned_abs()) != 0
}

fn show(letter: u8, value: u64, pid: Pid) -> Option<String> {
    match letter {
        b'p' => Some(format!("{:?}", read_text(pid, value))),
        b'f' => Some(file_of(pid, value)),
        b'n' => Some(value.cast_signed().to_string()),
        b'x' => Some(format!("{value:#x}")),
        b's' => {
            let signal = i32::try_from(value).ok();
            let signal = signal.and_then(|number| nix::sys::signal::Signal::try_from(number).ok());
            Some(signal.map_or_else(|| value.to_string(), |signal| signal.to_string()))
        }
        _ => None,
    }
}

/// What a descriptor of the tracee refers to, as /proc shows it; its number when there is nothing.
fn file_of(pid: Pid, descriptor: u64) -> String {
    fs::read_link(format!("/proc/{pid}/fd/{descriptor}"))
        .map_or_else(|_| format!("descriptor {descriptor}"), |path| path.display().to_string())
}

/// A text in the tracee's memory, up to its NUL or 256 bytes.
fn read_text(pid: Pid, address: u64) -> String {
    read_string(pid, address, &mut [0; 256]).to_string_lossy().into_owned()
}

/// A text in the tracee's memory, up to its NUL or as long as the buffer.
fn read_string(pid: Pid, address: u64, buffer: &mut [u8]) -> OsString {
    let count = read_memory(pid, address, buffer);
    let bytes = buffer.get(..count).unwrap_or_default();
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    OsStr::from_bytes(text).to_owned()
}

/// Reads from the tracee's memory and says how much there was.
fn read_memory(pid: Pid, address: u64, buffer: &mut [u8]) -> usize {
    let Ok(memory) = File::open(format!("/proc/{pid}/mem")) else { return 0 };
    let mut count = 0;
    while let Some(rest) = buffer.get_mut(count..).filter(|rest| !rest.is_empty()) {
        match memory.read_at(rest, address.saturating_add(count as u64)) {
            Ok(0) | Err(_) => break,
            Ok(read) => count += read,
        }
    }
    count
}
