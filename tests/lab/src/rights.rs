// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a host that is a container must be allowed, so that it can be a node: an Engine and
//! containers of its own, mounts, networks, real-time priority.

use crate::Result;
use crate::docker::{Docker, LABEL, RUN_LABEL};
use crate::process::Invocation;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// Capabilities by their number in capability(7), as far as every Engine from 20.10 knows them.
const CAPABILITIES: [&str; 38] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
];

/// Options of `docker create` that give a host its rights: `--privileged` where this machine
/// allows it, and otherwise each right that the machine has itself. `lifeline` is held by the trial
/// of what is allowed, for runs whose attendant waits for all that could still make a container.
///
/// # Errors
/// The Engine does not answer.
pub fn options(
    docker: &Docker,
    image: &str,
    run: &str,
    lifeline: Option<&Arc<OwnedFd>>,
) -> Result<Vec<String>> {
    let mut options = if is_privileged_allowed(docker, image, run, lifeline)? {
        vec!["--privileged".to_owned()]
    } else {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        one_by_one(bounding_set(&status))
    };
    if std::path::Path::new("/sys/fs/cgroup/cgroup.controllers").exists() {
        // Version 2: the host has a tree of its own.
        options.extend(["--cgroupns", "private"].map(str::to_owned));
    } else {
        options.extend(["--volume", "/sys/fs/cgroup:/sys/fs/cgroup"].map(str::to_owned));
    }
    Ok(options)
}

/// Tries it with a container of the run's, which goes with the run if it is left behind.
fn is_privileged_allowed(
    docker: &Docker,
    image: &str,
    run: &str,
    lifeline: Option<&Arc<OwnedFd>>,
) -> Result<bool> {
    let name = format!("{run}-rights");
    let label = format!("{RUN_LABEL}={run}");
    let args = ["run", "--name", &name, "--privileged", "--network", "none", "--label", LABEL];
    let trial = docker.invocation(args.into_iter().chain(["--label", &label, image, "true"]));
    let trial = lifeline.into_iter().fold(trial, Invocation::holding);
    let answer = docker.runner.run(&trial.uninterruptible())?;
    docker.remove_container(&name)?;
    Ok(answer.code == 0)
}

fn one_by_one(bounding_set: u64) -> Vec<String> {
    let mut options = ["--cap-drop", "ALL"].map(str::to_owned).to_vec();
    let have = |number: usize| bounding_set >> number & 1 == 1;
    for (_, name) in CAPABILITIES.iter().enumerate().filter(|(number, _)| have(*number)) {
        options.extend(["--cap-add".to_owned(), (*name).to_owned()]);
    }
    for lifted in ["seccomp", "apparmor", "systempaths"] {
        options.extend(["--security-opt".to_owned(), format!("{lifted}=unconfined")]);
    }
    options.extend(["--device-cgroup-rule", "a *:* rwm"].map(str::to_owned));
    options
}

/// The capabilities this process can have at all (proc(5), `CapBnd`); all of them where the
/// kernel doesn't say.
fn bounding_set(status: &str) -> u64 {
    let set = status.lines().find_map(|line| line.strip_prefix("CapBnd:"));
    set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_that_this_machine_lacks_is_not_asked_for() {
        let all_but_resource = bounding_set("CapEff:\t0\nCapBnd:\t000001fffeffffff\n");
        let options = one_by_one(all_but_resource);
        assert!(!options.contains(&"SYS_RESOURCE".to_owned()), "{options:?}");
        assert!(options.contains(&"SYS_ADMIN".to_owned()), "{options:?}");
        assert_eq!(options.iter().filter(|option| *option == "--cap-add").count(), 37);
    }
}
