// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The lines of a configuration file and their words, taken apart as the server does it.

use std::borrow::Cow;

/// White space, by the server's idea of it.
pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// Without white space at both ends.
pub(super) fn trim(mut text: &[u8]) -> &[u8] {
    while let Some((first, rest)) = text.split_first().filter(|(first, _)| is_blank(**first)) {
        let _blank = first;
        text = rest;
    }
    while let Some((last, rest)) = text.split_last().filter(|(last, _)| is_blank(**last)) {
        let _blank = last;
        text = rest;
    }
    text
}

/// Logical lines: a backslash before the end of a line joins the next one to it, in comments too.
#[derive(Debug)]
pub(super) struct Lines<'a>(pub(super) &'a [u8]);

impl<'a> Lines<'a> {
    /// The next line as it stands, and whether a newline ended it.
    fn physical(&mut self) -> Option<(&'a [u8], bool)> {
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.iter().position(|byte| *byte == b'\n');
        let (line, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest.strip_prefix(b"\n").unwrap_or(rest);
        Some((line, end.is_some()))
    }
}

/// The line without the backslash that joins the next one to it.
fn continued(line: &[u8], is_ended: bool) -> Option<&[u8]> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.strip_suffix(b"\\").filter(|_| is_ended)
}

impl<'a> Iterator for Lines<'a> {
    type Item = Cow<'a, [u8]>;

    fn next(&mut self) -> Option<Cow<'a, [u8]>> {
        let (line, is_ended) = self.physical()?;
        let Some(start) = continued(line, is_ended) else { return Some(Cow::Borrowed(trim(line))) };
        let mut joined = start.to_owned();
        while let Some((line, is_ended)) = self.physical() {
            let part = continued(line, is_ended);
            joined.extend_from_slice(part.unwrap_or(line));
            if part.is_none() {
                break;
            }
        }
        Some(Cow::Owned(trim(&joined).to_owned()))
    }
}

/// Takes the next word off a line: quoted by `"` or `'`, or up to white space. `None` at its end.
pub(super) fn take_word(line: &mut &[u8]) -> Option<Vec<u8>> {
    let text = trim(line);
    let (first, inner) = text.split_first()?;
    let quote = Some(*first).filter(|first| matches!(first, b'"' | b'\''));
    let mut rest = if quote.is_some() { inner } else { text };
    let mut word = Vec::new();
    while let Some((byte, behind)) = rest.split_first() {
        let is_end = quote.map_or_else(|| is_blank(*byte), |quote| *byte == quote);
        if is_end {
            break;
        }
        // A backslash protects itself everywhere, and the quote where there is one.
        let protected = behind
            .split_first()
            .filter(|(next, _)| *byte == b'\\' && (**next == b'\\' || Some(**next) == quote));
        let (taken, behind) = protected.unwrap_or((byte, behind));
        word.push(*taken);
        rest = behind;
    }
    if quote.is_some() {
        rest = rest.split_first().map_or(rest, |(_, behind)| behind);
    }
    *line = trim(rest);
    Some(word)
}

/// How much longer a line may become by values. The server has no bound of its own there.
pub(super) const MOST_GROWTH: usize = 1 << 20;

/// Puts the values of `${NAME}` in. What has none stays as it is, as in the server, and so does a line that
/// would become too long.
pub(super) fn expand<'a>(
    line: Cow<'a, [u8]>,
    value: impl Fn(&[u8]) -> Option<Vec<u8>>,
) -> Cow<'a, [u8]> {
    if !line.windows(2).any(|pair| pair == b"${") {
        return line;
    }
    let longest = line.len().saturating_add(MOST_GROWTH);
    let mut out = Vec::new();
    let mut rest: &[u8] = &line;
    // What is behind the last brace isn't looked for again and again.
    let mut behind_braces = line.iter().rev().take_while(|byte| **byte != b'}').count();
    if behind_braces == line.len() {
        behind_braces = usize::MAX;
    }
    while let Some((byte, behind)) = rest.split_first() {
        let name = rest.strip_prefix(b"${").filter(|from| from.len() > behind_braces);
        let name = name.and_then(|from| {
            let end = from.iter().position(|byte| *byte == b'}')?;
            from.split_at_checked(end)
        });
        if let Some((name, from)) = name {
            match value(name) {
                Some(value) => out.extend_from_slice(&value),
                None => out.extend([b"${", name, b"}"].concat()),
            }
            if out.len() > longest {
                return line;
            }
            rest = from.strip_prefix(b"}").unwrap_or(from);
        } else {
            out.push(*byte);
            rest = behind;
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        let owned = |line: Cow<'_, [u8]>| String::from_utf8(line.into_owned()).unwrap();
        Lines(text.as_bytes()).map(owned).collect()
    }

    fn words(text: &str) -> Vec<String> {
        let mut line = text.as_bytes();
        let words = std::iter::from_fn(|| take_word(&mut line));
        words.map(|word| String::from_utf8(word).unwrap()).collect()
    }

    #[test]
    fn a_backslash_joins_lines_in_comments_too() {
        assert_eq!(lines("  a b \\\n c\nd"), ["a b  c", "d"]);
        assert_eq!(lines("# no \\\nListen 1\n"), ["# no Listen 1"]);
        assert_eq!(lines("a \\\r\nb\r\n"), ["a b"]);
        assert_eq!(lines("a\\\\\nb"), ["a\\b"]);
        assert_eq!(lines("a\\"), ["a\\"], "at the end of the file it is a letter");
        assert_eq!(lines("a\\\n"), ["a"]);
        assert!(lines("").is_empty());
    }

    #[test]
    fn words_are_quoted_as_in_the_server() {
        assert_eq!(words(r#"PidFile "/run/a b.pid""#), ["PidFile", "/run/a b.pid"]);
        assert_eq!(words(r#"a 'b "c' d"e"#), ["a", "b \"c", "d\"e"]);
        assert_eq!(
            words(r#""a\"b" "a\\b" "a\b" a\\b a\b"#),
            ["a\"b", "a\\b", "a\\b", "a\\b", "a\\b"]
        );
        assert_eq!(words(r#""open"#), ["open"]);
        assert_eq!(words(r#""" a"#), ["", "a"]);
        assert_eq!(words(r#""a"b"#), ["a", "b"]);
        assert!(words("  ").is_empty());
    }

    #[test]
    fn a_variable_without_a_value_stays_as_it_is() {
        let value = |name: &[u8]| (name == b"A").then(|| b"1 2".to_vec());
        let expanded = |text: &str| {
            let out = expand(Cow::Borrowed(text.as_bytes()), value);
            String::from_utf8(out.into_owned()).unwrap()
        };
        assert_eq!(expanded("x${A}y ${B} $A ${A ${}"), "x1 2y ${B} $A ${A ${}");
        assert_eq!(expanded("$${A}"), "$1 2");
        assert_eq!(expanded("${A${A}${}}${A"), "${A${A}${}}${A");
        assert_eq!(expanded("x}${A}"), "x}1 2");
    }
}
