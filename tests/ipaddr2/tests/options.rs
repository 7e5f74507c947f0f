// SPDX-License-Identifier: Apache-2.0 OR MIT
//! LVS, network namespaces, and all that announces the address.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use ipaddr2_tests::Row;
use ipaddr2_tests::side_by_side::check;
use ipaddr2_tests::world::{VIP, VIP6, World};

fn row(name: &str) -> Row {
    Row::new(name, VIP)
}

const CLONE: &str = "CRM_meta_clone=0 CRM_meta_clone_max=2";

#[test]
fn virtual_servers() {
    check(
        "lvs_support",
        &[
            row("the address waits on lo")
                .options("nic=v0 lvs_support=true")
                .ip("address add 192.168.144.2/32 dev lo")
                .looks(7)
                .start(0, "")
                .then("monitor", 0, "")
                .then("stop", 0, "")
                .then("probe", 7, "")
                .then("start", 0, "")
                .keeps(),
            row("no address on lo").options("nic=v0 lvs_support=true").looks(7).works(),
            Row::new("IPv6", VIP6)
                .options("lvs_support=true")
                .looks(7)
                .validate(6, "lvs_support")
                .fails(6, "lvs_support"),
            row("a clone of two")
                .options("lvs_support=true")
                .options(CLONE)
                .validate(6, "lvs_support")
                .fails(6, "lvs_support"),
        ],
    );
}

/// The node's own namespace by a name: what is done in it is seen.
fn named(world: &World) {
    world.node.name("blue", &world.node);
}

#[test]
fn namespaces() {
    check(
        "network_namespace",
        &[
            row("there").options("network_namespace=blue").prepare(named).looks(7).works(),
            row("missing")
                .options("network_namespace=blue")
                .looks(7)
                .validate(5, "blue")
                .fails(5, "blue"),
            row("empty").with("network_namespace", "").looks(7).works(),
            row("no name")
                .with("network_namespace", "../netns/blue")
                .prepare(named)
                .looks(7)
                .validate(6, "network_namespace")
                .fails(6, "network_namespace"),
        ],
    );
}

#[test]
fn announcements() {
    let of = |name: &str, value: &str| row(&format!("{name}={value}")).with(name, value);
    let bad =
        |name: &'static str, value: &str| of(name, value).looks(7).validate(6, name).fails(6, name);
    let owned = "address add 192.168.144.2/24 dev p0";
    check(
        "announcing",
        &[
            bad("arp_interval", "0"),
            bad("arp_interval", "-1"),
            bad("arp_interval", "abc"),
            of("arp_interval", "").looks(7).works(),
            bad("arp_count", "0"),
            bad("arp_count", "-1"),
            bad("arp_count", "abc"),
            of("arp_count", "").looks(7).works(),
            of("arp_count_refresh", "abc").looks(7).fails(6, "arp_count_refresh"),
            of("arp_count_refresh", "-1").looks(7).fails(6, "arp_count_refresh"),
            of("arp_count_refresh", "2").works(),
            of("arp_bg", "junk").looks(7).works(),
            of("arp_bg", "false").works(),
            bad("arp_sender", "junk"),
            of("arp_sender", "send_arp").works(),
            of("arp_sender", "ipoibarping").looks(7).works(),
            of("arp_sender", "libnet_arping").looks(7).works(),
            of("arp_sender", "iputils_arping").looks(7).works(),
            of("send_arp_opts", "--nonsense").works(),
            of("run_arping", "true").works(),
            row("run_arping, the neighbour's")
                .options("run_arping=true")
                .neighbour(owned)
                .fails(1, "192.168.144.2"),
            row("run_arping, without a carrier")
                .options("run_arping=true")
                .neighbour("link set p0 down")
                .start(0, "")
                .then("stop", 0, ""),
            row("the neighbour's, and nobody asks").neighbour(owned).works(),
            of("flush_routes", "true").works(),
            of("noprefixroute", "true").works(),
            of("preferred_lft", "600").works(),
            of("lvs_ipv6_addrlabel", "true").looks(7).works(),
        ],
    );
}

#[test]
fn clones() {
    let unique = "unique_clone_address=true CRM_meta_clone_max=4 CRM_meta_globally_unique=true";
    let of = |value: &str| {
        row(&format!("CRM_meta_clone_max={value:?}")).with("CRM_meta_clone_max", value)
    };
    check(
        "clone",
        &[
            of("1").looks(7).works(),
            of("0").looks(7).works(),
            of("-1").looks(7).works(),
            of("abc").looks(7).works(),
            row("of two that share the address")
                .options(CLONE)
                .with("CRM_meta_globally_unique", "true")
                .looks(7)
                .validate(0, "")
                .works(),
            row("an address of each instance's own, the first")
                .options(unique)
                .options("CRM_meta_clone=0")
                .looks(7)
                .works(),
            row("an address of each instance's own, the fourth")
                .options(unique)
                .options("CRM_meta_clone=3")
                .at("192.168.144.5")
                .looks(7)
                .works(),
            row("an address of each instance's own, and all are alike")
                .options("unique_clone_address=true CRM_meta_clone=0 CRM_meta_clone_max=4")
                .looks(7)
                .fails(6, "unique_clone_address"),
            Row::new("an address of each instance's own, and no room", "192.168.144.254")
                .options(unique)
                .options("CRM_meta_clone=3")
                .looks(7)
                .fails(6, "ip"),
        ],
    );
}
