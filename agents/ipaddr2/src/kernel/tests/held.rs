// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The monitor's question, where the interface has few addresses and where it has many.

use super::*;

/// Whether v0 holds an address.
fn held(label: &str, ip: &str, prefix: u8) -> bool {
    let kernel = kernel();
    let index = link(&kernel, "v0").index;
    let ip: IpAddr = ip.parse().expect("an address");
    let held = kernel.holds(label, index, ip, prefix).expect("no refusal");
    held.is_some_and(|held| {
        assert_eq!((held.index, held.ip, held.prefix), (index, ip, prefix));
        true
    })
}

/// Whether it says so without having read all addresses.
fn held_cheaply(label: &str, ip: &str, prefix: u8) -> bool {
    let kernel = kernel();
    let index = link(&kernel, "v0").index;
    let page = kernel.first_addresses(index).expect("a page");
    assert!(!page.is_last && page.addresses.len() < 100);
    let ip: IpAddr = ip.parse().expect("an address");
    let is_there = page.addresses.iter().any(|one| one.ip == ip && one.prefix == prefix);
    let IpAddr::V4(v4) = ip else { return true };
    let is_sure = kernel.is_surely_held(label, index, v4, prefix, &page).expect("no refusal");
    // What is said is true, too.
    assert!(held(label, &ip.to_string(), prefix) || !is_there && !is_sure);
    is_there || is_sure
}

/// Many addresses of other networks.
fn crowd(network: u8) {
    let lines: Vec<String> = (0..300)
        .map(|n| format!("addr add 10.{network}.{}.{}/16 dev v0", n / 250, n % 250 + 1))
        .collect();
    ip_batch(&lines.join("\n"));
}

/// On an interface with these addresses only, and with many others before and after them.
fn alone_and_in_a_crowd(test: fn()) {
    for is_crowded in [false, true] {
        in_namespace(move || {
            two_interfaces();
            if is_crowded {
                crowd(200);
                crowd(201);
            }
            test();
        });
    }
}

#[test]
fn an_address_is_held_only_exactly() {
    alone_and_in_a_crowd(|| {
        ip("addr add 192.168.144.1/24 dev v0");
        assert!(!held("v0", "192.168.144.2", 24));
        ip("addr add 192.168.144.2/24 dev v1");
        assert!(!held("v0", "192.168.144.2", 24), "on another interface");
        ip("addr add 192.168.144.2/32 dev v0");
        assert!(!held("v0", "192.168.144.2", 24), "with another prefix");
        assert!(held("v0", "192.168.144.2", 32));
        assert!(!held("v0", "192.168.144.2", 3), "one prefix's text begins the other's");
        ip("addr add 192.168.144.2/24 dev v0");
        assert!(held("v0", "192.168.144.2", 24), "twice, with two prefixes");
        ip("addr del 192.168.144.2/32 dev v0");
        assert!(held("v0", "192.168.144.2", 24));
        assert!(!held("v0", "192.168.144.2", 32));
        ip("link set v0 down");
        assert!(held("v0", "192.168.144.2", 24), "switched off");
        assert!(held("v1", "192.168.144.2", 24), "a label of another interface");
        ip("addr add 10.9.9.1 peer 10.9.9.2/32 dev v0");
        assert!(!held("v0", "10.9.9.2", 32), "the other end");
        assert!(held("v0", "10.9.9.1", 32));
    });
}

#[test]
fn a_route_that_somebody_made_is_no_address() {
    alone_and_in_a_crowd(|| {
        ip("addr add 192.168.144.1/24 dev v0");
        ip("route add local 192.168.144.9 dev v0 table local src 192.168.144.1");
        assert!(!held("v0", "192.168.144.9", 24));
        ip("route add local 10.5.5.5 dev v0 table local proto kernel src 192.168.144.1");
        assert!(!held("v0", "10.5.5.5", 24));
    });
}

#[test]
fn an_address_is_held_whatever_its_label() {
    alone_and_in_a_crowd(|| {
        ip("addr add 192.168.144.1/24 dev v0 label v0:base");
        ip("addr add 192.168.144.2/24 dev v0");
        ip("addr add 192.168.144.3/32 dev v0 label v0:x");
        assert!(held("v0", "192.168.144.2", 24), "the primary one has a label");
        assert!(!held("v0", "192.168.144.3", 24), "another label and prefix");
        for label in ["v0", "v0:x", "v0:y", "v0:a label that is too long"] {
            assert!(held(label, "192.168.144.3", 32), "{label}");
        }
        ip("link set v0 down");
        ip("link set v0 name other");
        ip("link set other up");
        ip("link set other name v0");
        assert!(held("v0:x", "192.168.144.3", 32), "renamed");
    });
}

