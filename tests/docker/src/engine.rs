// SPDX-License-Identifier: Apache-2.0 OR MIT
//! An Engine of a test's own: started, frozen, killed and started again without anybody being
//! disturbed.

use crate::api::Api;
use crate::{images, pause, wait_for};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Where stores can be: the file system of a container carries no other's.
const STORES: &str = "/var/lib/docker";

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A `dockerd` with its store, its socket and its log.
#[derive(Debug)]
pub struct Engine {
    directory: PathBuf,
    store: PathBuf,
    options: Vec<String>,
    server: Mutex<Child>,
    api: Api,
}

impl Engine {
    /// Starts one with the tests' images.
    #[must_use]
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// The same with further options of `dockerd`.
    #[must_use]
    pub fn with(options: &[&str]) -> Self {
        let engine = Self::empty(options);
        images::load(&engine);
        engine
    }

    /// One without an image.
    #[must_use]
    pub fn empty(options: &[&str]) -> Self {
        assert!(nix::unistd::geteuid().is_root(), "these tests run Engines: run them as root");
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("t{}-{number}", std::process::id());
        let (directory, store) = (Path::new("/run").join(&name), Path::new(STORES).join(&name));
        fs::create_dir_all(&directory).unwrap();
        fs::create_dir_all(&store).unwrap();
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        let server = Mutex::new(spawn(&directory, &store, &options));
        let api = Api::new(&directory.join("socket"));
        let engine = Self { directory, store, options, server, api };
        engine.wait();
        engine
    }

    /// Its API.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Its directory below /run; a test may keep things there.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where it keeps containers (`--data-root`).
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.store.join("data")
    }

    /// Its address, as `DOCKER_HOST` has it.
    #[must_use]
    pub fn host(&self) -> String {
        format!("unix://{}", self.directory.join("socket").display())
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.server.lock().unwrap().id().cast_signed())
    }

    /// Stops it from doing anything: requests are taken by the kernel and stay unanswered.
    pub fn freeze(&self) {
        kill(self.pid(), Signal::SIGSTOP).unwrap();
        let stat = format!("/proc/{}/stat", self.pid());
        wait_for("the Engine frozen", || {
            fs::read_to_string(&stat).unwrap().contains(") T ").then_some(())
        });
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        kill(self.pid(), Signal::SIGCONT).unwrap();
    }

    /// Kills the server, and with it its containerd; containers live on.
    pub fn kill(&self) {
        let mut server = self.server.lock().unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
    }

    /// Starts the server again after a kill.
    pub fn restart(&self) {
        *self.server.lock().unwrap() = spawn(&self.directory, &self.store, &self.options);
        self.wait();
    }

    fn wait(&self) {
        let begun = Instant::now();
        while self.api.ask("GET", "/_ping", b"").is_err() {
            let ended = self.server.lock().unwrap().try_wait().unwrap();
            let late = begun.elapsed() > Duration::from_secs(60);
            assert!(ended.is_none() && !late, "dockerd doesn't answer:\n{}", self.log());
            pause(Duration::from_millis(20));
        }
    }

    /// The end of its log.
    #[must_use]
    pub fn log(&self) -> String {
        let text = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(20).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Makes a container by hand, as somebody else would, and gives its ID.
    pub fn create(&self, name: &str, body: &Value) -> String {
        let path = format!("/containers/create?name={name}");
        let answer = self.api.done("POST", &path, body).json();
        answer["Id"].as_str().unwrap().to_owned()
    }

    /// Makes a container by hand and starts it.
    pub fn run(&self, name: &str, body: &Value) -> String {
        let id = self.create(name, body);
        self.act(name, "start");
        id
    }

    /// `POST /containers/NAME/ACTION`.
    pub fn act(&self, name: &str, action: &str) {
        self.api.done("POST", &format!("/containers/{name}/{action}"), &Value::Null);
    }

    /// Freezes what runs in a container. runc gives up after a moment when the kernel's freezer is slow
    /// (version 1 of control groups), so it is asked again.
    pub fn pause(&self, name: &str) {
        let path = format!("/containers/{name}/pause");
        wait_for(&format!("{name} paused"), || {
            let answer = self.api.ask("POST", &path, b"").unwrap();
            let is_slow = answer.status == 500 && answer.to_string().contains("unable to freeze");
            assert!(answer.status < 400 || is_slow, "{path}: {answer}");
            (answer.status < 400).then_some(())
        });
    }

    /// Removes a container, whatever its state; none is fine.
    pub fn remove(&self, name: &str) {
        let path = format!("/containers/{name}?force=1&v=1");
        wait_for(&format!("{name} removed from\n{}", self.log()), || {
            let answer = self.api.ask("DELETE", &path, b"").unwrap();
            matches!(answer.status, 204 | 404).then_some(())
        });
    }

    /// A container's state in the Engine's words; `absent` where there is none.
    #[must_use]
    pub fn status(&self, name: &str) -> String {
        let found = self.api.inspect(name).filter(|found| is_called(found, name));
        found.map_or("absent".into(), |found| found["State"]["Status"].as_str().unwrap().to_owned())
    }

    /// Waits until a container's state is this.
    pub fn wait_status(&self, name: &str, wanted: &str) {
        wait_for(&format!("{name} {wanted}"), || (self.status(name) == wanted).then_some(()));
    }

    /// The first process of a container that runs.
    #[must_use]
    pub fn init(&self, name: &str) -> Pid {
        let found = self.api.inspect(name).unwrap();
        let pid = found["State"]["Pid"].as_i64().and_then(|pid| i32::try_from(pid).ok());
        Pid::from_raw(pid.filter(|pid| *pid > 0).unwrap_or_else(|| panic!("{name} isn't running")))
    }

    /// A container's ID.
    #[must_use]
    pub fn id(&self, name: &str) -> String {
        self.api.inspect(name).unwrap()["Id"].as_str().unwrap().to_owned()
    }

    /// A container's name that no other Engine of these tests has: without its Engine a container is
    /// known by its name.
    #[must_use]
    pub fn name(&self, name: &str) -> String {
        let own = self.directory.file_name().unwrap_or_default().to_string_lossy();
        format!("{name}-{own}")
    }

    /// Executions that are known of a container.
    #[must_use]
    pub fn executions(&self, name: &str) -> usize {
        let found = self.api.inspect(name).unwrap();
        found["ExecIDs"].as_array().map_or(0, Vec::len)
    }

    /// A network of its own, on which ports can be published.
    pub fn network(&self, name: &str, subnet: &str) {
        let body = json!({"Name": name, "IPAM": {"Config": [{"Subnet": subnet}]}});
        self.api.done("POST", "/networks/create", &body);
    }
}

