// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A demo that ends before its time, at whatever moment, leaves nothing: no container, volume,
//! process, control group, mount or directory. Each test looks at its own run only, so others may
//! go on beside it.
#![expect(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// Packages as `make deb` builds them.
const PACKAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/deb");

/// How soon it must be gone. Removing three hosts takes half a second on an idle machine.
const LIMIT: Duration = Duration::from_secs(30);

#[expect(clippy::disallowed_methods, reason = "the lab itself is what is tested")]
fn command(program: &str) -> Command {
    Command::new(program)
}

fn answer(program: &str, args: &[&str]) -> String {
    let output = command(program).args(args).output().expect("the tool runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn lines(program: &str, args: &[&str]) -> Vec<String> {
    answer(program, args).lines().map(str::to_owned).collect()
}

/// A demo that has begun; its process id is in the names of all it makes.
struct Demo {
    lab: Child,
    output: BufReader<ChildStdout>,
}

impl Demo {
    fn start() -> Self {
        Self::start_by(command(env!("CARGO_BIN_EXE_lab")))
    }

    /// Starts it by a command that becomes the lab with these arguments.
    fn start_by(mut lab: Command) -> Self {
        lab.args(["demo", "--packages", PACKAGES]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut lab = lab.spawn().expect("the lab starts");
        let output = BufReader::new(lab.stdout.take().expect("a pipe"));
        Self { lab, output }
    }

    /// Waits until a step with these words is done.
    fn reach(&mut self, step: &str) {
        let mut lines = self.output.by_ref().lines().map(|line| line.expect("text"));
        let is_reached = lines.any(|line| line.starts_with("ok ") && line.contains(step));
        assert!(is_reached, "the demo ended before '{step}'");
    }

    fn containers(&self) -> Vec<String> {
        let name = format!("name=-{}-[0-9]+-", self.lab.id());
        lines("docker", &["ps", "--all", "--quiet", "--no-trunc", "--filter", &name])
    }

    fn directories(&self) -> Vec<PathBuf> {
        let mark = format!("-{}-", self.lab.id());
        let all = std::fs::read_dir("/run/ocf-agents-lab").into_iter().flatten().flatten();
        let is_ours = |path: &PathBuf| path.to_string_lossy().contains(&mark);
        all.map(|entry| entry.path()).filter(is_ours).collect()
    }

    fn attendants(&self) -> Vec<String> {
        lines("pgrep", &["-f", &format!("lab attend ocf-agents-lab-[0-9a-f]+-{}-", self.lab.id())])
    }

    fn send(&self, signal: Signal) {
        send(&self.lab.id().to_string(), signal);
    }

    /// All that is to go, as far as it can only be named while it is there.
    fn traces(&self) -> Traces {
        let containers = self.containers();
        let ids: Vec<_> = containers.iter().map(String::as_str).collect();
        let format = "{{range .Mounts}}{{if .Name}}{{.Name}} {{end}}{{end}}";
        let inspect = [&["inspect", "--format", format], ids.as_slice()].concat();
        let volumes = answer("docker", &inspect).split_whitespace().map(str::to_owned).collect();
        let processes = containers.iter().flat_map(|id| processes_of(id)).collect();
        Traces { containers, volumes, processes }
    }

    /// What of it is still there.
    fn left(&self, traces: &Traces) -> Vec<String> {
        let volumes: BTreeSet<_> =
            lines("docker", &["volume", "ls", "--quiet"]).into_iter().collect();
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("the kernel says");
        let is_mounted = |id: &&String| mounts.contains(id.as_str());
        let mut left = self.containers();
        left.extend(self.attendants());
        left.extend(self.directories().iter().map(|path| path.display().to_string()));
        left.extend(traces.volumes.iter().filter(|volume| volumes.contains(*volume)).cloned());
        let named = traces.containers.iter().chain(&traces.volumes);
        left.extend(named.filter(is_mounted).map(|id| format!("a mount of {id}")));
        for id in &traces.containers {
            left.extend(control_groups(id).iter().map(|path| path.display().to_string()));
        }
        let is_alive = |process: &&String| Path::new("/proc").join(process).exists();
        left.extend(traces.processes.iter().filter(is_alive).map(|p| format!("process {p}")));
        left
    }

    /// Waits for the end, and until nothing is left.
    fn leaves_nothing(&mut self, traces: &Traces) {
        let _ = self.lab.wait();
        let start = Instant::now();
        loop {
            let left = self.left(traces);
            if left.is_empty() {
                return;
            }
            assert!(start.elapsed() < LIMIT, "left behind: {left:#?}");
        }
    }
}

struct Traces {
    containers: Vec<String>,
    volumes: Vec<String>,
    processes: Vec<String>,
}

/// A container's control groups: one a hierarchy in version 1, one in version 2.
fn control_groups(id: &str) -> Vec<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    let hierarchies = std::fs::read_dir(root).into_iter().flatten().flatten();
    let parents = hierarchies.map(|entry| entry.path()).chain([root.to_owned()]);
    let groups = parents.flat_map(|parent| {
        [parent.join("docker").join(id), parent.join(format!("system.slice/docker-{id}.scope"))]
    });
    groups.filter(|group| group.is_dir()).collect()
}

fn processes_of(id: &str) -> Vec<String> {
    let text = |group: &PathBuf| std::fs::read_to_string(group.join("cgroup.procs")).ok();
    let all = control_groups(id).iter().filter_map(text).collect::<String>();
    all.lines().map(str::to_owned).collect()
}

fn send(pid: &str, signal: Signal) {
    let pid = Pid::from_raw(pid.parse().expect("a pid"));
    kill(pid, signal).expect("it is there");
}

#[test]
#[ignore = "needs root, a Docker Engine and packages"]
fn a_signal_while_the_hosts_are_made_leaves_nothing() {
    // A host whose making had been asked for came to be behind the removal's back.
    for (number, signal) in [Signal::SIGKILL, Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]
        .iter()
        .cycle()
        .take(12)
        .enumerate()
    {
        let mut demo = Demo::start();
        let moment = Duration::from_millis(300 + 140 * number as u64);
        let start = Instant::now();
        while start.elapsed() < moment {
            let _ = nix::poll::poll(&mut [], 10u8);
        }
        let traces = demo.traces();
        demo.send(*signal);
        demo.leaves_nothing(&traces);
    }
}

#[test]
#[ignore = "needs root, a Docker Engine and packages"]
fn a_signal_in_a_cluster_that_runs_leaves_nothing() {
    let moments = [
        ("two nodes and a third host", Signal::SIGINT),
        ("three web servers over two nodes", Signal::SIGKILL),
        ("httpd is killed in a container", Signal::SIGHUP),
    ];
    for (step, signal) in moments {
        let mut demo = Demo::start();
        demo.reach(step);
        let traces = demo.traces();
        assert_eq!(traces.containers.len(), 3, "{step}");
        assert!(!traces.volumes.is_empty() && !traces.processes.is_empty(), "{step}");
        demo.send(signal);
        demo.leaves_nothing(&traces);
    }
}

#[test]
#[ignore = "needs root, a Docker Engine and packages"]
fn a_lost_fence_device_ends_the_demo_and_the_hosts_go() {
    // The demo waited two minutes for what nobody would ever fence, and left its hosts.
    let mut demo = Demo::start();
    demo.reach("two nodes and a third host");
    let traces = demo.traces();
    demo.attendants().iter().for_each(|attendant| send(attendant, Signal::SIGKILL));
    demo.leaves_nothing(&traces);
    assert_eq!(demo.lab.wait().expect("it ended").code(), Some(1));
}

#[test]
#[ignore = "needs root, a Docker Engine and packages"]
fn a_signal_to_the_fence_device_too_leaves_nothing() {
    // As a CI that ends a job does it: both stopped at once, before either had removed a host.
    let mut demo = Demo::start();
    demo.reach("two nodes and a third host");
    let traces = demo.traces();
    demo.send(Signal::SIGTERM);
    demo.attendants().iter().for_each(|attendant| send(attendant, Signal::SIGTERM));
    demo.leaves_nothing(&traces);
}

#[test]
#[ignore = "needs root, a Docker Engine and packages"]
fn what_is_left_when_all_are_killed_goes_with_the_next_run() {
    let mut killed = Demo::start();
    killed.reach("two nodes and a third host");
    let traces = killed.traces();
    killed.send(Signal::SIGSTOP);
    killed.attendants().iter().for_each(|attendant| send(attendant, Signal::SIGKILL));
    killed.send(Signal::SIGKILL);
    killed.lab.wait().expect("it ended");
    assert_eq!(killed.containers().len(), 3, "nobody is there to remove them");
    let mut next = Demo::start();
    next.reach("two nodes and a third host");
    killed.leaves_nothing(&traces);
    let traces = next.traces();
    next.send(Signal::SIGTERM);
    next.leaves_nothing(&traces);
}

#[test]
#[ignore = "needs root, a Docker Engine and packages"]
fn a_network_in_use_here_is_neither_in_the_way_nor_touched() {
    let script = "ip link add in-use type bridge && ip address add 192.0.2.1/24 dev in-use && \
                  ip link set in-use up && exec \"$0\" \"$@\"";
    let mut behind = command("unshare");
    behind.args(["--net", "sh", "-c", script, env!("CARGO_BIN_EXE_lab")]);
    let mut demo = Demo::start_by(behind);
    demo.reach("corosync and Pacemaker are up on both nodes");
    let pid = demo.lab.id().to_string();
    let here = |args: &[&str]| {
        lines("nsenter", &[&["--net", "--target", &pid, "ip", "-brief"], args].concat())
    };
    let (addresses, links) = (here(&["-4", "address"]), here(&["link"]));
    let traces = demo.traces();
    demo.send(Signal::SIGTERM);
    demo.leaves_nothing(&traces);
    assert!(addresses.len() == 1 && addresses[0].contains(" 192.0.2.1/24"), "{addresses:?}");
    let is_ours = |link: &String| link.starts_with("lo ") || link.starts_with("in-use ");
    assert!(links.len() == 2 && links.iter().all(is_ours), "{links:?}");
}
