// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:heartbeat:IPaddr2`: one virtual address of this node, by netlink.

mod cluster;
mod configuration;
mod dad;
mod interface;
mod kernel;
mod lvs;
mod monitor;
mod namespace;
mod record;
mod reload;
mod shell_agent;
mod site;
mod start;
mod stop;
mod switch;
mod sys;
#[cfg(test)]
mod testing;
mod validate;
mod wanted;
mod wire;

use configuration::{Broadcast, Lifetime, Prefix, Protocol, Sender};
use ocf::{About, Action, Agent, Context, Error, Result, State, tracing};
use site::Site;
use std::cell::Cell;
use std::net::IpAddr;
use stop::Due;
use wanted::Wanted;

ocf::parameters! {
    /// One virtual address.
    #[derive(Debug)]
    pub struct Parameters {
        /// Address
        ///
        /// The IPv4 or IPv6 address that this node takes.
        ip: Option<IpAddr> => required().unique_group("address"),
        /// Network interface
        ///
        /// The interface that gets the address, by its name or one of its alternative names. Unset, it is
        /// the one that the kernel would reach the address by.
        nic: Option<String>,
        /// Length of the network prefix
        ///
        /// How many leading bits of the address name its network, such as 24. Unset, they are as many as
        /// in the route by which the interface is found.
        cidr_netmask: Option<Prefix> => alias("netmask"),
        /// Broadcast address
        ///
        /// The IPv4 broadcast address: an address, + for the last address of the network or - for its first.
        /// Unset, it is that of the network's address that the interface has already.
        broadcast: Option<Broadcast>,
        /// Protocol of the routes that are looked at
        ///
        /// Only routes of this routing protocol (kernel, static, ra, a number...) say which interface the
        /// address belongs to. Unset, all do.
        proto: Option<Protocol>,
        /// Label of the address
        ///
        /// What the IPv4 address is labelled with behind the interface's name: NAME:LABEL, 15 characters
        /// at most.
        iflabel: Option<String>,
        /// Whether the address may wait on the loopback interface
        ///
        /// For real servers of a Linux Virtual Server that are its directors too: start takes the IPv4
        /// address from lo, and stop puts it back there.
        lvs_support: bool => default("false"),
        /// Whether the IPv6 address is kept from being a source
        ///
        /// Whether the IPv6 address gets an address label of its own (RFC 6724), so that this node doesn't
        /// choose it as the source of connections.
        lvs_ipv6_addrlabel: bool => default("false").reloadable(),
        /// Number of the address label
        ///
        /// The label that lvs_ipv6_addrlabel gives.
        lvs_ipv6_addrlabel_value: u32 => default("99").reloadable(),
        /// Shared hardware address
        ///
        /// The multicast hardware address that all clones of a load-sharing address answer with. Unset, it is
        /// made from the address.
        mac: Option<String>,
        /// How load sharing was to tell connections apart
        ///
        /// Accepted for compatibility: the target of the kernel that took it is gone. Connections are told
        /// apart by their source address.
        clusterip_hash: String => default("sourceip-sourceport"),
        /// Firewall program for load sharing
        ///
        /// Which program puts the rules of load sharing in place: auto and iptables are the same one.
        clusterip_firewall: String => default("auto"),
        /// Seed of load sharing
        ///
        /// A number, decimal or 0x and hexadecimal digits, that decides which clone serves which source; the
        /// same on all nodes. Unset, it is made from the address.
        clusterip_hash_seed: Option<String>,
        /// Table of the rules of load sharing
        ///
        /// The table of iptables that the rules go to.
        clusterip_table: String => default("mangle"),
        /// Chain of the rules of load sharing
        ///
        /// The chain of iptables that the rules go to.
        clusterip_chain: String => default("PREROUTING"),
        /// Whether ARP answers name the shared hardware address
        ///
        /// Whether the sender in this node's ARP answers for a load-sharing IPv4 address is rewritten to the
        /// shared hardware address.
        clusterip_mac_mangle: bool => default("false"),
        /// Whether each clone has an address of its own
        ///
        /// Whether the number of the clone is added to the last part of the IPv4 address. The clone has to be
        /// globally unique.
        unique_clone_address: bool => default("false"),
        /// Time between announcements
        ///
        /// Milliseconds between two packets that tell the network of the address. With IPv6 they are never less
        /// than the interface's retransmission timer (RFC 4861), which is a second.
        arp_interval: u32 => default("200").reloadable(),
        /// Number of announcements
        ///
        /// How often start tells the network of the address; and once more as often, three seconds later. With
        /// IPv6 it is three times at most (RFC 4861).
        arp_count: u32 => default("5").reloadable(),
        /// Number of announcements by a monitor
        ///
        /// How often every successful monitor tells the network of the address. 0 means never.
        arp_count_refresh: u32 => default("0").reloadable(),
        /// Whether announcing goes on in the background
        ///
        /// Whether start ends while announcements are still being sent. Unset, it does.
        arp_bg: Option<bool> => reloadable(),
        /// Form of the announcements
        ///
        /// Which program's packets are sent: send_arp (requests and replies), iputils_arping, libnet_arping
        /// or ipoibarping (requests). No such program is run.
        arp_sender: Option<Sender> => reloadable(),
        /// Options for the announcements
        ///
        /// Options of the program that arp_sender names: of iputils_arping and ipoibarping, -U and -A choose
        /// between requests and replies. Others mean nothing here.
        send_arp_opts: String => default("").reloadable(),
        /// Whether stop flushes the cache of routes
        ///
        /// Whether stop asks the kernel to forget the routes that it remembers.
        flush_routes: bool => default("false").reloadable(),
        /// Whether start looks for another owner
        ///
        /// Whether start asks the network, before it adds an IPv4 address, whether somebody has it, and fails
        /// if so (RFC 5227). That takes two seconds.
        run_arping: bool => default("false").reloadable(),
        /// Whether IPv6 skips the look for another owner
        ///
        /// Whether the kernel adds the IPv6 address without duplicate address detection.
        nodad: bool => default("false"),
        /// Whether the address comes without a route
        ///
        /// Whether the kernel adds no route to the address's network.
        noprefixroute: bool => default("false"),
        /// How long the IPv6 address is preferred
        ///
        /// Seconds for which new connections may have the IPv6 address as their source, or forever. With 0
        /// they never do.
        preferred_lft: Lifetime => default("forever").reloadable(),
        /// Network namespace
        ///
        /// The network namespace, named below /run/netns, in which the address is.
        network_namespace: Option<String>,
        /// Whether a link that is down counts as a failure
        ///
        /// Whether start and monitor fail when the interface has no link.
        check_link_status: bool => default("false").reloadable(),
    }
}

