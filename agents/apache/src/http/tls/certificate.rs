// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a certificate says of itself (RFC 5280, section 4.1), as far as it is needed where the library for it
//! reads none: of version 1, and a name that stands in the subject only.

use rustls::pki_types::UnixTime;

/// The tags that are met (ITU-T X.690, section 8).
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OBJECT: u8 = 0x06;
const TIMES: [u8; 2] = [0x17, 0x18];
const TEXTS: [u8; 4] = [0x0c, 0x13, 0x14, 0x16];

/// The attribute `commonName`.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// A certificate's parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Certificate<'a> {
    /// What its issuer signed.
    pub(super) signed: &'a [u8],
    /// How.
    pub(super) algorithm: &'a [u8],
    /// The signature.
    pub(super) signature: &'a [u8],
    /// Whether it is of version 1, which has no extensions.
    pub(super) is_first_version: bool,
    /// The issuer's name.
    pub(super) issuer: &'a [u8],
    times: [&'a [u8]; 2],
    subject: &'a [u8],
    /// The whole of the subject's key.
    pub(super) key: &'a [u8],
}

/// A key: its algorithm and its bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key<'a> {
    /// The algorithm, without what says that it is one.
    pub(super) algorithm: &'a [u8],
    /// The bits.
    pub(super) bits: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// The parts of what should be a certificate.
    pub(super) fn find(bytes: &'a [u8]) -> Option<Self> {
        let mut whole = Reader(Reader(bytes).take(SEQUENCE)?);
        let before = whole.0;
        let mut inner = Reader(whole.take(SEQUENCE)?);
        let signed = before.get(..before.len() - whole.0.len())?;
        let algorithm = whole.take(SEQUENCE)?;
        let signature = bits(whole.take(BITS)?)?;
        let is_first_version = inner.0.first() != Some(&VERSION);
        if !is_first_version {
            inner.take(VERSION)?;
        }
        inner.take(INTEGER)?;
        inner.take(SEQUENCE)?;
        let issuer = inner.take(SEQUENCE)?;
        let mut validity = Reader(inner.take(SEQUENCE)?);
        let times = [validity.time()?, validity.time()?];
        let subject = inner.take(SEQUENCE)?;
        let before = inner.0;
        inner.take(SEQUENCE)?;
        let key = before.get(..before.len() - inner.0.len())?;
        let subject =
            Self { signed, algorithm, signature, is_first_version, issuer, times, subject, key };
        // Nothing may follow that nobody looks at.
        (!is_first_version || inner.0.is_empty()).then_some(subject)
    }

    /// Whether it has begun to be valid, and whether it is over.
    pub(super) fn validity(&self, now: UnixTime) -> Option<(bool, bool)> {
        let (now, [from, to]) = (digits(now), self.times);
        Some((year_first(from)? <= now, year_first(to)? < now))
    }

    /// The common name of its subject; the last, where there are several.
    pub(super) fn common_name(&self) -> Option<&'a str> {
        let (mut subject, mut found) = (Reader(self.subject), None);
        while !subject.0.is_empty() {
            let mut set = Reader(subject.take(SET)?);
            while !set.0.is_empty() {
                let mut attribute = Reader(set.take(SEQUENCE)?);
                if attribute.take(OBJECT)? == COMMON_NAME {
                    let (tag, text) = attribute.next()?;
                    found = TEXTS.contains(&tag).then(|| std::str::from_utf8(text).ok())?;
                }
            }
        }
        found
    }
}

/// Whether a name in a certificate is for a host: `*` stands for its first word, and only there.
pub(super) fn is_for(name: &str, host: &str) -> bool {
    let host = host.trim_end_matches('.');
    match (name.strip_prefix("*."), host.split_once('.')) {
        (Some(behind), Some((_, rest))) => {
            behind.contains('.')
                && host.parse::<std::net::IpAddr>().is_err()
                && behind.eq_ignore_ascii_case(rest)
        }
        _ => name.eq_ignore_ascii_case(host),
    }
}

impl<'a> Key<'a> {
    /// The parts of a key, without what says that it is one.
    pub(super) fn find(bytes: &'a [u8]) -> Option<Self> {
        let mut key = Reader(bytes);
        Some(Self { algorithm: key.take(SEQUENCE)?, bits: bits(key.take(BITS)?)? })
    }

    /// The same of one that says so.
    pub(super) fn of(certificate: &Certificate<'a>) -> Option<Self> {
        Self::find(Reader(certificate.key).take(SEQUENCE)?)
    }
}

/// Whole bytes of bits.
fn bits(content: &[u8]) -> Option<&[u8]> {
    content.split_first().filter(|(unused, _)| **unused == 0).map(|(_, bits)| bits)
}

/// A time with four digits of its year: the order of such texts is that of the times.
fn year_first(time: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(time).ok()?.strip_suffix('Z')?;
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.len() {
        12 if is_number => {
            let century = if text < "5" { "20" } else { "19" };
            Some(format!("{century}{text}"))
        }
        14 if is_number => Some(text.to_owned()),
        _ => None,
    }
}

/// The same of a time in seconds since 1970: years begin in March here, so that a leap day is their last.
fn digits(time: UnixTime) -> String {
    let seconds = time.as_secs();
    let days = seconds / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (era * 400 + year + u64::from(month > 9), (month + 2) % 12 + 1);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
}

/// Reads one value after the other.
#[derive(Debug)]
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The next value and its tag.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            0x81..=0x83 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, content))
    }

    /// The next value, which has this tag.
    fn take(&mut self, wanted: u8) -> Option<&'a [u8]> {
        self.next().filter(|(tag, _)| *tag == wanted).map(|(_, content)| content)
    }

    fn time(&mut self) -> Option<&'a [u8]> {
        self.next().filter(|(tag, _)| TIMES.contains(tag)).map(|(_, content)| content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_time_is_the_calendar_s() {
        for (seconds, text) in [
            (0, "19700101000000"),
            (951_782_399, "20000228235959"),
            (951_782_400, "20000229000000"),
            (951_868_800, "20000301000000"),
            (1_735_689_599, "20241231235959"),
            (4_107_542_400, "21000301000000"),
        ] {
            assert_eq!(digits(UnixTime::since_unix_epoch(Duration::from_secs(seconds))), text);
        }
        assert_eq!(year_first(b"491231235959Z").as_deref(), Some("20491231235959"));
        assert_eq!(year_first(b"500101000000Z").as_deref(), Some("19500101000000"));
        assert_eq!(year_first(b"4912312359Z"), None);
    }

    #[test]
    fn a_star_is_one_word() {
        for (name, host) in [
            ("www.example", "WWW.example."),
            ("*.a.example", "www.a.example"),
            ("10.0.0.5", "10.0.0.5"),
        ] {
            assert!(is_for(name, host), "{name} {host}");
        }
        for (name, host) in [
            ("*.a.example", "a.example"),
            ("*.a.example", "x.www.a.example"),
            ("*.example", "www.example"),
            ("*", "localhost"),
            ("*.0.0.5", "10.0.0.5"),
            ("w*.a.example", "www.a.example"),
        ] {
            assert!(!is_for(name, host), "{name} {host}");
        }
    }

    #[test]
    fn half_a_certificate_is_none() {
        let certificate = [0x30, 0x82, 0x01, 0x00, 0x30, 0x03, 0x02, 0x01, 0x01];
        for length in 0..certificate.len() {
            assert!(Certificate::find(&certificate[..length]).is_none());
        }
        assert!(Reader(&[0x30, 0x80, 0, 0]).next().is_none(), "no length");
        assert!(Reader(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).next().is_none(), "too long");
    }
}
