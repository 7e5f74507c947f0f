// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which other instances need an address on an interface of this node.
//!
//! A rule alone says little: it may have been saved and restored with the rest of the firewall's, long after
//! its instance went to another node, and would then keep an address that nobody looks after, and let clients
//! through whom another node answers. So an instance counts if its rule is there *and* it is remembered:
//! since boot it started here, or a repeated monitor found it served, which is how instances become known that
//! the shell agent started before ours took its place.

use super::Sharing;
use super::memory::Memory;
use super::rule::{Part, Rule};
use crate::kernel::Link;
use ocf::{Context, Result, tracing};
use std::time::Duration;

/// Who else needs the address on this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Nobody: now the address goes, and then [`Sharing::clear`] is due.
    Nobody,
    /// Other instances, which serve other buckets: address and all stay.
    Others,
}

/// How long a monitor waits to write down what it found; the next one may, too.
const FOR_NOTE: Duration = Duration::from_millis(100);

impl Sharing {
    /// Who else needs the address, by its rules on this interface.
    pub(super) fn rest(&self, rules: &[Rule], memory: Option<&Memory>) -> Rest {
        let others = memory.map_or(0, |memory| memory.started & !self.mask());
        let is_other = |rule: &Rule| matches!(rule.part, Part::Buckets(b) if b.mask & others != 0);
        if rules.iter().any(is_other) { Rest::Others } else { Rest::Nobody }
    }

    /// The names of the interface: the same address on another one is another resource's.
    pub(super) fn known_interfaces<'a>(
        &'a self,
        link: Option<&'a Link>,
        memory: Option<&'a Memory>,
    ) -> Vec<&'a str> {
        let mut known: Vec<&str> = self.interfaces.iter().map(String::as_str).collect();
        known.extend(link.map(|link| link.name.as_str()));
        known.extend(memory.map(|memory| memory.interface.as_str()));
        known.sort_unstable();
        known.dedup();
        known
    }

    /// Whether a rule is of this interface. Where nothing tells which that is, buckets are ours wherever they
    /// are; other rules may be anybody's.
    pub(super) fn is_here(
        &self,
        rule: &Rule,
        link: Option<&Link>,
        memory: Option<&Memory>,
    ) -> bool {
        let known = self.known_interfaces(link, memory);
        known.contains(&rule.interface.as_str()) || (known.is_empty() && rule.is_of_buckets())
    }

    /// Takes the rules of buckets out that no known instance serves. Where nothing can be remembered nobody is
    /// known, and all may be somebody's.
    pub(super) fn split_strangers(&self, rules: &mut Vec<Rule>, new: &Memory) -> Vec<Rule> {
        if self.memory().as_ref() != Some(new) {
            return Vec::new();
        }
        let is_stranger =
            |rule: &Rule| matches!(rule.part, Part::Buckets(b) if b.mask & !new.started != 0);
        let (strangers, rest) = std::mem::take(rules).into_iter().partition(is_stranger);
        *rules = rest;
        strangers
    }

    /// Takes such rules away.
    pub(super) fn end_strangers(&self, context: &Context, strangers: &[Rule]) -> Result<()> {
        let chain = self.in_chain(context);
        for rule in strangers {
            let shown = rule.arguments(self.ip).join(" ");
            let name = chain.name();
            tracing::warn!("removing {shown} from {name}: no instance that runs here needs it");
            chain.delete(rule)?;
        }
        Ok(())
    }

    /// Whether this instance is known to run here.
    pub(crate) fn is_started(&self) -> bool {
        self.memory().is_some_and(|memory| memory.started & self.mask() != 0)
    }

    /// Remembers an instance that a repeated monitor found served, and that no start of ours remembered: the
    /// cluster manager has it running here. If that can't be written now, the next monitor may.
    pub(crate) fn note_running(&self, context: &Context, link: &Link) {
        if self.is_started() {
            return;
        }
        let mut brief = context.clone();
        brief.deadline = context.deadline.within(FOR_NOTE);
        let Ok(Some(_turn)) = self.turn(&brief) else { return };
        let new = match (self.memory(), self.seed, self.mac) {
            (Some(memory), ..) if memory.interface != link.name => return,
            (Some(memory), ..) => Memory { started: memory.started | self.mask(), ..memory },
            (None, Some(seed), Some(mac)) => {
                Memory { interface: link.name.clone(), mac, seed, started: self.mask() }
            }
            (None, ..) => return,
        };
        if let Err(error) = new.write(&self.memory_file) {
            tracing::warn!("{}", error.reason);
        }
    }

    /// Forgets that this instance started. Without its rule it doesn't count anyway.
    pub(super) fn forget_own(&self, memory: Memory) {
        let started = memory.started & !self.mask();
        if started != memory.started
            && let Err(error) = (Memory { started, ..memory }).write(&self.memory_file)
        {
            tracing::warn!("{}", error.reason);
        }
    }

    /// Keeps the interface that a rule of this instance names.
    pub(super) fn hint(&self, rule: Option<&Rule>) {
        if let (Some(rule), Some(seed), Some(mac)) = (rule, self.seed, self.mac) {
            let memory = Memory { interface: rule.interface.clone(), mac, seed, started: 0 };
            // Only a hint: the interface is known by its name, too.
            let _hint = memory.write(&self.memory_file);
        }
    }
}
