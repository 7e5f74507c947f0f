// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Values that make no sense for a parameter's type, in a whole life: they may be refused or taken,
//! but the agent has to end with a defined code, and what it has started has to be stoppable.
//!
//! Nothing here names a place that exists: an agent may make, change or remove what a value names.
//! Relative names lead into a private directory, upward ones don't leave it.

use super::{row, should};
use crate::agent::{Execution, Invocation};
use crate::check::{Check, Failure, Need, Stop};
use crate::ledger::{Process, show_content};
use crate::scratch::Scratch;
use crate::seed::Dice;
use crate::session::{Session, State};
use ocf_metadata::reader::Parameter;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

pub(super) const CHECKS: &[Check] = &[
    row(
        "VAL-05",
        "RA Actions",
        "with a value that makes no sense every action has a defined code, and stop works",
        survives,
    ),
    Check {
        needs: &[Need::Advertised("validate-all")],
        ..should(row(
            "VAL-06",
            "validate-all",
            "validate-all refuses what is no boolean",
            is_boolean,
        ))
    },
];

/// How many lives are tried in all, unless the user says how many values of each parameter.
const LIVES: usize = 12;

/// How many parameters are judged.
const MOST: usize = 24;

/// One bad value.
#[derive(Debug, Clone)]
struct Value {
    bytes: Vec<u8>,
    /// Whether it may be read as a long time to wait: then nothing is said about the time it takes.
    may_wait: bool,
}

/// What is no value, or an odd one, of a parameter of this type.
fn dictionary(kind: &str) -> Vec<Value> {
    let words: &[&[u8]] = match kind {
        "boolean" => &[b"", b"maybe", b"2", b"yes please", b"-1", b"TRUE;", b"\xff"],
        "integer" => &[
            b"",
            b" 1",
            b"-1",
            b"0x10",
            b"99999999999999999999",
            b"1e3",
            b"7x",
            b"10m",
            b"1;2",
            b"1 2",
            b"a[0]",
            b"\xff",
            b"--help",
        ],
        _ => &[
            b"",
            b" ",
            b"two  words",
            b"a\nb",
            b"\ta\tb",
            b"it's",
            b"say \"a\"",
            b"$(echo a)`echo b`${c}",
            b"%s%n%d",
            "\u{fc}\u{4e2d}\u{1f600}".as_bytes(),
            b"a\xff\xfeb",
            b"../../ocf-tester-no-such-thing",
            b"-n",
            b"--help",
            b"*ocf-tester-no-such-thing*[a-z]?",
            b"a\\b",
            b"a;b&c|d",
        ],
    };
    let mut all: Vec<Value> = words
        .iter()
        .map(|word| Value { bytes: word.to_vec(), may_wait: kind == "integer" })
        .collect();
    if !matches!(kind, "boolean" | "integer") {
        all.push(Value { bytes: vec![b'x'; 64 * 1024], may_wait: false });
    }
    all
}

/// Some values of each parameter, the same ones for the same seed.
fn choose(parameters: &[Parameter], budget: Option<usize>, seed: u64) -> Vec<(Parameter, Value)> {
    let each = budget.unwrap_or_else(|| (LIVES / parameters.len().max(1)).max(1));
    let pairs = parameters.iter().flat_map(|one| {
        let values = Dice::new(seed, &one.name).some(&dictionary(&one.kind), each);
        values.into_iter().map(|value| (one.clone(), value))
    });
    pairs.collect()
}

fn declared(session: &Session<'_>, wanted: impl Fn(&Parameter) -> bool) -> Vec<Parameter> {
    let all = session.document.iter().flat_map(|document| &document.parameters);
    let usable = all.filter(|one| !one.name.is_empty() && !one.deprecated && wanted(one));
    usable.take(MOST).cloned().collect()
}

fn survives(session: &mut Session<'_>) -> Result<(), Stop> {
    let parameters = declared(session, |_| true);
    if parameters.is_empty() {
        return Err(Stop::Skipped("no parameter is advertised".to_owned()));
    }
    let chosen = choose(&parameters, session.options().budget, session.options().seed);
    let scratch = Scratch::new("nonsense").map_err(|error| Stop::Broken(error.to_string()))?;
    // Deep enough for values that lead upward.
    let place =
        scratch.directory("a/b/c/d/e/f").map_err(|error| Stop::Broken(error.to_string()))?;
    for (parameter, value) in chosen {
        session.reach(State::Stopped)?;
        let others = session.processes();
        // The checks that judge all calls judge those that make sense.
        let sensible = session.records.len();
        let vary = |call: Invocation| {
            let call = call.parameter(&parameter.name, OsString::from_vec(value.bytes.clone()));
            let limit = call.limit;
            let call = if value.may_wait { call.limit(limit.min(IMPATIENCE)) } else { call };
            Invocation { directory: place.clone(), ..call }
        };
        let life = live(session, &vary, &value);
        let holds = |record: &crate::session::Record| !record.execution.holders.is_empty();
        let odd = session.records.split_off(sensible);
        session.records.extend(odd.into_iter().filter(holds));
        let stopped = stop(session, &others);
        life.and(stopped).map_err(|stop| told(stop, &parameter, &value))?;
    }
    Ok(())
}

