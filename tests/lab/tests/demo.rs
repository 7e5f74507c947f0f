// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a person reads of a demo.
#![expect(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

use std::path::PathBuf;
use std::process::{Command, Output};

/// A directory of agents that is removed again.
struct Agents(PathBuf);

impl Agents {
    fn make(files: &[(&str, &str)]) -> Self {
        let name = format!("lab-demo-{}", std::process::id());
        let agents = Self(std::env::temp_dir().join(name));
        for (file, text) in files {
            let file = agents.0.join(file);
            std::fs::create_dir_all(file.parent().expect("a provider")).expect("a directory");
            std::fs::write(&file, text).expect("a file");
        }
        agents
    }
}

impl Drop for Agents {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[expect(clippy::disallowed_methods, reason = "the lab itself is what is tested")]
fn demo(agents: &Agents) -> Output {
    let mut lab = Command::new(env!("CARGO_BIN_EXE_lab"));
    lab.args(["demo", "--agents"]).arg(&agents.0).output().expect("the lab runs")
}

#[test]
#[ignore = "needs root and a Docker Engine"]
fn a_step_that_fails_says_so_once() {
    // The first lab said it as "FAILED …" and again as "lab: …".
    let output = demo(&Agents::make(&[("heartbeat/Dummy", "not an agent\n")]));
    let (shown, aside) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{shown}{aside}");
    let failed: Vec<_> = shown.lines().filter(|line| line.starts_with("FAILED ")).collect();
    assert_eq!(failed.len(), 1, "{shown}");
    assert!(failed[0].starts_with("FAILED ocf:heartbeat:Dummy is started: "), "{shown}");
    assert_eq!(aside, "");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
