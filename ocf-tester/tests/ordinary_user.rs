// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The command as an ordinary user, for an agent that works as one: right agents pass, and what only
//! root can judge is skipped, says so and is counted.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test starts the command itself, and its helpers fail by a panic"
)]

use nix::unistd::{Gid, Uid, chown, geteuid};
use ocf_tester::check::{FOR_ROOT, Need};
use ocf_tester::checks;
use ocf_tester::scratch::{Scratch, executable};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// User and group `nobody`, the same on every Linux.
const NOBODY: u32 = 65534;

/// Copies a file to where every user may run it; the checkout may be below a closed home.
fn copy(file: &Path, scratch: &Scratch) -> std::path::PathBuf {
    let copy = scratch.path().join(file.file_name().unwrap());
    executable(&copy, fs::read(file).unwrap()).unwrap();
    copy
}

/// The report on a fixture that is tested by an ordinary user: nobody, where this test may choose.
fn report(name: &str) -> Vec<Value> {
    let scratch = Scratch::new("ordinary-user").unwrap();
    let state = scratch.directory("state").unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agents");
    let agent = copy(&fixtures.join(name), &scratch);
    let mut command = Command::new(copy(Path::new(env!("CARGO_BIN_EXE_ocf-tester")), &scratch));
    command.args(["-n", "fixture", "--level", "info", "--format", "json"]);
    command.args(["-o", &format!("state={}", state.join("state").display())]).arg(agent);
    if geteuid().is_root() {
        chown(&state, Some(Uid::from_raw(NOBODY)), Some(Gid::from_raw(NOBODY))).unwrap();
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{name}: {text}\n{:?}", output.stderr);
    assert_eq!(fs::read_dir(&state).unwrap().count(), 0, "{name} leaves something");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn right_agents_pass_and_what_needs_root_is_told_and_counted() {
    let needs_root = checks::all().iter().filter(|check| check.needs.contains(&Need::Root));
    let needs_root: BTreeSet<&str> = needs_root.map(|check| check.id).collect();
    assert!(!needs_root.is_empty(), "no check needs root any more, and this test has no object");
    for name in ["safe", "service"] {
        let lines = report(name);
        let is_skipped = |line: &&Value| line["event"] == "check" && line["reason"] == FOR_ROOT;
        let skipped = lines.iter().filter(is_skipped).map(|line| line["id"].as_str().unwrap());
        assert_eq!(skipped.collect::<BTreeSet<&str>>(), needs_root, "{name}");
        let last = lines.last().unwrap();
        assert_eq!(last["verdict"], "passed", "{name}: {last}");
        assert_eq!(last["skipped_for_root"], needs_root.len(), "{name}: {last}");
    }
}
