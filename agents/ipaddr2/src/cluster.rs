// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Load sharing: all instances of a clone have the same address, and each answers its share of the clients.
//!
//! Frames to the address reach all nodes, because they go to a hardware address that is a group's. On each
//! node the kernel's packet filter lets those clients through whose *bucket* (a hash of their address)
//! an instance on that node serves, and drops the others: one DROP for the address, and an ACCEPT in front
//! of it for each bucket (iptables-extensions(8), "cluster").
//!
//! Instances on one node share all but their ACCEPT. The order of work keeps one rule at every instant,
//! also when KILL comes: *the address is never there without the DROP*, or the node would answer
//! everybody. So start filters first and adds the address then; stop takes the bucket away, and after the
//! last one the address, and only then the rest.

mod changes;
mod firewall;
mod former;
mod identity;
mod lock;
mod memory;
mod multicast;
mod others;
mod rule;
mod tables;
#[cfg(test)]
mod tests;

pub(crate) use lock::Turn;
pub(crate) use others::Rest;

use crate::Parameters;
use crate::kernel::Link;
use crate::record;
use crate::wanted::{Wanted, clone_number};
use firewall::{Chain, Trouble};
use identity::{Identity, Mac};
use memory::Memory;
use nix::libc::IFF_LOOPBACK;
use ocf::command::find_program;
use ocf::{Context, Error, Result, State, StateFile, tracing};
use rule::{Buckets, Part, Rule};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

/// The most buckets that the kernel tells apart (`XT_CLUSTER_NODES_MAX`).
const MOST_BUCKETS: u32 = 32;

/// One instance's share of an address.
#[derive(Debug, Clone)]
pub(crate) struct Sharing {
    ip: IpAddr,
    /// How many buckets there are.
    total: u32,
    /// The instance's own one, counted from 1.
    bucket: u32,
    /// The seed and the shared hardware address, as far as they are known.
    seed: Option<u32>,
    mac: Option<Mac>,
    table: String,
    chain: String,
    rewrites_arp: bool,
    /// It is a plain resource's address now.
    is_former: bool,
    /// The names of the interface, as far as they are known beside what is remembered.
    interfaces: Vec<String>,
    memory_file: StateFile,
    lock_file: StateFile,
}

/// What is there of a share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Share {
    /// No rule at all.
    Nothing,
    /// This bucket isn't served here; others may be.
    NotThis,
    /// It is, as it should be.
    Served,
    /// It is, but something that it needs is missing; the sentence says what.
    Broken(String),
}

/// Whether the instances of the clone share one address.
pub(crate) fn is_shared(parameters: &Parameters, context: &Context) -> bool {
    let clones = context.clone.as_ref().and_then(|clone| clone.max);
    clones.is_some_and(|clones| clones > 1) && !parameters.unique_clone_address
}

/// Judges the parameters of load sharing: for start and validate-all.
///
/// # Errors
/// `configured` (6), when they can work on no node.
pub(crate) fn check(parameters: &Parameters, context: &Context, ip: IpAddr) -> Result<()> {
    if !is_shared(parameters, context) {
        return Ok(());
    }
    let total = context.clone.as_ref().and_then(|clone| clone.max).unwrap_or_default();
    if total > MOST_BUCKETS {
        let sentence = format!("clone-max {total}: an address is shared by {MOST_BUCKETS} at most");
        return Err(Error::configured(sentence));
    }
    if bucket(context) > total {
        let number = bucket(context) - 1;
        let sentence = format!("clone number {number} is not below clone-max, {total}");
        return Err(Error::configured(sentence));
    }
    let bad = |name: &str, value: &str, why: &str| {
        let short: String = value.chars().take(32).collect();
        Err(Error::configured(format!("parameter {name}: {short:?} {why}")))
    };
    if let Some(seed) = &parameters.clusterip_hash_seed
        && let Err(why) = identity::parse_seed(seed)
    {
        return bad("clusterip_hash_seed", seed, why);
    }
    if let Some(mac) = &parameters.mac
        && let Err(why) = identity::parse_mac(mac)
    {
        return bad("mac", mac, why);
    }
    if let Some(why) = unfit_table(&parameters.clusterip_table) {
        return bad("clusterip_table", &parameters.clusterip_table, why);
    }
    if !is_chain(&parameters.clusterip_chain) {
        let why = "is no name of a chain";
        return bad("clusterip_chain", &parameters.clusterip_chain, why);
    }
    if !["auto", "iptables"].contains(&parameters.clusterip_firewall.as_str()) {
        let why = "is not supported: use auto or iptables";
        return bad("clusterip_firewall", &parameters.clusterip_firewall, why);
    }
    if parameters.clusterip_mac_mangle && ip.is_ipv6() {
        let sentence =
            "parameter clusterip_mac_mangle: IPv6 has no ARP whose sender could be rewritten";
        return Err(Error::configured(sentence));
    }
    Ok(())
}

