// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Addresses that are there already.

use super::*;

/// The interface and the prefix of what is held.
fn held(wanted: &Wanted) -> Option<(String, u8)> {
    let held = find_held(&kernel(), wanted).expect("no refusal")?;
    assert_eq!(held.link.index, held.address.index);
    assert_eq!(held.address.ip, wanted.ip);
    Some((held.link.name, held.address.prefix))
}

fn is(name: &str, prefix: u8) -> Option<(String, u8)> {
    Some((name.to_owned(), prefix))
}

#[test]
fn an_address_that_is_there_does_not_hide_its_network() {
    given(
        "addr add 192.168.144.1/24 dev v0
         addr add 192.168.144.2/32 dev v1
         addr add 192.168.144.3/24 dev v0
         addr add 2001:db8::1/64 dev v0 nodad
         addr add 2001:db8::5/128 dev v1 nodad",
        || {
            assert_eq!(place(&wanted("192.168.144.2")), at("v0", 24));
            // Its only neighbour is here, too.
            assert_eq!(place(&wanted("192.168.144.3")), at("v0", 24));
            assert_eq!(place(&with(28, wanted("192.168.144.2"))), at("v0", 28));
            assert_eq!(place(&wanted("2001:db8::5")), at("v0", 64));
            assert_eq!(place(&with(32, on("v1", wanted("192.168.144.2")))), at("v1", 32));
            assert_eq!(place(&on("v1", wanted("192.168.144.2"))), NONE);
        },
    );
}

#[test]
fn a_host_route_behind_the_address_itself_is_seen() {
    given(
        "route add 10.1.2.50/32 dev v1
         addr add 10.1.2.50/32 dev v1
         addr add 10.3.0.1/16 dev v0
         addr add 10.3.2.50/32 dev v1
         addr add 10.3.2.51/32 dev v1",
        || {
            for wanted in [wanted("10.1.2.50"), on("v1", wanted("10.1.2.50"))] {
                assert_eq!(held(&wanted), is("v1", 32));
            }
            assert_eq!(place(&wanted("10.1.2.50")), at("v1", 32));
            // These are wanted in v0's network.
            assert_eq!(held(&wanted("10.3.2.50")), None);
            assert_eq!(held(&wanted("10.3.2.51")), None);
        },
    );
}

#[test]
fn an_address_is_found_where_it_is_wanted() {
    given(
        "addr add 192.168.144.1/24 dev v0
         link property add dev v0 altname outside",
        || {
            let vip = || wanted("192.168.144.2");
            let all = [
                vip(),
                on("v0", vip()),
                on("outside", vip()),
                with(24, vip()),
                with(24, on("v0", vip())),
                with(24, on("outside", vip())),
            ];
            for wanted in &all {
                assert_eq!(held(wanted), None, "{wanted:?}");
            }
            ip("addr add 192.168.144.2/24 dev v0 label v0:x");
            for wanted in &all {
                assert_eq!(held(wanted), is("v0", 24), "{wanted:?}");
            }
            assert_eq!(held(&on("v1", vip())), None);
            assert_eq!(held(&on("v9", vip())), None);
            assert_eq!(held(&with(2, vip())), None);
            assert_eq!(held(&with(32, vip())), None);
            // What goes is the same one, and its first neighbour stays.
            let found = find_held(&kernel(), &vip()).expect("no refusal").expect("held");
            remove(&kernel(), &found.address).expect("removed");
            remove(&kernel(), &found.address).expect("it was gone");
            assert_eq!(held(&vip()), None);
            assert_eq!(held(&wanted("192.168.144.1")), is("v0", 24));
        },
    );
}

#[test]
fn another_prefix_is_another_address() {
    given(
        "addr add 192.168.144.1/24 dev v0
         addr add 192.168.144.2/32 dev v0
         addr add 2001:db8::1/64 dev v0 nodad
         addr add 2001:db8::5/128 dev v0 nodad",
        || {
            for (address, prefix) in [("192.168.144.2", 32), ("2001:db8::5", 128)] {
                // Without one that is asked for, none is wrong.
                assert_eq!(held(&wanted(address)), is("v0", prefix));
                assert_eq!(held(&on("v0", wanted(address))), is("v0", prefix));
                assert_eq!(held(&on("v1", wanted(address))), None);
            }
            assert_eq!(held(&with(64, wanted("2001:db8::5"))), None);
            assert_eq!(held(&with(24, wanted("192.168.144.2"))), None);
            assert_eq!(held(&with(32, wanted("192.168.144.2"))), is("v0", 32));
            assert_eq!(held(&with(128, wanted("2001:db8::5"))), is("v0", 128));
            ip("addr add 192.168.144.2/24 dev v0");
            assert_eq!(held(&wanted("192.168.144.2")), is("v0", 24));
        },
    );
}

