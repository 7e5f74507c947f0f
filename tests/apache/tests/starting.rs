// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What there has to be for a start, and what may be in its way.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use apache_tests::host::{Kind, all_of};
use apache_tests::side_by_side::check;
use apache_tests::{Agent, Row, World, inside, server};
use nix::sys::signal::Signal;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::Path;

/// The shell agent polls a server that never comes until the time is over: then it needn't have much.
const SOON: u64 = 12;

fn row(name: &str) -> Row {
    Row::new(name)
}

fn without_program(_: &World) {
    for program in ["apache2", "httpd", "httpd2", "apache"] {
        let _ = fs::remove_file(format!("/usr/sbin/{program}"));
    }
    assert!(!fs::exists("/usr/sbin/apache2").unwrap());
}

#[test]
fn program_and_configuration() {
    check(
        "needs",
        &[
            row("all there").then("validate-all", 0, "").looks(7, "").works(),
            row("started twice").then("start", 0, "").then("start", 0, "").then("stop", 0, ""),
            row("a program that isn't there").with("httpd", "/nonexistent").works(),
            row("a program that can't be run").with("httpd", "/etc/passwd").works(),
            row("no program at all")
                .prepare(without_program)
                .then("validate-all", 5, "apache2")
                .looks(7, "")
                .fails(5, "apache2"),
            row("a program that is no server")
                .with("httpd", "/bin/true")
                .limit(SOON)
                .looks(7, "")
                .fails(1, "ended"),
            row("no configuration file")
                .with("configfile", "{w}/nothing.conf")
                .then("validate-all", 5, "nothing.conf")
                .looks(7, "")
                .fails(5, "nothing.conf"),
            row("a directory as configuration file")
                .with("configfile", "{w}/htdocs")
                .then("validate-all", 5, "htdocs")
                .looks(7, "")
                .fails(5, "htdocs"),
            row("a file of tests that isn't there")
                .with("testconffile", "{w}/tests")
                .then("validate-all", 5, "{w}/tests")
                .looks(7, "")
                .fails(5, "{w}/tests"),
            row("a test's URL of blanks")
                .with("testurl", "  ")
                .then("validate-all", 6, "testurl")
                .looks(7, "")
                .fails(6, "testurl"),
            row("an option").with("options", "-DFOO -DBAR").works(),
            row("options in quotes")
                .with("options", "-c \"ServerAdmin root\" -D'ONE TWO'")
                .limit(SOON)
                .works(),
            row("an option that there isn't").with("options", "-Z").limit(SOON).fails(5, "-Z"),
            row("an option of two dashes, which the server drops")
                .with("options", "--nonsense")
                .works(),
        ],
    );
}

#[test]
fn the_pid_file() {
    check(
        "pid file",
        &[
            row("none in the configuration").edit("PidFile {w}/run/httpd.pid\n", "").works(),
            row("relative").edit("PidFile {w}/run/httpd.pid", "PidFile run/httpd.pid").works(),
            row("relative with a dot")
                .edit("PidFile {w}/run/httpd.pid", "PidFile ./run/httpd.pid")
                .works(),
            row("of an undefined variable")
                .edit("PidFile {w}/run/httpd.pid", "PidFile ${NOWHERE}")
                .works(),
            row("in quotes")
                .edit("PidFile {w}/run/httpd.pid", "PidFile \"{w}/run/httpd.pid\"")
                .works(),
            row("with a blank in it")
                .edit("PidFile {w}/run/httpd.pid", "PidFile \"{w}/run/the server.pid\"")
                .works(),
            row("in a directory that isn't there")
                .edit("PidFile {w}/run/httpd.pid", "PidFile {w}/new/httpd.pid")
                .then("validate-all", 0, "")
                .looks(7, "")
                .works(),
            row("in a directory below /run that isn't there")
                .edit("PidFile {w}/run/httpd.pid", "PidFile /run/new/httpd.pid")
                .then("validate-all", 0, "")
                .looks(7, "")
                .works(),
            row("in a directory below /var/run that isn't there")
                .edit("PidFile {w}/run/httpd.pid", "PidFile /var/run/new/httpd.pid")
                .then("validate-all", 0, "")
                .looks(7, "")
                .works(),
            row("empty").prepare(|world| world.write_pid("")).limit(SOON).looks(7, "").works(),
            row("of no number")
                .prepare(|world| world.write_pid("garbage\n"))
                .limit(SOON)
                .looks(7, "")
                .works(),
            row("with the word self")
                .prepare(|world| world.write_pid("self\n"))
                .limit(SOON)
                .looks(7, "")
                .works(),
            row("of an ended process")
                .prepare(|world| world.write_pid("4194304\n"))
                .looks(7, "")
                .works(),
        ],
    );
}

