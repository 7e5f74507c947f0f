// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Two hosts and a client that asks the address all the time while it moves from one to the other.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use ipaddr2_tests::world::VIP;
use ipaddr2_tests::{AGENT, Agent, Namespace, pause, wait_for};
use ocf_tester::agent::Invocation;
use ocf_tester::profile::PACEMAKER;
use ocf_tester::scratch::Scratch;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const PORT: u16 = 7;

/// A client behind a bridge, which has a port for each of two hosts.
struct Hosts {
    client: Namespace,
    hosts: [Namespace; 2],
}

impl Hosts {
    fn new() -> Self {
        let (client, hosts) = (Namespace::new(), [Namespace::new(), Namespace::new()]);
        client.ip("link set lo up\nlink add br0 type bridge\nlink set br0 up\n                   address add 192.168.144.254/24 dev br0");
        for (number, host) in hosts.iter().enumerate() {
            host.set("ipv4/ip_nonlocal_bind", "1");
            let path = host.path().display().to_string();
            client.ip(&format!(
                "link add b{number} type veth peer name v0 netns {path}\n                 link set b{number} master br0 up"
            ));
            let last = number + 10;
            host.ip(&format!(
                "link set lo up\nlink set v0 up\n                 address add 192.168.144.{last}/24 brd + dev v0"
            ));
        }
        Self { client, hosts }
    }
}

fn call(agent: Agent, action: &str, records: &Scratch) -> Invocation {
    Invocation::new(agent.path(AGENT), action)
        .profile(&PACEMAKER, "vip")
        .env("HA_RSCTMP", records.path())
        .env("HA_LOGFILE", "/dev/null")
        .parameter("ip", VIP)
}

/// Ends the polling and the answering, also where the test fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Answers what comes, as long as it is wanted.
fn echo(host: &Namespace, is_over: &AtomicBool) {
    host.inside(|| {
        // Also while the address is the other one's.
        let socket = UdpSocket::bind((VIP, PORT)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let mut buffer = [0; 64];
        while !is_over.load(Ordering::Relaxed) {
            if let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let _ = socket.send_to(&buffer[..length], from);
            }
        }
    });
}

/// When answers came.
fn poll(
    client: &Namespace,
    is_over: &AtomicBool,
    count: &std::sync::atomic::AtomicUsize,
) -> Vec<Instant> {
    client.inside(|| {
        let socket = UdpSocket::bind(("0.0.0.0", 0)).unwrap();
        socket.connect((VIP, PORT)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
        let mut answers = Vec::new();
        let mut buffer = [0; 64];
        while !is_over.load(Ordering::Relaxed) {
            let begun = Instant::now();
            let _ = socket.send(b"there?");
            if socket.recv(&mut buffer).is_ok() {
                answers.push(Instant::now());
                count.fetch_add(1, Ordering::Relaxed);
            }
            pause(Duration::from_millis(5).saturating_sub(begun.elapsed()));
        }
        answers
    })
}

/// How long the client had no answer while the address moved.
fn gap(agent: Agent) -> Duration {
    let world = Hosts::new();
    let records = [Scratch::new("a").unwrap(), Scratch::new("b").unwrap()];
    let act = |host: usize, action: &str| {
        let call = call(agent, action, &records[host]);
        let done = world.hosts[host].inside(|| call.run().unwrap());
        assert_eq!(done.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let is_over = AtomicBool::new(false);
    let count = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let end = End(&is_over);
        for host in &world.hosts {
            scope.spawn(|| echo(host, &is_over));
        }
        act(0, "start");
        let answers = scope.spawn(|| poll(&world.client, &is_over, &count));
        let more = |than: usize| {
            wait_for("answers", || (count.load(Ordering::Relaxed) > than).then_some(()));
        };
        more(20);
        act(0, "stop");
        act(1, "start");
        // The one that had it answers no more; twenty answers are the other's.
        more(count.load(Ordering::Relaxed) + 20);
        drop(end);
        let answers = answers.join().unwrap();
        act(1, "stop");
        answers.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap()
    })
}

#[test]
fn a_client_finds_the_address_on_the_other_host() {
    for agent in [Agent::Ours, Agent::Shell] {
        let mut gaps: Vec<Duration> = (0..5).map(|_| gap(agent)).collect();
        gaps.sort();
        println!("{agent:?}: without an answer for {gaps:.0?} (median {:.0?})", gaps[2]);
    }
}
