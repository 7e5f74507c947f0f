// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Taking a share of the clients, and giving it up. Everything here is to be done in one's turn, may be done
//! twice, and may be cut short anywhere.

use super::firewall::{self, Trouble};
use super::memory::Memory;
use super::others::Rest;
use super::rule::{Buckets, Part, Rule};
use super::{Mac, Sharing, multicast, tables, unknown};
use crate::kernel::Link;
use ocf::command::find_program;
use ocf::{Context, Error, Result, tracing};
use std::path::Path;

impl Sharing {
    /// Takes the share on an interface. The address may be there already or not; it is to be added after
    /// this, never before.
    ///
    /// # Errors
    /// When something is missing or refuses; what this start did is undone then.
    pub(crate) fn start(&self, context: &Context, link: &Link) -> Result<()> {
        let (Some(seed), Some(mac)) = (self.seed, self.mac) else {
            let sentence =
                format!("{}: the length of its prefix is not known: set cidr_netmask", self.ip);
            return Err(Error::generic(sentence));
        };
        if link.name.ends_with('+') {
            let sentence =
                format!("interface {}: iptables takes the name for a pattern", link.name);
            return Err(Error::args(sentence + "; rename it"));
        }
        let mut before = self.in_chain(context).rules()?;
        let interface = link.name.clone();
        let old = self.memory();
        let others = old.as_ref().filter(|old| old.interface == interface);
        let started = others.map_or(0, |old| old.started) | self.mask();
        let new = Memory { interface, mac, seed, started };
        if let Some(old) = &old {
            self.forget(context, link, old, &before, &new)?;
        }
        self.remember(&new)?;
        before.retain(|rule| rule.interface == link.name);
        let strangers = self.split_strangers(&mut before, &new);
        let own = Buckets { mask: self.mask(), total: self.total, seed };
        let done = self
            .end_strangers(context, &strangers)
            .and_then(|()| self.filter(context, link, own))
            .map(|()| self.end_shell_agents())
            .and_then(|()| multicast::take(link, &mac))
            .and_then(|()| self.rewrite_arp(context, Some(&mac)))
            .and_then(|()| self.accept(context, link, own));
        if done.is_err() && !before.iter().any(|rule| matches!(rule.part, Part::Buckets(_))) {
            // The first failure is the one to tell of; stop looks again at what stayed.
            let _undone = self.stop(context).and_then(|_| self.clear(context, Some(link)));
        }
        done
    }

    /// Gives up the share, on whatever interface it was.
    ///
    /// # Errors
    /// When a rule of this instance is there and stays.
    pub(crate) fn stop(&self, context: &Context) -> Result<Rest> {
        let memory = self.memory();
        let rules = self.rules_to_stop(context)?;
        let rules: Vec<Rule> =
            rules.into_iter().filter(|rule| self.is_here(rule, None, memory.as_ref())).collect();
        for rule in rules.iter().filter(|rule| self.is_own(rule)) {
            self.delete_to_stop(context, rule)?;
        }
        let rest = self.rest(&rules, memory.as_ref());
        match memory {
            Some(memory) if rest == Rest::Others => self.forget_own(memory),
            Some(_) => {}
            // A rule of this instance may name an interface that isn't known otherwise any more.
            None => self.hint(rules.iter().find(|rule| self.is_own(rule))),
        }
        Ok(rest)
    }

    /// Takes away what the instances shared, when the last one has stopped and the address is gone.
    ///
    /// # Errors
    /// When something stays.
    pub(crate) fn clear(&self, context: &Context, link: Option<&Link>) -> Result<()> {
        let memory = self.memory();
        let rules = self.rules_to_stop(context)?;
        let (here, elsewhere): (Vec<Rule>, Vec<Rule>) =
            rules.into_iter().partition(|rule| self.is_here(rule, link, memory.as_ref()));
        here.iter().try_for_each(|rule| self.delete_to_stop(context, rule))?;
        self.end_shell_agents();
        // What the address's ARP answers name isn't of one interface only.
        if !elsewhere.iter().any(Rule::is_of_buckets) {
            self.rewrite_arp(context, None)?;
        }
        for interface in self.known_interfaces(link, memory.as_ref()) {
            self.macs().iter().try_for_each(|mac| multicast::leave(interface, mac))?;
        }
        if let Err(error) = self.memory_file.remove() {
            // All that it remembers is gone.
            tracing::warn!("{}", error.reason);
        }
        Ok(())
    }

