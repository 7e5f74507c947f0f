// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a resource leaves in the kernel is seen, class by class. Each agent works in namespaces of
//! its own, so that nothing reaches the machine or another test; that needs root, `unshare`'s
//! rights, `ip`, `ipcmk`, `losetup` and `python3`.

#![expect(clippy::unwrap_used, reason = "a test's helpers")]
#![expect(clippy::print_stderr, reason = "says what is skipped, and why")]

#[expect(dead_code, reason = "some helpers are for other tests")]
mod common;

use common::{agent, called_safe, code, tester_with, text};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::geteuid;
use ocf_tester::exit_codes::{PASSED, VIOLATIONS};
use ocf_tester::scratch::Scratch;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a mutant leaves, as STOP-03 has to name it.
const CLASSES: &[(&str, &str)] = &[
    ("mount", "mounted (tmpfs, tmpfs)"),
    ("second-mount", "mounted (tmpfs, tmpfs, number 2 there)"),
    ("address", "address 198.51.100.7/32 on lo"),
    ("address-of-ipv6", "address 2001:db8::7/128 on lo"),
    ("route", "route to 198.51.100.0/24 in table 77 on lo"),
    ("rule", "from 198.51.100.9/32 to all of IPv4, table 77"),
    ("device", "network device left0"),
    ("shared-memory", "System V shared memory: key "),
    ("semaphores", "System V semaphores: key "),
    ("message-queue", "System V message queue: key "),
    ("posix-memory", "/dev/shm/left-behind"),
    ("file-of-other-name", "/var/tmp/left-behind"),
    ("posix-queue", "POSIX message queue "),
    ("socket", "state.socket"),
];

/// In namespaces of its own, which end with the thread.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let namespaces = CloneFlags::CLONE_NEWNS
                | CloneFlags::CLONE_NEWNET
                | CloneFlags::CLONE_NEWIPC
                | CloneFlags::CLONE_NEWUTS;
            unshare(namespaces).unwrap();
            let (nothing, root) = (None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE);
            mount(nothing, "/", nothing, root, nothing).unwrap();
            for common in ["/dev/shm", "/var/tmp"] {
                mount_at("tmpfs", Path::new(common)).unwrap();
            }
            work()
        });
        thread.join().unwrap()
    })
}

fn mount_at(kind: &str, place: &Path) -> io::Result<()> {
    fs::create_dir_all(place)?;
    Ok(mount(Some(kind), place, Some(kind), MsFlags::empty(), None::<&str>)?)
}

/// The tester on this agent: STOP-03, and what has to be known for it.
fn run(name: &str, scratch: &Scratch, place: &Path) -> Command {
    let variable = format!("PLACE={}", place.display());
    let options = ["-n", "fixture", "--only", "STOP-03", "--env", &variable];
    tester_with(&options, &called_safe(name, scratch), scratch)
}

/// What STOP-03 says, if it fails.
fn left(output: &Output) -> String {
    let said = text(&output.stdout);
    let line = said.lines().find(|line| line.starts_with("FAILED   STOP-03"));
    line.unwrap_or_default().to_owned()
}

fn is_missed(name: &str, sign: &str) -> Option<String> {
    let scratch = Scratch::new("ledger").unwrap();
    let place = scratch.path().join("place");
    let output = apart(|| {
        if name == "posix-queue" {
            mount_at("mqueue", &place).unwrap();
        } else if name == "second-mount" {
            mount_at("tmpfs", &scratch.path().join("mounted")).unwrap();
        }
        run(&format!("ledger/{name}"), &scratch, &place).output().unwrap()
    });
    let seen = code(&output) == Some(VIOLATIONS) && left(&output).contains(sign);
    (!seen).then(|| format!("{name}: {}{}", text(&output.stdout), text(&output.stderr)))
}

/// Says why a test isn't made, where it isn't.
fn is_possible() -> bool {
    if !geteuid().is_root() {
        eprintln!("skipped: namespaces need root");
    }
    geteuid().is_root()
}

#[test]
fn each_class_of_what_is_left_is_named() {
    if !is_possible() {
        return;
    }
    let wrong: Vec<String> =
        CLASSES.iter().filter_map(|(name, sign)| is_missed(name, sign)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_broken_agent_here_is_tried() {
    let all = fs::read_dir(agent("ledger")).unwrap().map(|entry| entry.unwrap().file_name());
    let known = |name: &str| CLASSES.iter().any(|class| class.0 == name);
    let own_tests = ["loop-device", "control-group"];
    let untried: Vec<_> = all
        .filter(|name| {
            let name = name.to_string_lossy();
            !known(&name) && !own_tests.contains(&name.as_ref())
        })
        .collect();
    assert!(untried.is_empty(), "{untried:?}");
}

/// The same namespaces make no agent look guilty.
#[test]
fn an_agent_that_leaves_nothing_passes_there() {
    if !is_possible() {
        return;
    }
    let scratch = Scratch::new("ledger").unwrap();
    let output = apart(|| run("safe", &scratch, scratch.path()).output().unwrap());
    assert_eq!(code(&output), Some(PASSED), "{output:?}");
}

/// Devices have no namespaces: this one is taken away at the end, whatever happens.
struct Loops(PathBuf);

impl Drop for Loops {
    #[expect(clippy::disallowed_methods, reason = "a test's own tool")]
    fn drop(&mut self) {
        let list = Command::new("losetup").arg("-j").arg(&self.0).output().unwrap();
        for line in text(&list.stdout).lines() {
            let device = line.split(':').next().unwrap_or_default();
            Command::new("losetup").arg("-d").arg(device).status().unwrap();
        }
    }
}

#[test]
fn a_loop_device_that_is_left_is_named() {
    if !is_possible() {
        return;
    }
    let scratch = Scratch::new("ledger").unwrap();
    let _loops = Loops(scratch.path().join("image"));
    let output = run("ledger/loop-device", &scratch, scratch.path()).output().unwrap();
    assert!(left(&output).contains("loop device loop"), "{output:?}");
}

/// In a control group of the tester's own, where no other test sees what is left.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test starts the command in a control group")]
fn a_control_group_that_is_left_is_named() {
    if !is_possible() {
        return;
    }
    let scratch = Scratch::new("ledger").unwrap();
    let root = scratch.path().join("groups");
    let output = apart(|| {
        mount_at("cgroup2", &root).unwrap();
        // Named like systemd's, which other testers leave out.
        let own = root.join(format!("ocf-tester-{}.scope", std::process::id()));
        fs::create_dir(&own).unwrap();
        let tester = run("ledger/control-group", &scratch, &own);
        let mut inside = Command::new("/bin/sh");
        inside.args(["-c", "echo $$ > \"$0\"; exec \"$@\""]).arg(own.join("cgroup.procs"));
        inside.arg(tester.get_program()).args(tester.get_args());
        let output = inside.output().unwrap();
        for group in [own.join("left-behind"), own] {
            let _ = fs::remove_dir(group);
        }
        output
    });
    assert!(left(&output).contains("control group "), "{output:?}");
}
