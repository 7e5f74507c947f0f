// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which interface: every case in a network namespace of its own.

use super::*;
use crate::testing::{in_namespace, ip, ip_batch, two_interfaces};
use ocf::error::Kind;

mod details;
mod present;

fn kernel() -> Kernel {
    Kernel::open().expect("netlink")
}

/// An address that is wanted.
fn wanted(ip: &str) -> Wanted {
    Wanted {
        ip: ip.parse().expect("an address"),
        nic: None,
        label: None,
        prefix: None,
        odd_prefix: None,
        broadcast: None,
        protocol: None,
    }
}

fn on(nic: &str, wanted: Wanted) -> Wanted {
    Wanted { nic: Some(nic.to_owned()), ..wanted }
}

fn with(prefix: u8, wanted: Wanted) -> Wanted {
    Wanted { prefix: Some(prefix), ..wanted }
}

/// The interface and the prefix that are found, or what sort of failure.
fn place(wanted: &Wanted) -> Result<(String, u8), Kind> {
    match find_place(&kernel(), wanted) {
        Ok(place) => Ok((place.link.name, place.prefix)),
        Err(error) => {
            assert!(error.reason.len() <= 128, "{error}");
            Err(error.kind)
        }
    }
}

fn at(name: &str, prefix: u8) -> Result<(String, u8), Kind> {
    Ok((name.to_owned(), prefix))
}

const NONE: Result<(String, u8), Kind> = Err(Kind::Installed);

/// Two interfaces with what `ip` is told, one command a line.
fn given(lines: &'static str, test: impl FnOnce() + Send + 'static) {
    in_namespace(move || {
        two_interfaces();
        lines.lines().map(str::trim).filter(|line| !line.is_empty()).for_each(|line| {
            ip(line);
        });
        test();
    });
}

#[test]
fn the_longest_prefix_wins_whatever_the_metrics() {
    given(
        "route add 10.0.0.0/8 dev v1
         route add 10.1.2.0/24 dev v0
         route add 172.16.1.0/24 dev v0 metric 200
         route add 172.16.0.0/16 dev v1 metric 100
         route add 192.168.1.0/24 dev v0
         route add 192.168.0.0/16 dev v1 metric 5
         -6 route add 2001:db8:0:1::/64 dev v0
         -6 route add 2001:db8::/40 dev v1 metric 10",
        || {
            assert_eq!(place(&wanted("10.1.2.50")), at("v0", 24));
            assert_eq!(place(&with(24, wanted("10.1.2.50"))), at("v0", 24));
            assert_eq!(place(&wanted("172.16.1.5")), at("v0", 24));
            assert_eq!(place(&wanted("192.168.1.5")), at("v0", 24));
            assert_eq!(place(&wanted("2001:db8:0:1::5")), at("v0", 64));
            assert_eq!(place(&on("v1", wanted("10.1.2.50"))), at("v1", 8));
            assert_eq!(place(&on("v1", wanted("2001:db8:0:1::5"))), at("v1", 40));
        },
    );
}

#[test]
fn of_two_equal_networks_the_lower_metric_wins() {
    given(
        "route add 10.1.2.0/24 dev v0 metric 200
         route add 10.1.2.0/24 dev v1 metric 100",
        || {
            assert_eq!(place(&wanted("10.1.2.50")), at("v1", 24));
            assert_eq!(place(&on("v0", wanted("10.1.2.50"))), at("v0", 24));
        },
    );
}

#[test]
fn a_prefix_that_is_asked_for_needs_a_network_as_large() {
    given(
        "addr add 192.168.144.1/24 brd + dev v0
         addr add 2001:db8:1234::1/64 dev v0 nodad
         route add 192.168.144.0/28 dev v1",
        || {
            assert_eq!(place(&wanted("192.168.144.2")), at("v1", 28));
            assert_eq!(place(&with(28, wanted("192.168.144.2"))), at("v1", 28));
            assert_eq!(place(&with(24, wanted("192.168.144.2"))), at("v0", 24));
            assert_eq!(place(&with(26, wanted("192.168.144.2"))), at("v0", 26));
            assert_eq!(place(&with(16, wanted("192.168.144.2"))), NONE);
            assert_eq!(place(&with(16, on("v0", wanted("192.168.144.2")))), at("v0", 16));
            assert_eq!(place(&with(80, wanted("2001:db8:1234::5"))), at("v0", 80));
            assert_eq!(place(&with(128, wanted("2001:db8:1234::5"))), at("v0", 128));
            assert_eq!(place(&with(48, wanted("2001:db8:1234::5"))), NONE);
            assert_eq!(place(&with(48, on("v0", wanted("2001:db8:1234::5")))), at("v0", 48));
        },
    );
}