    /// Everything of this instance that is there, and, where nobody else needs it, of the rest; the
    /// address itself isn't judged here.
    ///
    /// # Errors
    /// When that can't be found out.
    pub(crate) fn leftovers(
        &self,
        context: &Context,
        link: Option<&Link>,
    ) -> Result<(Rest, Vec<String>)> {
        let memory = self.memory();
        let rules = self.rules_to_stop(context)?;
        let (here, elsewhere): (Vec<Rule>, Vec<Rule>) =
            rules.into_iter().partition(|rule| self.is_here(rule, link, memory.as_ref()));
        let name = |rule: &Rule| {
            let rule = rule.arguments(self.ip).join(" ");
            format!("rule {rule} of {}", self.in_chain(context).name())
        };
        // What can't be taken away for want of the program was told of in the log: without their address the
        // rules do no harm, and a node isn't fenced for them.
        let is_able = find_program(context, Path::new(self.in_chain(context).program())).is_some();
        let rest = self.rest(&here, memory.as_ref());
        let is_left = |rule: &&Rule| is_able && (rest == Rest::Nobody || self.is_own(rule));
        let mut left: Vec<String> = here.iter().filter(is_left).map(name).collect();
        if rest == Rest::Others {
            return Ok((rest, left));
        }
        let rewrites = match elsewhere.iter().any(Rule::is_of_buckets) {
            true => Vec::new(),
            false => self.rewrites_to_stop(context)?,
        };
        for mac in rewrites {
            let mac = crate::kernel::Mac(&mac).to_string();
            left.push(format!("rewriting of {}'s ARP sender to {mac}", self.ip));
        }
        for mac in self.macs() {
            if let Some(link) = link
                && multicast::is_taken(link, &mac).unwrap_or_else(unknown(false))
            {
                let mac = crate::kernel::Mac(&mac).to_string();
                left.push(format!("multicast address {mac} of {}", link.name));
            }
        }
        Ok((rest, left))
    }

    /// Puts down what this start is about to ask for. That it can't is no reason not to ask, unless
    /// something else stands there.
    fn remember(&self, new: &Memory) -> Result<()> {
        match new.write(&self.memory_file) {
            Err(error) if self.memory().is_none_or(|old| old.asks_for_the_same(new)) => {
                tracing::warn!("{}", error.reason);
                Ok(())
            }
            done => done,
        }
    }

    /// Drops what no bucket accepts. Buckets that are there come through as before when this returns.
    fn filter(&self, context: &Context, link: &Link, own: Buckets) -> Result<()> {
        let chain = self.in_chain(context);
        let new = |part| Rule { interface: link.name.clone(), part };
        let here = || -> Result<Vec<Rule>> {
            let rules = chain.rules()?.into_iter();
            Ok(rules.filter(|rule| rule.interface == link.name).collect())
        };
        let mut rules = here()?;
        if !rules.iter().any(|rule| rule.part == Part::Drop) {
            chain.insert(&new(Part::Drop))?;
            rules.insert(0, new(Part::Drop));
        }
        // What stands behind the DROP comes to nothing: it is put in front again, but for this instance's,
        // which comes last of all.
        let drop = rules.iter().position(|rule| rule.part == Part::Drop).unwrap_or_default();
        let (front, behind) = rules.split_at(drop);
        for rule in behind.iter().filter(|rule| rule.part != Part::Drop) {
            chain.delete(rule)?;
            if !self.is_own(rule) {
                chain.insert(rule)?;
            }
        }
        if self.ip.is_ipv6() && !rules.iter().any(|rule| rule.part == Part::Advertisements) {
            chain.insert(&new(Part::Advertisements))?;
        }
        let is_stale = |rule: &&Rule| self.is_own(rule) && rule.part != Part::Buckets(own);
        front.iter().filter(is_stale).try_for_each(|rule| chain.delete(rule))?;
        Ok(())
    }

    /// Lets this instance's clients through, now that everything else is in place.
    fn accept(&self, context: &Context, link: &Link, own: Buckets) -> Result<()> {
        let chain = self.in_chain(context);
        let rule = Rule { interface: link.name.clone(), part: Part::Buckets(own) };
        let rules = chain.rules()?;
        let at = |wanted: &Rule| rules.iter().position(|rule| rule == wanted);
        let drop = at(&Rule { interface: link.name.clone(), part: Part::Drop });
        if at(&rule).is_some_and(|own| drop.is_none_or(|drop| own < drop)) {
            return Ok(());
        }
        match chain.insert(&rule) {
            // The DROP was taken, so this host's iptables works; what it lacks is the match.
            Err(Trouble::Refused(sentence)) => {
                let sentence = format!("no cluster match in iptables or kernel: {sentence}");
                Err(Error::installed(sentence))
            }
            done => Ok(done?),
        }
    }

