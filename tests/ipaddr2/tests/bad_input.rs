// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Texts that nobody would write, for every parameter: a documented code, one sentence that names the
//! parameter, nothing left behind, and never a stop that fails.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use ipaddr2_tests::world::{VIP, VIP6};
use ipaddr2_tests::{Agent, Seen, Snapshot, World};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

const PARAMETERS: [&str; 27] = [
    "ip",
    "nic",
    "cidr_netmask",
    "netmask",
    "broadcast",
    "proto",
    "iflabel",
    "lvs_support",
    "lvs_ipv6_addrlabel_value",
    "mac",
    "clusterip_hash",
    "clusterip_firewall",
    "clusterip_hash_seed",
    "clusterip_table",
    "clusterip_chain",
    "clusterip_mac_mangle",
    "unique_clone_address",
    "arp_interval",
    "arp_count",
    "arp_count_refresh",
    "arp_bg",
    "arp_sender",
    "send_arp_opts",
    "flush_routes",
    "preferred_lft",
    "network_namespace",
    "check_link_status",
];

const VALUES: [&[u8]; 40] = [
    b"",
    b" ",
    b"0",
    b"-1",
    b"1",
    b"007",
    b"1e3",
    b"0x10",
    b"4294967295",
    b"4294967296",
    b"99999999999999999999999",
    b"abc",
    b"*",
    b"?",
    b"[a-z]*",
    b"..",
    b"../../etc/passwd",
    b"/",
    b"/dev/null",
    b"a b",
    b"a\tb",
    b"a\nb",
    b"ocf-exit-reason:lie",
    b"$(touch /tmp/ipaddr2-tests-owned)",
    b"`id`",
    b"; true",
    b"'",
    b"\"",
    b"%s%n",
    b"\xff\xfe",
    b"\xc3\xa9\xc3\xa9\xc3\xa9",
    b"\xe2\x80\xae",
    b"192.168.144.2",
    b"192.168.144.2 192.168.144.3",
    b"2001:db8:1234::2",
    b"fe80::2%v0",
    b"lo",
    b"v0:",
    b":",
    b"true",
];

/// Numbers that are the same in every run (xorshift64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % end
    }
}

/// The codes that OCF and our policy have for an action whose parameters are wrong.
fn judge(action: &str, seen: &Seen, what: &str) {
    let allowed: &[i32] = match action {
        "start" | "validate-all" => &[0, 1, 2, 5, 6],
        "probe" => &[0, 1, 7],
        "monitor" => &[0, 1, 7],
        _ => &[0],
    };
    let code = seen.code();
    assert!(code.is_some_and(|code| allowed.contains(&code)), "{what}: {action}: {seen}");
    let stderr = String::from_utf8_lossy(&seen.execution.stderr).into_owned();
    let reasons = stderr.matches("ocf-exit-reason:").count();
    let wanted = usize::from(!matches!(code, Some(0 | 7)));
    assert!(reasons >= wanted && reasons <= 1, "{what}: {action}: {reasons} reasons: {seen}");
    assert!(seen.reason.len() <= 128, "{what}: {action}: {seen}");
    assert!(!seen.reason.contains("defect"), "{what}: {action}: {seen}");
    assert!(!stderr.contains("panicked"), "{what}: {action}: {seen}");
    assert!(seen.execution.stdout.is_empty(), "{what}: {action}: {seen}");
}

