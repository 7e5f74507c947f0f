// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What costs data, a node or somebody else's process when it goes wrong, by the names that the facts about
//! the shell agent give it.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use apache_tests::host::{Kind, all_of, is_alive};
use apache_tests::{Seen, World, host, inside, pause, server, wait_for};
use nix::sys::signal::Signal;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

/// Nothing of a server is left, and the agent says so too.
fn is_stopped(world: &World) {
    let left: Vec<_> = host::processes().into_values().filter(|one| one.state != 'Z').collect();
    let is_server = |one: &&host::Process| one.program.contains("apache2");
    let left: Vec<_> = left.iter().filter(is_server).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(world.records().is_empty(), "{:?}", world.records());
    world.expect("probe", 7);
}

fn stops(world: &World) -> Seen {
    let seen = world.expect("stop", 0);
    is_stopped(world);
    seen
}

/// By our agent, so that there is a record, and by hand, so that there is none.
fn started_both_ways(prepare: impl Fn(&World)) {
    for by_hand in [false, true] {
        let world = World::ours();
        if by_hand {
            world.serve();
        } else {
            world.expect("start", 0);
        }
        prepare(&world);
        stops(&world);
    }
}

#[test]
fn a06_stop_without_its_configuration() {
    inside(|| {
        started_both_ways(|world| {
            fs::remove_file(world.place().join("httpd.conf")).unwrap();
        });
    });
}

#[test]
fn a06_stop_without_its_whole_tree() {
    inside(|| {
        started_both_ways(|world| {
            for entry in ["httpd.conf", "run/httpd.pid"] {
                fs::remove_file(world.place().join(entry)).unwrap();
            }
        });
    });
}

#[test]
fn a06_stop_without_its_program() {
    inside(|| {
        let world = World::ours();
        world.expect("start", 0);
        fs::rename(server::PROGRAM, "/usr/sbin/apache2.old").unwrap();
        stops(&world);
    });
}

#[test]
fn a07_stop_without_its_file_of_tests() {
    inside(|| {
        let world = World::ours().with("testconffile", "{w}/tests");
        world.serve();
        stops(&world);
    });
}

/// As after an upgrade of the package.
#[test]
fn stop_of_a_server_whose_program_was_replaced() {
    inside(|| {
        let world = World::ours();
        world.serve();
        fs::copy(server::PROGRAM, "/usr/sbin/apache2.new").unwrap();
        fs::rename("/usr/sbin/apache2.new", server::PROGRAM).unwrap();
        world.expect("monitor", 0);
        stops(&world);
    });
}

#[test]
fn a18_a_pid_file_with_a_blank() {
    inside(|| {
        let world = World::ours();
        world.edit("httpd.conf", "{w}/run/httpd.pid", "\"{w}/run/the server.pid\"");
        for action in ["start", "monitor", "probe"] {
            world.expect(action, 0);
        }
        stops(&world);
    });
}

#[test]
fn a19_nothing_of_the_configuration_is_run() {
    inside(|| {
        let world = World::ours();
        let evil = [("PidFile", "run/`touch {w}/owned`.pid"), ("ServerName", "$(touch {w}/owned)")];
        for (word, value) in evil {
            world.configure(&format!("{word} \"{value}\""));
        }
        world.configure("Define THERE `touch {w}/owned`$(touch {w}/owned)");
        for action in ["validate-all", "probe", "start", "monitor", "stop"] {
            let seen = world.run(action);
            println!("{action}: {} {}", seen.execution.verdict, seen.reason);
            assert!(seen.code().is_some(), "{seen}");
        }
        let world = World::ours().with("envfiles", "{w}/env");
        world.write("env", "export A=`touch {w}/owned` B=$(touch {w}/owned)\ntouch {w}/owned\n");
        for action in ["validate-all", "probe", "start", "monitor", "stop"] {
            let seen = world.run(action);
            println!("{action}: {} {}", seen.execution.verdict, seen.reason);
            assert!(seen.code().is_some(), "{seen}");
        }
        assert!(!world.place().join("owned").exists());
    });
}

/// No start that can't work waits for its time to be over.
fn fails_at_once(world: &World, code: i32, words: &str) {
    let seen = world.expect_reason("start", code, words);
    println!("{:.2} s: {}", seen.seconds(), seen.reason);
    assert!(seen.seconds() < 4.0, "{:.1} s: {seen}", seen.seconds());
    stops(world);
}

