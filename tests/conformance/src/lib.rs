// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the tests of the agents share: the staged agents (`make stage` builds what ships), each in a
//! world of its own, and the form every failure has to have.
//!
//! The needs of this tier: root. Without it the tests fail, they don't pass.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::missing_panics_doc,
    missing_docs,
    reason = "test code: a panic is how a test fails"
)]

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use ocf_tester::agent::{Execution, Invocation};
use ocf_tester::profile::PACEMAKER;
use ocf_tester::scratch::Scratch;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// The agents with a state file.
pub const WITH_STATE: [&str; 3] = ["heartbeat/Dummy", "pacemaker/Dummy", "pacemaker/Stateful"];
/// Every agent, as `<provider>/<type>`.
pub const ALL: [&str; 7] = [
    "heartbeat/Dummy",
    "heartbeat/IPaddr2",
    "heartbeat/apache",
    "heartbeat/docker",
    "pacemaker/Dummy",
    "pacemaker/Stateful",
    "pacemaker/remote",
];

/// The workspace's folder.
#[must_use]
pub fn workspace() -> PathBuf {
    // Asked at run time: a checkout may have moved since the build.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let package = package.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    package.ancestors().nth(2).unwrap().to_owned()
}

/// Where the staged agents are, as `<provider>/<type>`.
#[must_use]
pub fn stage() -> PathBuf {
    let given = std::env::var_os("OCF_AGENTS").map(PathBuf::from);
    given.unwrap_or_else(|| workspace().join("target/stage/usr/lib/ocf/resource.d"))
}

/// The file of a staged agent.
#[must_use]
pub fn staged(agent: &str) -> PathBuf {
    let path = stage().join(agent);
    assert!(path.is_file(), "no agent {}: run `make stage` first", path.display());
    path
}

/// An agent in a world of its own: its directories, a crm_attribute that says yes (a stand-in:
/// there is no cluster here), and Pacemaker's environment.
#[derive(Debug)]
pub struct World {
    scratch: Scratch,
    call: Invocation,
}

impl World {
    #[must_use]
    pub fn of(agent: &str) -> Self {
        let scratch = Scratch::new("world").unwrap();
        for name in ["rsctmp", "run", "sbin", "state"] {
            fs::create_dir(scratch.path().join(name)).unwrap();
        }
        std::os::unix::fs::symlink("/bin/true", scratch.path().join("sbin/crm_attribute")).unwrap();
        let call = Invocation::new(staged(agent), "monitor")
            .profile(&PACEMAKER, "x")
            .env("HA_RSCTMP", scratch.path().join("rsctmp"))
            .env("HA_VARRUN", scratch.path().join("run"))
            .env("HA_SBIN_DIR", scratch.path().join("sbin"));
        Self { scratch, call }
    }

    /// The same with the state file at a place of the test's choice.
    #[must_use]
    pub fn with_state(agent: &str, state: impl AsRef<OsStr>) -> Self {
        let world = Self::of(agent);
        let call = world.call.clone().parameter("state", state);
        Self { call, ..world }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        self.scratch.path()
    }

    #[must_use]
    pub fn call(&self, action: &str) -> Invocation {
        self.call.action(action)
    }

    /// A monitor that Pacemaker repeats.
    #[must_use]
    pub fn recurring(&self) -> Invocation {
        self.call("monitor").parameter("CRM_meta_interval", "10000")
    }

    /// Runs an action; its code and form have to be right.
    pub fn expect(&self, action: &str, code: i32) -> Execution {
        expect(&self.call(action), code)
    }

    /// The files below the world's directories.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        let mut names = Vec::new();
        for directory in ["rsctmp", "run", "state"] {
            for entry in fs::read_dir(self.path().join(directory)).unwrap() {
                let name = entry.unwrap().file_name();
                names.push(format!("{directory}/{}", name.to_string_lossy()));
            }
        }
        names.sort();
        names
    }
}

/// Runs a call; its code has to be `code`, and its output of the form that Pacemaker needs: stdout
/// silent, one exit reason, last, of at most 128 bytes, for a failure only.
pub fn expect(call: &Invocation, code: i32) -> Execution {
    let seen = call.run().unwrap();
    let stderr = String::from_utf8_lossy(&seen.stderr).into_owned();
    let what = call.reproduction();
    assert_eq!(seen.code(), Some(code), "{what}\n{stderr}");
    let reasons: Vec<&str> =
        stderr.lines().filter_map(|line| line.strip_prefix("ocf-exit-reason:")).collect();
    let action = call.action_name();
    let says_nothing = code == 0 || matches!((action.as_str(), code), ("monitor", 7 | 8));
    if says_nothing && reasons.is_empty() {
        return seen;
    }
    let [reason] = reasons.as_slice() else {
        panic!("{what}: not exactly one exit reason\n{stderr}");
    };
    assert!(code != 0, "{what}: an exit reason for a success\n{stderr}");
    assert!(stderr.ends_with(&format!("{reason}\n")), "{what}: not last\n{stderr}");
    assert!(!reason.is_empty() && reason.len() <= 128, "{what}: {reason}");
    if action != "usage" && action != "help" {
        assert!(seen.stdout.is_empty(), "{what}: prints to stdout");
    }
    seen
}

/// A mount namespace of this thread's own: what is mounted in it is gone with the thread.
pub fn own_mounts() {
    unshare(CloneFlags::CLONE_NEWNS).expect("this test needs root");
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
}

/// A file system in memory, in the thread's own mount namespace.
pub fn tmpfs(at: &Path, flags: MsFlags, options: &str) {
    mount(Some("tmpfs"), at, Some("tmpfs"), flags, Some(options)).unwrap();
}

/// Takes a mount away. Detached, not unmounted: a child that another test forked at this moment, and that
/// has not executed its program yet, holds copies of this process's descriptors and keeps it busy.
pub fn detach(at: &Path) {
    umount2(at, MntFlags::MNT_DETACH).unwrap();
}
