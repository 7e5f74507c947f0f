// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf-tester explain ID`: a check, or a rule of descriptions, in words for somebody whose agent
//! breaks it.

pub mod texts;

use crate::check::Check;
use crate::glob;
use ocf_metadata::rules::{RULES, Rule};
use std::fmt::Write;
use texts::Explanation;

/// The check that judges descriptions by [`RULES`].
const JUDGE_OF_RULES: &str = "META-02";

/// The check that judges what contradicts itself in a description.
const JUDGE_OF_SENSE: &str = "META-03";

/// Which checks judge a rule: what is no type is refused, a default of another type isn't.
fn judges(rule: &str) -> &'static [&'static str] {
    match rule {
        "MD-08" => &[JUDGE_OF_RULES, JUDGE_OF_SENSE],
        "MD-17" => &[JUDGE_OF_SENSE],
        _ => &[JUDGE_OF_RULES],
    }
}

/// The text about every check and every rule of descriptions that one of the patterns means; the
/// checks first, in their order.
///
/// # Errors
/// A sentence about a pattern that means nothing.
pub fn explain(checks: &[Check], patterns: &[String]) -> Result<String, String> {
    let means = |pattern: &String, id: &str| glob::matches(&pattern.to_uppercase(), id);
    let ids = checks.iter().map(|check| check.id).chain(RULES.iter().map(|rule| rule.id));
    for pattern in patterns {
        if !ids.clone().any(|id| means(pattern, id)) {
            return Err(format!("nothing is called '{pattern}'; --list shows every check"));
        }
    }
    let is_meant = |id: &str| patterns.iter().any(|pattern| means(pattern, id));
    let checks = checks.iter().filter(|check| is_meant(check.id)).map(text);
    let rules = RULES.iter().filter(|rule| is_meant(rule.id)).map(text_of_rule);
    Ok(checks.chain(rules).collect::<Vec<String>>().join("\n"))
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
    tell(&mut text, texts::all().find(|explanation| explanation.id == check.id));
    let judged = RULES.iter().map(|rule| rule.id).filter(|rule| judges(rule).contains(&check.id));
    let ids: Vec<&str> = judged.collect();
    if !ids.is_empty() {
        let _ = write!(text, "\nRules:\n{}", filled(&ids.join(" ")));
    }
    text
}

/// Everything there is to say about a rule of descriptions.
fn text_of_rule(rule: &Rule) -> String {
    let judges = judges(rule.id).join(" and ");
    let mut text = format!("{} (judged by {judges}): {}\n", rule.id, rule.meaning);
    let source = match rule.id.split_once('-') {
        Some(("USE", _)) => "no rule of OCF 1.1, but what readers of descriptions need",
        _ => "OCF 1.1, Metadata",
    };
    let _ = writeln!(text, "Source: {source}");
    tell(&mut text, texts::rules().find(|explanation| explanation.id == rule.id));
    text
}

fn tell(text: &mut String, explanation: Option<&Explanation>) {
    let Some(explanation) = explanation else { return };
    for (title, words) in [
        ("Why", explanation.why),
        ("Pacemaker", explanation.pacemaker),
        ("Usual fix", explanation.fix),
    ] {
        let _ = write!(text, "\n{title}:\n{}", filled(words));
    }
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
    use std::collections::BTreeSet;

    /// Each of these is explained once, nothing else is, and each text says something.
    fn are_explained<'a>(
        ids: impl Iterator<Item = &'a str>,
        rows: impl Iterator<Item = &'a Explanation>,
    ) {
        let known: BTreeSet<&str> = ids.collect();
        let rows: Vec<&Explanation> = rows.collect();
        let told: BTreeSet<&str> = rows.iter().map(|one| one.id).collect();
        assert_eq!(known.difference(&told).collect::<Vec<_>>(), [&""; 0], "not explained");
        assert_eq!(told.difference(&known).collect::<Vec<_>>(), [&""; 0], "there is no such thing");
        assert_eq!(told.len(), rows.len(), "an id is explained twice");
        for one in rows {
            for words in [one.why, one.pacemaker, one.fix] {
                assert!(words.len() > 30 && words.ends_with('.'), "{}: {words}", one.id);
            }
        }
    }

    #[test]
    fn every_check_and_every_rule_is_explained_once_and_nothing_else() {
        are_explained(all().iter().map(|check| check.id), texts::all());
        are_explained(RULES.iter().map(|rule| rule.id), texts::rules());
    }

    #[test]
    fn the_rules_are_found_by_their_ids_and_by_their_judge() {
        let about = |id: &str| explain(all(), &[id.to_owned()]).unwrap();
        assert!(about("MD-08").starts_with("MD-08 (judged by META-02 and META-03): "));
        assert!(about("md-1*").contains("\nMD-17 (judged by META-03)"));
        let both = about("MD-01");
        assert!(both.contains("MD-01 (must): ") && both.contains("MD-01 (judged by META-02): "));
        for rule in RULES {
            for judge in judges(rule.id) {
                assert!(about(judge).contains(rule.id), "{}", rule.id);
            }
        }
        let why = explain(all(), &["MD-08".to_owned(), "NO-1".to_owned()]).unwrap_err();
        assert!(why.contains("NO-1"), "{why}");
    }

    #[test]
    fn lines_are_short_and_hold_all_words() {
        for text in all().iter().map(text).chain(RULES.iter().map(text_of_rule)) {
            assert!(text.lines().skip(1).all(|line| line.chars().count() <= 78), "{text}");
        }
        assert_eq!(filled("a b"), "  a b\n");
        let long = "word ".repeat(40);
        assert_eq!(filled(&long).split_whitespace().count(), 40);
    }
}