/// All actions with these parameters; nothing may be left whatever they answer.
fn put(world: &World, before: &Snapshot, parameters: &[(&str, OsString)]) {
    let what = format!("{parameters:?}");
    let call = |action: &str| {
        let call = parameters
            .iter()
            .fold(world.call(action), |call, (name, value)| call.parameter(name, value));
        let seen = world.make(&call);
        judge(action, &seen, &what);
        seen
    };
    for action in ["probe", "monitor"] {
        let code = call(action).code();
        assert!(code != Some(0), "{what}: {action} says that it runs");
    }
    let validated = call("validate-all");
    call("stop");
    let started = call("start");
    if let (Some(6), [(name, _)]) = (started.code(), parameters) {
        let name = if *name == "netmask" { "cidr_netmask" } else { name };
        // A text in one parameter may be what another one can't have, such as a label's length.
        let is_named = started.reason.contains("parameter ") || started.reason.contains(name);
        assert!(is_named, "{what}: {started}");
        assert_eq!(validated.code(), Some(6), "{what}: {validated}");
    }
    let now = Snapshot::of(&world.node);
    if started.code() == Some(0) {
        call("stop");
        let now = Snapshot::of(&world.node);
        assert_eq!(before.changes(&now), [""; 0], "{what}: after a stop");
    } else {
        assert_eq!(before.changes(&now), [""; 0], "{what}: {started}");
    }
    assert_eq!(world.files(), [""; 0], "{what}");
}

fn base(number: usize) -> World {
    let (ip, more) = if number.is_multiple_of(2) { (VIP, "v0") } else { (VIP6, "v1") };
    let world = World::of(Agent::Ours).with("ip", ip).with("nodad", "true").with("nic", more);
    world.with_all(&[("cidr_netmask", if number.is_multiple_of(2) { "24" } else { "64" })])
}

#[test]
fn every_parameter_with_every_odd_text() {
    let work = |number: usize| {
        let world = base(number);
        let before = Snapshot::of(&world.node);
        for name in PARAMETERS {
            let values = VALUES.iter().enumerate();
            for (_, value) in values.filter(|(index, _)| index % 4 == number) {
                put(&world, &before, &[(name, OsString::from_vec(value.to_vec()))]);
            }
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|number| drop(scope.spawn(move || work(number)))));
    assert!(!std::path::Path::new("/tmp/ipaddr2-tests-owned").exists());
    println!("{} parameters, {} texts", PARAMETERS.len(), VALUES.len());
}

#[test]
fn generated_texts_in_several_parameters() {
    const SEED: u64 = 20_261_122;
    const ROUNDS: usize = 75;
    println!("seed {SEED}, {ROUNDS} rounds in each of 4 worlds");
    let alphabet = b"0123456789abcdefx.:/+-*% \t=,_\"'\\\xff\xc3\xa9v";
    let work = |number: usize| {
        let world = base(number);
        let before = Snapshot::of(&world.node);
        let mut dice = Dice(SEED + u64::try_from(number).unwrap());
        for _ in 0..ROUNDS {
            let mut parameters = Vec::new();
            for _ in 0..=dice.below(3) {
                let name = PARAMETERS[dice.below(PARAMETERS.len())];
                let length = dice.below(24);
                let bytes = (0..length).map(|_| alphabet[dice.below(alphabet.len())]).collect();
                parameters.push((name, OsString::from_vec(bytes)));
            }
            put(&world, &before, &parameters);
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|number| drop(scope.spawn(move || work(number)))));
}

/// A text of any length ends as a sentence of 128 bytes.
#[test]
fn texts_without_end() {
    let world = base(0);
    let before = Snapshot::of(&world.node);
    for name in PARAMETERS {
        for length in [16, 100_000] {
            put(&world, &before, &[(name, OsString::from_vec(vec![b'7'; length]))]);
            put(&world, &before, &[(name, OsString::from_vec(vec![b'x'; length]))]);
        }
    }
}

/// An address that runs is stopped whatever became of its tunables.
#[test]
fn a_malformed_tunable_never_fails_a_stop() {
    let tunables = [
        "broadcast",
        "proto",
        "iflabel",
        "mac",
        "clusterip_hash_seed",
        "arp_interval",
        "arp_count",
        "arp_count_refresh",
        "arp_sender",
        "lvs_ipv6_addrlabel_value",
        "preferred_lft",
        "unique_clone_address",
    ];
    for (number, name) in tunables.into_iter().enumerate() {
        let world = base(number);
        let before = Snapshot::of(&world.node);
        world.expect("start", 0);
        let call = world.call("stop").parameter(name, "/no such thing/");
        world.make(&call).is(0);
        assert_eq!(before.changes(&Snapshot::of(&world.node)), [""; 0], "{name}");
    }
}
