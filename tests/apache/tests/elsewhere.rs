// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Servers and workers that don't see the files that we see: in jails, and in other mounts.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "test code")]

use apache_tests::host::{Kind, all_of};
use apache_tests::{World, host, inside, server};
use nix::sys::signal::Signal;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// No server is left, whoever's.
fn stops(world: &World) {
    world.expect("stop", 0);
    let all = host::processes();
    let mut left = all.values().filter(|one| one.state != 'Z' && one.kind(&all) != Kind::Bystander);
    assert_eq!(left.next(), None);
    world.expect("probe", 7);
}

/// What programs need is in the jail.
fn furnish(world: &World) {
    for directory in ["usr", "lib", "lib64", "etc", "dev"] {
        let inner = world.place().join("jail").join(directory);
        fs::create_dir_all(&inner).unwrap();
        server::call("mount", &["--rbind", &format!("/{directory}"), inner.to_str().unwrap()]);
    }
}

/// Workers go into a directory of their own, where there is no configuration.
#[test]
fn workers_in_a_root_directory_of_their_own() {
    inside(|| {
        let world = World::ours();
        world.configure("ChrootDir {w}/jail");
        furnish(&world);
        let inner = world.text("jail{w}");
        world.write(&format!("{inner}/htdocs/index.html"), server::INDEX);
        world.configure("Mutex file:{w}/run default");
        let run = world.place().join(format!("{inner}/run"));
        fs::create_dir_all(&run).unwrap();
        fs::set_permissions(&run, fs::Permissions::from_mode(0o777)).unwrap();
        for action in ["start", "monitor"] {
            world.expect(action, 0);
        }
        stops(&world);
        world.serve();
        server::behead("httpd.conf");
        world.expect("probe", 1);
        stops(&world);
    });
}

/// Another server, in other mounts: at our configuration's path it has its own.
#[test]
fn a_server_that_sees_another_file_at_the_same_path() {
    inside(|| {
        for shares_pid_file in [false, true] {
            let world = World::ours().with("configfile", "{w}/etc/httpd.conf");
            world.write("etc/httpd.conf", server::SMALL);
            let mut text = server::SMALL.replace("8088", "8089");
            if !shares_pid_file {
                text = text.replace("httpd.pid", "other.pid");
            }
            world.write("other/httpd.conf", &text);
            let script = "mount --bind {w}/other {w}/etc && exec apache2 -f {w}/etc/httpd.conf";
            server::call("unshare", &["-m", "sh", "-c", &world.text(script)]);
            server::answers("127.0.0.1:8089");
            world.expect("probe", 7);
            world.expect("stop", 0);
            assert!(server::get("127.0.0.1:8089", "/").is_some());
            if !shares_pid_file {
                for action in ["start", "monitor", "stop"] {
                    world.expect(action, 0);
                }
            } else {
                world.expect_reason("start", 5, "is the pid file of another server");
            }
            assert!(server::get("127.0.0.1:8089", "/").is_some());
            server::behead("httpd.conf");
            for worker in all_of(Kind::Orphan) {
                world.signal(worker.pid, Signal::SIGKILL);
                world.wait_end(worker.pid);
            }
        }
    });
}

/// A program that is a script, which goes into a directory with a copy of the configuration.
#[test]
fn a_server_in_a_jail_that_its_pid_file_names() {
    inside(|| {
        let world = World::ours().with("httpd", "{w}/jailed");
        furnish(&world);
        for directory in ["run", "log", "htdocs"] {
            let inner = world.text(&format!("{{w}}/jail{{w}}/{directory}"));
            fs::create_dir_all(&inner).unwrap();
            let outer = world.text(&format!("{{w}}/{directory}"));
            server::call("mount", &["--bind", &outer, &inner]);
        }
        world.write("jail{w}/httpd.conf", server::SMALL);
        world.write("jailed", "#!/bin/sh\nexec chroot {w}/jail /usr/sbin/apache2 \"$@\"\n");
        let program = world.place().join("jailed");
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
        world.expect("start", 0);
        fs::remove_dir_all("/run/resource-agents").unwrap();
        world.expect("monitor", 0);
        stops(&world);
        world.expect("start", 0);
        fs::remove_dir_all("/run/resource-agents").unwrap();
        server::behead("httpd.conf");
        world.expect("probe", 1);
        stops(&world);
    });
}

