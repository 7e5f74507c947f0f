// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The rules of the packet filter nf_tables, as the kernel has them (linux/netfilter/nf_tables.h). Rules
//! are only read here: whether the older filter is used instead, iptables knows.

use super::answer::attributes;
use super::netlink::{Kernel, Refusal};
use netlink_packet_core::{DefaultNla, Emitable, NLA_HEADER_SIZE, NlasIterator};
#[cfg(test)]
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_sys::protocols::NETLINK_NETFILTER;
use nix::errno::Errno;
use std::net::IpAddr;

/// `NFT_MSG_GETRULE` of `NFNL_SUBSYS_NFTABLES`.
const GET_RULE: u16 = (10 << 8) | 7;

/// `NFT_MSG_NEWTABLE` and `NFT_MSG_DELTABLE`, each with its flags, and `NFTA_TABLE_NAME`.
#[cfg(test)]
const NEW_TABLE: (u16, u16) = (10 << 8, NLM_F_CREATE | NLM_F_EXCL);
const DELETE_TABLE: (u16, u16) = ((10 << 8) | 2, 0);
const TABLE_NAME: u16 = 1;

/// `NFNL_MSG_BATCH_BEGIN`, `NFNL_MSG_BATCH_END`: every change of rules stands between them.
const BATCH: [u16; 2] = [0x10, 0x11];

/// `NFTA_RULE_TABLE`, `NFTA_RULE_CHAIN`, `NFTA_RULE_EXPRESSIONS`.
const TABLE: u16 = 1;
const CHAIN: u16 = 2;
const EXPRESSIONS: u16 = 4;

/// `NFTA_EXPR_NAME`, `NFTA_EXPR_DATA`.
const NAME: u16 = 1;
const DATA: u16 = 2;

/// The bytes of `struct nfgenmsg`.
const HEADER: usize = 4;

/// A connection to the kernel's packet filter.
#[derive(Debug)]
pub(crate) struct PacketFilter(Kernel);

/// One part of a rule: what it is called, and its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expression {
    pub(crate) name: String,
    data: Vec<u8>,
}

impl Expression {
    /// The bytes of an attribute, or of one inside of others.
    pub(crate) fn attribute(&self, path: &[u16]) -> Option<&[u8]> {
        path.iter().try_fold(self.data.as_slice(), |bytes, kind| find(bytes, *kind))
    }

    /// An attribute that is a number: those are in the network's order here.
    pub(crate) fn number(&self, path: &[u16]) -> Option<u32> {
        self.attribute(path)?.try_into().ok().map(u32::from_be_bytes)
    }
}

fn find(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    let mut all = NlasIterator::new(bytes).map_while(Result::ok);
    let found = all.find(|attribute| attribute.kind() == kind)?;
    let length = found.value_length();
    found.into_inner().get(NLA_HEADER_SIZE..)?.get(..length)
}

/// What a request is about: a header (`struct nfgenmsg`), and names.
struct Request {
    header: [u8; HEADER],
    names: Vec<DefaultNla>,
}

impl Request {
    fn new(family: u8, names: &[(u16, &str)]) -> Self {
        let name =
            |(kind, text): &(u16, &str)| DefaultNla::new(*kind, [text.as_bytes(), b"\0"].concat());
        Self { header: [family, 0, 0, 0], names: names.iter().map(name).collect() }
    }
}

impl Emitable for Request {
    fn buffer_len(&self) -> usize {
        HEADER + self.names.as_slice().buffer_len()
    }

    fn emit(&self, buffer: &mut [u8]) {
        let (header, rest) = buffer.split_at_mut(HEADER);
        header.copy_from_slice(&self.header);
        self.names.as_slice().emit(rest);
    }
}

impl PacketFilter {
    /// A connection in the network namespace that this thread is in now.
    pub(crate) fn open() -> Result<Self, Refusal> {
        Kernel::of(NETLINK_NETFILTER).map(Self)
    }

    /// The rules of a chain for the family of an address, in their order; none where there is no chain.
    pub(crate) fn rules(
        &self,
        ip: IpAddr,
        table: &str,
        chain: &str,
    ) -> Result<Vec<Vec<Expression>>, Refusal> {
        let family = super::Family::of(ip) as u8;
        let request = Request::new(family, &[(TABLE, table), (CHAIN, chain)]);
        self.0.dump(GET_RULE, &request, |_, payload| rule(payload).map(Some))
    }
}

impl PacketFilter {
    /// Takes away a table with all that is in it; one that isn't there is no failure. The family is one of
    /// nf_tables (`NFPROTO_*`).
    pub(crate) fn delete_table(&self, family: u8, name: &str) -> Result<(), Refusal> {
        match self.change_table(DELETE_TABLE, family, name) {
            Err(Refusal { errno: Errno::ENOENT, .. }) => Ok(()),
            done => done,
        }
    }

    /// Makes one; one that is there already is a failure.
    #[cfg(test)]
    pub(crate) fn add_table(&self, family: u8, name: &str) -> Result<(), Refusal> {
        self.change_table(NEW_TABLE, family, name)
    }

    fn change_table(&self, kind: (u16, u16), family: u8, name: &str) -> Result<(), Refusal> {
        // The frame names the part of the netfilter that the change is for.
        let frame = Request { header: [0, 0, 0, 10], names: Vec::new() };
        let request = Request::new(family, &[(TABLE_NAME, name)]);
        self.0.tell_between(BATCH, &frame, kind, &request)
    }
}

fn rule(payload: &[u8]) -> Result<Vec<Expression>, Refusal> {
    let mut list = Vec::new();
    attributes(payload, HEADER, |kind, value| {
        if kind == EXPRESSIONS {
            list = value.to_vec();
        }
        Ok(())
    })?;
    let mut rule = Vec::new();
    attributes(&list, 0, |_, element| {
        let name = super::answer::text(find(element, NAME).unwrap_or_default());
        rule.push(Expression { name, data: find(element, DATA).unwrap_or_default().to_vec() });
        Ok(())
    })?;
    Ok(rule)
}
