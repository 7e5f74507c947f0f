// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The runner around a toy agent whose every answer a test dictates: what comes back as code and
//! exit reason, and which handlers ran.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "test code")]

use ocf::code::Code;
use ocf::environment::Environment;
use ocf::runner::{Outcome, run};
use ocf::{About, Action, Agent, Context, Error, Result, State};
use std::cell::RefCell;

ocf::parameters! {
    /// The toy's.
    struct Parameters {
        /// Identity
        id: u16,
        /// Tunable
        tunable: u32 => default("1").reloadable(),
        /// Flag
        flag: bool => default("no"),
    }
}

/// What the toy shall answer, and what was asked of it.
#[derive(Default)]
struct Script {
    states: Vec<Result<State>>,
    handler: Option<Error>,
    host: Option<Error>,
    check: Option<Error>,
    left: Vec<String>,
    calls: Vec<String>,
}

thread_local! {
    static SCRIPT: RefCell<Script> = RefCell::default();
}

fn note(call: &str) {
    SCRIPT.with_borrow_mut(|script| script.calls.push(call.to_owned()));
}

struct Toy {
    parameters: Parameters,
}

impl Toy {
    fn change(&self, context: &Context) -> Result<()> {
        note(&context.action);
        SCRIPT.with_borrow(|script| script.handler.clone().map_or(Ok(()), Err))
    }

    fn look(&self, context: &Context) -> Result<State> {
        note(&format!("look at level {:?}", context.check_level));
        SCRIPT.with_borrow_mut(|script| {
            let states = &mut script.states;
            if states.len() > 1 { states.remove(0) } else { states.first().cloned().unwrap() }
        })
    }
}

impl Agent for Toy {
    const ABOUT: About = About { name: "Toy", version: "1", short: "Toy", long: "Toy." };
    const ACTIONS: &'static [Action<Self>] = &[
        Action::start(2, Self::change),
        Action::stop(2, Self::change),
        Action::monitor(2, 10, Self::look),
        Action::promote(2, Self::change),
        Action::reload_agent(2, Self::change),
        Action::validate_all(2),
    ];
    type Parameters = Parameters;

    fn new(parameters: Parameters, _: &Context) -> Self {
        Self { parameters }
    }
    fn check(&self) -> Result<()> {
        note("check");
        assert!(self.parameters.id > 0 || !self.parameters.flag || self.parameters.tunable > 0);
        SCRIPT.with_borrow(|script| script.check.clone().map_or(Ok(()), Err))
    }
    fn check_host(&self, _: &Context) -> Result<()> {
        note("check_host");
        SCRIPT.with_borrow(|script| script.host.clone().map_or(Ok(()), Err))
    }
    fn leftovers(&self, _: &Context) -> Result<Vec<String>> {
        note("leftovers");
        Ok(SCRIPT.with_borrow(|script| script.left.clone()))
    }
}

/// Runs an action of the toy; the calls it made come with the outcome.
fn play(script: Script, action: &str, more: &[(&str, &str)]) -> (Outcome, Vec<String>) {
    SCRIPT.set(script);
    let base = [
        ("OCF_RA_VERSION_MAJOR", "1"),
        ("OCF_RESOURCE_INSTANCE", "toy"),
        ("OCF_RESKEY_id", "7"),
        ("PCMK_service", "pacemaker-execd"),
    ];
    let environment: Environment = more.iter().chain(&base).copied().collect();
    let outcome = run::<Toy>(action, environment);
    (outcome, SCRIPT.take().calls)
}

const RECURRING: (&str, &str) = ("OCF_RESKEY_CRM_meta_interval", "10000");

fn states(states: &[State]) -> Script {
    Script { states: states.iter().cloned().map(Ok).collect(), ..Script::default() }
}

fn stopped() -> State {
    State::stopped("no sign of it")
}

fn code_and_reason((outcome, _): (Outcome, Vec<String>)) -> (Code, Option<String>) {
    (outcome.code, outcome.reason.map(std::borrow::Cow::into_owned))
}