/// Where no configuration is named, another default may have come or gone since the server's start.
#[test]
fn a_default_configuration_that_came_or_went() {
    inside(|| {
        let world = World::stock(apache_tests::Agent::Ours);
        let debians = Path::new("/etc/apache2/apache2.conf");
        let begin = || {
            server::start_as_systemd("127.0.0.1:80");
            host::server("its default").pid
        };
        let pid = begin();
        fs::write("/etc/apache2/httpd.conf", "").unwrap();
        assert_ne!(world.run("probe").code(), Some(7));
        world.expect("stop", 0);
        assert!(!host::is_alive(pid));
        stops(&world);
        fs::remove_file("/etc/apache2/httpd.conf").unwrap();

        let pid = begin();
        fs::rename(debians, "/etc/apache2/away").unwrap();
        assert_ne!(world.run("probe").code(), Some(7));
        world.expect("stop", 0);
        assert!(!host::is_alive(pid));
        stops(&world);
        fs::rename("/etc/apache2/away", debians).unwrap();

        world.expect("start", 0);
        fs::rename(debians, "/etc/apache2/away").unwrap();
        world.expect("monitor", 0);
        server::behead("apache2.conf");
        world.expect("probe", 1);
        stops(&world);
    });
}

/// What it is nobody knows; it may be the server, run in a way that isn't known.
#[test]
fn a_pid_file_of_somebody_who_has_the_configuration_on_his_line() {
    inside(|| {
        let world = World::ours();
        let somebody = world.begin("tail", &["-f", "{w}/httpd.conf"]);
        world.write_pid(&format!("{somebody}\n"));
        world.expect("probe", 7);
        world.expect("stop", 0);
        assert_eq!(world.pid(), somebody, "its file is gone");
        world.expect_reason("start", 1, "names process");
        assert!(host::is_alive(somebody));
        assert_eq!(world.pid(), somebody, "its file is gone");
    });
}

/// A program that is a script: it does this instead of a start.
fn scripted(script: &str) -> World {
    let world = World::ours().with("httpd", "{w}/script");
    let asks = "for a; do [ \"$a\" = -t ] && exec apache2 \"$@\"; done\n";
    world.write("script", &format!("#!/bin/sh\n{asks}{script}\n"));
    let program = world.place().join("script");
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    world
}

#[test]
fn a_port_that_the_servers_own_kind_has_is_said_to_be_its() {
    inside(|| {
        let begin =
            "apache2 -f {w}/httpd.conf; until pid=$(cat {w}/run/httpd.pid 2>/dev/null); do :; done";
        let again = "rm {w}/run/httpd.pid; exec apache2 \"$@\"";
        let world = scripted(&format!("{begin}; {again}"));
        world.expect_reason("start", 1, "is this server's own, process");
        stops(&world);
        let orphans = "until pgrep -P $pid; do :; done; kill -9 $pid";
        let world = scripted(&format!("{begin}; {orphans}; {again}"));
        world.expect_reason("start", 1, "is held by this server's worker");
        stops(&world);
    });
}

#[test]
fn a_process_that_runs_is_not_said_to_have_ended() {
    inside(|| {
        let world = scripted("sleep 1000 >/dev/null 2>&1 & echo $! >{w}/run/httpd.pid");
        world.expect_reason("start", 1, "isn't known as the server of");
    });
}

#[test]
fn start_and_stop_leave_a_server_of_another_namespace() {
    inside(|| {
        let world = World::ours();
        let other = server::begin_in_container(&world);
        world.expect("probe", 7);
        world.expect("stop", 0);
        assert!(host::is_alive(other));
        world.expect("start", 0);
        world.expect("stop", 0);
        assert!(host::is_alive(other));
    });
}
