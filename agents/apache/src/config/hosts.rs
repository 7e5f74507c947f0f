// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Where the server listens, and which of its virtual hosts serves whom there.

use super::location::path_of;
use super::names::Names;
use super::reader::{Directive, Reader};
use crate::settings::{Host, Listen};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The directives that turn TLS on: mod_ssl's, mod_gnutls's, mod_nss's and IBM's.
const ENGINES: &[&str] = &["sslengine", "gnutlsenable", "nssengine", "sslenable"];

/// The listeners and the virtual hosts.
#[derive(Debug)]
pub(super) struct Hosts<'a> {
    reader: &'a Reader<'a>,
    names: Names,
    /// The directives, by the sections that they stand in.
    directives: BTreeMap<Option<usize>, Vec<&'a Directive>>,
    /// The paths of the last locations for the status page, by the virtual hosts that they stand in.
    statuses: BTreeMap<Option<usize>, String>,
    /// The virtual hosts, by their places among the sections, with the addresses and ports of each.
    virtual_hosts: Vec<(usize, Vec<Place>)>,
    /// Where the server listens, in the order of the configuration.
    pub(super) listens: Vec<Listen>,
}

impl<'a> Hosts<'a> {
    pub(super) fn of(reader: &'a Reader<'_>, names: Names) -> Self {
        let sections = reader.sections.iter().enumerate();
        let virtual_hosts = sections
            .filter(|(_, section)| section.name == "virtualhost" && section.parent.is_none())
            .map(|(at, section)| {
                let places = section.words.iter().filter_map(|word| parse_place(word, &names));
                (at, places.collect())
            })
            .collect();
        let mut directives: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for directive in &reader.directives {
            directives.entry(directive.section).or_default().push(directive);
        }
        let statuses = find_statuses(reader);
        let listens = Vec::new();
        let mut hosts = Self { reader, names, directives, statuses, virtual_hosts, listens };
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
        let (host, port) = split_place(words.first()?)?;
        let port = port?;
        let address = host.and_then(|host| self.names.listening(host, port));
        let mut listen = Listen { address, port, is_https: false };
        let by_host = || ENGINES.iter().any(|name| self.is_on(name, self.serving(&listen)));
        listen.is_https = by_host() || self.is_place_of_tls(&listen);
        Some(listen)
    }

    /// Whether such a directive is on for a virtual host, or else for all.
    fn is_on(&self, name: &str, host: Option<usize>) -> bool {
        let said = |section: Option<usize>| {
            let last = self.last(name, section)?;
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
            engines.filter_map(|directive| parse_place(directive.words.first()?, &self.names));
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
        let ranked: Vec<(usize, (bool, bool))> = hosts
            .filter_map(|(at, places)| Some((*at, rank(places, asked, listen.port)?)))
            .collect();
        let best = ranked.iter().map(|(_, rank)| *rank).max()?;
        let mut hosts = ranked.iter().filter(|(_, rank)| *rank == best).map(|(at, _)| *at);
        let first = hosts.clone().next();
        hosts.find(|at| self.is_called(*at, &name)).or(first)
    }

    /// Whether a virtual host has that name: by itself or, where it has none, from the main server or from
    /// its address.
    fn is_called(&self, host: usize, name: &str) -> bool {
        let is_name =
            |word: &Vec<u8>| bare_name(word).is_some_and(|word| word.eq_ignore_ascii_case(name));
        let own = self.last("servername", Some(host)).and_then(|own| own.words.first());
        let is_given = match own {
            Some(own) => is_name(own),
            None => self.given_name(host).is_some_and(|given| given.eq_ignore_ascii_case(name)),
        };
        let mut directives = self.directives.get(&Some(host)).into_iter().flatten();
        is_given
            || directives.any(|directive| {
                directive.name == "serveralias" && directive.words.iter().any(is_name)
            })
    }

    /// The name of a virtual host that says none.
    fn given_name(&self, host: usize) -> Option<String> {
        let (_, places) = self.virtual_hosts.iter().find(|(at, _)| *at == host)?;
        if places.iter().any(|(address, _)| address.is_none()) {
            return self.name(None);
        }
        // Of other addresses the server asks a resolver.
        let is_loopback = places.first()?.0.is_some_and(|address| address.is_loopback());
        is_loopback.then(|| "localhost".to_owned())
    }

    /// The last such directive of a section.
    fn last(&self, name: &str, section: Option<usize>) -> Option<&'a Directive> {
        let directives = self.directives.get(&section)?;
        directives.iter().rev().find(|directive| directive.name == name).copied()
    }

    /// What those meet who come by a listener, or by none.
    pub(super) fn host(&self, listen: Option<&Listen>) -> Host {
        let section = listen.and_then(|listen| self.serving(listen));
        Host { status: self.status(section), name: self.name(section) }
    }

    /// The virtual host's own locations come after the main server's.
    fn status(&self, host: Option<usize>) -> Option<String> {
        self.statuses.get(&host).or_else(|| self.statuses.get(&None)).cloned()
    }

    fn name(&self, host: Option<usize>) -> Option<String> {
        let said = |section| bare_name(self.last("servername", section)?.words.first()?);
        said(host).or_else(|| said(None))
    }
}

/// The path of the last location for the handler in each virtual host, and outside of all.
fn find_statuses(reader: &Reader<'_>) -> BTreeMap<Option<usize>, String> {
    if !reader.modules.is_empty() && !reader.modules.has(b"status_module") {
        return BTreeMap::new();
    }
    let is_handler = |directive: &&Directive| {
        let handler = directive.words.first();
        directive.name == "sethandler"
            && handler.is_some_and(|name| name.eq_ignore_ascii_case(b"server-status"))
    };
    let directives = reader.directives.iter().filter(is_handler);
    let sections = directives.filter_map(|directive| reader.sections.get(directive.section?));
    sections.filter_map(|section| Some((section.parent, path_of(section)?))).collect()
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

/// How well a virtual host fits an address and a port: the address counts more than the port.
fn rank(places: &[Place], asked: IpAddr, port: u16) -> Option<(bool, bool)> {
    let ranks = places.iter().filter_map(|(address, its_port)| {
        let is_fitting = address.is_none_or(|address| address == asked)
            && its_port.is_none_or(|its_port| its_port == port);
        is_fitting.then_some((address.is_some(), its_port.is_some()))
    });
    ranks.max()
}

/// `80`, `*:80`, `127.0.0.1:80`, `[::1]:80`, `host:80`, `_default_:*`: the host, where it isn't any, and the
/// port, where it isn't any.
fn split_place(word: &[u8]) -> Option<(Option<&str>, Option<u16>)> {
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
    let is_any = matches!(host, "" | "*" | "_default_");
    Some(((!is_any).then_some(host), port))
}

/// The same, with the address of a host that this machine's list has.
fn parse_place(word: &[u8], names: &Names) -> Option<Place> {
    let (host, port) = split_place(word)?;
    let address = match host {
        Some(host) => Some(names.find(host)?),
        None => None,
    };
    Some((address, port))
}

fn parse_port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port != 0)
}
