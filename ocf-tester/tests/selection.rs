// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `--list`, `--only`, `--skip`, `--level` and `explain` on the command line.

#[expect(dead_code, reason = "the labels of processes are other tests'")]
mod common;

use common::{code, tester, text};
use ocf_tester::checks;
use ocf_tester::exit_codes::{PASSED, REFUSED, USAGE, VIOLATIONS};
use ocf_tester::scratch::{Scratch, executable};
use std::fs;
use std::process::{Command, Output};

/// The command with nothing but these words.
#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn words(words: &[&str]) -> Output {
    let mut command = command();
    command.args(words).output().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a test starts the command itself")]
fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocf-tester"));
    command.env_remove("OCF_RESOURCE_INSTANCE");
    command
}

/// The ids that stand first in the lines that begin with one of the words of a verdict.
fn told(output: &Output) -> Vec<String> {
    let said = text(&output.stdout);
    let verdicts = ["passed", "skipped", "FAILED", "warning", "BROKEN"];
    let rows = said.lines().filter(|line| verdicts.iter().any(|word| line.starts_with(word)));
    rows.filter_map(|row| row.split_whitespace().nth(1).map(str::to_owned)).collect()
}

#[test]
fn the_list_has_a_line_of_four_columns_for_each_check() {
    let output = words(&["--list"]);
    assert_eq!(code(&output), Some(PASSED), "{output:?}");
    let list = text(&output.stdout);
    assert_eq!(list.lines().count(), checks::all().len());
    for (line, check) in list.lines().zip(checks::all()) {
        let columns: Vec<&str> = line.split('\t').collect();
        assert_eq!(columns, [check.id, &check.level.to_string(), check.section, check.meaning]);
    }
    let some = text(
        &words(&[
            "--list",
            "--only",
            "stop-*",
            "--skip=STOP-01,STOP-02,STOP-03,STOP-05,STOP-07,STOP-08,STOP-09,STOP-1*",
        ])
        .stdout,
    );
    let ids: Vec<&str> = some.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(ids, ["STOP-06", "STOP-04"]);
    let musts = text(&words(&["--list", "--level", "must"]).stdout);
    assert!(musts.contains("STOP-01\tmust\t") && !musts.contains("\tshould\t"), "{musts}");
}

#[test]
fn a_choice_that_means_no_check_is_wrong_usage() {
    for choice in [
        &["--only", "NO-SUCH"][..],
        &["--skip", "NO-*"],
        &["--only", "STOP-01,NO-*"],
        &["--only", ""],
        &["--only", "STOP-01", "--skip", "STOP-*"],
        &["--level", "may"],
        &["--level"],
    ] {
        let scratch = Scratch::new("selection").unwrap();
        for output in [
            words(&[choice, &["--list"]].concat()),
            tester("safe", &scratch).args(choice).output().unwrap(),
        ] {
            assert_eq!(code(&output), Some(USAGE), "{choice:?}: {output:?}");
            assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{choice:?}");
        }
    }
}

#[test]
fn only_what_is_asked_for_is_told() {
    for (choice, ids) in [
        (&["--only", "STOP-04"][..], &["STOP-04"][..]),
        (&["--only", "META-01"], &["META-01"]),
        (&["--only", "START-02,start-03"], &["START-02", "START-03"]),
        (&["--only", "ST*-06", "--only", "META-01", "--skip", "STOP-06"], &["META-01", "START-06"]),
    ] {
        let scratch = Scratch::new("selection").unwrap();
        let output = tester("safe", &scratch).arg("-v").args(choice).output().unwrap();
        assert_eq!(code(&output), Some(PASSED), "{choice:?}: {output:?}");
        assert_eq!(told(&output), ids, "{choice:?}");
        assert!(!scratch.path().join("state").exists(), "{choice:?}");
    }
}

