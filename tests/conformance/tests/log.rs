// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Log lines go where the shell agents' ocf_log would send them, and the exit reason goes there too.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use conformance::{World, expect, own_mounts, tmpfs};
use nix::mount::MsFlags;
use ocf_tester::agent::Invocation;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

/// A start that fails: one error line everywhere.
fn failing(world: &World) -> Invocation {
    world.call("start").parameter("state", "/nonexistent/x.state")
}

const REASON: &str = "no directory /nonexistent for /nonexistent/x.state: create it";

#[test]
fn without_any_setting_to_stderr_with_the_date() {
    let world = World::of("heartbeat/Dummy");
    let seen = expect(&world.call("start"), 0);
    let stderr = String::from_utf8(seen.stderr).unwrap();
    assert!(stderr.ends_with(" INFO: x started\n"), "{stderr}");
    // The exit reason is on stderr already; it is not said twice.
    let stderr = String::from_utf8(expect(&failing(&world), 2).stderr).unwrap();
    assert_eq!(stderr, format!("ocf-exit-reason:{REASON}\n"));
}

#[test]
fn to_files_with_debug_lines_only_when_asked() {
    let world = World::of("heartbeat/Dummy");
    let (log, debug) = (world.path().join("log"), world.path().join("debug"));
    let with = |call: Invocation| call.env("HA_LOGFILE", &log).env("HA_DEBUGLOG", &debug);
    expect(&with(world.call("start")), 0);
    let stderr = expect(&with(failing(&world)), 2).stderr;
    assert_eq!(String::from_utf8(stderr).unwrap(), format!("ocf-exit-reason:{REASON}\n"));
    for path in [&log, &debug] {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains("Dummy(x)[") && text.contains("INFO: x started"), "{text}");
        assert!(text.contains(&format!("ERROR: {REASON}")), "{text}");
        assert!(!text.contains("DEBUG: "), "{text}");
    }
    let one = world.path().join("one");
    let same = |call: Invocation| call.env("HA_LOGFILE", &one).env("HA_DEBUGLOG", &one);
    expect(&same(world.call("monitor")).env("HA_debug", "1"), 0);
    assert!(fs::read_to_string(&one).unwrap().contains("DEBUG: monitor: 0"));
    // Without a file of their own, debug lines go nowhere; and none comes behind the exit reason.
    let seen = expect(&failing(&world).env("HA_debug", "1"), 2);
    assert_eq!(String::from_utf8(seen.stderr).unwrap(), format!("ocf-exit-reason:{REASON}\n"));
    expect(&with(world.call("monitor")).env("HA_debug", "1"), 0);
    assert!(fs::read_to_string(&debug).unwrap().contains("DEBUG: monitor: 0"));
    assert!(!fs::read_to_string(&log).unwrap().contains("DEBUG: "));
}

#[test]
fn to_syslog_with_the_facility_and_the_severity() {
    own_mounts();
    let world = World::of("heartbeat/Dummy");
    // A syslog of our own where the agents look for it; seen by this thread's children only.
    tmpfs(Path::new("/dev"), MsFlags::empty(), "size=64k");
    let syslog = UnixDatagram::bind("/dev/log").unwrap();
    syslog.set_nonblocking(true).unwrap();
    fs::write("/dev/null", "").unwrap();
    let call = failing(&world).env("HA_LOGFACILITY", "local3");
    expect(&call, 2);
    let mut line = [0; 1024];
    let length = syslog.recv(&mut line).unwrap();
    let line = String::from_utf8_lossy(&line[..length]).into_owned();
    // local3 is 19, an error is 3.
    assert!(line.starts_with("<155>Dummy(x)["), "{line}");
    assert!(line.ends_with(&format!("]: ERROR: {REASON}")), "{line}");
    // A log that nobody reads holds up no action.
    syslog.set_nonblocking(false).unwrap();
    for _ in 0..600 {
        expect(&call, 2);
    }
}

#[test]
fn a_trace_tells_every_step_and_follows_no_link() {
    let world = World::of("pacemaker/Dummy");
    let directory = world.path().join("traces");
    let call = |action: &str| {
        world.call(action).parameter("trace_ra", "1").parameter("trace_dir", &directory)
    };
    expect(&call("start"), 0);
    expect(&call("start"), 0);
    let names: Vec<_> =
        fs::read_dir(directory.join("Dummy")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    for path in names {
        assert!(path.file_name().unwrap().to_str().unwrap().starts_with("x.start."));
        assert!(fs::read_to_string(path).unwrap().contains("DEBUG: start: 0"));
    }
    let victim = world.path().join("victim");
    fs::write(&victim, "kept").unwrap();
    let link = world.path().join("link");
    std::os::unix::fs::symlink(&victim, &link).unwrap();
    expect(&call("monitor").parameter("trace_file", &link), 0);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "kept");
    let file = world.path().join("trace");
    expect(&world.call("monitor").env("OCF_TRACE_RA", "1").env("OCF_TRACE_FILE", &file), 0);
    assert!(fs::read_to_string(&file).unwrap().contains("DEBUG: monitor: 0"));
}
