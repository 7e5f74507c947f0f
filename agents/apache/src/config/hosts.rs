// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Where the server listens, and which of its virtual hosts serves whom there.

use super::location::path_of;
use super::reader::Reader;
use crate::regular;
use crate::settings::Listen;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};
use std::path::Path;

/// The host names of this machine.
const HOSTS: &str = "/etc/hosts";

/// The directives that turn TLS on: mod_ssl's, mod_gnutls's, mod_nss's and IBM's.
const ENGINES: &[&str] = &["sslengine", "gnutlsenable", "nssengine", "sslenable"];

/// The listeners and the virtual hosts.
#[derive(Debug)]
pub(super) struct Hosts<'a> {
    reader: &'a Reader<'a>,
    /// The virtual hosts, by their places among the sections, with the addresses and ports of each.
    virtual_hosts: Vec<(usize, Vec<Place>)>,
    /// Where the server listens, in the order of the configuration.
    pub(super) listens: Vec<Listen>,
}

impl<'a> Hosts<'a> {
    pub(super) fn of(reader: &'a Reader<'_>) -> Self {
        let sections = reader.sections.iter().enumerate();
        let virtual_hosts = sections
            .filter(|(_, section)| section.name == "virtualhost" && section.parent.is_none())
            .map(|(at, section)| {
                let places = section.words.iter().filter_map(|word| parse_place(word, false));
                (at, places.collect())
            })
            .collect();
        let mut hosts = Self { reader, virtual_hosts, listens: Vec::new() };
        let named = |name: &'static str| {
            reader.directives.iter().filter(move |directive| directive.name == name)
        };
        let mut listens: Vec<Listen> =
            named("listen").filter_map(|directive| hosts.listen(&directive.words)).collect();
        if listens.is_empty() {
            // Servers of version 1 may have a port only.
            let last = named("port").next_back();
            listens.extend(last.and_then(|directive| hosts.listen(&directive.words)));
        }
        hosts.listens = listens;
        hosts
    }

    /// One `Listen`. What stands behind its address is only a name: without an engine nobody speaks TLS.
    fn listen(&self, words: &[Vec<u8>]) -> Option<Listen> {
        let (address, port) = parse_place(words.first()?, true)?;
        let mut listen = Listen { address, port: port?, is_https: false };
        let by_host = || ENGINES.iter().any(|name| self.is_on(name, self.serving(&listen)));
        listen.is_https = by_host() || self.is_place_of_tls(&listen);
        Some(listen)
    }

    /// Whether such a directive is on for a virtual host, or else for all.
    fn is_on(&self, name: &str, host: Option<usize>) -> bool {
        let said = |section: Option<usize>| {
            let mut directives = self.reader.directives.iter().rev();
            let last = directives
                .find(|directive| directive.name == name && directive.section == section)?;
            // IBM's has no word. An optional engine waits for a request to change over, without TLS.
            Some(last.words.first().is_none_or(|word| word.eq_ignore_ascii_case(b"on")))
        };
        host.and_then(|host| said(Some(host))).or_else(|| said(None)).unwrap_or(false)
    }

    /// Whether `mod_tls` has the place.
    fn is_place_of_tls(&self, listen: &Listen) -> bool {
        let engines =
            self.reader.directives.iter().filter(|directive| directive.name == "tlsengine");
        let mut places =
            engines.filter_map(|directive| parse_place(directive.words.first()?, false));
        places.any(|(address, port)| {
            port == Some(listen.port) && (address.is_none() || address == listen.address)
        })
    }

    /// The virtual host that serves those who come by this listener and name no host of the others';
    /// `None` is the main server.
    fn serving(&self, listen: &Listen) -> Option<usize> {
        let asked = match listen.address {
            Some(IpAddr::V6(address)) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            Some(address) if !address.is_unspecified() => address,
            _ => IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        let name = listen.address.filter(|ip| !ip.is_unspecified());
        let name = name.map_or_else(|| "localhost".to_owned(), |ip| ip.to_string());
        let hosts = self.virtual_hosts.iter();
        let ranked: Vec<(usize, u8)> = hosts
            .filter_map(|(at, places)| Some((*at, rank(places, asked, listen.port)?)))
            .collect();
        let best = ranked.iter().map(|(_, rank)| *rank).max()?;
        let mut hosts = ranked.iter().filter(|(_, rank)| *rank == best).map(|(at, _)| *at);
        let first = hosts.clone().next();
        hosts.find(|at| self.is_called(*at, &name)).or(first)
    }

    fn is_called(&self, host: usize, name: &str) -> bool {
        let of_host = |name: &str| matches!(name, "servername" | "serveralias");
        let mut directives = self.reader.directives.iter();
        directives.any(|directive| {
            directive.section == Some(host)
                && of_host(&directive.name)
                && directive
                    .words
                    .iter()
                    .any(|word| bare_name(word).is_some_and(|word| word.eq_ignore_ascii_case(name)))
        })
    }

    /// The path of the last location for the handler that those meet who come by the first listener. The
    /// virtual host's own locations come after the main server's.
    pub(super) fn status(&self) -> Option<String> {
        if !self.reader.modules.is_empty() && !self.reader.modules.has(b"status_module") {
            return None;
        }
        let host = self.listens.first().and_then(|listen| self.serving(listen));
        let last = |host: Option<usize>| {
            let directives = self.reader.directives.iter().rev();
            directives
                .filter(|directive| directive.name == "sethandler")
                .filter(|directive| {
                    let handler = directive.words.first();
                    handler.is_some_and(|name| name.eq_ignore_ascii_case(b"server-status"))
                })
                .filter_map(|directive| self.reader.sections.get(directive.section?))
                .filter(|section| section.parent == host)
                .find_map(path_of)
        };
        host.and_then(|host| last(Some(host))).or_else(|| last(None))
    }

    /// The name of the host that the first listener serves.
    pub(super) fn name(&self) -> Option<String> {
        let host = self.listens.first().and_then(|listen| self.serving(listen));
        let last = |host: Option<usize>| {
            let mut directives = self.reader.directives.iter().rev();
            let last = directives
                .find(|directive| directive.name == "servername" && directive.section == host)?;
            bare_name(last.words.first()?)
        };
        host.and_then(|host| last(Some(host))).or_else(|| last(None))
    }
}

