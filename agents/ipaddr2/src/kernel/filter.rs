// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The rules of the packet filter nf_tables, as the kernel has them (linux/netfilter/nf_tables.h). It is
//! only read here: whose they are, and whether the older filter is used instead, iptables knows.

use super::answer::attributes;
use super::netlink::{Kernel, Refusal};
use netlink_packet_core::{DefaultNla, Emitable, NLA_HEADER_SIZE, NlasIterator};
use netlink_sys::protocols::NETLINK_NETFILTER;
use std::net::IpAddr;

/// `NFT_MSG_GETRULE` of `NFNL_SUBSYS_NFTABLES`.
const GET_RULE: u16 = (10 << 8) | 7;

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

/// Whose rules are asked for.
struct Request {
    family: u8,
    table: DefaultNla,
    chain: DefaultNla,
}

impl Emitable for Request {
    fn buffer_len(&self) -> usize {
        HEADER + self.table.buffer_len() + self.chain.buffer_len()
    }

    fn emit(&self, buffer: &mut [u8]) {
        let (head, rest) = buffer.split_at_mut(HEADER);
        head.copy_from_slice(&[self.family, 0, 0, 0]);
        let (table, chain) = rest.split_at_mut(self.table.buffer_len());
        self.table.emit(table);
        self.chain.emit(chain);
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
        let word = |kind, text: &str| DefaultNla::new(kind, [text.as_bytes(), b"\0"].concat());
        let request = Request {
            family: super::Family::of(ip) as u8,
            table: word(TABLE, table),
            chain: word(CHAIN, chain),
        };
        self.0.dump(GET_RULE, &request, |_, payload| rule(payload).map(Some))
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
