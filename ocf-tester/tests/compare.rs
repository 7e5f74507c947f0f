// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Two agents in the same scenario. The fixtures `safe` and its mutants stand for the two.

use ocf_tester::agent::Verdict;
use ocf_tester::compare::table::{agree, read};
use ocf_tester::compare::{Difference, Scenario, Setup, Step, difference, observe};
use std::path::{Path, PathBuf};

fn agent(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agents").join(name)
}

const STATE: &[(&str, &str)] = &[("OCF_RESKEY_state", "{scratch}/run/state")];

const SCENARIOS: &[Scenario<'_>] = &[
    Scenario { id: "start stopped", env: STATE, action: "start", ..Scenario::PLAIN },
    Scenario {
        id: "stop running",
        env: STATE,
        prepare: &[Step::Call("start")],
        action: "stop",
        ..Scenario::PLAIN
    },
    Scenario { id: "stop stopped", env: STATE, action: "stop", ..Scenario::PLAIN },
    Scenario {
        id: "monitor of garbage",
        env: STATE,
        prepare: &[Step::Write("{scratch}/run/state", "what is this?\n")],
        ..Scenario::PLAIN
    },
];

#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn differences(shell: &str, ours: &str) -> Vec<Difference> {
    let setup = Setup::new();
    let both = SCENARIOS.iter().filter_map(|scenario| {
        let [shell, ours] = [agent(shell), agent(ours)]
            .map(|agent| observe(scenario, &agent, &agent, &setup).unwrap());
        difference(scenario, &shell, &ours)
    });
    both.collect()
}

#[test]
fn an_agent_does_not_differ_from_itself() {
    assert_eq!(differences("safe", "safe"), []);
}

#[test]
fn codes_and_effects_are_compared() {
    let seen = differences("mutants/stop-does-nothing", "safe");
    let [stop] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!(stop.to_string(), "| stop running | 0 | 0; removed run/state | |");
    let seen = differences("safe", "mutants/stop-of-stopped-7");
    let [stop] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!((stop.shell.as_str(), stop.ours.as_str()), ("0", "7"));
}

#[test]
fn a_table_has_to_say_exactly_what_was_seen() {
    let seen = differences("mutants/stop-does-nothing", "safe");
    let head = "| scenario | shell | ours | why |\n|---|---|---|---|\n";
    let row = "| stop running | 0 | 0; removed run/state | it has to stop |\n";
    assert_eq!(agree(&read(&format!("{head}{row}")).unwrap(), &seen), Ok(()));
    let stale = format!("{head}{row}| start stopped | 0 | 1 | was so once |\n");
    let wrong = agree(&read(&stale).unwrap(), &seen).unwrap_err();
    assert_eq!(wrong.len(), 1);
    assert!(wrong[0].to_string().contains("remove the row"), "{}", wrong[0]);
    let wrong = agree(&read(head).unwrap(), &seen).unwrap_err();
    assert!(wrong[0].to_string().contains("add with its reason"), "{}", wrong[0]);
}

#[test]
fn an_observation_tells_of_state_and_reason_without_the_scratch_path() {
    let setup = Setup::new();
    let safe = agent("safe");
    let start = observe(&SCENARIOS[0], &safe, &safe, &setup).unwrap();
    assert_eq!(start.effects, [r#"made run/state (file "unpromoted\n")"#]);
    let garbage = observe(&SCENARIOS[3], &safe, &safe, &setup).unwrap();
    assert_eq!(garbage.verdict, Verdict::Exit(1));
    assert_eq!(garbage.exit_reason.as_deref(), Some("{scratch}/run/state holds what is this?"));
    assert_eq!(garbage.effects, [""; 0]);
}

#[test]
fn modes_and_contents_are_compared_as_the_scenario_says() {
    let setup = Setup::new();
    let safe = agent("safe");
    let scenario = Scenario { modes: true, contents: false, ..SCENARIOS[0] };
    let start = observe(&scenario, &safe, &safe, &setup).unwrap();
    // Pacemaker's umask is 0026.
    assert_eq!(start.effects, ["made run/state (file 0640)"]);
}

#[test]
fn one_agent_can_take_over_from_the_other() {
    let (old, new) = (agent("safe"), agent("mutants/stop-does-nothing"));
    let taken = observe(&SCENARIOS[1], &old, &new, &Setup::new()).unwrap();
    assert_eq!((taken.verdict, taken.effects.len()), (Verdict::Exit(0), 0));
    let taken = observe(&SCENARIOS[1], &new, &old, &Setup::new()).unwrap();
    assert_eq!(taken.effects, ["removed run/state"]);
}

#[test]
fn calls_of_tools_are_effects() {
    let setup = Setup::new().instance("web").stand_in(
        "crm_attribute",
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stand-ins/crm_attribute"),
    );
    let scenario = Scenario { id: "score", action: "record", ..Scenario::PLAIN };
    let talker = agent("talker");
    let seen = observe(&scenario, &talker, &talker, &setup).unwrap();
    assert_eq!(seen.verdict, Verdict::Exit(0), "{seen:?}");
    assert_eq!(seen.effects, ["called crm_attribute --promotion -v 5"]);
}

#[test]
fn a_preparation_that_fails_is_no_observation() {
    let scenario = Scenario { prepare: &[Step::Call("nonsense")], ..SCENARIOS[0] };
    let safe = agent("safe");
    let error = observe(&scenario, &safe, &safe, &Setup::new()).unwrap_err();
    assert!(error.contains("nonsense, a preparation, answers 3"), "{error}");
}

#[test]
fn every_kind_of_step_is_arranged() {
    let steps = &[
        Step::MakeDirectory("{scratch}/run/deep/down"),
        Step::Write("{scratch}/run/deep/file", "x"),
        Step::Link("{scratch}/run/link", "{scratch}/run/deep/file"),
        Step::Mode("{scratch}/run/deep/file", 0o600),
        Step::Remove("{scratch}/run/deep"),
        Step::Remove("{scratch}/run/nothing"),
        Step::CallWith("start", &[("OCF_RESKEY_state", "{scratch}/run/other")]),
    ];
    let scenario = Scenario { prepare: steps, action: "stop", ..SCENARIOS[0] };
    let safe = agent("safe");
    let seen = observe(&scenario, &safe, &safe, &Setup::new()).unwrap();
    assert_eq!((seen.verdict, seen.effects.len()), (Verdict::Exit(0), 0), "{seen:?}");
}
