// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The rules of a shared address, as values: read from what `iptables -S` lists, and written as its
//! arguments. A rule with anything more or less in it isn't one of them.

use std::net::IpAddr;

/// What one rule does with packets to the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Those of the clients in these buckets come through (`cluster` match).
    Buckets(Buckets),
    /// IPv6 neighbour advertisements come through.
    Advertisements,
    /// All others don't.
    Drop,
}

/// A share of the clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Buckets {
    /// Bit n is bucket n+1.
    pub(crate) mask: u32,
    /// How many buckets there are.
    pub(crate) total: u32,
    pub(crate) seed: u32,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    /// The interface that the packets come in by.
    pub(crate) interface: String,
    pub(crate) part: Part,
}

/// The rules for packets to an address in a list of a chain, in its order.
pub(crate) fn parse_rules(list: &str, ip: IpAddr) -> Vec<Rule> {
    list.lines().filter_map(|line| parse_rule(line, ip)).collect()
}

/// What a rule is made of, while it is being read.
#[derive(Debug, Default)]
struct Pieces {
    destination: Option<String>,
    interface: Option<String>,
    target: Option<String>,
    mask: Option<u32>,
    total: Option<u32>,
    seed: Option<u32>,
    is_cluster: bool,
    is_icmpv6: bool,
    is_advertisement: bool,
}

fn parse_rule(line: &str, ip: IpAddr) -> Option<Rule> {
    // No rule of ours has a blank in a word, so none has quotes.
    let mut words = line.split_ascii_whitespace();
    (words.next() == Some("-A")).then_some(())?;
    let _chain = words.next()?;
    let mut pieces = Pieces::default();
    while let Some(option) = words.next() {
        pieces.take(option, words.next()?)?;
    }
    pieces.rule(ip)
}

impl Pieces {
    /// Takes one option; `None` for one that no rule of ours has, or has twice.
    fn take(&mut self, option: &str, value: &str) -> Option<()> {
        let once = |place: &mut Option<String>| place.replace(value.to_owned()).is_none();
        let number = |place: &mut Option<u32>, number: Option<u32>| {
            number.is_some_and(|number| place.replace(number).is_none())
        };
        let is_one = match (option, value) {
            ("-d", _) => once(&mut self.destination),
            // With a plus sign at its end it is a pattern.
            ("-i", name) => !name.ends_with('+') && once(&mut self.interface),
            ("-j", _) => once(&mut self.target),
            ("-m", "cluster") => !std::mem::replace(&mut self.is_cluster, true),
            ("-m", "icmp6") => true,
            ("-p", "ipv6-icmp" | "icmpv6" | "58") => !std::mem::replace(&mut self.is_icmpv6, true),
            ("--icmpv6-type", "136" | "neighbour-advertisement" | "neighbor-advertisement") => {
                !std::mem::replace(&mut self.is_advertisement, true)
            }
            ("--cluster-local-nodemask", text) => number(&mut self.mask, parse_number(text)),
            ("--cluster-local-node", text) => {
                let node = parse_number(text).and_then(|node| node.checked_sub(1));
                number(&mut self.mask, node.and_then(|node| 1_u32.checked_shl(node)))
            }
            ("--cluster-total-nodes", text) => number(&mut self.total, parse_number(text)),
            ("--cluster-hash-seed", text) => number(&mut self.seed, parse_number(text)),
            _ => false,
        };
        is_one.then_some(())
    }

    fn rule(self, ip: IpAddr) -> Option<Rule> {
        let buckets = self.buckets();
        let is_plain = !self.is_cluster && buckets.is_none();
        let part = match self.target.as_deref()? {
            "DROP" if is_plain && !self.is_icmpv6 && !self.is_advertisement => Part::Drop,
            "ACCEPT" if is_plain && self.is_icmpv6 && self.is_advertisement => Part::Advertisements,
            "ACCEPT" if self.is_cluster && !self.is_icmpv6 => Part::Buckets(buckets?),
            _ => return None,
        };
        let destination = self.destination?;
        let (address, length) = match destination.split_once('/') {
            Some((address, length)) => (address, length.parse().ok()?),
            None => (destination.as_str(), whole(ip)),
        };
        let is_here = address.parse() == Ok(ip) && length == whole(ip);
        is_here.then_some(Rule { interface: self.interface?, part })
    }

