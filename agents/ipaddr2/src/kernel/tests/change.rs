// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Deletions that take nothing along, address labels, events.

use super::super::page::Page;
use super::super::promotion::may_take_others;
use super::*;
use crate::testing::make_settings_read_only;
use ocf::deadline::Deadline;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const SYSCTL: &str = "/proc/sys/net/ipv4/conf/v0/promote_secondaries";

fn within(seconds: u64) -> Deadline {
    Deadline::since(Instant::now(), Duration::from_secs(seconds))
}

/// The last parts of v0's addresses.
fn lasts(kernel: &Kernel, index: u32) -> Vec<u8> {
    let addresses = kernel.addresses(index, Family::V4).expect("addresses");
    let mut lasts: Vec<u8> = addresses
        .iter()
        .filter_map(|one| match one.ip {
            IpAddr::V4(ip) => ip.octets().last().copied(),
            IpAddr::V6(_) => None,
        })
        .collect();
    lasts.sort_unstable();
    lasts
}

#[test]
fn a_primary_address_goes_alone() {
    in_namespace(|| {
        two_interfaces();
        for sysctl in ["0\n", "1\n"] {
            fs::write(SYSCTL, sysctl).expect("sysctl");
            for last in [1, 2, 7] {
                ip(&format!("addr add 192.168.144.{last}/24 dev v0"));
            }
            let kernel = kernel();
            let index = link(&kernel, "v0").index;
            let first = assigned(index, "192.168.144.1", 24);
            assert!(kernel.delete_alone(&first).expect("deleted"));
            assert_eq!(lasts(&kernel, index), [2, 7]);
            assert_eq!(fs::read_to_string(SYSCTL).expect("sysctl"), "1\n");
            assert!(!kernel.delete_alone(&first).expect("it was gone"));
            ip("addr flush dev v0");
        }
    });
}

#[test]
fn only_a_primary_address_with_others_may_take_any_along() {
    in_namespace(|| {
        two_interfaces();
        for address in ["192.168.144.1/24", "192.168.144.2/24", "192.168.144.3/16", "10.9.9.1/32"] {
            ip(&format!("addr add {address} dev v0"));
        }
        let kernel = kernel();
        let index = link(&kernel, "v0").index;
        let page = kernel.first_addresses(index).expect("a page");
        let may = |ip, prefix| may_take_others(&assigned(index, ip, prefix), &page);
        assert!(may("192.168.144.1", 24));
        assert!(!may("192.168.144.2", 24), "it is a secondary one");
        assert!(!may("192.168.144.3", 16), "it is alone in its network");
        assert!(!may("10.9.9.1", 32));
        // Where not all are known, nothing is sure but what is seen.
        let page = Page { is_last: false, ..page.clone() };
        assert!(may_take_others(&assigned(index, "10.9.9.1", 32), &page));
        assert!(!may_take_others(&assigned(index, "192.168.144.2", 24), &page));
    });
}

/// Deletes four of five of v0's two hundred addresses, in four threads; the others have to stay.
fn delete_many() {
    let lines: Vec<String> =
        (1..=200).map(|last| format!("addr add 192.168.144.{last}/24 dev v0")).collect();
    ip_batch(&lines.join("\n"));
    let index = link(&kernel(), "v0").index;
    // Threads share the namespaces of who makes them.
    std::thread::scope(|scope| {
        for part in 0..4_u8 {
            scope.spawn(move || {
                let kernel = kernel();
                for last in (1..=200).filter(|last| last % 5 == part) {
                    let one = assigned(index, &format!("192.168.144.{last}"), 24);
                    assert!(kernel.delete_alone(&one).expect("deleted"));
                }
            });
        }
    });
    let left: Vec<u8> = (1..=200).filter(|last| last % 5 == 4).collect();
    assert_eq!(lasts(&kernel(), index), left);
}

#[test]
fn many_go_at_once_and_the_others_stay() {
    in_namespace(|| {
        two_interfaces();
        fs::write(SYSCTL, "0\n").expect("sysctl");
        delete_many();
    });
}

#[test]
fn many_go_at_once_where_proc_is_read_only() {
    in_namespace(|| {
        two_interfaces();
        fs::write(SYSCTL, "0\n").expect("sysctl");
        make_settings_read_only();
        fs::write(SYSCTL, "1\n").expect_err("read-only");
        delete_many();
    });
}

#[test]
fn a_secondary_address_changes_no_setting() {
    in_namespace(|| {
        two_interfaces();
        fs::write(SYSCTL, "0\n").expect("sysctl");
        ip("addr add 192.168.144.1/24 dev v0");
        ip("addr add 192.168.144.2/24 dev v0");
        let kernel = kernel();
        let index = link(&kernel, "v0").index;
        assert!(kernel.delete_alone(&assigned(index, "192.168.144.2", 24)).expect("deleted"));
        assert_eq!(lasts(&kernel, index), [1]);
        assert_eq!(fs::read_to_string(SYSCTL).expect("sysctl"), "0\n");
    });
}

