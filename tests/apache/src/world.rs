// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One resource in the world that the test is in.

use crate::{AGENT, Agent, Seen, host, inside, server, wait_for};
use host::Snapshot;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use ocf_tester::agent::Invocation;
use ocf_tester::profile::PACEMAKER;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The time for each action, as the agents advertise it for monitor.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// A resource, and the directory `{w}` for its server's files. There is one in each world.
#[derive(Debug)]
pub struct World {
    place: PathBuf,
    call: Invocation,
}

impl World {
    /// A resource without parameters, for Debian's stock configuration.
    #[must_use]
    pub fn stock(agent: Agent) -> Self {
        let place = inside::place().expect("a world is made by apache_tests::inside");
        let log = place.join("ha.log");
        let call = Invocation::new(agent.path(AGENT), "monitor")
            .profile(&PACEMAKER, "web")
            .env("HA_LOGFILE", &log)
            .env("HA_DEBUGLOG", &log)
            .limit(TIMEOUT);
        Self { place, call }
    }

    /// A resource with the small configuration.
    #[must_use]
    pub fn of(agent: Agent) -> Self {
        let world = Self::stock(agent);
        server::furnish(&world);
        world.with("configfile", "{w}/httpd.conf")
    }

    /// Our agent with the small configuration.
    #[must_use]
    pub fn ours() -> Self {
        Self::of(Agent::Ours)
    }

    /// With a parameter; `{w}` in it is the world's directory.
    #[must_use]
    pub fn with(mut self, parameter: &str, value: &str) -> Self {
        self.change(parameter, value);
        self
    }

    /// With parameters.
    #[must_use]
    pub fn with_all(self, parameters: &[(&str, &str)]) -> Self {
        parameters.iter().fold(self, |world, (name, value)| world.with(name, value))
    }

    /// Without a parameter.
    #[must_use]
    pub fn without(mut self, parameter: &str) -> Self {
        self.call = self.call.without_env(format!("OCF_RESKEY_{parameter}"));
        self
    }

    /// Changes a parameter, as an administrator does it while the resource runs.
    pub fn change(&mut self, parameter: &str, value: &str) {
        let value = self.text(value);
        self.call = self.call.clone().parameter(parameter, value);
    }

    /// The same resource in the hands of another agent.
    pub fn hand_to(&mut self, agent: Agent) {
        self.call.agent = agent.path(AGENT);
    }

    /// With another time for every action.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.call = self.call.limit(limit);
        self
    }

    /// With a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        let value = self.text(value);
        self.call = self.call.env(name, value);
        self
    }

    /// The world's directory.
    #[must_use]
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// A path or text with `{w}` filled in.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        text.replace("{w}", &self.place.to_string_lossy())
    }

    /// Writes a file: a relative path is below the world's directory, and `{w}` is filled in.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.place.join(self.text(path));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, self.text(text))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Replaces a text in a file; it has to be there.
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let (from, to) = (self.text(from), self.text(to));
        let path = self.place.join(self.text(path));
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(&from), "no {from:?} in {}", path.display());
        fs::write(&path, text.replace(&from, &to)).unwrap();
    }

    /// Adds lines to the small configuration.
    pub fn configure(&self, lines: &str) {
        let path = self.place.join("httpd.conf");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text + &self.text(lines) + "\n").unwrap();
    }

    /// Starts the resource's server, with the small configuration, as somebody would by hand.
    pub fn serve(&self) {
        let address = format!("127.0.0.1:{}", server::PORT);
        server::start(&["-f", &self.text("{w}/httpd.conf")], &address);
    }

    /// The same, where it may run already.
    pub fn serve_again(&self) {
        if host::all_of(host::Kind::Server).is_empty() {
            self.serve();
        }
    }

    /// Starts a program that stays as long as the world; its number. Nobody
    /// buries it: once killed, it is a zombie.
    #[expect(clippy::zombie_processes, reason = "it ends with its world")]
    pub fn begin(&self, program: &str, arguments: &[&str]) -> i32 {
        let arguments = arguments.iter().map(|argument| self.text(argument));
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        child.id().cast_signed()
    }

    /// Puts a number, or anything, into the pid file.
    pub fn write_pid(&self, text: &str) {
        self.write("run/httpd.pid", text);
    }

    /// The number in it.
    #[must_use]
    pub fn pid(&self) -> i32 {
        server::pid_of(&self.place.join("run/httpd.pid"))
    }

    /// Sends a signal.
    pub fn signal(&self, pid: i32, signal: Signal) {
        kill(Pid::from_raw(pid), signal).unwrap();
    }

    /// Waits until a process is gone.
    pub fn wait_end(&self, pid: i32) {
        wait_for("a process's end", || (!host::is_alive(pid)).then_some(()));
    }

    /// The files that agents keep what they know in.
    #[must_use]
    pub fn records(&self) -> Vec<String> {
        let entries = fs::read_dir("/run/resource-agents").into_iter().flatten().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// What the agents logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.place.join("ha.log")).unwrap_or_default()
    }

    /// What is here now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::take(&self.place)
    }

    /// An action, not yet called. `probe` is a monitor without an interval, `monitor 10` one at check level
    /// 10.
    #[must_use]
    pub fn call(&self, action: &str) -> Invocation {
        let recurring = || self.call.action("monitor").parameter("CRM_meta_interval", "10000");
        match action {
            "probe" => self.call.action("monitor").parameter("CRM_meta_interval", "0"),
            "monitor" => recurring(),
            "monitor 10" => recurring().env("OCF_CHECK_LEVEL", "10"),
            _ => self.call.action(action),
        }
    }

    /// Calls an action.
    #[must_use]
    pub fn run(&self, action: &str) -> Seen {
        Self::make(&self.call(action))
    }

    /// Makes a call.
    #[must_use]
    pub fn make(call: &Invocation) -> Seen {
        Seen::of(call, call.run().unwrap())
    }

    /// Calls an action of which the code is known.
    pub fn expect(&self, action: &str, code: i32) -> Seen {
        let seen = self.run(action);
        seen.is(code);
        seen
    }

    /// Calls an action that fails, with these words in its reason.
    pub fn expect_reason(&self, action: &str, code: i32, words: &str) -> Seen {
        let seen = self.expect(action, code);
        seen.says(words);
        seen
    }
}
