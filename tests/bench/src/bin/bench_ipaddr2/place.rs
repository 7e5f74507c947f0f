// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Networks to measure in: each a namespace with one interface, and as much on it as is asked for.

use beside::Agent;
use nix::poll::poll;
use nix::sched::{CloneFlags, setns, unshare};
use ocf_tester::agent::Invocation;
use ocf_tester::profile::PACEMAKER;
use ocf_tester::scratch::Scratch;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The interface.
pub(crate) const NIC: &str = "v0";
/// The prefix of every IPv4 address, and of every IPv6 address.
pub(crate) const PREFIXES: [u8; 2] = [16, 64];

/// Addresses and routes of the places that have many.
pub(crate) const ADDRESSES: usize = 10_000;
pub(crate) const ROUTES: usize = 100_000;

/// Nothing that is waited for takes longer.
const LIMIT: Duration = Duration::from_secs(60);

/// A network namespace, which is gone when nobody is in it and this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    namespace: File,
    scratch: Scratch,
}

impl Place {
    /// With the interface, up, and one address of either family on it.
    pub(crate) fn new() -> Self {
        unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace needs root");
        let namespace = File::open("/proc/thread-self/ns/net").unwrap();
        ip(&["link", "add", NIC, "type", "veth", "peer", "v1"]);
        for interface in ["lo", NIC, "v1"] {
            ip(&["link", "set", interface, "up"]);
        }
        let place = Self { namespace, scratch: Scratch::new("address").unwrap() };
        place.wait("the interface's own IPv6 address", || !dad_goes_on());
        ip(&["address", "add", "10.1.0.1/16", "dev", NIC]);
        ip(&["address", "add", "fd00:1::1/64", "dev", NIC, "nodad"]);
        place
    }

    /// With so many more addresses of either family, all of one network.
    pub(crate) fn with_addresses(self) -> Self {
        let mut lines = String::new();
        for number in 1..=ADDRESSES {
            let (high, low) = (number / 250, number % 250 + 1);
            writeln!(lines, "address add 10.1.{high}.{low}/16 dev {NIC}").unwrap();
            writeln!(lines, "address add fd00:1::{high:x}:{low:x}/64 dev {NIC} nodad").unwrap();
        }
        batch(&lines);
        self
    }

    /// With so many routes, through the interface.
    pub(crate) fn with_routes(self) -> Self {
        let mut lines = String::new();
        for number in 0..ROUTES {
            let (high, low) = (number / 250, number % 250);
            let (high, middle) = (20 + high / 250, high % 250);
            writeln!(lines, "route add {high}.{middle}.{low}.0/24 via 10.1.0.2").unwrap();
        }
        batch(&lines);
        self
    }

    /// From now on this process, and what it starts, is there.
    pub(crate) fn enter(&self) {
        setns(&self.namespace, CloneFlags::CLONE_NEWNET).unwrap();
    }

    /// A call of an agent, with the files that agents keep in a directory of this place's own.
    pub(crate) fn call(
        &self,
        agent: &Path,
        action: &str,
        parameters: &[(&str, String)],
    ) -> Invocation {
        let call = Invocation::new(agent, action)
            .profile(&PACEMAKER, "measured")
            .env("HA_RSCTMP", self.scratch.path())
            .env("HA_VARRUN", self.scratch.path());
        parameters.iter().fold(call, |call, (name, value)| call.parameter(name, value))
    }

    /// Calls an action that has to answer 0.
    pub(crate) fn run(&self, agent: &Path, action: &str, parameters: &[(&str, String)]) {
        self.enter();
        let call = self.call(agent, action, parameters);
        let seen = call.run().unwrap();
        let said = String::from_utf8_lossy(&seen.stderr);
        assert_eq!(seen.code(), Some(0), "{}\n{said}", call.reproduction());
    }

    /// Starts an action as Pacemaker does, whose pipes are not waited for.
    pub(crate) fn spawn(&self, agent: &Path, action: &str, parameters: &[(&str, String)]) -> Child {
        self.enter();
        let call = self.call(agent, action, parameters);
        let mut command = Command::new(agent);
        command.arg(action).env_clear().envs(call.full_environment()).current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Calls an action that has to answer 0, and says how long it took.
    pub(crate) fn time(
        &self,
        agent: &Path,
        action: &str,
        parameters: &[(&str, String)],
    ) -> Duration {
        let start = Instant::now();
        let status = self.spawn(agent, action, parameters).wait().unwrap();
        let time = start.elapsed();
        assert!(status.success(), "{} {action}: {status}", agent.display());
        time
    }

    /// Waits until something is so.
    pub(crate) fn wait(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        self.enter();
        let start = Instant::now();
        while !is_so() {
            assert!(start.elapsed() < LIMIT, "{what} never comes");
            pause();
        }
    }
}

/// Two milliseconds.
pub(crate) fn pause() {
    poll(&mut [], 2u8).unwrap();
}

/// Our staged agent, and Debian's.
pub(crate) fn agents() -> [PathBuf; 2] {
    [Agent::Ours, Agent::Shell].map(|agent| agent.path("heartbeat/IPaddr2"))
}

/// What the kernel says of an IPv6 address of this namespace's: whether it is still tentative.
pub(crate) fn find_tentative(address: &str) -> Option<bool> {
    let wanted = address.parse::<std::net::Ipv6Addr>().unwrap().to_bits();
    let all = fs::read_to_string("/proc/thread-self/net/if_inet6").unwrap();
    all.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let bits = u128::from_str_radix(words.next()?, 16).ok()?;
        let flags = u32::from_str_radix(words.nth(3)?, 16).ok()?;
        (bits == wanted).then_some(flags & TENTATIVE != 0)
    })
}

/// `IFA_F_TENTATIVE`.
const TENTATIVE: u32 = 0x40;

fn dad_goes_on() -> bool {
    let all = fs::read_to_string("/proc/thread-self/net/if_inet6").unwrap();
    let is_tentative = |line: &str| {
        let flags = line.split_whitespace().nth(4).unwrap();
        u32::from_str_radix(flags, 16).unwrap() & TENTATIVE != 0
    };
    all.lines().any(is_tentative)
}

/// Whether an agent of ours still announces something.
pub(crate) fn is_announcing(agent: &Path) -> bool {
    let processes = fs::read_dir("/proc").unwrap();
    let mut links =
        processes.filter_map(|entry| fs::read_link(entry.ok()?.path().join("exe")).ok());
    links.any(|link| link == agent)
}

pub(crate) fn ip(words: &[&str]) {
    let status = Command::new("ip").args(words).status().unwrap();
    assert!(status.success(), "ip {}", words.join(" "));
}

fn batch(lines: &str) {
    let mut ip = Command::new("ip");
    let mut ip = ip.args(["-batch", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    ip.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    assert!(ip.wait().unwrap().success(), "ip -batch");
}