/// A `ServerName` without scheme and port.
fn bare_name(word: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(word).ok()?;
    let text = text.split_once("://").map_or(text, |(_, name)| name);
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let name = match text.rsplit_once(':') {
        Some((name, port)) if is_port(port) && (!name.contains(':') || name.ends_with(']')) => name,
        _ => text,
    };
    Some(name.trim_start_matches('[').trim_end_matches(']').to_owned())
}

/// An address, where it isn't any, and a port, where it isn't any.
type Place = (Option<IpAddr>, Option<u16>);

/// How well a virtual host fits an address and a port: by its address, by chance, or not at all.
fn rank(places: &[Place], asked: IpAddr, port: u16) -> Option<u8> {
    let fitting = places.iter().filter(|(_, its_port)| its_port.is_none_or(|its| its == port));
    let ranks = fitting.filter_map(|(address, _)| match address {
        Some(address) => (*address == asked).then_some(2),
        None => Some(1),
    });
    ranks.max()
}

/// `80`, `*:80`, `127.0.0.1:80`, `[::1]:80`, `host:80`, `_default_:*`. For a host that this machine's list
/// doesn't have others are asked, if `asks`.
fn parse_place(word: &[u8], asks: bool) -> Option<Place> {
    let text = std::str::from_utf8(word).ok()?;
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some((None, Some(parse_port(text)?)));
    }
    let behind_bracket = text.strip_prefix('[').and_then(|text| text.split_once(']'));
    let (host, port) = match behind_bracket {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        None | Some("*") => None,
        Some(port) => Some(parse_port(port)?),
    };
    let address = match host {
        "" | "*" | "_default_" => None,
        host => Some(find_address(host, asks)?),
    };
    Some((address, port))
}

fn parse_port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port != 0)
}

/// The address of a host: written out, or of this machine's list.
fn find_address(host: &str, asks: bool) -> Option<IpAddr> {
    let without_zone = host.split_once('%').map_or(host, |(address, _)| address);
    if let Ok(address) = without_zone.parse() {
        return Some(address);
    }
    let list = regular::read(Path::new(HOSTS), 1 << 20).unwrap_or_default();
    let list = String::from_utf8_lossy(&list);
    let mut lines = list.lines().map(|line| line.split('#').next().unwrap_or_default());
    let listed = lines.find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|name| name.eq_ignore_ascii_case(host)).then_some(address)
    });
    // As a last resort others are asked, as the server does at its start.
    let asked = || (host, 0).to_socket_addrs().ok()?.next().map(|found| found.ip());
    if asks { listed.or_else(asked) } else { listed }
}
