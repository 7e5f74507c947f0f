// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Words and operators of shell text, with what is quoted and what is to be put in.

/// The bound on what stands inside one another.
const DEEPEST: usize = 32;

/// A word's parts, in order.
pub(super) type Word = Vec<Part>;

/// A part of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Text; quoted, it is neither split nor a pattern.
    Text { bytes: Vec<u8>, is_quoted: bool },
    /// `$NAME`, `${NAME}`, `${NAME:-word}`.
    Variable { name: Vec<u8>, change: Option<Change>, is_quoted: bool },
    /// `$((…))`, and the text of it.
    Arithmetic { word: Word, is_quoted: bool },
    /// `$(command)` or the same in backquotes.
    Command { text: Vec<u8>, is_quoted: bool },
}

/// What becomes of a variable's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// `:-`, `-`, `:=`, `=`, `:+`, `+`, `:?`, `?`, `#`, `##`, `%`, `%%`, or `length`.
    pub(super) operator: &'static str,
    pub(super) word: Word,
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Word(Word),
    /// `;`, `&&`, `|`, `(`, a newline and so on.
    Operator(&'static str),
}

const OPERATORS: &[&str] = &[
    "\n", "&&", "&", "||", "|", ";;", ";", "(", ")", "<<-", "<<", "<&", "<>", "<", ">>", ">&",
    ">|", ">",
];

const CHANGES: &[&str] = &[":-", "-", ":=", "=", ":+", "+", ":?", "?", "##", "#", "%%", "%"];

