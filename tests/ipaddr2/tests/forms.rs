// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Texts: the broadcast, the prefix, the label, the address.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use ipaddr2_tests::Row;
use ipaddr2_tests::side_by_side::check;
use ipaddr2_tests::world::VIP;

fn row(name: &str) -> Row {
    Row::new(name, VIP)
}

#[test]
fn broadcasts() {
    let of = |value: &str| row(&format!("broadcast={value}")).with("broadcast", value);
    let bad = |value: &str| of(value).looks(7).validate(6, "broadcast").fails(6, "broadcast");
    let bare = "address del 192.168.144.1/24 dev v0\naddress add 192.168.144.1/24 dev v0";
    check(
        "broadcast",
        &[
            of("+").works(),
            of("-").works(),
            of("192.168.144.255").works(),
            of("10.255.255.255").works(),
            of(VIP).works(),
            bad("none"),
            bad("999.1.1.1"),
            bad("0.0.0.0"),
            row("none asked for").works(),
            row("none asked for, 28 bits").options("cidr_netmask=28").works(),
            row("none asked for, 32 bits").options("cidr_netmask=32").works(),
            row("none asked for, and the network has none").ip(bare).works(),
            row("none asked for, and no network").options("nic=v1 cidr_netmask=24").works(),
            row("+ with 28 bits").options("cidr_netmask=28 broadcast=+").works(),
        ],
    );
}

#[test]
fn prefixes() {
    let of = |value: &str| row(&format!("cidr_netmask={value:?}")).with("cidr_netmask", value);
    let bad = |value: &str| of(value).looks(7).validate(6, "cidr_netmask").fails(6, "cidr_netmask");
    check(
        "prefix",
        &[
            of("24").looks(7).validate(0, "").works(),
            of("28").looks(7).works(),
            of("32").looks(7).works(),
            of("255.255.255.0").looks(7).works(),
            of("24 ").looks(7).works(),
            of("16").looks(7).validate(5, "").fails(5, ""),
            row("16, with an interface").options("nic=v0 cidr_netmask=16").looks(7).works(),
            row("by its old name").options("netmask=28").works(),
            row("by both names").options("netmask=28 cidr_netmask=26").works(),
            bad("0"),
            bad("33"),
            bad("-1"),
            bad("abc"),
            bad("24.0"),
            bad("1234"),
            bad("/24"),
            bad("024"),
            row("024, with an interface")
                .options("nic=v0 cidr_netmask=024")
                .looks(7)
                .fails(6, "cidr_netmask"),
            bad("0x18"),
            bad("255.0.255.0"),
            bad("255.255.255.256"),
        ],
    );
}

#[test]
fn labels() {
    let labelled = "address add 192.168.144.2/24 brd + dev v0 label v0:foo";
    let unlabelled = "address add 192.168.144.2/24 brd + dev v0";
    let elsewhere = "address add 192.168.144.2/24 brd + dev v1";
    let with = |name: &str, label: &str| row(name).options("nic=v0").with("iflabel", label);
    check(
        "label",
        &[
            with("asked for", "foo").looks(7).validate(0, "").works(),
            with("there", "foo").ip(labelled).looks(0).start(0, "").stop(0, ""),
            with("another is there", "bar").ip(labelled).looks(0).start(0, "").stop(0, ""),
            with("none is there", "bar").ip(unlabelled).looks(0).start(0, "").stop(0, ""),
            row("there, none asked for").ip(labelled).looks(0).start(0, "").stop(0, ""),
            with("on another interface", "bar")
                .ip(elsewhere)
                .looks(7)
                .start(0, "")
                .stop(0, "")
                .keeps(),
            with("of 15 characters", "123456789012").looks(7).works(),
            with("of 16 characters", "1234567890123")
                .looks(7)
                .validate(6, "iflabel")
                .fails(6, "iflabel"),
            row("of 16 characters, without an interface")
                .options("iflabel=1234567890123")
                .fails(6, "iflabel"),
            with("with a blank", "a b").looks(7).fails(6, "iflabel"),
            with("with a star", "a*").looks(7).works(),
            with("empty", "").looks(7).works(),
            row("in the interface's name").options("nic=v0:7").looks(7).works(),
            row("in the interface's name, and another").options("nic=v0:7 iflabel=x").works(),
            row("in the interface's name, empty").options("nic=v0:").looks(7).works(),
        ],
    );
}

#[test]
fn addresses() {
    let of = |value: &str| Row::new(&format!("ip={value:?}"), "").with("ip", value);
    let bad = |value: &str| of(value).looks(7).validate(6, "ip").fails(6, "ip");
    check(
        "text",
        &[
            Row::new("ip is unset", "").looks(7).validate(6, "ip").fails(6, "ip"),
            of("").looks(7).validate(6, "ip").fails(6, "ip"),
            bad("not_ip"),
            bad("1.2.3.4.5"),
            bad("a b"),
            bad("192.168.144.256"),
            bad("192.168.144"),
            bad("192.168.144.2/24"),
            bad("192.168.144.002"),
            bad("0.1.2.3"),
            bad("0.0.0.0"),
            bad("224.0.0.1"),
            bad("255.255.255.255"),
            bad("2001:db8:1234::zz"),
            of("8.8.8.8").looks(7).validate(5, "8.8.8.8").fails(5, "8.8.8.8"),
            Row::new("a blank before", " 192.168.144.2").looks(7).works(),
        ],
    );
}
