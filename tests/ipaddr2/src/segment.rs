// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Two nodes and a host with many clients on one switch, and who is answered by whom.

use crate::world::TIMEOUT;
use crate::{AGENT, Agent, Capture, Frame, Namespace, PATIENCE, Seen, pause};
use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, sendto,
    socket,
};
use ocf_tester::agent::Invocation;
use ocf_tester::profile::PACEMAKER;
use ocf_tester::scratch::Scratch;
use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The shared address.
pub const SHARED: &str = "10.9.0.100";
/// The same of IPv6.
pub const SHARED6: &str = "2001:db8:9::100";

/// How many clients there are, each an address of the client host.
pub const CLIENTS: u8 = 200;

const SWITCH: &str = "\
link add br0 type bridge
link set br0 up
";

/// A node of the cluster, with two instances of a clone to be run on it.
#[derive(Debug)]
pub struct Node {
    pub host: Namespace,
    scratch: Scratch,
    agent: PathBuf,
    mac: [u8; 6],
    parameters: Vec<(String, String)>,
}

/// All of them, and the wires between.
#[derive(Debug)]
pub struct Segment {
    pub nodes: [Node; 2],
    pub client: Namespace,
    switch: Namespace,
}

/// Which nodes answered a client, by their number, once for each answer.
pub type Answers = BTreeMap<IpAddr, Vec<usize>>;

impl Segment {
    /// Two nodes with our agent, which share an address with these parameters.
    #[must_use]
    pub fn new(parameters: &[(&str, &str)]) -> Self {
        let switch = Namespace::new();
        switch.ip(SWITCH);
        let join = |host: &Namespace, port: &str, mac: u8| {
            let to = switch.path().display().to_string();
            host.ip(&format!(
                "link set lo up\n\
                 link add v0 address 02:00:00:00:00:{mac:02x} type veth peer name {port} netns {to}\n\
                 link set v0 addrgenmode none up\n"
            ));
            switch.ip(&format!("link set {port} master br0 up\n"));
        };
        let nodes = [1_u8, 2].map(|number| {
            let host = Namespace::new();
            join(&host, &format!("node{number}"), number);
            host.ip(&format!(
                "address add 10.9.0.{number}/16 brd + dev v0\n\
                 address add 2001:db8:9::{number}/64 dev v0 nodad\n\
                 route add 2a00::/8 dev v0\n"
            ));
            Node::new(host, [2, 0, 0, 0, 0, number], parameters)
        });
        let client = Namespace::new();
        join(&client, "client", 3);
        client.ip("address add 2001:db8:9::3/64 dev v0 nodad\n");
        for address in clients(false).chain(clients(true)) {
            let (prefix, more) = if address.is_ipv4() { (16, "") } else { (64, "nodad") };
            client.ip(&format!("address add {address}/{prefix} dev v0 {more}\n"));
        }
        Self { nodes, client, switch }
    }

    /// Pulls a node's cable, or puts it back.
    pub fn plug(&self, node: usize, is_in: bool) {
        let state = if is_in { "up" } else { "down" };
        self.switch.ip(&format!("link set node{} {state}\n", node + 1));
    }

    /// Which nodes answer which of all clients. Who isn't answered asks once more, as clients do: a busy node
    /// may lose a datagram.
    #[must_use]
    pub fn ask(&self, address: &str) -> Answers {
        let address: IpAddr = address.parse().unwrap();
        let mut answers: Answers =
            clients(address.is_ipv6()).map(|client| (client, Vec::new())).collect();
        for _ in 0..2 {
            let capture = Capture::on(&self.client);
            let asking = answers.iter().filter(|(_, nodes)| nodes.is_empty());
            self.client.inside(|| asking.for_each(|(client, _)| echo(*client, address)));
            self.hear(&capture, address, &mut answers);
        }
        answers
    }

    /// Adds the answers that come. What isn't there after a while doesn't come: that time passes is what is
    /// tested here.
    fn hear(&self, capture: &Capture, address: IpAddr, answers: &mut Answers) {
        let begun = Instant::now();
        let mut quiet = begun;
        while quiet.elapsed() < Duration::from_millis(1500) {
            assert!(begun.elapsed() < PATIENCE, "there is no end of answers");
            for frame in capture.take() {
                let Some((client, mac)) = reply(&frame, address) else { continue };
                let node = self.nodes.iter().position(|node| node.mac == mac);
                answers.get_mut(&client).unwrap().push(node.expect("a node's MAC"));
                quiet = Instant::now();
            }
            pause(Duration::from_millis(5));
        }
    }
}

