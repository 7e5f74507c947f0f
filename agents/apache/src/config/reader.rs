// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Reads the files of a configuration in the server's order, with what is included and without what a
//! condition leaves out, and keeps the directives that matter here. Nothing is ever executed.

use super::condition;
use super::glob::find_files;
use super::line::{Lines, expand, take_word};
use super::macros::Macros;
use super::modules::Modules;
use crate::regular;
use crate::words::Switches;
use ocf::deadline::Deadline;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// How deep files include one another: the server's own bound.
const DEEPEST: usize = 128;

/// How much is read in all: more than any configuration that a server could be started with.
const MOST_BYTES: u64 = 64 << 20;
const MOST_FILES: usize = 10_000;
const MOST_WORDS: usize = 1_000_000;

/// A directive that matters here.
#[derive(Debug, Clone)]
pub(super) struct Directive {
    /// In lower case.
    pub(super) name: String,
    /// Its words.
    pub(super) words: Vec<Vec<u8>>,
    /// The section it stands in, by its place in [`Reader::sections`]; `None` is the top.
    pub(super) section: Option<usize>,
}

/// A section that isn't a condition.
#[derive(Debug)]
pub(super) struct Section {
    /// In lower case, without the bracket.
    pub(super) name: String,
    /// Its words.
    pub(super) words: Vec<Vec<u8>>,
    /// The one around it.
    pub(super) parent: Option<usize>,
}

