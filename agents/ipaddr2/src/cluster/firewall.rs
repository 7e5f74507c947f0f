// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The rules of shared addresses in the kernel, by way of iptables, ip6tables and arptables: they know
//! which of the kernel's two packet filters this host uses.

use super::Mac;
use super::rule::{Rule, parse_rewrite, parse_rules};
use ocf::command::{Command, End, Failure, Output};
use ocf::{Context, Error};
use std::net::IpAddr;
use std::time::Duration;

/// All that there are (iptables(8)).
const TABLES: [&str; 5] = ["filter", "nat", "mangle", "raw", "security"];

/// How iptables says that somebody else is changing the rules.
const BUSY: End = End::Exit(4);

/// Why nothing is known of the rules, or done about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The program isn't there.
    NoProgram(String),
    /// The chain isn't there, so no rule can be in it.
    NoChain(String),
    /// The program refused; its own words are in the sentence.
    Refused(String),
    /// The program couldn't be run to its end.
    Failed(Error),
}

impl Trouble {
    /// Whether a stop goes on all the same: without the program always, and where it doesn't work if no start
    /// of this boot asked for a rule.
    pub(crate) const fn is_no_reason_to_fail(&self, was_started: bool) -> bool {
        matches!((self, was_started), (Self::NoProgram(_), _) | (Self::Refused(_), false))
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Missing(_) => Self::NoProgram(failure.to_string()),
            _ => Self::Failed(failure.into()),
        }
    }
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::NoProgram(sentence) | Trouble::NoChain(sentence) => Self::installed(sentence),
            Trouble::Refused(sentence) if !nix::unistd::geteuid().is_root() => {
                Self::permission(sentence)
            }
            Trouble::Refused(sentence) => Self::generic(sentence),
            Trouble::Failed(error) => error,
        }
    }
}

/// One chain, as far as one address is concerned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chain<'a> {
    pub(crate) context: &'a Context,
    pub(crate) ip: IpAddr,
    pub(crate) table: &'a str,
    pub(crate) chain: &'a str,
}

impl Chain<'_> {
    /// The address's rules, in their order.
    pub(crate) fn rules(self) -> Result<Vec<Rule>, Trouble> {
        let output = self.run(&["-S", self.chain])?;
        if !output.is_success() {
            return Err(self.why_no_list(&output));
        }
        if output.truncated {
            let sentence = format!("{} has too many rules to read", self.name());
            return Err(Trouble::Refused(sentence));
        }
        Ok(parse_rules(&String::from_utf8_lossy(&output.stdout), self.ip))
    }

    /// Puts a rule in front of all others.
    pub(crate) fn insert(self, rule: &Rule) -> Result<(), Trouble> {
        self.change("-I", rule)
    }

    /// Takes away one of several equal rules.
    pub(crate) fn delete(self, rule: &Rule) -> Result<(), Trouble> {
        self.change("-D", rule)
    }

    fn change(self, how: &str, rule: &Rule) -> Result<(), Trouble> {
        let rule = rule.arguments(self.ip);
        let mut arguments = vec![how, self.chain];
        arguments.extend(rule.iter().map(String::as_str));
        let output = self.run(&arguments)?;
        if output.is_success() { Ok(()) } else { Err(self.refused(&output)) }
    }

    /// A chain that isn't there is told from other failures by the list of all chains: what iptables says
    /// of it changes with its versions.
    fn why_no_list(self, output: &Output) -> Trouble {
        if TABLES.contains(&self.table) {
            let chains = match self.run(&["-S"]) {
                Ok(chains) if chains.is_success() => chains,
                _ => return self.refused(output),
            };
            let list = String::from_utf8_lossy(&chains.stdout);
            let mut lines = list.lines().map(str::split_ascii_whitespace);
            let is_there = lines.any(|mut words| {
                matches!(words.next(), Some("-P" | "-N")) && words.next() == Some(self.chain)
            });
            if is_there {
                return self.refused(output);
            }
        }
        Trouble::NoChain(format!(
            "there is no {}: see clusterip_table and clusterip_chain",
            self.name()
        ))
    }

    fn refused(self, output: &Output) -> Trouble {
        Trouble::Refused(format!("{} refuses: {}", self.program(), complaint(output)))
    }

    fn run(self, arguments: &[&str]) -> Result<Output, Trouble> {
        let head = ["-w", "-t", self.table];
        run(self.context, self.program(), &[&head, arguments].concat())
    }

    pub(crate) const fn program(self) -> &'static str {
        if self.ip.is_ipv4() { "iptables" } else { "ip6tables" }
    }

    pub(crate) fn name(self) -> String {
        format!("chain {} in table {} of {}", self.chain, self.table, self.program())
    }
}

/// The hardware addresses that the sender of ARP packets from an address is rewritten to.
pub(crate) fn rewrites(context: &Context, ip: IpAddr) -> Result<Vec<Mac>, Trouble> {
    // -S would be plainer, but the older arptables doesn't know it.
    let output = run(context, ARPTABLES, &["-n", "-L", "OUTPUT"])?;
    if !output.is_success() {
        return Err(arp_refused(&output));
    }
    let list = String::from_utf8_lossy(&output.stdout);
    Ok(list.lines().filter_map(|line| parse_rewrite(line, ip)).collect())
}

/// Has the sender of ARP packets from an address rewritten.
pub(crate) fn add_rewrite(context: &Context, ip: IpAddr, mac: &Mac) -> Result<(), Trouble> {
    change_rewrite(context, "-I", ip, mac)
}

/// Ends that.
pub(crate) fn delete_rewrite(context: &Context, ip: IpAddr, mac: &Mac) -> Result<(), Trouble> {
    change_rewrite(context, "-D", ip, mac)
}

const ARPTABLES: &str = "arptables";

fn change_rewrite(context: &Context, how: &str, ip: IpAddr, mac: &Mac) -> Result<(), Trouble> {
    let (ip, mac) = (ip.to_string(), crate::kernel::Mac(mac).to_string());
    let arguments = [how, "OUTPUT", "-s", &ip, "-j", "mangle", "--mangle-mac-s", &mac];
    let output = run(context, ARPTABLES, &arguments)?;
    if output.is_success() { Ok(()) } else { Err(arp_refused(&output)) }
}

fn arp_refused(output: &Output) -> Trouble {
    Trouble::Refused(format!("{ARPTABLES} refuses: {}", complaint(output)))
}

/// Runs one of them; again where somebody else was changing the rules just then.
fn run(context: &Context, program: &str, arguments: &[&str]) -> Result<Output, Trouble> {
    const TRIES: u32 = 5;
    let mut tries = 1;
    loop {
        let command = Command::new(context, program).args(arguments.iter().copied());
        let output = command.run(&context.deadline)?;
        let is_busy = output.end == BUSY && nix::unistd::geteuid().is_root();
        if !is_busy || tries == TRIES || !context.sleep(Duration::from_millis(20)) {
            return Ok(output);
        }
        tries += 1;
    }
}

/// What the program says first: what follows is how to get help.
fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines =
        text.lines().map(|line| line.split_once("): ").map_or(line, |(_, rest)| rest).trim());
    let mut lines = lines.filter(|line| !line.is_empty());
    lines.next().unwrap_or("it doesn't say why").to_owned()
}
