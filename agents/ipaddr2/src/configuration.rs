// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The types of the parameters: texts that people write, parsed once.

use ocf::value::{ContentType, Parsed, Value};
use std::ffi::OsStr;
use std::net::Ipv4Addr;

/// The length of a prefix; the longest that the address's family has is judged with the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// In bits.
    pub bits: u8,
    /// Whether it was written as a mask, such as 255.255.255.0.
    pub is_mask: bool,
}

impl Value for Prefix {
    const CONTENT: ContentType = ContentType::String;

    fn parse(raw: &OsStr) -> Parsed<Self> {
        let text = raw.to_str().unwrap_or_default().trim();
        if let Some(bits) = dotted(text) {
            return Parsed::Good(Self { bits, is_mask: true });
        }
        // A leading zero would be an octal number to some who read it, and a decimal one to others.
        let is_plain = (text == "0" || !text.starts_with('0'))
            && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(bits) if is_plain && bits <= 128 => Parsed::Good(Self { bits, is_mask: false }),
            _ => Parsed::Bad("is no length of a prefix, such as 24".to_owned()),
        }
    }
}

/// The length of the prefix that a mask such as 255.255.255.0 means.
fn dotted(text: &str) -> Option<u8> {
    let mask = u32::from(text.parse::<Ipv4Addr>().ok()?);
    let ones = mask.leading_ones();
    (ones > 0 && mask.count_ones() == ones).then(|| u8::try_from(ones).ok())?
}

/// A rule for the broadcast address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broadcast {
    /// This one.
    Address(Ipv4Addr),
    /// `+`: all bits of the host's part are 1.
    Last,
    /// `-`: all are 0.
    First,
    /// An IPv6 address, which has no broadcast.
    None,
}

impl Value for Broadcast {
    const CONTENT: ContentType = ContentType::String;

    fn parse(raw: &OsStr) -> Parsed<Self> {
        let text = raw.to_str().unwrap_or_default().trim();
        match (text, text.parse::<Ipv4Addr>()) {
            ("+", _) => Parsed::Good(Self::Last),
            ("-", _) => Parsed::Good(Self::First),
            (_, Ok(address)) if address.octets().first() != Some(&0) => {
                Parsed::Good(Self::Address(address))
            }
            // The one of an IPv6 address has always been passed over.
            (text, _) if text.parse::<std::net::Ipv6Addr>().is_ok() => Parsed::Good(Self::None),
            _ => Parsed::Bad("is neither an IPv4 address nor + or -".to_owned()),
        }
    }
}

/// A lifetime in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// It doesn't end.
    Forever,
    /// It ends after so many seconds.
    Seconds(u32),
}

impl Value for Lifetime {
    const CONTENT: ContentType = ContentType::String;

    fn parse(raw: &OsStr) -> Parsed<Self> {
        match (raw.to_str().unwrap_or_default().trim(), u32::parse(raw)) {
            ("forever", _) => Parsed::Good(Self::Forever),
            (_, Parsed::Good(seconds)) if seconds < u32::MAX => {
                Parsed::Good(Self::Seconds(seconds))
            }
            _ => Parsed::Bad("is neither a number of seconds nor forever".to_owned()),
        }
    }
}

/// A routing protocol, by its number (`RTPROT_*`, linux/rtnetlink.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocol(pub u8);

/// The names that people know them by.
const PROTOCOLS: &[(&str, u8)] = &[
    ("unspec", 0),
    ("redirect", 1),
    ("kernel", 2),
    ("boot", 3),
    ("static", 4),
    ("gated", 8),
    ("ra", 9),
    ("mrt", 10),
    ("zebra", 11),
    ("bird", 12),
    ("dnrouted", 13),
    ("xorp", 14),
    ("ntk", 15),
    ("dhcp", 16),
    ("keepalived", 18),
    ("babel", 42),
    ("ovn", 84),
    ("openr", 99),
    ("bgp", 186),
    ("isis", 187),
    ("ospf", 188),
    ("rip", 189),
    ("eigrp", 192),
];

impl Value for Protocol {
    const CONTENT: ContentType = ContentType::String;

    fn parse(raw: &OsStr) -> Parsed<Self> {
        let text = raw.to_str().unwrap_or_default().trim();
        let named = PROTOCOLS.iter().find(|(name, _)| *name == text).map(|(_, number)| *number);
        match named.or_else(|| text.parse().ok()) {
            Some(number) => Parsed::Good(Self(number)),
            None => Parsed::Bad("is no routing protocol, such as kernel or static".to_owned()),
        }
    }
}

ocf::choice! {
    /// The programs whose packets are known.
    pub enum Sender {
        SendArp = "send_arp",
        Ipoibarping = "ipoibarping",
        IputilsArping = "iputils_arping",
        LibnetArping = "libnet_arping",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good<T: Value>(text: &str) -> Option<T> {
        match T::parse(OsStr::new(text)) {
            Parsed::Good(value) => Some(value),
            _ => None,
        }
    }

    #[test]
    fn a_prefix_is_decimal_or_a_mask() {
        let bits = |text: &str| good::<Prefix>(text).map(|prefix| prefix.bits);
        for (text, length) in [("24", 24), ("24 ", 24), ("1", 1), ("128", 128), ("0", 0)] {
            assert_eq!(bits(text), Some(length), "{text:?}");
        }
        for (mask, length) in [("255.255.255.0", 24), ("255.255.255.255", 32), ("128.0.0.0", 1)] {
            assert_eq!(bits(mask), Some(length), "{mask:?}");
        }
        let bad = [
            "024",
            "0x18",
            "-1",
            "+24",
            "129",
            "1234",
            "abc",
            "24.0",
            "/24",
            "2 4",
            "255.0.255.0",
            "255.255.255.256",
            "0.0.0.0",
            "\u{0662}\u{0664}",
        ];
        for text in bad {
            assert_eq!(bits(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_broadcast_is_an_address_or_a_rule() {
        let address = Broadcast::Address(Ipv4Addr::new(10, 0, 0, 255));
        assert_eq!(good("10.0.0.255"), Some(address));
        assert_eq!((good("+"), good("-")), (Some(Broadcast::Last), Some(Broadcast::First)));
        assert_eq!(good("2001:db8::1"), Some(Broadcast::None));
        for bad in ["none", "999.1.1.1", "0.0.0.0", "++", "10.0.0.0255"] {
            assert_eq!(good::<Broadcast>(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_lifetime_is_seconds_or_forever() {
        assert_eq!(good("forever"), Some(Lifetime::Forever));
        assert_eq!(good("600"), Some(Lifetime::Seconds(600)));
        for bad in ["-1", "0sec", "junk", "4294967295", "4294967296"] {
            assert_eq!(good::<Lifetime>(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_protocol_has_a_name_or_a_number() {
        assert_eq!(
            (good("kernel"), good("42"), good("255")),
            (Some(Protocol(2)), Some(Protocol(42)), Some(Protocol(255)))
        );
        for bad in ["256", "-1", "kernels"] {
            assert_eq!(good::<Protocol>(bad), None, "{bad}");
        }
    }
}
