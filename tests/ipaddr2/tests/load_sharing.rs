// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Two nodes share one address: two hundred clients on the same wire are answered once each, whoever of
//! the nodes is up.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use ipaddr2_tests::segment::{Answers, SHARED, SHARED6, Segment};
use ipaddr2_tests::{Capture, Snapshot};

const IPV4: [(&str, &str); 2] = [("ip", SHARED), ("clusterip_mac_mangle", "true")];

/// Everybody is answered once; how many by each node.
fn shares(answers: &Answers) -> [usize; 2] {
    let wrong: Vec<_> = answers.iter().filter(|(_, nodes)| nodes.len() != 1).collect();
    assert!(wrong.is_empty(), "not answered once: {wrong:?}");
    [0, 1].map(|node| answers.values().filter(|nodes| nodes[0] == node).count())
}

/// The clients that nobody answers; none is answered twice.
fn unanswered(answers: &Answers) -> usize {
    assert!(answers.values().all(|nodes| nodes.len() < 2), "{answers:?}");
    answers.values().filter(|nodes| nodes.is_empty()).count()
}

fn every_client_is_answered_once(segment: &Segment, address: &str) {
    let [one, two] = &segment.nodes;
    let before = [one, two].map(|node| Snapshot::full(&node.host));
    one.expect("start", 0, 0);
    assert!(unanswered(&segment.ask(address)) > 0, "half of the clients are the other node's");
    two.expect("start", 1, 0);
    let answers = segment.ask(address);
    let [first, second] = shares(&answers);
    assert!(first > 50 && second > 50, "{first} and {second}");
    for (node, served) in [(one, 0), (two, 1)] {
        node.expect("monitor", served, 0);
        node.expect("probe", 1 - served, 7);
    }

    // The second node is lost, and its instance recovered on the first.
    segment.plug(1, false);
    assert_eq!(unanswered(&segment.ask(address)), second);
    one.expect("start", 1, 0);
    let all = segment.ask(address);
    assert_eq!(shares(&all), [first + second, 0]);
    one.expect("monitor", 0, 0);
    one.expect("monitor", 1, 0);

    // It comes back, stopped, and takes its instance again.
    two.expect("stop", 1, 0);
    segment.plug(1, true);
    one.expect("stop", 1, 0);
    two.expect("start", 1, 0);
    assert_eq!(segment.ask(address), answers, "the same clients as before");

    for (node, instance) in [(one, 0), (two, 1)] {
        node.expect("stop", instance, 0);
        node.expect("probe", instance, 7);
    }
    assert_eq!(unanswered(&segment.ask(address)), 200);
    for (node, before) in [one, two].into_iter().zip(before) {
        let changes = before.changes(&Snapshot::full(&node.host));
        assert!(changes.is_empty() && node.files().is_empty(), "{changes:?} {:?}", node.files());
    }
}

#[test]
fn every_client_of_a_shared_ipv4_address_is_answered_once() {
    let segment = Segment::new(&IPV4);
    every_client_is_answered_once(&segment, SHARED);
}

/// Nothing rewrites neighbour advertisements: the clients know the shared hardware address.
#[test]
fn every_client_of_a_shared_ipv6_address_is_answered_once() {
    let mac = "33:33:00:09:01:00";
    let segment = Segment::new(&[("ip", SHARED6), ("mac", mac), ("nodad", "true")]);
    segment.client.ip(&format!("neighbour replace {SHARED6} lladdr {mac} dev v0 nud permanent\n"));
    every_client_is_answered_once(&segment, SHARED6);
}

/// The other node has the shell agent of 2026: what that puts there, seen in its rules, fits to ours.
#[test]
fn half_of_the_cluster_may_be_the_shell_agent() {
    let segment = Segment::new(&IPV4);
    let [one, two] = &segment.nodes;
    one.expect("start", 0, 0);
    // `md5sum` of "10.9.0.100 16 10.9.255.255" is 64b24c954c25e197…
    for (program, rule) in [
        ("iptables", "-t mangle -I PREROUTING -d 10.9.0.100 -i v0 -j DROP"),
        (
            "iptables",
            "-t mangle -I PREROUTING -d 10.9.0.100 -i v0 -m cluster --cluster-hash-seed 0x64b24c95 \
             --cluster-total-nodes 2 --cluster-local-node 2 -j ACCEPT",
        ),
        ("arptables", "-I OUTPUT -s 10.9.0.100 -j mangle --mangle-mac-s 61:b2:4c:95:4c:25"),
    ] {
        let words: Vec<_> = rule.split_whitespace().collect();
        two.host.run(program, &words, "");
    }
    // Behind `maddress` ip(8) reads no more commands.
    two.host.ip("address add 10.9.0.100/16 brd + dev v0\nmaddress add 61:b2:4c:95:4c:25 dev v0\n");
    let [first, second] = shares(&segment.ask(SHARED));
    assert!(first > 50 && second > 50, "{first} and {second}");

    // Now it gets ours, without a restart.
    two.expect("monitor", 1, 0);
    two.expect("monitor", 0, 7);
    two.expect("start", 1, 0);
    assert_eq!(two.rules().len(), 2);
    two.expect("stop", 1, 0);
    assert_eq!(two.rules(), Vec::<String>::new());
}

/// Who hears of the address hears of the hardware address that all nodes take frames to, from a frame that a
/// switch passes on: none may come from a group's address.
#[test]
fn a_shared_address_is_announced_with_the_shared_hardware_address() {
    let segment = Segment::new(&[("ip", SHARED)]);
    let shared = [0x61, 0xb2, 0x4c, 0x95, 0x4c, 0x25];
    let capture = Capture::on(&segment.client);
    segment.nodes[0].expect("start", 0, 0);
    let frames = capture.wait(4, |frame| frame.is_about(SHARED.parse().unwrap()));
    for arp in frames.iter().map(|frame| frame.arp().unwrap()) {
        assert_eq!((arp.sender_mac.as_slice(), arp.source), (&shared[..], [2, 0, 0, 0, 0, 1]));
    }
    segment.nodes[0].expect("stop", 0, 0);
}
