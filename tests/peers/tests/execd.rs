// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Our agents in the hands of Pacemaker's own executor: a private pacemaker-execd starts, monitors and
//! stops them, and kills a start that outlives its timeout.

use peers::collection::Peers;
use peers::executor::Executor;
use peers::{Outcome, claim, place};

const STATES: [&str; 3] = ["heartbeat/Dummy", "pacemaker/Dummy", "pacemaker/Stateful"];
const TIMEOUT: u32 = 20_000;

#[test]
fn execd_drives_a_whole_life() -> Outcome {
    place::alone("execd_drives_a_whole_life", || {
        let agents = STATES.map(Peers::find).into_iter().collect::<Outcome<Vec<_>>>()?;
        agents.iter().try_for_each(place::install)?;
        let mut executor = Executor::start()?;
        agents.iter().enumerate().try_for_each(|(number, agent)| {
            let id = format!("life{number}");
            executor.register(&id, agent)?;
            live(&mut executor, &id).map_err(|why| format!("{}: {why:?}", agent.name).into())
        })
    })
}

/// probe 7, start 0, recurring monitor 0 and, when it is cancelled, so; stop 0, probe 7.
fn live(executor: &mut Executor, id: &str) -> Outcome {
    let expect = |executor: &mut Executor, action: &str, code: i32| -> Outcome {
        let event = executor.run(id, action, TIMEOUT, "")?;
        claim(event.is_done(code), format!("{action} is {event:?}, not {code}"))
    };
    expect(executor, "monitor", 7)?;
    expect(executor, "start", 0)?;
    let monitor = executor.begin(id, "monitor", [500, TIMEOUT], "")?;
    for _ in 0..3 {
        let event = executor.result(monitor, 30)?;
        claim(event.is_done(0), format!("the recurring monitor is {event:?}"))?;
    }
    executor.cancel(id, "monitor", 500)?;
    loop {
        let event = executor.result(monitor, 30)?;
        if event.status == "cancelled" {
            break;
        }
        claim(event.is_done(0), format!("the recurring monitor ends as {event:?}"))?;
    }
    expect(executor, "stop", 0)?;
    expect(executor, "stop", 0)?;
    expect(executor, "monitor", 7)
}

#[test]
fn a_monitor_that_fails_is_told_with_its_reason() -> Outcome {
    place::alone("a_monitor_that_fails_is_told_with_its_reason", || {
        let agent = Peers::find("pacemaker/Dummy")?;
        place::install(&agent)?;
        let mut executor = Executor::start()?;
        executor.register("d", &agent)?;
        let event = executor.run("d", "start", TIMEOUT, "")?;
        claim(event.is_done(0), format!("start is {event:?}"))?;
        let failing = executor.run("d", "monitor", TIMEOUT, "OCF_CHECK_LEVEL=30")?;
        let as_told = failing.is_done(1) && failing.reason == "check level 30 always fails";
        claim(as_told, format!("monitor at level 30 is {failing:?}"))?;
        std::fs::remove_file("/var/run/Dummy-d.state")?;
        let gone = executor.begin("d", "monitor", [500, TIMEOUT], "")?;
        let gone = executor.result(gone, 30)?;
        let as_told = gone.is_done(7) && gone.reason == "no state file /var/run/Dummy-d.state";
        claim(as_told, format!("monitor without the state file is {gone:?}"))
    })
}

#[test]
fn a_start_that_outlives_its_timeout_is_killed_and_stop_and_start_work_after_it() -> Outcome {
    let name = "a_start_that_outlives_its_timeout_is_killed_and_stop_and_start_work_after_it";
    place::alone(name, || {
        let agent = Peers::find("pacemaker/Dummy")?;
        place::install(&agent)?;
        let mut executor = Executor::start()?;
        executor.register("slow", &agent)?;
        let killed = executor.run("slow", "start", 2000, "op_sleep=30")?;
        claim(killed.status == "timed out", format!("the slow start is {killed:?}"))?;
        for action in ["stop", "start", "monitor", "stop"] {
            let event = executor.run("slow", action, TIMEOUT, "")?;
            claim(event.is_done(0), format!("{action} after the KILL is {event:?}"))?;
        }
        let left: Vec<_> = std::fs::read_dir("/run")?.flatten().map(|entry| entry.path()).collect();
        let left: Vec<_> =
            left.iter().filter(|path| path.to_string_lossy().contains("Dummy")).collect();
        claim(left.is_empty(), format!("left after stop: {left:?}"))
    })
}