#[test]
fn an_address_label_is_one_of_the_address_itself() {
    in_namespace(|| {
        let kernel = kernel();
        let vip: IpAddr = "2001:db8::5".parse().expect("ip");
        let find = || kernel.find_address_label(vip).expect("no refusal");
        assert_eq!(find(), None, "that of ::/0 isn't ours");
        kernel.remove_address_label(vip, 99).expect("there was none");
        kernel.add_address_label(vip, 99).expect("added");
        kernel.add_address_label(vip, 99).expect("twice");
        assert_eq!(find(), Some(99));
        kernel.remove_address_label(vip, 98).expect("another's stays");
        assert_eq!(find(), Some(99));
        kernel.add_address_label(vip, 98).expect("changed");
        assert_eq!(find(), Some(98));
        kernel.remove_address_label(vip, 98).expect("removed");
        assert_eq!(find(), None);
    });
}

#[test]
fn the_end_of_duplicate_detection_is_told() {
    in_namespace(|| {
        two_interfaces();
        let kernel = kernel();
        let index = link(&kernel, "v0").index;
        let mut events = kernel.subscribe(&[Group::Ipv6Address]).expect("events");
        let wanted = assigned(index, "2001:db8::5", 64);
        kernel.add(&wanted).expect("added");
        let mut tentative = Vec::new();
        let until = within(10);
        while tentative.last() != Some(&false) {
            match events.next(&until).expect("no refusal").expect("an event in time") {
                Event::Address(found) if found.ip == wanted.ip => {
                    tentative.push(found.flags & 0x40 != 0);
                }
                _ => {}
            }
        }
        assert_eq!(tentative.first(), Some(&true));
        kernel.delete(&wanted).expect("deleted");
        let gone = |event| matches!(event, Event::AddressGone(found) if found.ip == wanted.ip);
        while !gone(events.next(&until).expect("no refusal").expect("an event in time")) {}
        // The passing of time is what is tested here.
        let mut silent = kernel.subscribe(&[]).expect("events");
        let limit = Deadline::since(Instant::now(), Duration::from_secs(20));
        assert_eq!(silent.next(&limit.within(Duration::from_millis(30))).expect("events"), None);
    });
}

#[test]
fn a_link_is_waited_for() {
    in_namespace(|| {
        two_interfaces();
        ip("link set p0 down");
        let kernel = kernel();
        let index = link(&kernel, "v0").index;
        let none = kernel.wait_for_carrier(index, &within(20).within(Duration::from_millis(50)));
        assert!(!none.expect("a link").has_carrier);
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| self::kernel().wait_for_carrier(index, &within(20)));
            ip("link set p0 up");
            assert!(waiter.join().expect("no panic").expect("a link").has_carrier);
        });
        ip("link set p0 down");
        ip("link del v0");
        let gone = kernel.wait_for_carrier(index, &within(20)).expect_err("it is gone");
        assert_eq!(gone.errno, Errno::ENODEV);
    });
}

#[test]
fn an_address_is_found_while_others_come_and_go() {
    in_namespace(|| {
        two_interfaces();
        let lines: Vec<String> = (0..2_000)
            .map(|n| format!("addr add 10.0.{}.{}/16 dev v0 label v0:x", n / 250, n % 250 + 1))
            .collect();
        ip_batch(&lines.join("\n"));
        let index = link(&kernel(), "v0").index;
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let kernel = kernel();
                let other = assigned(index, "10.0.200.1", 16);
                while !is_over.load(Ordering::Relaxed) {
                    kernel.add(&other).expect("added");
                    assert!(kernel.delete(&other).expect("deleted"));
                }
            });
            let kernel = kernel();
            let last = "10.0.7.250".parse().expect("ip");
            for round in 0..100 {
                let held = kernel.holds("v0", index, last, 16);
                assert!(held.expect("no refusal").is_some(), "round {round}");
            }
            is_over.store(true, Ordering::Relaxed);
        });
    });
}

#[test]
fn an_address_that_would_end_lasts_when_it_is_replaced() {
    in_namespace(|| {
        two_interfaces();
        ip("addr add 192.168.144.2/24 brd + dev v0 valid_lft 600 preferred_lft 500 metric 7");
        ip("addr add 2001:db8::5/64 dev v0 valid_lft 600 preferred_lft 500 nodad");
        let kernel = kernel();
        let index = link(&kernel, "v0").index;
        for (ip, prefix) in [("192.168.144.2", 24), ("2001:db8::5", 64)] {
            let asked = assigned(index, ip, prefix);
            let found = kernel.details(&asked).expect("no refusal").expect("there");
            assert!(found.valid.is_some() && found.preferred.is_some());
            let lasting = Assigned { valid: None, preferred: None, ..found };
            kernel.replace(&lasting).expect("replaced");
            let after = kernel.details(&asked).expect("no refusal").expect("there");
            assert_eq!(after, Assigned { flags: after.flags, ..lasting });
        }
    });
}
