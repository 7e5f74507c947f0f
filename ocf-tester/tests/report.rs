// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The report: what an agent or a command line puts into it can't pose as a part of it, drown it,
//! or get lost unnoticed.

mod common;

use common::{Label, agent, code, tester, tester_with, text};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use ocf_tester::exit_codes::{ENVIRONMENT, INTERRUPTED, PASSED, REFUSED, USAGE, VIOLATIONS};
use ocf_tester::scratch::{Scratch, executable};
use std::fs::{self, File};
use std::time::{Duration, Instant};

/// Whether a terminal shows this and does nothing else.
fn is_harmless(line: &str) -> bool {
    !line.chars().any(|c| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c))
}

#[test]
fn no_text_of_an_agent_poses_as_a_line_of_the_report_or_reaches_the_terminal() {
    let scratch = Scratch::new("report").unwrap();
    let mut command = tester("report/escapes", &scratch);
    command.args(["-v", "-o", "x=\u{1b}[2K\nFAKE   passed\n", "--env", "Y=a\nFAKE"]);
    let output = command.output().unwrap();
    assert_eq!(code(&output), Some(VIOLATIONS), "{output:?}");
    let said = text(&output.stdout);
    assert!(said.contains("FAKE"), "the fixture says nothing: {said}");
    for line in said.lines() {
        assert!(is_harmless(line) && !line.starts_with("FAKE"), "{line:?}");
    }
}

#[test]
fn no_path_or_wrong_argument_reaches_the_terminal() {
    let scratch = Scratch::new("report").unwrap();
    let odd = scratch.path().join("\u{1b}[2K\nFAKE: passed");
    fs::create_dir(&odd).unwrap();
    for argument in [odd.as_os_str(), "--\u{1b}[2K".as_ref(), "missing\n\u{1b}[2KFAKE".as_ref()] {
        let output = tester("safe", &scratch).arg("-d").arg(argument).output().unwrap();
        assert_eq!(code(&output), Some(USAGE), "a second agent: {output:?}");
        assert!(!text(&output.stderr).contains('\u{1b}'), "{output:?}");
    }
    // A copy under an odd name, so that the verdict's own line has to name it.
    executable(&odd.join("safe"), fs::read(agent("safe")).unwrap()).unwrap();
    let options = ["-q", "-n", "x\nFAKE"];
    let output = tester_with(&options, &odd.join("safe"), &scratch).output().unwrap();
    assert_eq!(code(&output), Some(PASSED), "{output:?}");
    let said = text(&output.stdout);
    assert!(said.lines().count() == 1 && said.lines().all(is_harmless), "{said:?}");
}

#[test]
fn thousands_of_findings_are_counted_and_not_all_told() {
    let scratch = Scratch::new("report").unwrap();
    let output = tester("report/many-findings", &scratch).output().unwrap();
    assert_eq!(code(&output), Some(VIOLATIONS), "{:?}", output.stderr);
    let said = text(&output.stdout);
    assert!(said.len() < 50_000, "{} bytes", said.len());
    assert!(said.contains("further findings, which aren't shown"), "{said}");
    let by_hand = said.lines().filter(|line| line.contains("by hand: ")).count();
    assert_eq!(by_hand, 1, "one command shows them all: {said}");
}

#[test]
fn a_resource_without_a_name_is_wrong_usage() {
    let scratch = Scratch::new("report").unwrap();
    let output = tester_with(&["-n", ""], &agent("safe"), &scratch).output().unwrap();
    assert_eq!(code(&output), Some(USAGE), "{output:?}");
    assert!(text(&output.stderr).contains("can't be empty"), "{output:?}");
}

#[test]
fn a_report_that_cannot_be_written_is_no_success() {
    for options in [&["-q"][..], &[], &["-v"]] {
        let scratch = Scratch::new("report").unwrap();
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = tester("safe", &scratch).args(options).stdout(full).output().unwrap();
        assert_eq!(code(&output), Some(ENVIRONMENT), "{options:?}: {output:?}");
        assert!(text(&output.stderr).contains("the report can't be written"), "{output:?}");
        assert!(!scratch.path().join("state").exists());
    }
}

#[test]
fn a_second_tester_on_a_resource_is_refused_and_disturbs_nothing() {
    let scratch = Scratch::new("report").unwrap();
    let state = scratch.path().join("state");
    let label = Label::new();
    let first = tester("slow-start", &scratch).args(["-o", &label.option()]).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !state.exists() && Instant::now() < deadline {
        std::thread::yield_now();
    }
    let second = tester("slow-start", &scratch).args(["-o", &label.option()]).output().unwrap();
    assert_eq!(code(&second), Some(REFUSED), "{second:?}");
    assert!(text(&second.stderr).contains("another ocf-tester is at work"), "{second:?}");
    assert!(state.exists(), "the first one's resource was touched");
    kill(Pid::from_raw(first.id().cast_signed()), Signal::SIGINT).unwrap();
    assert_eq!(code(&first.wait_with_output().unwrap()), Some(INTERRUPTED));
    assert!(!state.exists() && label.processes().is_empty());
}
