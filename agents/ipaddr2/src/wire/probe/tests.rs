// SPDX-License-Identifier: Apache-2.0 OR MIT

use super::super::world::{OURS, Seen, THEIRS, World, seconds, until};
use super::*;
use crate::testing::ip;
use crate::wire::frame::Audience;
use crate::wire::world::Numbers;
use std::net::Ipv4Addr;

const V4: Ipv4Addr = Ipv4Addr::new(192, 168, 144, 2);

fn v6() -> Ipv6Addr {
    "2001:db8:1234::2".parse().unwrap()
}

/// Asks while the other host does something shortly after the first question; how long it took.
fn ask_while(
    world: &World,
    ask: impl FnOnce() -> Owner + Send,
    says: impl FnOnce(&World),
) -> (Owner, Duration) {
    while world.next(Duration::ZERO).is_some() {}
    let ours = std::fs::File::open("/proc/thread-self/ns/net").unwrap();
    std::thread::scope(|scope| {
        let asking = scope.spawn(move || {
            nix::sched::setns(ours, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
            let began = Instant::now();
            (ask(), began.elapsed())
        });
        let asked = world.collect(1, Duration::from_secs(10), is_question);
        assert_eq!(asked.len(), 1, "no question came");
        says(world);
        asking.join().unwrap()
    })
}

/// Not what the kernel says of itself.
fn is_question(seen: &Seen) -> bool {
    seen.is_arp() || (seen.bytes[54] == 135 && seen.hex(62, 78).ends_with("0002"))
}

fn find(world: &World, ip: impl Into<IpAddr>) -> Box<dyn FnOnce() -> Owner + Send> {
    let (link, ip) = (world.link(), ip.into());
    Box::new(move || find_owner(&Kernel::open().unwrap(), &link, ip, &seconds(20)))
}

fn watch(world: &World, ip: impl Into<IpAddr>) -> Box<dyn FnOnce() -> Owner + Send> {
    let (link, ip) = (world.link(), ip.into());
    Box::new(move || guard(&Kernel::open().unwrap(), &link, ip, &seconds(20)))
}

#[test]
fn an_address_that_nobody_has_is_asked_for_three_times_in_two_seconds() {
    World::run(|world| {
        let ((owner, took), asked) = {
            let mut asked = Vec::new();
            let result = ask_while(world, find(world, V4), |world| {
                // The first one is gone already.
                asked = world.collect(2, Duration::from_secs(5), Seen::is_arp);
            });
            (result, asked)
        };
        assert_eq!(owner, Owner::Nobody);
        // 2.07 s, and what a busy machine adds.
        assert!(took < Duration::from_secs(3), "{took:?}");
        assert!(took > Duration::from_secs(2), "{took:?}");
        assert_eq!(asked.len(), 2);
        // RFC 5227, 2.1.1: sender's address 0, target's hardware address 0.
        assert_eq!(
            asked[0].hex(0, 42),
            "ffffffffffff02000000000a080600010800060400010200\
             0000000a00000000000000000000c0a89002"
        );
        let apart = asked[1].at - asked[0].at;
        assert!(apart >= Duration::from_millis(600), "{apart:?}");
    });
}

#[test]
fn a_real_host_that_has_the_address_is_named() {
    World::run(|world| {
        world.theirs(|| ip("addr add 192.168.144.2/24 dev v1"));
        let began = Instant::now();
        assert_eq!(find(world, V4)(), Owner::Other(THEIRS.to_vec()));
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        // And when both have it, which is what the guard is for.
        ip("addr add 192.168.144.2/24 dev v0");
        assert_eq!(watch(world, V4)(), Owner::Other(THEIRS.to_vec()));
        world.theirs(|| ip("addr del 192.168.144.2/24 dev v1"));
        let began = Instant::now();
        assert_eq!(watch(world, V4)(), Owner::Nobody);
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    });
}

#[test]
fn a_real_host_that_has_the_ipv6_address_is_named() {
    World::run(|world| {
        world.theirs(|| {
            std::fs::write("/proc/sys/net/ipv6/conf/v1/disable_ipv6", "0").unwrap();
            ip("addr add 2001:db8:1234::2/64 dev v1 nodad");
        });
        ip("addr add 2001:db8:1234::2/64 dev v0 nodad");
        // Ours has no usable link-local address yet, or none at all: asked as the unspecified one.
        std::fs::write("/proc/sys/net/ipv6/conf/v0/addr_gen_mode", "1").unwrap();
        ip("-6 addr flush dev v0 scope link");
        assert_eq!(watch(world, v6())(), Owner::Other(THEIRS.to_vec()));
        ip("addr add fe80::77/64 dev v0 nodad");
        assert_eq!(watch(world, v6())(), Owner::Other(THEIRS.to_vec()));
        let asked = world.collect(8, Duration::ZERO, |seen| seen.bytes[54] == 135);
        let sources: Vec<_> = asked.iter().map(|seen| seen.hex(22, 38)).collect();
        assert!(sources.contains(&"0".repeat(32)), "{sources:?}");
        assert!(sources.contains(&format!("fe80{}77", "0".repeat(26))), "{sources:?}");
        world.theirs(|| ip("addr del 2001:db8:1234::2/64 dev v1"));
        assert_eq!(watch(world, v6())(), Owner::Nobody);
    });
}

#[test]
fn whoever_asks_for_the_address_at_the_same_moment_is_about_to_take_it() {
    World::run(|world| {
        let question = frame::probe(&world.their_link(), V4).unwrap();
        let (owner, _) = ask_while(world, find(world, V4), |world| world.say(&question));
        assert_eq!(owner, Owner::Other(THEIRS.to_vec()));
        // Not where we have it: the kernel answers, and the other one looks for another address.
        ip("addr add 192.168.144.2/24 dev v0");
        let (owner, _) = ask_while(world, watch(world, V4), |world| world.say(&question));
        assert_eq!(owner, Owner::Nobody);
        let question = frame::solicitation(&world.their_link(), v6(), None).unwrap();
        let (owner, _) = ask_while(world, find(world, v6()), |world| world.say(&question));
        assert_eq!(owner, Owner::Other(THEIRS.to_vec()));
    });
}

#[test]
fn whoever_uses_the_address_has_it_without_being_asked() {
    World::run(|world| {
        let theirs = world.their_link();
        let foreign = [0x52, 0x54, 0, 1, 2, 3];
        let claims = [
            frame::request(&theirs, &foreign, V4, &[0; 6]).unwrap(),
            frame::reply(&theirs, &foreign, V4).unwrap(),
        ];
        for claim in claims {
            let (owner, _) = ask_while(world, find(world, V4), |world| world.say(&claim));
            assert_eq!(owner, Owner::Other(foreign.to_vec()));
        }
        let claim = frame::advertisement(&theirs, &foreign, v6(), Audience::Nodes, false).unwrap();
        let (owner, _) = ask_while(world, find(world, v6()), |world| world.say(&claim));
        assert_eq!(owner, Owner::Other(foreign.to_vec()));
    });
}

#[test]
fn our_own_frames_are_nobodys() {
    World::run(|world| {
        // A second interface of ours, on the same wire or not.
        ip("link add v2 address 02:00:00:00:00:0c type veth peer name v3");
        let theirs = world.their_link();
        let own = [&OURS, &[2, 0, 0, 0, 0, 0x0c]];
        let claims = own.map(|mac| frame::reply(&theirs, mac, V4).unwrap());
        let (owner, _) = ask_while(world, find(world, V4), |world| {
            claims.iter().for_each(|claim| world.say(claim));
        });
        assert_eq!(owner, Owner::Nobody);
    });
}

#[test]
fn a_network_that_is_not_there_is_not_a_free_address() {
    World::run(|world| {
        let unknown = |owner: Owner, words: &str| match owner {
            Owner::Unknown(why) => {
                assert!(why.contains(words) && why.starts_with("v0: "), "{why}");
            }
            other => panic!("{other:?} instead of {words}"),
        };
        // Lost in the middle, though it came back.
        let (owner, _) = ask_while(world, find(world, V4), |world| {
            world.theirs(|| {
                ip("link set v1 down");
                ip("link set v1 up");
            });
        });
        unknown(owner, "lost");
        let (owner, _) = ask_while(world, find(world, V4), |_| {
            ip("link set v0 down");
            ip("link set v0 up");
        });
        unknown(owner, "nobody can be asked");
        world.theirs(|| ip("link set v1 down"));
        unknown(find(world, V4)(), "no link");
        let link = world.link();
        ip("link set v0 down");
        unknown(find(world, V4)(), "down");
        ip("link set v0 up arp off");
        unknown(find(world, V4)(), "NOARP");
        ip("link set v0 arp on");
        world.theirs(|| ip("link set v1 up"));
        until("a link", || world.link().operstate == 6);
        let (owner, _) = ask_while(world, find(world, V4), |_| drop(ip("link del v0")));
        unknown(owner, "nobody can be asked");
        unknown(find_owner(&world.kernel, &link, V4.into(), &seconds(5)), "gone");
    });
}

#[test]
fn too_little_time_is_no_answer() {
    World::run(|world| {
        let deadline = Deadline::since(Instant::now(), Duration::from_secs(1));
        let owner = find_owner(&world.kernel, &world.link(), V4.into(), &deadline);
        assert_eq!(owner, Owner::Unknown("v0: there was no time to ask".to_owned()));
    });
}

#[test]
fn a_storm_hides_no_owner_and_makes_none() {
    World::run(|world| {
        let theirs = world.their_link();
        let storm = |world: &World| {
            for number in 0..=u8::MAX {
                let other = Ipv4Addr::new(192, 168, 145, number);
                for _ in 0..8 {
                    world.say(&frame::request(&theirs, &THEIRS, other, &[0; 6]).unwrap());
                }
            }
        };
        let (owner, took) = ask_while(world, find(world, V4), storm);
        assert_eq!(owner, Owner::Nobody);
        assert!(took < Duration::from_secs(3), "{took:?}");
        let (owner, _) = ask_while(world, find(world, V4), |world| {
            storm(world);
            world.say(&frame::reply(&theirs, &THEIRS, V4).unwrap());
        });
        assert_eq!(owner, Owner::Other(THEIRS.to_vec()));
    });
}

#[test]
fn garbage_on_the_wire_is_nobody() {
    World::run(|world| {
        let theirs = world.their_link();
        let mut numbers = Numbers(0x0bad_cafe_1234_5678);
        let mut garbage = |protocol: u16| {
            for _ in 0..1000 {
                let payload = (0..numbers.next() % 120).map(|_| numbers.next() as u8).collect();
                world.say(&Frame { protocol, destination: OURS.to_vec(), payload });
            }
        };
        let claim = frame::reply(&theirs, &THEIRS, V4).unwrap();
        for (asked, claim) in [
            (IpAddr::from(V4), claim),
            (
                v6().into(),
                frame::advertisement(&theirs, &THEIRS, v6(), Audience::Nodes, false).unwrap(),
            ),
        ] {
            let (owner, _) = ask_while(world, find(world, asked), |_| garbage(claim.protocol));
            assert_eq!(owner, Owner::Nobody);
            let (owner, _) = ask_while(world, find(world, asked), |world| {
                garbage(claim.protocol);
                // Cut off anywhere it is none.
                for length in 0..claim.payload.len() {
                    let payload = claim.payload[..length].to_vec();
                    world.say(&Frame { payload, ..claim.clone() });
                }
                world.say(&claim);
            });
            assert_eq!(owner, Owner::Other(THEIRS.to_vec()));
        }
    });
}
