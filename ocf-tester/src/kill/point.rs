// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The points at which an action can be killed: a process, one of its calls, a side of the call.

use std::fmt;

/// A process of an action, named by its descent: the second child of the action's first child is
/// `0.0.1`. It is the same in every run, which a process number and a global count aren't.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lineage(Vec<u32>);

impl Lineage {
    pub(super) fn root() -> Self {
        Self(vec![0])
    }

    pub(super) fn child(&self, number: u32) -> Self {
        Self(self.0.iter().copied().chain([number]).collect())
    }
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&words.join("."))
    }
}

/// A call that may change state, as it was made in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its position among all system calls of the run, from 1.
    pub index: usize,
    /// Who made it.
    pub process: Lineage,
    /// Its position among the calls of this process that may change state, from 1.
    pub ordinal: usize,
    /// Its name.
    pub name: &'static str,
    /// Its arguments in short.
    pub arguments: String,
    /// What it returned, below zero for an error; `None` when the run ended inside it.
    pub result: Option<i64>,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, process, name, arguments, .. } = self;
        write!(f, "call {index}, {name}({arguments}) of process {process}")
    }
}

/// On which side of a call the kill falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The call has no effect: the kernel drops it.
    Before,
    /// The call has had its effect, the process hasn't seen the result.
    After,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before => "before",
            Self::After => "after",
        })
    }
}

/// Where to kill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) process: Lineage,
    pub(super) ordinal: usize,
    pub(super) moment: Moment,
}

impl From<&super::Kill> for Target {
    fn from(kill: &super::Kill) -> Self {
        let Call { process, ordinal, .. } = &kill.call;
        Self { process: process.clone(), ordinal: *ordinal, moment: kill.moment }
    }
}
