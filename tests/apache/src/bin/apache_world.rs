// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The first process of a world: makes its mounts and its network, runs the command that it is given, and
//! buries whatever ends meanwhile, as every first process has to. With it the world ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::zombie_processes,
    reason = "test code: a panic is how a test fails"
)]

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

/// What the world may write in, and nobody else sees.
const OVERLAID: [&str; 5] = ["/etc", "/usr/sbin", "/var/log", "/var/www", "/srv"];

/// Where Debian's `/run` of a host has directories before any service runs, and those of resource agents.
const BELOW_RUN: [&str; 2] = ["lock", "resource-agents"];

fn main() -> ExitCode {
    let place = std::env::var_os("APACHE_TESTS_WORLD").expect("started by apache_tests::inside");
    let place = Path::new(&place).join("w");
    fs::create_dir(&place).unwrap();
    mount_tmpfs(&place);
    for (number, directory) in OVERLAID.into_iter().enumerate() {
        overlay(directory, &place, number);
    }
    mount_tmpfs(Path::new("/run"));
    for directory in BELOW_RUN {
        fs::create_dir(format!("/run/{directory}")).unwrap();
    }
    // An Engine mounts its own over these, which an overlay doesn't show.
    fs::write("/etc/hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost\n").unwrap();
    fs::write("/etc/resolv.conf", "").unwrap();
    let done = Command::new("ip").args(["link", "set", "lo", "up"]).status().unwrap();
    assert!(done.success(), "ip link set lo up");

    let mut words = std::env::args_os().skip(1);
    let program = words.next().expect("a command");
    let child = Command::new(program).args(words).spawn().unwrap();
    let child = Pid::from_raw(child.id().cast_signed());
    loop {
        match waitpid(None, None) {
            Ok(WaitStatus::Exited(pid, code)) if pid == child => {
                return ExitCode::from(u8::try_from(code).unwrap_or(1));
            }
            Ok(WaitStatus::Signaled(pid, ..)) if pid == child => return ExitCode::FAILURE,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => panic!("waiting: {errno}"),
        }
    }
}

fn mount_tmpfs(at: &Path) {
    let made = mount(Some("tmpfs"), at, Some("tmpfs"), MsFlags::empty(), None::<&str>);
    made.unwrap_or_else(|errno| panic!("cannot mount on {}: {errno}", at.display()));
}

/// Every world's writing goes to its own memory. `/proc/PID/exe` says the usual path.
fn overlay(directory: &str, place: &Path, number: usize) {
    let layers = place.join(format!(".overlay-{number}"));
    let (upper, work) = (layers.join("upper"), layers.join("work"));
    for one in [&upper, &work] {
        fs::create_dir_all(one).unwrap();
    }
    let options =
        format!("lowerdir={directory},upperdir={},workdir={}", upper.display(), work.display());
    let made = mount(
        Some("overlay"),
        directory,
        Some("overlay"),
        MsFlags::empty(),
        Some(options.as_str()),
    );
    made.unwrap_or_else(|errno| panic!("cannot lay over {directory}: {errno}"));
}
