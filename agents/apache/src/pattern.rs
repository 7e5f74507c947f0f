// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Patterns of names: `*`, `?`, `[…]` and backslashes (fnmatch(3)).

/// Whether a name is one of those that a pattern means (fnmatch(3)).
pub(crate) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut pattern, mut name) = (pattern, name);
    // Where the last star stands, and how much of the name it takes for now.
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        if let Some((b'*', behind)) = pattern.split_first() {
            star = Some((behind, name));
            pattern = behind;
            continue;
        }
        let Some((byte, rest)) = name.split_first() else {
            return pattern.is_empty();
        };
        if let Some(behind) = matches_one(pattern, *byte) {
            (pattern, name) = (behind, rest);
        } else if let Some((behind, (_, longer))) =
            star.and_then(|(behind, from)| Some((behind, from.split_first()?)))
        {
            star = Some((behind, longer));
            (pattern, name) = (behind, longer);
        } else {
            return false;
        }
    }
}

/// What of the pattern is left where its first item means the byte.
fn matches_one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    match pattern.split_first()? {
        (b'?', behind) => Some(behind),
        (b'[', behind) if behind.contains(&b']') => matches_class(behind, byte),
        (b'\\', behind) if !behind.is_empty() => {
            behind.split_first().filter(|(next, _)| **next == byte).map(|(_, behind)| behind)
        }
        (letter, behind) => (*letter == byte).then_some(behind),
    }
}

/// The same for a class, from behind its bracket on.
fn matches_class(class: &[u8], byte: u8) -> Option<&[u8]> {
    let inverted = class.strip_prefix(b"!").or_else(|| class.strip_prefix(b"^"));
    let mut rest = inverted.unwrap_or(class);
    let mut is_in = false;
    let mut is_first = true;
    while let Some((low, behind)) = rest.split_first() {
        if *low == b']' && !is_first {
            return (is_in != inverted.is_some()).then_some(behind);
        }
        is_first = false;
        if let Some((high, behind)) = behind
            .strip_prefix(b"-")
            .and_then(<[u8]>::split_first)
            .filter(|(high, _)| **high != b']')
        {
            is_in |= (*low..=*high).contains(&byte);
            rest = behind;
        } else {
            is_in |= *low == byte;
            rest = behind;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_the_server() {
        let cases = [
            ("*.conf", "a.conf", true),
            ("*.conf", ".conf", true),
            ("*.conf", "a.conf.bak", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("?", "", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]x]", "]", true),
            ("[a", "[a", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("***************************a", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}
