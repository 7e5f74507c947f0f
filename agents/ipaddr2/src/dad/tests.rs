// SPDX-License-Identifier: Apache-2.0 OR MIT

use super::*;
use crate::testing::ip;
use crate::wire::world::{World, seconds, until};
use nix::sched::{CloneFlags, setns};
use std::fs::{self, File};
use std::time::Instant;

const IP: &str = "2001:db8:1234::2";

fn address(link: &Link, flags: u32) -> Assigned {
    Assigned { flags, ..Assigned::bare(link.index, IP.parse().unwrap(), 64) }
}

/// Adds the address and waits; what came of it, and how long it took.
fn add(world: &World, flags: u32, deadline: &Deadline) -> (Result<()>, Duration) {
    let link = world.link();
    let address = address(&link, flags);
    let waiting = Waiting::before(&world.kernel, &address, &link).unwrap();
    let began = Instant::now();
    world.kernel.add(&address).unwrap();
    (waiting.until_usable(&world.kernel, deadline), began.elapsed())
}

/// When the kernel says that the address is usable, as somebody else hears it.
fn watch(is_ready: &std::sync::mpsc::Sender<()>) -> Instant {
    let kernel = Kernel::open().unwrap();
    let mut events = kernel.subscribe(&[Group::Ipv6Address]).unwrap();
    is_ready.send(()).unwrap();
    loop {
        match events.next(&seconds(20)).unwrap() {
            Some(Event::Address(now)) if now.ip.to_string() == IP => {
                if !now.has(libc::IFA_F_TENTATIVE) {
                    return Instant::now();
                }
            }
            Some(_) => {}
            None => panic!("it never became usable"),
        }
    }
}

/// How much later than the kernel's event a wait is over.
fn lateness(world: &World) -> Duration {
    let ours = File::open("/proc/thread-self/ns/net").unwrap();
    let (ready, is_ready) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let watching = scope.spawn(move || {
            setns(ours, CloneFlags::CLONE_NEWNET).unwrap();
            watch(&ready)
        });
        is_ready.recv().unwrap();
        let (result, took) = add(world, 0, &seconds(20));
        let ended = Instant::now();
        assert_eq!(result, Ok(()));
        // One question at least, and the second of waiting for its answer.
        assert!(took >= Duration::from_millis(900), "{took:?}");
        ended.saturating_duration_since(watching.join().unwrap())
    })
}

#[test]
fn the_wait_is_over_when_the_kernel_is() {
    World::run(|world| {
        // A machine that is busy may wake us late once, not always.
        let late: Vec<_> = (0..3)
            .map(|_| {
                let late = lateness(world);
                ip(&format!("addr del {IP}/64 dev v0"));
                late
            })
            .collect();
        assert!(late.iter().any(|late| *late < Duration::from_millis(100)), "{late:?}");
    });
}

#[test]
fn what_the_kernel_does_not_look_for_is_not_waited_for() {
    World::run(|world| {
        let (result, took) = add(world, libc::IFA_F_NODAD, &seconds(20));
        assert_eq!(result, Ok(()));
        assert!(took < Duration::from_millis(200), "{took:?}");
        let v4 = Assigned::bare(world.link().index, "10.0.0.1".parse().unwrap(), 24);
        let waiting = Waiting::before(&world.kernel, &v4, &world.link()).unwrap();
        assert_eq!(waiting.until_usable(&world.kernel, &seconds(20)), Ok(()));
    });
}

#[test]
fn another_owner_is_a_failure_that_names_it() {
    World::run(|world| {
        world.theirs(|| {
            fs::write("/proc/sys/net/ipv6/conf/v1/disable_ipv6", "0").unwrap();
            ip(&format!("addr add {IP}/64 dev v1 nodad"));
        });
        let (result, took) = add(world, 0, &seconds(20));
        let reason = result.unwrap_err().reason;
        assert_eq!(
            reason,
            format!("{IP} is used by another host: 02:00:00:00:00:0b answers for it")
        );
        // The longest text of an address has 39 bytes; a reason has 128 at most.
        assert!(reason.len() + 39 - IP.len() <= 128, "{reason}");
        assert!(took < Duration::from_millis(3000), "{took:?}");
        assert!(ip("addr show dev v0").contains("dadfailed"), "the caller takes it away");
    });
}

#[test]
fn an_address_that_goes_meanwhile_is_a_failure() {
    World::run(|world| {
        for how in [format!("addr del {IP}/64 dev v0"), "link del v0".to_owned()] {
            let link = world.link();
            let address = address(&link, 0);
            let waiting = Waiting::before(&world.kernel, &address, &link).unwrap();
            world.kernel.add(&address).unwrap();
            let ours = File::open("/proc/thread-self/ns/net").unwrap();
            let kernel = &Kernel::open().unwrap();
            std::thread::scope(|scope| {
                scope.spawn(move || {
                    setns(ours, CloneFlags::CLONE_NEWNET).unwrap();
                    until("it is there", || ip("addr show").contains("tentative"));
                    ip(&how);
                });
                let reason = waiting.until_usable(kernel, &seconds(20)).unwrap_err().reason;
                assert!(reason.starts_with(&format!("{IP} was taken from v0")), "{reason}");
            });
        }
    });
}

#[test]
fn without_a_link_the_wait_has_an_end() {
    World::run(|world| {
        // A link that never was: else the kernel would have begun.
        ip("link add v2 type veth peer name v3");
        ip("link set v2 up");
        let link = world.kernel.find_link("v2").unwrap().unwrap();
        let address = address(&link, 0);
        let waiting = Waiting::before(&world.kernel, &address, &link).unwrap();
        let began = Instant::now();
        world.kernel.add(&address).unwrap();
        assert_eq!(waiting.until_usable(&world.kernel, &seconds(20)), Ok(()));
        assert!(began.elapsed() < Duration::from_millis(2500), "{:?}", began.elapsed());
        assert!(ip("addr show dev v2").contains("tentative"));
    });
}

#[test]
fn the_deadline_ends_the_wait() {
    World::run(|world| {
        fs::write("/proc/sys/net/ipv6/conf/v0/dad_transmits", "100").unwrap();
        let deadline = Deadline::since(Instant::now(), Duration::from_secs(1));
        let (result, took) = add(world, 0, &deadline);
        assert_eq!(result, Ok(()));
        assert!(took < Duration::from_millis(1500), "{took:?}");
    });
}
