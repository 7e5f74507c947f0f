// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf-tester compare` on the fixtures: what it finds, how it ends, what it leaves.
#![expect(clippy::disallowed_methods, reason = "a test starts the command itself, with signals")]

#[expect(dead_code, reason = "the plain test's command is other tests'")]
mod common;

use common::{Label, agent, code, text};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use ocf_tester::exit_codes::{ENVIRONMENT, INTERRUPTED, PASSED, REFUSED, USAGE, VIOLATIONS};
use ocf_tester::scratch::Scratch;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A state file in each scenario's own directory.
const OWN: &str = "state={scratch}/run/state";

fn command(first: &str, second: &str, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocf-tester"));
    command.env_remove("OCF_RESOURCE_INSTANCE").args(["compare", "-n", "x"]).args(options);
    // Two tests at once may use the same agents: that makes them different resources.
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    command.arg("--env").arg(format!("TEST_NUMBER={number}"));
    command.arg(agent(first)).arg(agent(second));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn compare(first: &str, second: &str, options: &[&str]) -> Output {
    command(first, second, options).output().unwrap()
}

/// The rows of the table that was printed.
fn rows(output: &Output) -> Vec<String> {
    let said = text(&output.stdout);
    let rows = said.lines().filter(|line| line.starts_with("| "));
    rows.skip(1).map(str::to_owned).collect()
}

/// A file with the printed table, each row with a reason.
#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn pasted(output: &Output, scratch: &Scratch) -> String {
    let said = text(&output.stdout);
    let lines = said.lines().filter(|line| line.starts_with('|'));
    let filled = lines.map(|line| match line.strip_suffix("| |") {
        Some(row) => format!("{row}| because |\n"),
        None => format!("{line}\n"),
    });
    let path = scratch.path().join("DIFFERENCES.md");
    fs::write(&path, filled.collect::<String>()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn assert_equals_itself(name: &str, options: &[&str]) {
    let output = compare(name, name, &[&["-o", OWN][..], options].concat());
    assert_eq!(code(&output), Some(PASSED), "{output:?}");
    let said = text(&output.stdout);
    let sum = said.lines().last().unwrap_or_default();
    assert!(sum.starts_with("0 differences in ") && !sum.contains(" 0 scenarios"), "{said}");
    assert_eq!(rows(&output), [""; 0]);
}

/// Everything that is generated.
#[test]
fn an_agent_does_not_differ_from_itself() {
    assert_equals_itself("safe", &[]);
}

/// It has process numbers in its files.
#[test]
fn an_agent_with_a_service_does_not_differ_from_itself() {
    let only = ["start, *", "* with *, started", "*, service killed*", "*, started by the other"];
    assert_equals_itself("service", &only.map(|only| ["--only", only]).concat());
}

#[test]
fn a_difference_is_a_row_that_can_be_pasted() {
    let scratch = Scratch::new("compare-command").unwrap();
    let options = ["-o", OWN, "--only", "stop*, started", "--skip", "stop with* ????*, *"];
    let with = |more: &[&str]| {
        compare("mutants/stop-does-nothing", "safe", &[&options[..], more].concat())
    };
    let output = with(&[]);
    assert_eq!(code(&output), Some(VIOLATIONS), "{output:?}");
    assert_eq!(
        rows(&output).first().map(String::as_str),
        Some("| stop, started | 0 | 0; removed run/state | | | |"),
    );
    let file = pasted(&output, &scratch);
    let table = fs::read_to_string(&file).unwrap();
    let agreed = with(&["--differences", &file]);
    assert_eq!(code(&agreed), Some(PASSED), "{agreed:?}");
    assert_eq!(rows(&agreed), [""; 0]);

    let row = "| stop, started | 0 | 0; removed run/state | | | because |\n";
    for (changed, complaint) in [
        (table.replace(row, ""), "add with its reason: | stop, started |"),
        (table.replace(row, &row.replace("because", "")), "has no reason"),
        (
            table.replace(row, &row.replace("| 0 | 0;", "| 1 | 0;")),
            "it has to be: | stop, started |",
        ),
        (format!("{table}| stop of nothing, started | 0 | 1 | | | because |\n"), "remove the row"),
    ] {
        fs::write(&file, changed).unwrap();
        let output = with(&["--differences", &file]);
        assert_eq!(code(&output), Some(VIOLATIONS), "{complaint}: {output:?}");
        let said = text(&output.stdout);
        assert!(said.contains(complaint) && said.contains("1 disagree with the table"), "{said}");
    }
    // Of what isn't looked at nobody can say that it is gone.
    fs::write(&file, format!("{table}| start, promoted | 0 | 1 | | | because |\n")).unwrap();
    assert_eq!(code(&with(&["--differences", &file])), Some(PASSED));
}

#[test]
fn reasons_descriptions_and_effects_can_be_left_out() {
    let only = ["--only", "notify, stopped", "--only", "description: *", "-o", OWN];
    let secret = ["-o", "password=geheim it's"];
    let seen = |ignore: &[&str]| {
        let options = [&only[..], &secret, ignore].concat();
        rows(&compare("compare/wordy", "compare/curt", &options))
    };
    let description = [
        "| description: parameter fake, default | \"y\" | \"x\" | | | |",
        "| description: action meta-data, timeout | 50 s | 5 s | | | |",
    ];
    let notify =
        "| notify, stopped | 1 | 1 | password *** refused \\| by {agent} | refused | |".to_owned();
    assert_eq!(seen(&[]), [&description.map(str::to_owned)[..], &[notify]].concat());
    assert_eq!(seen(&["--ignore", "wording"]), description);
    let bare = description.map(|row| row.replace("| | | |", "| |"));
    assert_eq!(seen(&["--ignore", "reasons"]), bare);
    assert_eq!(seen(&["--ignore=reasons,description"]), [""; 0]);
    let stop = ["-o", OWN, "--only", "stop, started", "--ignore", "effects"];
    assert_eq!(rows(&compare("mutants/stop-does-nothing", "safe", &stop)), [""; 0]);
}

/// Whether there is an exit reason is more than how it is worded.
#[test]
fn without_the_wording_a_missing_reason_is_still_one() {
    let options = ["-o", OWN, "--only", "notify, stopped", "--ignore", "wording"];
    let seen = rows(&compare("compare/curt", "compare/silent", &options));
    assert_eq!(seen, ["| notify, stopped | 1 | 1 | given | none | |"]);
}

#[test]
fn json_has_a_line_for_each_scenario_and_difference() {
    let options = ["-o", OWN, "--only", "stop, *", "--format", "json"];
    let output = compare("mutants/stop-does-nothing", "safe", &options);
    assert_eq!(code(&output), Some(VIOLATIONS), "{output:?}");
    let said = text(&output.stdout);
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |event: &str| lines.iter().filter(|line| line["event"] == event).collect::<Vec<_>>();
    let stop = of("scenario").into_iter().find(|line| line["id"] == "stop, started").unwrap();
    assert_eq!(stop["differs"], true);
    assert_eq!(stop["a"]["effects"], Value::Array(vec![]));
    assert_eq!(stop["b"]["effects"][0], "removed run/state");
    let stopped = of("scenario").into_iter().find(|line| line["id"] == "stop, stopped").unwrap();
    assert_eq!(stopped["differs"], false);
    assert_eq!(of("difference").len(), of("mismatch").len());
    let last = lines.last().unwrap();
    assert_eq!(last["event"], "finished");
    assert_eq!(last["scenarios"], of("scenario").len());
    assert_eq!(last["differences"], of("difference").len());
}

/// A promotable agent reaches no real cluster, however it looks for Pacemaker's tools.
#[test]
fn calls_of_the_clusters_tools_are_effects() {
    let options = ["-o", OWN, "--only", "promote, started"];
    assert_eq!(
        rows(&compare("compare/scores", "safe", &options)),
        ["| promote, started | 0; called crm_attribute --promotion -v 10 of x; \
          called crm_master -v 10 of x | 0 | | | |"]
    );
}

#[test]
fn a_file_that_a_parameter_names_is_looked_at_wherever_it_is() {
    let scratch = Scratch::new("compare-command").unwrap();
    let state = scratch.path().join("state");
    let option = format!("state={}", state.display());
    let options = ["-o", &option, "--only", "start, stopped"];
    let seen = rows(&compare("mutants/start-does-nothing", "safe", &options));
    let made = format!("made {} (file \"unpromoted\\n\")", state.display());
    assert_eq!(seen, [format!("| start, stopped | 0 | 0; {made} | | | |")]);
    assert!(!state.exists(), "it was left started");
}

#[test]
fn what_is_not_the_same_twice_is_told_and_does_not_count() {
    let scratch = Scratch::new("compare-command").unwrap();
    let toggle = format!("fake={}", scratch.path().join("toggle").display());
    let options = ["-o", OWN, "-o", &toggle, "--only", "reload, started"];
    let output = compare("compare/fickle", "mutants/reload-fails", &options);
    assert_eq!(code(&output), Some(PASSED), "{output:?}");
    assert!(text(&output.stdout).contains("unsteady, not compared: reload, started"));
}

#[test]
fn an_active_resource_is_left_alone() {
    let scratch = Scratch::new("compare-command").unwrap();
    let state = scratch.path().join("state");
    fs::write(&state, "unpromoted\n").unwrap();
    let output = compare("safe", "safe", &["-o", &format!("state={}", state.display())]);
    assert_eq!(code(&output), Some(REFUSED), "{output:?}");
    assert!(text(&output.stderr).contains("active already"), "{output:?}");
    assert_eq!(fs::read_to_string(&state).unwrap(), "unpromoted\n");
}

/// What can't be stopped ends the comparison: all that follows would be about something else.
#[test]
fn a_resource_that_cannot_be_stopped_ends_it() {
    let scratch = Scratch::new("compare-command").unwrap();
    let state = format!("state={}", scratch.path().join("state").display());
    let output = compare("mutants/stop-does-nothing", "safe", &["-o", &state]);
    assert_eq!(code(&output), Some(VIOLATIONS), "{output:?}");
    let said = text(&output.stderr);
    assert!(said.contains("stop it by hand: env -i "), "{said}");
}

#[test]
fn an_interrupted_comparison_stops_the_resource() {
    for (name, signal) in [("slow-start", Signal::SIGINT), ("slow-start", Signal::SIGTERM)] {
        let scratch = Scratch::new("compare-command").unwrap();
        let state = scratch.path().join("state");
        let option = format!("state={}", state.display());
        let child = command(name, "safe", &["-o", &option]).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while !state.exists() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(state.exists(), "it was never started");
        kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), Some(INTERRUPTED), "{output:?}");
        assert!(text(&output.stderr).contains("nothing was left running"), "{output:?}");
        assert!(!state.exists());
    }
}

