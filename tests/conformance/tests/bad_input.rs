// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Bad input: a documented code and one exit reason, nothing executed, nothing lost.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use conformance::{ALL, WITH_STATE, World, detach, expect, own_mounts, tmpfs};
use nix::mount::{MsFlags, mount};
use ocf_tester::scratch::executable;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

#[test]
fn a_manager_that_names_no_instance() {
    for agent in ALL {
        // A probe can't look, and must not guess; a recurring monitor and a stop know only "failed".
        for (action, code) in [("start", 2), ("stop", 1), ("monitor", 2), ("validate-all", 2)] {
            let call = World::of(agent).call(action).without_env("OCF_RESOURCE_INSTANCE");
            let seen = expect(&call, code);
            assert!(seen.exit_reason.unwrap().contains("OCF_RESOURCE_INSTANCE is not set"));
        }
        let recurring = World::of(agent).recurring().without_env("OCF_RESOURCE_INSTANCE");
        expect(&recurring, 1);
        expect_meta_data(&World::of(agent).call("meta-data").without_env("OCF_RESOURCE_INSTANCE"));
    }
}

fn expect_meta_data(call: &ocf_tester::agent::Invocation) {
    let seen = call.run().unwrap();
    assert_eq!(seen.code(), Some(0), "{}", call.reproduction());
    assert!(seen.stdout.starts_with(b"<?xml") && seen.stderr.is_empty());
}

#[test]
fn an_instance_that_would_leave_the_directory() {
    for agent in WITH_STATE {
        for name in ["../../etc/x", "a\nb", "..", "a/b"] {
            let world = World::of(agent);
            expect(&world.call("start").env("OCF_RESOURCE_INSTANCE", name), 2);
            assert!(world.files().is_empty());
        }
    }
}

#[test]
fn a_foreign_major_version_of_the_api() {
    for agent in ALL {
        for major in ["2", "0", "one"] {
            let call = World::of(agent).call("start").env("OCF_RA_VERSION_MAJOR", major);
            assert!(expect(&call, 2).exit_reason.unwrap().contains("OCF_RA_VERSION_MAJOR"));
            expect_meta_data(&call.action("meta-data"));
        }
    }
}

#[test]
fn unknown_actions_and_none() {
    for agent in ALL {
        let world = World::of(agent);
        for action in ["frobnicate", "", "START", "start ", "--version", "monitor; true"] {
            assert!(expect(&world.call(action), 3).exit_reason.is_some());
        }
        let mut call = world.call("start");
        call.arguments.clear();
        expect(&call, 3);
        call.arguments.push(OsStr::from_bytes(b"\xff\xfe").to_owned());
        expect(&call, 3);
    }
}

#[test]
fn further_arguments_are_ignored() {
    for agent in WITH_STATE {
        let world = World::of(agent);
        expect(&world.call("start").argument("stop").argument("--help"), 0);
        expect(&world.call("monitor").argument("x"), 0);
        expect(&world.call("stop").argument(""), 0);
        expect(&world.call("monitor"), 7);
    }
}

#[test]
fn a_missing_state_directory() {
    for agent in WITH_STATE {
        let world = World::with_state(agent, "/nonexistent/x.state");
        let seen = world.expect("start", 2);
        assert!(seen.exit_reason.unwrap().contains("/nonexistent"));
        world.expect("validate-all", 2);
        expect(&world.call("validate-all").env("OCF_CHECK_LEVEL", "0"), 0);
        world.expect("monitor", 7);
        expect(&world.recurring(), 7);
        world.expect("stop", 0);
    }
}

#[test]
fn a_state_directory_on_a_read_only_file_system() {
    own_mounts();
    for agent in WITH_STATE {
        let world = World::of(agent);
        let directory = world.path().join("state");
        tmpfs(&directory, MsFlags::MS_RDONLY, "size=64k");
        let state = directory.join("x.state");
        let seen = expect(&world.call("start").parameter("state", &state), 2);
        assert!(seen.exit_reason.unwrap().contains("read-only"), "{agent}");
        expect(&world.call("stop").parameter("state", &state), 0);
        detach(&directory);
    }
}

#[test]
fn a_full_disk() {
    own_mounts();
    for agent in WITH_STATE {
        let world = World::of(agent);
        let directory = world.path().join("state");
        tmpfs(&directory, MsFlags::empty(), "size=4k,nr_inodes=3");
        let state = directory.join("x.state");
        let call = |action: &str| world.call(action).parameter("state", &state);
        // No inode is left.
        fs::write(directory.join("filler"), [0; 4096]).unwrap();
        fs::write(directory.join("filler2"), "").unwrap_or_default();
        let seen = expect(&call("start"), 1);
        assert!(seen.exit_reason.unwrap().contains("no space left"), "{agent}");
        expect(&call("monitor"), 7);
        expect(&call("stop"), 0);
        // An inode, but no room for the content: what was there stays whole.
        fs::remove_file(directory.join("filler2")).unwrap();
        fs::remove_file(directory.join("filler")).unwrap();
        expect(&call("start"), 0);
        mount(
            None::<&str>,
            &directory,
            None::<&str>,
            MsFlags::MS_REMOUNT,
            Some("size=4k,nr_inodes=8"),
        )
        .unwrap();
        let _full = fs::write(directory.join("filler"), [0; 8192]);
        let seen = expect(&call("promote"), 1);
        assert!(seen.exit_reason.unwrap().contains("no space left"), "{agent}");
        expect(&call("monitor"), 0);
        expect(&call("stop"), 0);
        expect(&call("monitor"), 7);
        let left: Vec<_> =
            fs::read_dir(&directory).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["filler"], "{agent}");
        detach(&directory);
    }
}

