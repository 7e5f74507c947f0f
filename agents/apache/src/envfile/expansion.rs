// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a word comes to: with the values of its variables, split into fields or not.

use super::arithmetic;
use super::host::output_of;
use super::shell::Shell;
use super::word::{Change, Part, Word};
use crate::pattern::matches;

/// How long a value may become.
const LONGEST: usize = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// A list of words.
    Split,
    /// One text.
    Plain,
    /// One pattern: what is quoted is escaped.
    Pattern,
}

/// The fields of words.
#[derive(Debug)]
pub(super) struct Fields {
    mode: Mode,
    done: Vec<Vec<u8>>,
    current: Option<Vec<u8>>,
}

impl Fields {
    /// The words of a command. `None` where something isn't understood, which has been noted then.
    pub(super) fn split(shell: &mut Shell, words: &[Word]) -> Option<Vec<Vec<u8>>> {
        let mut fields = Self::new(Mode::Split);
        for word in words {
            fields.word(shell, word)?;
            fields.done.extend(fields.current.take());
        }
        Some(fields.done)
    }

    /// One text: what is assigned.
    pub(super) fn plain(shell: &mut Shell, word: &Word) -> Option<Vec<u8>> {
        Self::one(shell, word, Mode::Plain)
    }

    /// One pattern.
    pub(super) fn pattern(shell: &mut Shell, word: &Word) -> Option<Vec<u8>> {
        Self::one(shell, word, Mode::Pattern)
    }

    const fn new(mode: Mode) -> Self {
        Self { mode, done: Vec::new(), current: None }
    }

    fn one(shell: &mut Shell, word: &Word, mode: Mode) -> Option<Vec<u8>> {
        let mut fields = Self::new(mode);
        fields.word(shell, word)?;
        Some(fields.current.unwrap_or_default())
    }

    fn word(&mut self, shell: &mut Shell, word: &Word) -> Option<()> {
        for (at, part) in word.iter().enumerate() {
            match part {
                Part::Text { bytes, is_quoted: false } if at == 0 && bytes.starts_with(b"~") => {
                    self.tilde(shell, bytes)?;
                }
                Part::Text { bytes, is_quoted } => self.text(bytes, *is_quoted),
                Part::Variable { name, change, is_quoted } => {
                    self.variable(shell, name, change.as_ref(), *is_quoted)?;
                }
                Part::Arithmetic { word, is_quoted } => {
                    let result = arithmetic_of(shell, word)?;
                    self.value(&result, *is_quoted);
                }
                Part::Command { text, is_quoted } => {
                    let output = output_of(shell, text)?;
                    self.value(&output, *is_quoted);
                }
            }
            if self.current.as_ref().is_some_and(|current| current.len() > LONGEST) {
                shell.problem("a value that is too long", false);
                return None;
            }
        }
        Some(())
    }

    /// Text that stands there.
    fn text(&mut self, bytes: &[u8], is_quoted: bool) {
        let current = self.current.get_or_insert_default();
        for byte in bytes {
            if self.mode == Mode::Pattern && is_quoted && b"*?[]\\!^-".contains(byte) {
                current.push(b'\\');
            }
            current.push(*byte);
        }
    }

    /// Text that a variable stands for.
    fn value(&mut self, bytes: &[u8], is_quoted: bool) {
        if self.mode != Mode::Split || is_quoted {
            return self.text(bytes, is_quoted);
        }
        for byte in bytes {
            if b" \t\n".contains(byte) {
                self.done.extend(self.current.take());
            } else {
                self.current.get_or_insert_default().push(*byte);
            }
        }
    }

    /// `~` and `~/…`: the user's directory.
    fn tilde(&mut self, shell: &mut Shell, bytes: &[u8]) -> Option<()> {
        let rest = bytes.strip_prefix(b"~").unwrap_or(bytes);
        let home = shell.value(b"HOME").map(<[u8]>::to_owned);
        match home {
            Some(home) if rest.is_empty() || rest.starts_with(b"/") => {
                self.text(&home, true);
                self.text(rest, false);
            }
            _ if rest.is_empty() || rest.starts_with(b"/") => self.text(bytes, false),
            _ => {
                shell.problem("a user's directory", false);
                return None;
            }
        }
        Some(())
    }

