// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Secrets in command lines, which every user of the machine can read.

use super::row;
use crate::agent::Invocation;
use crate::check::{Check, Failure, Stop};
use crate::ledger::Process;
use crate::session::{Session, State};
use ocf_metadata::reader::Parameter;

pub(super) const CHECKS: &[Check] = &[row(
    "USE-56",
    "practice",
    "no process of the agent or its service has a password among its arguments",
    stays_out_of_arguments,
)];

/// What stands for a password.
pub(super) const SECRET: &str = "RaTesterSecret4711";

/// Words of names that tell a secret, in lower case; the last ones also at the end of a longer word.
const TELLING: &[&str] = &["pass", "pwd", "pw", "token", "credential", "credentials"];
const ENDINGS: &[&str] = &["passwd", "password", "passphrase", "passcode", "secret"];

/// Words that say that the value is about a secret and isn't one.
const HARMLESS: &[&str] = &[
    "file",
    "path",
    "dir",
    "directory",
    "use",
    "timeout",
    "ttl",
    "length",
    "age",
    "type",
    "name",
    "id",
    "url",
    "backend",
];

/// Whether the value of a parameter is secret, as far as its name says so.
pub(super) fn is_secret(parameter: &Parameter) -> bool {
    let name = parameter.name.to_ascii_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let tells =
        |word: &&str| TELLING.contains(word) || ENDINGS.iter().any(|ending| word.ends_with(ending));
    let is_text = parameter.kind == "string" && !parameter.deprecated;
    is_text && words.iter().any(tells) && !words.iter().any(|word| HARMLESS.contains(word))
}

fn stays_out_of_arguments(session: &mut Session<'_>) -> Result<(), Stop> {
    let parameters = session.document.iter().flat_map(|document| &document.parameters);
    let secrets: Vec<String> =
        parameters.filter(|one| is_secret(one)).map(|one| one.name.clone()).collect();
    if secrets.is_empty() {
        return Err(Stop::Skipped("no parameter is named like a password".to_owned()));
    }
    let set =
        |call: Invocation| secrets.iter().fold(call, |call, name| call.parameter(name, SECRET));
    let found = match session.watched_life(&set) {
        Ok(life) => life.into_iter().find_map(|deed| {
            let programs = deed.sight.programs.into_iter();
            let shown = programs.chain(deed.there.into_iter().map(|one| one.command));
            let shown: Vec<String> = shown.filter(|words| words.contains(SECRET)).collect();
            shown.into_iter().next().map(|words| (deed.call, words))
        }),
        Err(Stop::Skipped(_)) => lasting(session, &set)?,
        Err(other) => return Err(other),
    };
    let Some((call, words)) = found else { return Ok(()) };
    Err(Failure {
        rule: None,
        expected: "the value of a password in no process's arguments".to_owned(),
        seen: format!("{} started: {words}", call.action_name()),
        reproduction: Some(call.reproduction()),
    }
    .into())
}

/// Where nothing shorter can be seen: what the service shows.
fn lasting(
    session: &mut Session<'_>,
    set: &dyn Fn(Invocation) -> Invocation,
) -> Result<Option<(Invocation, String)>, Stop> {
    session.reach(State::Stopped)?;
    let start = set(session.prepare("start"));
    session.make(&start)?;
    let mut there: Vec<Process> = session.processes();
    session.call("monitor")?;
    session.reach(State::Stopped)?;
    there.retain(|process| process.command.contains(SECRET));
    Ok(there.into_iter().next().map(|process| (start, process.command)))
}
