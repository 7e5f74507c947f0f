// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How long a start takes. IPv6 has to wait for the kernel's look for duplicates (DAD), which takes between
//! one and two seconds by chance: its end is watched during the very start that is judged.

use crate::place::{NIC, PREFIXES, Place, find_tentative, ip, pause};
use bench::median;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const IPV4: &str = "10.1.210.1";
const IPV6: &str = "fd00:1::210:1";

/// Starts of each agent.
const ROUNDS: usize = 20;
/// Those that wait for DAD, and take seconds.
const SLOW_ROUNDS: usize = 5;

/// An IPv4 start returns in less.
const MOST: Duration = Duration::from_millis(20);
/// An IPv6 start returns so soon after the kernel's own DAD, the time before it included.
const MOST_BESIDE_DAD: Duration = Duration::from_millis(100);

/// Prints all of it, and gives the sentences on what is too slow.
pub(crate) fn measure([ours, shell]: &[PathBuf; 2]) -> Vec<String> {
    let place = Place::new();
    let mut wrong = Vec::new();
    let parameters = [("ip", IPV4.to_owned()), ("nic", NIC.to_owned())];
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (agent, times) in [ours, shell].into_iter().zip(&mut times) {
            times.push(place.time(agent, "start", &parameters));
            place.run(agent, "stop", &parameters);
        }
    }
    println!("one start of an IPv4 address, {ROUNDS} of each in turns:");
    let [of_ours, of_shell] = times.map(|times| summary(&times));
    println!("  ours       {}", of_ours.1);
    println!("  shell      {}", of_shell.1);
    if of_ours.0 >= MOST.as_secs_f64() * 1000.0 {
        wrong.push(format!("an IPv4 start takes {:.1} ms", of_ours.0));
    }
    wrong.extend(measure_ipv6(&place, ours, shell));
    wrong
}

fn measure_ipv6(place: &Place, ours: &Path, shell: &Path) -> Option<String> {
    let parameters = [("ip", IPV6.to_owned()), ("nic", NIC.to_owned())];
    let address = format!("{IPV6}/{}", PREFIXES[1]);
    let (mut kernel, mut of_ours, mut beside, mut of_shell) = (vec![], vec![], vec![], vec![]);
    for _ in 0..SLOW_ROUNDS {
        place.enter();
        let start = Instant::now();
        ip(&["address", "add", &address, "dev", NIC]);
        place.wait("the end of DAD", || find_tentative(IPV6) == Some(false));
        kernel.push(start.elapsed());
        ip(&["address", "delete", &address, "dev", NIC]);

        let (whole, dad) = watch(place, ours, &parameters);
        of_ours.push(whole);
        beside.push(whole.saturating_sub(dad));
        place.run(ours, "stop", &parameters);
    }
    for _ in 0..SLOW_ROUNDS / 2 {
        of_shell.push(place.time(shell, "start", &parameters));
        place.run(shell, "stop", &parameters);
    }
    println!("one start of an IPv6 address, {SLOW_ROUNDS} of ours and of the kernel in turns:");
    println!("  kernel     {} from `ip address add` to the end of DAD", summary(&kernel).1);
    println!("  ours       {}", summary(&of_ours).1);
    println!("  of these   {} beside the kernel's DAD of the same address", summary(&beside).1);
    println!("  shell      {}", summary(&of_shell).1);
    let beside = summary(&beside).0;
    (beside > MOST_BESIDE_DAD.as_secs_f64() * 1000.0)
        .then(|| format!("an IPv6 start takes {beside:.1} ms more than DAD"))
}

/// A start of ours, and how long the address was tentative meanwhile.
fn watch(place: &Place, agent: &Path, parameters: &[(&str, String)]) -> (Duration, Duration) {
    let start = Instant::now();
    let mut child = place.spawn(agent, "start", parameters);
    let (mut begin, mut end) = (None, None);
    let status = loop {
        let now = start.elapsed();
        match find_tentative(IPV6) {
            Some(true) => {
                begin.get_or_insert(now);
            }
            Some(false) if begin.is_some() => {
                end.get_or_insert(now);
            }
            _ => {}
        }
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        pause();
    };
    let whole = start.elapsed();
    assert!(status.success(), "{} start: {status}", agent.display());
    let begin = begin.expect("the address is looked for duplicates of");
    // It ends before the start does; the start may end before the next look.
    let end = end.unwrap_or(whole);
    assert_eq!(find_tentative(IPV6), Some(false), "start doesn't wait for the end of DAD");
    (whole, end - begin)
}

/// The median in milliseconds, and that in words, with the extremes.
fn summary(times: &[Duration]) -> (f64, String) {
    let all: Vec<_> = times.iter().map(|time| time.as_secs_f64() * 1000.0).collect();
    let middle = median(all.clone());
    let (least, most) =
        all.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), t| (a.min(*t), b.max(*t)));
    (middle, format!("{middle:>7.1} ms ({least:.1} to {most:.1})"))
}