#[test]
fn a_primary_address_with_two_masks_confuses_nobody() {
    alone_and_in_a_crowd(|| {
        for (first, second) in [(16, 24), (24, 16)] {
            ip(&format!("addr add 10.9.9.1/{first} dev v0"));
            ip(&format!("addr add 10.9.9.1/{second} dev v0"));
            for (mine, other) in [(16, 24), (24, 16)] {
                ip(&format!("addr add 10.9.9.5/{mine} dev v0"));
                assert!(held("v0", "10.9.9.5", mine), "{mine} of {first} and {second}");
                assert!(!held("v0", "10.9.9.5", other), "{mine} of {first} and {second}");
                ip(&format!("addr del 10.9.9.5/{mine} dev v0"));
            }
            ip("addr del 10.9.9.1/16 dev v0");
            ip("addr del 10.9.9.1/24 dev v0");
        }
    });
}

#[test]
fn promoted_addresses_are_held() {
    alone_and_in_a_crowd(|| {
        std::fs::write("/proc/sys/net/ipv4/conf/v0/promote_secondaries", "1").expect("sysctl");
        for last in 1..9 {
            ip(&format!("addr add 192.168.144.{last}/24 dev v0"));
        }
        ip("addr del 192.168.144.1/24 dev v0");
        ip("addr del 192.168.144.2/24 dev v0");
        for last in 3..9 {
            assert!(held("v0", &format!("192.168.144.{last}"), 24));
        }
        assert!(!held("v0", "192.168.144.2", 24));
    });
}

#[test]
fn ten_thousand_addresses_make_no_yes_dear() {
    in_namespace(|| {
        two_interfaces();
        let lines: Vec<String> = (0..10_000)
            .map(|n| format!("addr add 10.0.{}.{}/16 dev v0", n / 250, n % 250 + 1))
            .collect();
        ip_batch(&lines.join("\n"));
        ip("addr add 192.168.144.1/24 dev v0 label v0:base");
        ip("addr add 192.168.144.2/24 dev v0 label v0:x");
        ip("addr add 172.16.0.1/32 dev v0 label v0:x");
        assert!(held_cheaply("v0", "10.0.0.1", 16), "the first");
        assert!(held_cheaply("v0", "10.0.39.250", 16), "the last");
        assert!(held_cheaply("v0", "192.168.144.2", 24), "a label and a neighbour's label");
        assert!(held_cheaply("v0:x", "172.16.0.1", 32));
        assert!(!held_cheaply("v0", "10.0.39.250", 24));
        assert!(!held_cheaply("v0", "10.0.40.1", 16));
        assert!(!held("v0", "10.0.39.250", 24));
        assert!(!held("v0", "10.0.40.1", 16));
    });
}

#[test]
fn hundreds_of_primary_addresses_make_no_yes_dear() {
    in_namespace(|| {
        two_interfaces();
        let lines: Vec<String> = (0..500)
            .map(|n| format!("addr add 10.0.{}.{}/32 dev v0", n / 250, n % 250 + 1))
            .collect();
        ip_batch(&lines.join("\n"));
        assert!(held_cheaply("v0", "10.0.0.1", 32));
        assert!(held_cheaply("v0", "10.0.1.250", 32));
        assert!(!held("v0", "10.0.1.250", 24));
        assert!(!held("v0", "10.0.2.1", 32));
        // It comes before the first secondary one, but not on the first page.
        ip("addr add 192.168.144.1/24 dev v0");
        ip("addr add 192.168.144.2/24 dev v0");
        assert!(held("v0", "192.168.144.2", 24));
        assert!(!held("v0", "192.168.144.2", 32));
    });
}

#[test]
fn an_ipv6_address_is_held_only_exactly() {
    in_namespace(|| {
        two_interfaces();
        ip("addr add 2001:db8::5/64 dev v0 nodad");
        ip("addr add 2001:db8::6/64 dev v1 nodad");
        ip("addr add 2001:db8::7 peer 2001:db8::8/128 dev v0 nodad");
        assert!(held("v0", "2001:db8::5", 64));
        assert!(!held("v0", "2001:db8::5", 128));
        assert!(!held("v0", "2001:db8::5", 6));
        assert!(!held("v0", "2001:db8::6", 64));
        assert!(!held("v0", "2001:db8::8", 128));
        assert!(!held("v0", "2001:db8::9", 64));
    });
}

#[test]
fn an_interface_that_is_gone_holds_nothing() {
    in_namespace(|| {
        for address in ["127.0.0.1", "::1"] {
            let held = kernel().holds("v0", 999, address.parse().expect("ip"), 8);
            assert_eq!(held.expect("no refusal"), None);
        }
    });
}
