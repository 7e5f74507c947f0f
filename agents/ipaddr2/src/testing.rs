// SPDX-License-Identifier: Apache-2.0 OR MIT
//! For tests: network namespaces of their own.

#![allow(clippy::disallowed_methods, reason = "tests run ip(8) and read what it leaves")]

use nix::sched::{CloneFlags, unshare};
use std::process::Command;
use std::time::{Duration, Instant};

/// Runs a test in a new network namespace, which goes when it ends. Needs root.
pub(crate) fn in_namespace<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::spawn(|| {
        unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace needs root");
        ip("link set lo up");
        test()
    });
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Runs ip(8) in this thread's namespace; what it printed.
pub(crate) fn ip(words: &str) -> String {
    let output = Command::new("ip").args(words.split_whitespace()).output().expect("ip(8)");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {words}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

/// Runs many commands of ip(8) at once, one a line.
pub(crate) fn ip_batch(lines: &str) {
    use std::io::Write;
    let mut command = Command::new("ip");
    command.args(["-batch", "-"]).stdin(std::process::Stdio::piped());
    let mut child = command.spawn().expect("ip(8)");
    child.stdin.take().expect("stdin").write_all(lines.as_bytes()).expect("write");
    assert!(child.wait().expect("wait").success(), "ip -batch");
}

/// Two interfaces `v0` and `v1`, each with a peer of its own (`p0`, `p1`), all up.
pub(crate) fn two_interfaces() {
    for number in 0..2 {
        ip(&format!("link add v{number} type veth peer name p{number}"));
        ip(&format!("link set p{number} up"));
        ip(&format!("link set v{number} up"));
    }
}

/// Waits until something is so, ten seconds at most.
pub(crate) fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < until, "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Makes /proc/sys read-only for this thread and what it starts, as it is in containers.
pub(crate) fn make_settings_read_only() {
    mount(&["--bind", "-o", "ro", "/proc/sys", "/proc/sys"]);
}

/// Lets this thread see no process.
pub(crate) fn hide_processes() {
    mount(&["-t", "tmpfs", "none", "/proc"]);
}

/// Mounts something that only this thread and what it starts see.
fn mount(words: &[&str]) {
    unshare(CloneFlags::CLONE_NEWNS).expect("a mount namespace needs root");
    for words in [&["--make-rprivate", "/"], words] {
        assert!(Command::new("mount").args(words).status().expect("mount(8)").success());
    }
}

/// Takes /proc away from this thread and what it starts.
pub(crate) fn without_proc() {
    unshare(CloneFlags::CLONE_NEWNS).expect("a mount namespace needs root");
    for words in [["mount", "--make-rprivate", "/"], ["umount", "--lazy", "/proc"]] {
        let [program, rest @ ..] = words;
        assert!(Command::new(program).args(rest).status().expect("mount(8)").success());
    }
}
