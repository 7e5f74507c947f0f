// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Networks and names: `--network` in both its forms, the flags that belong to the first network, DNS
//! and `--add-host`.

use super::csv;
use super::flags::{Flags, quoted, wrong};
use bollard::models::{EndpointIpamConfig, EndpointSettings, HostConfig, NetworkingConfig};
use ocf::{Error, Result};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

/// One `--network`.
#[derive(Debug, Default)]
struct Attachment {
    target: String,
    settings: EndpointSettings,
}

/// What the networks are: the mode, and settings of each.
#[derive(Debug)]
pub(super) struct Networks {
    pub(super) mode: String,
    pub(super) config: NetworkingConfig,
    /// Whether an address of the card is asked for: the Engine knows where to look for it since 1.44.
    pub(super) has_mac: bool,
}

/// Reads everything about networks.
pub(super) fn read(flags: &Flags) -> Result<Networks> {
    let mut attachments = flags.read_many("network", attachment)?;
    let is_default = attachments.is_empty();
    if is_default {
        attachments.push(Attachment { target: "default".to_owned(), ..Attachment::default() });
    }
    let (count, mode) = match attachments.first_mut() {
        Some(first) => {
            add_flags(flags, first)?;
            let mode = first.target.clone();
            (attachments.len(), mode)
        }
        None => (0, String::new()),
    };
    let is_mixed = attachments.iter().any(|one| is_users(&one.target))
        && attachments.iter().any(|one| !is_users(&one.target));
    let mut endpoints: HashMap<String, EndpointSettings> = HashMap::new();
    let mut names = HashSet::new();
    let mut has_mac = false;
    for one in attachments {
        check(&one).map_err(|cause| wrong("network", &cause))?;
        if !names.insert(one.target.clone()) {
            let cause = format!("{} is given more than once", quoted(&one.target));
            return Err(wrong("network", &cause));
        }
        has_mac |= one.settings.mac_address.is_some();
        // A single network without settings is left to the Engine; the CLI does the same.
        if is_default || count > 1 || one.settings != EndpointSettings::default() {
            endpoints.insert(one.target, one.settings);
        }
    }
    if is_mixed {
        let cause = "a user's own network and default, bridge, host, none or container: don't mix";
        return Err(wrong("network", cause));
    }
    let config = NetworkingConfig { endpoints_config: Some(endpoints) };
    Ok(Networks { mode, config, has_mac })
}

/// DNS and `--add-host`.
pub(super) fn fill_names(flags: &Flags, host: &mut HostConfig) -> Result<()> {
    host.dns = Some(flags.read_many("dns", |value| address(value.trim()))?);
    host.dns_options = Some(flags.many("dns-option").map(str::to_owned).collect());
    host.dns_search = Some(flags.read_many("dns-search", domain)?);
    let hosts = flags.read_many("add-host", extra_host)?;
    host.extra_hosts = Some(hosts).filter(|hosts| !hosts.is_empty());
    Ok(())
}

/// Whether a network is somebody's own, not one that every Engine has.
fn is_users(target: &str) -> bool {
    !matches!(target, "default" | "bridge" | "host" | "none") && !target.starts_with("container:")
}

fn attachment(value: &str) -> Result<Attachment, String> {
    if !is_long(value) {
        return Ok(Attachment { target: value.to_owned(), ..Attachment::default() });
    }
    let mut one = Attachment::default();
    for field in csv::fields(value)? {
        let lower = field.to_lowercase();
        let (key, value) = lower
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| format!("{} is not name=value", quoted(&field)))?;
        set(&mut one, key.trim(), value.trim())?;
    }
    if one.target.is_empty() {
        return Err(format!("name=NETWORK is missing in {}", quoted(value)));
    }
    Ok(one)
}

/// Whether there is a `=` between two letters, digits or underscores.
fn is_long(value: &str) -> bool {
    let is_word = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    let triples = value.as_bytes().windows(3);
    triples.into_iter().any(|three| matches!(three, [a, b'=', b] if is_word(*a) && is_word(*b)))
}

fn set(one: &mut Attachment, key: &str, value: &str) -> Result<(), String> {
    let settings = &mut one.settings;
    match key {
        "name" => value.clone_into(&mut one.target),
        "alias" => settings.aliases.get_or_insert_default().push(value.to_owned()),
        "ip" => ipam(settings).ipv4_address = Some(address(value)?),
        "ip6" => ipam(settings).ipv6_address = Some(address(value)?),
        "link-local-ip" => {
            let address = address(value)?;
            ipam(settings).link_local_ips.get_or_insert_default().push(address);
        }
        "mac-address" => settings.mac_address = Some(hardware_address(value)?),
        "driver-opt" => {
            let (key, value) = value
                .split_once('=')
                .filter(|(key, _)| !key.is_empty())
                .ok_or_else(|| format!("driver-opt {} is not name=value", quoted(value)))?;
            let options = settings.driver_opts.get_or_insert_default();
            options.insert(key.trim().to_owned(), value.trim().to_owned());
        }
        "gw-priority" => {
            let number = value.parse().map_err(|_| format!("{} is no priority", quoted(value)))?;
            settings.gw_priority = Some(number);
        }
        _ => return Err(format!("{} is no key of a network", quoted(key))),
    }
    Ok(())
}

fn ipam(settings: &mut EndpointSettings) -> &mut EndpointIpamConfig {
    settings.ipam_config.get_or_insert_with(EndpointIpamConfig::default)
}

