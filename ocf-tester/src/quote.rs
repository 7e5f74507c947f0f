// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Text that can be shown: words quoted for a shell, so that a reported command line can be pasted
//! as it is, and foreign text that can't move the cursor, hide, or look like a line of the report.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The word in a form that a POSIX shell reads back unchanged. Whatever a terminal would act on or
/// not show stands in it as a number.
pub(crate) fn quote(word: &OsStr) -> String {
    match word.to_str() {
        Some(text) if !text.is_empty() && text.bytes().all(is_plain) => text.to_owned(),
        Some(text) if !text.contains(is_hidden) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => quote_bytes(word.as_bytes()),
    }
}

/// A byte that no shell treats specially in any place of a word.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_./:@%+,-=".contains(&byte)
}

/// A call of printf, which every POSIX shell has built in. It drops newlines at the end of what
/// it reads back, so those follow in a form that not every shell knows (dash doesn't).
fn quote_bytes(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|byte| *byte != b'\n').map_or(0, |last| last + 1);
    let (body, newlines) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    let body = escape(body);
    let body = if body.is_empty() { body } else { format!("\"$(printf %b '{body}')\"") };
    match newlines.len() {
        0 => body,
        count => format!("{body}$'{}'", r"\n".repeat(count)),
    }
}

/// Bytes as the `%b` of printf reads them back.
fn escape(bytes: &[u8]) -> String {
    let escape = |byte: &u8| match byte {
        b'\'' | b'\\' | 0..b' ' | 0x7f.. => format!("\\0{byte:03o}"),
        _ => char::from(*byte).to_string(),
    };
    bytes.iter().map(escape).collect()
}

/// The forms in which text can stand inside a quoted word: as it is, and as either way of quoting
/// changes it.
pub(crate) fn forms(text: &OsStr) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let apart: Vec<&[u8]> = bytes.split(|byte| *byte == b'\'').collect();
    let mut forms = vec![bytes.to_vec(), apart.join(&br"'\''"[..]), escape(bytes).into_bytes()];
    forms.dedup();
    forms
}

/// Whether a terminal acts on a character instead of showing it, or shows others elsewhere because
/// of it.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// Foreign text on one line: what a terminal acts on is shown as its number, and after `most`
/// characters the rest is left out.
pub(crate) fn visible(text: &str, most: usize) -> String {
    let mut shown = String::new();
    let mut characters = text.chars();
    for character in characters.by_ref().take(most) {
        match character {
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            '\r' => shown.push_str("\\r"),
            hidden if is_hidden(hidden) => shown.extend(hidden.escape_unicode()),
            plain => shown.push(plain),
        }
    }
    match characters.count() {
        0 => shown,
        more => format!("{shown}… ({more} further characters)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Invocation;

    #[test]
    fn words_survive_a_shell() {
        for (word, quoted) in [
            ("start", "start"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$(id)", "'$(id)'"),
            ("a\nb", r#""$(printf %b 'a\0012b')""#),
            ("\u{1b}[2K", r#""$(printf %b '\0033[2K')""#),
            ("\n", r"$'\n'"),
        ] {
            assert_eq!(quote(OsStr::new(word)), quoted);
        }
    }

    #[test]
    fn words_that_a_terminal_would_act_on_are_read_back_by_the_shell() {
        let words: [&[u8]; 5] = [
            b"\xff'x\\n\\0101 $(id) `id` \"%s",
            b"-n a\nb",
            "bidi \u{202e} and \u{2028}".as_bytes(),
            b"\x1b]0;title\x07\r1",
            b"\n\n7",
        ];
        for word in words {
            let quoted = quote(OsStr::from_bytes(word));
            assert!(quoted.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{quoted}");
            let line = format!("printf %s {quoted}");
            let shell = Invocation::new("/bin/sh", "-c").argument(line).run().unwrap();
            assert_eq!(shell.stdout, word, "{quoted}");
        }
    }

    #[test]
    fn foreign_text_stays_on_its_line_and_ends() {
        assert_eq!(visible("plain é 漢", 99), "plain é 漢");
        assert_eq!(visible("a\nFAKE passed\r\u{1b}[2K", 99), "a\\nFAKE passed\\r\\u{1b}[2K");
        assert_eq!(visible("\u{9b}\u{7f}\u{202e}", 99), "\\u{9b}\\u{7f}\\u{202e}");
        assert_eq!(visible("abcdef", 2), "ab… (4 further characters)");
    }
}
