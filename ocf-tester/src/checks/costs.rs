// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What an agent costs the machine that it watches over.

use super::{info, row};
use crate::check::{Check, Failure, Stop};
use crate::session::{Session, State};
use std::time::Duration;

pub(super) const CHECKS: &[Check] = &[info(row(
    "USE-55",
    "practice",
    "a monitor takes little: processor time, time, processes",
    is_cheap,
))];

/// How often a monitor is made: the cheapest counts, for a machine may be busy.
const TIMES: usize = 3;

/// The most that is little: of the interval in percent, and in processes.
const MOST_CPU: u32 = 1;
const MOST_TIME: u32 = 10;
const MOST_PROCESSES: usize = 20;

/// The interval of most resources, where none is advertised.
const USUAL_INTERVAL: Duration = Duration::from_secs(10);

/// The shortest interval that is advertised for a monitor that only looks.
fn interval(session: &Session<'_>) -> Duration {
    let rows = session.document.iter().flat_map(|document| &document.actions);
    let monitors = rows.filter(|row| row.name == "monitor" && row.depth.unwrap_or(0) == 0);
    let intervals = monitors.filter_map(|row| row.interval).filter(|time| !time.is_zero());
    intervals.min().unwrap_or(USUAL_INTERVAL)
}

fn is_cheap(session: &mut Session<'_>) -> Result<(), Stop> {
    let processes = match session.plain_life() {
        Ok(life) => life.get(1).map(|deed| deed.sight.started + 1),
        Err(Stop::Skipped(_)) => None,
        Err(other) => return Err(other),
    };
    session.reach(State::Running)?;
    let monitor = session.prepare("monitor");
    let (mut cpu, mut time) = (Duration::MAX, Duration::MAX);
    for _ in 0..TIMES {
        let execution = session.make(&monitor)?;
        time = time.min(execution.duration);
        cpu = cpu.min(execution.usage.map_or(Duration::MAX, |usage| usage.cpu));
    }
    let interval = interval(session);
    let counted = match processes {
        None => "an unknown number of processes".to_owned(),
        Some(1) => "1 process".to_owned(),
        Some(number) => format!("{number} processes"),
    };
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    let share = |time: Duration| 100.0 * time.as_secs_f64() / interval.as_secs_f64();
    let seen = format!(
        "{:.1} ms of processor time ({:.2} % of its interval of {} s), {:.1} ms, {counted}",
        milliseconds(cpu),
        share(cpu),
        interval.as_secs(),
        milliseconds(time)
    );
    let is_dear = cpu > interval * MOST_CPU / 100
        || time > interval * MOST_TIME / 100
        || processes.is_some_and(|number| number > MOST_PROCESSES);
    if !is_dear {
        session.remark(format!("a monitor takes {seen}"));
        return Ok(());
    }
    Err(Failure {
        rule: None,
        expected: format!(
            "a monitor to take at most {MOST_CPU} % of its interval of processor time, {MOST_TIME} % \
             of it in all, and {MOST_PROCESSES} processes"
        ),
        seen,
        reproduction: Some(monitor.reproduction()),
    }
    .into())
}
