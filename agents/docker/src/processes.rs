// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A container's processes, as the kernel knows them: which there are, by their control groups, and
//! what its init can be told.

use ocf::process::{Identity, Signal};
use ocf::{Explain, Result};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// `rt_sigtimedwait`, as proc_pid_syscall(5) writes it.
const SIGTIMEDWAIT: i64 = nix::libc::SYS_rt_sigtimedwait;

/// What an init does with a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reception {
    /// It has a handler, or blocks the signal and may be waiting for it.
    Received,
    /// It is Pacemaker's own init of a bundle, which hears nothing; its child, the second, does.
    ByChild(Identity, Identity),
    /// Nothing: the kernel drops it (pid_namespaces(7)).
    Dropped,
}

/// What the init of a container does with a signal that is to end it.
pub(crate) fn reception(init: Identity, signal: i32) -> Reception {
    let Ok(status) = fs::read_to_string(format!("/proc/{}/status", init.pid)) else {
        return Reception::Received;
    };
    if is_in(field(&status, "SigCgt"), signal) {
        return Reception::Received;
    }
    if threads(init.pid).any(|thread| may_wait(&thread, signal)) {
        return remoted_below(init)
            .map_or(Reception::Received, |child| Reception::ByChild(init, child));
    }
    let is_ignored = is_in(field(&status, "SigIgn"), signal);
    // The last number is the one in its own namespace: only its init is immune to defaults.
    let is_init =
        field(&status, "NSpid").and_then(|pids| pids.split_whitespace().next_back()) == Some("1");
    if is_ignored || is_init { Reception::Dropped } else { Reception::Received }
}

/// The directories of its threads: any of them may wait for a signal.
fn threads(pid: i32) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path())
}

/// Whether a thread blocks a signal, and so may be waiting for it (signalfd(2)), or waits for signals
/// right now (sigwait(3)): those it waits for the kernel then shows as not blocked.
fn may_wait(thread: &Path, signal: i32) -> bool {
    let Ok(status) = fs::read_to_string(thread.join("status")) else { return false };
    let call = fs::read_to_string(thread.join("syscall")).unwrap_or_default();
    let waits = call.split(' ').next() == Some(&SIGTIMEDWAIT.to_string());
    waits || is_in(field(&status, "SigBlk"), signal)
}

/// `pacemaker-remoted` that was started as an init keeps away from signals and runs itself once more;
/// that one ends on TERM, and its init with it.
fn remoted_below(init: Identity) -> Option<Identity> {
    let program = |pid: i32| {
        let path = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        let name = path.file_name()?.to_str()?.trim_end_matches(" (deleted)").to_owned();
        matches!(name.as_str(), "pacemaker-remoted" | "pacemaker_remoted").then_some(path)
    };
    let own = program(init.pid)?;
    children(init.pid).into_iter().find(|child| program(child.pid).as_ref() == Some(&own))
}

fn children(parent: i32) -> Vec<Identity> {
    let tasks = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let pids: Vec<i32> = lists
        .flat_map(|list| {
            list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()
        })
        .collect();
    if !pids.is_empty() {
        return pids.into_iter().filter_map(Identity::of).collect();
    }
    // Kernels without CONFIG_PROC_CHILDREN.
    let everybody = all().unwrap_or_default().into_iter();
    everybody.filter(|pid| parent_of(*pid) == Some(parent)).filter_map(Identity::of).collect()
}

/// Everything below a process.
pub(crate) fn descendants(of: Identity) -> Vec<Identity> {
    let mut found = children(of.pid);
    let mut next = 0;
    while let Some(process) = found.get(next) {
        let more = children(process.pid);
        found.extend(more);
        next += 1;
    }
    found
}

fn parent_of(pid: i32) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    field(&status, "PPid")?.parse().ok()
}

/// The value of a line of proc_pid_status(5).
fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(line.trim())
}

/// Whether a signal is in a mask: hexadecimal, signal 1 is the lowest bit.
fn is_in(mask: Option<&str>, signal: i32) -> bool {
    let mask = mask.and_then(|mask| u128::from_str_radix(mask, 16).ok()).unwrap_or(0);
    u32::try_from(signal - 1).is_ok_and(|bit| mask.checked_shr(bit).is_some_and(|m| m & 1 == 1))
}

/// Every process of this host, or of this namespace of it.
///
/// # Errors
/// When they can't be listed: nothing is known then, and not that there is none.
pub(crate) fn all() -> Result<Vec<i32>> {
    let proc = Path::new("/proc");
    let mut found = Vec::new();
    for entry in fs::read_dir(proc).explain("list", proc)? {
        let name = entry.explain("list", proc)?.file_name();
        found.extend(name.to_str().and_then(|name| name.parse::<i32>().ok()));
    }
    Ok(found)
}

/// What was read of a process; `None` when it is gone.
///
/// # Errors
/// Every other failure.
fn if_there<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) => match error.raw_os_error() {
            Some(nix::libc::ENOENT | nix::libc::ESRCH) => Ok(None),
            _ => Err(error),
        },
    }
}

