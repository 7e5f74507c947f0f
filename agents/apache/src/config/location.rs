// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The path that a location means.

use super::reader::Section;
use std::iter::Peekable;
use std::str::Chars;

/// The path of a `<Location>`; of an expression, one path that it matches. `None` for other sections, and
/// for expressions that are more than a path with some freedom.
pub(super) fn path_of(section: &Section) -> Option<String> {
    let mut words = section.words.iter().filter_map(|word| std::str::from_utf8(word).ok());
    match (section.name.as_str(), words.next()?) {
        ("location", "~") => example(words.next()?),
        ("location", path) => Some(path.to_owned()),
        ("locationmatch", expression) => example(expression),
        _ => None,
    }
    .filter(|path| path.starts_with('/'))
}

/// A text that the expression matches, by its plainest reading.
fn example(expression: &str) -> Option<String> {
    let expression = expression.strip_prefix('^').unwrap_or(expression);
    let mut letters = expression.chars().peekable();
    let path = alternative(&mut letters, 0)?;
    letters.next().is_none().then_some(path)
}

type Letters<'a> = Peekable<Chars<'a>>;

/// The first of the alternatives, up to the end of the group.
fn alternative(letters: &mut Letters<'_>, depth: usize) -> Option<String> {
    if depth > 8 {
        return None;
    }
    let mut out = String::new();
    let mut is_first = true;
    while let Some(letter) = letters.peek().copied() {
        if letter == ')' {
            return (depth > 0).then_some(out);
        }
        letters.next();
        if letter == '|' {
            is_first = false;
            continue;
        }
        let item = item(letter, letters, depth)?;
        let is_needless = letters.next_if(|next| matches!(next, '*' | '?')).is_some();
        let _once = letters.next_if_eq(&'+');
        if is_first && !is_needless {
            out.push_str(&item);
        }
    }
    (depth == 0).then_some(out)
}

/// What one item of an expression matches, of which the first letter has been taken.
fn item(first: char, letters: &mut Letters<'_>, depth: usize) -> Option<String> {
    Some(match first {
        '$' | '^' => String::new(),
        '(' => {
            if letters.next_if_eq(&'?').is_some() && letters.next() != Some(':') {
                return None;
            }
            let item = alternative(letters, depth + 1)?;
            letters.next_if_eq(&')')?;
            item
        }
        '[' => class(letters)?,
        '\\' => letters.next().filter(char::is_ascii_punctuation)?.to_string(),
        '.' => "x".to_owned(),
        '*' | '+' | '?' | '{' => return None,
        letter => letter.to_string(),
    })
}

/// A letter of the class: the first that it names.
fn class(letters: &mut Letters<'_>) -> Option<String> {
    let first = letters.next().filter(|first| !matches!(first, '^' | ']' | '[' | '\\'))?;
    letters.any(|letter| letter == ']').then(|| first.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_gives_a_path_that_it_matches() {
        let cases = [
            ("^/server-status$", Some("/server-status")),
            ("^/server-status", Some("/server-status")),
            ("/server-status/?$", Some("/server-status")),
            ("^/(server-status|server-info)(/.*)?$", Some("/server-status")),
            (r"^/status\.html$", Some("/status.html")),
            ("(?i)^/s", None),
            ("^/(?:a|b)+", Some("/a")),
            ("^/[Ss]erver", Some("/Server")),
            ("a(b", None),
            ("a)b", None),
            (r"\d", None),
        ];
        for (expression, expected) in cases {
            assert_eq!(example(expression).as_deref(), expected, "{expression}");
        }
        assert_eq!(example(&"(".repeat(100_000)), None);
    }
}
