// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What comes with a place, and what finding it costs.

use super::*;
use crate::interface::network::Search;

#[test]
fn the_broadcast_address_follows_its_rule() {
    given(
        "addr add 192.168.144.11/24 brd + dev v0
         addr add 192.168.144.1/24 brd 192.168.144.77 dev v0
         addr add 10.1.2.1/24 dev v0
         addr add 10.3.0.1/24 brd + dev v0 label v0:base
         addr add 10.4.0.1/24 brd 10.4.0.99 dev v0 noprefixroute
         route add 10.4.0.0/24 dev v0 proto kernel scope link src 10.4.0.1 metric 100
         route add 10.5.0.0/24 dev v0 src 10.1.2.1",
        || {
            let find = |wanted: &Wanted| find_place(&kernel(), wanted).expect("place").broadcast;
            let by = |rule, wanted| Wanted { broadcast: Some(rule), ..wanted };
            let vip = || wanted("192.168.144.2");
            assert_eq!(find(&vip()), Some([192, 168, 144, 255].into()), "the route's own source");
            assert_eq!(find(&with(28, vip())), Some([192, 168, 144, 255].into()));
            assert_eq!(find(&with(24, on("v0", vip()))), Some([192, 168, 144, 255].into()));
            assert_eq!(find(&with(16, on("v0", vip()))), None, "a larger network than is here");
            assert_eq!(find(&with(24, on("v1", vip()))), None, "no such network there");
            for prefix in [31, 32] {
                for rule in [None, Some(Broadcast::Last), Some(Broadcast::First)] {
                    let wanted = Wanted { broadcast: rule, ..with(prefix, vip()) };
                    assert_eq!(find(&wanted), None, "{rule:?}/{prefix}");
                }
            }
            assert_eq!(
                find(&by(Broadcast::Last, with(28, vip()))),
                Some([192, 168, 144, 15].into())
            );
            assert_eq!(
                find(&by(Broadcast::First, with(28, vip()))),
                Some([192, 168, 144, 0].into())
            );
            let literal = Broadcast::Address([9, 9, 9, 9].into());
            assert_eq!(find(&by(literal, with(32, vip()))), Some([9, 9, 9, 9].into()));
            assert_eq!(find(&wanted("10.1.2.5")), None, "the network's address has none");
            assert_eq!(find(&wanted("10.3.0.5")), Some([10, 3, 0, 255].into()), "a label");
            assert_eq!(find(&wanted("10.4.0.5")), Some([10, 4, 0, 99].into()));
            assert_eq!(find(&wanted("10.5.0.5")), None, "a source of another network");
            ip("addr add 10.6.0.1/16 brd + dev v1 noprefixroute");
            ip("addr add 10.7.0.1/16 brd + dev v1");
            ip("route add blackhole 10.7.7.0/24");
            let near = |ip| with(24, on("v1", wanted(ip)));
            assert_eq!(find(&near("10.6.0.5")), Some([10, 6, 255, 255].into()), "no route");
            assert_eq!(find(&near("10.7.7.5")), Some([10, 7, 255, 255].into()), "a hidden one");
        },
    );
}

#[test]
fn the_routes_metric_is_kept_in_ipv6() {
    given(
        "addr add 2001:db8::1/64 dev v0 nodad noprefixroute
         -6 route add 2001:db8::/64 dev v0 proto kernel metric 100
         addr add 2001:db8:1::1/64 dev v0 nodad
         -6 route add 2001:db8:2::/64 dev v0 proto static metric 77",
        || {
            let find = |wanted: &Wanted| find_place(&kernel(), wanted).expect("place").metric;
            assert_eq!(find(&wanted("2001:db8::5")), Some(100));
            assert_eq!(find(&with(80, wanted("2001:db8::5"))), None);
            assert_eq!(find(&wanted("2001:db8:1::5")), None);
            assert_eq!(find(&wanted("2001:db8:2::5")), None);
        },
    );
}

#[test]
fn a_hundred_thousand_routes_are_not_read() {
    in_namespace(|| {
        two_interfaces();
        ip("addr add 10.1.2.1/24 dev v0");
        let lines: Vec<String> = (0..100_000_u32)
            .map(|n| format!("route add 20.{}.{}.0/24 dev v1", n / 250 % 250, n % 250))
            .collect();
        ip_batch(&lines[..62_500].join("\n"));
        let kernel = kernel();
        let search = Search::of(&wanted("10.1.2.50"), None);
        let found = search.ask(&kernel).expect("no refusal").expect("found at once");
        assert_eq!(found.prefix, 24);
        assert_eq!(place(&wanted("20.3.4.5")), at("v1", 24));
        assert_eq!(place(&wanted("30.3.4.5")), NONE);
        // The last word is the same, when all are read.
        assert_eq!(search.read(&kernel).expect("no refusal"), Some(found));
    });
}
