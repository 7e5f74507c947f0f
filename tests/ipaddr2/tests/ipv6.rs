// SPDX-License-Identifier: Apache-2.0 OR MIT
//! IPv6: duplicate address detection, spellings, scopes, labels and lifetimes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use ipaddr2_tests::side_by_side::check;
use ipaddr2_tests::world::{VIP6, World};
use ipaddr2_tests::{Row, wait_for};

fn row(name: &str) -> Row {
    Row::new(name, VIP6)
}

const OWNED: &str = "address add 2001:db8:1234::2/64 dev p0 nodad";

/// The address is on the node already, and turned out to be the neighbour's.
fn duplicate(world: &World) {
    world.peer.ip(OWNED);
    world.node.ip("address add 2001:db8:1234::2/64 dev v0");
    let failed = || world.has(VIP6).iter().any(|line| line.contains("dadfailed")).then_some(());
    wait_for("the end of duplicate address detection", failed);
}

#[test]
fn duplicates() {
    check(
        "IPv6",
        &[
            row("absent").looks(7).validate(0, "").works(),
            row("there")
                .ip("address add 2001:db8:1234::2/64 dev v0 nodad")
                .looks(0)
                .start(0, "")
                .stop(0, ""),
            row("there with another prefix")
                .options("nic=v0 cidr_netmask=64")
                .ip("address add 2001:db8:1234::2/128 dev v0 nodad")
                .looks(7)
                .start(1, "2001:db8:1234::2/128")
                .stop(0, "")
                .keeps(),
            row("without detection").options("nodad=true").looks(7).works(),
            row("announced in the background").options("arp_bg=true").works(),
            row("the neighbour's").neighbour(OWNED).fails(1, VIP6),
            row("the neighbour's, without detection")
                .options("nodad=true")
                .neighbour(OWNED)
                .works(),
            row("a duplicate already")
                .prepare(duplicate)
                .probe(1, VIP6)
                .monitor(1, VIP6)
                .stop(0, ""),
            row("without a carrier")
                .neighbour("link set p0 down")
                .looks(7)
                .start(0, "")
                .then("monitor", 0, "")
                .then("stop", 0, ""),
            row("where IPv6 is switched off")
                .options("nic=v0 cidr_netmask=64")
                .set("ipv6/conf/v0/disable_ipv6", "1")
                .looks(7)
                .fails(5, "v0|IPv6"),
        ],
    );
}

#[test]
fn spellings_and_scopes() {
    check(
        "IPv6 text",
        &[
            Row::new("written at length", "2001:DB8:1234:0:0:0:0:2").looks(7).works(),
            Row::new("written at length, without a route", "2001:DB8:5678:0000::2")
                .options("nic=v1 cidr_netmask=64 nodad=true")
                .looks(7)
                .works(),
            Row::new("without a route", "2001:db8:5678::2").looks(7).validate(5, "").fails(5, ""),
            Row::new("link-local", "fe80::2").looks(7).validate(6, "nic").fails(6, "nic"),
            Row::new("link-local at length", "fe80:0::2").fails(6, "nic"),
            Row::new("link-local with bits", "fe80:1::5").fails(6, "nic"),
            Row::new("the end of the link-local ones", "febf::5").fails(6, "nic"),
            Row::new("link-local with its interface", "fe80::2")
                .options("nic=v0 nodad=true")
                .looks(7)
                .works(),
            Row::new("the loopback's own", "::1").start(6, "ip"),
            Row::new("a group's", "ff02::1").looks(7).validate(6, "ip").fails(6, "ip"),
            Row::new("nobody's", "::").looks(7).validate(6, "ip").fails(6, "ip"),
            Row::new("IPv4 in IPv6", "::ffff:192.168.144.2").looks(7).fails(6, "ip"),
            Row::new("with a zone", "fe80::2%v0").looks(7).fails(6, "ip"),
            row("with 128 bits").options("cidr_netmask=128 nodad=true").looks(7).works(),
            row("with 80 bits").options("cidr_netmask=80 nodad=true").looks(7).works(),
            row("with less bits than the route").options("cidr_netmask=48").looks(7).fails(5, ""),
            row("with less bits and an interface")
                .options("cidr_netmask=48 nic=v0 nodad=true")
                .looks(7)
                .works(),
            row("with 129 bits")
                .options("cidr_netmask=129")
                .looks(7)
                .validate(6, "cidr_netmask")
                .fails(6, "cidr_netmask"),
            row("with 0 bits").options("cidr_netmask=0").looks(7).fails(6, "cidr_netmask"),
        ],
    );
}

#[test]
fn tunables() {
    let labelled = |name: &str, value: &str| {
        row(name)
            .options("lvs_ipv6_addrlabel=true nodad=true")
            .with("lvs_ipv6_addrlabel_value", value)
    };
    check(
        "IPv6 option",
        &[
            row("with a broadcast").options("broadcast=+ nodad=true").works(),
            row("with an IPv6 broadcast").options("broadcast=2001:db8::1 nodad=true").works(),
            row("with a label").options("iflabel=x nodad=true").looks(7).works(),
            row("never preferred").options("preferred_lft=0 nodad=true").works(),
            row("preferred for a while").options("preferred_lft=600 nodad=true").works(),
            row("preferred for ever").options("preferred_lft=forever nodad=true").works(),
            row("preferred for junk").options("preferred_lft=junk").fails(6, "preferred_lft"),
            row("preferred for less than 0").options("preferred_lft=-1").fails(6, "preferred_lft"),
            row("preferred for 0sec").options("preferred_lft=0sec").fails(6, "preferred_lft"),
            row("preferred for nothing").with("preferred_lft", "").options("nodad=true").works(),
            row("without a route of its own").options("noprefixroute=true nodad=true").works(),
            row("with an address label").options("lvs_ipv6_addrlabel=true nodad=true").works(),
            labelled("with another address label", "7").works(),
            labelled("with an address label below 0", "-1")
                .looks(7)
                .validate(6, "lvs_ipv6_addrlabel_value")
                .fails(6, "lvs_ipv6_addrlabel_value"),
            labelled("with a word as address label", "abc")
                .looks(7)
                .fails(6, "lvs_ipv6_addrlabel_value"),
            labelled("with the address label that is none", "4294967295")
                .looks(7)
                .validate(6, "lvs_ipv6_addrlabel_value")
                .fails(6, "lvs_ipv6_addrlabel_value"),
            labelled("with the last address label", "4294967294").works(),
            labelled("with an empty address label", "").looks(7).works(),
            row("with a unique address for each clone")
                .options(
                    "unique_clone_address=true CRM_meta_clone=1 CRM_meta_clone_max=2                      CRM_meta_globally_unique=true",
                )
                .fails(6, "unique_clone_address"),
        ],
    );
}
