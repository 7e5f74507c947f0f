// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The command on a fixture, for the tests of what it does to processes and what it prints.
#![expect(clippy::disallowed_methods, reason = "a test starts the command itself, with signals")]

use ocf_tester::scratch::Scratch;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) fn agent(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agents").join(name)
}

/// A fixture that stands on `safe` or `service`, under that name: an agent's name is among the things
/// that are judged.
#[expect(clippy::unwrap_used, reason = "a test's helper")]
pub(crate) fn called_safe(name: &str, scratch: &Scratch) -> PathBuf {
    let Some((directory, _)) = name.split_once('/') else { return agent(name) };
    let agents = scratch.directory("agents").unwrap();
    let helper = if name.contains("service") { "service" } else { "safe" };
    let called = scratch.directory(&format!("agents/{directory}")).unwrap().join(helper);
    for (file, link) in [(helper, agents.join(helper)), (name, called.clone())] {
        let _ = fs::remove_file(&link);
        symlink(agent(file), link).unwrap();
    }
    called
}

/// The command on an agent with these options, its state in the scratch directory.
pub(crate) fn tester_with(options: &[&str], agent: &Path, scratch: &Scratch) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocf-tester"));
    let state = format!("state={}", scratch.path().join("state").display());
    command.env_remove("OCF_RESOURCE_INSTANCE").args(["-o", &state]).args(options).arg(agent);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The command on a fixture.
pub(crate) fn tester(name: &str, scratch: &Scratch) -> Command {
    tester_with(&["-n", "fixture"], &called_safe(name, scratch), scratch)
}

pub(crate) fn code(output: &Output) -> Option<u8> {
    output.status.code().and_then(|code| u8::try_from(code).ok())
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A time to sleep that nobody else sleeps: it names the processes that have it as an argument.
pub(crate) struct Label(pub(crate) String);

impl Label {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self(format!("300.{}{number:03}", std::process::id()))
    }

    /// As the parameter that gives it to the fixture.
    pub(crate) fn option(&self) -> String {
        format!("seconds={}", self.0)
    }

    /// The living processes with this argument, whatever their environment.
    pub(crate) fn processes(&self) -> Vec<i32> {
        let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let is_labelled = |pid: &i32| {
            let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            words.split(|byte| *byte == 0).any(|word| word == self.0.as_bytes())
        };
        numbers.filter(is_labelled).collect()
    }
}
