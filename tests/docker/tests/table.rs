// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Every action in every state that a container can have, with and without reuse: what ours answers,
//! and beside it what the shell agent answers.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use docker_tests::side_by_side::{Case, Did, Expected, check};
use docker_tests::state::{State, effects};
use docker_tests::{Agent, Engine, World, pause, wait_for};
use serde_json::Value;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The time for a monitor: a look at what restarts takes half of it, and less than the Engine's next pause.
const TIMEOUT: Duration = Duration::from_secs(12);
/// The time for what changes something, beside all the other tests.
const LONGER: Duration = Duration::from_secs(40);

/// An action, its name in the table of differences, and parameters.
type Column = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const COLUMNS: [Column; 8] = [
    ("probe", "probe", &[]),
    ("monitor", "monitor", &[]),
    ("monitor", "monitor with /bin/true", &[("monitor_cmd", "/bin/true")]),
    ("monitor", "monitor with a command", &[("monitor_cmd", "/bin/test -d /data")]),
    ("stop", "stop", &[]),
    ("stop", "stop with reuse", &[("reuse", "1")]),
    ("start", "start", &[]),
    ("start", "start with reuse", &[("reuse", "1")]),
];

const NOT: Expected = (7, "");
const OK: Expected = (0, "");
const PAUSED: Expected = (1, "paused");
const LOOPS: Expected = (1, "restart");
const DEAD: Expected = (1, "dead");
const STUCK: Expected = (1, "cannot remove");

/// What ours has to answer, in the order of the columns.
const TABLE: [(State, [Expected; 8]); 9] = [
    (State::Absent, [NOT, NOT, NOT, NOT, OK, OK, OK, OK]),
    (State::Created, [NOT, NOT, NOT, NOT, OK, OK, OK, OK]),
    (State::Running, [OK, OK, OK, OK, OK, OK, OK, OK]),
    (State::Paused, [PAUSED, PAUSED, PAUSED, PAUSED, OK, OK, OK, OK]),
    (State::Restarting, [LOOPS, LOOPS, LOOPS, LOOPS, OK, OK, OK, OK]),
    (State::Exited, [NOT, NOT, NOT, NOT, OK, OK, OK, OK]),
    (State::Failed, [NOT, NOT, NOT, NOT, OK, OK, OK, OK]),
    (State::Dead, [DEAD, DEAD, DEAD, DEAD, STUCK, OK, STUCK, STUCK]),
    (State::DeadOnce, [DEAD, DEAD, DEAD, DEAD, OK, OK, OK, OK]),
];

/// While somebody removes it: it isn't running, and what needs its name waits.
const REMOVED: [Expected; 8] = [NOT, NOT, NOT, NOT, OK, OK, OK, OK];

fn name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    // No beginning of an ID.
    format!("x{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

fn case<'a>(engine: &'a Engine, state: State, column: usize, expected: Expected) -> Case<'a> {
    let (action, title, parameters) = COLUMNS[column];
    let play = move |agent: Agent| {
        let name = name();
        let world = World::of(agent, engine, &name).with_all(parameters);
        let world = world.limit(if matches!(action, "start" | "stop") { LONGER } else { TIMEOUT });
        let mut made = state.make(engine, &name);
        let before = engine.api().inspect(&name);
        let seen = std::thread::scope(|scope| {
            if state == State::Removing && matches!(action, "start" | "stop") {
                scope.spawn(|| {
                    // The removal takes its time, and comes to an end.
                    pause(Duration::from_millis(2000));
                    made.let_go();
                });
            }
            world.run(action)
        });
        let after = settled(engine, &name, state);
        let effects = effects(before.as_ref(), after.as_ref(), engine);
        drop(made);
        engine.remove(&name);
        Did { seen, effects }
    };
    Case { id: format!("{title}, {}", state.name()), expected, play: Box::new(play) }
}

/// What is there once no removal goes on, unless that is the state.
fn settled(engine: &Engine, name: &str, state: State) -> Option<Value> {
    wait_for("the end of a removal", || {
        let found = engine.api().inspect(name);
        let is_removed = found.as_ref().is_some_and(|one| one["State"]["Status"] == "removing");
        (!is_removed || state == State::Removing).then_some(found)
    })
}

#[test]
fn every_action_in_every_state() {
    let engine = Engine::start();
    let rows = TABLE.iter().flat_map(|(state, row)| {
        let engine = &engine;
        row.iter().enumerate().map(move |(column, cell)| case(engine, *state, column, *cell))
    });
    check("states", &rows.collect::<Vec<_>>(), true);
}

/// One at a time: what makes the removal last makes every other one last, too.
#[test]
fn every_action_while_a_removal_goes_on() {
    let engine = Engine::start();
    let row = REMOVED.iter().enumerate();
    let cases: Vec<_> =
        row.map(|(column, cell)| case(&engine, State::Removing, column, *cell)).collect();
    check("removal", &cases, false);
}