/// A stop that never answers is left by a second signal, which then says what to do.
#[test]
fn a_second_signal_leaves_the_resource_and_says_so() {
    let scratch = Scratch::new("compare-command").unwrap();
    let (state, label) = (scratch.path().join("state"), Label::new());
    let option = format!("state={}", state.display());
    let options = ["-o", &option, "-o", &label.option(), "--only", "stop, started"];
    let mut child = command("processes/hangs-in-stop", "safe", &options).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(100);
    while label.processes().is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(!label.processes().is_empty(), "stop was never called");
    while child.try_wait().unwrap().is_none() && Instant::now() < deadline {
        kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
        std::thread::sleep(Duration::from_millis(200));
    }
    let _ended_already = child.kill();
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), Some(INTERRUPTED), "{output:?}");
    let said = text(&output.stderr);
    assert!(said.contains("isn't stopped") && said.contains("stop it by hand: env -i "), "{said}");
    assert_eq!(label.processes(), [0; 0], "the hanging stop itself");
    assert!(state.exists(), "the fixture can't be stopped, that is its point");
}

/// Its processes have neither the agent's group nor an environment.
#[test]
fn a_service_that_hides_is_ended_with_its_scenario() {
    let label = Label::new();
    let options = ["-o", &label.option(), "-o", OWN, "--only", "start, stopped"];
    let output = compare("processes/clears-environment", "processes/clears-environment", &options);
    assert_eq!(code(&output), Some(PASSED), "{output:?}");
    assert_eq!(label.processes(), [0; 0]);
}