#[test]
fn a_default_route_names_no_network() {
    given(
        "addr add 192.168.144.1/24 dev v0
         addr add 2001:db8::1/64 dev v0 nodad
         route add default via 192.168.144.9
         -6 route add default via 2001:db8::9
         route add default dev v1 metric 7",
        || {
            for address in ["8.8.8.8", "2001:4860::8888"] {
                assert_eq!(place(&wanted(address)), NONE);
                assert_eq!(place(&with(24, wanted(address))), NONE);
                assert_eq!(place(&on("v0", wanted(address))), NONE);
                assert_eq!(place(&with(32, on("v0", wanted(address)))), at("v0", 32));
            }
            let error = find_place(&kernel(), &wanted("8.8.8.8")).expect_err("no network");
            assert_eq!(
                error.reason,
                "no network here has 8.8.8.8: add one, or set nic and cidr_netmask"
            );
            let error = find_place(&kernel(), &on("v0", wanted("8.8.8.8"))).expect_err("none");
            assert_eq!(
                error.reason,
                "v0 has no network with 8.8.8.8: add one, or set cidr_netmask"
            );
        },
    );
}

#[test]
fn the_longest_names_leave_room_for_the_remedy() {
    given("addr add 192.168.144.1/24 dev v0", || {
        let long = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff";
        for wanted in [wanted(long), on("v0", wanted(long)), with(128, wanted(long))] {
            for protocol in [None, Some(2)] {
                assert_eq!(place(&Wanted { protocol, ..wanted.clone() }), NONE);
            }
        }
        for nic in ["n".repeat(127), "ß".repeat(63), "n".repeat(300)] {
            let error = find_place(&kernel(), &on(&nic, wanted(long))).expect_err("none");
            assert!(error.reason.ends_with("...: name one of its own in nic"), "{error}");
            assert!(error.reason.len() <= 128, "{error}");
        }
    });
}

#[test]
fn what_is_behind_a_gateway_is_elsewhere_in_ipv4() {
    given(
        "addr add 192.168.144.1/24 dev v0
         route add 10.0.0.0/8 via 192.168.144.9
         route add 172.16.0.0/16 dev v1
         route add 172.16.5.0/24 via 192.168.144.9
         addr add 2001:db8::1/64 dev v0 nodad
         -6 route add 2001:db8:5::/48 via 2001:db8::9",
        || {
            assert_eq!(place(&wanted("10.1.2.50")), NONE);
            assert_eq!(place(&on("v0", wanted("10.1.2.50"))), NONE);
            // The network that is here counts, though the kernel would go the other way.
            assert_eq!(place(&wanted("172.16.5.5")), at("v1", 16));
            // A router's advertisement may tell an IPv6 host of a network like this.
            assert_eq!(place(&wanted("2001:db8:5::5")), at("v0", 48));
            assert_eq!(place(&on("v0", wanted("2001:db8:5::5"))), at("v0", 48));
            assert_eq!(place(&on("v1", wanted("2001:db8:5::5"))), NONE);
            ip("-6 route add 2001:db8:5::/40 dev v1");
            assert_eq!(place(&wanted("2001:db8:5::5")), at("v1", 40));
        },
    );
}

