// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Every state an Engine knows, produced for real, and what an action changed of it.

use crate::{Engine, images, wait_for};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

/// A state in the Engine's words, and how it came to be where there are several ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Absent,
    Created,
    Running,
    Paused,
    /// Its process ends at once, again and again.
    Restarting,
    /// By itself, with code 0.
    Exited,
    /// By itself, with code 3.
    Failed,
    /// Somebody's removal of it failed, and would fail again.
    Dead,
    /// Somebody's removal of it failed; the next one doesn't.
    DeadOnce,
    /// Somebody's removal of it has begun, and takes its time.
    Removing,
}

/// All of them.
pub const ALL: [State; 10] = [
    State::Absent,
    State::Created,
    State::Running,
    State::Paused,
    State::Restarting,
    State::Exited,
    State::Failed,
    State::Dead,
    State::DeadOnce,
    State::Removing,
];

impl State {
    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Exited => "exited with 0",
            Self::Failed => "exited with 3",
            Self::Dead => "dead",
            Self::DeadOnce => "dead, to be removed now",
            Self::Removing => "removing",
        }
    }

    /// Brings about a container in this state; what is given keeps it there.
    #[must_use]
    pub fn make<'a>(self, engine: &'a Engine, name: &str) -> Made<'a> {
        let mut made = Made { engine, name: name.to_owned(), immovable: None, slow: None };
        let body = |command: &[&str], restart: &str| {
            json!({
                "Image": images::PLAIN, "Cmd": command, "Volumes": {"/data": {}},
                "HostConfig": {"RestartPolicy": {"Name": restart}, "NetworkMode": "none"},
            })
        };
        let serve = body(&["/bin/serve"], "no");
        match self {
            Self::Absent => {}
            Self::Created => drop(engine.create(name, &serve)),
            Self::Running => drop(engine.run(name, &serve)),
            Self::Paused => {
                engine.run(name, &serve);
                engine.pause(name);
            }
            Self::Restarting => {
                engine.run(name, &body(&["/bin/false"], "always"));
                // The pauses double each time: the next one is longer than any look at it.
                wait_for("a container that restarts", || {
                    let found = engine.api().inspect(name).unwrap();
                    let often = found["RestartCount"].as_u64() >= Some(7);
                    (often && found["State"]["Status"] == "restarting").then_some(())
                });
            }
            Self::Exited => made.exited(&body(&["/bin/once"], "no")),
            Self::Failed => made.exited(&body(&["/bin/fails-once"], "no")),
            Self::Dead => made.dead(),
            Self::DeadOnce => {
                made.dead();
                made.let_go();
            }
            Self::Removing => made.removing(),
        }
        made
    }
}

/// A container in a state, with what keeps it in that.
#[derive(Debug)]
pub struct Made<'a> {
    engine: &'a Engine,
    name: String,
    immovable: Option<PathBuf>,
    slow: Option<(Child, JoinHandle<()>)>,
}

impl Made<'_> {
    fn exited(&self, body: &Value) {
        self.engine.run(&self.name, body);
        self.engine.wait_status(&self.name, "exited");
    }

    /// A file that can't be removed lies among the Engine's own.
    fn dead(&mut self) {
        self.exited(&json!({"Image": images::SHORT, "HostConfig": {"NetworkMode": "none"}}));
        let id = self.engine.id(&self.name);
        let file = self.engine.store().join("containers").join(id).join("immovable");
        std::fs::write(&file, "").unwrap();
        immovable(&file, true);
        self.immovable = Some(file);
        let path = format!("/containers/{}?v=1", self.name);
        let refused = self.engine.api().ask("DELETE", &path, b"").unwrap();
        assert_eq!(refused.status, 500, "it can't be removed: {refused}");
        self.engine.wait_status(&self.name, "dead");
    }

    /// Every file the Engine removes takes it some seconds.
    fn removing(&mut self) {
        self.exited(&json!({"Image": images::SHORT, "HostConfig": {"NetworkMode": "none"}}));
        let log = self.engine.directory().join(format!("{}.strace", self.name));
        let tracer = Command::new("strace")
            .args(["-f", "-e", "trace=unlinkat", "-e", "inject=unlinkat:delay_enter=5000000", "-o"])
            .arg(&log)
            .args(["-p", &self.engine.pid().to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("strace: {error}"));
        let status = format!("/proc/{}/status", self.engine.pid());
        let traced = || !std::fs::read_to_string(&status).unwrap().contains("TracerPid:\t0\n");
        wait_for("the Engine traced", || traced().then_some(()));
        let (api, path) = (self.engine.api().clone(), format!("/containers/{}", self.name));
        let removal = std::thread::spawn(move || drop(api.ask("DELETE", &path, b"")));
        self.slow = Some((tracer, removal));
        self.engine.wait_status(&self.name, "removing");
    }

    /// Takes away what keeps it in its state; it may leave it then by itself.
    pub fn let_go(&mut self) {
        if let Some(file) = self.immovable.take() {
            immovable(&file, false);
        }
        if let Some((mut tracer, removal)) = self.slow.take() {
            let pid = nix::unistd::Pid::from_raw(tracer.id().cast_signed());
            nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
            tracer.wait().unwrap();
            removal.join().unwrap();
        }
    }
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.let_go();
            self.engine.remove(&self.name);
        }
    }
}

/// Sets or clears the attribute that keeps even root from removing a file.
fn immovable(file: &std::path::Path, is_set: bool) {
    let sign = if is_set { "+i" } else { "-i" };
    let done = Command::new("chattr").arg(sign).arg(file).output().unwrap();
    assert!(done.status.success(), "chattr {sign}: {}", String::from_utf8_lossy(&done.stderr));
}

/// What an action changed of a container, in words; `before` and `after` are what the Engine said.
#[must_use]
pub fn effects(before: Option<&Value>, after: Option<&Value>, engine: &Engine) -> Vec<String> {
    let status = |one: &Value| one["State"]["Status"].as_str().unwrap_or("?").to_owned();
    let mut effects = match (before, after) {
        (None, None) => Vec::new(),
        (None, Some(after)) => vec![format!("makes a container: {}", status(after))],
        (Some(_), None) => vec!["removes the container".to_owned()],
        (Some(before), Some(after)) if before["Id"] != after["Id"] => {
            vec![format!("replaces the container: {}", status(after))]
        }
        (Some(before), Some(after)) => same(before, after, status),
    };
    let is_same = before.zip(after).is_some_and(|(one, other)| one["Id"] == other["Id"]);
    if let Some(before) = before.filter(|_| !is_same) {
        let volumes = engine.api().volumes();
        let mounts = before["Mounts"].as_array().into_iter().flatten();
        let own = mounts.filter_map(|mount| mount["Name"].as_str());
        if own.into_iter().any(|name| volumes.iter().any(|volume| volume == name)) {
            effects.push("leaves its volume".to_owned());
        }
    }
    effects
}

fn same(before: &Value, after: &Value, status: impl Fn(&Value) -> String) -> Vec<String> {
    let restarts = |one: &Value| one["HostConfig"]["RestartPolicy"]["Name"] == "always";
    let (old, new) = (status(before), status(after));
    // Between two pauses it runs for a moment.
    if restarts(before) && ["running", "restarting"].contains(&new.as_str()) {
        return Vec::new();
    }
    match old == new {
        true if before["State"]["StartedAt"] == after["State"]["StartedAt"] => Vec::new(),
        true => vec!["starts the container again".to_owned()],
        false => vec![format!("the container is {new}")],
    }
}
