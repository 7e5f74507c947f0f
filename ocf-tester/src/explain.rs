// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf-tester explain ID`: a check in words for somebody whose agent fails it.

pub mod texts;

use crate::check::Check;
use crate::selection;
use std::fmt::Write;

/// The text about every check that one of the patterns means, in the order of the checks.
///
/// # Errors
/// A sentence about a pattern that means no check.
pub fn explain(checks: &[Check], patterns: &[String]) -> Result<String, String> {
    let wanted = selection::matching(checks, patterns)?;
    let texts: Vec<String> = wanted.into_iter().map(text).collect();
    Ok(texts.join("\n"))
}

/// Everything there is to say about a check.
fn text(check: &Check) -> String {
    let mut text = format!("{} ({}): {}\n", check.id, check.level, check.meaning);
    let source = match check.section {
        "practice" => "no rule of OCF 1.1, but what callers of agents need".to_owned(),
        caller @ ("Pacemaker" | "pcs" | "drbd-reactor" | "halo") => {
            format!("no rule of OCF 1.1, but what {caller} does")
        }
        section => format!("OCF 1.1, {section}"),
    };
    let _ = writeln!(text, "Source: {source}");
    let found = texts::all().find(|explanation| explanation.id == check.id);
    if let Some(explanation) = found {
        for (title, words) in [
            ("Why", explanation.why),
            ("Pacemaker", explanation.pacemaker),
            ("Usual fix", explanation.fix),
        ] {
            let _ = write!(text, "\n{title}:\n{}", filled(words));
        }
    }
    text
}

/// The words in lines of at most 78 characters, indented.
fn filled(words: &str) -> String {
    let mut lines = String::new();
    let mut line = String::from(" ");
    for word in words.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > 78 {
            lines.push_str(&line);
            lines.push('\n');
            line = String::from(" ");
        }
        line.push(' ');
        line.push_str(word);
    }
    lines + &line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::all;
    use crate::classic::CHECKS;
    use std::collections::BTreeSet;

    #[test]
    fn every_check_of_the_command_is_explained_once_and_nothing_that_is_no_check() {
        let made: BTreeSet<&str> = CHECKS.iter().map(|check| check.id).collect();
        let known: BTreeSet<&str> = all().iter().map(|check| check.id).collect();
        let told: BTreeSet<&str> = texts::all().map(|one| one.id).collect();
        assert_eq!(made.difference(&told).collect::<Vec<_>>(), [&""; 0], "not explained");
        assert_eq!(told.difference(&known).collect::<Vec<_>>(), [&""; 0], "no such check");
        assert_eq!(told.len(), texts::all().count(), "an id is explained twice");
        for one in texts::all() {
            for words in [one.why, one.pacemaker, one.fix] {
                assert!(words.len() > 30 && words.ends_with('.'), "{}: {words}", one.id);
            }
        }
    }

    #[test]
    fn lines_are_short_and_hold_all_words() {
        for check in all() {
            let text = text(check);
            assert!(text.lines().skip(1).all(|line| line.chars().count() <= 78), "{text}");
        }
        assert_eq!(filled("a b"), "  a b\n");
        let long = "word ".repeat(40);
        assert_eq!(filled(&long).split_whitespace().count(), 40);
    }
}
