// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Values of parameters that are wrong, hostile or secret.

use super::secrets::{SECRET, is_secret};
use super::{row, should};
use crate::agent::Invocation;
use crate::check::{Check, Failure, Level, Need, Stop};
use crate::scratch::Scratch;
use crate::session::{Session, State};
use ocf_metadata::reader::Parameter;

const VALIDATE: &[Need] = &[Need::Advertised("validate-all")];

pub(super) const CHECKS: &[Check] = &[
    // OCF 1.1 leaves it to the agent how much validate-all finds.
    Check {
        needs: VALIDATE,
        level: Level::Should,
        ..row("VAL-02", "validate-all", "validate-all refuses what is no integer", is_integer)
    },
    Check {
        needs: VALIDATE,
        level: Level::Should,
        ..row(
            "VAL-03",
            "validate-all",
            "validate-all refuses what a select doesn't list",
            is_listed,
        )
    },
    Check {
        needs: VALIDATE,
        level: Level::Should,
        ..row(
            "VAL-04",
            "validate-all",
            "validate-all refuses a required parameter's absence",
            is_given,
        )
    },
    // The template that agents are written after validates before every action.
    should(row(
        "STOP-07",
        "stop",
        "stop of a stopped resource answers 0 with missing and with wrong parameters",
        stops_anyway,
    )),
    row("MD-18", "Metadata", "the advertised defaults are the real ones", tells_defaults),
    Check {
        needs: VALIDATE,
        ..row(
            "USE-40",
            "Syntax for Instance Parameters",
            "a value with blanks or quotes that validate-all accepts doesn't break start",
            takes_words,
        )
    },
    // Who may set parameters may mostly do more, too; OCF says nothing about it.
    should(row("USE-60", "practice", "no value of a parameter is executed", executes_nothing)),
    row("USE-61", "practice", "no password is printed", keeps_secrets),
];

/// How many parameters of a kind are judged: a description may declare any number of them, and each
/// costs a call.
const MOST: usize = 100;

/// Declared parameters for which this holds, [`MOST`] of them at most.
fn parameters(session: &Session<'_>, wanted: &dyn Fn(&Parameter) -> bool) -> Vec<Parameter> {
    let all = session.document.iter().flat_map(|document| &document.parameters);
    let wanted = all.filter(|parameter| wanted(parameter) && !parameter.name.is_empty());
    wanted.take(MOST).cloned().collect()
}

