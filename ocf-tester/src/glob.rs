// SPDX-License-Identifier: Apache-2.0 OR MIT
//! File names matched against patterns with `*` and `?`.

/// Whether the whole text matches the pattern; `*` is any run of characters, `?` is one.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where the last star was and how much text it has eaten: the only place to go back to.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || Some(c) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, eaten)) => {
                    star = Some((at, eaten + 1));
                    p = at + 1;
                    t = eaten + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text) in [("*", ""), ("*.lock", "a.lock"), ("a*b*c", "axxbbc"), ("?", "x")] {
            assert!(matches(pattern, text), "{pattern} should match {text}");
        }
        for (pattern, text) in [("", "a"), ("*.lock", "a.lock2"), ("a*b", "ac"), ("?", "")] {
            assert!(!matches(pattern, text), "{pattern} should not match {text}");
        }
    }
}
