// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A server that somebody else started: Debian's shell agent, its unit, or a person. Ours knows it, asks it
//! with no process and no record, and stops it; and the other way round.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use apache_tests::host::{Kind, all_of};
use apache_tests::{Agent, World, host, inside, server};
use std::fs;
use std::process::{Command, Stdio};

/// How many processes and threads one monitor is: the kernel counts them in this world.
fn numbers_of_a_monitor(world: &World) -> i32 {
    let last = || -> i32 {
        fs::read_to_string("/proc/sys/kernel/ns_last_pid").unwrap().trim().parse().unwrap()
    };
    let call = world.call("monitor");
    // An idle server may make a thread of its own meanwhile, but not each time.
    let one = || {
        let before = last();
        let mut command = Command::new(&call.agent);
        command.args(&call.arguments).env_clear().envs(call.full_environment());
        let status =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert_eq!(status.unwrap().code(), Some(0));
        last() - before
    };
    (0..5).map(|_| one()).min().unwrap()
}

/// Monitored and stopped by ours, which knows nothing of it.
fn is_known(world: &World) {
    assert!(world.records().is_empty());
    world.expect("probe", 0);
    world.expect("monitor", 0);
    assert_eq!(numbers_of_a_monitor(world), 1, "a monitor is one process");
    world.expect("start", 0);
    assert_eq!(numbers_of_a_monitor(world), 1, "a monitor is one process");
    world.expect("stop", 0);
    assert!(all_of(Kind::Server).is_empty() && all_of(Kind::Orphan).is_empty());
    world.expect("probe", 7);
}

#[test]
fn a_server_of_our_own_is_asked_by_one_process() {
    inside(|| {
        let world = World::ours();
        world.expect("start", 0);
        assert_eq!(numbers_of_a_monitor(&world), 1, "a monitor is one process");
        world.expect("stop", 0);
    });
}

#[test]
fn a_server_that_the_shell_agent_started() {
    inside(|| {
        let mut world = World::of(Agent::Shell);
        world.expect("start", 0);
        world.hand_to(Agent::Ours);
        is_known(&world);
    });
}

/// The shell agent gives such a server a pid file of its own.
#[test]
fn a_server_that_the_shell_agent_started_without_a_pid_file_in_its_configuration() {
    inside(|| {
        let mut world = World::of(Agent::Shell);
        world.edit("httpd.conf", "PidFile {w}/run/httpd.pid\n", "");
        world.expect("start", 0);
        world.hand_to(Agent::Ours);
        is_known(&world);
    });
}

#[test]
fn debians_own_that_the_shell_agent_started() {
    inside(|| {
        let mut world = World::stock(Agent::Shell);
        world.expect("start", 0);
        world.hand_to(Agent::Ours);
        is_known(&world);
    });
}

#[test]
fn debians_own_that_its_unit_started() {
    inside(|| {
        server::start_as_systemd("127.0.0.1:80");
        is_known(&World::stock(Agent::Ours));
    });
}

#[test]
fn a_server_that_somebody_started_by_hand() {
    inside(|| {
        let world = World::ours();
        let (file, place) = (world.text("{w}/httpd.conf"), world.text("{w}"));
        let ways: [&[&str]; 5] = [
            &["-f", &file],
            &["-k", "start", "-f", &file],
            &[&format!("-f{file}")],
            &["-d", &place, "-f", "httpd.conf"],
            &["-DSTATUS", "-d", &place, "-fhttpd.conf", "-k", "start"],
        ];
        for arguments in ways {
            server::start(arguments, "127.0.0.1:8088");
            is_known(&world);
        }
    });
}

/// With nothing of it but its processes: a cleaned /run, and its pid file gone along.
#[test]
fn with_nothing_in_run() {
    inside(|| {
        let world = World::stock(Agent::Ours);
        server::start_as_systemd("127.0.0.1:80");
        fs::remove_dir_all("/run/apache2").unwrap();
        fs::remove_dir_all("/run/resource-agents").unwrap();
        world.expect("probe", 0);
        world.expect("monitor", 0);
        assert_eq!(numbers_of_a_monitor(&world), 1);
        world.expect("stop", 0);
        assert!(all_of(Kind::Server).is_empty() && all_of(Kind::Orphan).is_empty());
    });
}

/// A record is a hint: without it, or with a wrong one, all is as it was.
#[test]
fn a_record_that_is_gone_or_garbage() {
    inside(|| {
        let world = World::ours();
        world.expect("start", 0);
        let records = world.records();
        assert!(!records.is_empty());
        let path = |name: &String| format!("/run/resource-agents/{name}");
        let good: Vec<_> = records.iter().map(|name| fs::read(path(name)).unwrap()).collect();
        for wrong in ["", "{", "garbage\n", "{\"version\":1}", "\0\0\0"] {
            records.iter().for_each(|name| fs::write(path(name), wrong).unwrap());
            world.expect("monitor", 0);
            world.expect("probe", 0);
        }
        records.iter().for_each(|name| fs::remove_file(path(name)).unwrap());
        world.expect("monitor", 0);
        world.expect("stop", 0);
        // One that outlived its server.
        records.iter().zip(&good).for_each(|(name, text)| fs::write(path(name), text).unwrap());
        world.expect("probe", 7);
        world.expect("monitor", 7);
        world.expect("start", 0);
        world.expect("monitor", 0);
        world.expect("stop", 0);
        assert!(world.records().is_empty());
    });
}

#[test]
fn the_shell_agent_takes_over_and_gives_back() {
    inside(|| {
        for with_pid_file in [true, false] {
            let mut world = World::ours();
            if !with_pid_file {
                world.edit("httpd.conf", "PidFile {w}/run/httpd.pid\n", "");
            }
            world.expect("start", 0);
            let server = host::server("httpd.conf");
            world.hand_to(Agent::Shell);
            world.expect("probe", 0);
            world.expect("monitor", 0);
            world.hand_to(Agent::Ours);
            world.expect("monitor", 0);
            assert_eq!(host::server("httpd.conf"), server, "it was started anew");
            world.hand_to(Agent::Shell);
            world.expect("stop", 0);
            assert!(all_of(Kind::Server).is_empty() && all_of(Kind::Orphan).is_empty());
            world.hand_to(Agent::Ours);
            world.expect("probe", 7);
            world.expect("stop", 0);
            assert!(world.records().is_empty(), "{:?}", world.records());
        }
    });
}

#[test]
fn the_shell_agent_takes_over_debians_own() {
    inside(|| {
        let mut world = World::stock(Agent::Ours);
        world.expect("start", 0);
        world.hand_to(Agent::Shell);
        world.expect("monitor", 0);
        world.expect("stop", 0);
        assert!(all_of(Kind::Server).is_empty());
    });
}

/// What is between the two: the program of Debian's tools is a script around the server.
#[test]
fn debians_own_tool_reloads_it() {
    inside(|| {
        let world = World::stock(Agent::Ours);
        world.expect("start", 0);
        server::call("apache2ctl", &["graceful"]);
        for _ in 0..50 {
            world.expect("monitor", 0);
        }
        world.expect("stop", 0);
    });
}