    fn buckets(&self) -> Option<Buckets> {
        Some(Buckets { mask: self.mask?, total: self.total?, seed: self.seed? })
    }
}

/// The length of a prefix that is one address.
const fn whole(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

fn parse_number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

impl Rule {
    /// Whether it lets an instance's clients through.
    pub(crate) const fn is_of_buckets(&self) -> bool {
        matches!(self.part, Part::Buckets(_))
    }

    /// What it is, as the arguments of iptables behind the chain.
    pub(crate) fn arguments(&self, ip: IpAddr) -> Vec<String> {
        let text = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let mut arguments = text(&["-d", &ip.to_string(), "-i", &self.interface]);
        arguments.extend(match self.part {
            Part::Buckets(Buckets { mask, total, seed }) => {
                // Of masks iptables takes small ones only.
                let (option, value) = match mask.is_power_of_two() {
                    true => ("--cluster-local-node", (mask.trailing_zeros() + 1).to_string()),
                    false => ("--cluster-local-nodemask", format!("{mask:#010x}")),
                };
                let (total, seed) = (total.to_string(), format!("{seed:#010x}"));
                text(&[
                    "-m",
                    "cluster",
                    option,
                    &value,
                    "--cluster-total-nodes",
                    &total,
                    "--cluster-hash-seed",
                    &seed,
                    "-j",
                    "ACCEPT",
                ])
            }
            Part::Advertisements => {
                text(&["-p", "ipv6-icmp", "-m", "icmp6", "--icmpv6-type", "136", "-j", "ACCEPT"])
            }
            Part::Drop => text(&["-j", "DROP"]),
        });
        arguments
    }
}

/// The rewriting of an ARP sender, in a list of arptables: only these options, in any order.
///
/// `None` where the line is another rule.
pub(crate) fn parse_rewrite(line: &str, ip: IpAddr) -> Option<super::Mac> {
    let mut words = line.split_ascii_whitespace();
    let (mut source, mut target, mut mac) = (None, None, None);
    while let Some(option) = words.next() {
        let place = match option {
            "-s" => &mut source,
            "-j" => &mut target,
            "--mangle-mac-s" => &mut mac,
            _ => return None,
        };
        *place = Some(words.next()?);
    }
    let address = source?.strip_suffix("/32").or(source)?;
    let is_ours = address.parse() == Ok(ip) && target? == "mangle";
    is_ours.then(|| hexadecimal(mac?)).flatten()
}

/// A hardware address as arptables writes it: some of its versions leave out leading zeros.
fn hexadecimal(text: &str) -> Option<super::Mac> {
    let mut mac = super::Mac::default();
    let mut parts = text.split(':');
    for byte in &mut mac {
        *byte = u8::from_str_radix(parts.next()?, 16).ok()?;
    }
    parts.next().is_none().then_some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
-P PREROUTING ACCEPT
-A PREROUTING -d 10.9.0.100/32 -i v0 -m cluster --cluster-local-nodemask 0x00000002 --cluster-total-nodes 2 --cluster-hash-seed 0x2374d100 -j ACCEPT
-A PREROUTING -d 10.9.0.10/32 -i v0 -j DROP
-A PREROUTING -d 10.9.0.100/32 -i v0 -j DROP
";

    const BUCKETS: Buckets = Buckets { mask: 2, total: 2, seed: 0x2374_d100 };

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn rule(part: Part) -> Rule {
        Rule { interface: "v0".to_owned(), part }
    }

    #[test]
    fn rules_are_read_in_their_order() {
        let rules = parse_rules(LIST, ip("10.9.0.100"));
        assert_eq!(rules, [rule(Part::Buckets(BUCKETS)), rule(Part::Drop)]);
        assert_eq!(parse_rules(LIST, ip("10.9.0.10")), [rule(Part::Drop)]);
        assert_eq!(parse_rules(LIST, ip("10.9.0.1")), []);
    }

    #[test]
    fn a_rule_is_read_as_it_was_written() {
        for ip in [ip("10.9.0.100"), ip("2001:db8::100")] {
            for part in [Part::Buckets(BUCKETS), Part::Advertisements, Part::Drop] {
                let rule = rule(part);
                let line = format!("-A ANY {}", rule.arguments(ip).join(" "));
                assert_eq!(parse_rule(&line, ip), Some(rule), "{line}");
            }
        }
    }

    #[test]
    fn a_rule_with_anything_else_is_somebody_elses() {
        let cluster = "-m cluster --cluster-local-nodemask 0x2 --cluster-total-nodes 2 --cluster-hash-seed 0x1";
        for rule in [
            "-A PREROUTING ! -d 10.9.0.100/32 -i v0 -j DROP".to_owned(),
            "-A PREROUTING -d 10.9.0.100/31 -i v0 -j DROP".to_owned(),
            "-A PREROUTING -d 10.9.0.100/32 -j DROP".to_owned(),
            "-A PREROUTING -d 10.9.0.100/32 -i v0 -p tcp -j DROP".to_owned(),
            "-A PREROUTING -d 10.9.0.100/32 -i v0 -p ipv6-icmp -j DROP".to_owned(),
            "-A PREROUTING -d 10.9.0.100/32 -i v0 -m comment --comment \"-j DROP\" -j DROP".to_owned(),
            "-A PREROUTING -d 10.9.0.100/32 -i v0 -j ACCEPT".to_owned(),
            "-A PREROUTING -d 10.9.0.100/32 -d 10.9.0.100/32 -i v0 -j DROP".to_owned(),
            "-A PREROUTING -d 10.9.0.100/32 -i v0 -j".to_owned(),
            "-I PREROUTING -d 10.9.0.100/32 -i v0 -j DROP".to_owned(),
            format!("-A PREROUTING -d 10.9.0.100/32 -i v0 {cluster} -j DROP"),
            format!("-A PREROUTING -d 10.9.0.100/32 -i v0 {cluster} -p tcp -j ACCEPT"),
            format!("-A PREROUTING -d 10.9.0.100/32 -i v0 {cluster} --cluster-local-node 33 -j ACCEPT"),
            "-A PREROUTING -d 10.9.0.100/32 -i v0 -m cluster -j ACCEPT".to_owned(),
            "-A PREROUTING -d 10.9.0.100/32 -i v0 -m cluster ! --cluster-local-nodemask 0x2 --cluster-total-nodes 2 --cluster-hash-seed 0x1 -j ACCEPT".to_owned(),
        ] {
            assert_eq!(parse_rule(&rule, ip("10.9.0.100")), None, "{rule}");
        }
    }

    #[test]
    fn a_rewriting_is_read_whatever_the_version_of_arptables() {
        let mac = Some([3, 4, 0, 0xa, 0, 1]);
        let ip = ip("10.9.0.100");
        for line in [
            "-j mangle -s 10.9.0.100 --mangle-mac-s 03:04:00:0a:00:01",
            "-s 10.9.0.100/32 -j mangle --mangle-mac-s 3:4:0:a:0:1",
        ] {
            assert_eq!(parse_rewrite(line, ip), mac, "{line}");
        }
        for line in [
            "Chain OUTPUT (policy ACCEPT)",
            "",
            "-j mangle -s 10.9.0.10 --mangle-mac-s 03:04:00:0a:00:01",
            "-j mangle -s 10.9.0.100 -o v0 --mangle-mac-s 03:04:00:0a:00:01",
            "-j mangle -s 10.9.0.100",
            "-j DROP -s 10.9.0.100",
            "-j mangle -s 10.9.0.100 --mangle-mac-s 03:04:00:0a:00",
        ] {
            assert_eq!(parse_rewrite(line, ip), None, "{line}");
        }
    }
}
