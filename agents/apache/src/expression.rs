// SPDX-License-Identifier: Apache-2.0 OR MIT
//! An extended regular expression as GNU grep -Ei reads it in the C locale, given to an engine that others
//! maintain. Without back-references its time is bounded by the page's length; with them it goes back and
//! forth, and gives up after so many steps.
//!
//! Case doesn't count: page and expression are folded to lower case before they meet.

mod bracket;
mod grammar;
#[cfg(test)]
mod tests;

use fancy_regex::{BytesMode, CompileError, Regex, RegexBuilder};
use ocf::{Error, Result};

/// The longest expression, in bytes: longer ones are files that somebody mistook for one.
const LONGEST: usize = 4096;

/// The most that a compiled expression may take, in bytes, and in steps of a program.
const LARGEST: usize = 4 * 1024 * 1024;

/// The most often that one line's search may go back.
const STEPS: usize = 200_000;

/// How much of a page each expression with back-references is searched for in, in bytes.
const PATIENCE: usize = 256 * 1024;

/// An expression that some line of a page has to match.
#[derive(Debug)]
pub(crate) struct Expression {
    name: String,
    engines: Vec<Engine>,
}

#[derive(Debug)]
struct Engine {
    regex: Regex,
    has_back_references: bool,
}

impl Expression {
    /// The expression of a text; `name` is where it stands. Each line of it is one, as to grep.
    ///
    /// # Errors
    /// `configured` (6): it is none, or one that isn't supported.
    pub(crate) fn parse(name: &str, text: impl AsRef<[u8]>) -> Result<Self> {
        let text = text.as_ref();
        let wrong = |why: String| Error::configured(format!("{name} is no expression: {why}"));
        if text.len() > LONGEST {
            return Err(wrong(format!("it is longer than {LONGEST} bytes")));
        }
        let engines: Result<_, String> =
            text.split(|byte| *byte == b'\n').map(Engine::of).collect();
        Ok(Self { name: name.to_owned(), engines: engines.map_err(wrong)? })
    }

    /// Where it stands.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether some line of a page matches. Like grep, it takes a NUL for the end of a line.
    ///
    /// # Errors
    /// `generic` (1): it takes too long to tell.
    pub(crate) fn matches(&self, page: &[u8]) -> Result<bool> {
        if page.is_empty() {
            return Ok(false);
        }
        let fold = |byte: &u8| if *byte == 0 { b'\n' } else { byte.to_ascii_lowercase() };
        let page: Vec<u8> = page.strip_suffix(b"\n").unwrap_or(page).iter().map(fold).collect();
        for engine in &self.engines {
            if engine.is_match(&page).ok_or_else(|| self.too_long())? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn too_long(&self) -> Error {
        let name = &self.name;
        Error::generic(format!("{name} takes too long to match: write it without back-references"))
    }
}

impl Engine {
    fn of(text: &[u8]) -> Result<Self, String> {
        let translated = grammar::translate(text)?;
        let built = RegexBuilder::new(&translated.pattern)
            .bytes_mode(BytesMode::Ascii)
            .backtrack_limit(STEPS)
            .delegate_size_limit(LARGEST)
            .max_prog_size(LARGEST)
            .build();
        let regex = built.map_err(|error| match error {
            fancy_regex::Error::ParseError(..) => "it is nested too deeply".to_owned(),
            fancy_regex::Error::CompileError(error) => match *error {
                CompileError::InnerError(_) => "it is too large".to_owned(),
                _ => "its back-references are not supported".to_owned(),
            },
            _ => "it is not supported".to_owned(),
        })?;
        Ok(Self { regex, has_back_references: translated.has_back_references })
    }

    /// None when that can't be told in reasonable time. No part of an expression matches a newline, so a page
    /// is searched at once, which is far quicker; line by line only where an engine goes back and forth.
    fn is_match(&self, page: &[u8]) -> Option<bool> {
        if !self.has_back_references {
            return self.regex.is_match(page).ok();
        }
        let mut patience = PATIENCE;
        for line in page.split(|byte| *byte == b'\n') {
            patience = patience.checked_sub(line.len() + 1)?;
            if self.regex.is_match(line).ok()? {
                return Some(true);
            }
        }
        Some(false)
    }
}