#[test]
fn an_interface_that_is_not_named_may_be_any_with_as_good_a_network() {
    given(
        "addr add 192.168.144.1/24 dev v0
         addr add 192.168.144.2/24 dev v1
         addr add 10.1.2.1/24 dev v0
         addr add 10.1.2.50/8 dev v1",
        || {
            assert_eq!(held(&wanted("192.168.144.2")), is("v1", 24));
            assert_eq!(held(&with(24, wanted("192.168.144.2"))), is("v1", 24));
            assert_eq!(held(&on("v0", wanted("192.168.144.2"))), None);
            assert_eq!(held(&wanted("10.1.2.50")), None, "it is wanted in the smaller network");
            ip("addr add 192.168.144.2/24 dev v0");
            assert!(held(&wanted("192.168.144.2")).is_some());
            ip("addr del 192.168.144.2/24 dev v1");
            assert_eq!(held(&wanted("192.168.144.2")), is("v0", 24));
        },
    );
}

#[test]
fn an_address_is_found_without_any_route() {
    given(
        "addr add 192.168.144.2/24 dev v0 noprefixroute
         addr add 10.1.2.3/32 dev v1
         addr add 10.9.9.1 peer 10.9.9.2/32 dev v1
         addr add 10.7.7.1/24 dev v1
         link set v1 down",
        || {
            assert_eq!(held(&wanted("192.168.144.2")), is("v0", 24));
            assert_eq!(held(&on("v0", wanted("192.168.144.2"))), is("v0", 24));
            assert_eq!(held(&wanted("10.1.2.3")), is("v1", 32));
            assert_eq!(held(&wanted("10.7.7.1")), is("v1", 24), "its interface is off");
            assert_eq!(held(&with(24, on("v1", wanted("10.7.7.1")))), is("v1", 24));
            assert_eq!(held(&wanted("10.9.9.2")), None, "the other end is no address of ours");
            let found = find_held(&kernel(), &wanted("10.9.9.1")).expect("ok").expect("held");
            remove(&kernel(), &found.address).expect("removed");
            assert_eq!(held(&wanted("10.9.9.1")), None);
        },
    );
}

#[test]
fn an_address_of_lo_is_held_there() {
    given(
        "addr add 127.0.0.3/8 dev lo
         addr add 10.1.2.1/24 dev v0
         addr add 10.1.2.50/32 dev lo",
        || {
            assert_eq!(held(&wanted("127.0.0.3")), is("lo", 8));
            assert_eq!(held(&with(8, on("lo", wanted("127.0.0.3")))), is("lo", 8));
            assert_eq!(held(&wanted("10.1.2.50")), None);
            assert_eq!(held(&with(32, on("lo", wanted("10.1.2.50")))), is("lo", 32));
        },
    );
}

/// The interface with the network went down, or lost it: lo's own copy was taken for the resource's.
#[test]
fn an_address_that_waits_on_lo_is_none_without_a_network_either() {
    given(
        "addr add 192.168.144.1/24 dev v0
         addr add 2001:db8::1/64 dev v0 nodad
         addr add 192.168.144.2/32 dev lo
         addr add 2001:db8::5/128 dev lo
         addr add 10.9.9.9/32 dev v1",
        || {
            for has_network in [true, false] {
                for (address, bits) in [("192.168.144.2", 32), ("2001:db8::5", 128)] {
                    assert_eq!(held(&wanted(address)), None, "{has_network}");
                    assert_eq!(held(&with(bits, wanted(address))), None, "{has_network}");
                    assert_eq!(held(&on("lo", wanted(address))), is("lo", bits));
                }
                ip("link set v0 down");
            }
            // Anywhere else it answers.
            assert_eq!(held(&wanted("10.9.9.9")), is("v1", 32));
            assert_eq!(held(&wanted("127.0.0.1")), is("lo", 8));
        },
    );
}

#[test]
fn an_ipv6_address_is_held_while_it_is_looked_for_elsewhere() {
    given("addr add 2001:db8::5/64 dev v0", || {
        // The kernel has no route to it yet.
        assert_eq!(held(&wanted("2001:db8::5")), is("v0", 64));
        assert_eq!(held(&on("v0", wanted("2001:db8::5"))), is("v0", 64));
        ip("addr add fe80::5/64 dev v0");
        assert_eq!(held(&on("v0", wanted("fe80::5"))), is("v0", 64));
        assert_eq!(held(&on("v1", wanted("fe80::5"))), None);
    });
}

#[test]
fn the_other_addresses_stay_when_a_primary_one_goes() {
    given(
        "addr add 192.168.144.2/24 dev v0
         addr add 192.168.144.1/24 dev v0
         addr add 192.168.144.7/24 dev v0",
        || {
            let found = find_held(&kernel(), &wanted("192.168.144.2")).expect("ok").expect("held");
            remove(&kernel(), &found.address).expect("removed");
            for address in ["192.168.144.1", "192.168.144.7"] {
                assert_eq!(held(&wanted(address)), is("v0", 24));
            }
        },
    );
}