#[test]
fn start_looks_once_acts_and_waits_until_it_is_up() {
    let script = states(&[stopped(), stopped(), stopped(), State::Running]);
    let (outcome, calls) = play(script, "start", &[]);
    assert_eq!(outcome.code, Code::Success);
    let look = "look at level Some(0)";
    assert_eq!(calls, ["check", "check_host", look, "start", look, look, look]);
}

#[test]
fn start_of_a_healthy_one_returns_early_and_of_no_other() {
    let (outcome, calls) = play(states(&[State::Running]), "start", &[]);
    assert_eq!(outcome.code, Code::Success);
    assert!(!calls.contains(&"start".to_owned()));
    for first in [State::Promoted, State::Degraded("worn".into())] {
        let (_, calls) = play(states(&[first, State::Running]), "start", &[]);
        assert!(calls.contains(&"start".to_owned()));
    }
    let mut script = states(&[State::Running]);
    script.states.insert(0, Err(Error::generic("broken")));
    let (outcome, calls) = play(script, "start", &[]);
    assert_eq!(outcome.code, Code::Success);
    assert!(calls.contains(&"start".to_owned()));
}

#[test]
fn start_that_never_comes_up_fails_inside_the_deadline() {
    let timeout = ("OCF_RESKEY_CRM_meta_timeout", "1000");
    let (code, reason) = code_and_reason(play(states(&[stopped()]), "start", &[timeout]));
    assert_eq!(code, Code::Generic);
    assert!(reason.unwrap().starts_with("toy is not ready"));
}

#[test]
fn stop_is_judged_by_what_is_left() {
    let left = || vec!["process 42".to_owned(), "/run/x".to_owned()];
    let broken = || Some(Error::installed("no tool"));
    let (code, reason) = code_and_reason(play(Script::default(), "stop", &[]));
    assert_eq!((code, reason), (Code::Success, None));
    let script = Script { handler: broken(), ..Script::default() };
    assert_eq!(code_and_reason(play(script, "stop", &[])), (Code::Success, None));
    let (code, reason) =
        code_and_reason(play(Script { left: left(), ..Script::default() }, "stop", &[]));
    assert_eq!(code, Code::Generic);
    assert_eq!(reason.unwrap(), "still there after stop: process 42, /run/x");
    let script = Script { left: left(), handler: broken(), ..Script::default() };
    let (code, reason) = code_and_reason(play(script, "stop", &[]));
    assert_eq!(code, Code::Generic);
    assert_eq!(reason.unwrap(), "no tool; still there after stop: process 42, /run/x");
    // The first version named a path twice, and the cause was cut off.
    let broken = || Some(Error::generic("cannot remove /run/x: read-only file system"));
    let script = Script { left: vec!["/run/x".into()], handler: broken(), ..Script::default() };
    let (_, reason) = code_and_reason(play(script, "stop", &[]));
    let cause_first = "cannot remove /run/x: read-only file system; it is still there after stop";
    assert_eq!(reason.unwrap(), cause_first);
}

#[test]
fn stop_always_runs_its_handler_and_asks_no_check() {
    let script = Script {
        check: Some(Error::configured("nonsense")),
        host: Some(Error::installed("nothing here")),
        ..Script::default()
    };
    let (outcome, calls) = play(script, "stop", &[("OCF_RESKEY_tunable", "garbage")]);
    assert_eq!(outcome.code, Code::Success);
    assert_eq!(calls, ["stop", "leftovers"]);
}

#[test]
fn an_instance_that_cannot_be_named_was_never_started() {
    for id in ["", "none"] {
        let bad = ("OCF_RESKEY_id", id);
        let outcome = |action: &str, more: &[(&str, &str)]| {
            let more: Vec<(&str, &str)> = more.iter().copied().chain([bad]).collect();
            let (outcome, calls) = play(Script::default(), action, &more);
            assert!(calls.is_empty());
            outcome.code
        };
        assert_eq!(outcome("start", &[]), Code::Configured);
        assert_eq!(outcome("validate-all", &[("OCF_CHECK_LEVEL", "0")]), Code::Configured);
        assert_eq!(outcome("monitor", &[]), Code::NotRunning);
        assert_eq!(outcome("monitor", &[RECURRING]), Code::Generic);
        assert_eq!(outcome("stop", &[]), Code::Success);
    }
}

