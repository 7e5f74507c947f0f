// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Questions to a real kernel, in network namespaces.

use super::*;
mod change;
mod held;

use crate::testing::{eventually, in_namespace, ip, ip_batch, two_interfaces};
use nix::errno::Errno;

fn kernel() -> Kernel {
    Kernel::open().expect("netlink")
}

fn link(kernel: &Kernel, name: &str) -> Link {
    kernel.find_link(name).expect("no refusal").expect("an interface")
}

fn assigned(index: u32, ip: &str, prefix: u8) -> Assigned {
    Assigned::bare(index, ip.parse().expect("an address"), prefix)
}

#[test]
fn interfaces_are_found_by_every_name_they_have() {
    in_namespace(|| {
        two_interfaces();
        let long = "a".repeat(100);
        ip("link property add dev v0 altname short");
        ip(&format!("link property add dev v0 altname {long}"));
        let kernel = kernel();
        let found = link(&kernel, "v0");
        assert_eq!(found.altnames, ["short".to_owned(), long.clone()]);
        assert_eq!(found.hardware, 1);
        assert_eq!(found.mac.len(), 6);
        assert_eq!(found.broadcast, [0xff; 6]);
        assert!(found.has_carrier);
        for name in ["short", &long] {
            assert_eq!(link(&kernel, name), found);
        }
        assert_eq!(kernel.find_link_by_index(found.index).expect("no refusal"), Some(found));
        for name in ["", "v2", "a name that is longer than any", &"b".repeat(200), "v\0"] {
            assert_eq!(kernel.find_link(name).expect("no refusal"), None, "{name:?}");
        }
        assert_eq!(kernel.find_link_by_index(999).expect("no refusal"), None);
        ip("link set p0 down");
        assert!(!link(&kernel, "v0").has_carrier);
        ip("link set v0 down");
        kernel.set_up(link(&kernel, "v0").index).expect("up");
        assert_ne!(link(&kernel, "v0").flags & 1, 0);
    });
}

#[test]
fn addresses_come_and_go_exactly() {
    in_namespace(|| {
        two_interfaces();
        ip("addr add 10.9.9.1 peer 192.168.144.2/32 dev v1");
        let kernel = kernel();
        let index = link(&kernel, "v0").index;
        let wanted = Assigned {
            broadcast: Some([192, 168, 144, 255].into()),
            label: Some("v0:one".to_owned()),
            metric: Some(7),
            flags: 0x200,
            ..assigned(index, "192.168.144.2", 24)
        };
        kernel.add(&wanted).expect("add");
        let twice = kernel.add(&wanted).expect_err("twice");
        assert_eq!(twice.errno, Errno::EEXIST);
        let found = kernel.addresses(index, Family::V4).expect("addresses");
        assert_eq!(found, [Assigned { flags: 0x280, ..wanted.clone() }]);
        // The other end of v1's isn't an address of this node.
        assert_eq!(kernel.addresses_anywhere(wanted.ip).expect("addresses"), found);

        for absent in [assigned(index, "192.168.144.2", 32), assigned(999, "192.168.144.2", 24)] {
            assert!(!kernel.delete(&absent).expect("no refusal"));
        }
        assert!(kernel.delete(&assigned(index, "192.168.144.2", 24)).expect("deleted"));
        assert_eq!(kernel.addresses(index, Family::V4).expect("addresses"), []);
        assert_eq!(kernel.addresses(999, Family::V4).expect("addresses"), []);
    });
}

#[test]
fn an_ipv6_address_has_its_lifetime_and_flags() {
    in_namespace(|| {
        two_interfaces();
        let kernel = kernel();
        let index = link(&kernel, "v0").index;
        let mut wanted = assigned(index, "2001:db8::5", 64);
        wanted.flags = 2;
        wanted.preferred = Some(0);
        kernel.add(&wanted).expect("add");
        let found = kernel.addresses_anywhere(wanted.ip).expect("addresses");
        assert_eq!(found[0].preferred, Some(0));
        assert_eq!(found[0].valid, None);
        // Deprecated, permanent, without duplicate address detection.
        assert_eq!(found[0].flags, 0xa2);
        wanted.preferred = None;
        kernel.replace(&wanted).expect("replace");
        assert_eq!(kernel.addresses_anywhere(wanted.ip).expect("addresses")[0].preferred, None);
        assert!(kernel.delete(&wanted).expect("deleted"));
    });
}