#[test]
fn a12_a_syntax_error() {
    inside(|| {
        let world = World::ours();
        world.configure("Nonsense on");
        fails_at_once(&world, 5, "httpd.conf|Nonsense");
        assert!(world.log().contains("Invalid command"), "{}", world.log());
    });
}

#[test]
fn a22_a_busy_port() {
    inside(|| {
        let world = World::ours();
        let _listener = TcpListener::bind(("127.0.0.1", server::PORT)).unwrap();
        fails_at_once(&world, 1, "8088");
        assert!(world.log().contains("Address already in use"), "{}", world.log());
    });
}

/// One that says that all is well, and isn't there.
#[test]
fn a_server_that_exits_after_its_start() {
    inside(|| {
        let world = World::ours();
        world.write(
            "exits",
            "#!/bin/sh\nfor a; do [ \"$a\" = -t ] && exec apache2 \"$@\"; done\nexit 0\n",
        );
        let program = world.place().join("exits");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let world = world.with("httpd", "{w}/exits");
        fails_at_once(&world, 1, "ended");
    });
}

#[test]
fn a25_its_own_orphans_are_in_the_way() {
    inside(|| {
        let world = World::ours();
        world.expect("start", 0);
        server::behead("httpd.conf");
        let orphans = all_of(Kind::Orphan);
        assert!(!orphans.is_empty());
        world.expect("monitor", 1);
        world.expect("probe", 1);
        world.expect("start", 0);
        world.expect("monitor", 0);
        assert!(orphans.iter().all(|orphan| !is_alive(orphan.pid)), "{orphans:?}");
        stops(&world);
    });
}

#[test]
fn a26_a_pid_file_that_is_empty_or_garbage() {
    inside(|| {
        for text in
            ["", "garbage\n", "0\n", "-1\n", "1\n", "99999999999999999999\n", "self\n", "\0\n"]
        {
            let world = World::ours();
            world.write_pid(text);
            world.expect("probe", 7);
            world.expect("start", 0);
            world.expect("monitor", 0);
            stops(&world);
        }
    });
}

#[test]
fn m02_a_foreign_process_in_the_pid_file() {
    inside(|| {
        let world = World::ours();
        let foreign = world.begin("sleep", &["1000"]);
        world.write_pid(&format!("{foreign}\n"));
        world.expect("monitor", 7);
        world.expect("probe", 7);
        world.expect("stop", 0);
        assert!(is_alive(foreign));
        world.write_pid(&format!("{foreign}\n"));
        world.expect("start", 0);
        world.expect("monitor", 0);
        stops(&world);
        assert!(is_alive(foreign));
    });
}

/// The number is another server's now, of the same program.
#[test]
fn m02_another_server_in_the_pid_file() {
    inside(|| {
        let (world, other) = with_sibling("other.conf", "8089");
        world.write_pid(&format!("{other}\n"));
        world.expect("monitor", 7);
        world.expect("stop", 0);
        assert!(is_alive(other));
        world.expect("start", 0);
        world.expect("stop", 0);
        assert!(is_alive(other));
    });
}

/// A world with another server, and that one's number.
fn with_sibling(file: &str, port: &str) -> (World, i32) {
    let world = World::ours();
    world.write(file, &server::SMALL.replace("8088", port).replace("httpd.pid", "other.pid"));
    server::start(&["-f", &world.text(&format!("{{w}}/{file}"))], &format!("127.0.0.1:{port}"));
    let other = server::pid_of(&world.place().join("run/other.pid"));
    (world, other)
}

/// A request that the server is still answering.
fn long_request(world: &World) -> TcpStream {
    world.write("htdocs/slow.bin", &"x".repeat(1 << 24));
    let mut stream = TcpStream::connect(("127.0.0.1", server::PORT)).unwrap();
    stream.write_all(b"GET /slow.bin HTTP/1.0\r\n\r\n").unwrap();
    // It has begun, and as long as nobody reads on it can't end.
    stream.read_exact(&mut [0; 100]).unwrap();
    stream
}

