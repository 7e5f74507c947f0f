// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the parameters ask for, and whether it can be had anywhere.

use crate::Parameters;
use crate::configuration::Broadcast;
use crate::wire::announce::Form;
use ocf::{Context, Error, Result, tracing};
use std::net::{IpAddr, Ipv4Addr};

/// The longest label that the kernel keeps (`IFNAMSIZ` less its end, linux/if.h).
const LONGEST_LABEL: usize = 15;

/// One address, and where it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) ip: IpAddr,
    /// The interface, by name or alternative name.
    pub(crate) nic: Option<String>,
    /// What stands behind the colon of the IPv4 label.
    pub(crate) label: Option<String>,
    pub(crate) prefix: Option<u8>,
    /// Why the prefix that was asked for is none; nothing is known of it then.
    pub(crate) odd_prefix: Option<String>,
    pub(crate) broadcast: Option<Broadcast>,
    /// Only routes of this protocol (`RTPROT_*`) count.
    pub(crate) protocol: Option<u8>,
}

impl Wanted {
    /// What is asked for. Nothing is judged yet but that there is an address at all: what is there is
    /// stopped and monitored whatever the other parameters are.
    ///
    /// # Errors
    /// When no address can be made of the parameters.
    pub(crate) fn of(parameters: &Parameters, context: &Context) -> Result<Self> {
        let ip = parameters.ip.ok_or_else(|| {
            Error::configured("parameter ip is not set: give it the address to take")
        })?;
        let ip = if parameters.unique_clone_address { of_clone(ip, context)? } else { ip };
        let (nic, old_label) = match parameters.nic.as_deref().map(str::trim) {
            None | Some("") => (None, None),
            Some(text) => match text.split_once(':') {
                None => (Some(text), None),
                Some((nic, label)) => (Some(nic), Some(label)),
            },
        };
        let label = old_label.or(parameters.iflabel.as_deref());
        let odd_prefix = odd_prefix(parameters, ip, context);
        let prefix = parameters.cidr_netmask.filter(|_| odd_prefix.is_none());
        Ok(Self {
            ip,
            nic: nic.map(str::to_owned),
            label: label.filter(|label| ip.is_ipv4() && !label.is_empty()).map(str::to_owned),
            prefix: prefix.map(|prefix| prefix.bits),
            odd_prefix,
            broadcast: parameters.broadcast.filter(|_| ip.is_ipv4()),
            protocol: parameters.proto.map(|protocol| protocol.0),
        })
    }

    /// Judges what is asked for by itself.
    ///
    /// # Errors
    /// `configured` (6), when it can be had on no node.
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(why) = self.never().or_else(|| self.odd_prefix.clone()) {
            return Err(Error::configured(why));
        }
        if let Some(nic) = self.nic.as_ref().filter(|nic| !is_interface(nic)) {
            let sentence = format!("parameter nic: {:?} is no name of an interface", short(nic));
            return Err(Error::configured(sentence));
        }
        // Whatever the interface is called: it may be known by an alternative name here.
        self.check_label("")
    }

    /// Why no start ever takes such an address: where it is, it is somebody else's.
    pub(crate) fn never(&self) -> Option<String> {
        let ip = self.ip;
        let is_link_local = matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
        match unusable(ip) {
            Some(why) => Some(format!("parameter ip: {ip} {why}")),
            // It means something only on one link (RFC 4291, section 2.5.6).
            None if is_link_local && self.nic.is_none() => {
                Some(format!("parameter nic: {ip} is link-local, so the interface has to be named"))
            }
            None => None,
        }
    }

    /// Judges the label that the address gets on an interface.
    ///
    /// # Errors
    /// `configured` (6), when the kernel has no room for it.
    pub(crate) fn check_label(&self, interface: &str) -> Result<()> {
        let Some(label) = &self.label else { return Ok(()) };
        if label.contains(|c: char| c.is_whitespace() || c.is_control()) {
            let sentence = format!("parameter iflabel: {:?} has a blank in it", short(label));
            return Err(Error::configured(sentence));
        }
        let length = interface.len() + 1 + label.len();
        if length > LONGEST_LABEL {
            return Err(Error::configured(format!(
                "parameter iflabel: {} and the interface's name have {length} bytes, \
                 {LONGEST_LABEL} at most",
                short(label)
            )));
        }
        Ok(())
    }

    /// The label of the address on an interface.
    pub(crate) fn label_on(&self, interface: &str) -> Option<String> {
        self.label.as_ref().map(|label| format!("{interface}:{label}"))
    }

    /// The label by which an IPv6 address is kept from being a source, where that is asked for.
    pub(crate) fn address_label(&self, parameters: &Parameters) -> Option<u32> {
        let is_asked = parameters.lvs_ipv6_addrlabel && self.ip.is_ipv6();
        is_asked.then_some(parameters.lvs_ipv6_addrlabel_value)
    }

    /// The address and what is known of its prefix, as people write it.
    pub(crate) fn name(&self) -> String {
        self.prefix.map_or_else(|| self.ip.to_string(), |prefix| format!("{}/{prefix}", self.ip))
    }
}