/// The processes whose control group carries a container's ID.
///
/// # Errors
/// When they can't be looked at.
pub(crate) fn members(id: &str) -> Result<Vec<Identity>> {
    let mut found = Vec::new();
    for pid in all()? {
        if container_of(pid)?.as_deref() == Some(id) {
            found.extend(Identity::of(pid).filter(Identity::is_alive));
        }
    }
    Ok(found)
}

/// The ID of the container that a process is in: 64 hexadecimal digits in the name of its control
/// group, whatever is around them (`/docker/<id>`, `docker-<id>.scope`, a parent of the user's).
///
/// # Errors
/// When the kernel doesn't say although the process is there.
pub(crate) fn container_of(pid: i32) -> Result<Option<String>> {
    Ok(groups_of(pid)?.lines().find_map(|line| find_id(line.splitn(3, ':').nth(2)?)))
}

/// Its control groups (cgroups(7)); empty when it is gone.
///
/// # Errors
/// As [`container_of`].
pub(crate) fn groups_of(pid: i32) -> Result<String> {
    let path = PathBuf::from(format!("/proc/{pid}/cgroup"));
    Ok(if_there(fs::read_to_string(&path)).explain("read", &path)?.unwrap_or_default())
}

/// The words of its command line; none when it is gone, or one of the kernel's own.
///
/// # Errors
/// As [`container_of`].
pub(crate) fn words_of(pid: i32) -> Result<Vec<String>> {
    let path = PathBuf::from(format!("/proc/{pid}/cmdline"));
    let line = if_there(fs::read(&path)).explain("read", &path)?.unwrap_or_default();
    let words = line.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    Ok(words.map(|word| String::from_utf8_lossy(word).into_owned()).collect())
}

/// How many process namespaces a process is in, of those that our /proc shows.
pub(crate) fn depth_of(pid: i32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    field(&status, "NSpid").map_or(1, |pids| pids.split_whitespace().count())
}

fn find_id(path: &str) -> Option<String> {
    // A container in a container: the last is the one that the process is in.
    let parts = path.rsplit('/').flat_map(|part| part.split(['-', '.']));
    let is_id = |part: &&str| part.len() == 64 && part.bytes().all(|b| b.is_ascii_hexdigit());
    parts.clone().find(is_id).map(str::to_owned)
}

/// Ends Docker's CLI where it is about to make a container of that name.
///
/// # Errors
/// When the processes can't be looked at, or the kernel refuses.
pub(crate) fn end_cli(name: &str) -> Result<()> {
    let named = format!("--name={name}");
    for pid in all()? {
        let Some(process) = Identity::of(pid) else { continue };
        let words = words_of(pid)?;
        let is_cli = words.first().is_some_and(|program| program.ends_with("docker"))
            && words.get(1).is_some_and(|word| word == "run")
            && words.contains(&named);
        if is_cli {
            process.signal(Signal::SIGKILL)?;
        }
    }
    Ok(())
}

/// Ends processes at once, thawing those that are frozen: a frozen one would not even die.
pub(crate) fn kill_all(members: &[Identity]) -> Result<()> {
    for member in members {
        member.signal(Signal::SIGKILL)?;
        thaw(member.pid);
    }
    Ok(())
}

/// Under version 1 of control groups a frozen process dies only when it is thawed.
fn thaw(pid: i32) {
    let groups = groups_of(pid).unwrap_or_default();
    let path = groups.lines().find_map(|line| line.split_once(":freezer:"));
    if let Some((_, path)) = path {
        let group = PathBuf::from("/sys/fs/cgroup/freezer").join(path.trim_start_matches('/'));
        // What wasn't frozen needs none; what can't be thawed shows by being there still.
        let _thawed = write_if_there(&group.join("freezer.state"), "THAWED");
    }
}

fn write_if_there(path: &Path, text: &str) -> io::Result<()> {
    if path.is_file() { fs::write(path, text) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_in_every_form_of_a_group() {
        let id = "0123456789abcdef".repeat(4);
        let outer = "f".repeat(64);
        for path in [
            format!("/docker/{id}"),
            format!("/system.slice/docker-{id}.scope"),
            format!("/docker/{outer}/lab/{id}"),
            format!("/docker/{outer}/docker/{id}/nested"),
        ] {
            assert_eq!(find_id(&path).as_deref(), Some(id.as_str()), "{path}");
        }
        assert_eq!(find_id("/user.slice/session-1.scope"), None);
    }

    #[test]
    fn masks_count_signals_from_one() {
        assert!(is_in(Some("0000000000004000"), 15));
        assert!(!is_in(Some("0000000000004000"), 14));
        assert!(!is_in(Some("0000000000004000"), 0) && !is_in(None, 15));
        assert!(is_in(Some("8000000000000000"), 64));
    }
}
