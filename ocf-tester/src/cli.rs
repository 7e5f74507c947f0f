// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The command line: the classic `ocf-tester -n NAME [-o name=value…] [-v|-q] [-d] [-X] AGENT`, the
//! choice of checks, `--list` and `explain ID`.

mod arguments;
mod test;

use crate::check::Check;
use crate::quote::visible;
use crate::session::emergency;
use crate::{checks, exit_codes, explain, selection};
use arguments::Arguments;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
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
    ExitCode::from(test::test(&arguments, &name, &checks).unwrap_or_else(|(code, sentence)| {
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
