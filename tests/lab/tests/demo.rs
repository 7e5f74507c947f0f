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

/// Runs `lab demo`, for which `LAB` stands in the script, outside a namespace of this machine's.
#[expect(clippy::disallowed_methods, reason = "the lab itself is what is tested")]
fn demo_without(namespace: &str, script: &str) -> Output {
    let packages = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/deb");
    let lab =
        format!("timeout --signal=INT 60 {} demo --packages {packages}", env!("CARGO_BIN_EXE_lab"));
    let mut unshare = Command::new("unshare");
    unshare.args([namespace, "sh", "-c", &script.replace("LAB", &lab)]);
    unshare.output().expect("unshare runs")
}

#[test]
#[ignore = "needs root and packages"]
fn without_root_one_sentence_says_so() {
    let output = demo_without("--user", "LAB");
    let aside = text(&output.stderr);
    assert_eq!((output.status.code(), aside.lines().count()), (Some(1), 1), "{aside}");
    assert!(aside.contains("so it needs root: run it with sudo"), "{aside}");
}

#[test]
#[ignore = "needs root, a Docker Engine and packages"]
fn an_engine_with_other_files_is_refused_and_gets_no_directories() {
    // The Engine made directories of the names it didn't find, and the nodes had no fence device.
    let script = "socket=$(mktemp) && mount --bind /run/docker.sock $socket && \
                  mount -t tmpfs none /run && touch /run/docker.sock && \
                  mount --bind $socket /run/docker.sock && rm -f $socket; LAB";
    let output = demo_without("--mount", script);
    let (shown, aside) = (text(&output.stdout), text(&output.stderr));
    let failed: Vec<_> = shown.lines().filter(|line| line.starts_with("FAILED ")).collect();
    assert_eq!((output.status.code(), failed.len()), (Some(1), 1), "{shown}{aside}");
    let sentence = "making host node1: the Engine doesn't see the files of this machine: run the";
    assert!(failed[0].contains(sentence), "{shown}");
    let run = failed[0].split("--name ").nth(1).and_then(|name| name.split("-node1").next());
    let directory = PathBuf::from("/run/ocf-agents-lab").join(run.expect("the host's name"));
    assert!(!directory.exists(), "{} was made", directory.display());
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