/// The number of this instance's bucket.
fn bucket(context: &Context) -> u32 {
    clone_number(context).saturating_add(1)
}

/// Why a table can't have the rules.
fn unfit_table(table: &str) -> Option<&'static str> {
    match table {
        "mangle" | "filter" | "security" => None,
        "raw" => Some("comes before connections are known, which buckets need: use mangle"),
        "nat" => Some("sees only the first packet of a connection: use mangle"),
        _ => Some("is no table of iptables: use mangle"),
    }
}

/// Whether a chain can have that name (28 bytes at most, `XT_EXTENSION_MAXNAMELEN`).
fn is_chain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"'\\".contains(&byte);
    !name.is_empty()
        && name.len() < 29
        && !name.starts_with(['-', '!'])
        && name.bytes().all(is_plain)
}

impl Sharing {
    /// The share of this instance; `None` where the address isn't shared: outside of clones, unless one did
    /// share it since boot, and on the loopback interface, which no client's frame comes in by.
    ///
    /// What isn't known of the address (its prefix, when the interface is gone) start needs, stop doesn't.
    pub(crate) fn of(
        parameters: &Parameters,
        context: &Context,
        wanted: &Wanted,
        prefix: Option<u8>,
        broadcast: Option<Ipv4Addr>,
        link: Option<&Link>,
    ) -> Option<Self> {
        let is_former = !is_shared(parameters, context);
        if !is_former && link.is_some_and(|link| link.has(IFF_LOOPBACK)) {
            return None;
        }
        let (ip, nic) = (wanted.ip, wanted.nic.as_deref());
        let file =
            |kind| record::file(context, ip, nic, parameters.network_namespace.as_deref(), kind);
        let memory_file = file("sharing");
        if is_former && Memory::read(&memory_file).is_none() {
            return None;
        }
        let interfaces = link.map(|link| link.name.as_str()).into_iter().chain(nic);
        let identity =
            prefix.map(|prefix| Identity::of(ip, prefix, parameters.broadcast, broadcast));
        Some(Self {
            ip,
            total: context.clone.as_ref().and_then(|clone| clone.max).unwrap_or(1),
            bucket: bucket(context),
            seed: identity::given_seed(parameters).or(identity.map(Identity::seed)),
            mac: identity::given_mac(parameters).or(identity.map(|identity| identity.mac(ip))),
            table: parameters.clusterip_table.clone(),
            chain: parameters.clusterip_chain.clone(),
            rewrites_arp: parameters.clusterip_mac_mangle && ip.is_ipv4(),
            interfaces: interfaces.map(str::to_owned).collect(),
            is_former,
            memory_file,
            lock_file: file("turn"),
        })
    }

    /// The shared hardware address: what announcements have to name.
    pub(crate) fn mac(&self) -> Option<Mac> {
        if self.is_former {
            return None;
        }
        self.memory().map(|memory| memory.mac).or(self.mac)
    }

    /// Whether a start of this boot remembered what it asked for.
    pub(crate) fn is_remembered(&self) -> bool {
        self.memory().is_some()
    }

    /// Judges the share against this host.
    ///
    /// # Errors
    /// `installed` (5), when a program or the chain isn't there.
    pub(crate) fn check_host(&self, context: &Context) -> Result<()> {
        if self.rewrites_arp && find_program(context, Path::new("arptables")).is_none() {
            let sentence = "arptables is not installed: clusterip_mac_mangle needs it";
            return Err(Error::installed(sentence));
        }
        self.in_chain(context).rules()?;
        Ok(())
    }

    /// Waits for this process's turn among the instances of the address on this node: whoever starts or
    /// stops has it to the end, the address's own part included.
    ///
    /// # Errors
    /// When it doesn't come in time.
    pub(crate) fn turn(&self, context: &Context) -> Result<Option<Turn>> {
        Turn::wait(context, self.lock_file.path())
    }

    /// The same for a stop or a monitor, which goes on without it rather than fail.
    pub(crate) fn turn_or_not(&self, context: &Context) -> Option<Turn> {
        let mut patient = context.clone();
        patient.deadline = context.deadline.share(50);
        self.turn(&patient).unwrap_or_else(|error| {
            tracing::warn!("{}: going on all the same", error.reason);
            None
        })
    }

