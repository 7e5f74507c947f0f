// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The one sentence of what a server says when it refuses its configuration.

use crate::{log, regular};
use std::path::Path;

/// What stands before a file and a line.
const PLACE: &str = "yntax error on line ";

/// How much of a file is looked at for the line that is wrong.
const MOST: u64 = 1 << 20;

/// The sentence: the file and the line that is wrong, not those that include it, and what is wrong there.
pub(super) fn sentence(text: &str, configuration: &Path) -> String {
    let said = log::complaint(text).unwrap_or_else(|| "it doesn't say why".to_owned());
    let Some((line, file, what)) = place(&said) else {
        return format!("{} is refused: {}", configuration.display(), bare(&said));
    };
    match undefined(text, file, line) {
        Some(name) => format!("{file} line {line}: ${{{name}}} isn't defined: see envfiles"),
        None => format!("{file} line {line}: {}", bare(what)),
    }
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

/// A message without the number that stands before it, and without the program's name.
fn bare(said: &str) -> &str {
    let mut rest = said;
    while let Some((head, behind)) = rest.split_once(": ") {
        let is_number = head.strip_prefix("AH").is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        let is_cause = head.starts_with('(') && head.contains(')') && behind.starts_with("AH");
        let is_program =
            !head.contains([' ', '/']) && head.contains(|c: char| c.is_ascii_lowercase());
        if !is_number && !is_cause && !is_program {
            break;
        }
        rest = behind;
    }
    rest
}