/// The addresses of the clients.
fn clients(is_ipv6: bool) -> impl Iterator<Item = IpAddr> {
    (1..=CLIENTS).map(move |number| {
        if is_ipv6 {
            // Of an IPv6 client's address the kernel's match looks at the first 32 bits only.
            Ipv6Addr::new(0x2a00 + u16::from(number), 0xdb8, 0, 0, 0, 0, 0, 1).into()
        } else {
            Ipv4Addr::new(10, 9, 1, number).into()
        }
    })
}

/// Sends one echo request (RFC 792, RFC 4443).
fn echo(from: IpAddr, to: IpAddr) {
    let address = |ip: IpAddr| SockaddrStorage::from(SocketAddr::new(ip, 0));
    let (family, protocol, message) = match to {
        // The sum of an IPv6 message is the kernel's to write.
        IpAddr::V4(_) => (AddressFamily::Inet, SockProtocol::Icmp, [8, 0, 0xf7, 0xfd, 0, 1, 0, 1]),
        IpAddr::V6(_) => (AddressFamily::Inet6, SockProtocol::IcmpV6, [128, 0, 0, 0, 0, 1, 0, 1]),
    };
    let socket = socket(family, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol).unwrap();
    bind(socket.as_raw_fd(), &address(from)).unwrap();
    sendto(socket.as_raw_fd(), &message, &address(to), MsgFlags::empty()).unwrap();
}

/// The client that an echo reply from an address is for, and the MAC that it comes from.
fn reply(frame: &Frame, from: IpAddr) -> Option<(IpAddr, [u8; 6])> {
    let packet = SlicedPacket::from_ethernet(&frame.bytes).ok()?;
    let (source, destination, kind): (IpAddr, IpAddr, u8) = match (packet.net?, packet.transport?) {
        (NetSlice::Ipv4(ip), TransportSlice::Icmpv4(icmp)) => {
            let header = ip.header();
            let ends = (header.source_addr().into(), header.destination_addr().into());
            (ends.0, ends.1, if icmp.type_u8() == 0 { 0 } else { 1 })
        }
        (NetSlice::Ipv6(ip), TransportSlice::Icmpv6(icmp)) => {
            let header = ip.header();
            let ends = (header.source_addr().into(), header.destination_addr().into());
            (ends.0, ends.1, if icmp.type_u8() == 129 { 0 } else { 1 })
        }
        _ => return None,
    };
    let mac = frame.bytes.get(6..12)?.try_into().ok()?;
    (source == from && kind == 0).then_some((destination, mac))
}

impl Node {
    fn new(host: Namespace, mac: [u8; 6], parameters: &[(&str, &str)]) -> Self {
        let scratch = Scratch::new("shared").unwrap();
        fs::create_dir(scratch.path().join("rsctmp")).unwrap();
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let parameters = parameters.iter().map(owned).collect();
        Self { host, scratch, agent: Agent::Ours.path(AGENT), mac, parameters }
    }

    /// An action of one instance of the clone, not yet called.
    #[must_use]
    pub fn call(&self, action: &str, instance: u32) -> Invocation {
        let (name, interval) = match action {
            "probe" => ("monitor", "0"),
            "monitor" => ("monitor", "10000"),
            other => (other, "0"),
        };
        let call = Invocation::new(self.agent.clone(), name)
            .profile(&PACEMAKER, &format!("vip:{instance}"))
            .env("HA_RSCTMP", self.scratch.path().join("rsctmp"))
            .env("HA_LOGFILE", self.scratch.path().join("log"))
            .env("HA_DEBUGLOG", self.scratch.path().join("log"))
            .parameter("CRM_meta_interval", interval)
            .parameter("CRM_meta_clone", instance.to_string())
            .parameter("CRM_meta_clone_max", "2")
            .parameter("CRM_meta_clone_node_max", "2")
            .parameter("CRM_meta_globally_unique", "true")
            .limit(TIMEOUT);
        self.parameters.iter().fold(call, |call, (name, value)| call.parameter(name, value))
    }

    /// Makes a call on the node.
    #[must_use]
    pub fn make(&self, call: &Invocation) -> Seen {
        let execution = self.host.inside(|| call.run().unwrap());
        Seen::of(call, execution)
    }

    /// Calls an action of an instance, of which the code is known.
    pub fn expect(&self, action: &str, instance: u32, code: i32) -> Seen {
        let seen = self.make(&self.call(action, instance));
        seen.is(code);
        seen
    }

    /// The names of the files in which agents keep what they know.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.scratch.path().join("rsctmp")).unwrap().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    /// The rules of load sharing, as iptables lists them.
    #[must_use]
    pub fn rules(&self) -> Vec<String> {
        let listed = ["iptables", "ip6tables"]
            .map(|program| self.host.run(program, &["-t", "mangle", "-S", "PREROUTING"], ""));
        let lines = listed.iter().flat_map(|list| list.lines());
        lines.filter(|line| line.starts_with("-A")).map(str::to_owned).collect()
    }
}
