// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a person reads who asks for scenarios that aren't there.

use std::process::Command;

#[test]
fn a_name_that_no_scenario_has_is_no_run_that_passes() {
    // Nothing is looked at before that: neither root, nor the packages, nor an Engine.
    #[expect(clippy::disallowed_methods, reason = "the lab itself is what is tested")]
    let mut lab = Command::new(env!("CARGO_BIN_EXE_lab"));
    lab.args(["cluster-test", "--packages", "/nonexistent", "--only", "no such scenario"]);
    let output = lab.output().expect("the lab runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said, "lab: no scenario has 'no such scenario' in its name\n");
    assert!(output.stdout.is_empty());
}
