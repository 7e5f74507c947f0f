// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What all nodes have to agree on: the seed, by which they tell whose a client is, and the shared hardware
//! address. Unless they are given, both come from one text about the address, in the way of the shell
//! agents of 2026: a cluster may be half upgraded.

use crate::Parameters;
use crate::configuration::Broadcast;
use std::net::{IpAddr, Ipv4Addr};

/// A hardware address of Ethernet.
pub(crate) type Mac = [u8; 6];

/// The digest of what is known of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity([u8; 16]);

impl Identity {
    /// Of an address, the length of its prefix, and its broadcast address: as the parameter says it, where
    /// it does, else the one that was found.
    pub(crate) fn of(
        ip: IpAddr,
        prefix: u8,
        parameter: Option<Broadcast>,
        found: Option<Ipv4Addr>,
    ) -> Self {
        let broadcast = match parameter {
            Some(Broadcast::Last) => Some("+".to_owned()),
            Some(Broadcast::First) => Some("-".to_owned()),
            Some(Broadcast::Address(address)) => Some(address.to_string()),
            Some(Broadcast::None) | None => found.map(|address| address.to_string()),
        };
        let broadcast = broadcast.map_or_else(String::new, |text| format!(" {text}"));
        Self(md5::compute(format!("{ip} {prefix}{broadcast}\n")).0)
    }

    /// The first four bytes.
    pub(crate) const fn seed(self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_be_bytes([a, b, c, d])
    }

    /// The first six, made a multicast address of the family.
    pub(crate) const fn mac(self, ip: IpAddr) -> Mac {
        let [first, second, c, d, e, f, ..] = self.0;
        match ip {
            IpAddr::V6(_) => [0x33, 0x33, c, d, e, f],
            // The digit that makes an even byte odd is always 1.
            IpAddr::V4(_) if first & 1 == 0 => [first & 0xf0 | 1, second, c, d, e, f],
            IpAddr::V4(_) => [first, second, c, d, e, f],
        }
    }
}

/// A seed: a decimal number, or 0x and hexadecimal digits.
///
/// # Errors
/// Why it is none.
pub(crate) fn parse_seed(text: &str) -> Result<u32, &'static str> {
    let text = text.trim();
    let all = |text: &str, is_digit: fn(&u8) -> bool| text.bytes().all(|byte| is_digit(&byte));
    let parsed = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) if all(digits, u8::is_ascii_hexdigit) => u32::from_str_radix(digits, 16),
        // iptables reads it as octal, others as decimal, and the nodes would disagree.
        None if text.len() > 1 && text.starts_with('0') => return Err("begins with a zero"),
        None if all(text, u8::is_ascii_digit) => text.parse(),
        _ => return Err("is neither a decimal number nor 0x and hexadecimal digits"),
    };
    parsed.map_err(|_| "is no number of 32 bits")
}

/// A multicast hardware address: six bytes of two hexadecimal digits, the first one odd.
///
/// # Errors
/// Why it is none.
pub(crate) fn parse_mac(text: &str) -> Result<Mac, &'static str> {
    const FORM: &str = "is no hardware address such as 01:00:5e:00:00:01";
    let mut mac = Mac::default();
    let mut parts = text.trim().split([':', '-', '.']);
    for byte in &mut mac {
        let digits = parts.next().filter(|digits| digits.len() == 2).ok_or(FORM)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(FORM);
        }
        *byte = u8::from_str_radix(digits, 16).map_err(|_| FORM)?;
    }
    let [first, ..] = mac;
    match parts.next() {
        Some(_) => Err(FORM),
        None if first & 1 == 0 => Err("is no multicast address: its first byte has to be odd"),
        None => Ok(mac),
    }
}

/// The seed that the parameters give; none where they give none, or a bad one.
pub(crate) fn given_seed(parameters: &Parameters) -> Option<u32> {
    parameters.clusterip_hash_seed.as_deref().and_then(|text| parse_seed(text).ok())
}

/// The hardware address that the parameters give; none where they give none, or a bad one.
pub(crate) fn given_mac(parameters: &Parameters) -> Option<Mac> {
    parameters.mac.as_deref().and_then(|text| parse_mac(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;

    const BROADCAST: Option<Ipv4Addr> = Some(Ipv4Addr::new(10, 9, 0, 255));

    fn ipv4(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 9, 0, last))
    }

    #[test]
    fn seed_and_mac_are_those_of_the_shell_agent() {
        // Seen in the rules that the shell agent of August 2026 made for these addresses.
        let identity = Identity::of(ipv4(100), 24, None, BROADCAST);
        assert_eq!(identity.seed(), 0x2374_d100);
        assert_eq!(identity.mac(ipv4(100)), [0x23, 0x74, 0xd1, 0x00, 0xa3, 0x5f]);
        let ip = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x100));
        let identity = Identity::of(ip, 64, None, None);
        assert_eq!(identity.seed(), 0x3884_8739);
        assert_eq!(identity.mac(ip), [0x33, 0x33, 0x87, 0x39, 0x90, 0xf1]);
    }

    #[test]
    fn a_rule_for_the_broadcast_is_hashed_as_it_is_written() {
        let rule = |rule| Identity::of(ipv4(100), 24, rule, BROADCAST);
        let text = |text: &str| Identity(md5::compute(text).0);
        assert_eq!(rule(Some(Broadcast::Last)), text("10.9.0.100 24 +\n"));
        assert_eq!(rule(Some(Broadcast::First)), text("10.9.0.100 24 -\n"));
        let other = Ipv4Addr::new(10, 255, 255, 255);
        let given = rule(Some(Broadcast::Address(other)));
        assert_eq!(given, text("10.9.0.100 24 10.255.255.255\n"));
        assert_eq!(Identity::of(ipv4(100), 24, None, None), text("10.9.0.100 24\n"));
    }

    #[test]
    fn an_even_first_byte_ends_in_one() {
        for (first, odd) in [(0x2e, 0x21), (0x20, 0x21), (0xff, 0xff), (0x00, 0x01)] {
            let mut digest = [0; 16];
            digest[0] = first;
            assert_eq!(Identity(digest).mac(ipv4(1))[0], odd);
        }
    }

    #[test]
    fn a_seed_means_the_same_to_everybody() {
        assert_eq!(parse_seed("99"), Ok(99));
        assert_eq!(parse_seed("0"), Ok(0));
        assert_eq!(parse_seed("0xffffffff"), Ok(u32::MAX));
        for bad in [
            "",
            "010",
            "-1",
            "+1",
            "1.5",
            "0x",
            "0xg",
            "0x+1",
            "4294967296",
            "0x100000000",
            "deadbeef",
            "1 2",
        ] {
            assert!(parse_seed(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_shared_mac_is_a_multicast_address() {
        assert_eq!(parse_mac("01:00:5E:7f:00:01"), Ok([1, 0, 0x5e, 0x7f, 0, 1]));
        assert_eq!(parse_mac("01-00-5e-7f-00-01"), Ok([1, 0, 0x5e, 0x7f, 0, 1]));
        for bad in [
            "",
            "00:00:5e:7f:00:01",
            "01:00:5e:7f:00",
            "01:00:5e:7f:00:01:02",
            "01005e7f0001",
            "1:0:5e:7f:0:1",
            "01:00:5e:7f:00:+1",
            "zz:00:5e:7f:00:01",
        ] {
            assert!(parse_mac(bad).is_err(), "{bad:?}");
        }
    }
}