/// One virtual address.
#[derive(Debug)]
pub struct IpAddr2 {
    parameters: Parameters,
    /// What is asked for, or why that is no address.
    wanted: Result<Wanted>,
    /// Why the parameters can't work together.
    contradiction: Option<Error>,
    /// What this stop has to take away.
    due: Cell<Due>,
}

impl IpAddr2 {
    fn start(&self, context: &Context) -> Result<()> {
        let wanted = self.wanted.as_ref().map_err(Clone::clone)?;
        let parameters = &self.parameters;
        let enter = || Site::enter(context, parameters, wanted)?.ok_or_else(|| self.no_namespace());
        let mut site = enter()?;
        if let Some(left) = Site::enter_left(Some(&site), context, parameters, wanted)? {
            tracing::warn!("{}: removing it there", self.still_elsewhere(wanted));
            stop::stop(&left)?;
            site = enter()?;
        }
        start::start(site)
    }

    fn reload_agent(&self, context: &Context) -> Result<()> {
        let wanted = self.wanted.as_ref().map_err(Clone::clone)?;
        let site = Site::enter(context, &self.parameters, wanted)?;
        reload::reload(&site.ok_or_else(|| self.no_namespace())?)
    }

    /// What is asked for, where it may be here. What every start refuses is another's, wherever it is: only
    /// a start's own record says otherwise.
    fn present(&self, context: &Context) -> Result<&Wanted> {
        let wanted = self.wanted.as_ref().map_err(Clone::clone)?;
        match wanted.never() {
            Some(why) if !Site::has_record(context, &self.parameters, wanted) => {
                Err(Error::configured(why))
            }
            _ => Ok(wanted),
        }
    }

    /// No address is there where none can be, nor where its namespace isn't.
    fn stop(&self, context: &Context) -> Result<()> {
        let Ok(wanted) = self.present(context) else { return Ok(()) };
        let parameters = &self.parameters;
        let mut site = Site::enter(context, parameters, wanted)?;
        if let Some(left) = Site::enter_left(site.as_ref(), context, parameters, wanted)? {
            // Where that fails, its record has to stay.
            stop::stop(&left)?;
            site = Site::enter(context, parameters, wanted)?;
        }
        match site {
            Some(site) => {
                self.due.set(Due::of(&site)?);
                stop::stop(&site)
            }
            None => stop::forget(context, parameters, wanted),
        }
    }

