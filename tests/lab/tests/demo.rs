// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a person reads of a demo that can't be.
#![expect(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

use std::path::PathBuf;
use std::process::{Command, Output};

/// A directory that is removed again.
struct Directory(PathBuf);

impl Directory {
    fn make(name: &str, files: &[&str]) -> Self {
        let name = format!("lab-demo-{}-{name}", std::process::id());
        let directory = Self(std::env::temp_dir().join(name));
        std::fs::create_dir_all(&directory.0).expect("a directory");
        for file in files {
            std::fs::write(directory.0.join(file), "not a package\n").expect("a file");
        }
        directory
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[expect(clippy::disallowed_methods, reason = "the lab itself is what is tested")]
fn demo(packages: &Directory) -> Output {
    let mut lab = Command::new(env!("CARGO_BIN_EXE_lab"));
    lab.args(["demo", "--packages"]).arg(&packages.0).output().expect("the lab runs")
}

#[test]
fn without_packages_nothing_is_begun() {
    let output = demo(&Directory::make("none", &["ocf-agents_1_amd64.deb"]));
    let (shown, aside) = (text(&output.stdout), text(&output.stderr));
    assert_eq!((output.status.code(), shown.as_str()), (Some(1), ""));
    assert!(aside.ends_with("ocf-agents-standalone, not one; 'make deb' builds them\n"), "{aside}");
}

#[test]
#[ignore = "needs root and a Docker Engine"]
fn a_step_that_fails_says_so_once() {
    // The first lab said it as "FAILED …" and again as "lab: …".
    let files = ["ocf-agents_1_a.deb", "ocf-agents-standalone_1_a.deb", "ocf-agents-names_1_a.deb"];
    let output = demo(&Directory::make("wrong", &files));
    let (shown, aside) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{shown}{aside}");
    let failed: Vec<_> = shown.lines().filter(|line| line.starts_with("FAILED ")).collect();
    assert_eq!(failed.len(), 1, "{shown}");
    assert!(failed[0].starts_with("FAILED our packages in an image of"), "{shown}");
    assert_eq!(aside, "");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
