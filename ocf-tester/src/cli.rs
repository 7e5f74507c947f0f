// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The command line: the classic `ocf-tester -n NAME [-o name=value…] [-v|-q] [-d] [-X] AGENT`, the
//! choice of checks, `--list`, and the commands that are meant by the first word.

mod arguments;
mod commands;
mod compare;
mod completion;
mod test;

pub use commands::whole as command_line;
pub use completion::{Script, script};

use crate::check::Check;
use crate::compare::stand_in;
use crate::quote::visible;
use crate::session::emergency;
use crate::{checks, exit_codes, explain, selection};
use arguments::{Arguments, Resource};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use commands::{Command, Commanded};
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

/// How much of a wrong argument is repeated, in characters.
const LONGEST_LINE: usize = 1000;

/// Runs the command; the exit code is one of [`exit_codes`].
#[must_use]
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        say(&format!("this is a bug in ocf-tester, please report it: {panic}"));
        emergency::make_safe_all().iter().for_each(|sentence| say(sentence));
    }));
    let words: Vec<OsString> = std::env::args_os().collect();
    if stand_in::stands_in(&words) {
        return ExitCode::SUCCESS;
    }
    // Only in the first place, where the classic command line has an option or an agent's path.
    if commands::is_commanded(&words) {
        return match Commanded::try_parse_from(words) {
            Ok(Commanded { command }) => carry_out(&command),
            Err(error) => wrong_usage(&error),
        };
    }
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            return answer(&commands::whole().render_help().to_string());
        }
        Err(error) => return wrong_usage(&error),
    };
    if arguments.old_mode {
        let why = "-L is gone: it went through the cluster's local resource manager (lrmd), which \
                   Pacemaker no longer has; leave it out, and the agent is called as Pacemaker does";
        return wrong_usage(&Arguments::command().error(ErrorKind::ArgumentConflict, why));
    }
    let Arguments { only, skip, level, .. } = &arguments;
    let checks = match selection::asked(checks::all(), only, skip, *level) {
        Ok(checks) => checks,
        Err(why) => return wrong_usage(&Arguments::command().error(ErrorKind::InvalidValue, why)),
    };
    if arguments.list {
        return answer(&checks.iter().map(listed).collect::<String>());
    }
    let name = match name_of(&arguments.resource) {
        Ok(name) => name,
        Err((kind, why)) => return wrong_usage(&Arguments::command().error(kind, why)),
    };
    ended(test::test(&arguments, &name, &checks))
}

fn carry_out(command: &Command) -> ExitCode {
    match command {
        Command::Explain { ids } => explain_checks(ids),
        Command::Completion { shell } => answer(&script(*shell)),
        Command::Compare(arguments) => match name_of(&arguments.resource) {
            Ok(name) => ended(compare::compare(arguments, &name)),
            Err((kind, why)) => wrong_usage(&Commanded::command().error(kind, why)),
        },
    }
}

/// The exit code, with a word about what ended it.
fn ended(result: Result<u8, (u8, String)>) -> ExitCode {
    ExitCode::from(result.unwrap_or_else(|(code, sentence)| {
        say(&sentence);
        code
    }))
}

/// The resource's name, from the option or the environment.
fn name_of(resource: &Resource) -> Result<OsString, (ErrorKind, &'static str)> {
    match resource.name.clone().or_else(instance_from_environment) {
        None => {
            let why = "the resource needs a name: give -n NAME, or set OCF_RESOURCE_INSTANCE";
            Err((ErrorKind::MissingRequiredArgument, why))
        }
        Some(name) if name.is_empty() || name.as_bytes().contains(&0) => {
            let why = "a resource's name can't be empty: give another one with -n NAME";
            Err((ErrorKind::InvalidValue, why))
        }
        Some(name) => Ok(name),
    }
}

/// A check as a line of `--list`, for people and for `cut -f`.
fn listed(check: &Check) -> String {
    let Check { id, level, section, meaning, .. } = check;
    format!("{id}\t{level}\t{section}\t{meaning}\n")
}

/// `ocf-tester explain ID…`
fn explain_checks(patterns: &[String]) -> ExitCode {
    let text = if patterns.is_empty() {
        Err("explain needs the id of a check; --list shows all there are".to_owned())
    } else {
        explain::explain(checks::all(), patterns)
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

#[expect(clippy::disallowed_methods, reason = "the documented default of -n")]
fn instance_from_environment() -> Option<OsString> {
    std::env::var_os("OCF_RESOURCE_INSTANCE").filter(|name| !name.is_empty())
}

/// Prints help or what is wrong; help and version are no mistakes.
fn wrong_usage(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    // Line by line: what was given on the command line may hold anything, and much of it.
    let lines = text.lines().map(|line| visible(line, LONGEST_LINE) + "\n").collect::<String>();
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