    /// What is there of the share on an interface.
    ///
    /// # Errors
    /// When that can't be found out.
    pub(crate) fn state(&self, context: &Context, link: &Link) -> Result<Share> {
        let memory = self.memory();
        let in_use = |memory: &Memory| (Some(memory.seed), Some(memory.mac));
        let (seed, mac) = memory.as_ref().map_or((self.seed, self.mac), in_use);
        let is_served = |rules: Vec<Rule>| self.judge(&rules, &link.name, seed) == Share::Served;
        if tables::rules(self.ip, &self.table, &self.chain).is_ok_and(is_served) {
            return self.judge_link(context, link, mac);
        }
        let rules = match self.in_chain(context).rules() {
            Err(Trouble::NoChain(_)) => Vec::new(),
            rules => rules?,
        };
        match self.judge(&rules, &link.name, seed) {
            Share::Served => self.judge_link(context, link, mac),
            share => Ok(share),
        }
    }

    /// What a monitor says of an instance whose address is there.
    ///
    /// # Errors
    /// When the node would answer the wrong clients.
    pub(crate) fn verdict(&self, context: &Context, link: &Link) -> Result<State> {
        if self.is_former {
            return self.former_verdict(context, link);
        }
        let (ip, bucket, total) = (self.ip, self.bucket, self.total);
        match self.state(context, link)? {
            Share::Served => Ok(State::Running),
            Share::NotThis => {
                Ok(State::stopped(format!("bucket {bucket} of {total} of {ip} is not served here")))
            }
            Share::Nothing => Err(Error::generic(format!(
                "{ip} answers all clients: its rules are gone from {}",
                self.in_chain(context).name()
            ))),
            Share::Broken(why) => Err(Error::generic(why)),
        }
    }

    fn in_chain<'a>(&'a self, context: &'a Context) -> Chain<'a> {
        Chain { context, ip: self.ip, table: &self.table, chain: &self.chain }
    }

    /// What start asked for on this node.
    fn memory(&self) -> Option<Memory> {
        Memory::read(&self.memory_file)
    }

    const fn mask(&self) -> u32 {
        if self.is_former {
            return u32::MAX;
        }
        match 1_u32.checked_shl(self.bucket.saturating_sub(1)) {
            Some(mask) => mask,
            None => 0,
        }
    }

    /// Whether a rule is this instance's bucket, whatever seed it has.
    fn is_own(&self, rule: &Rule) -> bool {
        matches!(rule.part, Part::Buckets(buckets) if self.is_former || buckets.mask == self.mask())
    }

    /// What the rules by themselves say.
    fn judge(&self, rules: &[Rule], interface: &str, seed: Option<u32>) -> Share {
        let rules: Vec<&Rule> = rules.iter().filter(|rule| rule.interface == interface).collect();
        if rules.is_empty() {
            return Share::Nothing;
        }
        let Some(own) = rules.iter().position(|rule| self.is_own(rule)) else {
            return Share::NotThis;
        };
        let (ip, bucket) = (self.ip, self.bucket);
        let broken = |what: &str| Share::Broken(format!("bucket {bucket} of {ip}: {what}"));
        let is_exact = |buckets: Buckets| {
            buckets.total == self.total && seed.is_none_or(|seed| seed == buckets.seed)
        };
        if !rules.get(own).is_some_and(|rule| matches!(rule.part, Part::Buckets(b) if is_exact(b)))
        {
            return broken("its rule has another number of buckets or another seed");
        }
        let Some(drop) = rules.iter().position(|rule| rule.part == Part::Drop) else {
            return broken("no rule drops the other clients");
        };
        if drop < own {
            return broken("the rule that drops the other clients comes before its own");
        }
        if self.ip.is_ipv6()
            && !rules.iter().take(drop).copied().any(|rule| rule.part == Part::Advertisements)
        {
            return broken("the rule that accepts neighbour advertisements is gone");
        }
        Share::Served
    }

    /// What the interface and ARP say, when the rules are as they should be.
    fn judge_link(&self, context: &Context, link: &Link, mac: Option<Mac>) -> Result<Share> {
        let Some(mac) = mac else { return Ok(Share::Served) };
        let (ip, name, shown) = (self.ip, &link.name, crate::kernel::Mac(&mac));
        if !multicast::is_taken(link, &mac).unwrap_or_else(unknown(true)) {
            return Ok(Share::Broken(format!("{ip}: {name} does not take frames to {shown}")));
        }
        if self.rewrites_arp && !firewall::rewrites(context, ip)?.contains(&mac) {
            return Ok(Share::Broken(format!("{ip}: ARP answers do not name {shown}")));
        }
        Ok(Share::Served)
    }
}

/// What goes for a detail that the kernel doesn't tell, as where /proc isn't mounted: no address is taken away
/// and no node is fenced for want of it.
fn unknown(answer: bool) -> impl FnOnce(Error) -> bool {
    move |error| {
        tracing::warn!("{}", error.reason);
        answer
    }
}
