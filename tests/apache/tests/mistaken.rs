// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Processes that were mistaken: servers that weren't known as the resource's own, and strangers that were.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use apache_tests::host::{Kind, all_of, is_alive};
use apache_tests::{World, host, inside, pause, server};
use std::fs;
use std::time::Duration;

const ADDRESS: &str = "127.0.0.1:8088";

/// No server is left, whoever's.
fn nobody_serves() {
    let all = host::processes();
    let left: Vec<_> = all
        .values()
        .filter(|one| one.state != 'Z' && !matches!(one.kind(&all), Kind::Bystander))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(server::get(ADDRESS, "/").is_none());
}

fn stops(world: &World) {
    world.expect("stop", 0);
    nobody_serves();
    world.expect("probe", 7);
}

#[test]
fn a_server_that_a_restart_or_a_rotation_of_logs_began() {
    inside(|| {
        for word in ["restart", "graceful"] {
            for has_pid_file in [true, false] {
                let world = World::ours();
                server::start(&["-f", &world.text("{w}/httpd.conf"), "-k", word], ADDRESS);
                let pid = world.pid();
                if !has_pid_file {
                    fs::remove_file(world.place().join("run/httpd.pid")).unwrap();
                }
                world.expect("probe", 0);
                world.expect("start", 0);
                assert!(is_alive(pid), "start ended it");
                stops(&world);
            }
            // Its workers have its line.
            let world = World::ours();
            server::start(&["-f", &world.text("{w}/httpd.conf"), "-k", word], ADDRESS);
            server::behead("httpd.conf");
            world.expect("probe", 1);
            stops(&world);
        }
    });
}

/// Debian's own, which has nothing on its line.
#[test]
fn debians_own_server_that_a_restart_began() {
    inside(|| {
        let world = World::stock(apache_tests::Agent::Ours);
        server::call("apache2ctl", &["restart"]);
        server::answers("127.0.0.1:80");
        world.expect("probe", 0);
        world.expect("stop", 0);
        nobody_serves();
    });
}

/// Who only tells a server something is in somebody's session, as here in that of whoever runs the tests.
#[test]
fn somebody_who_only_tells_the_server_something_is_none() {
    inside(|| {
        let world = World::ours();
        // To tail those are a file that it follows, and two that aren't there.
        fs::copy("/usr/bin/tail", "/usr/sbin/httpd-told").unwrap();
        let errand = world.begin("httpd-told", &["-f", "{w}/httpd.conf", "--", "-k", "graceful"]);
        world.expect("probe", 7);
        world.expect("start", 0);
        world.expect("stop", 0);
        assert!(is_alive(errand));
        world.expect("probe", 7);
    });
}

/// The server is gone, and whoever wants its logs rotated starts it again while stop is at its end.
#[test]
fn a_rotation_of_logs_while_it_stops() {
    inside(|| {
        let world = World::ours();
        for delay in 0..8 {
            world.expect("start", 0);
            let stopped = std::thread::scope(|scope| {
                scope.spawn(|| {
                    pause(Duration::from_millis(delay * 15));
                    // It may find the pid file, a server that is ending, or neither.
                    let words = ["-f", "{w}/httpd.conf", "-k", "graceful"];
                    world.wait_end(world.begin(server::PROGRAM, &words));
                });
                world.run("stop")
            });
            println!("{delay}: {} {}", stopped.execution.verdict, stopped.reason);
            // Who came after stop's last look is a new start, and seen.
            let serves = !all_of(Kind::Server).is_empty();
            assert_eq!(world.run("probe").code() == Some(7), !serves);
            world.expect("stop", 0);
            nobody_serves();
        }
    });
}