    /// Ends the shell agent's other kind of rules, should there be any. A kernel without nf_tables has none.
    fn end_shell_agents(&self) {
        if let Err(refusal) = tables::delete_shell_agents(self.ip) {
            tracing::debug!("no tables of nft for {}: {refusal}", self.ip);
        }
    }

    /// Has exactly this hardware address in ARP answers, or none.
    fn rewrite_arp(&self, context: &Context, mac: Option<&Mac>) -> Result<()> {
        if !self.rewrites_arp {
            return Ok(());
        }
        let there = match mac {
            Some(_) => firewall::rewrites(context, self.ip)?,
            None => self.rewrites_to_stop(context)?,
        };
        let stale = there.iter().filter(|there| Some(*there) != mac);
        for stale in stale {
            firewall::delete_rewrite(context, self.ip, stale)?;
        }
        match mac.filter(|mac| !there.contains(mac)) {
            Some(mac) => Ok(firewall::add_rewrite(context, self.ip, mac)?),
            None => Ok(()),
        }
    }

    /// Takes away what an earlier start left that asked for something else. Of an interface that isn't the
    /// address's any more that is everything: the rules keep nobody from it.
    fn forget(
        &self,
        context: &Context,
        link: &Link,
        old: &Memory,
        rules: &[Rule],
        new: &Memory,
    ) -> Result<()> {
        if old.mac != new.mac {
            multicast::leave(&link.name, &old.mac)?;
        }
        if old.interface == new.interface {
            return Ok(());
        }
        let mut old = rules.iter().filter(|rule| rule.interface == old.interface);
        old.try_for_each(|rule| Ok(self.in_chain(context).delete(rule)?))
    }

    /// The shared hardware addresses that the interface may have been asked for.
    fn macs(&self) -> Vec<Mac> {
        let mut macs: Vec<Mac> =
            self.memory().iter().map(|memory| memory.mac).chain(self.mac).collect();
        macs.dedup();
        macs
    }

    /// The rules, for a stop: where there can't be any, there are none.
    pub(super) fn rules_to_stop(&self, context: &Context) -> Result<Vec<Rule>> {
        match self.in_chain(context).rules() {
            // The kernel tells as well who else needs the address.
            Err(Trouble::NoProgram(_)) => {
                Ok(tables::rules(self.ip, &self.table, &self.chain).unwrap_or_default())
            }
            rules => self.if_any(rules),
        }
    }

    /// Takes a rule away; without the program it stays, and the log says so.
    fn delete_to_stop(&self, context: &Context, rule: &Rule) -> Result<()> {
        match self.in_chain(context).delete(rule) {
            Err(Trouble::NoProgram(why)) => {
                let rule = rule.arguments(self.ip).join(" ");
                let chain = self.in_chain(context).name();
                tracing::warn!("{why}: rule {rule} stays in {chain}");
                Ok(())
            }
            done => Ok(done?),
        }
    }

    fn rewrites_to_stop(&self, context: &Context) -> Result<Vec<Mac>> {
        if self.rewrites_arp {
            self.if_any(firewall::rewrites(context, self.ip))
        } else {
            Ok(Vec::new())
        }
    }

    /// A start of this boot that asked for something is remembered; without one, a program that doesn't work
    /// can't have made a rule.
    fn if_any<T>(&self, found: Result<Vec<T>, Trouble>) -> Result<Vec<T>> {
        match found {
            Err(Trouble::NoChain(_)) => Ok(Vec::new()),
            Err(trouble) if trouble.is_no_reason_to_fail(self.memory().is_some()) => {
                tracing::warn!("rules of {} are not looked for: {}", self.ip, Error::from(trouble));
                Ok(Vec::new())
            }
            Err(trouble) => {
                let error = Error::from(trouble);
                let reason = format!("rules of {} may be left: {}", self.ip, error.reason);
                Err(Error { reason: reason.into(), ..error })
            }
            Ok(found) => Ok(found),
        }
    }
}