/// What has been read.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    environment: Cow<'a, BTreeMap<OsString, OsString>>,
    pub(super) deadline: Deadline,
    /// The variables of `Define`, by their names in lower case.
    variables: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(super) defines: BTreeSet<Vec<u8>>,
    pub(super) modules: Modules,
    macros: Macros,
    /// How deep macros use one another.
    uses: usize,
    pub(super) root: PathBuf,
    pub(super) directives: Vec<Directive>,
    pub(super) sections: Vec<Section>,
    section: Option<usize>,
    /// The files that include the one being read, and itself, by device and number.
    open: Vec<(u64, u64)>,
    files: usize,
    bytes: u64,
    /// How many words are kept.
    words: usize,
    lines: usize,
    /// There is more than can be read.
    is_over: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        root: PathBuf,
        environment: Cow<'a, BTreeMap<OsString, OsString>>,
        switches: &Switches<'_>,
        deadline: &Deadline,
    ) -> Self {
        // The agent starts every server with it.
        let given = switches.defines.iter().chain(&["STATUS"]);
        Self {
            environment,
            deadline: deadline.clone(),
            variables: BTreeMap::new(),
            defines: given.map(|name| name.as_bytes().to_owned()).collect(),
            modules: Modules::default(),
            macros: Macros::default(),
            uses: 0,
            root,
            directives: Vec::new(),
            sections: Vec::new(),
            section: None,
            open: Vec::new(),
            files: 0,
            bytes: 0,
            words: 0,
            lines: 0,
            is_over: false,
        }
    }

    /// Takes over what another has read and the server doesn't write down: what it carries out at once.
    pub(super) fn inherit(&mut self, other: &Reader<'_>) {
        self.modules = other.modules.clone();
        let kept = other.directives.iter().filter(|kept| kept.name == "defaultruntimedir");
        self.directives.extend(kept.cloned());
    }

    /// How much was read.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads a file.
    pub(super) fn file(&mut self, path: &Path) -> io::Result<()> {
        let found = std::fs::metadata(path)?;
        let identity = (found.dev(), found.ino());
        if self.open.len() >= DEEPEST || self.open.contains(&identity) {
            return Err(io::Error::other("it includes itself"));
        }
        let text = regular::read(path, MOST_BYTES.saturating_sub(self.bytes))?;
        if !self.spend(text.len()) {
            return Err(io::Error::other("there is too much of it"));
        }
        self.open.push(identity);
        self.text(&text);
        self.open.pop();
        Ok(())
    }

    /// Reads lines.
    pub(super) fn text(&mut self, text: &[u8]) {
        let around = self.section;
        // How many sections are open that are left out.
        let mut left_out = 0_usize;
        for line in Lines(text) {
            self.lines += 1;
            self.is_over |= self.lines.is_multiple_of(256) && self.deadline.is_over();
            if self.is_over {
                break;
            }
            if self.macros.takes(&line) {
                continue;
            }
            if left_out > 0 {
                match line.strip_prefix(b"<") {
                    Some(end) if end.starts_with(b"/") => left_out -= 1,
                    Some(_) => left_out += 1,
                    None => {}
                }
            } else if !line.is_empty() && !line.starts_with(b"#") && !self.line(line) {
                left_out = 1;
            }
        }
        self.macros.end();
        self.section = around;
    }

    /// Reads one line; `false` where it begins a section that is left out.
    fn line(&mut self, line: Cow<'_, [u8]>) -> bool {
        let line = match expand(line, |name| self.value(name)) {
            Cow::Owned(line) if !self.spend(line.len()) => return true,
            line => line,
        };
        let mut rest: &[u8] = &line;
        let Some(first) = take_word(&mut rest) else { return true };
        let name = String::from_utf8_lossy(&first).to_ascii_lowercase();
        if let Some(name) = name.strip_prefix("</") {
            self.leave(name.trim_end_matches('>'));
            return true;
        }
        if let Some(name) = name.strip_prefix('<') {
            // What stands behind the last bracket is ignored.
            let end = rest.iter().rposition(|byte| *byte == b'>').unwrap_or(rest.len());
            let arguments = rest.split_at_checked(end).map_or(rest, |(arguments, _)| arguments);
            return self.enter(name.trim_end_matches('>'), arguments);
        }
        let words = self.words(rest);
        self.directive(name, words);
        true
    }

    fn enter(&mut self, name: &str, arguments: &[u8]) -> bool {
        if let Some(holds) = condition::holds(self, name, arguments) {
            return holds;
        }
        let words = self.words(arguments);
        self.words += words.len();
        if name == "macro" {
            self.macros.begin(&words);
            return true;
        }
        self.sections.push(Section { name: name.to_owned(), words, parent: self.section });
        self.section = Some(self.sections.len() - 1);
        true
    }

    /// The words of a line, as many as can be kept.
    fn words(&self, line: &[u8]) -> Vec<Vec<u8>> {
        let mut rest = line;
        let words = std::iter::from_fn(|| take_word(&mut rest));
        words.take(MOST_WORDS.saturating_sub(self.words)).collect()
    }

    fn leave(&mut self, name: &str) {
        // The end of a condition is nobody's: no section has that name.
        if let Some(section) = self.section.and_then(|section| self.sections.get(section))
            && section.name == name
        {
            self.section = section.parent;
        }
    }

    fn directive(&mut self, name: String, words: Vec<Vec<u8>>) {
        let mut given = words.iter();
        match (name.as_str(), given.next(), given.next()) {
            ("define", Some(name), value) => self.define(name, value.cloned()),
            ("undefine", Some(name), _) => {
                self.defines.remove(name);
                self.variables.remove(&name.to_ascii_lowercase());
            }
            ("serverroot", Some(root), _) => self.root = self.below_root(root),
            ("loadmodule", Some(name), Some(file)) => {
                let file = self.below_root(file);
                self.modules.load(name, file);
            }
            ("include" | "includeoptional", Some(path), _) => {
                let left = MOST_FILES.saturating_sub(self.files);
                let files = find_files(&self.below_root(path), left);
                // What is found costs time, whether it can be read or not.
                self.files += files.len();
                for file in files {
                    if let Err(error) = self.file(&file) {
                        ocf::tracing::debug!("cannot read {}: {error}", file.display());
                    }
                }
            }
            ("use", Some(_), _) => self.use_macro(&words),
            _ if super::KEPT.contains(&name.as_str()) => {
                self.words += words.len();
                self.directives.push(Directive { name, words, section: self.section });
            }
            _ => {}
        }
    }

    fn use_macro(&mut self, words: &[Vec<u8>]) {
        let text = self.macros.text(words).unwrap_or_default();
        self.files += 1;
        if self.uses < DEEPEST && self.files <= MOST_FILES && self.spend(text.len()) {
            self.uses += 1;
            self.text(&text);
            self.uses -= 1;
        }
    }

    /// Whether so much may still be read.
    fn spend(&mut self, bytes: usize) -> bool {
        self.bytes += bytes as u64;
        self.is_over |= self.bytes > MOST_BYTES;
        !self.is_over
    }

    fn define(&mut self, name: &[u8], value: Option<Vec<u8>>) {
        self.defines.insert(name.to_owned());
        if let Some(value) = value {
            self.variables.insert(name.to_ascii_lowercase(), value);
        }
    }

    /// The value of a variable: by `Define`, or of the environment.
    fn value(&self, name: &[u8]) -> Option<Vec<u8>> {
        let defined = self.variables.get(&name.to_ascii_lowercase()).cloned();
        let inherited =
            || Some(self.environment.get(OsStr::from_bytes(name))?.as_bytes().to_owned());
        defined.or_else(inherited)
    }

    /// A path below the server's root, where it isn't absolute.
    pub(super) fn below_root(&self, path: &[u8]) -> PathBuf {
        let path = OsString::from_vec(path.to_owned());
        super::normal(&self.root.join(path))
    }
}
