// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Loops, and `[[ … ]]`.

use super::super::word::{Part, Token, Word, plain};
use super::{Bit, Command, Fault, List, Parser, is_name};

impl Parser<'_> {
    pub(super) fn condition_loop(&mut self) -> Result<Command, Fault> {
        self.advance()?;
        self.list(&mut List::new(), &["do"])?;
        self.loop_body()?;
        Ok(Command::Foreign("a loop"))
    }

    /// `for NAME in WORD…; do …; done`.
    pub(super) fn word_loop(&mut self) -> Result<Command, Fault> {
        const STRANGE: &str = "a loop of an unknown form";
        self.advance()?;
        let name = self.keyword().to_owned();
        if !is_name(&name) {
            return Err((self.line, STRANGE));
        }
        self.advance()?;
        self.skip_newlines()?;
        let mut words: Vec<Word> = Vec::new();
        if self.keyword() == b"in" {
            self.advance()?;
            while let Some(Token::Word(word)) = &self.next {
                words.push(word.clone());
                self.advance()?;
            }
        }
        if self.is_next(";") {
            self.advance()?;
        }
        self.skip_newlines()?;
        let body = self.loop_body()?;
        let is_pattern = |part: &Part| match part {
            Part::Text { bytes, is_quoted } => {
                !is_quoted && bytes.iter().any(|byte| b"*?[".contains(byte))
            }
            _ => false,
        };
        if words.iter().flatten().any(is_pattern) {
            return Ok(Command::Foreign("a loop over a pattern's files"));
        }
        Ok(Command::For { name, words, body })
    }

    fn loop_body(&mut self) -> Result<List, Fault> {
        let mut body = List::new();
        self.expect_keyword("do", "a loop without do")?;
        self.list(&mut body, &["done"])?;
        self.expect_keyword("done", "a loop without done")?;
        Ok(body)
    }

    /// `[[ … ]]`.
    pub(super) fn extended(&mut self) -> Result<Command, Fault> {
        self.advance()?;
        let mut bits = Vec::new();
        loop {
            match self.next.take() {
                Some(Token::Word(word)) if plain(&word) == Some(b"]]") => {
                    self.advance()?;
                    return Ok(Command::Extended(bits));
                }
                Some(Token::Word(word)) => bits.push(Bit::Word(word)),
                Some(Token::Operator("\n")) => {}
                Some(Token::Operator(operator)) => bits.push(Bit::Operator(operator)),
                None => return Err((self.line, "a [[ that isn't closed")),
            }
            self.advance()?;
        }
    }
}