#[test]
fn wrong_usage_and_what_cannot_be_run_are_told_apart() {
    let safe = agent("safe");
    let safe = safe.to_str().unwrap();
    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ocf-tester"));
        command.env_remove("OCF_RESOURCE_INSTANCE").arg("compare").args(words).output().unwrap()
    };
    for words in [
        &[][..],
        &["-n", "x", safe],
        &[safe, safe],
        &["-n", "", safe, safe],
        &["-n", "x", "--ignore", "everything", safe, safe],
        &["-n", "x", "--format", "junit", safe, safe],
        &["-n", "x", "-o", "novalue", safe, safe],
    ] {
        let output = run(words);
        assert_eq!(code(&output), Some(USAGE), "{words:?}: {output:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{words:?}");
    }
    let bytes = agent("no-program/bytes");
    for words in [
        &["-n", "x", safe, "/nonexistent/agent"][..],
        &["-n", "x", bytes.to_str().unwrap(), safe],
        &["-n", "x", "--differences", "/nonexistent/table", safe, safe],
    ] {
        let output = run(words);
        assert_eq!(code(&output), Some(ENVIRONMENT), "{words:?}: {output:?}");
        let said = text(&output.stderr);
        assert!(said.contains("cannot ") && !said.contains("os error"), "{said}");
    }
    let help = run(&["--help"]);
    assert_eq!(code(&help), Some(PASSED));
    assert!(text(&help.stdout).contains("{scratch}"), "{help:?}");
}

/// The word is special in the first place only, so an agent may still be called that.
#[test]
fn an_agent_may_be_called_compare() {
    let scratch = Scratch::new("compare-command").unwrap();
    symlink(agent("safe"), scratch.path().join("compare")).unwrap();
    let state = format!("state={}", scratch.path().join("state").display());
    let search = format!("{}:/usr/bin:/bin", scratch.path().display());
    for given in
        [&["-n", "x", "-o", &state, "compare"][..], &["./compare", "-n", "x", "-o", &state]]
    {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ocf-tester"));
        command.current_dir(scratch.path()).env("PATH", &search);
        let output = command.args(given).args(["--only", "START-01"]).output().unwrap();
        assert_eq!(code(&output), Some(PASSED), "{given:?}: {output:?}");
    }
}
