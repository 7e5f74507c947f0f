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
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

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

/// A host with a name server that doesn't answer, and a virtual host with a name: it takes the server so many
/// seconds to read its configuration, and it reads it twice at a start.
fn with_a_silent_name_server(seconds: u64) -> World {
    // For as long as the world lives; the second time it is there.
    std::mem::forget(UdpSocket::bind("127.0.0.1:53"));
    let resolv = format!("nameserver 127.0.0.1\noptions timeout:{seconds} attempts:1\n");
    fs::write("/etc/resolv.conf", resolv).unwrap();
    fs::write("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n").unwrap();
    let world = World::ours().limit(Duration::from_secs(20));
    world.configure(
        "<VirtualHost www.shop.example:8088>\nServerName www.shop.example\n</VirtualHost>",
    );
    world
}

#[test]
fn a_server_that_still_reads_is_given_time() {
    inside(|| {
        let world = with_a_silent_name_server(5);
        let seen = world.expect("start", 0);
        println!("a start with look-ups of 5 s takes {:.1} s of 20", seen.seconds());
        world.expect("monitor", 0);
        world.expect("stop", 0);
    });
}

#[test]
fn a_server_that_reads_for_too_long_is_said_to_do_that() {
    inside(|| {
        let world = with_a_silent_name_server(7);
        let seen = world.expect_reason("start", 1, "still reads its configuration|shop.example");
        println!("{:.1} s: {}", seen.seconds(), seen.reason);
        assert!(all_of(Kind::Server).is_empty() && all_of(Kind::Orphan).is_empty());
        world.expect("stop", 0);
        // Nobody detached.
        let world = with_a_silent_name_server(15);
        let seen = world.expect_reason("start", 1, "still reads its configuration");
        println!("{:.1} s: {}", seen.seconds(), seen.reason);
        world.expect("stop", 0);
    });
}

/// What can't be known within the time of a look isn't wrong.
#[test]
fn a_validation_that_takes_too_long_finds_nothing_wrong() {
    inside(|| {
        let world = with_a_silent_name_server(15).limit(Duration::from_secs(5));
        world.expect("validate-all", 0);
        assert!(world.log().contains("isn't known"), "{}", world.log());
    });
}

/// The server reads what is at the place of its pid file, and refuses to start or waits.
#[test]
fn a_link_to_garbage_in_place_of_the_pid_file_is_removed() {
    inside(|| {
        let world = World::ours();
        let pid_file = world.place().join("run/httpd.pid");
        world.write("run/garbage", "garbage\n");
        world.write("run/long", &"garbage\n".repeat(1000));
        for target in ["garbage", "long", "nowhere", "httpd.pid"] {
            std::os::unix::fs::symlink(target, &pid_file).unwrap();
            world.expect("probe", 7);
            world.expect("start", 0);
            world.expect("monitor", 0);
            world.expect("stop", 0);
            assert!(!pid_file.is_symlink(), "{target}");
        }
        assert_eq!(fs::read_to_string(world.place().join("run/garbage")).unwrap(), "garbage\n");
    });
}

#[test]
fn what_is_no_file_in_place_of_the_pid_file_is_named() {
    inside(|| {
        let world = World::ours();
        let pid_file = world.place().join("run/httpd.pid");
        for (what, program) in [("a FIFO", "mkfifo"), ("a directory", "mkdir")] {
            server::call(program, &[pid_file.to_str().unwrap()]);
            let seen = world.expect_reason("start", 5, "httpd.pid is |remove it");
            println!("{:.1} s: {}", seen.seconds(), seen.reason);
            assert!(seen.reason.contains(what) && seen.seconds() < 4.0, "{seen}");
            world.expect("stop", 0);
            server::call("rm", &["-r", pid_file.to_str().unwrap()]);
        }
        world.write_pid(&"4711 ".repeat(100));
        world.expect_reason("start", 5, "too long|remove it");
        world.expect("stop", 0);
    });
}

/// A reason has room for 128 bytes.
#[test]
fn a_reason_is_not_cut_in_the_middle() {
    inside(|| {
        let world = World::ours();
        let run = world.place().join("run/of/a/server/that/is/somewhere/down/in/a/long/path");
        fs::create_dir_all(&run).unwrap();
        server::call("mount", &["-t", "tmpfs", "-o", "ro", "tmpfs", run.to_str().unwrap()]);
        world.edit("httpd.conf", "{w}/run/httpd.pid", &format!("{}/httpd.pid", run.display()));
        let seen =
            world.expect_reason("start", 1, "could not create|/httpd.pid.|read-only file system");
        println!("{}", seen.reason);
        assert!(!seen.reason.contains("AH"), "{}", seen.reason);
        world.expect("stop", 0);
    });
}

/// Whoever has very many hosts waits for the server to read them often enough.
#[test]
fn a_large_configuration_is_asked_about_once() {
    inside(|| {
        let world = World::ours();
        let host = |number| {
            format!(
                "<VirtualHost *:8088>\nServerName h{number}.example\nDocumentRoot {{w}}/htdocs\n</VirtualHost>"
            )
        };
        world.configure(&(0..8000).map(host).collect::<Vec<_>>().join("\n"));
        world
            .write("counts", "#!/bin/sh\necho \"$*\" >>{w}/calls\nexec /usr/sbin/apache2 \"$@\"\n");
        let program = world.place().join("counts");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let world = world.with("httpd", "{w}/counts");
        for (action, calls) in [("validate-all", 1), ("start", 2)] {
            let seen = world.expect(action, 0);
            println!("{action} of 8000 hosts takes {:.1} s", seen.seconds());
            let path = world.place().join("calls");
            assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), calls, "{action}");
            fs::remove_file(path).unwrap();
        }
        world.expect("stop", 0);
    });
}