    fn variable(
        &mut self,
        shell: &mut Shell,
        name: &[u8],
        change: Option<&Change>,
        is_quoted: bool,
    ) -> Option<()> {
        let value = value_of(shell, name)?;
        let Some(Change { operator, word }) = change else {
            self.value(&value.unwrap_or_default(), is_quoted);
            return Some(());
        };
        // With a colon, an empty value is none.
        let filled = value.clone().filter(|value| !(operator.starts_with(':') && value.is_empty()));
        match (operator.trim_start_matches(':'), filled) {
            ("length", _) => {
                let length = value.unwrap_or_default().len();
                self.value(length.to_string().as_bytes(), is_quoted);
            }
            ("+", Some(_)) => self.alternative(shell, word)?,
            ("+", None) => {}
            ("-" | "=" | "?", Some(value)) => self.value(&value, is_quoted),
            ("-", None) => self.alternative(shell, word)?,
            ("=", None) => {
                let value = Self::plain(shell, word)?;
                shell.assign(name, value.clone());
                self.value(&value, is_quoted);
            }
            ("?", None) => {
                shell.problem("a variable that has to be set and isn't", false);
                return None;
            }
            (cut, _) => {
                let value = value.unwrap_or_default();
                let pattern = Self::pattern(shell, word)?;
                shell.afford(value.len() * value.len() * pattern.len())?;
                self.value(without(&value, cut, &pattern), is_quoted);
            }
        }
        if is_quoted {
            self.current.get_or_insert_default();
        }
        Some(())
    }

    /// The word that stands for a value: what is quoted in it isn't split.
    fn alternative(&mut self, shell: &mut Shell, word: &Word) -> Option<()> {
        for part in word {
            match part {
                // Unquoted text is split here, unlike where a word stands by itself.
                Part::Text { bytes, is_quoted } => self.value(bytes, *is_quoted),
                part => self.word(shell, &vec![part.clone()])?,
            }
        }
        Some(())
    }
}

/// The value of a name, where it has one. `None` where it is no variable's.
fn value_of(shell: &mut Shell, name: &[u8]) -> Option<Option<Vec<u8>>> {
    match name {
        b"?" => Some(Some(if shell.status() { b"0".to_vec() } else { b"1".to_vec() })),
        [first, ..] if !first.is_ascii_alphabetic() && *first != b'_' => {
            shell.problem("a parameter that only a shell has", false);
            None
        }
        name => Some(shell.value(name).map(<[u8]>::to_owned)),
    }
}

/// A value without the shortest or the longest part at its front or its end that a pattern matches.
fn without<'a>(value: &'a [u8], cut: &str, pattern: &[u8]) -> &'a [u8] {
    let is_front = cut.starts_with('#');
    let is_cut = |at: usize| {
        let (front, end) = value.split_at_checked(at)?;
        let (part, rest) = if is_front { (front, end) } else { (end, front) };
        matches(pattern, part).then_some(rest)
    };
    let mut places = 0..=value.len();
    // The shortest front and the longest end are found from the left.
    let found = if matches!(cut, "#" | "%%") {
        places.find_map(is_cut)
    } else {
        places.rev().find_map(is_cut)
    };
    found.unwrap_or(value)
}

/// What an arithmetic expression comes to.
fn arithmetic_of(shell: &mut Shell, word: &Word) -> Option<Vec<u8>> {
    let text = Fields::plain(shell, word)?;
    // Shells take a name without a value for 0.
    let value = |name: &str| match shell.value(name.as_bytes()) {
        None | Some(b"") => Some(0),
        Some(value) => arithmetic::parse_number(std::str::from_utf8(value).ok()?),
    };
    let text = String::from_utf8_lossy(&text);
    let result = arithmetic::evaluate(&text, &value);
    if result.is_none() {
        shell.problem("an arithmetic expression of an unknown form", false);
    }
    result.map(|number| number.to_string().into_bytes())
}