fn somebody_listens(_: &World) {
    // For as long as the world lives.
    std::mem::forget(TcpListener::bind(("127.0.0.1", server::PORT)).unwrap());
}

#[test]
fn what_is_in_the_way() {
    check(
        "in the way",
        &[
            row("a syntax error")
                .configure("Nonsense on")
                .limit(SOON)
                .then("validate-all", 5, "httpd.conf|line 29|Nonsense")
                .looks(7, "")
                .fails(5, "httpd.conf|line 29|Nonsense"),
            row("a port that another program has")
                .prepare(somebody_listens)
                .limit(SOON)
                .looks(7, "")
                .fails(1, "8088"),
            row("its own orphans")
                .running()
                .prepare(|_| server::behead("httpd.conf"))
                .limit(SOON)
                .looks(1, "")
                .works(),
            row("its own orphans, to be stopped")
                .running()
                .prepare(|_| server::behead("httpd.conf"))
                .then("stop", 0, "")
                .then("probe", 7, ""),
            row("a configuration that includes itself")
                .configure("Include {w}/httpd.conf")
                .limit(SOON)
                .then("validate-all", 5, "httpd.conf")
                .looks(7, "")
                .fails(5, "httpd.conf"),
            row("a status page that isn't there")
                .with("statusurl", "http://127.0.0.1:8099/server-status")
                .fails(1, "8099"),
            row("check level 10 with nothing to look for")
                .environment("OCF_CHECK_LEVEL", "10")
                .works(),
        ],
    );
}

#[test]
fn while_it_runs() {
    check(
        "running",
        &[
            row("and well").running().looks(0, "").then("start", 0, "").then("stop", 0, ""),
            row("and hangs")
                .running()
                .prepare(|world| {
                    for worker in all_of(Kind::Worker) {
                        world.signal(worker.pid, Signal::SIGSTOP);
                    }
                })
                .limit(SOON)
                .then("start", 0, "")
                .then("monitor", 0, ""),
            row("and its configuration is gone")
                .running()
                .prepare(|world| fs::remove_file(world.place().join("httpd.conf")).unwrap())
                .looks(1, "httpd.conf")
                .then("stop", 0, "")
                .then("probe", 7, ""),
            row("and its file of tests is gone")
                .running()
                .with("testconffile", "{w}/tests")
                .looks(0, "")
                .then("stop", 0, "")
                .then("probe", 7, ""),
            row("and its program is gone")
                .running()
                .prepare(without_program)
                .looks(0, "")
                .then("stop", 0, "")
                .then("probe", 7, ""),
            row("and its pid file is gone")
                .running()
                .prepare(|world| fs::remove_file(world.place().join("run/httpd.pid")).unwrap())
                .looks(0, "")
                .then("stop", 0, "")
                .then("probe", 7, ""),
            row("and its pid file is empty")
                .running()
                .prepare(|world| world.write_pid(""))
                .looks(0, "")
                .then("stop", 0, "")
                .then("probe", 7, ""),
            row("and its status page is somewhere else")
                .running()
                .with("statusurl", "http://127.0.0.1:8099/")
                .looks(1, "8099")
                .then("stop", 0, ""),
            row("and answers wrongly at a start")
                .running()
                .with("statusurl", "http://127.0.0.1:8099/")
                .then("start", 1, "8099"),
        ],
    );
}

/// In a container, where systemd doesn't run, nothing starts it at boot.
#[test]
fn its_service_is_warned_of_where_systemd_runs() {
    inside(|| {
        let world = World::stock(Agent::Ours);
        let wants = Path::new("/etc/systemd/system/multi-user.target.wants");
        fs::create_dir_all(wants).unwrap();
        let _installed =
            symlink("/lib/systemd/system/apache2.service", wants.join("apache2.service"));
        world.expect("validate-all", 0);
        assert!(!world.log().contains("systemctl"), "{}", world.log());
        fs::create_dir_all("/run/systemd/system").unwrap();
        world.expect("validate-all", 0);
        assert!(world.log().contains("systemctl disable apache2"), "{}", world.log());
    });
}
