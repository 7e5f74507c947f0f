// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A host made of a network and a mount namespace: what a thread inside starts is on that host.

use nix::mount::{MsFlags, mount};
use nix::poll::poll;
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A process that was killed is gone by then, on any machine.
const END_WITHIN: Duration = Duration::from_secs(30);

/// Both namespaces live as long as this, and what still runs in them is ended with it.
#[derive(Debug)]
pub struct Namespace {
    network: File,
    mounts: File,
}

impl Namespace {
    /// A host with nothing but a loopback interface, and with a /run of its own.
    #[must_use]
    pub fn new() -> Self {
        let make = || {
            unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET)
                .expect("namespaces need root and CAP_SYS_ADMIN");
            let none = None::<&str>;
            mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
            // What iptables locks, and where named namespaces are, is each host's own.
            mount(Some("tmpfs"), "/run", Some("tmpfs"), MsFlags::empty(), none).unwrap();
            for directory in ["/run/netns", "/run/resource-agents"] {
                fs::create_dir(directory).unwrap();
            }
            mount(Some("sysfs"), "/sys", Some("sysfs"), MsFlags::MS_RDONLY, none).unwrap();
            let open = |kind: &str| File::open(format!("/proc/thread-self/ns/{kind}")).unwrap();
            Self { network: open("net"), mounts: open("mnt") }
        };
        std::thread::scope(|scope| scope.spawn(make).join().unwrap())
    }

    /// Does something inside, in a thread of its own; processes it starts stay inside.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let enter = || {
            unshare(CloneFlags::CLONE_FS).unwrap();
            setns(&self.network, CloneFlags::CLONE_NEWNET).unwrap();
            setns(&self.mounts, CloneFlags::CLONE_NEWNS).unwrap();
            std::env::set_current_dir("/").unwrap();
            work()
        };
        let done = std::thread::scope(|scope| scope.spawn(enter).join());
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// A path by which other processes open the network namespace.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        let (pid, descriptor) = (std::process::id(), self.network.as_raw_fd());
        format!("/proc/{pid}/fd/{descriptor}").into()
    }

    /// Gives another network namespace a name here, as `ip netns add` does.
    pub fn name(&self, name: &str, other: &Self) {
        let (file, target) = (format!("/run/netns/{name}"), other.path());
        self.inside(|| {
            fs::write(&file, "").unwrap();
            mount(Some(&target), file.as_str(), None::<&str>, MsFlags::MS_BIND, None::<&str>)
                .unwrap();
        });
    }

    /// Takes the name away, as `ip netns delete` does.
    pub fn forget(&self, name: &str) {
        let file = format!("/run/netns/{name}");
        self.inside(|| {
            nix::mount::umount(file.as_str()).unwrap();
            fs::remove_file(&file).unwrap();
        });
    }

    /// Runs a program to its end, with this input; it has to succeed.
    pub fn run(&self, program: &str, arguments: &[&str], input: &str) -> String {
        let done = self.inside(|| {
            let mut child = Command::new(program)
                .args(arguments)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap_or_else(|error| panic!("{program}: {error}"));
            let mut pipe = child.stdin.take().unwrap();
            // Who needs no input may have ended before.
            let _ = std::io::Write::write_all(&mut pipe, input.as_bytes());
            drop(pipe);
            child.wait_with_output().unwrap()
        });
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{program} {arguments:?}: {said}\n{input}");
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    /// Commands of ip(8), one a line.
    pub fn ip(&self, commands: &str) -> String {
        self.run("ip", &["-batch", "-"], commands)
    }

    /// Writes a kernel setting below /proc/sys/net.
    pub fn set(&self, setting: &str, value: &str) {
        let path = format!("/proc/sys/net/{setting}");
        self.inside(|| fs::write(&path, value).unwrap_or_else(|error| panic!("{path}: {error}")));
    }

    /// Reads one.
    #[must_use]
    pub fn get(&self, setting: &str) -> String {
        let path = format!("/proc/sys/net/{setting}");
        self.inside(|| fs::read_to_string(&path).unwrap().trim().to_owned())
    }

    /// The processes on this host: number and command.
    #[must_use]
    pub fn processes(&self) -> Vec<(Pid, String)> {
        let own = self.network.metadata().unwrap().ino();
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Ok(pid) = entry.file_name().to_string_lossy().parse() else { continue };
            // One that has just ended has no namespace any more.
            let is_here = fs::metadata(entry.path().join("ns/net")).is_ok_and(|ns| ns.ino() == own);
            if is_here {
                let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                let words = String::from_utf8_lossy(&words).replace('\0', " ");
                found.push((Pid::from_raw(pid), words.trim_end().to_owned()));
            }
        }
        found
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self::new()
    }
}

/// One that is killed is in the namespace, and keeps it, until the kernel comes to ending it.
impl Drop for Namespace {
    fn drop(&mut self) {
        let began = Instant::now();
        loop {
            let processes = self.processes();
            for (pid, _) in &processes {
                let _ = kill(*pid, Signal::SIGKILL);
            }
            if processes.is_empty() || began.elapsed() > END_WITHIN {
                return;
            }
            let _ = poll(&mut [], 5_u8);
        }
    }
}