/// How long is waited for an action that was told a number.
const IMPATIENCE: Duration = Duration::from_secs(3);

/// A life with the odd value; it may end early, but not in an undefined way.
fn live(
    session: &mut Session<'_>,
    vary: &dyn Fn(Invocation) -> Invocation,
    value: &Value,
) -> Result<(), Stop> {
    let mut wrong = None;
    let mut answers = Vec::new();
    for action in ["validate-all", "start", "monitor", "stop"] {
        let call = vary(session.prepare(action));
        let execution = session.make(&call)?;
        if !is_defined(&execution, value) {
            let expected = format!("{action} to end with a defined code");
            wrong.get_or_insert(Failure::of_call(&call, &execution, expected));
        }
        answers.push((call, execution));
    }
    let is_up = matches!(answers.get(1), Some((_, start)) if start.code() == Some(0));
    // What is empty or blank may mean the default to one action and nothing to another.
    let is_blank = value.bytes.trim_ascii().is_empty();
    if is_up && !is_blank && wrong.is_none() {
        let monitor = vary(session.prepare("monitor"));
        let seen = session.make(&monitor)?;
        let stop = answers.pop().filter(|(_, stop)| stop.code() != Some(0));
        wrong = stop
            .map(|(call, answer)| {
                let expected = "stop to answer 0 with the value that start took";
                Failure::of_call(&call, &answer, expected)
            })
            .or_else(|| {
                // Which state is asked for with such a value may be in doubt, but none that is active.
                let is_active = matches!(seen.code(), Some(0 | 8 | 9 | 190 | 191));
                let expected =
                    "monitor after stop not to see what start has started with the value";
                is_active.then(|| Failure::of_call(&monitor, &seen, expected))
            });
    }
    wrong.map_or(Ok(()), |failure| Err(failure.into()))
}

fn is_defined(execution: &Execution, value: &Value) -> bool {
    match execution.verdict {
        crate::agent::Verdict::Exit(code) => matches!(code, 0..=9 | 190 | 191),
        crate::agent::Verdict::TimedOut => value.may_wait,
        _ => false,
    }
}

/// With the right values, whatever the odd life has left.
fn stop(session: &mut Session<'_>, others: &[Process]) -> Result<(), Stop> {
    let stop = session.prepare("stop");
    session.expect(&stop, &[0], "stop with the right values, after that life,")?;
    let monitor = session.prepare("monitor");
    session.expect(&monitor, &[7], "monitor with the right values, after that life,")?;
    let left = session.lingering_beyond(others);
    if left.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = left.iter().map(ToString::to_string).collect();
    left.iter().for_each(crate::family::end);
    Err(Failure {
        rule: None,
        expected: "no process to be left after a life with an odd value".to_owned(),
        seen: names.join("; "),
        reproduction: None,
    }
    .into())
}

/// The failure, with the value that led to it; a command line of 64 KiB helps nobody.
fn told(stop: Stop, parameter: &Parameter, value: &Value) -> Stop {
    let Stop::Failed(failures) = stop else { return stop };
    let shown = match value.bytes.len() {
        ..100 => show_content(&value.bytes),
        long => format!("{} KiB of x", long / 1024),
    };
    let with_value = |failure: Failure| Failure {
        seen: format!("{}; {} was {shown}", failure.seen, parameter.name),
        reproduction: failure.reproduction.filter(|line| line.len() < 16 * 1024),
        ..failure
    };
    Stop::Failed(failures.into_iter().map(with_value).collect())
}

/// Every word beyond those of `ocf_is_true` and their opposites.
fn is_boolean(session: &mut Session<'_>) -> Result<(), Stop> {
    let booleans = declared(session, |one| one.kind == "boolean");
    if booleans.is_empty() {
        return Err(Stop::Skipped("no boolean parameter is advertised".to_owned()));
    }
    let mut failures = Vec::new();
    for parameter in booleans {
        for word in ["maybe", "2", "yes please"] {
            let call = session.prepare("validate-all").parameter(&parameter.name, word);
            let execution = session.make(&call)?;
            if !matches!(execution.code(), Some(2 | 5 | 6)) {
                let expected =
                    format!("validate-all with {}='{word}' to answer 2 or 6", parameter.name);
                failures.push(Failure::of_call(&call, &execution, expected));
                break;
            }
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(Stop::Failed(failures)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn no_value_names_a_place_that_exists_or_holds_a_nul() {
        for kind in ["boolean", "integer", "string", "select"] {
            for value in dictionary(kind) {
                let text = OsString::from_vec(value.bytes.clone());
                assert!(!text.as_bytes().contains(&0) && !text.as_bytes().starts_with(b"/"));
                let words = text.as_bytes().split(u8::is_ascii_whitespace);
                assert!(words.into_iter().all(|word| !word.starts_with(b"/")), "{text:?}");
            }
        }
    }
}
