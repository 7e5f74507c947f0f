// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The staged ocf-tester passes every staged agent, and leaves nothing running.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, missing_docs, reason = "test code")]

use conformance::{WITH_STATE, World, staged, workspace};
use std::path::PathBuf;
use std::process::{Command, Output};

fn test(agent: &str, world: &World) -> Output {
    let given = std::env::var_os("OCF_TESTER").map(PathBuf::from);
    let tester = given.unwrap_or_else(|| workspace().join("target/stage/usr/bin/ocf-tester"));
    assert!(tester.is_file(), "no tester {}: run `make stage` first", tester.display());
    Command::new(tester)
        .args(["-v", "-n", "x", "-o"])
        .arg(format!("state={}", world.path().join("state/x").display()))
        .arg("--env")
        .arg(format!("HA_SBIN_DIR={}", world.path().join("sbin").display()))
        .arg(enterable(world, agent))
        .output()
        .unwrap()
}

/// A copy where everybody may enter: the checkout may be below a closed home, and the tester runs
/// meta-data as nobody.
fn enterable(world: &World, agent: &str) -> PathBuf {
    let copy = world.path().join(agent);
    std::fs::create_dir(copy.parent().unwrap()).unwrap();
    std::fs::copy(staged(agent), &copy).unwrap();
    copy
}

#[test]
fn passes_each_and_leaves_nothing() {
    for agent in WITH_STATE {
        let world = World::of(agent);
        let output = test(agent, &world);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{text}");
        let skipped = text.lines().filter(|line| line.starts_with("skipped"));
        for line in skipped {
            assert!(line.ends_with("isn't advertised"), "{agent}: {line}");
        }
        assert!(text.contains("passed, 0 failed"), "{agent}: {text}");
        assert!(world.files().is_empty(), "{agent}: {:?}", world.files());
    }
}
