// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the kernel keeps beyond files and processes, and an agent may leave: mounts, devices,
//! addresses, routes, rules, IPC objects, sockets and control groups, each as a line of text.
//!
//! Not covered: the rules of packet filters (nftables, iptables, IPVS), and what containers keep in
//! namespaces of their own.

mod netlink;
mod network;

use crate::ledger;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Object {
    kind: Kind,
    /// What it is, for people.
    pub(crate) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    BlockDevice,
    ControlGroup,
    MessageQueue,
    Mount,
    Network,
    PosixQueue,
    Semaphores,
    SharedMemory,
    Socket,
}

impl Object {
    /// Whether a program that made these system calls, and no other ones, can have made it: itself,
    /// or through a service that it asked.
    pub(crate) fn can_be_of(&self, calls: &BTreeSet<&'static str>) -> bool {
        let (makers, can_be_asked_for): (&[&str], bool) = match self.kind {
            Kind::BlockDevice => (&["ioctl"], true),
            Kind::ControlGroup => (&["mkdir", "mkdirat"], true),
            Kind::MessageQueue => (&["msgget"], false),
            Kind::Mount => (&["mount", "move_mount"], true),
            Kind::Network => (&["sendto", "sendmsg", "sendmmsg", "ioctl"], true),
            Kind::PosixQueue => (&["mq_open", "open", "openat", "openat2"], false),
            Kind::Semaphores => (&["semget"], false),
            Kind::SharedMemory => (&["shmget"], false),
            Kind::Socket => (&["listen"], true),
        };
        let asked = can_be_asked_for && calls.contains("connect");
        asked || makers.iter().any(|maker| calls.contains(maker))
    }
}

/// Where containers, sessions of users and automatic mounts come and go, which no agent on test is
/// to blame for.
const OF_OTHERS: &[&str] = &[
    "/var/lib/docker",
    "/run/docker",
    "/var/lib/containers",
    "/run/containerd",
    "/run/containers",
    "/run/netns",
    "/run/user",
    "/run/credentials",
    "/run/systemd",
    "/snap",
    "/proc",
    "/sys",
];

/// What is there now.
pub(crate) fn objects() -> BTreeSet<Object> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mounts: Vec<Mount> = table.lines().filter_map(mount).collect();
    let all = [
        (Kind::Network, network::all()),
        (Kind::SharedMemory, shared_objects("shm", "shared memory")),
        (Kind::Semaphores, shared_objects("sem", "semaphores")),
        (Kind::MessageQueue, shared_objects("msg", "message queue")),
        (Kind::Mount, mount_lines(&mounts)),
        (Kind::PosixQueue, message_queues(&mounts)),
        (Kind::ControlGroup, control_groups(&mounts)),
        (Kind::BlockDevice, block_devices()),
        (Kind::Socket, sockets()),
    ];
    let named = |(kind, texts): (Kind, Vec<String>)| {
        texts.into_iter().map(move |text| Object { kind, text })
    };
    all.into_iter().flat_map(named).collect()
}

/// Whether these belong to somebody who has nothing to do with the agent.
fn is_others(path: &Path) -> bool {
    OF_OTHERS.iter().any(|place| path.starts_with(place))
}

/// A line of mountinfo (proc_pid_mountinfo(5)).
struct Mount {
    point: String,
    kind: String,
    source: String,
}

fn mount(line: &str) -> Option<Mount> {
    // An unknown number of optional fields ends with a dash.
    let (first, second) = line.split_once(" - ")?;
    let mut second = second.split(' ');
    Some(Mount {
        point: unescaped(first.split(' ').nth(4)?),
        kind: second.next()?.to_owned(),
        source: unescaped(second.next()?),
    })
}

/// A blank in a path is written as \040, and so are a tab, a new line and a backslash.
fn unescaped(text: &str) -> String {
    let codes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    codes.iter().fold(text.to_owned(), |text, (code, plain)| text.replace(code, plain))
}

/// A second mount on the same point is another object.
fn mount_lines(mounts: &[Mount]) -> Vec<String> {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    let own = mounts.iter().filter(|mount| !is_others(Path::new(&mount.point)));
    own.map(|Mount { point, kind, source }| {
        let times = times.entry(point).or_default();
        *times += 1;
        let again = if *times > 1 { format!(", number {times} there") } else { String::new() };
        format!("mount on {point} ({kind}, {source}{again})")
    })
    .collect()
}

/// A table of System V. Shared memory whose maker is at work isn't left by anybody.
fn shared_objects(kind: &str, what: &str) -> Vec<String> {
    let table = fs::read_to_string(format!("/proc/sysvipc/{kind}")).unwrap_or_default();
    let mut all = Vec::new();
    for line in table.lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [key, number, ..] = words.as_slice() else { continue };
        let maker = words.get(4).and_then(|word| word.parse().ok()).filter(|_| kind == "shm");
        if maker.and_then(ledger::start_time).is_none() {
            all.push(format!("System V {what}: key {key}, number {number}"));
        }
    }
    all
}