/// An ID's beginning is another container's name only.
fn is_called(found: &Value, name: &str) -> bool {
    found["Name"].as_str() == Some(&format!("/{name}"))
}

impl Drop for Engine {
    fn drop(&mut self) {
        let Ok(mut server) = self.server.lock() else { return };
        let pid = Pid::from_raw(server.id().cast_signed());
        if matches!(server.try_wait(), Ok(None)) {
            let _thawed = kill(pid, Signal::SIGCONT);
            if let Ok(list) = self.api.ask("GET", "/containers/json?all=1", b"") {
                let list: Value = serde_json::from_slice(&list.body).unwrap_or_default();
                for one in list.as_array().into_iter().flatten() {
                    let id = one["Id"].as_str().unwrap_or_default();
                    let path = format!("/containers/{id}?force=1&v=1");
                    let _as_far_as_possible = self.api.ask("DELETE", &path, b"");
                }
            }
            let _ended = kill(pid, Signal::SIGTERM);
            let begun = Instant::now();
            while matches!(server.try_wait(), Ok(None)) && begun.elapsed() < Duration::from_secs(20)
            {
                pause(Duration::from_millis(20));
            }
        }
        let _ended = server.kill();
        let _reaped = server.wait();
        let _as_far_as_possible = fs::remove_dir_all(&self.directory);
        let _as_far_as_possible = fs::remove_dir_all(&self.store);
    }
}

fn spawn(directory: &Path, store: &Path, options: &[String]) -> Child {
    let log = File::options().create(true).append(true).open(directory.join("log")).unwrap();
    let mut command = Command::new("dockerd");
    command
        .arg("--data-root")
        .arg(store.join("data"))
        .arg("--exec-root")
        .arg(directory.join("exec"))
        .arg("--pidfile")
        .arg(directory.join("pid"))
        .arg("--host")
        .arg(format!("unix://{}", directory.join("socket").display()))
        .args(["--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"])
        .args(options)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    command.spawn().unwrap_or_else(|error| panic!("dockerd (package docker.io): {error}"))
}
