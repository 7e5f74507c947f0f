// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Into a world: a test runs itself once more, as the second process of a world of its own.
//!
//! Threads can't enter a namespace of processes, so that a world is a process of its own: the same test
//! binary, which is asked for the same test.

use ocf_tester::scratch::Scratch;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// Where the world's directory is; set inside only.
pub(crate) const WORLD: &str = "APACHE_TESTS_WORLD";
/// Which row, and with which agent.
pub(crate) const ROW: &str = "APACHE_TESTS_ROW";

/// A world doesn't live longer, in seconds.
const LIFE: &str = "900";

/// Runs a test in a world of its own. What it prints is printed.
pub fn inside(test: impl FnOnce()) {
    if is_inside() {
        return test();
    }
    print!("{}", enter(&test_name(), None).said);
}

/// Waiting is most of what worlds do.
pub(crate) const WORKERS: usize = 6;

/// Runs a test once for each name, each in a world of its own, some beside each other.
pub fn in_worlds(names: &[&str], test: impl FnOnce(&str)) {
    if is_inside() {
        let name = std::env::var_os(ROW).unwrap();
        return test(&name.to_string_lossy());
    }
    let (own, next) = (test_name(), Mutex::new(names.iter()));
    let work = || {
        loop {
            // The lock is taken for the next name alone, not for the whole round.
            let Some(name) = next.lock().unwrap().next() else { return };
            print!("{}", enter(&own, Some(name)).said);
        }
    };
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        let failed = all.into_iter().filter_map(|one| one.join().err()).count();
        assert_eq!(failed, 0, "worlds that failed");
    });
}

/// Whether this is a world already.
#[must_use]
pub fn is_inside() -> bool {
    place().is_some()
}

/// The world's own directory, `{w}` in texts; `None` outside of worlds.
pub(crate) fn place() -> Option<PathBuf> {
    std::env::var_os(WORLD).map(|outer| Path::new(&outer).join("w"))
}

/// libtest names each test's thread after the test.
pub(crate) fn test_name() -> String {
    let current = std::thread::current();
    let name = current.name().unwrap_or("main");
    assert_ne!(name, "main", "which test is this? Run them with --test-threads 2 or more");
    name.to_owned()
}

/// What a world came to.
pub(crate) struct Came {
    /// What it printed.
    pub(crate) said: String,
    /// What it left for whoever started it.
    pub(crate) result: String,
}

/// Runs a test of this binary in a new world.
pub(crate) fn enter(test: &str, row: Option<&str>) -> Came {
    let scratch = Scratch::new("apache").unwrap();
    let mut command = door(&scratch);
    command.args([test, "--exact", "--include-ignored", "--nocapture"]);
    command.env("RUST_BACKTRACE", "0");
    match row {
        Some(row) => command.env(ROW, row),
        None => command.env_remove(ROW),
    };
    let done = command.output().unwrap_or_else(|error| panic!("timeout unshare: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, complained) = (text(&done.stdout), text(&done.stderr));
    assert!(done.status.success(), "in its world, {test} fails:\n{said}{complained}");
    // A name that no test has passes too.
    assert!(said.contains("test result: ok. 1 passed"), "{test} didn't run:\n{said}");
    let result = std::fs::read_to_string(result(scratch.path())).unwrap_or_default();
    Came { said: own_lines(&said), result }
}

/// What runs this very program in a new world, its arguments aside.
fn door(scratch: &Scratch) -> Command {
    let own = std::env::current_exe().unwrap();
    let beside = own.parent().unwrap();
    // Test binaries are in a directory below.
    let places = [beside, beside.parent().unwrap()];
    let first = places.map(|place| place.join("apache_world"));
    let first = first.into_iter().find(|path| path.is_file());
    let first = first.unwrap_or_else(|| panic!("no apache_world beside {}", own.display()));
    let mut command = Command::new("timeout");
    // Whoever ends, all that is inside ends with it.
    command.args(["--signal=KILL", LIFE, "unshare", "--pid", "--fork", "--kill-child"]);
    command.args(["--mount", "--net", "--mount-proc"]).arg(first).arg(own);
    command.env(WORLD, scratch.path()).stdin(Stdio::null());
    command
}

/// Runs this program with these arguments in a world of its own; it has to succeed.
pub fn run_program_inside(arguments: &[String]) {
    let scratch = Scratch::new("apache").unwrap();
    let status = door(&scratch).args(arguments).status().unwrap();
    assert!(status.success(), "in its world: {status}");
}

/// Where the world leaves what it found.
pub(crate) fn result(outer: &Path) -> PathBuf {
    outer.join("result")
}

/// Without libtest's own.
fn own_lines(said: &str) -> String {
    let is_libtests =
        |line: &&str| line.is_empty() || line.starts_with("running ") || line.starts_with("test ");
    said.lines().filter(|line| !is_libtests(line)).map(|line| format!("{line}\n")).collect()
}
