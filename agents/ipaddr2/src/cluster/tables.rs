// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The rules of a shared address without a process: as the kernel's nf_tables has those that iptables made.
//!
//! Only a *yes* of it counts: where something isn't as expected, iptables is asked, which knows the older
//! filter and later ways to write the same rule as well. A rule with anything more in it is passed over.

use super::rule::{Buckets, Part, Rule};
use crate::kernel::{Expression, PacketFilter, Refusal};
use std::net::IpAddr;

/// The address's rules in a chain, in their order.
///
/// # Errors
/// When the kernel doesn't say.
pub(crate) fn rules(ip: IpAddr, table: &str, chain: &str) -> Result<Vec<Rule>, Refusal> {
    let all = PacketFilter::open()?.rules(ip, table, chain)?;
    Ok(all.iter().filter_map(|rule| read(rule, ip)).collect())
}

/// Takes away the tables that the shell agent of 2026 makes for an address where it finds nft, which we don't
/// use: they would drop the clients of its buckets for ever.
///
/// # Errors
/// When one stays.
pub(crate) fn delete_shell_agents(ip: IpAddr) -> Result<(), Refusal> {
    const IPV4: u8 = 2;
    const ARP: u8 = 3;
    const IPV6: u8 = 10;
    let name = format!("IPaddr2_{}", ip.to_string().replace(['.', ':'], "_"));
    let filter = PacketFilter::open()?;
    let families: &[u8] = if ip.is_ipv4() { &[IPV4, ARP] } else { &[IPV6] };
    families.iter().try_for_each(|family| filter.delete_table(*family, &name))
}

/// What an expression loads for the next one to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loaded {
    Interface,
    Protocol,
    Destination,
}

/// What a rule is made of, while it is being read.
#[derive(Debug, Default)]
struct Pieces {
    loaded: Option<Loaded>,
    interface: Option<String>,
    is_here: bool,
    is_icmpv6: bool,
    is_advertisement: bool,
    buckets: Option<Buckets>,
    /// The verdict (`NF_*`, linux/netfilter.h).
    verdict: Option<u32>,
}

fn read(rule: &[Expression], ip: IpAddr) -> Option<Rule> {
    let mut pieces = Pieces::default();
    for expression in rule {
        pieces.take(expression, ip)?;
    }
    const DROP: u32 = 0;
    const ACCEPT: u32 = 1;
    let is_icmpv6 = pieces.is_icmpv6 || pieces.is_advertisement;
    let part = match (pieces.verdict?, pieces.buckets) {
        (DROP, None) if !is_icmpv6 => Part::Drop,
        (ACCEPT, Some(buckets)) if !is_icmpv6 => Part::Buckets(buckets),
        (ACCEPT, None) if pieces.is_icmpv6 && pieces.is_advertisement => Part::Advertisements,
        _ => return None,
    };
    pieces.is_here.then_some(Rule { interface: pieces.interface?, part })
}

impl Pieces {
    /// Takes one expression; `None` for one that no rule of ours has.
    fn take(&mut self, expression: &Expression, ip: IpAddr) -> Option<()> {
        let loaded = self.loaded.take();
        match (expression.name.as_str(), loaded) {
            ("meta", None) => self.loaded = Some(meta(expression)?),
            ("payload", None) => {
                is_destination(expression, ip).then_some(())?;
                self.loaded = Some(Loaded::Destination);
            }
            ("cmp", Some(loaded)) => self.compare(loaded, compared(expression)?, ip)?,
            ("match", None) => self.extension(expression)?,
            ("counter", None) => {}
            ("immediate", None) if self.verdict.is_none() => {
                self.verdict = Some(verdict(expression)?);
            }
            _ => return None,
        }
        Some(())
    }

    fn compare(&mut self, loaded: Loaded, value: &[u8], ip: IpAddr) -> Option<()> {
        match loaded {
            Loaded::Interface if self.interface.is_none() => {
                // Without its end the name is only the beginning of one.
                let end = value.iter().position(|&byte| byte == 0)?;
                self.interface = Some(String::from_utf8(value.get(..end)?.to_vec()).ok()?);
            }
            Loaded::Destination if !self.is_here => {
                let is_here = match ip {
                    IpAddr::V4(ip) => value == ip.octets(),
                    IpAddr::V6(ip) => value == ip.octets(),
                };
                is_here.then_some(())?;
                self.is_here = true;
            }
            Loaded::Protocol if value == [58] => self.is_icmpv6 = true,
            _ => return None,
        }
        Some(())
    }

    /// A match of iptables; the bytes are the kernel's structure of that match.
    fn extension(&mut self, expression: &Expression) -> Option<()> {
        // `NFTA_MATCH_NAME`, `NFTA_MATCH_INFO`.
        let name = expression.attribute(&[1])?;
        let info = expression.attribute(&[3])?;
        match name.strip_suffix(b"\0")? {
            b"cluster" if self.buckets.is_none() => {
                // `struct xt_cluster_match_info`: total, mask, seed, flags.
                let mut numbers = info.chunks_exact(4).map(|four| four.try_into().ok());
                let mut number = || numbers.next().flatten().map(u32::from_ne_bytes);
                let (total, mask, seed, flags) = (number()?, number()?, number()?, number()?);
                (flags == 0).then_some(())?;
                self.buckets = Some(Buckets { mask, total, seed });
            }
            b"icmp6" => {
                // `struct ip6t_icmp`: type, lowest and highest code, flags.
                info.starts_with(&[136, 0, 255, 0]).then_some(())?;
                self.is_advertisement = true;
            }
            _ => return None,
        }
        Some(())
    }
}

/// What `meta` loads (`NFTA_META_KEY`, `NFT_META_*`).
fn meta(expression: &Expression) -> Option<Loaded> {
    match expression.number(&[2])? {
        6 => Some(Loaded::Interface),
        16 => Some(Loaded::Protocol),
        _ => None,
    }
}

/// Whether it is the whole destination that `payload` loads (`NFTA_PAYLOAD_BASE`, `_OFFSET`, `_LEN`).
fn is_destination(expression: &Expression, ip: IpAddr) -> bool {
    const NETWORK_HEADER: u32 = 1;
    let place = [2, 3, 4].map(|kind| expression.number(&[kind]));
    place == if ip.is_ipv4() { [NETWORK_HEADER, 16, 4] } else { [NETWORK_HEADER, 24, 16] }.map(Some)
}

/// What `cmp` wants to be equal (`NFTA_CMP_OP`, `NFTA_CMP_DATA`, `NFTA_DATA_VALUE`).
fn compared(expression: &Expression) -> Option<&[u8]> {
    const EQUAL: u32 = 0;
    (expression.number(&[2])? == EQUAL).then_some(())?;
    expression.attribute(&[3, 1])
}

/// The verdict of `immediate` (`NFTA_IMMEDIATE_DATA`, `NFTA_DATA_VERDICT`, `NFTA_VERDICT_CODE`).
fn verdict(expression: &Expression) -> Option<u32> {
    expression.number(&[2, 2, 1])
}
