// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is on a node's disk where packages of agents put things, to the last byte.

use crate::site::Host;
use crate::{Error, Result};

/// Where packages of agents put something.
const TREES: [&str; 4] =
    ["/usr/lib/ocf", "/usr/share/man", "/usr/share/doc", "/usr/share/bash-completion"];

/// Every file of [`TREES`], a line each: path, kind, mode, owner, size, time, target, contents;
/// and what dpkg diverts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files(Vec<String>);

impl Files {
    /// Takes it all down.
    ///
    /// # Errors
    /// The node does not answer.
    pub fn of(node: &Host) -> Result<Self> {
        // What comes into a directory and goes again leaves a younger time on it, and perhaps a
        // larger list of names; that is no trace of ours.
        let directory = ["(", "-type", "d", "-printf", "%p %y %m %U:%G\n", ")", "-o"];
        // Debian's own packages compile Python anew whenever they are installed.
        let compiled = ["(", "-name", "*.pyc", "-printf", "%p %y %m %U:%G %s\n", ")", "-o"];
        let file = ["-printf", "%p %y %m %U:%G %s %T@ -> %l\n"];
        let find = std::iter::once("find").chain(TREES);
        let listed = node.ok(find.chain(directory).chain(compiled).chain(file))?.stdout;
        let find = std::iter::once("find").chain(TREES);
        let sum = ["-type", "f", "-exec", "sha256sum", "{}", "+"];
        let summed = node.ok(find.chain(sum))?.stdout;
        let divert = node.ok(["dpkg-divert", "--list"])?.stdout;
        let lines = [listed, summed, divert];
        let mut lines: Vec<_> = lines.iter().flat_map(|text| text.lines()).collect();
        lines.sort_unstable();
        Ok(Self(lines.into_iter().map(str::to_owned).collect()))
    }

    /// How many lines there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// An error that names the first lines that only one of them has.
    ///
    /// # Errors
    /// They differ.
    pub fn require_same(&self, later: &Self, node: &str) -> Result<()> {
        let only = |these: &Self, others: &Self, sign: &str| {
            let is_only = |line: &&String| others.0.binary_search(line).is_err();
            let lines = these.0.iter().filter(is_only).map(|line| format!("{sign}{line}"));
            lines.collect::<Vec<_>>()
        };
        let differences = [only(self, later, "was: "), only(later, self, "is: ")].concat();
        if differences.is_empty() && self == later {
            return Ok(());
        }
        let shown: Vec<_> = differences.iter().take(6).map(String::as_str).collect();
        Err(Error::new(format!(
            "{node} is not what it was, {} lines differ: {}",
            differences.len(),
            shown.join("; ")
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_came_went_or_changed_is_named() {
        let files = |lines: &[&str]| Files(lines.iter().map(|line| (*line).to_owned()).collect());
        let before = files(&["a 1", "b 1"]);
        assert_eq!(before.require_same(&before.clone(), "n"), Ok(()));
        let told = before.require_same(&files(&["a 1", "b 2", "c"]), "n").expect_err("differs");
        let told = told.to_string();
        assert!(
            ["was: b 1", "is: b 2", "is: c", "3 lines"].iter().all(|t| told.contains(t)),
            "{told}"
        );
    }
}
