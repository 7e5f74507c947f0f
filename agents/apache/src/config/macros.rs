// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Macros of a configuration: text that is written once and used with other words.

use super::line::trim;
use std::collections::{BTreeMap, BTreeSet};

/// How long a macro's text may become by its words.
const LONGEST: usize = 1 << 20;

/// How often all uses together may compare: a fraction of a second's worth. The server has no such bound.
const MOST_STEPS: usize = 20_000_000;

/// Macros, by their names in lower case.
#[derive(Debug, Default)]
pub(super) struct Macros {
    known: BTreeMap<Vec<u8>, Macro>,
    /// The one that is being read.
    open: Option<(Vec<u8>, Macro)>,
    /// How often has been compared.
    steps: usize,
}

#[derive(Debug, Default)]
struct Macro {
    parameters: Vec<Vec<u8>>,
    text: Vec<u8>,
}

impl Macros {
    /// `<Macro name parameter…>`.
    pub(super) fn begin(&mut self, words: &[Vec<u8>]) {
        let (name, parameters) = match words.split_first() {
            Some((name, parameters)) => (name.to_ascii_lowercase(), parameters.to_vec()),
            None => (Vec::new(), Vec::new()),
        };
        self.open = Some((name, Macro { parameters, text: Vec::new() }));
    }

    /// Whether the line belongs to the macro that is being read; its end does, too.
    pub(super) fn takes(&mut self, line: &[u8]) -> bool {
        let Some((_, body)) = &mut self.open else { return false };
        let is_end = |line: &[u8]| {
            let name = line.split(|byte| *byte == b'>').next().unwrap_or_default();
            trim(name).eq_ignore_ascii_case(b"</macro")
        };
        if is_end(line) {
            self.known.extend(self.open.take());
        } else {
            body.text.extend_from_slice(line);
            body.text.push(b'\n');
        }
        true
    }

    /// The file is over, and with it a macro that isn't closed.
    pub(super) fn end(&mut self) {
        self.open = None;
    }

    /// `Use name word…`: the text with the words in it; `None` where that is too much.
    pub(super) fn text(&mut self, words: &[Vec<u8>]) -> Option<Vec<u8>> {
        let (name, words) = words.split_first()?;
        let Macro { parameters, text } = self.known.get(&name.to_ascii_lowercase())?;
        let pairs = parameters.iter().zip(words).filter(|(parameter, _)| !parameter.is_empty());
        let mut pairs: Vec<(&Vec<u8>, &Vec<u8>)> = pairs.collect();
        // A parameter may begin like another one.
        pairs.sort_by_key(|(parameter, _)| std::cmp::Reverse(parameter.len()));
        let firsts: BTreeSet<u8> =
            pairs.iter().filter_map(|(parameter, _)| parameter.first().copied()).collect();
        self.steps += pairs.len();
        let mut out = Vec::new();
        let mut rest = text.as_slice();
        while let Some((byte, behind)) = rest.split_first() {
            let is_begun = firsts.contains(byte);
            let fitting = pairs.iter().filter(|_| is_begun).find(|(parameter, _)| {
                self.steps += 1;
                rest.starts_with(parameter)
            });
            match fitting {
                Some((parameter, word)) => {
                    out.extend_from_slice(word);
                    rest = rest.get(parameter.len()..).unwrap_or_default();
                }
                None => {
                    out.push(*byte);
                    rest = behind;
                }
            }
            if out.len() > LONGEST || self.steps > MOST_STEPS {
                return None;
            }
        }
        Some(out)
    }
}
