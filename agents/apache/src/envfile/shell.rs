// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Carries out the commands of envfiles, as far as they only change variables.

use super::expansion::Fields;
use super::extended;
use super::syntax::{self, Command, Item, List, When, is_name};
use super::word::Word;
use super::{Problem, Variables};
use crate::pattern::matches;
use crate::regular;
use ocf::command::Surroundings;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// How deep files read one another, and how many commands are carried out in all.
const DEEPEST: usize = 16;
const MOST_COMMANDS: usize = 10_000;

/// How much may be compared with patterns, in steps: a tenth of a second's worth.
const MOST_STEPS: usize = 20_000_000;

/// How much may be assigned in all.
const MOST_BYTES: usize = 16 << 20;

/// How big a file of variables may be.
const BIGGEST: u64 = 1 << 20;

#[derive(Debug, Default, Clone)]
struct Variable {
    value: Option<Vec<u8>>,
    is_exported: bool,
}

/// Whether commands go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    On,
    /// The loop is over, or its round.
    Break,
    Continue,
    /// The file is over.
    Return,
}

/// Variables, and what the commands have made of them.
#[derive(Debug, Default)]
pub(super) struct Shell {
    variables: BTreeMap<Vec<u8>, Variable>,
    pub(super) problems: Vec<Problem>,
    /// What else the server is to have.
    pub(super) surroundings: Surroundings,
    /// `set -a`.
    pub(super) exports_all: bool,
    pub(super) is_success: bool,
    /// How many loops are being gone through, and how many commands stand in one another.
    pub(super) loops: usize,
    pub(super) depth: usize,
    /// Whether the command before this one succeeded.
    was_success: bool,
    commands: usize,
    steps: usize,
    bytes: usize,
    /// The files being read, and the line in the last.
    files: Vec<PathBuf>,
    line: usize,
}

