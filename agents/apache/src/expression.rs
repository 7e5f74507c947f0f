// SPDX-License-Identifier: Apache-2.0 OR MIT
//! An extended regular expression as GNU grep -Ei reads it in the C locale, for a maintained engine.

use ocf::{Error, Result};
use regex::bytes::{Regex, RegexBuilder};

/// An expression that some line of a page has to match.
#[derive(Debug)]
pub(crate) struct Expression {
    name: String,
    engine: Regex,
}

impl Expression {
    /// The expression of a text; `name` is where it stands.
    ///
    /// # Errors
    /// `configured` (6): it is none, or one that isn't supported.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self> {
        let engine = RegexBuilder::new(text).unicode(false).case_insensitive(true).build();
        let engine = engine.map_err(|_| Error::configured(format!("{name} is no expression")))?;
        Ok(Self { name: name.to_owned(), engine })
    }

    /// Where it stands.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether some line of a page matches.
    ///
    /// # Errors
    /// `generic` (1): it takes too long to tell.
    pub(crate) fn matches(&self, page: &[u8]) -> Result<bool> {
        Ok(page.split(|byte| matches!(byte, b'\n' | 0)).any(|line| self.engine.is_match(line)))
    }
}
