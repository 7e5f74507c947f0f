// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `--publish` and `--expose`.

use super::flags::{Flags, quoted, wrong};
use bollard::models::{PortBinding, PortMap};
use ocf::{Error, Result};
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// More ports than a container can have: a range given thousands of times would fill the memory.
const MOST: usize = 3 * 65_536;

/// Ports that the container has, as `80/tcp`, and where they are published.
#[derive(Debug, Default)]
pub(super) struct Ports {
    pub(super) exposed: BTreeSet<String>,
    pub(super) published: PortMap,
}

/// Reads both flags.
pub(super) fn read(flags: &Flags) -> Result<Ports> {
    let mut ports = Ports::default();
    let mut count = 0;
    for (name, value) in flags
        .many("publish")
        .map(|value| ("publish", value))
        .chain(flags.many("expose").map(|value| ("expose", value)))
    {
        let refuse = |cause: String| wrong(name, &cause);
        let spec = if name == "publish" { publish(value) } else { expose(value) };
        let spec = spec.map_err(refuse)?;
        count += spec.container.clone().count();
        if count > MOST {
            return Err(too_many(name));
        }
        spec.add_to(&mut ports, name == "publish");
    }
    Ok(ports)
}

fn too_many(name: &str) -> Error {
    wrong(name, &format!("more than {MOST} ports in all: write fewer"))
}

/// One value of a flag.
struct Spec {
    ip: String,
    host: Option<RangeInclusive<u16>>,
    container: RangeInclusive<u16>,
    protocol: String,
}

impl Spec {
    fn add_to(&self, ports: &mut Ports, is_published: bool) {
        for (step, port) in self.container.clone().enumerate() {
            let key = format!("{port}/{}", self.protocol);
            if is_published {
                let binding = PortBinding {
                    host_ip: Some(self.ip.clone()),
                    host_port: Some(self.host_port(step)),
                };
                let bindings = ports.published.entry(key.clone()).or_default();
                bindings.get_or_insert_default().push(binding);
            }
            ports.exposed.insert(key);
        }
    }

    /// A range for one port stays a range: the Engine takes one that is free.
    fn host_port(&self, step: usize) -> String {
        let Some(host) = &self.host else { return String::new() };
        let (first, last) = (host.start(), host.end());
        if self.container.start() == self.container.end() && first != last {
            return format!("{first}-{last}");
        }
        (usize::from(*first) + step).to_string()
    }
}

fn publish(value: &str) -> Result<Spec, String> {
    if value.contains('=') { short_form(&long_form(value)?) } else { short_form(value) }
}

/// `published=8080,target=80,protocol=tcp` as the short form.
fn long_form(value: &str) -> Result<String, String> {
    let mut parts: HashMap<&str, &str> = HashMap::from([("protocol", "tcp")]);
    for part in value.split(',') {
        match part.split_once('=') {
            Some((key, value)) if !key.is_empty() => parts.insert(key, value),
            _ => return Err(format!("{} is not name=value", quoted(part))),
        };
    }
    let part = |name| parts.get(name).copied().unwrap_or_default();
    Ok(format!("{}:{}/{}", part("published"), part("target"), part("protocol")))
}

/// `[IP:][HOST:]CONTAINER[/PROTOCOL]`; an IPv6 address may stand without brackets.
fn short_form(value: &str) -> Result<Spec, String> {
    let (before, container) = match value.rsplit_once(':') {
        Some((before, container)) => (Some(before), container),
        None => (None, value),
    };
    let (ip, host) = match before.map(|before| before.rsplit_once(':').ok_or(before)) {
        None => ("", ""),
        Some(Ok((ip, host))) => (ip, host),
        Some(Err(host)) => ("", host),
    };
    let (port, protocol) = container.split_once('/').unwrap_or((container, ""));
    let protocol = protocol_of(protocol)?;
    if !["tcp", "udp", "sctp"].contains(&protocol.as_str()) {
        return Err(format!("{} is no protocol: tcp, udp or sctp", quoted(&protocol)));
    }
    if port.is_empty() {
        return Err(format!("{} names no port of the container", quoted(value)));
    }
    // Go's reading of numbers: a plus sign is one here, not with --expose.
    let plain = |text: &str| text.split('-').map(unsigned).collect::<Vec<_>>().join("-");
    let container = range(&plain(port))?;
    let host = if host.is_empty() { None } else { Some(range(&plain(host))?) };
    let is_one = container.start() == container.end();
    if let Some(host) = &host
        && !is_one
        && host.end() - host.start() != container.end() - container.start()
    {
        return Err(format!("the ranges in {} are not of the same length", quoted(value)));
    }
    Ok(Spec { ip: address(ip)?, host, container, protocol })
}

fn expose(value: &str) -> Result<Spec, String> {
    let (port, protocol) = value.split_once('/').unwrap_or((value, ""));
    let protocol = protocol_of(protocol)?;
    Ok(Spec { ip: String::new(), host: None, container: range(port)?, protocol })
}

fn protocol_of(text: &str) -> Result<String, String> {
    let is_word = text.bytes().all(|c| c.is_ascii_alphanumeric());
    match text {
        "" => Ok("tcp".to_owned()),
        _ if is_word => Ok(text.to_ascii_lowercase()),
        _ => Err(format!("{} is no protocol: tcp, udp or sctp", quoted(text))),
    }
}

fn address(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address: IpAddr =
        inner.parse().map_err(|_| format!("{} is no IP address", quoted(text)))?;
    Ok(address.to_string())
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix('+').unwrap_or(text)
}

fn range(text: &str) -> Result<RangeInclusive<u16>, String> {
    let wrong = || format!("{} is no port, and no range of ports", quoted(text));
    let number = |text: &str| {
        let is_plain = text.bytes().all(|c| c.is_ascii_digit());
        is_plain.then(|| text.parse().ok()).flatten().ok_or_else(wrong)
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (number(first)?, number(last)?);
    if first <= last { Ok(first..=last) } else { Err(wrong()) }
}