#[test]
fn a_probe_that_finds_nothing_is_silent_and_a_monitor_says_why() {
    let nothing = code_and_reason(play(states(&[stopped()]), "monitor", &[]));
    assert_eq!(nothing, (Code::NotRunning, None));
    let gone = code_and_reason(play(states(&[stopped()]), "monitor", &[RECURRING]));
    assert_eq!(gone, (Code::NotRunning, Some("no sign of it".to_owned())));
}

#[test]
fn software_that_is_missing_means_not_running_to_a_probe_only() {
    let missing = || Script { states: vec![Err(Error::installed("no tool"))], ..Script::default() };
    assert_eq!(play(missing(), "monitor", &[]).0.code, Code::NotRunning);
    assert_eq!(play(missing(), "monitor", &[RECURRING]).0.code, Code::Generic);
    let script = Script { host: Some(Error::installed("no tool")), ..Script::default() };
    assert_eq!(play(script, "start", &[]).0.code, Code::Installed);
}

#[test]
fn degraded_is_told_to_pacemaker_only() {
    let worn = || states(&[State::Degraded("worn".into())]);
    assert_eq!(play(worn(), "monitor", &[]).0.code, Code::Degraded);
    assert_eq!(play(worn(), "monitor", &[("PCMK_service", "")]).0.code, Code::Success);
    let leads = || states(&[State::DegradedPromoted("worn".into())]);
    assert_eq!(play(leads(), "monitor", &[]).0.code, Code::DegradedPromoted);
    assert_eq!(play(leads(), "monitor", &[("PCMK_service", "")]).0.code, Code::RunningPromoted);
}

#[test]
fn promote_of_a_stopped_one_may_answer_not_running_and_start_may_not() {
    let absent =
        || Script { handler: Some(Error::not_running("toy does not run")), ..states(&[stopped()]) };
    assert_eq!(play(absent(), "promote", &[]).0.code, Code::NotRunning);
    assert_eq!(play(absent(), "reload-agent", &[]).0.code, Code::NotRunning);
    assert_eq!(play(absent(), "start", &[]).0.code, Code::Generic);
}

#[test]
fn validate_all_looks_at_the_host_unless_told_not_to() {
    let bad_host = || Script { host: Some(Error::args("no directory")), ..Script::default() };
    for level in [("OCF_CHECK_LEVEL", ""), ("OCF_CHECK_LEVEL", "10"), ("OCF_CHECK_LEVEL", "20")] {
        assert_eq!(play(bad_host(), "validate-all", &[level]).0.code, Code::Args);
    }
    let (outcome, calls) = play(bad_host(), "validate-all", &[("OCF_CHECK_LEVEL", "0")]);
    assert_eq!((outcome.code, calls), (Code::Success, vec!["check".to_owned()]));
}

#[test]
fn a_doubtful_boolean_counts_as_false_and_fails_validate_all() {
    let doubtful = ("OCF_RESKEY_flag", "Yes");
    assert_eq!(play(states(&[State::Running]), "start", &[doubtful]).0.code, Code::Success);
    let (code, reason) = code_and_reason(play(Script::default(), "validate-all", &[doubtful]));
    assert_eq!(code, Code::Configured);
    let wanted = "parameter flag is neither a true nor a false word and counts as false";
    assert_eq!(reason.unwrap(), wanted);
}

#[test]
fn unknown_actions_look_at_nothing() {
    let (outcome, calls) = play(Script::default(), "migrate_to", &[("OCF_RESKEY_id", "none")]);
    assert_eq!(outcome.code, Code::Unimplemented);
    assert_eq!(outcome.reason.as_deref(), Some("Toy has no action migrate_to"));
    assert!(calls.is_empty());
    for action in ["usage", "help"] {
        let (outcome, _) = play(Script::default(), action, &[("OCF_RA_VERSION_MAJOR", "9")]);
        assert_eq!(outcome.code, Code::Success);
        assert!(outcome.stdout.contains("start|stop|monitor|promote|reload-agent"));
    }
}