impl Shell {
    /// With variables that are exported already.
    pub(super) fn new<'a>(inherited: impl Iterator<Item = (&'a OsStr, &'a OsStr)>) -> Self {
        let variable = |value: &OsStr| Variable {
            value: Some(value.as_bytes().to_owned()),
            is_exported: true,
        };
        let inherited = inherited.filter(|(name, _)| is_name(name.as_bytes()));
        let variables =
            inherited.map(|(name, value)| (name.as_bytes().to_owned(), variable(value))).collect();
        let mut shell = Self { variables, is_success: true, ..Self::default() };
        let separators = Variable { value: Some(b" \t\n".to_vec()), is_exported: false };
        shell.variables.insert(b"IFS".to_vec(), separators);
        shell
    }

    /// Exports a variable before any file is read.
    pub(super) fn export(&mut self, name: &str, value: &Path) {
        let value = Some(value.as_os_str().as_bytes().to_owned());
        let variable = Variable { value, is_exported: true };
        self.variables.insert(name.as_bytes().to_owned(), variable);
    }

    /// The exported variables.
    pub(super) fn exported(&self) -> Variables {
        let exported = self.variables.iter().filter(|(_, variable)| variable.is_exported);
        let pair = |(name, variable): (&Vec<u8>, &Variable)| {
            let value = variable.value.clone()?;
            Some((OsString::from_vec(name.clone()), OsString::from_vec(value)))
        };
        exported.filter_map(pair).collect()
    }

    /// Notes what isn't understood.
    pub(super) fn problem(&mut self, what: impl Into<String>, is_harmless: bool) {
        let file = self.files.last().cloned().unwrap_or_default();
        self.problems.push(Problem { file, line: self.line, what: what.into(), is_harmless });
    }

    /// Notes a file that can't be read: by the line that names it, where a file does.
    fn unreadable(&mut self, path: &Path, why: &str) {
        if self.files.is_empty() {
            let (file, what) = (path.to_owned(), format!("cannot be read: {why}"));
            self.problems.push(Problem { file, line: 0, what, is_harmless: false });
        } else {
            self.problem(format!("cannot read the file: {why}"), false);
        }
    }

    pub(super) fn value(&self, name: &[u8]) -> Option<&[u8]> {
        self.variables.get(name).and_then(|variable| variable.value.as_deref())
    }

    pub(super) const fn status(&self) -> bool {
        self.was_success
    }

    /// `None` where comparing with patterns would take too long.
    pub(super) fn afford(&mut self, steps: usize) -> Option<()> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > MOST_STEPS {
            self.problem("a pattern that takes too long", false);
            return None;
        }
        Some(())
    }

    pub(super) fn assign(&mut self, name: &[u8], value: Vec<u8>) {
        self.bytes = self.bytes.saturating_add(value.len());
        if self.bytes > MOST_BYTES {
            return self.problem("more values than anybody can have", false);
        }
        let variable = self.variables.entry(name.to_owned()).or_default();
        variable.value = Some(value);
        variable.is_exported |= self.exports_all;
    }

    /// Reads a file.
    pub(super) fn file(&mut self, path: &Path) {
        let text = match regular::read(path, BIGGEST) {
            _ if self.files.len() >= DEEPEST => {
                return self.problem("a file that reads itself", false);
            }
            Ok(text) => text,
            Err(error) => {
                let why = ocf::error::describe(&error);
                return self.unreadable(path, &why);
            }
        };
        let line = self.line;
        self.files.push(path.to_owned());
        let (list, fault) = syntax::parse(&text);
        let flow = self.list(&list);
        if let Some((line, what)) = fault.filter(|_| flow == Flow::On) {
            self.line = line;
            self.problem(what, false);
        }
        self.files.pop();
        self.line = line;
    }

    fn list(&mut self, list: &List) -> Flow {
        for item in list {
            let is_next = match item.when {
                When::Always => true,
                When::AfterSuccess => self.is_success,
                When::AfterFailure => !self.is_success,
            };
            if is_next {
                match self.item(item) {
                    Flow::On => {}
                    over => return over,
                }
            }
        }
        Flow::On
    }

    fn item(&mut self, item: &Item) -> Flow {
        self.line = item.line;
        self.commands += 1;
        if self.commands > MOST_COMMANDS {
            if self.commands == MOST_COMMANDS + 1 {
                self.problem("too many commands", false);
            }
            return Flow::Return;
        }
        let flow = match &item.command {
            Command::Simple(words) => self.simple(words),
            Command::Group(list) => self.list(list),
            Command::If { branches, otherwise } => self.conditional(branches, otherwise),
            Command::Case { word, arms } => self.case(word, arms),
            Command::For { name, words, body } => self.words_loop(name, words, body),
            Command::Extended(bits) => {
                let problems = self.problems.len();
                let holds = extended::holds(self, bits);
                if holds.is_none() && self.problems.len() == problems {
                    self.problem("a [[ of an unknown form", false);
                }
                self.is_success = holds.unwrap_or(false);
                Flow::On
            }
            Command::Definition => {
                self.is_success = true;
                Flow::On
            }
            Command::Foreign(what) => {
                self.is_success = false;
                self.problem(*what, false);
                Flow::On
            }
        };
        self.is_success ^= item.is_negated;
        flow
    }

    fn conditional(&mut self, branches: &[(List, List)], otherwise: &List) -> Flow {
        for (test, then) in branches {
            match self.list(test) {
                Flow::On => {}
                over => return over,
            }
            if self.is_success {
                return self.list(then);
            }
        }
        self.is_success = true;
        self.list(otherwise)
    }

    fn words_loop(&mut self, name: &[u8], words: &[Word], body: &List) -> Flow {
        let Some(fields) = Fields::split(self, words) else { return Flow::On };
        self.is_success = true;
        self.loops += 1;
        let mut flow = Flow::On;
        for field in fields {
            self.assign(name, field);
            flow = self.list(body);
            if matches!(flow, Flow::Return | Flow::Break) {
                break;
            }
        }
        self.loops -= 1;
        if flow == Flow::Return { flow } else { Flow::On }
    }

    fn case(&mut self, word: &Word, arms: &[(Vec<Word>, List)]) -> Flow {
        let Some(value) = Fields::plain(self, word) else { return Flow::On };
        self.is_success = true;
        for (patterns, list) in arms {
            for pattern in patterns {
                let Some(pattern) = Fields::pattern(self, pattern) else { return Flow::On };
                if self.afford(value.len() * pattern.len()).is_none() {
                    return Flow::On;
                }
                if matches(&pattern, &value) {
                    return self.list(list);
                }
            }
        }
        Flow::On
    }

    fn simple(&mut self, words: &[Word]) -> Flow {
        let mut words = words;
        self.was_success = self.is_success;
        self.is_success = true;
        // What is assigned before a command holds for it only; what is understood here needs none of it.
        while let Some((first, rest)) = words.split_first()
            && let Some((name, value)) = syntax::assignment(first)
        {
            let Some(value) = Fields::plain(self, &value) else { return Flow::On };
            self.assign(&name, value);
            words = rest;
        }
        let Some((first, rest)) = words.split_first() else { return Flow::On };
        let Some(mut fields) = Fields::split(self, std::slice::from_ref(first)) else {
            return Flow::On;
        };
        if matches!(fields.as_slice(), [name] if name == b"export" || name == b"readonly") {
            self.declare(rest, fields.first().is_some_and(|name| name == b"export"));
            return Flow::On;
        }
        let Some(more) = Fields::split(self, rest) else { return Flow::On };
        fields.extend(more);
        let Some((name, arguments)) = fields.split_first() else { return Flow::On };
        self.command(&String::from_utf8_lossy(name), arguments)
    }

    pub(super) fn declare_name(&mut self, name: Vec<u8>, exports: bool) {
        let variable = self.variables.entry(name).or_default();
        variable.is_exported |= exports;
    }

    pub(super) fn unset(&mut self, arguments: &[Vec<u8>]) {
        let (names, is_function) = match arguments.split_first() {
            Some((first, rest)) if first == b"-v" => (rest, false),
            Some((first, rest)) if first == b"-f" => (rest, true),
            _ => (arguments, false),
        };
        for name in names.iter().filter(|_| !is_function) {
            self.variables.remove(name);
        }
    }
}
