// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The cases of the shell agent's own test suites (IPaddr2, IPaddr2v4 and IPaddr2v6 of ocft), by their
//! numbers there; what is tested elsewhere in the same way isn't repeated.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use ipaddr2_tests::Row;
use ipaddr2_tests::side_by_side::check;
use ipaddr2_tests::world::{VIP, VIP6};

fn row(name: &str) -> Row {
    Row::new(name, VIP)
}

#[test]
fn ocft_of_the_agent() {
    check(
        "ocft IPaddr2",
        &[
            row("12: stop twice").stop(0, "").then("stop", 0, ""),
            row("15: unknown action").then("nonsense", 3, "nonsense"),
            Row::new("16: the loopback's network", "127.0.0.3").works(),
            row("17: with a label").options("iflabel=label").works(),
            row("18: with a label in nic").options("nic=v0:label").works(),
            row("19: a vanished interface")
                .options("nic=v1 cidr_netmask=24")
                .ip("link delete v1")
                .monitor(7, "")
                .stop(0, ""),
        ],
    );
}

#[test]
fn ocft_of_ipv4() {
    let gone = "address del 192.168.144.1/24 dev v0";
    check(
        "ocft IPaddr2v4",
        &[
            Row::new("8: off every network", "10.11.12.13").fails(5, "10.11.12.13"),
            row("9: an interface without an address").options("nic=v1").fails(5, "v1"),
            row("10: fewer bits than the network").options("cidr_netmask=16").fails(5, ""),
            row("11: another interface, by force").options("nic=v1 cidr_netmask=16").works(),
            row("12: an interface that lost its address").options("nic=v0").ip(gone).fails(5, "v0"),
            row("14: bits within the network").options("cidr_netmask=28").works(),
            row("15: no network, and a prefix").options("cidr_netmask=24").ip(gone).fails(5, ""),
            row("16: another interface, fewer bits").options("nic=v1 cidr_netmask=28").works(),
            row("17: the same without a network")
                .options("nic=v1 cidr_netmask=28")
                .ip(gone)
                .works(),
            row("18: a foreign broadcast").options("broadcast=10.1.1.255").works(),
            row("19: no network, and a broadcast")
                .options("broadcast=192.168.144.255")
                .ip(gone)
                .fails(5, ""),
            row("20: interface, prefix and broadcast")
                .options("nic=v1 cidr_netmask=24 broadcast=192.168.144.255")
                .works(),
            row("21: the same without a network")
                .options("nic=v1 cidr_netmask=24 broadcast=192.168.144.255")
                .ip(gone)
                .works(),
        ],
    );
}

#[test]
fn ocft_of_ipv6() {
    let row = |name: &str| Row::new(name, VIP6).options("nodad=true");
    let gone = "address del 2001:db8:1234::1/64 dev v0";
    check(
        "ocft IPaddr2v6",
        &[
            Row::new("6: off every network", "2001:db8:9999::2").fails(5, "2001:db8:9999::2"),
            Row::new("7: link-local without an interface", "fe80::2").fails(6, "nic"),
            row("8: an interface").options("nic=v0").works(),
            row("10: an interface that lost its address").options("nic=v0").ip(gone).fails(5, "v0"),
            row("11: an interface without an address").options("nic=v1").fails(5, "v1"),
            row("12: a prefix").options("cidr_netmask=64").works(),
            row("13: bits within the network").options("cidr_netmask=80").works(),
            row("14: fewer bits than the network").options("cidr_netmask=48").fails(5, ""),
            row("15: no network, and a prefix").options("cidr_netmask=64").ip(gone).fails(5, ""),
            row("16: interface and prefix").options("nic=v0 cidr_netmask=64").works(),
            row("17: another interface, more bits").options("nic=v1 cidr_netmask=80").works(),
            row("18: another interface, fewer bits").options("nic=v1 cidr_netmask=48").works(),
            row("19: the same without a network")
                .options("nic=v1 cidr_netmask=80")
                .ip(gone)
                .works(),
        ],
    );
}