#[test]
fn a_refusal_has_the_kernels_own_words() {
    in_namespace(|| {
        let kernel = kernel();
        let refusal = kernel.add(&assigned(1, "10.0.0.1", 33)).expect_err("33 bits");
        assert_eq!(refusal.errno, Errno::EINVAL);
        assert!(refusal.to_string().starts_with("invalid argument ("), "{refusal}");
    });
}

#[test]
fn the_kernel_says_by_which_route() {
    in_namespace(|| {
        two_interfaces();
        ip("addr add 192.168.144.1/24 dev v0");
        ip("route add 10.0.0.0/8 dev v1 metric 5");
        ip("route add 10.1.0.0/16 via 192.168.144.9");
        let kernel = kernel();
        let (v0, v1) = (link(&kernel, "v0").index, link(&kernel, "v1").index);
        let ask = |ip: &str, oif| kernel.fib_match(ip.parse().expect("ip"), oif).expect("answer");
        let near = ask("192.168.144.2", None).expect("a route");
        assert_eq!((near.index, near.prefix, near.is_via), (Some(v0), 24, false));
        assert_eq!(near.source, Some(IpAddr::from([192, 168, 144, 1])));
        let far = ask("10.1.2.3", None).expect("a route");
        assert_eq!((far.index, far.prefix, far.is_via), (Some(v0), 16, true));
        let other = ask("10.1.2.3", Some(v1)).expect("a route");
        assert_eq!((other.index, other.prefix, other.metric), (Some(v1), 8, Some(5)));
        assert_eq!(ask("192.168.144.2", Some(v1)), None);
        assert_eq!(ask("172.16.0.1", None), None);
        assert_eq!(ask("192.168.144.2", Some(999)), None);
        for kind in ["blackhole", "unreachable", "prohibit"] {
            ip(&format!("route replace {kind} 172.16.0.0/16"));
            assert_eq!(ask("172.16.0.1", None), None, "{kind}");
        }
        let local = ask("192.168.144.1", None).expect("a route");
        assert_eq!((local.kind, local.prefix, local.index), (2, 32, Some(v0)));
        ip("addr add 2001:db8::1/64 dev v0 nodad");
        let near = ask("2001:db8::2", None).expect("a route");
        assert_eq!((near.index, near.prefix, near.metric), (Some(v0), 64, Some(256)));
        // The kernel makes it a little after the address, even without duplicate address detection.
        eventually("a local route", || {
            ask("2001:db8::1", None).is_some_and(|route| route.kind == 2)
        });
        let local = ask("2001:db8::1", None).expect("a route");
        assert_eq!((local.prefix, local.table, local.index), (128, 255, Some(v0)));
        assert_eq!(ask("2001:db8:1::1", None), None);
    });
}

#[test]
fn networks_contain_what_has_their_prefix() {
    let has = |network: &str, prefix, ip: &str| {
        contains(network.parse().expect("ip"), prefix, ip.parse().expect("ip"))
    };
    assert!(has("10.0.0.1", 24, "10.0.0.255"));
    assert!(!has("10.0.0.1", 24, "10.0.1.1"));
    assert!(has("10.0.0.1", 32, "10.0.0.1"));
    assert!(!has("10.0.0.1", 32, "10.0.0.0"));
    assert!(has("10.0.0.1", 0, "200.0.0.0"));
    assert!(has("2001:db8::1", 64, "2001:db8::ffff:0:0:1"));
    assert!(!has("2001:db8::1", 64, "2001:db8:0:1::1"));
    assert!(!has("::", 0, "10.0.0.1"));
}
