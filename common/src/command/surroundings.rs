// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a program inherits beside its environment: its limits and its mask for new files.

use crate::sys;
use nix::sys::resource::{getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};
use std::process::Command;

pub use nix::sys::resource::{RLIM_INFINITY, Resource};

/// How high a limit is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Height {
    /// A number, in setrlimit(2)'s unit; [`RLIM_INFINITY`] is no limit.
    Number(u64),
    /// As the soft limit is.
    Soft,
    /// As the hard limit is.
    Hard,
}

/// A limit on what a program may use (setrlimit(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Of what.
    pub resource: Resource,
    /// Whether the soft limit is set.
    pub soft: bool,
    /// Whether the hard limit is set.
    pub hard: bool,
    /// How high.
    pub height: Height,
}

impl Limit {
    /// Sets it for this process.
    fn set(&self) {
        let Ok((soft, hard)) = getrlimit(self.resource) else { return };
        let height = match self.height {
            Height::Number(number) => number,
            Height::Soft => soft,
            Height::Hard => hard,
        };
        let soft = if self.soft { height } else { soft };
        let hard = if self.hard { height } else { hard };
        // A shell goes on, too, where it may not.
        let _may_not = setrlimit(self.resource, soft, hard);
    }
}

/// What a program is to have of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Its limits, one after another.
    pub limits: Vec<Limit>,
    /// Its mask for the modes of new files.
    pub mask: Option<u32>,
}

impl Surroundings {
    /// Has a program begin with them.
    pub(super) fn give(self, command: &mut Command) {
        if self == Self::default() {
            return;
        }
        sys::before_exec(command, move || {
            self.limits.iter().for_each(Limit::set);
            if let Some(mask) = self.mask {
                umask(Mode::from_bits_truncate(mask));
            }
        });
    }
}
