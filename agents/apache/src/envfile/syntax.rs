// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The commands of shell text.

mod compound;

use super::word::{Part, Scanner, Token, Word, plain};

/// The bound on what stands inside one another.
const DEEPEST: usize = 32;

/// Commands, one after another.
pub(super) type List = Vec<Item>;

/// When a command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Always,
    /// Behind `&&`.
    AfterSuccess,
    /// Behind `||`.
    AfterFailure,
}

/// A command in its list.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) line: usize,
    pub(super) when: When,
    /// Behind `!`.
    pub(super) is_negated: bool,
    pub(super) command: Command,
}

/// A command.
#[derive(Debug)]
pub(super) enum Command {
    Simple(Vec<Word>),
    If {
        branches: Vec<(List, List)>,
        otherwise: List,
    },
    Case {
        word: Word,
        arms: Vec<(Vec<Word>, List)>,
    },
    Group(List),
    For {
        name: Vec<u8>,
        words: Vec<Word>,
        body: List,
    },
    /// `[[ … ]]`.
    Extended(Vec<Bit>),
    /// A function: nothing happens until it is called.
    Definition,
    /// What isn't read here, and its name.
    Foreign(&'static str),
}

/// A part of `[[ … ]]`.
#[derive(Debug)]
pub(super) enum Bit {
    Word(Word),
    Operator(&'static str),
}

/// What isn't understood, and its line.
pub(super) type Fault = (usize, &'static str);

/// Reads a text. At a fault, what stands before it is returned with it.
pub(super) fn parse(text: &[u8]) -> (List, Option<Fault>) {
    let mut parser = Parser { scanner: Scanner::new(text), next: None, line: 1, depth: 0 };
    let mut list = List::new();
    let fault = parser.advance().and_then(|()| parser.list(&mut list, &[]));
    let fault = fault.err().or_else(|| {
        parser.next.is_some().then_some((parser.line, "a word that doesn't belong there"))
    });
    (list, fault)
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    next: Option<Token>,
    /// Of the next token.
    line: usize,
    depth: usize,
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<(), Fault> {
        // A token's line is the one that it begins in, unless blank lines stand before it.
        let token = self.scanner.token().map_err(|what| (self.scanner.line, what))?;
        let newlines = usize::from(token == Some(Token::Operator("\n")));
        self.line = self.scanner.line - newlines;
        self.next = token;
        Ok(())
    }

    fn is_next(&self, operator: &str) -> bool {
        matches!(&self.next, Some(Token::Operator(next)) if *next == operator)
    }

    /// The next token, where it is a keyword or could be one.
    fn keyword(&self) -> &[u8] {
        match &self.next {
            Some(Token::Word(word)) => plain(word).unwrap_or_default(),
            _ => b"",
        }
    }

    fn expect_keyword(
        &mut self,
        keyword: &'static str,
        missing: &'static str,
    ) -> Result<(), Fault> {
        if self.keyword() == keyword.as_bytes() {
            return self.advance();
        }
        Err((self.line, missing))
    }

    fn skip_newlines(&mut self) -> Result<(), Fault> {
        while self.is_next("\n") {
            self.advance()?;
        }
        Ok(())
    }

    /// Commands up to one of the words, `)` or `;;`.
    fn list(&mut self, list: &mut List, ends: &[&str]) -> Result<(), Fault> {
        let mut when = When::Always;
        loop {
            while self.is_next("\n") || when == When::Always && self.is_next(";") {
                self.advance()?;
            }
            let is_end = ends.iter().any(|end| self.keyword() == end.as_bytes());
            if self.next.is_none() || self.is_next(")") || self.is_next(";;") || is_end {
                return Ok(());
            }
            let mut item = self.pipeline(when)?;
            when = When::Always;
            match &self.next {
                Some(Token::Operator("&&")) => when = When::AfterSuccess,
                Some(Token::Operator("||")) => when = When::AfterFailure,
                Some(Token::Operator("&")) => {
                    item.command = Command::Foreign("a command in the background");
                }
                Some(Token::Operator("\n" | ";")) | None => {}
                Some(Token::Operator(")" | ";;")) => {
                    list.push(item);
                    return Ok(());
                }
                Some(_) => return Err((self.line, "a word that doesn't belong there")),
            }
            list.push(item);
            if self.next.is_some() {
                self.advance()?;
            }
        }
    }

    fn pipeline(&mut self, when: When) -> Result<Item, Fault> {
        let line = self.line;
        let is_negated = self.keyword() == b"!";
        if is_negated {
            self.advance()?;
        }
        let mut command = self.command()?;
        while self.is_next("|") {
            self.advance()?;
            self.skip_newlines()?;
            self.command()?;
            command = Command::Foreign("a pipe");
        }
        Ok(Item { line, when, is_negated, command })
    }

    fn command(&mut self) -> Result<Command, Fault> {
        if self.depth >= DEEPEST {
            return Err((self.line, "too much inside one another"));
        }
        self.depth += 1;
        let command = match self.keyword() {
            b"if" => self.conditional(),
            b"case" => self.case(),
            b"while" | b"until" => self.condition_loop(),
            b"for" => self.word_loop(),
            b"{" => self.group(),
            b"[[" => self.extended(),
            b"then" | b"else" | b"elif" | b"fi" | b"do" | b"done" | b"esac" | b"}" => {
                Err((self.line, "a word that doesn't belong there"))
            }
            _ if self.is_next("(") => {
                self.advance()?;
                self.list(&mut List::new(), &[])?;
                self.close_parenthesis()?;
                Ok(Command::Foreign("a subshell"))
            }
            _ => return self.simple(),
        };
        let is_compound = command?;
        while let Some(Token::Operator("<" | ">" | ">>" | ">&" | "<&" | ">|" | "<>")) = &self.next {
            self.redirection()?;
        }
        self.depth -= 1;
        Ok(is_compound)
    }

    fn close_parenthesis(&mut self) -> Result<(), Fault> {
        if self.is_next(")") {
            return self.advance();
        }
        Err((self.line, "a ( that isn't closed"))
    }

    fn conditional(&mut self) -> Result<Command, Fault> {
        let mut branches = Vec::new();
        let mut otherwise = List::new();
        loop {
            self.advance()?;
            let (mut test, mut then) = (List::new(), List::new());
            self.list(&mut test, &["then"])?;
            self.expect_keyword("then", "an if without then")?;
            self.list(&mut then, &["elif", "else", "fi"])?;
            branches.push((test, then));
            if self.keyword() != b"elif" {
                break;
            }
        }
        if self.keyword() == b"else" {
            self.advance()?;
            self.list(&mut otherwise, &["fi"])?;
        }
        self.expect_keyword("fi", "an if without fi")?;
        Ok(Command::If { branches, otherwise })
    }

    fn case(&mut self) -> Result<Command, Fault> {
        const STRANGE: &str = "a case of an unknown form";
        self.advance()?;
        let Some(Token::Word(word)) = self.next.take() else { return Err((self.line, STRANGE)) };
        self.advance()?;
        self.skip_newlines()?;
        self.expect_keyword("in", STRANGE)?;
        let mut arms = Vec::new();
        loop {
            self.skip_newlines()?;
            if self.keyword() == b"esac" {
                self.advance()?;
                return Ok(Command::Case { word, arms });
            }
            if self.is_next("(") {
                self.advance()?;
            }
            let mut patterns = Vec::new();
            loop {
                let Some(Token::Word(pattern)) = self.next.take() else {
                    return Err((self.line, STRANGE));
                };
                patterns.push(pattern);
                self.advance()?;
                if !self.is_next("|") {
                    break;
                }
                self.advance()?;
            }
            self.close_parenthesis()?;
            let mut list = List::new();
            self.list(&mut list, &["esac"])?;
            arms.push((patterns, list));
            if self.is_next(";;") {
                self.advance()?;
            }
        }
    }

    fn group(&mut self) -> Result<Command, Fault> {
        self.advance()?;
        let mut list = List::new();
        self.list(&mut list, &["}"])?;
        self.expect_keyword("}", "a { that isn't closed")?;
        Ok(Command::Group(list))
    }

    fn simple(&mut self) -> Result<Command, Fault> {
        let mut words: Vec<Word> = Vec::new();
        loop {
            match &self.next {
                Some(Token::Word(word)) => {
                    words.push(word.clone());
                    self.advance()?;
                }
                Some(Token::Operator("<<" | "<<-")) => {
                    return Err((self.line, "a here-document"));
                }
                Some(Token::Operator("<" | ">" | ">>" | ">&" | "<&" | ">|" | "<>")) => {
                    // `2>`: a number right before it is no word; what is a blank away is taken for one,
                    // too, and no command that is understood here has a number for its last word.
                    if words.last().and_then(plain).is_some_and(is_number) {
                        words.pop();
                    }
                    self.redirection()?;
                }
                Some(Token::Operator("(")) if words.len() == 1 => return self.function(),
                _ => break,
            }
        }
        self.depth -= 1;
        Ok(Command::Simple(words))
    }

    fn redirection(&mut self) -> Result<(), Fault> {
        self.advance()?;
        match self.next {
            Some(Token::Word(_)) => self.advance(),
            _ => Err((self.line, "a redirection to nowhere")),
        }
    }

    fn function(&mut self) -> Result<Command, Fault> {
        self.advance()?;
        self.close_parenthesis()?;
        self.skip_newlines()?;
        self.command()?;
        self.depth -= 1;
        Ok(Command::Definition)
    }
}

fn is_number(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(u8::is_ascii_digit)
}

/// The name and the value, where a word assigns one.
pub(super) fn assignment(word: &Word) -> Option<(Vec<u8>, Word)> {
    let (first, rest) = word.split_first()?;
    let Part::Text { bytes, is_quoted: false } = first else { return None };
    let equals = bytes.iter().position(|byte| *byte == b'=')?;
    let (name, value) = bytes.split_at(equals);
    if !is_name(name) {
        return None;
    }
    let value = value.strip_prefix(b"=").unwrap_or_default().to_owned();
    let mut parts = vec![Part::Text { bytes: value, is_quoted: false }];
    parts.extend(rest.iter().cloned());
    Some((name.to_owned(), parts))
}

/// Whether a variable may be called so.
pub(super) fn is_name(name: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    name.first().is_some_and(is_letter)
        && name.iter().all(|byte| is_letter(byte) || byte.is_ascii_digit())
}
