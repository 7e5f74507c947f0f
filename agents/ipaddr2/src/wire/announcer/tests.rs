// SPDX-License-Identifier: Apache-2.0 OR MIT

mod process;

use super::super::announce::Form;
use super::super::world::{OURS, Seen, World, seconds, until};
use super::*;
use crate::testing::ip;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory of a test's own.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("ipaddr2-announcer-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("address.announcer")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn plan(world: &World, ip: &str, count: u32, milliseconds: u64) -> Plan {
    Plan {
        ip: ip.parse().unwrap(),
        prefix: if ip.contains(':') { 64 } else { 24 },
        label: "v0".to_owned(),
        link: world.link(),
        count,
        interval: Duration::from_millis(milliseconds),
        form: Form::Both,
        shared_mac: None,
    }
}

/// The address, and a plan for it.
fn v4(world: &World, count: u32, milliseconds: u64) -> Plan {
    ip("addr add 192.168.144.2/24 dev v0");
    plan(world, "192.168.144.2", count, milliseconds)
}

fn v6(world: &World, count: u32, milliseconds: u64) -> Plan {
    ip("addr add 2001:db8:1234::2/64 dev v0 nodad");
    plan(world, "2001:db8:1234::2", count, milliseconds)
}

const fn milliseconds(number: u64) -> Duration {
    Duration::from_millis(number)
}

/// The pid of the process that holds a file.
fn holder(path: &Path) -> Option<i32> {
    match find(path).unwrap().and_then(|file| find_holder(&file, path).unwrap()) {
        Some(Holder::Announcer(pid)) => Some(pid),
        _ => None,
    }
}

fn drain(world: &World) {
    while world.next(Duration::ZERO).is_some() {}
}

/// What is tested here is that nothing comes while time passes.
fn expect_silence(world: &World, within: Duration) {
    drain(world);
    let seen = world
        .collect(1, within, |seen| seen.is_arp() || seen.is_advertisement_of("0000000000000002"));
    assert!(seen.is_empty(), "{seen:?}");
}

#[test]
fn both_bursts_come_in_both_forms_and_with_their_pauses() {
    World::run(|world| {
        let (directory, plan) = (Directory::new(), v4(world, 3, 100));
        start(&world.kernel, &directory.file(), &plan, Bursts::All(milliseconds(700))).unwrap();
        assert!(is_running(&directory.file()).unwrap());
        let seen = world.collect(13, milliseconds(3000), Seen::is_arp);
        assert_eq!(seen.len(), 12, "{seen:?}");
        for (number, seen) in seen.iter().enumerate() {
            let (operation, target) = [("01", "000000000000"), ("02", "02000000000a")][number % 2];
            let expected = format!(
                "ffffffffffff02000000000a080600010800060400{operation}02000000000ac0a89002\
                 {target}c0a89002"
            );
            assert_eq!(seen.hex(0, seen.bytes.len()), expected, "frame {number}");
        }
        let at = |pair: usize| seen[pair * 2].at;
        let pauses = [100, 100, 700, 100, 100];
        for (pair, pause) in pauses.into_iter().enumerate() {
            let apart = at(pair + 1).saturating_sub(at(pair));
            // The announcer began a little later than the first frames left.
            assert!(apart >= milliseconds(pause - 5), "pair {pair}: {apart:?}");
        }
        until("it ends by itself", || !is_running(&directory.file()).unwrap());
        assert!(directory.file().exists());
        end(&directory.file(), &seconds(5)).unwrap();
        assert!(!directory.file().exists());
        end(&directory.file(), &seconds(5)).unwrap();
    });
}

#[test]
fn nothing_leaves_after_the_end() {
    World::run(|world| {
        let (directory, plan) = (Directory::new(), v4(world, 1000, 50));
        start(&world.kernel, &directory.file(), &plan, Bursts::All(SECOND_BURST_AFTER)).unwrap();
        assert_eq!(world.collect(4, milliseconds(5000), Seen::is_arp).len(), 4);
        let pid = holder(&directory.file()).unwrap();
        end(&directory.file(), &seconds(5)).unwrap();
        assert!(!Identity::of(pid).is_some_and(|process| process.is_alive()));
        assert!(!directory.file().exists());
        expect_silence(world, milliseconds(5000));
    });
}

