// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The parameter `options`: taken apart as a shell would, without one, and understood as the server does.

use std::str::Chars;

/// Takes the words apart: blanks divide, quotes and backslashes keep blanks in one. Nothing is expanded, and a
/// quote that isn't closed is a letter: to the shell agent every one is.
pub(crate) fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        let mut behind = rest.clone();
        let quoted = match letter {
            '\'' => quoted(&mut behind),
            '"' => double_quoted(&mut behind),
            _ => None,
        };
        if let Some(quoted) = quoted {
            word.get_or_insert_default().push_str(&quoted);
            rest = behind;
            continue;
        }
        match letter {
            '\\' => match rest.next() {
                Some('\n') => {}
                next => word.get_or_insert_default().push(next.unwrap_or('\\')),
            },
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            letter => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// What stands up to the closing quote.
fn quoted(rest: &mut Chars<'_>) -> Option<String> {
    let (inner, behind) = rest.as_str().split_once('\'')?;
    *rest = behind.chars();
    Some(inner.to_owned())
}

fn double_quoted(rest: &mut Chars<'_>) -> Option<String> {
    let mut inner = String::new();
    loop {
        match rest.next()? {
            '"' => return Some(inner),
            '\\' => match rest.next()? {
                '\n' => {}
                next @ ('"' | '\\' | '$' | '`') => inner.push(next),
                next => inner.extend(['\\', next]),
            },
            letter => inner.push(letter),
        }
    }
}

/// What of the words changes how the configuration is read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Switches<'a> {
    /// `-D`: what `<IfDefine>` asks for.
    pub(crate) defines: Vec<&'a str>,
    /// `-C`: directives before the configuration.
    pub(crate) before: Vec<&'a str>,
    /// `-c`: directives after it.
    pub(crate) after: Vec<&'a str>,
    /// `-d`: the server's root.
    pub(crate) root: Option<&'a str>,
}

impl<'a> Switches<'a> {
    /// Of words, by the rules of getopt: letters may stand together, a value may be glued on.
    pub(crate) fn of(words: &'a [String]) -> Self {
        let mut switches = Self::default();
        let mut words = words.iter().map(String::as_str);
        let mut has_long = false;
        while let Some(word) = words.next() {
            // The server drops the first word that begins like a long option, and ends at the second, or at
            // one that is no option at all.
            if word.starts_with("--") && !has_long {
                has_long = true;
                continue;
            }
            let is_option = word.len() > 1 && !word.starts_with("--");
            let Some(letters) = word.strip_prefix('-').filter(|_| is_option) else { break };
            // The first letter that takes a value takes all that follows it.
            let Some(at) = letters.find(['C', 'c', 'D', 'd', 'E', 'e', 'f', 'k', 'R', 'n']) else {
                continue;
            };
            let (_, from) = letters.split_at(at);
            let (letter, glued) = from.split_at(1);
            let value = if glued.is_empty() { words.next() } else { Some(glued) };
            let Some(value) = value else { continue };
            match letter {
                "D" => switches.defines.push(value),
                "C" => switches.before.push(value),
                "c" => switches.after.push(value),
                "d" => switches.root = Some(value),
                _ => {}
            }
        }
        switches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compared with what a real shell makes of the same text.
    #[test]
    fn words_are_split_as_a_shell_does_it() {
        let texts = [
            "",
            "   ",
            "-DFOO -DBAR",
            "  -D  FOO\t-DBAR ",
            "-c 'Listen 8080'",
            r#"-c "PidFile '/run/a b.pid'""#,
            r"-c Listen\ 8080",
            r#"-C"ServerName a""#,
            "'' \"\" a''b",
            r#""a\"b" "a\\b" "a\nb" 'a\b'"#,
            "a\\\nb",
            "ü -Dé",
        ];
        for text in texts {
            let shell = std::fs::canonicalize("/bin/sh").unwrap();
            let script = format!("set -f; set -- {text}\nprintf '%s\\0' \"$@\"");
            #[expect(clippy::disallowed_methods, reason = "a real shell to compare with")]
            let output = std::process::Command::new(shell).args(["-c", &script]).output().unwrap();
            let output = String::from_utf8(output.stdout).unwrap();
            let mut expected: Vec<_> = output.split('\0').collect();
            expected.pop();
            if expected == [""] && text.trim().is_empty() {
                // printf prints its format once without any word.
                expected.clear();
            }
            assert_eq!(split(text), expected, "{text:?}");
        }
    }

    #[test]
    fn an_open_quote_is_a_letter() {
        for (text, expected) in [
            ("-DO'Brien -DB", vec!["-DO'Brien", "-DB"]),
            ("-c 'Listen 80", vec!["-c", "'Listen", "80"]),
            ("\"a b", vec!["\"a", "b"]),
            ("\"a\\", vec!["\"a\\"]),
            ("\"it's\" 'x", vec!["it's", "'x"]),
            ("'a\"b' \"c d", vec!["a\"b", "\"c", "d"]),
        ] {
            assert_eq!(split(text), expected, "{text}");
        }
    }

    #[test]
    fn switches_are_read_by_the_rules_of_getopt() {
        let words = split("-DA -D B -XDC -c 'Listen 81' -C'Define X 1' -d /r -e debug -E log -k x");
        let switches = Switches::of(&words);
        assert_eq!(switches.defines, ["A", "B", "C"]);
        assert_eq!(switches.after, ["Listen 81"]);
        assert_eq!(switches.before, ["Define X 1"]);
        assert_eq!(switches.root, Some("/r"));
        for text in ["--long -DA --more -DB", "-DA word -DB", "-DA -- - -DB"] {
            assert_eq!(Switches::of(&split(text)).defines, ["A"], "{text}");
        }
    }
}