#[test]
fn routes_that_lead_nowhere_are_passed_over() {
    for kind in ["blackhole", "unreachable", "prohibit", "throw"] {
        in_namespace(move || {
            two_interfaces();
            ip("route add 10.0.0.0/8 dev v1");
            ip(&format!("route add {kind} 10.1.0.0/16"));
            ip("-6 route add 2001:db8::/32 dev v1");
            ip(&format!("-6 route add {kind} 2001:db8:1::/48"));
            ip(&format!("route add {kind} 172.16.0.0/16"));
            assert_eq!(place(&wanted("10.1.2.50")), at("v1", 8), "{kind}");
            assert_eq!(place(&wanted("2001:db8:1::5")), at("v1", 32), "{kind}");
            assert_eq!(place(&wanted("172.16.0.5")), NONE, "{kind}");
        });
    }
}

#[test]
fn a_host_route_is_a_network_of_one() {
    given(
        "route add 10.1.2.50/32 dev v0
         -6 route add 2001:db8::50/128 dev v1
         addr add 10.9.9.1 peer 10.9.9.2/32 dev v1",
        || {
            assert_eq!(place(&wanted("10.1.2.50")), at("v0", 32));
            assert_eq!(place(&wanted("10.9.9.2")), NONE, "the other end of a line");
            assert_eq!(place(&wanted("2001:db8::50")), at("v1", 128));
            // A routing protocol has one where the address is now; its network is still the network.
            ip("addr add 10.1.0.1/16 dev v1");
            ip("addr add 2001:db8::1/64 dev v0 nodad");
            ip("-6 route replace 2001:db8::50/128 via 2001:db8::9 dev v0 metric 5");
            assert_eq!(place(&wanted("10.1.2.50")), at("v1", 16));
            assert_eq!(place(&with(32, wanted("10.1.2.50"))), at("v1", 32));
            assert_eq!(place(&wanted("2001:db8::50")), at("v0", 64));
        },
    );
}

#[test]
fn a_route_through_several_interfaces_names_none() {
    given(
        "addr add 10.9.9.1/24 dev v0
         route add 10.1.2.0/24 nexthop dev v0 nexthop dev v1
         route add 10.3.0.0/16 nexthop via 10.9.9.2 dev v0 nexthop via 10.9.9.3 dev v0",
        || {
            assert_eq!(place(&wanted("10.1.2.50")), NONE);
            assert_eq!(place(&wanted("10.3.2.50")), NONE);
            assert_eq!(place(&with(24, on("v1", wanted("10.1.2.50")))), at("v1", 24));
        },
    );
}

#[test]
fn a_route_of_an_interface_without_link_counts() {
    given(
        "addr add 10.1.2.1/24 dev v0
         link set p0 down",
        || {
            assert_eq!(place(&wanted("10.1.2.50")), at("v0", 24));
            assert_eq!(place(&on("v0", wanted("10.1.2.50"))), at("v0", 24));
        },
    );
}

#[test]
fn an_interface_that_is_off_is_known_by_its_addresses_if_it_is_named() {
    given(
        "addr add 10.1.2.1/24 brd + dev v0
         link set v0 down",
        || {
            assert_eq!(place(&on("v0", wanted("10.1.2.50"))), at("v0", 24));
            assert_eq!(place(&wanted("10.1.2.50")), NONE);
            assert_eq!(place(&with(24, on("v0", wanted("10.1.2.50")))), at("v0", 24));
        },
    );
}

#[test]
fn a_network_without_a_route_is_known_by_its_address() {
    given(
        "addr add 10.1.2.1/24 brd + dev v0 noprefixroute
         addr add 10.1.0.1/16 dev v1 noprefixroute
         addr add 2001:db8::1/64 dev v1 nodad noprefixroute
         addr add 10.7.7.1 peer 10.7.7.2/24 dev v1",
        || {
            assert_eq!(place(&wanted("10.1.2.50")), at("v0", 24));
            assert_eq!(place(&on("v1", wanted("10.1.2.50"))), at("v1", 16));
            assert_eq!(place(&with(16, wanted("10.1.2.50"))), at("v1", 16));
            assert_eq!(place(&wanted("2001:db8::5")), at("v1", 64));
            let found = find_place(&kernel(), &wanted("10.1.2.50")).expect("a place");
            assert_eq!(found.broadcast, Some([10, 1, 2, 255].into()));
        },
    );
}

