// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The guide can't rot: its code is the code that is compiled, and the tester passes it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

const AGENT: &str = include_str!("../src/main.rs");
const GUIDE: &str = include_str!("../../../agents/README.md");

#[test]
fn the_page_shows_the_code_that_is_compiled() {
    let shown = GUIDE.split("```rust\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(shown, AGENT);
    let lines = AGENT.lines().count();
    assert!(lines <= 60, "{lines} lines are no short agent");
}

#[test]
fn the_tester_passes_it() {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap();
    let root = Path::new(&package).ancestors().nth(2).unwrap();
    let staged = std::env::var_os("OCF_TESTER").map(PathBuf::from);
    let tester = staged.unwrap_or_else(|| root.join("target/stage/usr/bin/ocf-tester"));
    assert!(tester.is_file(), "no tester {}: run `make stage` first", tester.display());
    let scratch = ocf_tester::scratch::Scratch::new("guide").unwrap();
    let link = scratch.path().join("link");
    // Under the name that it is installed by.
    let agent = scratch.path().join("Link");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_example-Link"), &agent).unwrap();
    let output = Command::new(tester)
        .args(["-v", "-n", "test", "-o", "target=/etc", "-o"])
        .arg(format!("link={}", link.display()))
        .arg(&agent)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("passed"), "{text}");
    assert!(!link.is_symlink(), "the tester left the resource running: {text}");
}
