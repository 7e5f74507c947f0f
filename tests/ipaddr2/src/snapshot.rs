// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a host's kernel has been told, and how two such states differ, in words that are the same in
//! every run.

use crate::Namespace;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// One line for each interface that is up, address, address label, multicast address and, if wanted,
/// route and rule of the packet filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(BTreeSet<String>);

/// What is asked of ip(8).
const QUESTIONS: &str = "link show\naddress show\naddrlabel list\nmaddress show\n";

/// The multicast hardware addresses that come with IPv4 and IPv6 addresses.
const OWN: [&str; 3] = ["01:00:5e", "33:33:00:00:00", "33:33:ff"];

impl Snapshot {
    /// Interfaces, addresses, address labels and multicast hardware addresses.
    #[must_use]
    pub fn of(host: &Namespace) -> Self {
        Self::read(&host.run("ip", &["-o", "-batch", "-"], QUESTIONS))
    }

    /// With routes and rules of the packet filters.
    #[must_use]
    pub fn full(host: &Namespace) -> Self {
        let mut all = Self::of(host).0;
        for family in ["-4", "-6"] {
            let said = host.run("ip", &["-o", family, "route", "show", "table", "all"], "");
            // What the kernel does of itself, some time after an interface has come up or lost its link.
            let told = said.lines().filter(|line| !line.contains("ff00::/8"));
            all.extend(told.map(|line| format!("route {}", words(line).replace(" linkdown", ""))));
        }
        for program in ["iptables-save", "ip6tables-save", "arptables-save"] {
            let said = host.run(program, &[], "");
            // Comments hold the time; a chain without rules is none of anybody's doing.
            let rules = said.lines().filter(|line| line.starts_with("-A"));
            all.extend(rules.map(|line| format!("{program} {line}")));
        }
        Self(all)
    }

    fn read(said: &str) -> Self {
        let mut all = BTreeSet::new();
        for line in said.lines() {
            let text = line.replace('\\', " ");
            let parts: Vec<_> = text.split_whitespace().collect();
            // The kernel joins groups for each address by itself.
            let is_own = |mac: &str| OWN.iter().any(|own| mac.starts_with(own));
            match parts.as_slice() {
                ["prefix", ..] => drop(all.insert(format!("label {}", words(line)))),
                [_, name, kind, group, rest @ ..] if line.contains(":\t") => {
                    if *kind == "link" && !is_own(group) {
                        all.insert([&["multicast", *name, *group], rest].concat().join(" "));
                    }
                }
                [_, name, "inet" | "inet6", rest @ ..] => {
                    all.insert(format!("{name} {}", lifetimes(rest)));
                }
                [_, name, flags, ..] if flags.starts_with('<') => {
                    let name = name.trim_end_matches(':').split('@').next().unwrap_or_default();
                    let is_up = flags.trim_matches(['<', '>']).split(',').any(|flag| flag == "UP");
                    all.insert(format!("link {name} {}", if is_up { "up" } else { "down" }));
                }
                other => panic!("ip said {other:?}"),
            }
        }
        Self(all)
    }

    /// Addresses: `interface address/prefix …`.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        let others =
            ["label ", "multicast ", "link ", "route ", "iptables-", "ip6tables-", "arptables-"];
        let is_other = move |line: &str| others.iter().any(|other| line.starts_with(other));
        self.0.iter().map(String::as_str).filter(move |line| !is_other(line))
    }

    /// Those lines of this address itself: on which interfaces it is, and how.
    #[must_use]
    pub fn of_address(&self, address: IpAddr) -> Vec<String> {
        let is_it = |line: &&str| {
            let word = line.split(' ').nth(1).unwrap_or_default();
            word.split('/').next().and_then(|text| text.parse().ok()) == Some(address)
        };
        self.addresses().filter(is_it).map(str::to_owned).collect()
    }

    /// The changes from this state to a later one, as `adds …` and `removes …`.
    #[must_use]
    pub fn changes(&self, later: &Self) -> Vec<String> {
        let added = later.0.difference(&self.0).map(|line| format!("adds {line}"));
        let removed = self.0.difference(&later.0).map(|line| format!("removes {line}"));
        removed.chain(added).collect()
    }

    /// Every line.
    #[must_use]
    pub fn lines(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }
}

fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An address without what time alone changes: lifetimes have a word where they end, and none where they
/// don't; whether duplicate address detection is still under way isn't said, only that it failed.
fn lifetimes(words: &[&str]) -> String {
    let mut line: Vec<&str> = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if !word.ends_with("_lft") {
            line.push(word);
        } else if let Some(time) = words.next().filter(|time| **time != "forever") {
            line.extend([*word, if *time == "0sec" { "0" } else { "limited" }]);
        }
    }
    if !line.contains(&"dadfailed") {
        line.retain(|word| *word != "tentative");
    }
    line.join(" ")
}