/// Each call has to be refused in one of the three ways that say whose fault it is.
fn refuses(session: &mut Session<'_>, calls: Vec<(String, Invocation)>) -> Result<(), Stop> {
    if calls.is_empty() {
        return Err(Stop::Skipped("no parameter of this kind is advertised".to_owned()));
    }
    let mut failures = Vec::new();
    for (what, call) in calls {
        let execution = session.make(&call)?;
        if !matches!(execution.code(), Some(2 | 5 | 6)) {
            let expected = format!("validate-all with {what} to answer 2 or 6");
            failures.push(Failure::of_call(&call, &execution, expected));
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(Stop::Failed(failures)) }
}

fn with_value(session: &Session<'_>, parameter: &Parameter, value: &str) -> (String, Invocation) {
    let call = session.prepare("validate-all").parameter(&parameter.name, value);
    (format!("{}={value}", parameter.name), call)
}

fn is_integer(session: &mut Session<'_>) -> Result<(), Stop> {
    let integers = parameters(session, &|one| one.kind == "integer" && !one.deprecated);
    // The last two begin with a number, which is all that some ways of reading look at.
    let words = |one| ["x", "7x", "1.5"].map(|word| with_value(session, one, word));
    let calls = integers.iter().flat_map(words).collect();
    refuses(session, calls)
}

fn is_listed(session: &mut Session<'_>) -> Result<(), Stop> {
    let selects = parameters(session, &|one| one.kind == "select" && !one.deprecated);
    let calls = selects.iter().map(|one| with_value(session, one, "no-such-word")).collect();
    refuses(session, calls)
}

fn is_given(session: &mut Session<'_>) -> Result<(), Stop> {
    let required = parameters(session, &|one| one.required && one.default.is_none());
    let unset = |one: &Parameter| {
        let variable = format!("OCF_RESKEY_{}", one.name);
        let call = session.prepare("validate-all").without_env(variable);
        (format!("no {}", one.name), call)
    };
    let calls = required.iter().map(unset).collect();
    refuses(session, calls)
}

/// Whether the user gave it a value.
fn is_set(session: &Session<'_>, parameter: &Parameter) -> bool {
    let variable = format!("OCF_RESKEY_{}", parameter.name);
    session.base.environment.contains_key(std::ffi::OsStr::new(&variable))
}

/// Whether its value, or its default, is an absolute path.
fn is_path(session: &Session<'_>, parameter: &Parameter) -> bool {
    let variable = format!("OCF_RESKEY_{}", parameter.name);
    let given = session.base.environment.get(std::ffi::OsStr::new(&variable));
    let given = given.map(|value| value.to_string_lossy().into_owned());
    given.or_else(|| parameter.default.clone()).is_some_and(|value| value.starts_with('/'))
}

/// Pacemaker stops with the parameters of the start, which may be wrong: a stop that fails is
/// answered by fencing.
fn stops_anyway(session: &mut Session<'_>) -> Result<(), Stop> {
    session.reach(State::Stopped)?;
    let mut without = session.prepare("stop");
    for parameter in parameters(session, &|one| one.required) {
        without = without.without_env(format!("OCF_RESKEY_{}", parameter.name));
    }
    let mut wrong = session.prepare("stop");
    for parameter in parameters(session, &|one| ["integer", "select"].contains(&one.kind.as_str()))
    {
        wrong = wrong.parameter(&parameter.name, "no-such-value");
    }
    let mut missing = session.prepare("stop");
    for parameter in parameters(session, &|one| is_path(session, one)) {
        missing = missing.parameter(&parameter.name, "/nonexistent/ocf-tester/file");
    }
    for (call, what) in [
        (without, "stop without required parameters"),
        (wrong, "stop with wrong parameters"),
        (missing, "stop with files and directories that are missing"),
    ] {
        session.expect(&call, &[0], what)?;
    }
    session.call("monitor").map(|_| ())
}

/// Started without them, the resource has to be the same one for a call that sets each of them.
fn tells_defaults(session: &mut Session<'_>) -> Result<(), Stop> {
    let known = parameters(session, &|one| {
        !is_set(session, one) && one.default.is_some() && !one.deprecated
    });
    if known.is_empty() {
        return Err(Stop::Skipped("no default is advertised".to_owned()));
    }
    session.reach(State::Running)?;
    let call = session.prepare("monitor");
    let set = |call: Invocation, one: &Parameter| {
        call.parameter(&one.name, one.default.as_deref().unwrap_or_default())
    };
    let call = known.iter().fold(call, set);
    let result = session.expect(&call, &[0, 190], "monitor with the advertised defaults set");
    session.call("monitor")?;
    result.map(|_| ())
}

/// Each free text parameter by itself; only where a plain word is good enough for a start.
fn takes_words(session: &mut Session<'_>) -> Result<(), Stop> {
    const ODD: [&str; 5] = ["two words", "it's", "say \"yes\"", "$HOME * [a]", "gr\u{fc}n; | &"];
    let free = parameters(session, &|one| {
        one.kind == "string"
            && one.unique_group.is_none()
            && !one.deprecated
            && !is_set(session, one)
            && !is_path(session, one)
    });
    let mut judged = false;
    for parameter in free {
        if !starts_with(session, &parameter.name, "word")?.is_some_and(|(_, good)| good) {
            continue;
        }
        for value in ODD {
            let Some((failure, good)) = starts_with(session, &parameter.name, value)? else {
                continue;
            };
            judged = true;
            if !good {
                return Err(failure.into());
            }
        }
    }
    if judged { Ok(()) } else { Err(Stop::Skipped("no parameter takes any text".to_owned())) }
}

/// Whether the resource starts with this value; nothing where validate-all refuses it.
fn starts_with(
    session: &mut Session<'_>,
    name: &str,
    value: &str,
) -> Result<Option<(Failure, bool)>, Stop> {
    session.reach(State::Stopped)?;
    let with = |session: &Session<'_>, action| session.prepare(action).parameter(name, value);
    let validate = with(session, "validate-all");
    if session.make(&validate)?.code() != Some(0) {
        return Ok(None);
    }
    let start = with(session, "start");
    let execution = session.make(&start)?;
    let stop = with(session, "stop");
    session.make(&stop)?;
    session.call("monitor")?;
    let expected = format!("start with {name}={value}, which validate-all accepts, to answer 0");
    let failure = Failure::of_call(&start, &execution, expected);
    Ok(Some((failure, execution.code() == Some(0))))
}

/// What a shell would execute if it was given the value unquoted, within double or single quotes.
fn hostile(canary: &str) -> [String; 3] {
    [
        format!("x; touch {canary}; $(touch {canary}) `touch {canary}`"),
        format!("x\"; touch {canary}; \""),
        format!("x'; touch {canary}; '"),
    ]
}

/// Whether the value is there to be executed: a command, a hook, or words for a command line.
fn is_command(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words = ["cmd", "command", "hook", "script", "option", "opts", "args", "params"];
    words.iter().any(|word| name.contains(word))
}

fn executes_nothing(session: &mut Session<'_>) -> Result<(), Stop> {
    let free = parameters(session, &|one| {
        one.unique_group.is_none() && !is_set(session, one) && !is_command(&one.name)
    });
    if free.is_empty() {
        return Err(Stop::Skipped("there is no parameter without a value of its own".to_owned()));
    }
    session.provoke();
    let scratch = Scratch::new("canary").map_err(|error| Stop::Skipped(error.to_string()))?;
    let canary = scratch.path().join("canary");
    session.reach(State::Stopped)?;
    let mut found = None;
    for value in hostile(&canary.to_string_lossy()) {
        for action in ["validate-all", "start", "monitor", "stop"] {
            let call = session.prepare(action);
            let mut call = free.iter().fold(call, |call, one| call.parameter(&one.name, &value));
            // A file that is named after the value lands where it does no harm.
            call.directory = scratch.path().to_owned();
            session.make(&call)?;
            if found.is_none() && canary.exists() {
                found = Some(call);
            }
        }
    }
    let seen = |action: &str| format!("a command in a parameter was executed by {action}");
    settle(session, found.as_ref(), "values to be values", seen)
}

/// Stops what the odd calls may have started, and fails over the one that gave something away.
fn settle(
    session: &mut Session<'_>,
    found: Option<&Invocation>,
    expected: &str,
    seen: impl Fn(&str) -> String,
) -> Result<(), Stop> {
    session.call("stop")?;
    session.call("monitor")?;
    let Some(call) = found else { return Ok(()) };
    Err(Failure {
        rule: None,
        expected: expected.to_owned(),
        seen: seen(&call.action_name()),
        reproduction: Some(call.reproduction()),
    }
    .into())
}

fn keeps_secrets(session: &mut Session<'_>) -> Result<(), Stop> {
    let secrets = parameters(session, &is_secret);
    if secrets.is_empty() {
        return Err(Stop::Skipped("no parameter is named like a password".to_owned()));
    }
    session.reach(State::Stopped)?;
    let mut found = None;
    for action in ["validate-all", "start", "monitor", "stop"] {
        let call = session.prepare(action);
        let call = secrets.iter().fold(call, |call, one| call.parameter(&one.name, SECRET));
        let execution = session.make(&call)?;
        let shows = |text: &[u8]| text.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
        if shows(&execution.stdout) || shows(&execution.stderr) {
            found = Some(call);
        }
    }
    let expected = "the value of a password to stay in the parameters";
    settle(session, found.as_ref(), expected, |action| format!("{action} prints it"))
}
