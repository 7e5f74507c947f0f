// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Words quoted for a shell, so that a reported command line can be pasted as it is.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The word in a form that a POSIX shell reads back unchanged (bash, when it isn't UTF-8).
pub(crate) fn quote(word: &OsStr) -> String {
    match word.to_str() {
        Some(text) if !text.is_empty() && text.bytes().all(is_plain) => text.to_owned(),
        Some(text) => format!("'{}'", text.replace('\'', r"'\''")),
        None => quote_bytes(word.as_bytes()),
    }
}

/// A byte that no shell treats specially in any place of a word.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_./:@%+,-=".contains(&byte)
}

fn quote_bytes(bytes: &[u8]) -> String {
    let body: String = bytes
        .iter()
        .map(|byte| match byte {
            b'\'' | b'\\' => format!("\\{}", char::from(*byte)),
            b' '..=b'~' => char::from(*byte).to_string(),
            _ => format!("\\x{byte:02x}"),
        })
        .collect();
    format!("$'{body}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        for (word, quoted) in [
            ("start", "start"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$(id)", "'$(id)'"),
            ("a\nb", "'a\nb'"),
        ] {
            assert_eq!(quote(OsStr::new(word)), quoted);
        }
        assert_eq!(quote(OsStr::from_bytes(b"\xff'x\\")), r"$'\xff\'x\\'");
    }
}