    fn monitor(&self, context: &Context) -> Result<State> {
        let wanted = match self.present(context) {
            Ok(wanted) => wanted,
            Err(error) => return Ok(State::stopped(error.reason.clone())),
        };
        let parameters = &self.parameters;
        let site = Site::enter(context, parameters, wanted)?;
        if context.action != "start"
            && let Some(left) = Site::enter_left(site.as_ref(), context, parameters, wanted)?
        {
            if left.find()?.is_some() {
                return Err(Error::generic(self.still_elsewhere(wanted)));
            }
            // Not all is asked of the site's own socket.
            let _back =
                parameters.network_namespace.as_deref().map(namespace::enter).transpose()?;
        }
        match site {
            Some(site) => monitor::monitor(&site),
            None => Ok(State::stopped(self.no_namespace().reason)),
        }
    }

    fn still_elsewhere(&self, wanted: &Wanted) -> String {
        let name = self.parameters.network_namespace.as_deref().unwrap_or_default();
        let name = wanted::short(name);
        format!("{} is still in the network namespace that was called {name}", wanted.ip)
    }

    fn no_namespace(&self) -> Error {
        let name = self.parameters.network_namespace.as_deref().map(wanted::short);
        let name = name.unwrap_or_default();
        Error::installed(format!("network namespace {name} is not there: ip netns add {name}"))
    }
}

/// Judges the parameters against each other and against what Pacemaker says of the clone.
fn judge(parameters: &Parameters, wanted: &Wanted, context: &Context) -> Result<()> {
    wanted::check(parameters, wanted, context)?;
    cluster::check(parameters, context, wanted.ip)
}

impl Agent for IpAddr2 {
    const ABOUT: About = About {
        name: "IPaddr2",
        version: "1.0",
        short: "Virtual IPv4 or IPv6 address",
        long: "Gives an interface of this node an IPv4 or IPv6 address, tells the network of it, and takes it away again.",
    };
    const ACTIONS: &'static [Action<Self>] = &[
        Action::start(20, Self::start),
        Action::stop(20, Self::stop),
        Action::monitor(20, 10, Self::monitor).depth(0),
        Action::status(20, Self::monitor).every(10).depth(0),
        Action::reload_agent(20, Self::reload_agent),
        Action::validate_all(20),
    ];
    type Parameters = Parameters;

    fn new(parameters: Parameters, context: &Context) -> Self {
        let wanted = Wanted::of(&parameters, context);
        let contradiction =
            wanted.as_ref().ok().and_then(|wanted| judge(&parameters, wanted, context).err());
        Self { parameters, wanted, contradiction, due: Cell::default() }
    }

    fn check(&self) -> Result<()> {
        let wanted = self.wanted.as_ref().map_err(Clone::clone)?;
        wanted.check()?;
        self.contradiction.clone().map_or(Ok(()), Err)
    }

    fn check_host(&self, context: &Context) -> Result<()> {
        let wanted = self.wanted.as_ref().map_err(Clone::clone)?;
        if context.action == "reload-agent" {
            return Ok(());
        }
        wanted::advise(&self.parameters, wanted);
        if context.action == "start" {
            // Start looks for the place itself, once.
            return Ok(());
        }
        let site = Site::enter(context, &self.parameters, wanted)?;
        validate::validate(&site.ok_or_else(|| self.no_namespace())?)
    }

    /// Start has waited already.
    fn ready(&self, _: &Context) -> Result<bool> {
        Ok(true)
    }

    fn leftovers(&self, context: &Context) -> Result<Vec<String>> {
        let Ok(wanted) = self.present(context) else { return Ok(Vec::new()) };
        let parameters = &self.parameters;
        let site = Site::enter(context, parameters, wanted)?;
        let mut all = match &site {
            Some(site) => stop::leftovers(site, self.due.get())?,
            None => Vec::new(),
        };
        if let Some(left) = Site::enter_left(site.as_ref(), context, parameters, wanted)? {
            all.extend(stop::leftovers(&left, Due::of(&left)?)?);
        }
        Ok(all)
    }
}
