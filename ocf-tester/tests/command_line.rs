// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The command `ocf-tester` as people and scripts use it: options, exit codes, what is printed.
#![expect(clippy::disallowed_methods, reason = "a test starts the command itself, with signals")]

#[expect(dead_code, reason = "the labels of processes are other tests'")]
mod common;

use common::{agent, code, text};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use ocf_tester::exit_codes::{ENVIRONMENT, INTERRUPTED, PASSED, REFUSED, USAGE, VIOLATIONS};
use ocf_tester::ledger::Watch;
use ocf_tester::scratch::{Scratch, executable};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A run on a fixture whose state is in the scratch directory.
#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn run(name: &str, options: &[&str], scratch: &Scratch) -> Output {
    common::tester(name, scratch).args(options).output().unwrap()
}

fn tester() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocf-tester"));
    command.env_remove("OCF_RESOURCE_INSTANCE").stdin(Stdio::null());
    command
}

#[test]
fn the_exit_code_says_the_verdict() {
    let scratch = Scratch::new("cli").unwrap();
    assert_eq!(code(&run("safe", &[], &scratch)), Some(PASSED));
    assert_eq!(code(&run("mutants/second-start-fails", &[], &scratch)), Some(VIOLATIONS));
    fs::write(scratch.path().join("state"), "unpromoted\n").unwrap();
    let refused = run("safe", &[], &scratch);
    assert_eq!(code(&refused), Some(REFUSED));
    assert!(text(&refused.stdout).contains("--destructive"), "{refused:?}");
    assert!(scratch.path().join("state").exists());
    assert_eq!(code(&run("safe", &["--destructive"], &scratch)), Some(PASSED));
}

