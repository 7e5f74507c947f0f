// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The grammar of extended regular expressions with GNU's additions, and where GNU grep 3 takes what POSIX
//! leaves open: an operator with nothing before it repeats nothing, a closing parenthesis too many and a
//! brace that begins no interval are themselves, an anchor is one wherever it stands.

use super::bracket::{self, Set, is_space, is_word};

/// How deep parentheses may be.
const DEEPEST: u32 = 60;

/// How often something may be repeated (RE_DUP_MAX of glibc).
const MOST: u32 = 32_767;

/// The most places that an expression may have when its intervals are written out.
const LARGEST: u64 = 20_000;

/// An expression for the engines.
#[derive(Debug)]
pub(super) struct Translated {
    /// As they write it.
    pub(super) pattern: String,
    /// Whether it takes one that knows them.
    pub(super) has_back_references: bool,
}

/// A part of an expression.
#[derive(Default)]
struct Part {
    pattern: String,
    /// How many places it has when its intervals are written out.
    size: u64,
    /// Whether it only says where it stands; engines repeat no such thing.
    is_place: bool,
}

/// How often a part may be there.
struct Times {
    least: u32,
    most: Option<u32>,
}

struct Parser<'a> {
    rest: &'a [u8],
    depth: u32,
    /// How many groups have begun.
    groups: usize,
    /// Which have ended, where a back-reference may mean them.
    complete: Vec<usize>,
    has_back_references: bool,
}