#[test]
fn something_else_in_the_state_files_place() {
    for agent in WITH_STATE {
        let world = World::of(agent);
        let state = world.path().join("state/x.state");
        let call = |action: &str| world.call(action).parameter("state", &state);
        let refuses = |what: &str| {
            let reason = expect(&call("start"), 1).exit_reason.unwrap();
            assert!(reason.contains(what), "{agent}: {reason}");
            expect(&call("monitor"), 7);
            expect(&call("stop"), 0);
        };
        fs::create_dir(&state).unwrap();
        fs::write(state.join("precious"), "kept").unwrap();
        refuses("is a directory: remove it");
        assert_eq!(fs::read_to_string(state.join("precious")).unwrap(), "kept");
        fs::remove_dir_all(&state).unwrap();

        let victim = world.path().join("victim");
        fs::write(&victim, "kept").unwrap();
        std::os::unix::fs::symlink(&victim, &state).unwrap();
        refuses("is a symbolic link: remove it");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "kept");
        assert!(fs::symlink_metadata(&state).unwrap().is_symlink());
        fs::remove_file(&state).unwrap();

        nix::unistd::mkfifo(&state, nix::sys::stat::Mode::S_IRWXU).unwrap();
        refuses("is a FIFO: remove it");
    }
}

/// Paths a person could write, and a few nobody would.
const NAMES: &[&[u8]] = &[
    b"with blank.state",
    b" leading and trailing ",
    b"quo'te \"double\" `touch canary`",
    b"$(touch canary)",
    b"; touch canary; #",
    b"new\nline",
    b"tab\tand\x01control",
    b"\xff\xfe not UTF-8",
    b"-rf",
    b"*?[a-z]",
    "Größe €".as_bytes(),
    b"%s%n%d",
];

#[test]
fn a_path_that_no_file_can_have() {
    for agent in WITH_STATE {
        for name in ["a".repeat(300), "a".repeat(250), "/a".repeat(3000)] {
            let world = World::of(agent);
            let state = world.path().join("state").join(&name);
            let call = |action: &str| world.call(action).parameter("state", &state);
            expect(&call("start"), 2);
            expect(&call("monitor"), 7);
            expect(&call("stop"), 0);
            let long = |action: &str| world.call(action).env("OCF_RESOURCE_INSTANCE", &name[..250]);
            if !name.contains('/') {
                expect(&long("start"), 2);
                expect(&long("monitor"), 7);
                expect(&long("stop"), 0);
            }
        }
    }
}

/// What blocks whoever opens it for writing.
#[test]
fn a_fifo_wherever_something_is_written() {
    for agent in WITH_STATE {
        let world = World::of(agent);
        let fifo = world.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        for action in ["start", "monitor", "stop"] {
            let call = world.call(action);
            expect(&call.clone().parameter("envfile", &fifo), 0);
            expect(&call.clone().parameter("trace_ra", "1").parameter("trace_file", &fifo), 0);
            expect(&call.clone().env("HA_LOGFILE", &fifo).env("HA_DEBUGLOG", &fifo), 0);
        }
        let call = world.call("meta-data").env("OCF_TRACE_RA", "1").env("OCF_TRACE_FILE", &fifo);
        expect_meta_data(&call);
    }
}

#[test]
fn a_sleep_without_end_is_refused_and_never_fails_a_stop() {
    let world = World::of("pacemaker/Dummy");
    world.expect("start", 0);
    let call = |action: &str| world.call(action).parameter("op_sleep", "18446744073709551615");
    expect(&call("start"), 6);
    expect(&call("monitor"), 0);
    expect(&call("stop"), 0);
    let world = World::of("pacemaker/Stateful");
    expect(&world.call("notify").parameter("notify_delay", "99999999999999999"), 0);
}

/// `crm_attribute` as it is when the cluster's attribute daemon is stuck: it ignores TERM.
#[test]
fn attributes_that_hang_keep_nothing_from_being_done() {
    for agent in WITH_STATE {
        for timeout in ["1000", "3000"] {
            let world = World::of(agent);
            let stuck = world.path().join("sbin/crm_attribute");
            fs::remove_file(&stuck).unwrap();
            executable(&stuck, "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n").unwrap();
            // The tester's own limit is far away: what is judged is the agent's.
            let call = |action: &str| {
                let call = world.call(action).limit(std::time::Duration::from_secs(60));
                call.parameter("CRM_meta_timeout", timeout)
                    .parameter("CRM_meta_clone_max", "1")
                    .parameter("CRM_meta_promoted_max", "1")
            };
            for (action, after) in [("start", 0), ("promote", 8), ("demote", 0), ("stop", 7)] {
                let seen = expect(&call(action), 0);
                let used = seen.duration.as_millis();
                println!("{agent} {action}, timeout {timeout} ms: {used} ms");
                expect(&world.recurring(), after);
            }
            assert!(world.files().is_empty(), "{agent}: {:?}", world.files());
        }
    }
}

