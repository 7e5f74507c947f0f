// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One resource on a node that has a neighbour at the other end of its two interfaces.

use crate::{AGENT, Agent, Namespace, Seen, Snapshot, wait_for};
use ocf_tester::agent::Invocation;
use ocf_tester::profile::PACEMAKER;
use ocf_tester::scratch::Scratch;
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The time for each action, as the agents advertise it.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// The address of most tests, in the network of the node's first interface.
pub const VIP: &str = "192.168.144.2";
/// The same of IPv6.
pub const VIP6: &str = "2001:db8:1234::2";

/// Node and neighbour: `v0` and `v1` here are `p0` and `p1` there.
///
/// The kernel makes no link-local addresses by itself, whose duplicate address detection would be on the
/// wire at any time; `v0` and `p0` are given theirs.
const WIRES: &str = "\
link set lo up
link add v0 type veth peer name p0 netns {peer}
link add v1 type veth peer name p1 netns {peer}
link set v0 addrgenmode none
link set v1 addrgenmode none
";
const NODE: &str = "\
link set v0 up
link set v1 up
address add 192.168.144.1/24 brd 192.168.144.255 dev v0
address add 2001:db8:1234::1/64 dev v0 nodad
address add fe80::1/64 dev v0 nodad
";
const PEER: &str = "\
link set lo up
link set p0 addrgenmode none
link set p1 addrgenmode none
link set p0 up
link set p1 up
address add 192.168.144.254/24 brd 192.168.144.255 dev p0
address add 2001:db8:1234::fe/64 dev p0 nodad
address add fe80::fe/64 dev p0 nodad
";

/// A node, its neighbour, and a resource on the node.
#[derive(Debug)]
pub struct World {
    pub node: Namespace,
    pub peer: Namespace,
    scratch: Scratch,
    call: Invocation,
}

impl World {
    /// With an agent's resource that has no parameters yet.
    #[must_use]
    pub fn of(agent: Agent) -> Self {
        let (node, peer) = (Namespace::new(), Namespace::new());
        node.ip(&WIRES.replace("{peer}", &peer.path().display().to_string()));
        peer.ip(PEER);
        node.ip(NODE);
        wait_for("the kernel's routes", || {
            let routes = node.run("ip", &["-6", "route", "show", "table", "local"], "");
            let is_told = |address: &str| routes.contains(&format!("local {address} "));
            (is_told("2001:db8:1234::1") && is_told("fe80::1")).then_some(())
        });
        let scratch = Scratch::new("address").unwrap();
        fs::create_dir(scratch.path().join("rsctmp")).unwrap();
        let call = Invocation::new(agent.path(AGENT), "monitor")
            .profile(&PACEMAKER, "vip")
            .env("HA_RSCTMP", scratch.path().join("rsctmp"))
            .env("HA_LOGFILE", scratch.path().join("log"))
            .env("HA_DEBUGLOG", scratch.path().join("log"))
            .limit(TIMEOUT);
        Self { node, peer, scratch, call }
    }

    /// Our agent, with the address of most tests.
    #[must_use]
    pub fn ours() -> Self {
        Self::of(Agent::Ours).with("ip", VIP)
    }

    /// Our agent, with the IPv6 address of most tests.
    #[must_use]
    pub fn ours6() -> Self {
        Self::of(Agent::Ours).with("ip", VIP6)
    }

    /// With a parameter.
    #[must_use]
    pub fn with(mut self, parameter: &str, value: &str) -> Self {
        self.call = self.call.parameter(parameter, value);
        self
    }

    /// With parameters.
    #[must_use]
    pub fn with_all(self, parameters: &[(&str, &str)]) -> Self {
        parameters.iter().fold(self, |world, (name, value)| world.with(name, value))
    }

    /// Changes a parameter, as an administrator does it while the resource runs.
    pub fn change(&mut self, parameter: &str, value: &str) {
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

    /// The directory in which agents keep what they know.
    #[must_use]
    pub fn records(&self) -> PathBuf {
        self.scratch.path().join("rsctmp")
    }

    /// The names of what is in it.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.records()).unwrap().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// What the agent logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.scratch.path().join("log")).unwrap_or_default()
    }

    /// A directory of the resource's own.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.scratch.path().to_owned()
    }

    /// An action, not yet called. `probe` is a monitor without an interval.
    #[must_use]
    pub fn call(&self, action: &str) -> Invocation {
        match action {
            "probe" => self.call.action("monitor").parameter("CRM_meta_interval", "0"),
            "monitor" => self.call.action("monitor").parameter("CRM_meta_interval", "10000"),
            _ => self.call.action(action),
        }
    }

    /// Calls an action on the node.
    #[must_use]
    pub fn run(&self, action: &str) -> Seen {
        self.make(&self.call(action))
    }

    /// Makes a call on the node.
    #[must_use]
    pub fn make(&self, call: &Invocation) -> Seen {
        let execution = self.node.inside(|| call.run().unwrap());
        Seen::of(call, execution)
    }

    /// Calls an action of which the code is known.
    pub fn expect(&self, action: &str, code: i32) -> Seen {
        let seen = self.run(action);
        seen.is(code);
        seen
    }

    /// The probe, the recurring monitor and the status all answer this.
    pub fn looks(&self, code: i32) {
        for action in ["probe", "monitor", "status"] {
            self.expect(action, code);
        }
    }

    /// Calls an action that fails, with these words in its reason.
    pub fn expect_reason(&self, action: &str, code: i32, words: &str) -> Seen {
        let seen = self.expect(action, code);
        seen.says(words);
        seen
    }

    /// How the kernel has an address: a line for each interface that has it.
    #[must_use]
    pub fn has(&self, address: &str) -> Vec<String> {
        let address: IpAddr = address.parse().unwrap();
        Snapshot::of(&self.node).of_address(address)
    }

    /// The hardware address of an interface of the node or of its neighbour.
    #[must_use]
    pub fn mac(&self, interface: &str) -> [u8; 6] {
        let host = if interface.starts_with('p') { &self.peer } else { &self.node };
        let path = format!("/sys/class/net/{interface}/address");
        let text = host.inside(|| fs::read_to_string(path).unwrap());
        let bytes: Vec<u8> =
            text.trim().split(':').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
        bytes.try_into().unwrap()
    }

    /// Nothing of a resource is left: the node's kernel says what it said before, no file is left, and no
    /// process.
    pub fn is_as_before(&self, before: &Snapshot) {
        let changes = before.changes(&Snapshot::full(&self.node));
        let (files, processes) = (self.files(), self.node.processes());
        let is_clean = changes.is_empty() && files.is_empty() && processes.is_empty();
        assert!(is_clean, "left: {changes:?}, files {files:?}, processes {processes:?}");
    }
}
