// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the kernel knows of processes, asked beside the Engine.

use crate::{pause, wait_for};
use nix::unistd::Pid;
use std::fs;
use std::time::Duration;

/// Whether a process is there, other than as what its parent hasn't waited for.
#[must_use]
pub fn is_alive(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().and_then(|rest| rest.trim().chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

/// All processes of a container, by its ID in their control group.
#[must_use]
pub fn of_container(id: &str) -> Vec<Pid> {
    assert!(id.len() == 64, "not an ID: {id}");
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse().map(Pid::from_raw) else {
            continue;
        };
        let groups = fs::read_to_string(entry.path().join("cgroup")).unwrap_or_default();
        if groups.contains(id) && is_alive(pid) {
            found.push(pid);
        }
    }
    found
}

/// Waits until a container's first process has come to where it waits: it sleeps whenever it is looked
/// at, and is no longer what the Engine starts containers with.
pub fn wait_quiet(pid: Pid) {
    let is_quiet = || {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        !String::from_utf8_lossy(&line).contains("runc") && stat.contains(") S ")
    };
    let is_still_quiet = || {
        (0..20).all(|_| {
            pause(Duration::from_millis(10));
            is_quiet()
        })
    };
    wait_for("a service that waits", || is_still_quiet().then_some(()));
}

/// Waits until some process of a container has a handler for TERM.
pub fn wait_handler(id: &str) {
    let handles = |pid: &Pid| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        mask.is_some_and(|mask| {
            u64::from_str_radix(mask.trim(), 16).is_ok_and(|set| set >> 14 & 1 == 1)
        })
    };
    wait_for("a handler for TERM", || of_container(id).iter().any(handles).then_some(()));
}