#[test]
fn routes_of_another_protocol_do_not_count() {
    given(
        "addr add 10.1.0.1/16 dev v0
         route add 10.1.2.0/24 dev v1 proto static
         addr add 10.5.0.1/16 dev v0 noprefixroute",
        || {
            let by = |protocol, wanted| Wanted { protocol: Some(protocol), ..wanted };
            assert_eq!(place(&by(2, wanted("10.1.2.50"))), at("v0", 16));
            assert_eq!(place(&by(4, wanted("10.1.2.50"))), at("v1", 24));
            assert_eq!(place(&by(9, wanted("10.1.2.50"))), NONE);
            assert_eq!(place(&by(4, on("v0", wanted("10.1.2.50")))), NONE);
            assert_eq!(place(&by(2, wanted("10.5.2.50"))), NONE);
        },
    );
}

#[test]
fn another_table_counts_where_a_rule_leads_to_it() {
    given(
        "route add 10.1.2.0/24 dev v0 table 100
         route add 10.1.3.0/24 dev v1 table 101
         rule add to 10.1.2.0/24 lookup 100",
        || {
            assert_eq!(place(&wanted("10.1.2.50")), at("v0", 24));
            assert_eq!(place(&wanted("10.1.3.50")), NONE);
        },
    );
}

#[test]
fn another_tables_default_route_hides_no_network() {
    given(
        "addr add 192.168.144.1/24 dev v0
         route add default via 192.168.144.9 table 100
         rule add to 192.168.144.0/24 lookup 100",
        || assert_eq!(place(&wanted("192.168.144.2")), at("v0", 24)),
    );
}

#[test]
fn an_interface_goes_by_every_name() {
    in_namespace(|| {
        two_interfaces();
        ip("link add name up type veth peer name primary");
        ip("link set dev up up");
        ip("link set dev primary up");
        ip("link add v0.100 type veth peer name p2");
        ip("link set v0.100 up");
        ip("addr add 10.1.2.1/24 dev up");
        ip("addr add 10.1.3.1/24 dev v0.100");
        ip("link property add dev v0.100 altname outside");
        assert_eq!(place(&wanted("10.1.2.5")), at("up", 24));
        assert_eq!(place(&on("up", wanted("10.1.2.5"))), at("up", 24));
        assert_eq!(place(&on("outside", wanted("10.1.3.5"))), at("v0.100", 24));
        assert_eq!(place(&with(28, on("outside", wanted("10.1.3.5")))), at("v0.100", 28));
        assert_eq!(place(&on("v0", wanted("10.1.3.5"))), NONE);
        for nic in ["v9", "no such interface, and a long name too", "v0*", "../v0", ""] {
            assert_eq!(place(&with(24, on(nic, wanted("10.1.2.5")))), NONE, "{nic}");
        }
    });
}

#[test]
fn a_link_local_address_needs_its_interface() {
    given("", || {
        for address in ["fe80::5", "fe80:1::5", "febf::5"] {
            assert_eq!(place(&wanted(address)), Err(Kind::Configured));
            assert_eq!(place(&with(64, wanted(address))), Err(Kind::Configured));
        }
        assert_eq!(place(&on("v0", wanted("fe80::5"))), at("v0", 64));
        assert_eq!(place(&with(64, on("v0", wanted("febf::5")))), at("v0", 64));
    });
}

#[test]
fn an_address_of_127_belongs_to_lo() {
    given("", || {
        let found = find_place(&kernel(), &wanted("127.0.0.3")).expect("a place");
        assert_eq!((found.link.name.as_str(), found.prefix, found.scope), ("lo", 8, HOST));
        assert_eq!(place(&with(32, on("lo", wanted("127.0.0.3")))), at("lo", 32));
        assert_eq!(place(&with(32, wanted("127.0.0.3"))), at("lo", 32));
        ip("addr add 127.0.0.3/8 dev lo");
        assert_eq!(place(&wanted("127.0.0.3")), at("lo", 8));
        ip("addr add 127.0.0.4/32 dev lo");
        assert_eq!(place(&wanted("127.0.0.4")), at("lo", 8));
        assert_eq!(place(&with(32, on("lo", wanted("10.0.0.9")))), at("lo", 32));
    });
}
