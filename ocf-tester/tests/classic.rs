// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How a run goes: refused, broken off, unable to stop the resource. What each check finds, the
//! self-test shows.

use nix::unistd::geteuid;
use ocf_tester::agent::Invocation;
use ocf_tester::check::{Outcome, Summary, Verdict};
use ocf_tester::classic::CHECKS;
use ocf_tester::event::{Event, Reporter, Silent};
use ocf_tester::ledger::Watch;
use ocf_tester::profile::CLASSIC;
use ocf_tester::scratch::Scratch;
use ocf_tester::session::{self, Options};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// Notes which checks found what.
#[derive(Default)]
struct Notes {
    failed: BTreeSet<&'static str>,
    rules: BTreeSet<&'static str>,
    skipped: BTreeSet<&'static str>,
    texts: Vec<String>,
}

impl Reporter for Notes {
    fn report(&mut self, event: &Event<'_>) -> io::Result<()> {
        let Event::Judged(check, outcome, _) = event else { return Ok(()) };
        match outcome {
            Outcome::Passed | Outcome::Unexpected(_) => {}
            Outcome::Broken(why) => self.texts.push(format!("{}: broken: {why}", check.id)),
            Outcome::Skipped(_) => {
                self.skipped.insert(check.id);
            }
            Outcome::Failed(failures) | Outcome::Expected(failures, _) => {
                self.failed.insert(check.id);
                self.rules.extend(failures.iter().filter_map(|failure| failure.rule));
                self.texts.extend(failures.iter().map(|one| format!("{}: {one:?}", check.id)));
            }
        }
        Ok(())
    }
}

/// One run on a fixture, in a directory of its own.
struct Trial {
    scratch: Scratch,
    notes: Notes,
    summary: Summary,
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agents").join(name)
}

fn test(name: &str, options: Options) -> io::Result<Trial> {
    let scratch = Scratch::new("classic")?;
    let base = Invocation::new(fixture(name), "meta-data")
        .profile(&CLASSIC, "fixture")
        .parameter("state", scratch.path().join("state"));
    let mut notes = Notes::default();
    let summary = session::run(base, CHECKS, options, None, &mut notes);
    Ok(Trial { scratch, notes, summary })
}

impl Trial {
    fn is_started(&self) -> bool {
        self.scratch.path().join("state").exists()
    }

    /// Processes that were started with this trial's parameters and are still there.
    fn processes(&self) -> io::Result<Vec<String>> {
        let state = self.scratch.path().join("state");
        let watch = Watch::new().marker(format!("OCF_RESKEY_state={}", state.display()));
        Ok(watch.snapshot()?.processes.values().map(ToString::to_string).collect())
    }
}

#[test]
fn a_right_agent_passes_every_check() {
    let trial = test("safe", Options::default()).unwrap();
    assert_eq!(trial.summary.verdict, Verdict::Passed, "{:?}", trial.notes.texts);
    let unjudged: BTreeSet<&str> = if geteuid().is_root() { [].into() } else { ["USE-20"].into() };
    assert_eq!(trial.notes.skipped, unjudged, "a fixture that advertises everything");
    assert_eq!(trial.summary.passed + unjudged.len(), CHECKS.len());
    assert!(!trial.is_started());
}

/// A resource that nobody can stop, or that leaves a process, is told at the end.
#[test]
fn what_cannot_be_stopped_is_told() {
    for name in ["stop-does-nothing", "stop-dies", "stop-hangs"] {
        let trial = test(&format!("mutants/{name}"), Options::default()).unwrap();
        assert_eq!(trial.notes.failed, ["STOP-01"].into(), "{name}: {:?}", trial.notes.texts);
        assert_eq!(trial.summary.verdict, Verdict::Failed, "{name}");
        assert!(trial.is_started() && !trial.summary.left.is_empty(), "{name}");
        assert_eq!(trial.processes().unwrap(), [""; 0], "{name}");
    }
}

#[test]
fn the_findings_of_the_description_carry_their_own_rules() {
    for (name, rule) in
        [("monitor-not-advertised", "INV-06"), ("parameter-declared-twice", "USE-04")]
    {
        let trial = test(&format!("mutants/{name}"), Options::default()).unwrap();
        assert!(trial.notes.rules.contains(rule), "{name}: {:?}", trial.notes.rules);
    }
}

#[test]
fn root_only_meta_data_is_found_by_root_and_not_judged_by_others() {
    let trial = test("mutants/meta-data-for-root-only", Options::default()).unwrap();
    if geteuid().is_root() {
        assert_eq!(trial.notes.failed, ["USE-20"].into());
    } else {
        assert!(trial.notes.skipped.contains("USE-20"));
    }
}

#[test]
fn an_active_resource_is_left_alone() {
    let scratch = Scratch::new("active").unwrap();
    let base = Invocation::new(fixture("safe"), "start")
        .profile(&CLASSIC, "fixture")
        .parameter("state", scratch.path().join("state"));
    assert_eq!(base.run().unwrap().code(), Some(0));
    let before = Watch::new().directory(scratch.path()).snapshot().unwrap();

    let summary = session::run(base.clone(), CHECKS, Options::default(), None, &mut Silent);
    assert!(matches!(summary.verdict, Verdict::Refused(_)), "{}", summary.verdict);
    let after = Watch::new().directory(scratch.path()).snapshot().unwrap();
    assert_eq!(before.changes(&after), []);

    let destructive = Options { destructive: true, ..Options::default() };
    let summary = session::run(base, CHECKS, destructive, None, &mut Silent);
    assert_eq!(summary.verdict, Verdict::Passed);
    assert!(!scratch.path().join("state").exists());
}

/// A tester that has a bug in the middle of a run.
struct BreaksOff(&'static str);

impl Reporter for BreaksOff {
    #[expect(clippy::panic, reason = "that is what it is for")]
    fn report(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Called(call, _) if call.action_name() == self.0 => panic!("after {}", self.0),
            _ => Ok(()),
        }
    }
}

#[test]
fn a_tester_that_breaks_off_stops_the_resource_all_the_same() {
    for action in ["start", "promote"] {
        let scratch = Scratch::new("breaks-off").unwrap();
        let state = scratch.path().join("state");
        let base = Invocation::new(fixture("mutants/process-outlives-stop"), "start")
            .profile(&CLASSIC, "fixture")
            .parameter("state", &state);
        let run = std::panic::AssertUnwindSafe(|| {
            session::run(base, CHECKS, Options::default(), None, &mut BreaksOff(action))
        });
        std::panic::catch_unwind(run).unwrap_err();
        assert!(!state.exists(), "after {action}");
        let watch = Watch::new().marker(format!("OCF_RESKEY_state={}", state.display()));
        assert!(watch.snapshot().unwrap().processes.is_empty(), "after {action}");
    }
}

#[test]
fn a_monitor_that_always_says_running_is_refused_then_found_out() {
    let name = "mutants/monitor-always-0";
    let trial = test(name, Options::default()).unwrap();
    assert!(matches!(trial.summary.verdict, Verdict::Refused(_)));
    let trial = test(name, Options { destructive: true, ..Options::default() }).unwrap();
    assert_eq!(trial.notes.failed, ["MON-03"].into(), "{:?}", trial.notes.texts);
    assert_eq!(trial.summary.verdict, Verdict::Failed);
}