#[test]
fn it_ends_with_the_address() {
    World::run(|world| {
        let (directory, plan) = (Directory::new(), v4(world, 1000, 50));
        let path = directory.file();
        for how in [
            "addr del 192.168.144.2/24 dev v0",
            // Another prefix is another address.
            "addr replace 192.168.144.2/25 dev v0",
            "link del v0",
        ] {
            start(&world.kernel, &path, &plan, Bursts::First).unwrap();
            assert_eq!(world.collect(2, milliseconds(5000), Seen::is_arp).len(), 2);
            if how.contains("replace") {
                ip("addr del 192.168.144.2/24 dev v0");
            }
            ip(how);
            until(how, || !is_running(&path).unwrap());
            expect_silence(world, milliseconds(300));
            if !how.contains("link") {
                ip("addr flush dev v0");
                ip("addr add 192.168.144.2/24 dev v0");
            }
        }
    });
}

#[test]
fn a_router_says_so_and_the_pace_is_the_interfaces() {
    World::run(|world| {
        let directory = Directory::new();
        fs::write("/proc/sys/net/ipv6/conf/v0/forwarding", "1").unwrap();
        fs::write("/proc/sys/net/ipv6/neigh/v0/retrans_time_ms", "150").unwrap();
        let plan = v6(world, 5, 20);
        start(&world.kernel, &directory.file(), &plan, Bursts::All(milliseconds(400))).unwrap();
        let is_ours = |seen: &Seen| seen.is_advertisement_of("20010db8123400000000000000000002");
        let seen = world.collect(9, milliseconds(3000), is_ours);
        // Three each time, and one for routers.
        let what: Vec<_> = seen.iter().map(|seen| (seen.hex(0, 6), seen.hex(58, 59))).collect();
        let (nodes, routers) = (("333300000001", "a0"), ("333300000002", "80"));
        let burst = [nodes, routers, nodes, nodes];
        let expected = burst.iter().chain(&burst).map(|(a, b)| (a.to_string(), b.to_string()));
        assert_eq!(what, expected.collect::<Vec<_>>());
        for seen in &seen {
            assert_eq!(seen.hex(21, 22), "ff", "hop limit");
            assert_eq!(seen.hex(22, 38), "20010db8123400000000000000000002", "source");
            assert_eq!(seen.hex(78, 86), "020102000000000a", "the link-layer address");
        }
        let at = |number: usize| seen[number].at;
        for (from, to) in [(0, 2), (2, 3), (3, 4), (4, 6), (6, 7)] {
            assert!(at(to).saturating_sub(at(from)) >= milliseconds(145), "{from} to {to}");
        }
        until("it ends by itself", || !is_running(&directory.file()).unwrap());
    });
}

#[test]
fn what_the_interface_is_now_counts() {
    World::run(|world| {
        let (directory, plan) = (Directory::new(), v4(world, 1000, 50));
        start(&world.kernel, &directory.file(), &plan, Bursts::First).unwrap();
        assert_eq!(world.collect(2, milliseconds(5000), Seen::is_arp).len(), 2);
        // The frame's own source is of no use to find it then.
        ip("link set v0 address 02:00:00:00:00:1a");
        until("the new address is told", || world.has_heard("02000000001ac0a89002"));
        assert_ne!(OURS[5], 0x1a);
        end(&directory.file(), &seconds(5)).unwrap();
    });
}

