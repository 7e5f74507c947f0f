// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Carries out the commands of envfiles, as far as they only change variables.

use super::condition;
use super::expansion::Fields;
use super::syntax::{self, Command, Item, List, When, is_name};
use super::word::Word;
use super::{Problem, Variables};
use crate::pattern::matches;
use crate::regular;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// How deep files read one another, and how many commands are carried out in all.
const DEEPEST: usize = 16;
const MOST_COMMANDS: usize = 10_000;

/// How much may be compared with patterns, in steps: a tenth of a second's worth.
const MOST_STEPS: usize = 20_000_000;

/// How big a file of variables may be.
const BIGGEST: u64 = 1 << 20;

#[derive(Debug, Default, Clone)]
struct Variable {
    value: Option<Vec<u8>>,
    is_exported: bool,
}

/// Whether commands go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    /// The file is over.
    Return,
}

/// Variables, and what the commands have made of them.
#[derive(Debug, Default)]
pub(super) struct Shell {
    variables: BTreeMap<Vec<u8>, Variable>,
    pub(super) problems: Vec<Problem>,
    /// `set -a`.
    exports_all: bool,
    is_success: bool,
    /// Whether the command before this one succeeded.
    was_success: bool,
    commands: usize,
    steps: usize,
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
        Self { variables, is_success: true, ..Self::default() }
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
            self.problem(format!("cannot read {}: {why}", path.display()), false);
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
        let variable = self.variables.entry(name.to_owned()).or_default();
        variable.value = Some(value);
        variable.is_exported |= self.exports_all;
    }

    /// Reads a file.
    pub(super) fn file(&mut self, path: &Path) {
        let text = match regular::read(path, BIGGEST) {
            _ if self.files.len() >= DEEPEST => {
                return self.problem(format!("{} reads itself", path.display()), false);
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
            if is_next && self.item(item) == Flow::Return {
                return Flow::Return;
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
            if self.list(test) == Flow::Return {
                return Flow::Return;
            }
            if self.is_success {
                return self.list(then);
            }
        }
        self.is_success = true;
        self.list(otherwise)
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

    fn command(&mut self, name: &str, arguments: &[Vec<u8>]) -> Flow {
        match name {
            ":" | "true" => self.is_success = true,
            "false" => self.is_success = false,
            "." | "source" => self.source(arguments),
            "return" => {
                self.is_success = arguments.first().is_none_or(|code| code == b"0");
                return Flow::Return;
            }
            "exit" => {
                self.problem("exit ends this agent, too", false);
                return Flow::Return;
            }
            "unset" => self.unset(arguments),
            "set" => self.options(arguments),
            "[" | "test" => self.test(name, arguments),
            "ulimit" | "umask" | "echo" | "printf" => {
                self.problem(format!("{name} has no effect here"), true);
            }
            name => {
                self.is_success = false;
                self.problem(format!("a command, {name}"), false);
            }
        }
        Flow::On
    }

    /// `export` and `readonly`.
    fn declare(&mut self, words: &[Word], exports: bool) {
        for word in words {
            let (name, value) = match syntax::assignment(word) {
                Some((name, value)) => (name, Some(value)),
                None => match Fields::plain(self, word) {
                    Some(name) => (name, None),
                    None => return,
                },
            };
            if name == b"-p" || name == b"--" {
                continue;
            }
            if !is_name(&name) {
                self.is_success = false;
                let name = String::from_utf8_lossy(&name).into_owned();
                return self.problem(format!("{name}, which is no variable's name"), false);
            }
            if let Some(value) = value {
                let Some(value) = Fields::plain(self, &value) else { return };
                self.assign(&name, value);
            }
            let variable = self.variables.entry(name).or_default();
            variable.is_exported |= exports;
        }
    }

    fn unset(&mut self, arguments: &[Vec<u8>]) {
        let (names, is_function) = match arguments.split_first() {
            Some((first, rest)) if first == b"-v" => (rest, false),
            Some((first, rest)) if first == b"-f" => (rest, true),
            _ => (arguments, false),
        };
        for name in names.iter().filter(|_| !is_function) {
            self.variables.remove(name);
        }
    }

    fn options(&mut self, arguments: &[Vec<u8>]) {
        let mut arguments = arguments.iter().map(Vec::as_slice);
        while let Some(argument) = arguments.next() {
            match argument {
                b"-a" => self.exports_all = true,
                b"+a" => self.exports_all = false,
                b"-o" | b"+o" => match arguments.next() {
                    Some(b"allexport") => self.exports_all = argument == b"-o",
                    _ => return self.problem("set with an unknown option", false),
                },
                // To end at a failure, or at what is unset: nothing here fails that way unnoticed.
                b"-e" | b"+e" | b"-u" | b"+u" | b"-eu" | b"-x" | b"+x" => {}
                _ => return self.problem("set with an unknown option", false),
            }
        }
    }

    fn test(&mut self, name: &str, arguments: &[Vec<u8>]) {
        let arguments = match arguments.split_last() {
            Some((last, rest)) if name == "[" && last == b"]" => rest,
            _ if name == "[" => return self.problem("a [ that isn't closed", false),
            _ => arguments,
        };
        match condition::holds(arguments) {
            Some(holds) => self.is_success = holds,
            None => {
                self.is_success = false;
                self.problem("a test of an unknown form", false);
            }
        }
    }

    /// `.`: the file is looked for along the path, where its name has no directory.
    fn source(&mut self, arguments: &[Vec<u8>]) {
        let Some(name) = arguments.first() else {
            return self.problem("a . without a file", false);
        };
        let path = PathBuf::from(OsString::from_vec(name.clone()));
        if name.contains(&b'/') {
            return self.file(&path);
        }
        let search = OsString::from_vec(self.value(b"PATH").unwrap_or_default().to_owned());
        let mut found = std::env::split_paths(&search).map(|directory| directory.join(&path));
        match found.find(|path| path.is_file()) {
            Some(path) => self.file(&path),
            None => self.problem(format!("no file {} in PATH", path.display()), false),
        }
    }
}
