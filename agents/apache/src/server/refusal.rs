// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The one sentence of what a server says when it refuses its configuration.

use crate::log::{self, bare, fitting};
use crate::regular;
use std::path::Path;

/// What stands before a file and a line.
const PLACE: &str = "yntax error on line ";

/// How much of a file is looked at for the line that is wrong.
const MOST: u64 = 1 << 20;

/// How the server calls what stands on its command line.
const OPTIONS: &str = "-c/-C directives";

/// The sentence: the file and the line that is wrong, not those that include it, and what is wrong there.
pub(super) fn sentence(text: &str, configuration: &Path) -> String {
    if text.lines().any(|line| line.starts_with("Usage: ")) {
        let illegal = text.lines().find_map(|line| line.split_once("illegal option -- "));
        return match illegal {
            Some((_, letter)) => {
                format!("options has -{letter}, which the server doesn't take: remove it")
            }
            None => "options aren't taken by the server: correct them by its -h".to_owned(),
        };
    }
    let said = log::complaint(text).unwrap_or_else(|| "it doesn't say why".to_owned());
    let Some((line, file, what)) = place(&said) else {
        let what = bare(&said);
        return fitting([
            format!("{} is refused: {what}", configuration.display()),
            format!("the configuration is refused: {what}"),
            what.to_owned(),
        ]);
    };
    if let Some(name) = undefined(text, file, line) {
        return fitting([format!("{file} line {line}: ${{{name}}} isn't defined: see envfiles")]);
    }
    if let Some(missing) = generated(what) {
        return format!("{missing} is missing: run start_apache2 -t, which writes it");
    }
    // Sometimes the place stands before the cause, too.
    let what = bare(what);
    let what = what.strip_prefix(&format!("{file}:{line}: ")).unwrap_or(what);
    let place = match file {
        OPTIONS => "options".to_owned(),
        file => format!("{file} line {line}"),
    };
    match what.split_once(", perhaps misspelled") {
        Some((what, _)) => fitting([
            format!("{place}: {what}: misspelled, or its module isn't loaded"),
            format!("{place}: {what}: misspelled or not loaded"),
            format!("{place}: {what}"),
        ]),
        None => fitting([format!("{place}: {what}")]),
    }
}

/// Whether what the server says is only that one of these directories isn't there.
pub(super) fn is_want_of(text: &str, missing: &[&Path]) -> bool {
    let Some(said) = log::complaint(text) else { return false };
    // The first two say it where they read it, and don't always name it.
    let is_early = ["DefaultRuntimeDir must be a valid directory", "Invalid Mutex directory in"]
        .iter()
        .any(|words| said.contains(words));
    let named = said.split_once("Cannot access directory '").and_then(|(_, rest)| {
        let (name, _) = rest.split_once('\'')?;
        Some(Path::new(name))
    });
    let is_missing = |path| missing.contains(&path);
    is_early && !missing.is_empty() || named.is_some_and(is_missing)
}

/// The file that isn't there and that SUSE's own start would have written.
fn generated(what: &str) -> Option<&str> {
    let (_, file) = what.split_once("Could not open configuration file ")?;
    let (file, _) = file.split_once(": ")?;
    file.starts_with("/etc/apache2/sysconfig.d/").then_some(file)
}

/// The innermost line, file and cause.
fn place(said: &str) -> Option<(usize, &str, &str)> {
    let (_, innermost) = said.rsplit_once(PLACE)?;
    let (line, rest) = innermost.split_once(" of ")?;
    let (file, what) = rest.split_once(": ")?;
    Some((line.parse().ok()?, file, what))
}

/// The variable without a value that stands in the line, where the server warned of one.
fn undefined<'a>(text: &'a str, file: &str, line: usize) -> Option<&'a str> {
    let mut names = text.lines().filter(|line| line.contains("AH00111")).filter_map(|line| {
        let (_, rest) = line.split_once("${")?;
        Some(rest.split_once('}')?.0)
    });
    let content = regular::read(Path::new(file), MOST).ok()?;
    let content = String::from_utf8_lossy(&content);
    let wrong = content.lines().nth(line.checked_sub(1)?)?;
    names.find(|name| wrong.contains(&format!("${{{name}}}")))
}