/// `--network-alias`, `--ip` and the like, which belong to the first network.
fn add_flags(flags: &Flags, first: &mut Attachment) -> Result<()> {
    let is_own = is_users(&first.target);
    let settings = &mut first.settings;
    let twice = |name: &str| -> Error {
        wrong(name, "the network's long form says it, too: leave one out")
    };
    let aliases = flags.list("network-alias");
    if aliases.is_some() {
        if settings.aliases.is_some() {
            return Err(twice("network-alias"));
        }
        settings.aliases = aliases;
    }
    if is_own {
        settings.links = flags.list("link");
    }
    let has = |settings: &EndpointSettings, part: fn(&EndpointIpamConfig) -> bool| {
        settings.ipam_config.as_ref().is_some_and(part)
    };
    if let Some(address) = flags.read_one("ip", ipv4)?.filter(|address| !address.is_empty()) {
        if has(settings, |ipam| ipam.ipv4_address.is_some()) {
            return Err(twice("ip"));
        }
        ipam(settings).ipv4_address = Some(address);
    }
    if let Some(address) = flags.read_one("ip6", any_address)?.filter(|address| !address.is_empty())
    {
        if has(settings, |ipam| ipam.ipv6_address.is_some()) {
            return Err(twice("ip6"));
        }
        ipam(settings).ipv6_address = Some(address);
    }
    let local = flags.read_many("link-local-ip", address)?;
    if !local.is_empty() {
        if has(settings, |ipam| ipam.link_local_ips.is_some()) {
            return Err(twice("link-local-ip"));
        }
        ipam(settings).link_local_ips = Some(local);
    }
    if let Some(mac) = flags.filled("mac-address") {
        if settings.mac_address.is_some() {
            return Err(twice("mac-address"));
        }
        let mac = hardware_address(mac.trim()).map_err(|cause| wrong("mac-address", &cause))?;
        settings.mac_address = Some(mac);
    }
    Ok(())
}

fn check(one: &Attachment) -> Result<(), String> {
    if one.target.trim().is_empty() {
        return Err("the name of the network is empty".to_owned());
    }
    if !is_users(&one.target) && one.settings.aliases.is_some() {
        return Err(format!(
            "the network {} takes no alias: a user's own does",
            quoted(&one.target)
        ));
    }
    Ok(())
}

/// An IP address in its shortest form.
fn address(value: &str) -> Result<String, String> {
    match value.parse::<IpAddr>() {
        Ok(IpAddr::V6(six)) => {
            Ok(six.to_ipv4_mapped().map_or(six.to_string(), |four| four.to_string()))
        }
        Ok(four) => Ok(four.to_string()),
        Err(_) => Err(format!("{} is no IP address", quoted(value))),
    }
}

fn any_address(value: &str) -> Result<String, String> {
    if value.trim().is_empty() { Ok(String::new()) } else { address(value.trim()) }
}

fn ipv4(value: &str) -> Result<String, String> {
    let address = any_address(value)?;
    let is_six = address.contains(':');
    if is_six { Err(format!("{} is no IPv4 address", quoted(value))) } else { Ok(address) }
}

/// `92:d0:c6:0a:29:33`, also with dashes or as `92d0.c60a.2933`.
fn hardware_address(value: &str) -> Result<String, String> {
    let wrong = || format!("{} is no MAC address", quoted(value));
    let separator = value.chars().find(|c| matches!(c, ':' | '-' | '.')).ok_or_else(wrong)?;
    let width = if separator == '.' { 4 } else { 2 };
    let mut bytes = Vec::new();
    for part in value.split(separator) {
        if part.len() != width || !part.bytes().all(|c| c.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let lower = part.to_ascii_lowercase();
        let pairs = [lower.get(..2), lower.get(2..)];
        bytes
            .extend(pairs.into_iter().flatten().filter(|pair| !pair.is_empty()).map(str::to_owned));
    }
    if [6, 8, 20].contains(&bytes.len()) { Ok(bytes.join(":")) } else { Err(wrong()) }
}

fn domain(value: &str) -> Result<String, String> {
    let value = value.trim_matches(' ');
    if value == "." {
        return Ok(value.to_owned());
    }
    let name = value.trim_end().strip_suffix('.').unwrap_or(value.trim_end());
    let is_label = |label: &str| {
        let is_end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == ':');
        is_end(label.chars().next())
            && is_end(label.chars().last())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == ':')
    };
    let has_letter = name.contains(|c: char| c.is_ascii_alphabetic());
    if has_letter && name.len() < 255 && name.split('.').all(is_label) {
        return Ok(name.to_owned());
    }
    Err(format!("{} is no domain", quoted(value)))
}

/// `name:IP` or `name=IP`, as the Engine takes it: with a colon, without brackets.
fn extra_host(value: &str) -> Result<String, String> {
    let wrong = || format!("{} is not NAME:IP", quoted(value));
    let (name, ip) = value.split_once('=').or_else(|| value.split_once(':')).ok_or_else(wrong)?;
    if name.is_empty() || name.contains(':') {
        return Err(wrong());
    }
    let inner =
        ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).filter(|ip| !ip.is_empty());
    let ip = inner.unwrap_or(ip);
    if ip != "host-gateway" {
        address(ip.trim())?;
    }
    Ok(format!("{name}:{ip}"))
}
