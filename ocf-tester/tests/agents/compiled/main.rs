// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Broken agents in compiled form, for the self-test: which one it is says the directory it lies in,
//! and all it does right `safe` does for it.
#![expect(
    clippy::disallowed_methods,
    reason = "an agent reads its environment and starts programs"
)]

mod table;

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    let called = PathBuf::from(words.first().cloned().unwrap_or_default());
    let action = words.get(1).map(String::as_str).unwrap_or_default();
    let directory = called.parent().unwrap_or(Path::new(""));
    let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = name.trim_start_matches("a-");
    let state = std::env::var("OCF_RESKEY_state").unwrap_or_default();
    let role = std::fs::read_to_string(&state).unwrap_or_default();
    match (name, action) {
        (_, "--linger") => std::thread::sleep(Duration::from_secs(300)),
        ("compiled-aborts", other) if !KNOWN.contains(&other) => std::process::abort(),
        ("compiled-daemon-in-hiding", "start") if role.is_empty() => linger(&called),
        ("compiled-forks-at-monitor", "monitor") => linger(&called),
        ("compiled-exit-255", "notify") => return ExitCode::from(255),
        ("compiled-keeps-promoted", "stop") if role.trim() == "promoted" => {
            return ExitCode::SUCCESS;
        }
        ("compiled-promotes-nothing", "promote") if role.is_empty() => return ExitCode::SUCCESS,
        _ if table::ROWS.iter().all(|row| row.0 != name) => return ExitCode::from(99),
        _ => {}
    }
    let _ = Command::new(directory.join("../safe")).args(words.iter().skip(1)).exec();
    ExitCode::from(99)
}

/// What `safe` has, and the call without an action.
const KNOWN: &[&str] = &[
    "",
    "meta-data",
    "validate-all",
    "notify",
    "start",
    "stop",
    "monitor",
    "promote",
    "demote",
    "reload",
    "reload-agent",
    "migrate_to",
    "migrate_from",
];

/// Leaves a process that nothing but its ancestors tells from others.
fn linger(program: &Path) {
    let mut command = Command::new(program);
    command.arg("--linger").env_clear().process_group(0);
    let _ = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
}
