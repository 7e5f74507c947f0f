// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The command line: the classic `ocf-tester -n NAME [-o name=value…] [-v|-q] [-d] [-X] AGENT`, the
//! choice of checks, `--list` and `explain ID`.

use crate::agent::Invocation;
use crate::check::{Check, Level, Verdict};
use crate::human::{Detail, Human};
use crate::interrupt::Interrupt;
use crate::quote::visible;
use crate::report::json::Json;
use crate::report::junit::JUnit;
use crate::report::mask::Masked;
use crate::report::{Format, Several};
use crate::session::{self, Options, emergency};
use crate::{checks, exit_codes, explain, family, profile, selection, turn};
use clap::error::ErrorKind;
use clap::{ArgAction, CommandFactory, Parser};
use nix::unistd::{AccessFlags, access};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Tests an OCF resource agent: starts, asks, promotes and stops a resource through it, and says
/// which rules it breaks. It always stops what it has started.
#[derive(Debug, Parser)]
#[command(name = "ocf-tester", version, after_help = AFTER)]
struct Arguments {
    /// Name of the resource [default: OCF_RESOURCE_INSTANCE from the environment]
    #[arg(short = 'n', value_name = "NAME")]
    name: Option<OsString>,
    /// Parameter of the resource; repeatable
    #[arg(short = 'o', value_name = "NAME=VALUE", value_parser = assignment())]
    options: Vec<(OsString, OsString)>,
    /// Further variable in the agent's environment, HA_SBIN_DIR for one; repeatable
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = assignment())]
    variables: Vec<(OsString, OsString)>,
    /// A line for every check
    #[arg(short = 'v', conflicts_with = "quiet")]
    verbose: bool,
    /// The verdict only
    #[arg(short = 'q')]
    quiet: bool,
    /// Agents log debug messages (HA_debug=1)
    #[arg(short = 'd')]
    debug: bool,
    /// Shell agents trace themselves (OCF_TRACE_RA=1); implies -v
    #[arg(short = 'X', conflicts_with = "quiet")]
    trace: bool,
    /// Go on, and stop the resource, when it is active already
    #[arg(long)]
    destructive: bool,
    /// Only the checks with these ids; globs, repeatable, comma-separated
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only: Vec<String>,
    /// Not the checks with these ids; globs, repeatable, comma-separated
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    skip: Vec<String>,
    /// Make the checks up to this level, and count them all [default: make all, count musts]
    #[arg(long, value_name = "LEVEL")]
    level: Option<Level>,
    /// List the checks (id, level, section, meaning) and do nothing else
    #[arg(long)]
    list: bool,
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// Write the report to this file, and the one for people to the terminal
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Same as --help
    #[arg(short = '?', action = ArgAction::Help, hide = true)]
    question: Option<bool>,
    /// The agent's file; a name without a slash is looked up in PATH
    #[arg(value_name = "AGENT", required_unless_present = "list")]
    agent: Option<PathBuf>,
}

const AFTER: &str =
    "ocf-tester explain ID... says why there is a check, what Pacemaker does about an agent that fails \
it, and how that is mostly mended.

Exit codes: 0 passed, 1 violations, 2 wrong usage, 3 the agent can't be run, the \
tester could not do its work or the report can't be written, 4 refused because the resource is active or another tester is at work \
on it, 130 interrupted.

No action gets more than an hour, whatever it advertises, nor more than 5 minutes in the clean-up. \
A signal ends the test and stops the resource; a second one, a second or more later, leaves it.";

/// Splits `name=value`; the value may hold anything, further `=` and bytes that aren't UTF-8 too.
fn assignment() -> impl clap::builder::TypedValueParser<Value = (OsString, OsString)> {
    use clap::builder::{OsStringValueParser, TypedValueParser};
    OsStringValueParser::new().try_map(|text| {
        let bytes = text.as_bytes();
        let equals = bytes.iter().position(|byte| *byte == b'=').unwrap_or(0);
        let (name, rest) = bytes.split_at(equals);
        if name.is_empty() || name.contains(&0) {
            return Err("it has to be name=value");
        }
        let value = rest.iter().skip(1).copied().collect();
        Ok((OsStr::from_bytes(name).to_owned(), OsString::from_vec(value)))
    })
}

/// Runs the command; the exit code is one of [`exit_codes`].
#[must_use]
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        say(&format!("this is a bug in ocf-tester, please report it: {panic}"));
        emergency::make_safe_all().iter().for_each(|sentence| say(sentence));
    }));
    let words: Vec<OsString> = std::env::args_os().collect();
    // Only in the first place, where the classic command line has an option or an agent's path.
    if words.get(1).is_some_and(|word| word == "explain") {
        return explain_checks(words.get(2..).unwrap_or_default());
    }
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => return wrong_usage(&error),
    };
    let Arguments { only, skip, level, .. } = &arguments;
    let checks = match selection::asked(checks::all(), only, skip, *level) {
        Ok(checks) => checks,
        Err(why) => return wrong_usage(&Arguments::command().error(ErrorKind::InvalidValue, why)),
    };
    if arguments.list {
        return answer(&checks.iter().map(listed).collect::<String>());
    }
    let Some(name) = arguments.name.clone().or_else(instance_from_environment) else {
        let text = "the resource needs a name: give -n NAME, or set OCF_RESOURCE_INSTANCE";
        return wrong_usage(&Arguments::command().error(ErrorKind::MissingRequiredArgument, text));
    };
    if name.is_empty() || name.as_bytes().contains(&0) {
        let text = "a resource's name can't be empty: give another one with -n NAME";
        return wrong_usage(&Arguments::command().error(ErrorKind::InvalidValue, text));
    }
    ExitCode::from(test(&arguments, &name, &checks).unwrap_or_else(|(code, sentence)| {
        say(&sentence);
        code
    }))
}

