// SPDX-License-Identifier: Apache-2.0 OR MIT
//! However a run of the lab ends, its container ends with it, and nobody else's does.
#![expect(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const NEED: &str = "needs root and a Docker Engine: `lab hold -- cargo test -p lab -- --ignored`";

#[expect(clippy::disallowed_methods, reason = "the lab itself is what is tested")]
fn command(program: &str) -> Command {
    Command::new(program)
}

/// A run of the lab whose command never ends by itself.
struct Run(Child);

impl Run {
    fn start() -> Self {
        let mut lab = command(env!("CARGO_BIN_EXE_lab"));
        lab.args(["exec", "--", "sleep", "100000"]).stderr(Stdio::inherit());
        let run = Self(lab.spawn().expect("the lab starts"));
        wait_until("its container is up", || !run.containers("running").is_empty());
        run
    }

    /// Its containers; the name carries the run's process id.
    fn containers(&self, status: &str) -> String {
        let name = format!("name=-{}-0-exec$", self.0.id());
        let mut list = command("docker");
        list.args(["ps", "--all", "--quiet", "--filter", &name]);
        if !status.is_empty() {
            list.args(["--filter", &format!("status={status}")]);
        }
        let output = list.output().expect("docker runs");
        assert!(output.status.success(), "{NEED}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn send(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.0.id()).expect("a pid"));
        kill(pid, signal).expect("it is there");
    }
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(120), "{what}: not within two minutes");
    }
}

fn ends_with_its_container(signal: Signal, code: Option<i32>) {
    let (mut ended, mut other) = (Run::start(), Run::start());
    ended.send(signal);
    let status = ended.0.wait().expect("it ends");
    assert_eq!(status.code(), code, "{status}");
    wait_until("its container is gone", || ended.containers("").is_empty());
    assert!(!other.containers("running").is_empty(), "another run's container was hurt");
    other.send(Signal::SIGTERM);
    let _ = other.0.wait();
}

#[test]
#[ignore = "needs root and a Docker Engine"]
fn a_run_that_is_interrupted_leaves_nothing() {
    ends_with_its_container(Signal::SIGINT, Some(130));
}

#[test]
#[ignore = "needs root and a Docker Engine"]
fn a_run_that_is_told_to_end_leaves_nothing() {
    ends_with_its_container(Signal::SIGTERM, Some(143));
}

#[test]
#[ignore = "needs root and a Docker Engine"]
fn a_run_whose_terminal_goes_away_leaves_nothing() {
    ends_with_its_container(Signal::SIGHUP, Some(129));
}

#[test]
#[ignore = "needs root and a Docker Engine"]
fn a_run_that_is_killed_leaves_nothing() {
    ends_with_its_container(Signal::SIGKILL, None);
}

#[test]
#[ignore = "needs root and a Docker Engine"]
fn a_signal_at_any_moment_of_getting_ready_ends_the_run() {
    // The first interrupted lab waited for a lock that it held itself, for ever.
    for milliseconds in (10..200).step_by(5) {
        let mut lab = command("timeout");
        lab.args(["--kill-after=60", "--signal=INT", &format!("0.{milliseconds:03}")]);
        lab.args([env!("CARGO_BIN_EXE_lab"), "exec", "--", "sleep", "100000"]);
        let status = lab.stderr(Stdio::null()).status().expect("timeout runs");
        // 124: the time was up and the lab ended; 137: it had to be killed.
        assert_eq!(status.code(), Some(124), "interrupted after {milliseconds} ms");
    }
}

#[test]
#[ignore = "needs root and a Docker Engine"]
fn a_command_answers_with_its_own_code_and_sees_what_is_mounted() {
    let mount = format!("{}:/here", env!("CARGO_MANIFEST_DIR"));
    let mut lab = command(env!("CARGO_BIN_EXE_lab"));
    lab.args(["exec", "--mount", &mount, "--env", "SEEN=yes", "--tmpfs", "/small:size=64k", "--"]);
    let script = "test -f /here/Cargo.toml && test $SEEN = yes && ! touch /here/x 2>/dev/null \
                  && ! head -c 100000 /dev/zero 2>/dev/null >/small/file && exit 42";
    let status = lab.args(["sh", "-c", script]).status().expect("the lab runs");
    assert_eq!(status.code(), Some(42));
}

#[test]
#[ignore = "needs root and a Docker Engine"]
fn namespaces_and_mounts_are_there_when_asked_for() {
    let script = "mount -t tmpfs none /mnt && ip link add lab0 type veth peer name lab1 && exit 42";
    let unshare = ["unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "--mount-proc"];
    let code = |options: &[&str]| {
        let mut lab = command(env!("CARGO_BIN_EXE_lab"));
        lab.arg("exec").args(options).arg("--").args(unshare).args(["sh", "-c", script]);
        lab.stderr(Stdio::null()).status().expect("the lab runs").code()
    };
    assert_eq!(code(&["--namespaces"]), Some(42));
    assert_eq!(code(&[]), Some(1), "an ordinary container must have no such rights");
}