#[test]
fn a_chosen_check_finds_what_it_finds_among_all() {
    for (agent, choice, wanted) in [
        ("start-returns-early", "START-02", VIOLATIONS),
        ("start-promotes", "START-06", VIOLATIONS),
        ("stop-of-stopped-7", "STOP-06", VIOLATIONS),
        ("stop-of-stopped-7", "START-03", PASSED),
        ("service-keeps-output", "USE-23", VIOLATIONS),
        // What the chosen one rests on is broken: told, although nobody asked for it.
        ("start-does-nothing", "START-02", VIOLATIONS),
        ("meta-data-fails", "META-02", VIOLATIONS),
    ] {
        let scratch = Scratch::new("selection").unwrap();
        let mut command = tester(&format!("mutants/{agent}"), &scratch);
        let output = command.args(["--only", choice]).output().unwrap();
        assert_eq!(code(&output), Some(wanted), "{agent} {choice}: {output:?}");
    }
}

/// The look that keeps somebody's resource from being touched is not a matter of choice.
#[test]
fn no_choice_leaves_out_the_first_look() {
    for choice in [["--only", "STOP-04"], ["--skip", "MON-03"], ["--only", "EXIT-01"]] {
        let scratch = Scratch::new("selection").unwrap();
        let state = scratch.path().join("state");
        fs::write(&state, "unpromoted\n").unwrap();
        let output = tester("safe", &scratch).args(choice).output().unwrap();
        assert_eq!(code(&output), Some(REFUSED), "{choice:?}: {output:?}");
        assert!(state.exists(), "{choice:?}");
    }
}

/// Musts count; what is meant less strongly counts for those who ask for its level.
#[test]
fn a_should_counts_when_its_level_is_asked_for() {
    for (level, wanted, shown) in [
        (None, PASSED, Some("warning")),
        (Some("must"), PASSED, None),
        (Some("should"), VIOLATIONS, Some("FAILED")),
        (Some("info"), VIOLATIONS, Some("FAILED")),
    ] {
        let scratch = Scratch::new("selection").unwrap();
        let mut command = tester("mutants/no-action-dies", &scratch);
        command.args(level.map(|level| format!("--level={level}")));
        let output = command.output().unwrap();
        assert_eq!(code(&output), Some(wanted), "{level:?}: {output:?}");
        let said = text(&output.stdout);
        let line = said.lines().find(|line| line.contains("INV-03"));
        assert_eq!(line.and_then(|line| line.split_whitespace().next()), shown, "{said}");
    }
}

#[test]
fn explain_tells_about_checks() {
    let output = words(&["explain", "STOP-06"]);
    assert_eq!(code(&output), Some(PASSED), "{output:?}");
    let said = text(&output.stdout);
    for part in ["STOP-06 (must): ", "OCF 1.1, Exit Status 7", "Why:", "Pacemaker:", "Usual fix:"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let two = text(&words(&["explain", "stop-04", "ST*-06"]).stdout);
    let heads = two.lines().filter(|line| line.contains("(must): ")).count();
    assert_eq!(heads, 3, "{two}");
    assert_eq!(code(&words(&["explain", "--help"])), Some(PASSED));
}

#[test]
fn explain_says_what_it_does_not_know() {
    for bad in [&["explain"][..], &["explain", "NO-01"], &["explain", "STOP-06", ""]] {
        let output = words(bad);
        assert_eq!(code(&output), Some(USAGE), "{bad:?}: {output:?}");
        assert!(output.stdout.is_empty() && text(&output.stderr).contains("--list"), "{bad:?}");
    }
}

/// The word is special in the first place only, so an agent may still be called that.
#[test]
fn an_agent_may_be_called_explain() {
    let scratch = Scratch::new("selection").unwrap();
    let safe = fs::read_to_string(common::agent("safe")).unwrap();
    let explain = scratch.path().join("explain");
    executable(&explain, safe.replace("name=\"safe\"", "name=\"explain\"")).unwrap();
    let state = format!("state={}", scratch.path().join("state").display());
    let search = format!("{}:/usr/bin:/bin", scratch.path().display());
    for given in
        [&["-n", "x", "-o", &state, "explain"][..], &["./explain", "-n", "x", "-o", &state]]
    {
        let mut command = command();
        command.current_dir(scratch.path()).env("PATH", &search).args(given);
        let output = command.output().unwrap();
        assert_eq!(code(&output), Some(PASSED), "{given:?}: {output:?}");
    }
}