/// Judges the other parameters against the address and the clone.
///
/// # Errors
/// `configured` (6), when they can work on no node.
pub(crate) fn check(parameters: &Parameters, wanted: &Wanted, context: &Context) -> Result<()> {
    let clones = context.clone.as_ref().and_then(|clone| clone.max).unwrap_or(1);
    let is_unique = context.clone.as_ref().is_some_and(|clone| clone.globally_unique);
    let contradictions = [
        (
            parameters.lvs_support && wanted.ip.is_ipv6(),
            "parameter lvs_support: only an IPv4 address can wait on lo",
        ),
        (
            parameters.lvs_support && clones > 1,
            "parameter lvs_support: a clone of several instances can't have it",
        ),
        (
            parameters.unique_clone_address && !is_unique,
            "parameter unique_clone_address: the clone needs globally-unique=true",
        ),
        (parameters.arp_interval == 0, "parameter arp_interval: 0 ms would be a flood"),
        (parameters.arp_count == 0, "parameter arp_count: 0 would tell nobody of the address"),
        (
            // The kernel's own word for "none".
            parameters.lvs_ipv6_addrlabel_value == u32::MAX,
            "parameter lvs_ipv6_addrlabel_value: 4294967294 is the last label there is",
        ),
        (
            parameters.network_namespace.as_deref().is_some_and(|n| !crate::namespace::is_name(n)),
            "parameter network_namespace: it is a name below /run/netns, not a path",
        ),
    ];
    match contradictions.into_iter().find(|(is_so, _)| *is_so) {
        Some((_, sentence)) => Err(Error::configured(sentence)),
        None => Ok(()),
    }
}

/// Tells of what means nothing, or no longer something: at start and validate-all only.
pub(crate) fn advise(parameters: &Parameters, wanted: &Wanted) {
    if let Some(prefix) = parameters.cidr_netmask.filter(|prefix| prefix.is_mask) {
        tracing::warn!("cidr_netmask is a mask: write {}, the length of the prefix", prefix.bits);
    }
    if parameters.nic.as_ref().is_some_and(|nic| nic.contains(':')) {
        tracing::warn!("nic names a label: give it to iflabel");
    }
    let (_, unknown) = Form::of(parameters.arp_sender, &parameters.send_arp_opts, 0);
    if let Some(word) = unknown.first() {
        tracing::warn!("send_arp_opts: {word} means nothing here");
    }
    if wanted.ip.is_ipv6() {
        let unused = [
            ("iflabel", parameters.iflabel.is_some()),
            ("broadcast", parameters.broadcast.is_some()),
            ("run_arping", parameters.run_arping),
        ];
        for (name, _) in unused.into_iter().filter(|(_, is_set)| *is_set) {
            tracing::warn!("parameter {name} means nothing with an IPv6 address");
        }
    } else if parameters.lvs_ipv6_addrlabel {
        tracing::warn!("parameter lvs_ipv6_addrlabel means nothing with an IPv4 address");
    }
}

/// Whether an interface can have that name, or that alternative name (`IFALIASZ`, linux/if.h).
fn is_interface(name: &str) -> bool {
    let is_odd = |c: char| c == '/' || c.is_whitespace() || c.is_control();
    (1..128).contains(&name.len()) && !name.contains(is_odd)
}

/// As much of a text as a sentence has room for.
pub(crate) fn short(text: &str) -> String {
    const ROOM: usize = 32;
    match text.char_indices().nth(ROOM) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The number of this instance of a clone. Pacemaker tells it even where the instance's name has none.
pub(crate) fn clone_number(context: &Context) -> u32 {
    let meta = context.environment().meta("clone").and_then(|number| number.trim().parse().ok());
    meta.or(context.instance.number).unwrap_or(0)
}

/// The address of one instance of a clone whose instances have different ones.
fn of_clone(ip: IpAddr, context: &Context) -> Result<IpAddr> {
    let IpAddr::V4(address) = ip else {
        return Err(Error::configured(
            "parameter unique_clone_address: it needs an IPv4 address, not an IPv6 one",
        ));
    };
    let [a, b, c, last] = address.octets();
    let number = clone_number(context);
    let last = u8::try_from(number).ok().and_then(|number| last.checked_add(number));
    let last = last.ok_or_else(|| {
        Error::configured(format!("parameter ip: {ip} has no room for clone number {number}"))
    })?;
    Ok(IpAddr::V4(Ipv4Addr::new(a, b, c, last)))
}

/// Why the prefix that is asked for is none.
fn odd_prefix(parameters: &Parameters, ip: IpAddr, context: &Context) -> Option<String> {
    let longest = if ip.is_ipv4() { 32 } else { 128 };
    let is_set =
        |name: &str| context.environment().parameter(name).is_some_and(|text| !text.is_empty());
    match parameters.cidr_netmask.map(|prefix| prefix.bits) {
        Some(0) => Some("parameter cidr_netmask: 0 would be every network".to_owned()),
        Some(bits) if bits > longest => {
            Some(format!("parameter cidr_netmask: {bits} is more than the {longest} bits of {ip}"))
        }
        Some(_) => None,
        // Of a text that is no number, a monitor and a stop know only that it is there.
        None => ["cidr_netmask", "netmask"]
            .into_iter()
            .any(is_set)
            .then(|| "parameter cidr_netmask is no length of a prefix, such as 24".to_owned()),
    }
}

/// Why no host can have an address.
fn unusable(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) if ip.octets().first() == Some(&0) => Some("is in 0.0.0.0/8, no host's"),
        IpAddr::V4(ip) if ip.is_broadcast() => Some("is everybody's (broadcast)"),
        ip if ip.is_multicast() => Some("is a group's (multicast), not a host's"),
        IpAddr::V6(ip) if ip.is_unspecified() => Some("is the address of nobody"),
        IpAddr::V6(ip) if ip.is_loopback() => Some("is every host's own"),
        IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some() => {
            Some("is an IPv4 address: write it as one")
        }
        _ => None,
    }
}
