// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A file of tests, as the shell agents' README.webapps describes it: one keyword and its value a line, each
//! test between `test NAME` and `end`. What a shell's `read` makes of a line holds here too: blanks around a
//! value don't count, and a backslash keeps the next character, so that two of them are one.
//!
//! A test may name a client of its own; that is a program of the user's choice, and the only one a monitor
//! ever starts.

mod client;

pub(crate) use client::Client;

use crate::expression::Expression;
use crate::http::Login;
use ocf::error::describe;
use ocf::{Error, Result, tracing};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The largest file of tests, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// A test.
#[derive(Debug)]
pub(crate) struct WebTest {
    /// A URL, or what stands behind the server's address.
    pub(crate) url: String,
    /// What some line of its page has to match.
    pub(crate) expression: Expression,
    /// Who asks.
    pub(crate) login: Option<Login>,
    /// Who asks in our place.
    pub(crate) client: Option<Client>,
}

/// The words of a test, as they stand in the file.
#[derive(Default)]
struct Words {
    name: Vec<u8>,
    url: Vec<u8>,
    expression: Vec<u8>,
    user: Vec<u8>,
    password: Vec<u8>,
    client: Vec<u8>,
    client_options: Vec<u8>,
}

/// The test of a name; the first, where none is asked for.
///
/// # Errors
/// `installed` (5): the file can't be read here; `configured` (6): it has no such test, or one that is none.
pub(crate) fn read(file: &Path, name: Option<&str>) -> Result<WebTest> {
    let text = contents(file).map_err(|error| {
        Error::installed(format!("testconffile {}: {}", file.display(), describe(&error)))
    })?;
    let wrong =
        |what: String| Error::configured(format!("testconffile {}: {what}", file.display()));
    let words = find(&text, name).ok_or_else(|| {
        wrong(name.map_or_else(|| "no test".to_owned(), |name| format!("no test {name}")))
    })?;
    words.test().map_err(wrong)
}

fn contents(file: &Path) -> io::Result<Vec<u8>> {
    // A FIFO would wait for a writer, and some files of the kernel's for what comes.
    if !fs::metadata(file)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut text = Vec::new();
    let file = File::options().read(true).custom_flags(nix::libc::O_NONBLOCK).open(file)?;
    if file.take(LARGEST + 1).read_to_end(&mut text)? as u64 > LARGEST {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(text)
}

/// The words of a test, up to its end, the file's end or a word that is none.
fn find(text: &[u8], name: Option<&str>) -> Option<Words> {
    let mut lines = lines(text).into_iter();
    let mut words = lines.find_map(|(keyword, value)| {
        let is_asked_for = name.is_none_or(|name| name.as_bytes() == value);
        (keyword == b"test" && is_asked_for).then(|| Words { name: value, ..Words::default() })
    })?;
    for (keyword, value) in lines {
        match keyword.as_slice() {
            b"url" => words.url = value,
            b"match" => words.expression = value,
            b"user" => words.user = value,
            b"password" => words.password = value,
            b"client" => words.client = value,
            b"client_opts" => words.client_options = value,
            b"end" => break,
            [] | [b'#', ..] => {}
            other => {
                let other = String::from_utf8_lossy(other).into_owned();
                let name = String::from_utf8_lossy(&words.name).into_owned();
                tracing::warn!("testconffile: {other} is no keyword: the test {name} ends there");
                break;
            }
        }
    }
    Some(words)
}

/// Keyword and value of each line. A backslash at its end joins it with the next.
fn lines(text: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        // What stands behind a backslash is marked: it is no blank, whatever it is.
        let mut line: Vec<(u8, bool)> = Vec::new();
        while let Some((byte, behind)) = rest.split_first() {
            rest = behind;
            match (byte, rest) {
                (b'\n', _) => break,
                (b'\r', [] | [b'\n', ..]) => {}
                (b'\\', [b'\r', b'\n', behind @ ..] | [b'\n', behind @ ..]) => rest = behind,
                (b'\\', [next, behind @ ..]) => {
                    line.push((*next, true));
                    rest = behind;
                }
                (byte, _) => line.push((*byte, false)),
            }
        }
        found.push(split(&line));
    }
    found
}

fn split(line: &[(u8, bool)]) -> (Vec<u8>, Vec<u8>) {
    let is_blank = |(byte, is_kept): &(u8, bool)| !is_kept && matches!(byte, b' ' | b'\t');
    let is_text = |place: &(u8, bool)| !is_blank(place);
    let bytes = |part: &[(u8, bool)]| part.iter().map(|(byte, _)| *byte).collect();
    let begin = line.iter().position(is_text).unwrap_or(line.len());
    let end = line.iter().rposition(is_text).map_or(begin, |last| last + 1);
    let line = line.get(begin..end).unwrap_or_default();
    let (keyword, value) = line.split_at(line.iter().position(is_blank).unwrap_or(line.len()));
    let value = value.get(value.iter().position(is_text).unwrap_or(value.len())..);
    (bytes(keyword), bytes(value.unwrap_or_default()))
}

impl Words {
    fn test(self) -> Result<WebTest, String> {
        let name = text("a test's name", self.name)?;
        let wrong = |what: &str| format!("test {name} {what}");
        let url = text("a test's url", self.url)?;
        if url.is_empty() {
            return Err(wrong("has no url"));
        }
        if self.expression.is_empty() {
            return Err(wrong("has no match"));
        }
        if self.user.is_empty() != self.password.is_empty() {
            return Err(wrong("has a user without a password, or a password without a user"));
        }
        let parsed = Expression::parse(&wrong("match"), &self.expression);
        let expression = parsed.map_err(|error| error.reason.into_owned())?;
        crate::target::parse_test("url", &url).map_err(|error| wrong(&error.reason))?;
        let login = Login {
            user: text("a test's user", self.user)?,
            password: text("a test's password", self.password)?,
        };
        let client = Client::of(
            &text("a test's client", self.client)?,
            &text("a test's client_opts", self.client_options)?,
        );
        Ok(WebTest { url, expression, login: Some(login).filter(|l| !l.user.is_empty()), client })
    }
}

fn text(what: &str, bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| format!("{what} is not UTF-8"))
}