#[test]
fn it_follows_an_interface_that_gets_another_name() {
    World::run(|world| {
        let directory = Directory::new();
        ip("addr add 192.168.144.2/24 dev v0 label v0:web");
        let plan = Plan { label: "v0:web".to_owned(), ..plan(world, "192.168.144.2", 1000, 50) };
        start(&world.kernel, &directory.file(), &plan, Bursts::First).unwrap();
        assert_eq!(world.collect(2, milliseconds(5000), Seen::is_arp).len(), 2);
        ip("link set v0 down");
        ip("link set v0 name w0");
        ip("link set w0 up");
        drain(world);
        assert_eq!(world.collect(4, milliseconds(5000), Seen::is_arp).len(), 4);
        end(&directory.file(), &seconds(5)).unwrap();
    });
}

#[test]
fn an_address_that_the_kernel_still_asks_for_is_not_announced() {
    World::run(|world| {
        let directory = Directory::new();
        fs::write("/proc/sys/net/ipv6/neigh/v0/retrans_time_ms", "50").unwrap();
        // Many questions: it stays tentative for the test's time.
        fs::write("/proc/sys/net/ipv6/conf/v0/dad_transmits", "100").unwrap();
        ip("addr add 2001:db8:1234::2/64 dev v0");
        let plan = plan(world, "2001:db8:1234::2", 3, 50);
        assert_eq!(plan.send_all(&world.kernel, &seconds(5)), Tally::default());
        start(&world.kernel, &directory.file(), &plan, Bursts::Second(milliseconds(100))).unwrap();
        until("it ends by itself", || !is_running(&directory.file()).unwrap());
        let is_ours = |seen: &Seen| seen.is_advertisement_of("20010db8123400000000000000000002");
        assert!(world.collect(1, Duration::ZERO, is_ours).is_empty());
    });
}

#[test]
fn what_can_not_be_sent_is_counted() {
    World::run(|world| {
        let mut plan = v4(world, 2, 20);
        assert_eq!(
            plan.send_all(&world.kernel, &seconds(5)),
            Tally { sent: 4, ..Tally::default() }
        );
        let late = Deadline::since(Instant::now(), Duration::ZERO);
        assert_eq!(
            plan.send_all(&world.kernel, &late),
            Tally { sent: 2, unsent: 1, ..Tally::default() }
        );
        ip("link set v0 down");
        let tally = plan.send_all(&world.kernel, &late);
        assert_eq!((tally.sent, tally.failed, tally.last), (0, 2, Some(Errno::ENETDOWN)));
        assert_eq!(
            tally.to_string(),
            "0 packets sent, 2 refused by the kernel (network is down), no time for 1 more"
        );
        ip("link del v0");
        assert_eq!(plan.send_all(&world.kernel, &late), Tally::default(), "nothing to be told of");
        plan.link = world.kernel.find_link("lo").unwrap().unwrap();
        assert_eq!(
            plan.send_all(&world.kernel, &late),
            Tally::default(),
            "nobody to be told on lo"
        );
        plan.ip = IpAddr::from([127, 0, 0, 3]);
        let directory = Directory::new();
        start(&world.kernel, &directory.file(), &plan, Bursts::First).unwrap();
        assert!(!directory.file().exists());
    });
}

#[test]
fn a_series_keeps_its_pauses_however_long_it_is() {
    let steps = |bursts: Bursts, steps: u32| -> Vec<(u64, u32)> {
        let steps = bursts.steps(steps, milliseconds(200));
        steps.map(|(wait, step)| (u64::try_from(wait.as_millis()).unwrap(), step)).collect()
    };
    let after = milliseconds(3000);
    let both = [(200, 1), (200, 2), (3000, 0), (200, 1), (200, 2)];
    assert_eq!(steps(Bursts::All(after), 3), both);
    assert_eq!(steps(Bursts::All(after), 1), [(3000, 0)]);
    assert_eq!(steps(Bursts::Second(after), 2), [(3000, 0), (200, 1)]);
    assert_eq!(steps(Bursts::First, 3), [(200, 1), (200, 2)]);
    assert_eq!(steps(Bursts::All(after), 0), [(0, 0); 0]);
    // No list of four thousand million of them.
    assert!(Bursts::All(after).steps(u32::MAX, Duration::MAX).next().is_some());
}
