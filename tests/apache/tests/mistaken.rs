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
use apache_tests::{World, host, inside, pause, server, wait_for};
use nix::sys::signal::Signal;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
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

/// Docker's default: a container's root may not trace, so it sees no program, no root directory and no
/// namespace of a worker that runs as another user.
const CAGED: &str = "\
#!/bin/sh
exec setpriv --bounding-set -sys_ptrace --inh-caps -sys_ptrace \"$AGENT\" \"$@\"
";

/// An action of an agent that may not trace.
fn caged(world: &World, action: &str, code: i32) {
    world.write("caged", CAGED);
    let script = world.place().join("caged");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let call = world.call(action);
    let agent = call.agent.clone();
    let mut call = call.env("AGENT", agent);
    call.agent = script;
    World::make(&call).is(code);
}

#[test]
fn workers_that_cannot_be_seen_into() {
    inside(|| {
        for is_by_hand in [false, true] {
            for next in ["start", "stop"] {
                let world = World::ours();
                if is_by_hand {
                    world.serve();
                } else {
                    caged(&world, "start", 0);
                }
                caged(&world, "monitor", 0);
                server::behead("httpd.conf");
                let orphans = all_of(Kind::Orphan);
                assert!(!orphans.is_empty());
                caged(&world, "monitor", 1);
                caged(&world, "probe", 1);
                caged(&world, next, 0);
                assert!(orphans.iter().all(|orphan| !is_alive(orphan.pid)), "{orphans:?}");
                caged(&world, "stop", 0);
                nobody_serves();
            }
        }
    });
}

/// Without anything of it that could be read, a server in a container inside isn't ours either.
#[test]
fn a_server_of_a_container_that_cannot_be_seen_into() {
    inside(|| {
        let world = World::ours();
        let other = server::begin_in_container(&world);
        caged(&world, "probe", 7);
        caged(&world, "stop", 0);
        assert!(is_alive(other));
    });
}

/// Anybody may call his own program as servers are called, and give it our configuration to read.
#[test]
fn a_program_of_a_user_that_is_called_as_a_server() {
    inside(|| {
        let world = World::ours();
        let program = world.place().join("httpd2");
        fs::copy("/usr/bin/tail", &program).unwrap();
        chown(&program, Some(33), Some(33)).unwrap();
        let program = program.to_str().unwrap();
        let words = ["--reuid=33", "--regid=33", "--clear-groups", program, "-f", "{w}/httpd.conf"];
        let stranger = world.begin("setpriv", &words);
        let is_there =
            || host::processes().get(&stranger)?.program.ends_with("httpd2").then_some(());
        wait_for("the user's program", is_there);
        world.expect("probe", 7);
        for action in ["start", "monitor", "stop"] {
            world.expect(action, 0);
            assert!(is_alive(stranger), "{action}");
        }
    });
}

/// The program is named by a link, which leads to another release now; the one that runs is gone.
#[test]
fn an_upgrade_by_way_of_a_link() {
    inside(|| {
        for has_record in [true, false] {
            let world = World::ours().with("httpd", "{w}/current/webd");
            let of = |name: &str| world.place().join(name);
            for release in ["1.0", "2.0"] {
                fs::create_dir_all(of(release)).unwrap();
                fs::copy(server::PROGRAM, of(release).join("webd")).unwrap();
            }
            symlink("1.0", of("current")).unwrap();
            world.expect("start", 0);
            let pid = world.pid();
            fs::remove_file(of("current")).unwrap();
            symlink("2.0", of("current")).unwrap();
            fs::remove_dir_all(of("1.0")).unwrap();
            if !has_record {
                fs::remove_dir_all("/run/resource-agents").unwrap();
            }
            world.expect("monitor", 0);
            fs::remove_file(of("run/httpd.pid")).unwrap();
            world.expect("monitor", 0);
            world.expect("stop", 0);
            assert!(!is_alive(pid));
            nobody_serves();
            fs::remove_file(of("current")).unwrap();
        }
    });
}