/// Takes tokens off a text.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    rest: &'a [u8],
    /// The line it is in, from 1 on.
    pub(super) line: usize,
    depth: usize,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { rest: text, line: 1, depth: 0 }
    }

    /// The next token; `None` at the end.
    ///
    /// # Errors
    /// What isn't closed.
    pub(super) fn token(&mut self) -> Result<Option<Token>, &'static str> {
        loop {
            match self.rest.first() {
                None => return Ok(None),
                Some(b' ' | b'\t') => self.skip(1),
                Some(b'#') => {
                    let end = self.rest.iter().position(|byte| *byte == b'\n');
                    self.skip(end.unwrap_or(self.rest.len()));
                }
                Some(b'\\') if self.rest.starts_with(b"\\\n") => self.skip(2),
                Some(_) => break,
            }
        }
        let operator = OPERATORS.iter().find(|operator| self.rest.starts_with(operator.as_bytes()));
        if let Some(operator) = operator {
            self.skip(operator.len());
            return Ok(Some(Token::Operator(operator)));
        }
        Ok(Some(Token::Word(self.word(b" \t\n;&|()<>", false)?)))
    }

    fn skip(&mut self, count: usize) {
        let (skipped, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.line += skipped.iter().filter(|byte| **byte == b'\n').count();
        self.rest = rest;
    }

    fn take(&mut self) -> Option<u8> {
        let first = self.rest.first().copied();
        self.skip(1);
        first
    }

    /// A word up to one of those bytes or the end of the text.
    fn word(&mut self, ends: &[u8], is_quoted: bool) -> Result<Word, &'static str> {
        let mut word = Word::new();
        while let Some(byte) = self.rest.first().copied() {
            if ends.contains(&byte) {
                break;
            }
            self.skip(1);
            match byte {
                b'\\' => match self.take() {
                    Some(b'\n') => {}
                    Some(next) if is_quoted && !b"$`\"\\}".contains(&next) => {
                        push(&mut word, b'\\', true);
                        push(&mut word, next, true);
                    }
                    Some(next) => push(&mut word, next, true),
                    None => push(&mut word, b'\\', true),
                },
                b'\'' if !is_quoted => {
                    let end = self.rest.iter().position(|byte| *byte == b'\'');
                    let end = end.ok_or("a ' that isn't closed")?;
                    let bytes = self.rest.get(..end).unwrap_or_default().to_owned();
                    self.skip(end + 1);
                    word.push(Part::Text { bytes, is_quoted: true });
                }
                b'"' => {
                    // Even where nothing stands in them, there is a word.
                    word.push(Part::Text { bytes: Vec::new(), is_quoted: true });
                    word.extend(self.nested(|scanner| scanner.word(b"\"", true))?);
                    self.take().ok_or("a \" that isn't closed")?;
                }
                b'$' => self.dollar(&mut word, is_quoted)?,
                b'`' => {
                    let text = self.backquoted()?;
                    word.push(Part::Command { text, is_quoted });
                }
                byte => push(&mut word, byte, is_quoted),
            }
        }
        Ok(word)
    }

    fn nested<T>(
        &mut self,
        inside: impl FnOnce(&mut Self) -> Result<T, &'static str>,
    ) -> Result<T, &'static str> {
        if self.depth >= DEEPEST {
            return Err("too much inside one another");
        }
        self.depth += 1;
        let result = inside(self);
        self.depth -= 1;
        result
    }

    /// What stands behind a dollar.
    fn dollar(&mut self, word: &mut Word, is_quoted: bool) -> Result<(), &'static str> {
        match self.rest.first().copied() {
            Some(b'{') => {
                self.skip(1);
                let part = self.nested(|scanner| scanner.braced(is_quoted))?;
                word.push(part);
            }
            Some(b'(') => {
                self.skip(1);
                let line = self.line;
                let text = self.nested(Self::parenthesized)?;
                let inner = text.strip_prefix(b"(").and_then(|text| text.strip_suffix(b")"));
                word.push(match inner {
                    Some(inner) => {
                        let mut scanner = Scanner { rest: inner, line, depth: self.depth };
                        let inside = scanner.nested(|scanner| scanner.word(b"", true))?;
                        Part::Arithmetic { word: inside, is_quoted }
                    }
                    None => Part::Command { text, is_quoted },
                });
            }
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => {
                let name = self.name();
                word.push(Part::Variable { name, change: None, is_quoted });
            }
            Some(byte) if b"@*#?-$!0123456789".contains(&byte) => {
                self.skip(1);
                word.push(Part::Variable { name: vec![byte], change: None, is_quoted });
            }
            _ => push(word, b'$', is_quoted),
        }
        Ok(())
    }

    fn name(&mut self) -> Vec<u8> {
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let end = self.rest.iter().position(|byte| !is_name(byte)).unwrap_or(self.rest.len());
        let name = self.rest.get(..end).unwrap_or_default().to_owned();
        self.skip(end);
        name
    }

    /// `${…}`, from behind its brace on.
    fn braced(&mut self, is_quoted: bool) -> Result<Part, &'static str> {
        const OPEN: &str = "a ${ that isn't closed";
        const STRANGE: &str = "a ${…} of an unknown form";
        let has_length = self.rest.starts_with(b"#") && !self.rest.starts_with(b"#}");
        if has_length {
            self.skip(1);
        }
        let mut name = self.name();
        if name.is_empty() {
            name.extend(self.take().filter(|byte| b"@*#?-$!".contains(byte)));
        }
        if name.is_empty() {
            return Err(STRANGE);
        }
        let change = if has_length {
            Some(Change { operator: "length", word: Word::new() })
        } else if let Some(operator) =
            CHANGES.iter().find(|change| self.rest.starts_with(change.as_bytes()))
        {
            self.skip(operator.len());
            // A pattern has quotes of its own, inside of others too.
            let keeps_quotes = is_quoted && !matches!(*operator, "#" | "##" | "%" | "%%");
            let word = self.word(b"}", keeps_quotes)?;
            Some(Change { operator, word })
        } else {
            None
        };
        match self.take() {
            Some(b'}') => Ok(Part::Variable { name, change, is_quoted }),
            Some(_) => Err(STRANGE),
            None => Err(OPEN),
        }
    }

    /// The text of a `$(…)`, from behind its parenthesis on. What is quoted in it counts for nothing but
    /// its end.
    fn parenthesized(&mut self) -> Result<Vec<u8>, &'static str> {
        let start = self.rest;
        let mut depth = 1_usize;
        let mut quote = None;
        while let Some(byte) = self.take() {
            match (byte, quote) {
                (b'\\', None | Some(b'"')) => self.skip(1),
                (b'\'' | b'"', None) => quote = Some(byte),
                (byte, Some(open)) if byte == open => quote = None,
                (b'(', None) => depth += 1,
                (b')', None) => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let taken = start.len() - self.rest.len() - 1;
                return Ok(start.get(..taken).unwrap_or_default().to_owned());
            }
        }
        Err("a $( that isn't closed")
    }

    fn backquoted(&mut self) -> Result<Vec<u8>, &'static str> {
        let mut text = Vec::new();
        while let Some(byte) = self.take() {
            match byte {
                b'`' => return Ok(text),
                b'\\' => text.extend(self.take()),
                byte => text.push(byte),
            }
        }
        Err("a ` that isn't closed")
    }
}

fn push(word: &mut Word, byte: u8, quoted: bool) {
    match word.last_mut() {
        Some(Part::Text { bytes, is_quoted }) if *is_quoted == quoted => bytes.push(byte),
        _ => word.push(Part::Text { bytes: vec![byte], is_quoted: quoted }),
    }
}

/// A word that is written plainly: what keywords and operators of tests have to be.
pub(super) fn plain(word: &Word) -> Option<&[u8]> {
    match word.as_slice() {
        [Part::Text { bytes, is_quoted: false }] => Some(bytes),
        _ => None,
    }
}