/// Translates an expression.
///
/// # Errors
/// What is wrong with it, to stand behind `x is no expression`.
pub(super) fn translate(text: &[u8]) -> Result<Translated, String> {
    let mut parser = Parser {
        rest: text,
        depth: 0,
        groups: 0,
        complete: Vec::new(),
        has_back_references: false,
    };
    let whole = parser.alternatives()?;
    Ok(Translated { pattern: whole.pattern, has_back_references: parser.has_back_references })
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// Branches with `|` between them. What ended in one branch is unknown to the others.
    fn alternatives(&mut self) -> Result<Part, String> {
        let before = self.complete.clone();
        let mut whole = self.branch()?;
        let mut complete = self.complete.clone();
        while self.rest.first() == Some(&b'|') {
            self.next();
            self.complete.clone_from(&before);
            let branch = self.branch()?;
            complete.extend_from_slice(&self.complete);
            whole.pattern.push('|');
            whole.pattern.push_str(&branch.pattern);
            whole.size = small(whole.size + branch.size)?;
        }
        self.complete = complete;
        Ok(whole)
    }

    fn branch(&mut self) -> Result<Part, String> {
        let mut whole = Part::default();
        loop {
            match self.rest.first() {
                None | Some(b'|') => return Ok(whole),
                Some(b')') if self.depth > 0 => return Ok(whole),
                Some(_) => {
                    let piece = self.piece()?;
                    whole.pattern.push_str(&piece.pattern);
                    whole.size = small(whole.size + piece.size)?;
                }
            }
        }
    }

    /// An atom and what repeats it.
    fn piece(&mut self) -> Result<Part, String> {
        let mut part = self.atom()?;
        while let Some(times) = self.repetition()? {
            part.repeat(&times)?;
        }
        Ok(part)
    }

    fn repetition(&mut self) -> Result<Option<Times>, String> {
        let times = match self.rest.first() {
            Some(b'*') => Times { least: 0, most: None },
            Some(b'+') => Times { least: 1, most: None },
            Some(b'?') => Times { least: 0, most: Some(1) },
            Some(b'{') => return self.interval(),
            _ => return Ok(None),
        };
        self.next();
        Ok(Some(times))
    }

    /// `{M}`, `{M,}`, `{,N}`, `{,}`, `{M,N}`. What holds anything else than digits and a comma is text.
    fn interval(&mut self) -> Result<Option<Times>, String> {
        let end = self.rest.iter().position(|byte| *byte == b'}');
        let Some(inside) = end.and_then(|end| self.rest.get(1..end)) else { return Ok(None) };
        if !inside.iter().all(|byte| byte.is_ascii_digit() || *byte == b',') {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(inside);
        let (least, most) = text.split_once(',').unwrap_or((&text, &text));
        if text.is_empty() || most.contains(',') {
            return Err("braces hold no interval: write {M}, {M,} or {M,N}".to_owned());
        }
        let number = |text: &str| match text {
            "" => Ok(None),
            text => match text.parse() {
                Ok(number) if number <= MOST => Ok(Some(number)),
                _ => Err(format!("something is repeated more often than {MOST} times")),
            },
        };
        let (least, most) = (number(least)?.unwrap_or(0), number(most)?);
        if most.is_some_and(|most| most < least) {
            return Err("an interval in braces ends before it begins".to_owned());
        }
        self.rest = end.and_then(|end| self.rest.get(end + 1..)).unwrap_or_default();
        Ok(Some(Times { least, most }))
    }

    fn atom(&mut self) -> Result<Part, String> {
        if self.repeats_nothing()? {
            return Ok(Part { is_place: true, ..Part::default() });
        }
        let is_place = matches!(
            self.rest,
            [b'^' | b'$', ..] | [b'\\', b'<' | b'>' | b'b' | b'B' | b'`' | b'\'', ..]
        );
        let mut pattern = String::new();
        match self.next() {
            Some(b'(') => return self.group(),
            Some(b'[') => {
                let (set, rest) = bracket::parse(self.rest)?;
                self.rest = rest;
                set.write(&mut pattern);
            }
            Some(b'.') => Set::of(|_| false).inverted().write(&mut pattern),
            Some(b'^') => pattern.push_str("(?m:^)"),
            Some(b'$') => pattern.push_str("(?m:$)"),
            Some(b'\\') => self.escape(&mut pattern)?,
            Some(byte) => literal(byte, &mut pattern),
            None => {}
        }
        Ok(Part { pattern, size: 1, is_place })
    }

    /// Whether an operator stands where an atom is due. Braces that hold no interval are text there.
    fn repeats_nothing(&self) -> Result<bool, String> {
        let mut ahead = Parser { rest: self.rest, complete: Vec::new(), ..*self };
        let repeats = matches!(ahead.repetition(), Ok(Some(_)));
        let is_operator = |byte: &u8| matches!(byte, b'*' | b'+' | b'?');
        let behind = self.rest.iter().find(|byte| !is_operator(byte));
        if repeats && self.depth > 0 && self.rest.first() != Some(&b'{') && behind == Some(&b')') {
            // To grep, that parenthesis closes nothing either.
            return Err("in parentheses an operator has nothing to repeat".to_owned());
        }
        Ok(repeats)
    }

    fn group(&mut self) -> Result<Part, String> {
        self.depth += 1;
        self.groups += 1;
        let number = self.groups;
        if self.depth > DEEPEST {
            return Err(format!("its parentheses are deeper than {DEEPEST}"));
        }
        let inner = self.alternatives()?;
        if self.next() != Some(b')') {
            return Err("a parenthesis ( is not closed".to_owned());
        }
        self.depth -= 1;
        self.complete.push(number);
        Ok(Part { pattern: format!("({})", inner.pattern), size: inner.size + 1, is_place: false })
    }

    fn escape(&mut self, pattern: &mut String) -> Result<(), String> {
        match self.next() {
            None => return Err("it ends with a backslash".to_owned()),
            Some(b'<') => pattern.push_str(r"\b{start}"),
            Some(b'>') => pattern.push_str(r"\b{end}"),
            Some(b'b') => pattern.push_str(r"\b"),
            Some(b'B') => pattern.push_str(r"\B"),
            Some(b'`') => pattern.push_str("(?m:^)"),
            Some(b'\'') => pattern.push_str("(?m:$)"),
            Some(b'w') => Set::of(is_word).write(pattern),
            Some(b'W') => Set::of(is_word).inverted().write(pattern),
            Some(b's') => Set::of(is_space).write(pattern),
            Some(b'S') => Set::of(is_space).inverted().write(pattern),
            Some(digit @ b'1'..=b'9') => {
                let number = usize::from(digit - b'0');
                if !self.complete.contains(&number) {
                    return Err(format!(r"\{number} means no group before it"));
                }
                self.has_back_references = true;
                // A digit may follow that isn't of it.
                pattern.push_str(&format!(r"(?:\{number})"));
            }
            Some(byte) => literal(byte, pattern),
        }
        Ok(())
    }
}

impl Part {
    /// An engine would take a second operator for a hint, so each gets a group of its own.
    fn repeat(&mut self, times: &Times) -> Result<(), String> {
        let copies = u64::from(times.most.unwrap_or(times.least).max(1));
        self.size = small(self.size * copies)?;
        if self.is_place {
            if times.least == 0 {
                self.pattern.clear();
            }
            return Ok(());
        }
        let operator = match (times.least, times.most) {
            (0, None) => "*".to_owned(),
            (1, None) => "+".to_owned(),
            (0, Some(1)) => "?".to_owned(),
            (least, None) => format!("{{{least},}}"),
            (least, Some(most)) => format!("{{{least},{most}}}"),
        };
        self.pattern = format!("(?:{}){operator}", self.pattern);
        Ok(())
    }
}

fn literal(byte: u8, pattern: &mut String) {
    match byte.to_ascii_lowercase() {
        // No line has one.
        b'\n' | 0 => Set::of(|_| false).write(pattern),
        byte => bracket::write_byte(byte, pattern),
    }
}

fn small(size: u64) -> Result<u64, String> {
    Some(size).filter(|size| *size <= LARGEST).ok_or_else(|| "it is too large".to_owned())
}