#[test]
fn odd_names_are_names() {
    for agent in WITH_STATE {
        for name in NAMES {
            let world = World::of(agent);
            let state = world.path().join("state").join(OsStr::from_bytes(name));
            let call = |action: &str| world.call(action).parameter("state", &state);
            expect(&call("start"), 0);
            assert!(state.is_file(), "{agent}: {}", state.display());
            expect(&call("monitor"), 0);
            expect(&call("validate-all"), 0);
            expect(&call("promote"), 0);
            expect(&call("monitor"), 8);
            expect(&call("stop"), 0);
            expect(&call("monitor"), 7);
            assert!(world.files().is_empty(), "{agent}: {:?}", world.files());
            assert!(!world.path().join("canary").exists() && !Path::new("/canary").exists());
        }
    }
}

#[test]
fn odd_values_of_every_parameter_are_refused_or_harmless() {
    let parameters = ["fake", "passwd", "op_sleep", "fail_start_on", "notify_delay", "trace_ra"];
    let values: &[&[u8]] =
        &[b"", b" ", b"$(touch /canary)", b"'", b"-1", b"99999999999999999999", b"\xff", b"1x"];
    for agent in WITH_STATE {
        for parameter in parameters {
            for value in values {
                let world = World::of(agent);
                let call = |action: &str| {
                    world.call(action).parameter(parameter, OsStr::from_bytes(value))
                };
                let code = call("start").run().unwrap().code().unwrap();
                assert!(matches!(code, 0 | 6), "{agent} {parameter} {code}");
                expect(&call("start"), code);
                let judged = call("validate-all").run().unwrap().code().unwrap();
                assert!(matches!(judged, 0 | 6), "{agent} {parameter} {judged}");
                expect(&call("monitor"), if code == 0 { 0 } else { 7 });
                expect(&call("stop"), 0);
                assert!(world.files().is_empty() && !Path::new("/canary").exists());
            }
        }
    }
}

#[test]
fn a_malformed_tunable_never_fails_a_stop() {
    let world = World::of("pacemaker/Dummy");
    world.expect("start", 0);
    let call = |action: &str| world.call(action).parameter("op_sleep", "soon");
    expect(&call("monitor"), 0);
    let reason = expect(&call("start"), 6).exit_reason.unwrap();
    assert!(reason.contains("op_sleep is not a time"), "{reason}");
    expect(&call("stop"), 0);
    assert!(world.files().is_empty());
}

#[test]
fn an_empty_environment() {
    for agent in WITH_STATE {
        let world = World::of(agent);
        let state = world.path().join("state/x.state");
        let mut call = world.call("start");
        call.environment.clear();
        call.environment.insert("HA_SBIN_DIR".into(), world.path().join("sbin").into());
        call.environment.insert("OCF_RESKEY_state".into(), state.into());
        expect(&call, 0);
        expect(&call.action("monitor"), 0);
        expect(&call.action("stop"), 0);
        expect(&call.action("monitor"), 7);
    }
}

#[test]
fn a_password_shows_nowhere() {
    let world = World::of("pacemaker/Dummy");
    let envfile = world.path().join("environment");
    let log = world.path().join("log");
    let call = |action: &str| {
        world
            .call(action)
            .parameter("passwd", "hunter2")
            .parameter("envfile", &envfile)
            .parameter("trace_ra", "1")
            .parameter("trace_file", world.path().join("trace"))
            .env("HA_debug", "1")
            .env("HA_LOGFILE", &log)
            .env("HA_DEBUGLOG", world.path().join("debug"))
    };
    for (action, code) in [("start", 0), ("monitor", 0), ("validate-all", 0), ("stop", 0)] {
        let seen = expect(&call(action), code);
        assert!(!String::from_utf8_lossy(&seen.stderr).contains("hunter2"));
    }
    for name in ["environment", "log", "trace", "debug"] {
        let path = world.path().join(name);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!text.is_empty() && !text.contains("hunter2"), "{name}: {text}");
    }
}

#[test]
fn many_at_once_disturb_nobody() {
    for agent in WITH_STATE {
        let world = World::of(agent);
        for (action, after) in [("start", 0), ("promote", 8), ("demote", 0), ("stop", 7)] {
            std::thread::scope(|scope| {
                for _ in 0..16 {
                    scope.spawn(|| world.expect(action, 0));
                }
            });
            world.expect("monitor", after);
        }
        assert!(world.files().is_empty(), "{agent}: {:?}", world.files());
    }
}
