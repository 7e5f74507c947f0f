// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `bench_ipaddr2 FLOOR`: the CPU of one monitor of an address, for a static C program that asks the kernel
//! the one question, for our agent and for the shell agent, in turns in one run: with one address on the
//! interface, with ten thousand, with a hundred thousand routes. And how long a start takes. CPU is told in
//! ratios of the same turn: the machine's speed drifts. A measurement that fails where a target is missed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a measurement of the tests'"
)]

mod place;
mod starts;

use bench::{Subject, median, ratio};
use place::{ADDRESSES, NIC, PREFIXES, Place, ROUTES};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Turns, and monitors of one kind in a turn; the shell agent is so slow that one is enough.
const TURNS: usize = 40;
const MONITORS: i64 = 20;
const OF_SHELL: i64 = 1;

/// At most so many times the floor, and at least so much less than the shell agent.
const TIMES_FLOOR: f64 = 1.4;
const TIMES_LESS: f64 = 30.0;
/// What a positive answer may cost more where there is much: microseconds.
const MOST_MORE: f64 = 150.0;

const ADDRESS: [&str; 2] = ["10.1.200.200", "fd00:1::200:200"];
const ABSENT: [&str; 2] = ["10.1.200.201", "fd00:1::200:201"];
/// One of the many, which no agent started: with another prefix it is somebody else's.
const AMONG: &str = "10.1.40.1";

/// One question in one place, and what it cost whom.
struct Case<'a> {
    title: String,
    place: &'a Place,
    code: i32,
    subjects: [Subject; 3],
    /// The number of the case of the same question with one address.
    base: usize,
}

fn main() {
    let floor =
        std::env::args().nth(1).expect("usage: bench_ipaddr2 FLOOR (the Makefile knows it)");
    let agents = place::agents();
    // First: while the kernel looks after ten thousand addresses of another namespace, all others wait.
    let mut wrong = starts::measure(&agents);
    let [one, many, routes] =
        [Place::new(), Place::new().with_addresses(), Place::new().with_routes()];
    for place in [&one, &many, &routes] {
        for (address, prefix) in ADDRESS.into_iter().zip(PREFIXES) {
            place.run(&agents[0], "start", &parameters(address, Some(prefix)));
        }
        place.wait("the end of the announcements", || !place::is_announcing(&agents[0]));
    }
    // The same address as an operator's resource has it that names no interface.
    for place in [&one, &routes] {
        place.run(&agents[0], "start", &parameters(ADDRESS[0], None));
        place.wait("the end of the announcements", || !place::is_announcing(&agents[0]));
    }
    let case = |what: String, place, code, base, address, prefix, is_nic_given: bool| {
        let given = is_nic_given.then_some(prefix);
        let subjects = subjects(place, &floor, &agents, address, prefix, given);
        Case { title: what, place, code, subjects, base }
    };
    let [v4, v6] = ADDRESS;
    let (among, routed) = (format!("among {ADDRESSES}"), format!("IPv4, {ROUTES} routes"));
    let mut cases = vec![
        case("IPv4, one address".into(), &one, 0, 0, v4, 16, true),
        case("IPv6, one address".into(), &one, 0, 1, v6, 64, true),
        case("IPv4, one address, no nic given".into(), &one, 0, 2, v4, 16, false),
        case(format!("IPv4, the last {among}"), &many, 0, 0, v4, 16, true),
        case(format!("IPv6, the last {among}"), &many, 0, 1, v6, 64, true),
        case(routed.clone(), &routes, 0, 0, v4, 16, true),
        case(format!("{routed}, no nic given"), &routes, 0, 2, v4, 16, false),
        case(format!("IPv4, absent {among}"), &many, 7, 0, ABSENT[0], 16, true),
        case(format!("IPv4, another prefix {among}"), &many, 7, 0, AMONG, 24, true),
        case(format!("IPv6, absent {among}"), &many, 7, 1, ABSENT[1], 64, true),
    ];
    println!("one monitor of an address, CPU, medians of {TURNS} turns:");
    measure(&mut cases);
    wrong.extend(report(&cases));
    let size = std::fs::metadata(&agents[0]).unwrap().len() / 1024;
    println!("size of ours: {size} KiB");
    assert!(wrong.is_empty(), "{}", wrong.join("; "));
}

fn parameters(address: &str, given: Option<u8>) -> Vec<(&'static str, String)> {
    let mut all = vec![("ip", address.to_owned())];
    if let Some(prefix) = given {
        all.extend([("nic", NIC.to_owned()), ("cidr_netmask", prefix.to_string())]);
    }
    all
}

fn subjects(
    place: &Place,
    floor: &str,
    agents: &[PathBuf; 2],
    address: &str,
    prefix: u8,
    given: Option<u8>,
) -> [Subject; 3] {
    // All get the same environment, which the kernel copies for each.
    let command = |program: &Path| {
        let call = place.call(program, "monitor", &parameters(address, given));
        let call = call.parameter("CRM_meta_interval", "10000");
        let mut command = Command::new(program);
        command.env_clear().envs(call.full_environment()).current_dir("/");
        command
    };
    let monitor = |agent: &Path| {
        let mut command = command(agent);
        command.arg("monitor");
        command
    };
    let mut c = command(Path::new(floor));
    c.args([NIC, address, &prefix.to_string()]);
    [
        Subject::new("floor (C)", c, MONITORS),
        Subject::new("ours", monitor(&agents[0]), MONITORS),
        Subject::new("shell", monitor(&agents[1]), OF_SHELL),
    ]
}

fn measure(cases: &mut [Case<'_>]) {
    // The first turn warms the page cache and is not counted.
    for turn in 0..=TURNS {
        for case in &mut *cases {
            case.place.enter();
            for subject in &mut case.subjects {
                let cost = subject.turn(case.code);
                if turn > 0 {
                    subject.costs.push(cost);
                }
            }
        }
    }
}

/// Prints every figure, and gives the sentences on missed targets.
fn report(cases: &[Case<'_>]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        println!("{}: {}", case.title, if case.code == 0 { "running" } else { "not running" });
        let [floor, ours, shell] = &case.subjects;
        for subject in &case.subjects {
            let (micros, times) = (median(subject.costs.clone()), ratio(subject, floor));
            println!("  {:<10} {micros:>7.0} us   {times:>6.2} x the floor", subject.name);
        }
        let (to_floor, to_shell) = (ratio(ours, floor), ratio(shell, ours));
        let more = difference(ours, &cases[case.base].subjects[1]);
        println!(
            "  the shell agent costs {to_shell:.1} x ours; to one address ours has {more:+.0} us"
        );
        let (title, is_base) = (&case.title, case.base == number);
        if is_base && to_floor > TIMES_FLOOR {
            wrong.push(format!("{title}: more than {TIMES_FLOOR} x the floor"));
        }
        if is_base && to_shell < TIMES_LESS {
            wrong.push(format!("{title}: the shell agent costs less than {TIMES_LESS} x ours"));
        }
        if case.code == 0 && more > MOST_MORE {
            wrong.push(format!("{title}: {more:.0} us more than with one address"));
        }
    }
    wrong
}

fn difference(a: &Subject, b: &Subject) -> f64 {
    median(a.costs.iter().zip(&b.costs).map(|(a, b)| a - b).collect())
}