#[test]
fn s03_one_long_request_and_timeouts_of_5_10_and_20_seconds() {
    inside(|| {
        for seconds in [5, 10, 20] {
            let world = World::ours().limit(Duration::from_secs(seconds));
            world.expect("start", 0);
            let stream = long_request(&world);
            let seen = stops(&world);
            println!("a stop with {seconds} s takes {:.1} s", seen.seconds());
            drop(stream);
        }
    });
}

/// Graceful comes first: who reads on gets all of it.
#[test]
fn s03_a_request_that_ends_is_answered_whole() {
    inside(|| {
        let world = World::ours();
        world.expect("start", 0);
        let mut stream = long_request(&world);
        std::thread::scope(|scope| {
            let reader = scope.spawn(move || {
                // The passing of time is what is tested: stop has begun meanwhile.
                pause(Duration::from_secs(1));
                let mut rest = Vec::new();
                stream.read_to_end(&mut rest).map(|_| rest.len())
            });
            stops(&world);
            let length = reader.join().unwrap().unwrap();
            assert!(length > 1 << 24, "{length}");
        });
    });
}

#[test]
fn s04_a_frozen_server() {
    inside(|| {
        for seconds in [5, 10, 20] {
            let world = World::ours().limit(Duration::from_secs(seconds));
            world.expect("start", 0);
            world.signal(world.pid(), Signal::SIGSTOP);
            let seen = stops(&world);
            println!("a stop of a frozen server with {seconds} s takes {:.1} s", seen.seconds());
        }
    });
}

#[test]
fn s05_a_frozen_server_of_another_name() {
    inside(|| {
        let world = World::ours().limit(Duration::from_secs(10));
        std::env::set_current_dir("/usr/sbin").unwrap();
        let file = world.text("{w}/httpd.conf");
        server::start_as("./apache2", &["-f", &file], "127.0.0.1:8088");
        world.signal(world.pid(), Signal::SIGSTOP);
        stops(&world);
    });
}

#[test]
fn m13_frozen_workers_fail_a_monitor_before_its_time_is_over() {
    inside(|| {
        let world = World::ours().limit(Duration::from_secs(5));
        world.expect("start", 0);
        let workers = all_of(Kind::Worker);
        workers.iter().for_each(|worker| world.signal(worker.pid, Signal::SIGSTOP));
        wait_for("frozen workers", || {
            let now = host::processes();
            let is_frozen = |pid| now.get(&pid).is_some_and(|one| one.state == 'T');
            workers.iter().all(|worker| is_frozen(worker.pid)).then_some(())
        });
        let seen = world.expect_reason("monitor", 1, "8088");
        assert!(seen.seconds() < 5.0, "{seen}");
        println!("{:.1} s: {}", seen.seconds(), seen.reason);
        stops(&world);
    });
}

#[test]
fn s06_workers_without_their_server() {
    inside(|| {
        let world = World::ours();
        world.serve();
        server::behead("httpd.conf");
        stops(&world);
    });
}

#[test]
fn s07_a_sibling_whose_configuration_begins_with_the_same_words() {
    inside(|| {
        for file in ["httpd.conf2", "httpd.conf.d/httpd.conf"] {
            let (world, other) = with_sibling(file, "8089");
            world.expect("probe", 7);
            world.expect("stop", 0);
            assert!(is_alive(other), "{file}");
            world.expect("start", 0);
            world.expect("monitor", 0);
            world.expect("stop", 0);
            assert!(is_alive(other), "{file}");
            assert!(server::get("127.0.0.1:8089", "/").is_some());
            world.signal(other, Signal::SIGTERM);
            world.wait_end(other);
        }
    });
}

#[test]
fn s08_an_editor_of_the_configuration_survives() {
    inside(|| {
        let world = World::ours();
        let file = world.text("{w}/httpd.conf");
        let words = format!("# /usr/sbin/apache2 -DSTATUS -f {file}");
        let editors = [
            world.begin("tail", &["-f", server::PROGRAM, &file]),
            world.begin("sh", &["-c", &format!("sleep 1000; {words}")]),
        ];
        world.expect("start", 0);
        stops_with(&world, &editors);
        // Orphans are looked for among all processes.
        world.serve();
        server::behead("httpd.conf");
        stops_with(&world, &editors);
    });
}

fn stops_with(world: &World, others: &[i32]) {
    world.expect("stop", 0);
    assert!(others.iter().all(|pid| is_alive(*pid)));
}
