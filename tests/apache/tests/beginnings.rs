// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What start was mistaken about: who holds it up, for what it waits, and what it then says.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use apache_tests::host::{Kind, all_of};
use apache_tests::{World, inside, server, wait_for};
use std::fs;

/// Where the turns of the instance are.
const TURN: &str = "/run/resource-agents/apache-web.turn";

/// The configuration is everybody's to read, and so to lock.
#[test]
fn a_start_waits_for_nobody_who_locks_the_configuration() {
    inside(|| {
        let world = World::ours();
        let file = world.text("{w}/httpd.conf");
        let all = ["--reuid", "www-data", "--regid", "www-data", "--clear-groups", "flock"];
        let _stranger = world.begin("setpriv", &[&all[..], &[&file, "sleep", "1000"]].concat());
        wait_for("a lock", || fs::read_to_string("/proc/locks").unwrap().lines().next().map(drop));
        let seen = world.expect("start", 0);
        assert!(seen.seconds() < 10.0, "{seen}");
        world.expect("stop", 0);
    });
}

#[test]
fn starts_of_one_server_take_turns() {
    inside(|| {
        let world = World::ours();
        for _ in 0..5 {
            std::thread::scope(|scope| {
                let all: Vec<_> = (0..4).map(|_| scope.spawn(|| world.run("start"))).collect();
                all.into_iter().for_each(|one| one.join().unwrap().is(0));
            });
            assert_eq!(all_of(Kind::Server).len(), 1);
            assert!(!fs::exists(TURN).unwrap());
            world.expect("stop", 0);
            assert!(world.records().is_empty(), "{:?}", world.records());
        }
    });
}

/// What a killed start leaves holds nobody up, and a stop removes it.
#[test]
fn a_turn_of_nobody_is_removed_by_a_stop() {
    inside(|| {
        let world = World::ours();
        fs::create_dir_all("/run/resource-agents").unwrap();
        fs::write(TURN, "").unwrap();
        world.expect("stop", 0);
        assert!(world.records().is_empty(), "{:?}", world.records());
        fs::write(TURN, "").unwrap();
        world.expect("start", 0);
        assert!(!fs::exists(TURN).unwrap());
        world.expect("stop", 0);
    });
}

#[test]
fn a_start_needs_no_room_to_take_turns() {
    inside(|| {
        let world = World::ours();
        let run = ["-t", "tmpfs", "-o", "ro", "tmpfs", "/run"];
        server::call("mount", &run);
        world.expect("start", 0);
        assert!(world.log().contains("take no turns"), "{}", world.log());
        world.expect("monitor", 0);
        world.expect("stop", 0);
        server::call("umount", &["/run"]);
        // Something else in its place.
        fs::create_dir_all(TURN).unwrap();
        world.expect("start", 0);
        world.expect("stop", 0);
        assert!(fs::exists(TURN).unwrap());
    });
}
