// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `[[ … ]]`: its simple forms. Words in it aren't split, and what stands behind `==` is a pattern.

use super::condition;
use super::expansion::Fields;
use super::shell::Shell;
use super::syntax::Bit;
use super::word::{Word, plain};
use crate::pattern::matches;

/// The bound on what stands inside one another.
const DEEPEST: usize = 32;

/// Whether it holds; `None` where it isn't understood.
pub(super) fn holds(shell: &mut Shell, bits: &[Bit]) -> Option<bool> {
    let mut reader = Reader { shell, rest: bits, depth: 0 };
    let holds = reader.any()?;
    reader.rest.is_empty().then_some(holds)
}

struct Reader<'a, 'b> {
    shell: &'a mut Shell,
    rest: &'b [Bit],
    depth: usize,
}

impl Reader<'_, '_> {
    fn take(&mut self, operator: &str) -> bool {
        let Some((Bit::Operator(first), rest)) = self.rest.split_first() else { return false };
        if *first == operator {
            self.rest = rest;
        }
        *first == operator
    }

    fn word(&mut self) -> Option<Word> {
        let (Bit::Word(word), rest) = self.rest.split_first()? else { return None };
        self.rest = rest;
        Some(word.clone())
    }

    fn any(&mut self) -> Option<bool> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut holds = self.all()?;
        while self.take("||") {
            holds |= self.all()?;
        }
        self.depth -= 1;
        Some(holds)
    }

    fn all(&mut self) -> Option<bool> {
        let mut holds = self.single()?;
        while self.take("&&") {
            holds &= self.single()?;
        }
        Some(holds)
    }

    fn single(&mut self) -> Option<bool> {
        if self.take("(") {
            let holds = self.any()?;
            return self.take(")").then_some(holds);
        }
        let first = self.word()?;
        if plain(&first) == Some(b"!") {
            self.depth += 1;
            let holds = if self.depth > DEEPEST { None } else { self.single() };
            self.depth -= 1;
            return Some(!holds?);
        }
        match self.rest.first() {
            Some(Bit::Word(second)) => {
                let second = second.clone();
                self.rest = self.rest.get(1..).unwrap_or_default();
                self.compared(&first, &second)
            }
            // Their order depends on the language, which a server's variables shouldn't.
            Some(Bit::Operator("<" | ">")) => None,
            _ => Some(!Fields::plain(self.shell, &first)?.is_empty()),
        }
    }

    /// `-x word`, or a word, an operator and a word.
    fn compared(&mut self, first: &Word, second: &Word) -> Option<bool> {
        let is_operator = plain(first).is_some_and(|word| word.starts_with(b"-"));
        if is_operator && !matches!(self.rest.first(), Some(Bit::Word(_))) {
            let word = Fields::plain(self.shell, second)?;
            return condition::unary(plain(first)?, &word);
        }
        let operator = plain(second)?;
        let third = self.word()?;
        let left = Fields::plain(self.shell, first)?;
        match operator {
            b"=" | b"==" | b"!=" => {
                let pattern = Fields::pattern(self.shell, &third)?;
                self.shell.afford(left.len() * pattern.len())?;
                Some(matches(&pattern, &left) == (operator != b"!="))
            }
            operator if condition::is_numeric(operator) => {
                let right = Fields::plain(self.shell, &third)?;
                condition::binary(&left, operator, &right)
            }
            _ => None,
        }
    }
}