/// What is called as servers are called, and isn't at a distribution's place.
#[test]
fn a_stranger_whose_name_begins_as_a_servers() {
    inside(|| {
        for (name, configuration) in
            [("apache2-exporter", None), ("httpd", Some("/etc/httpd/conf/httpd.conf"))]
        {
            let world = World::stock(apache_tests::Agent::Ours);
            let world = configuration.into_iter().fold(world, |world, configuration| {
                world.write(configuration, server::SMALL);
                for directory in ["run", "log", "htdocs"] {
                    fs::create_dir_all(world.place().join(directory)).unwrap();
                }
                world.with("configfile", configuration)
            });
            let program = world.place().join(name);
            fs::copy("/usr/bin/sleep", &program).unwrap();
            let stranger = world.begin(program.to_str().unwrap(), &["1000"]);
            world.expect("probe", 7);
            for action in ["stop", "start", "monitor", "stop"] {
                world.expect(action, 0);
                assert!(is_alive(stranger), "{name}: {action}");
            }
        }
    });
}

/// A second build of the server, which has its own configuration compiled in and nothing on its line.
#[test]
fn a_second_build_with_its_own_configuration() {
    inside(|| {
        let world = World::ours();
        world.write("/etc/apache2/httpd.conf", server::SMALL);
        let text = server::SMALL.replace("8088", "8089").replace("httpd.pid", "second.pid");
        world.write("/run/second/apache2.conf", &text);
        let program = world.place().join("httpd");
        let (from, to) = (b"/etc/apache2\0", b"/run/second\0\0");
        let mut bytes = fs::read(server::PROGRAM).unwrap();
        let at = bytes.windows(from.len()).position(|part| part == from).unwrap();
        bytes[at..at + from.len()].copy_from_slice(to);
        fs::write(&program, bytes).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let world = world.with("configfile", "/etc/apache2/httpd.conf");
        for words in [&[][..], &["-d", "/run/second"]] {
            let second = || server::get("127.0.0.1:8089", "/").is_some();
            server::start_as(program.to_str().unwrap(), words, "127.0.0.1:8089");
            world.expect("probe", 7);
            for action in ["stop", "start", "monitor", "stop"] {
                world.expect(action, 0);
                assert!(second(), "{words:?}: {action}");
            }
            let pid = server::pid_of(&world.place().join("run/second.pid"));
            world.signal(pid, Signal::SIGTERM);
            world.wait_end(pid);
        }
    });
}

/// The process that was started with these words.
fn find(words: &str) -> Option<i32> {
    let all = host::processes();
    let found = all.values().find(|one| one.state != 'Z' && one.words.join(" ") == words);
    found.map(|one| one.pid)
}

#[test]
fn what_a_server_that_is_gone_has_started() {
    inside(|| {
        for is_by_hand in [true, false] {
            let world = World::ours();
            // It doesn't hear that nobody writes any more.
            world.configure("CustomLog \"|/usr/bin/sleep 1000\" %h");
            if is_by_hand {
                world.serve();
            } else {
                world.expect("start", 0);
            }
            let logger = find("/usr/bin/sleep 1000").unwrap();
            server::behead("httpd.conf");
            world.expect("stop", 0);
            assert!(!is_alive(logger));
            nobody_serves();
        }
    });
}

/// The server's number was given to a daemon, whose first process is gone: in its session are only strangers.
#[test]
fn a_daemon_that_got_the_number_of_a_server_that_is_gone() {
    inside(|| {
        let world = World::ours();
        world.expect("start", 0);
        let number = world.pid();
        for process in host::processes().into_values() {
            if process.program == server::PROGRAM {
                world.signal(process.pid, Signal::SIGKILL);
                world.wait_end(process.pid);
            }
        }
        wait_for("the number", || {
            fs::write("/proc/sys/kernel/ns_last_pid", (number - 1).to_string()).unwrap();
            (world.begin("setsid", &["sh", "-c", "sleep 1000 & exit"]) == number).then_some(())
        });
        world.wait_end(number);
        let daemon = wait_for("the daemon", || find("sleep 1000"));
        for action in ["stop", "start", "stop"] {
            world.expect(action, 0);
            assert!(is_alive(daemon), "{action}");
        }
        nobody_serves();
    });
}

/// As a container's script does it: what it has begun is its, though the server has its number and session.
#[test]
fn what_a_script_began_that_became_the_server() {
    inside(|| {
        let world = World::ours();
        let script = world.text("sleep 1000 & exec apache2 -DFOREGROUND -f {w}/httpd.conf");
        let server = world.begin("setsid", &["sh", "-c", &script]);
        server::answers(ADDRESS);
        let other = find("sleep 1000").unwrap();
        world.expect("probe", 0);
        world.expect("stop", 0);
        assert!(is_alive(other) && !is_alive(server));
        nobody_serves();
    });
}
