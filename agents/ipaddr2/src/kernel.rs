// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is asked of the kernel's network stack, and told to it, by rtnetlink(7), in the network namespace
//! of this process.

mod address;
mod answer;
mod event;
mod filter;
mod held;
mod label;
mod link;
mod netlink;
mod page;
mod promotion;
mod route;
#[cfg(test)]
mod tests;

pub(crate) use event::{Event, Events, Group};
pub(crate) use filter::{Expression, PacketFilter};
pub(crate) use netlink::{Kernel, Refusal};

use nix::libc;
use std::fmt;
use std::net::IpAddr;

/// A family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Family {
    /// IPv4.
    V4 = 2,
    /// IPv6.
    V6 = 10,
}

impl Family {
    pub(crate) const fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// The length of its addresses, in bits.
    pub(crate) const fn bits(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }
}

/// An address of an interface, or one to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assigned {
    /// The index of the interface.
    pub(crate) index: u32,
    /// The address itself (`IFA_LOCAL`), never a peer's.
    pub(crate) ip: IpAddr,
    /// The length of the prefix, in bits.
    pub(crate) prefix: u8,
    /// The other end of a point-to-point address, where it isn't the address itself.
    pub(crate) peer: Option<IpAddr>,
    /// The IPv4 broadcast address.
    pub(crate) broadcast: Option<std::net::Ipv4Addr>,
    /// The IPv4 label; the interface's name where none was given.
    pub(crate) label: Option<String>,
    /// `IFA_F_*` (linux/if_addr.h).
    pub(crate) flags: u32,
    /// `RT_SCOPE_*` (linux/rtnetlink.h).
    pub(crate) scope: u8,
    /// Seconds for which it is preferred; `None` is forever.
    pub(crate) preferred: Option<u32>,
    /// Seconds for which it is valid; `None` is forever.
    pub(crate) valid: Option<u32>,
    /// The metric of its prefix's route (`IFA_RT_PRIORITY`).
    pub(crate) metric: Option<u32>,
}

impl Assigned {
    /// An address without anything that it need not have.
    pub(crate) const fn bare(index: u32, ip: IpAddr, prefix: u8) -> Self {
        Self {
            index,
            ip,
            prefix,
            peer: None,
            broadcast: None,
            label: None,
            flags: 0,
            scope: 0,
            preferred: None,
            valid: None,
            metric: None,
        }
    }
}

/// Whether the network of an address with this prefix has another address in it.
pub(crate) fn contains(network: IpAddr, prefix: u8, ip: IpAddr) -> bool {
    let bits = |ip| match ip {
        // Aligned to the left, so that a prefix means the same in both families.
        IpAddr::V4(ip) => u128::from(u32::from(ip)) << 96,
        IpAddr::V6(ip) => u128::from(ip),
    };
    let differing = (bits(network) ^ bits(ip)).leading_zeros();
    Family::of(network) == Family::of(ip) && differing >= u32::from(prefix)
}

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) index: u32,
    pub(crate) name: String,
    pub(crate) altnames: Vec<String>,
    /// `ARPHRD_*` (linux/if_arp.h).
    pub(crate) hardware: u16,
    /// `IFF_*` (linux/if.h).
    pub(crate) flags: u32,
    /// `IF_OPER_*` (RFC 2863, linux/if.h).
    pub(crate) operstate: u8,
    /// Whether there is a carrier.
    pub(crate) has_carrier: bool,
    /// How often the carrier came or went.
    pub(crate) carrier_changes: u32,
    /// The hardware address: 6 bytes on Ethernet, 20 on InfiniBand, none on others.
    pub(crate) mac: Vec<u8>,
    /// The hardware broadcast address.
    pub(crate) broadcast: Vec<u8>,
}

impl Link {
    /// Whether a flag is set (`IFF_*`).
    pub(crate) const fn has(&self, flag: i32) -> bool {
        self.flags & flag.cast_unsigned() != 0
    }

    /// Whether it is switched off or says that it has no link (RFC 2863); many never say either.
    pub(crate) fn is_down(&self) -> bool {
        const DOWN: u8 = 2;
        const LOWER_LAYER_DOWN: u8 = 3;
        !self.has(libc::IFF_UP) || [DOWN, LOWER_LAYER_DOWN].contains(&self.operstate)
    }
}

impl Assigned {
    /// Whether a flag is set (`IFA_F_*`).
    pub(crate) const fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }
}

/// A route that the kernel has for an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    /// The interface; `None` for unreachable, blackhole and the like, and where there are several.
    pub(crate) index: Option<u32>,
    /// The destination; `None` is everywhere.
    pub(crate) destination: Option<IpAddr>,
    /// The length of its destination's prefix, in bits.
    pub(crate) prefix: u8,
    /// `RTN_*`: unicast, local, unreachable…
    pub(crate) kind: u8,
    /// Its table. IPv4's table "local" is told apart from "main" by `kind` only: the kernel keeps both in one.
    pub(crate) table: u32,
    pub(crate) protocol: u8,
    /// `RT_SCOPE_*`.
    pub(crate) scope: u8,
    pub(crate) source: Option<IpAddr>,
    pub(crate) metric: Option<u32>,
    /// Whether a gateway is between.
    pub(crate) is_via: bool,
}

/// A hardware address as people write it.
pub(crate) struct Mac<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Mac<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            let colon = if place == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02x}")?;
        }
        Ok(())
    }
}