/// POSIX message queues, where their file system is mounted. Shared memory is files in /dev/shm.
fn message_queues(mounts: &[Mount]) -> Vec<String> {
    let queues = mounts.iter().filter(|mount| mount.kind == "mqueue");
    let names = queues.flat_map(|mount| names(Path::new(&mount.point)));
    names.map(|path| format!("POSIX message queue {}", path.display())).collect()
}

/// Control groups beside or below the tester's own, and at the top; not those that systemd makes
/// for services and sessions.
fn control_groups(mounts: &[Mount]) -> Vec<String> {
    let of_systemd = |path: &PathBuf| {
        let endings = ["slice", "scope", "service", "mount", "socket", "swap", "device"];
        path.extension().is_some_and(|end| endings.iter().any(|other| end == *other))
    };
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let places: BTreeSet<&str> =
        own.lines().filter_map(|line| line.splitn(3, ':').nth(2)).chain(["/"]).collect();
    let mut all = Vec::new();
    for mount in mounts.iter().filter(|mount| mount.kind.starts_with("cgroup")) {
        for place in &places {
            let directory = Path::new(&mount.point).join(place.trim_start_matches('/'));
            let entries = fs::read_dir(directory).into_iter().flatten().flatten();
            let groups = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            let groups = groups.map(|entry| entry.path());
            let groups = groups.filter(|path| !of_systemd(path) && !path.ends_with("docker"));
            all.extend(groups.map(|path| format!("control group {}", path.display())));
        }
    }
    all
}

/// Loop and network block devices that are in use, and every other block device.
fn block_devices() -> Vec<String> {
    let mut all = Vec::new();
    for path in names(Path::new("/sys/block")) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let read = |file: &str| {
            fs::read_to_string(path.join(file)).map(|text| text.trim_end().to_owned()).ok()
        };
        if name.starts_with("loop") {
            let file = read("loop/backing_file");
            let file = file.filter(|file| !is_others(Path::new(file)));
            all.extend(file.map(|file| format!("loop device {name} of {file}")));
        } else if name.starts_with("nbd") {
            all.extend(read("pid").map(|_| format!("network block device {name}")));
        } else {
            let mapped = read("dm/name").map(|mapped| format!(" ({mapped})"));
            all.push(format!("block device {name}{}", mapped.unwrap_or_default()));
        }
    }
    all
}

/// The Unix sockets that somebody listens at and that have a name (proc(5), /proc/net/unix).
fn sockets() -> Vec<String> {
    const LISTENS: u32 = 0x0001_0000;
    let table = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let mut all = Vec::new();
    for line in table.lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (Some(flags), Some(name)) = (words.get(3), words.get(7)) else { continue };
        let flags = u32::from_str_radix(flags, 16).unwrap_or_default();
        // Five figures: the kernel's own choice, which says nothing.
        let chosen = name.strip_prefix('@').is_some_and(|name| {
            name.len() == 5 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        if flags & LISTENS != 0 && !chosen && !is_others(Path::new(name)) {
            all.push(format!("listening socket {name}"));
        }
    }
    all
}

/// What is in a directory.
fn names(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixListener};
    use std::time::{Duration, Instant};

    #[test]
    fn a_second_mount_and_a_blank_in_its_place_are_seen() {
        let line = "47 27 0:4 / /mnt/a\\040b rw,relatime shared:7 - tmpfs a\\134b rw";
        let mounts: Vec<Mount> = [line, line, "torn"].into_iter().filter_map(mount).collect();
        let lines = mount_lines(&mounts);
        assert_eq!(lines[0], "mount on /mnt/a b (tmpfs, a\\b)");
        assert_eq!(lines[1], "mount on /mnt/a b (tmpfs, a\\b, number 2 there)");
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn a_listening_socket_without_a_file_is_seen() {
        let name = format!("ocf-tester-test-{}", std::process::id());
        let text = format!("listening socket @{name}");
        let socket = Object { kind: Kind::Socket, text };
        assert!(!objects().contains(&socket));
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let listener = UnixListener::bind_addr(&address).unwrap();
        assert!(objects().contains(&socket));
        drop(listener);
        // A child that another test is about to start holds a copy for a moment.
        let deadline = Instant::now() + Duration::from_secs(10);
        while objects().contains(&socket) {
            assert!(Instant::now() < deadline, "it is seen still");
        }
    }

    /// Every network namespace has it, even one where nothing was set up.
    #[test]
    fn the_loopback_device_and_the_rules_of_every_system_are_seen() {
        let all: Vec<String> = objects().into_iter().map(|object| object.text).collect();
        let rule = "routing rule 32766: from all of IPv4 to all of IPv4, table 254, action 1";
        for line in ["network device lo", rule] {
            assert!(all.iter().any(|text| text == line), "{all:?}");
        }
    }
}