#[test]
fn wrong_usage_is_told_apart_and_runs_nothing() {
    let safe = agent("safe");
    let safe = safe.to_str().unwrap();
    for arguments in [
        &[][..],
        &[safe],
        &["-n", "x"],
        &["-n"],
        &["-Z", "-n", "x", safe],
        &["-n", "x", "-o", "novalue", safe],
        &["-n", "x", "-o", "=value", safe],
        &["-n", "x", "-q", "-v", safe],
        &["-n", "x", safe, safe],
    ] {
        let output = tester().args(arguments).output().unwrap();
        assert_eq!(code(&output), Some(USAGE), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
}

/// The classic tester had it; to fail with "unexpected argument" would say nothing about why.
#[test]
fn the_mode_through_lrmd_is_refused_with_a_sentence() {
    let safe = agent("safe");
    for words in [&["-L", "-n", "x"][..], &["-n", "x", "-L"], &["-L"]] {
        let output = tester().args(words).arg(&safe).output().unwrap();
        assert_eq!(code(&output), Some(USAGE), "{words:?}: {output:?}");
        assert!(text(&output.stderr).contains("-L is gone"), "{output:?}");
    }
}

/// The words are special in the first place only, so an agent may still be called that.
#[test]
fn an_agent_may_be_called_completion() {
    let scratch = Scratch::new("cli").unwrap();
    symlink(agent("safe"), scratch.path().join("completion")).unwrap();
    let state = format!("state={}", scratch.path().join("state").display());
    for given in
        [&["-n", "x", "-o", &state, "completion"][..], &["./completion", "-n", "x", "-o", &state]]
    {
        let mut command = tester();
        let search = format!("{}:/usr/bin:/bin", scratch.path().display());
        command.current_dir(scratch.path()).env("PATH", search);
        let output = command.args(given).args(["--only", "START-01"]).output().unwrap();
        assert_eq!(code(&output), Some(PASSED), "{given:?}: {output:?}");
    }
}

#[test]
fn help_and_version_are_answers() {
    for option in ["-h", "--help", "-?"] {
        let output = tester().arg(option).output().unwrap();
        assert_eq!(code(&output), Some(PASSED), "{option}");
        assert!(text(&output.stdout).contains("Exit codes: 0 passed, 1 violations"), "{option}");
    }
    let output = tester().arg("--version").output().unwrap();
    assert_eq!(text(&output.stdout), format!("ocf-tester {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn an_agent_that_cannot_be_run_is_an_environment_error() {
    let scratch = Scratch::new("cli").unwrap();
    let path = scratch.path().join("agent");
    let test = |path: &Path| tester().args(["-n", "x"]).arg(path).output().unwrap();
    assert_eq!(code(&test(&path)), Some(ENVIRONMENT));
    fs::write(&path, "#!/nonexistent/interpreter\n").unwrap();
    let output = test(&path);
    assert_eq!(code(&output), Some(ENVIRONMENT));
    assert!(text(&output.stderr).contains("chmod 755"), "{output:?}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let output = test(&path);
    assert_eq!(code(&output), Some(ENVIRONMENT));
    assert!(
        text(&output.stdout).contains("its interpreter /nonexistent/interpreter"),
        "{output:?}"
    );
    for output in [test(&scratch.path().join("nothing")), output] {
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(said.contains("cannot ") && !said.contains("os error"), "{said}");
    }
    assert_eq!(code(&test(scratch.path())), Some(ENVIRONMENT), "a directory");
    assert_eq!(code(&test(Path::new("no-such-agent-in-path"))), Some(ENVIRONMENT));
}

/// Every action of theirs answers the same, whatever it is: no resource is active for that.
#[test]
fn a_program_that_is_no_agent_breaks_the_rules_and_is_not_called_active() {
    for program in ["/bin/true", "/bin/false"] {
        let output = tester().args(["-n", "x", program]).output().unwrap();
        assert_eq!(code(&output), Some(VIOLATIONS), "{output:?}");
        let said = text(&output.stdout);
        assert!(said.contains("FAILED   META-01"), "{said}");
        assert!(!said.contains("START-01") && !said.contains("active"), "{said}");
    }
}

/// The C library would have a shell run these, as root; Pacemaker answers 5 for them.
#[test]
fn what_the_kernel_does_not_execute_is_not_given_to_a_shell() {
    for name in ["script-without-first-line", "empty", "bytes"] {
        let scratch = Scratch::new("cli").unwrap();
        let output = run(&format!("no-program/{name}"), &[], &scratch);
        assert_eq!(code(&output), Some(ENVIRONMENT), "{name}: {output:?}");
        assert!(text(&output.stdout).contains("begin it with #!"), "{name}: {output:?}");
        assert!(!scratch.path().join("state").exists(), "{name} was run");
    }
}

#[test]
fn the_name_may_come_from_the_environment() {
    let scratch = Scratch::new("cli").unwrap();
    let state = format!("state={}", scratch.path().join("state").display());
    let mut command = tester();
    let output = command
        .env("OCF_RESOURCE_INSTANCE", "fixture")
        .args(["-o", &state])
        .arg(agent("safe"))
        .output()
        .unwrap();
    assert_eq!(code(&output), Some(PASSED), "{output:?}");
}

#[test]
fn how_much_is_printed() {
    let scratch = Scratch::new("cli").unwrap();
    let said = |options: &[&str]| text(&run("safe", options, &scratch).stdout);
    // What a check remarks stands indented below its verdict.
    let lines =
        |options: &[&str]| said(options).lines().filter(|line| !line.starts_with(' ')).count();
    assert_eq!(lines(&["-q"]), 1);
    assert_eq!(lines(&[]), 2);
    assert_eq!(lines(&["-v"]), ocf_tester::checks::all().len() + 2);
    assert_eq!(lines(&["-X"]), lines(&["-v"]), "-X implies -v");
    let remark = "a monitor takes ";
    assert!(said(&["-v"]).contains(remark) && !said(&[]).contains(remark));
}

#[test]
fn a_failure_names_the_rule_what_was_expected_and_seen_and_how_to_see_it_again() {
    let scratch = Scratch::new("cli").unwrap();
    let output = text(&run("mutants/validate-refuses", &[], &scratch).stdout);
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(
        lines[1],
        "FAILED   VAL-01   expected validate-all to answer 0; seen: 6 (nothing is good enough) \
         [validate-all]"
    );
    let by_hand = lines[2].trim_start().strip_prefix("by hand: ").unwrap();
    let again = Command::new("/bin/sh").arg("-c").arg(by_hand).output().unwrap();
    assert_eq!(code(&again), Some(6), "{by_hand}");
}

#[test]
fn values_are_never_read_by_a_shell() {
    let scratch = Scratch::new("cli").unwrap();
    let canary = scratch.path().join("canary");
    let touch = format!("touch {}", canary.display());
    for value in
        [format!("$({touch})"), format!("`{touch}`"), format!("'; {touch}; '"), "it's".into()]
    {
        let option = format!("fake={value}");
        let output = run("safe", &["-o", &option, "-o", &format!("a b={value}")], &scratch);
        assert_eq!(code(&output), Some(PASSED), "{value}: {output:?}");
        let name = format!("x;{touch}");
        let output =
            run("safe", &["-q", "--env", &format!("OCF_RESOURCE_INSTANCE={name}")], &scratch);
        assert_eq!(code(&output), Some(PASSED), "{output:?}");
    }
    let not_utf8 = std::ffi::OsStr::from_bytes(b"fake=\xff\xfe");
    let state = format!("state={}", scratch.path().join("state").display());
    let mut command = tester();
    command.args(["-n", "x", "-o", &state, "-o"]).arg(not_utf8).arg(agent("safe"));
    assert_eq!(code(&command.output().unwrap()), Some(PASSED));
    assert!(!canary.exists());
}

#[test]
fn paths_may_have_blanks_be_relative_or_be_looked_up() {
    let scratch = Scratch::new("cli").unwrap();
    let odd = scratch.directory("two words/it's").unwrap();
    executable(&odd.join("safe"), fs::read(agent("safe")).unwrap()).unwrap();
    symlink(agent("safe"), scratch.path().join("safe")).unwrap();
    let state = format!("state={}", scratch.path().join("state").display());
    let test = |path: &str| {
        let mut command = tester();
        command.current_dir(scratch.path()).args(["-n", "x", "-o", &state, path]);
        let search = format!("{}:/usr/bin:/bin", scratch.path().display());
        command.env("PATH", search).output().unwrap()
    };
    for path in ["two words/it's/safe", "./safe", "safe"] {
        let output = test(path);
        assert_eq!(code(&output), Some(PASSED), "{path}: {output:?}");
    }
}

/// A signal in the middle of a start: the start is ended, and the resource stopped.
#[test]
fn an_interrupted_run_stops_the_resource() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let scratch = Scratch::new("cli").unwrap();
        let state = scratch.path().join("state");
        let mut command = tester();
        command.args(["-n", "x", "-o", &format!("state={}", state.display())]);
        command.arg(agent("slow-start")).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while !state.exists() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(state.exists(), "it was never started");
        kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), Some(INTERRUPTED), "{output:?}");
        assert!(text(&output.stdout).contains("nothing was left running"), "{output:?}");
        assert!(!state.exists());
        let watch = Watch::new().marker(format!("OCF_RESKEY_state={}", state.display()));
        let left = watch.snapshot().unwrap().processes;
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn a_reader_that_goes_away_does_not_leave_the_resource_running() {
    let scratch = Scratch::new("cli").unwrap();
    let state = scratch.path().join("state");
    let mut command = tester();
    command.args(["-v", "-n", "x", "-o", &format!("state={}", state.display())]);
    let mut child = command.arg(agent("safe")).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(i32::from(PASSED)));
    assert!(!state.exists());
}
