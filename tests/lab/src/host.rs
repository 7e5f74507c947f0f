// SPDX-License-Identifier: Apache-2.0 OR MIT
//! This machine: who we are on it, and the packages the lab needs from it.

use crate::process::{Invocation, Runner};
use crate::progress::Progress;
use crate::{Error, Result};
use std::path::Path;
use std::time::Duration;

/// Directories in which a command counts as installed.
const BIN_DIRS: [&str; 6] =
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// A command of the host's and the Debian package that brings it.
#[derive(Debug, Clone, Copy)]
struct Need {
    command: &'static str,
    package: &'static str,
}

/// What the lab runs on the host beyond what every Debian has (`tar`, `unshare`, `nsenter`…).
const NEEDS: [Need; 4] = [
    Need { command: "docker", package: "docker.io" },
    Need { command: "dockerd", package: "docker.io" },
    Need { command: "debootstrap", package: "debootstrap" },
    Need { command: "ip", package: "iproute2" },
];

/// The loader of `AppArmor` profiles: where the kernel enforces them, the Engine starts no
/// container without it.
const APPARMOR: Need = Need { command: "apparmor_parser", package: "apparmor" };

/// Whether a command is installed.
#[must_use]
pub fn has_command(command: &str) -> bool {
    BIN_DIRS.iter().any(|dir| Path::new(dir).join(command).is_file())
}

/// An error unless we are root.
///
/// # Errors
/// We are not.
pub fn require_root() -> Result<()> {
    if nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    Err(Error::new(
        "the lab installs packages and makes container images, so it needs root: run it with sudo",
    ))
}

/// The packages that are missing here. With an Engine answering, its server is not one of them.
#[must_use]
pub fn missing_packages(engine_answers: bool) -> Vec<&'static str> {
    let enforced = std::fs::read_to_string("/sys/module/apparmor/parameters/enabled");
    let apparmor = enforced.is_ok_and(|text| text.trim() == "Y").then_some(APPARMOR);
    let mut packages: Vec<_> = NEEDS
        .into_iter()
        .chain(apparmor)
        .filter(|need| !(engine_answers && need.command == "dockerd"))
        .filter(|need| !has_command(need.command))
        .map(|need| need.package)
        .collect();
    packages.dedup();
    packages
}

/// Installs packages, after saying which.
///
/// # Errors
/// apt is not here or fails.
pub fn install(runner: &Runner, progress: &Progress, packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    if !has_command("apt-get") {
        return Err(Error::new(format!(
            "this host has no apt-get: install {} yourself, then run the lab again",
            packages.join(", ")
        )));
    }
    let list = packages.join(" ");
    progress.note(&format!("installing on this host, with apt-get: {list}"));
    progress.step(&format!("packages {list}"), || {
        let fetch = apt(["install", "--yes", "--no-install-recommends", "--download-only"]);
        let fetch = fetch.args(packages);
        // Lists that are missing or too old for the mirror show as a failed download.
        if runner.run(&fetch)?.code != 0 {
            runner.run_ok(&apt(["update"]))?;
            runner.run_ok(&fetch)?;
        }
        // Only the download may be ended: a dpkg that is cut off leaves the host to be repaired.
        let install = apt(["install", "--yes", "--no-install-recommends"]);
        runner.run_ok(&install.args(packages).uninterruptible().limit(None)).map(|_| ())
    })
}

fn apt<const N: usize>(args: [&str; N]) -> Invocation {
    Invocation::new("apt-get")
        .args(["-q", "-o", "DPkg::Lock::Timeout=120"])
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .limit(Duration::from_secs(600))
}