/// A check as a line of `--list`, for people and for `cut -f`.
fn listed(check: &Check) -> String {
    let Check { id, level, section, meaning, .. } = check;
    format!("{id}\t{level}\t{section}\t{meaning}\n")
}

/// `ocf-tester explain ID…`; `--help` is answered with the common help.
fn explain_checks(words: &[OsString]) -> ExitCode {
    let patterns: Vec<String> =
        words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    if patterns.iter().any(|word| word == "--help" || word == "-h") {
        return answer(&Arguments::command().render_help().to_string());
    }
    let text = if patterns.is_empty() {
        Err("explain needs the id of a check; --list shows all there are".to_owned())
    } else {
        explain::explain(checks::all(), &patterns)
    };
    match text {
        Ok(text) => answer(&text),
        Err(why) => wrong_usage(&Arguments::command().error(ErrorKind::InvalidValue, why)),
    }
}

/// Tells what belongs to no report.
fn say(sentence: &str) {
    let _ = writeln!(io::stderr(), "ocf-tester: {}", visible(sentence, usize::MAX));
}

/// Makes the test; the error is the exit code and why.
fn test(arguments: &Arguments, name: &OsStr, asked: &[Check]) -> Result<u8, (u8, String)> {
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
    let options = Options { destructive: arguments.destructive, failing, ground: selection.ground };
    let mut reports = reports(arguments, failing, selection.checks.len()).map_err(broken)?;
    let mut masked = Masked::new(&mut reports, &base);
    let summary = session::run(base, &selection.checks, options, Some(&interrupt), &mut masked);
    match (exit_code(&summary.verdict), reports.error()) {
        (exit_codes::PASSED, Some(error)) => {
            Err(broken(format!("passed, but the report can't be written: {error}")))
        }
        (code, _) => Ok(code),
    }
}

/// The reports that were asked for: one to the terminal, unless it goes to a file; then that for
/// people goes to the terminal.
fn reports(
    arguments: &Arguments,
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
            let file = File::create(path).map_err(|error| {
                let path = path.display();
                format!("cannot write the report to {path}: {error}; give another --output")
            })?;
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

/// The call of which all others are variants.
fn model(arguments: &Arguments, name: &OsStr) -> Result<Invocation, String> {
    let agent = find_agent(arguments.agent.as_deref().unwrap_or(Path::new("")))?;
    let mut base = Invocation::new(agent, "meta-data")
        .profile(&profile::CLASSIC, "")
        .env("OCF_RESOURCE_INSTANCE", name);
    for (parameter, value) in &arguments.options {
        let mut variable = OsString::from("OCF_RESKEY_");
        variable.push(parameter);
        base = base.env(variable, value);
    }
    for (variable, value) in &arguments.variables {
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
fn find_agent(given: &Path) -> Result<PathBuf, String> {
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
        Err(error) => Err(format!("cannot test {shown}: {error}; give the agent's full path")),
        Ok(metadata) if !metadata.is_file() => Err(format!("cannot test {shown}: it isn't a file")),
        Ok(_) if access(&found, AccessFlags::X_OK).is_err() => {
            Err(format!("cannot test {shown}: it isn't executable; run chmod 755 on it"))
        }
        Ok(_) => Ok(found),
    }
}

#[expect(clippy::disallowed_methods, reason = "the documented default of -n")]
fn instance_from_environment() -> Option<OsString> {
    std::env::var_os("OCF_RESOURCE_INSTANCE").filter(|name| !name.is_empty())
}

/// Whether a terminal that can show colours should (no-color.org).
#[expect(clippy::disallowed_methods, reason = "the user's wishes for the terminal")]
fn wants_colour() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// Prints help or what is wrong; help and version are no mistakes.
fn wrong_usage(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    // Line by line: what was given on the command line may hold anything.
    let lines = text.lines().map(|line| visible(line, usize::MAX) + "\n").collect::<String>();
    if error.use_stderr() {
        let _ = io::stderr().write_all(lines.as_bytes());
        return ExitCode::from(exit_codes::USAGE);
    }
    answer(&lines)
}

/// Prints what was asked for.
fn answer(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            say(&format!("the answer can't be written: {error}"));
            ExitCode::from(exit_codes::ENVIRONMENT)
        }
        _ => ExitCode::from(exit_codes::PASSED),
    }
}
