// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is built into shells, and what is done of it.

use super::expansion::Fields;
use super::shell::{Flow, Shell};
use super::syntax::{self, is_name};
use super::word::Word;
use super::{condition, host, limits};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// What is named where it isn't understood: a shell's own words, and no file's.
const KNOWN: &[&str] = &["eval", "exec", "local", "read", "shift", "trap"];

impl Shell {
    pub(super) fn command(&mut self, name: &str, arguments: &[Vec<u8>]) -> Flow {
        match name {
            ":" | "true" => self.is_success = true,
            "false" => self.is_success = false,
            "." | "source" => self.source(arguments),
            "return" => {
                self.is_success = arguments.first().is_none_or(|code| code == b"0");
                return Flow::Return;
            }
            "break" | "continue" if self.loops > 0 && arguments.is_empty() => {
                return if name == "break" { Flow::Break } else { Flow::Continue };
            }
            "exit" => {
                self.problem("exit ends this agent, too", false);
                return Flow::Return;
            }
            "unset" => self.unset(arguments),
            "set" => self.options(arguments),
            "[" | "test" => self.test(name, arguments),
            "ulimit" => match limits::parse_limit(arguments) {
                Ok(limit) => self.surroundings.limits.extend(limit),
                Err(()) => self.problem("a ulimit of an unknown form has no effect", true),
            },
            "umask" => match limits::parse_mask(arguments) {
                Ok(mask) => self.surroundings.mask = mask.or(self.surroundings.mask),
                Err(()) => self.problem("a umask of an unknown form has no effect", true),
            },
            "type" | "hash" => self.find_all(arguments),
            "command" => match arguments.split_first() {
                Some((first, names)) if first == b"-v" || first == b"-V" => self.find_all(names),
                _ => self.unknown(name),
            },
            "echo" | "printf" | "alias" | "unalias" | "cd" => {
                self.problem(format!("{name} has no effect here"), true);
            }
            "mkdir" if arguments.first().is_some_and(|first| first == b"-p") => {
                self.problem(
                    "mkdir -p has no effect here: start makes what the server needs",
                    true,
                );
            }
            name => self.unknown(name),
        }
        Flow::On
    }

    fn unknown(&mut self, name: &str) {
        self.is_success = false;
        match KNOWN.iter().find(|known| **known == name) {
            Some(known) => self.problem(format!("the command {known}"), false),
            None => self.problem("a command", false),
        }
    }

    /// Whether all of them could be run.
    fn find_all(&mut self, names: &[Vec<u8>]) {
        let is_there = |name: &Vec<u8>| {
            std::str::from_utf8(name).is_ok_and(|name| host::find(self, name).is_some())
        };
        self.is_success = names.iter().all(is_there);
    }

    /// `export` and `readonly`.
    pub(super) fn declare(&mut self, words: &[Word], exports: bool) {
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
                return self.problem("a name that no variable can have", false);
            }
            if let Some(value) = value {
                let Some(value) = Fields::plain(self, &value) else { return };
                self.assign(&name, value);
            }
            self.declare_name(name, exports);
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
            None => self.problem("a file that isn't in PATH", false),
        }
    }
}
