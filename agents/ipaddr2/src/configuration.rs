// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The types of the parameters: texts that people write, parsed once.

use ocf::value::{ContentType, Parsed, Value};
use std::ffi::OsStr;
use std::net::Ipv4Addr;

/// The length of a prefix, in bits; the longest that the address's family has is judged with the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix(pub u8);

impl Value for Prefix {
    const CONTENT: ContentType = ContentType::String;

    fn parse(raw: &OsStr) -> Parsed<Self> {
        let text = raw.to_str().unwrap_or_default().trim();
        if let Some(bits) = dotted(text) {
            let complaint = format!("is a mask: write {bits}, the length of the prefix");
            return Parsed::Doubtful(Self(bits), complaint);
        }
        // A leading zero would be an octal number to some who read it, and a decimal one to others.
        let is_plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(bits) if is_plain && bits <= 128 => Parsed::Good(Self(bits)),
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
            // The broadcast rule of IPv6 addresses has always been passed over.
            (text, _) if text.parse::<std::net::Ipv6Addr>().is_ok() => {
                Parsed::Doubtful(Self::Last, "is no IPv4 address".to_owned())
            }
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

ocf::choice! {
    /// The programs whose packets are known.
    pub enum Sender {
        SendArp = "send_arp",
        Ipoibarping = "ipoibarping",
        IputilsArping = "iputils_arping",
        LibnetArping = "libnet_arping",
    }
}
