// SPDX-License-Identifier: Apache-2.0 OR MIT
//! From where a server is asked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The loopback's address, where all of the addresses that are asked are this host's and one isn't the
/// loopback's own already.
pub(super) fn find(addresses: &[SocketAddr]) -> Option<IpAddr> {
    let other = addresses.iter().find(|address| !address.ip().is_loopback())?;
    let is_here = |address: &SocketAddr| address.ip().is_loopback() || is_ours(address.ip());
    let loopback = match other {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    addresses.iter().all(is_here).then_some(loopback)
}

/// Whether this host has an address: nobody else's can be taken. Nothing is sent for that.
fn is_ours(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(addresses: &[&str]) -> Option<IpAddr> {
        let addresses = addresses.iter().map(|address| address.parse().expect("an address"));
        find(&addresses.collect::<Vec<_>>())
    }

    #[test]
    fn another_host_is_never_asked_from_the_loopback() {
        // Addresses for documents (RFC 5737, RFC 3849).
        assert_eq!(found(&["192.0.2.1:80"]), None);
        assert_eq!(found(&["[2001:db8::1]:80"]), None);
        assert_eq!(found(&["127.0.0.1:80", "192.0.2.1:80"]), None);
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn the_loopback_needs_no_choice() {
        assert_eq!(found(&["127.0.0.1:80", "[::1]:80", "127.0.1.1:80"]), None);
    }
}
