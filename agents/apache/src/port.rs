// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The parameter `port`. The shell agent never looked at it, so that anything may stand there in a cluster
//! that works.

use ocf::value::{ContentType, Parsed, Value};
use std::ffi::OsStr;

/// A port, where it is one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Port(pub(crate) Option<u16>);

impl Value for Port {
    const CONTENT: ContentType = ContentType::Integer;
    const OPTIONAL: bool = true;

    fn parse(raw: &OsStr) -> Parsed<Self> {
        let number = raw.to_str().and_then(|text| text.trim().parse().ok());
        match number.filter(|port| *port != 0) {
            Some(port) => Parsed::Good(Self(Some(port))),
            None => {
                let complaint = "is no port from 1 to 65535 and counts as unset";
                Parsed::Doubtful(Self(None), complaint.to_owned())
            }
        }
    }

    fn unset() -> Option<Self> {
        Some(Self(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_port_fails_no_start() {
        for text in ["70000", "http", "80,443", "0", "-1", " "] {
            let parsed = Port::parse(OsStr::new(text));
            assert!(matches!(parsed, Parsed::Doubtful(Port(None), _)), "{text:?}: {parsed:?}");
        }
        assert_eq!(Port::parse(OsStr::new(" 8080 ")), Parsed::Good(Port(Some(8080))));
    }
}
