// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the kernel knows of processes, asked beside the Engine.

use nix::unistd::Pid;
use std::fs;

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
