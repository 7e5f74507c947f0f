// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The test of one agent: what the options come to, the reports, the exit code.

use super::arguments::Arguments;
use super::say;
use crate::agent::{Invocation, plain};
use crate::check::{Check, Level, Verdict};
use crate::expectation::Expected;
use crate::human::{Detail, Human};
use crate::interrupt::Interrupt;
use crate::report::json::Json;
use crate::report::junit::JUnit;
use crate::report::mask::Masked;
use crate::report::{Format, Several};
use crate::session::{self, Options};
use crate::{checks, exit_codes, family, profile, seed, selection, turn};
use nix::unistd::{AccessFlags, access};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Makes the test; the error is the exit code and why.
pub(super) fn test(
    arguments: &Arguments,
    name: &OsStr,
    asked: &[Check],
) -> Result<u8, (u8, String)> {
    let broken = |why: String| (exit_codes::ENVIRONMENT, why);
    let interrupt = Interrupt::install()
        .map_err(|error| broken(format!("cannot wait for signals: {error}")))?;
    family::adopt()
        .map_err(|error| broken(format!("cannot keep track of what agents start: {error}")))?;
    let base = model(arguments, name).map_err(broken)?;
    let Some(_turn) = turn::take(&base) else {
        let why = "another ocf-tester is at work on this resource; run this one when it has ended";
        return Err((exit_codes::REFUSED, why.to_owned()));
    };
    let failing = arguments.level.unwrap_or_default();
    let selection = selection::with_ground(checks::all(), asked);
    let expected = expected(arguments.expect_fail.as_deref())?;
    let options = Options {
        destructive: arguments.destructive,
        failing,
        ground: selection.ground,
        expected,
        seed: arguments.seed.unwrap_or_else(seed::any),
        budget: arguments.budget.and_then(|budget| usize::try_from(budget).ok()),
    };
    let checks = selection.checks.len();
    let mut reports = reports(arguments, &base.agent, failing, checks).map_err(broken)?;
    let mut masked = Masked::new(&mut reports, &base);
    let summary = session::run(base, &selection.checks, options, Some(&interrupt), &mut masked);
    match (exit_code(&summary.verdict), reports.error()) {
        (exit_codes::PASSED, Some(error)) => {
            let why = plain(error);
            Err(broken(format!("passed, but the report can't be written: {why}")))
        }
        (code, Some(error)) => {
            say(&format!("the report can't be written: {}", plain(error)));
            Ok(code)
        }
        (code, None) => Ok(code),
    }
}

/// The list of checks that are known to fail.
fn expected(list: Option<&Path>) -> Result<Expected, (u8, String)> {
    let Some(path) = list else { return Ok(Expected::default()) };
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        (exit_codes::ENVIRONMENT, format!("cannot read {shown}: {}", plain(&error)))
    })?;
    Expected::read(&text, checks::all())
        .map_err(|why| (exit_codes::USAGE, format!("{shown}, {why}; --list shows all checks")))
}

/// The reports that were asked for: one to the terminal, unless it goes to a file; then that for
/// people goes to the terminal.
fn reports(
    arguments: &Arguments,
    agent: &Path,
    failing: Level,
    checks: usize,
) -> Result<Several<'static>, String> {
    let mut reports = Several::default();
    let terminal = || {
        let human = Human::new(io::stdout(), detail(arguments)).failing(failing);
        if io::stdout().is_terminal() {
            human.colour(wants_colour()).progress(checks)
        } else {
            human
        }
    };
    let out: Box<dyn Write> = match &arguments.output {
        Some(path) => {
            let file = report_file(path, agent)?;
            reports.add(terminal());
            Box::new(BufWriter::new(file))
        }
        None => Box::new(io::stdout()),
    };
    match arguments.format {
        Format::Human if arguments.output.is_none() => reports.add(terminal()),
        Format::Human => reports.add(Human::new(out, detail(arguments)).failing(failing)),
        Format::JUnit => reports.add(JUnit::new(out, failing)),
        Format::Json => reports.add(Json::new(out, failing)),
    }
    Ok(reports)
}

/// The file that a report goes to: made empty, unless it is the agent itself.
fn report_file(path: &Path, agent: &Path) -> Result<File, String> {
    let failed = |error: &io::Error| {
        let (path, why) = (path.display(), plain(error));
        format!("cannot write the report to {path}: {why}; give another --output")
    };
    let place = |path: &Path| std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    if place(path).is_some_and(|found| Some(found) == place(agent)) {
        return Err(failed(&io::Error::other("that is the agent")));
    }
    File::create(path).map_err(|error| failed(&error))
}

/// The call of which all others are variants.
fn model(arguments: &Arguments, name: &OsStr) -> Result<Invocation, String> {
    let agent = find_agent(arguments.agent.as_deref().unwrap_or(Path::new("")))?;
    let mut base = Invocation::new(agent, "meta-data")
        .profile(&profile::CLASSIC, "")
        .env("OCF_RESOURCE_INSTANCE", name);
    for (parameter, value) in &arguments.resource.options {
        let mut variable = OsString::from("OCF_RESKEY_");
        variable.push(parameter);
        base = base.env(variable, value);
    }
    for (variable, value) in &arguments.resource.variables {
        base = base.env(variable, value);
    }
    if arguments.debug {
        base = base.env("HA_debug", "1");
    }
    if arguments.trace {
        base = base.env("OCF_TRACE_RA", "1");
    }
    Ok(base)
}

fn detail(arguments: &Arguments) -> Detail {
    match (arguments.quiet, arguments.verbose || arguments.trace) {
        (true, _) => Detail::Quiet,
        (_, true) => Detail::Checks,
        _ => Detail::Failures,
    }
}

fn exit_code(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Passed => exit_codes::PASSED,
        Verdict::Failed => exit_codes::VIOLATIONS,
        Verdict::Refused(_) => exit_codes::REFUSED,
        Verdict::Broken(_) => exit_codes::ENVIRONMENT,
        Verdict::Interrupted => exit_codes::INTERRUPTED,
    }
}

/// The file to test: as given, or, without a slash, the first of that name in `PATH`.
pub(super) fn find_agent(given: &Path) -> Result<PathBuf, String> {
    let shown = given.display();
    let found = if given.as_os_str().as_bytes().contains(&b'/') {
        given.to_owned()
    } else {
        std::env::split_paths(&profile::inherited_path())
            .map(|directory| directory.join(given))
            .find(|path| path.is_file() && access(path, AccessFlags::X_OK).is_ok())
            .ok_or_else(|| format!("there is no {shown} in PATH; give a path, such as ./{shown}"))?
    };
    match std::fs::metadata(&found) {
        Err(error) => {
            let why = plain(&error);
            Err(format!("cannot test {shown}: {why}; give the agent's full path"))
        }
        Ok(metadata) if !metadata.is_file() => Err(format!("cannot test {shown}: it isn't a file")),
        Ok(_) if access(&found, AccessFlags::X_OK).is_err() => {
            Err(format!("cannot test {shown}: it isn't executable; run chmod 755 on it"))
        }
        Ok(_) => Ok(found),
    }
}

/// Whether a terminal that can show colours should (no-color.org).
#[expect(clippy::disallowed_methods, reason = "the user's wishes for the terminal")]
pub(super) fn wants_colour() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}
