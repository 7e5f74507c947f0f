// SPDX-License-Identifier: Apache-2.0 OR MIT
//! An address that a clone shared on this node since boot, and that is a plain resource's now: somebody took
//! the resource out of its clone, or calls the agent without what Pacemaker says of clones. The clone's DROP
//! would throw away most of the address's clients.

use super::firewall::Trouble;
use super::{Sharing, tables};
use crate::kernel::Link;
use ocf::{Context, Error, Result, State};

impl Sharing {
    /// Whether this is such an address: then all that the clone left is its own.
    pub(crate) const fn is_former(&self) -> bool {
        self.is_former
    }

    /// What a monitor says of it.
    ///
    /// # Errors
    /// When rules of the clone are there.
    pub(super) fn former_verdict(&self, context: &Context, link: &Link) -> Result<State> {
        let found = tables::rules(self.ip, &self.table, &self.chain).unwrap_or_default();
        let found = if found.is_empty() { self.rules_to_stop(context)? } else { found };
        let memory = self.memory();
        if !found.iter().any(|rule| self.is_here(rule, Some(link), memory.as_ref())) {
            return Ok(State::Running);
        }
        let (ip, chain) = (self.ip, self.in_chain(context).name());
        let sentence = format!("{ip} answers some clients only: a clone's rules are in {chain}");
        Err(Error::generic(sentence))
    }

    /// Takes away what the clone left, before the plain resource's start.
    ///
    /// # Errors
    /// When something stays.
    pub(crate) fn end_former(&self, context: &Context, link: &Link) -> Result<()> {
        let _turn = self.turn(context)?;
        if self.former_verdict(context, link).is_err() {
            // A stop goes on without the program, but this address is to be had by everybody.
            match self.in_chain(context).rules() {
                Ok(_) | Err(Trouble::NoChain(_)) => {}
                Err(trouble) => return Err(trouble.into()),
            }
        }
        self.stop(context)?;
        self.clear(context, Some(link))
    }
}
