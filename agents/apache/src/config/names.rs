// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The addresses of names in a configuration. A look never asks a resolver: that has no deadline, and says
//! nothing when the network is gone, which is just when a server has to be stopped.

use crate::regular;
use std::cell::{Cell, OnceCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The host names of this machine.
const HOSTS: &str = "/etc/hosts";

/// Where this machine listens.
const SOCKETS: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// How much of them is read: those that listen stand first.
const MOST: u64 = 1 << 20;

/// How long a resolver may take, for all names together.
const PATIENCE: Duration = Duration::from_secs(3);

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asking {
    /// A start: the server resolves its names itself, and has just been asked whether it can.
    Resolver,
    /// Anybody else.
    Nobody,
}

/// What is known of names.
#[derive(Debug)]
pub(super) struct Names {
    listed: OnceCell<BTreeMap<String, IpAddr>>,
    /// Whether a resolver may be asked; not after one that didn't answer.
    asks: Cell<bool>,
}

impl Names {
    pub(super) fn new(asking: Asking) -> Self {
        Self { listed: OnceCell::new(), asks: Cell::new(asking == Asking::Resolver) }
    }

    /// The address of a host: written out, or of this machine's list.
    pub(super) fn find(&self, host: &str) -> Option<IpAddr> {
        let without_zone = host.split_once('%').map_or(host, |(address, _)| address);
        let listed = || self.listed.get_or_init(read_list).get(&host.to_ascii_lowercase()).copied();
        without_zone.parse().ok().or_else(listed)
    }

    /// The address of a host that a server listens on: else by a resolver, or the one that somebody here
    /// does listen on. `None` is every address.
    pub(super) fn listening(&self, host: &str, port: u16) -> Option<IpAddr> {
        let asked = || self.asks.get().then(|| self.ask(host)).flatten();
        self.find(host).or_else(asked).or_else(|| only_listener(port))
    }

    fn ask(&self, host: &str) -> Option<IpAddr> {
        let (sender, receiver) = mpsc::channel();
        let host = host.to_owned();
        let ask = move || {
            let found = (host, 0).to_socket_addrs().ok().and_then(|mut found| found.next());
            // Nobody waits any more, perhaps.
            let _nobody = sender.send(found.map(|found| found.ip()));
        };
        let answer = thread::Builder::new()
            .spawn(ask)
            .ok()
            .and_then(|_| receiver.recv_timeout(PATIENCE).ok());
        self.asks.set(answer.is_some());
        answer.flatten()
    }
}

fn read_list() -> BTreeMap<String, IpAddr> {
    let list = regular::read(Path::new(HOSTS), MOST).unwrap_or_default();
    let mut listed = BTreeMap::new();
    for line in String::from_utf8_lossy(&list).lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_ascii_whitespace();
        let Some(address) = words.next().and_then(|word| word.parse().ok()) else { continue };
        for name in words {
            listed.entry(name.to_ascii_lowercase()).or_insert(address);
        }
    }
    listed
}

/// The address on which somebody here listens at a port, where it is one.
fn only_listener(port: u16) -> Option<IpAddr> {
    let mut found = BTreeSet::new();
    for path in SOCKETS {
        let mut text = Vec::new();
        // What isn't there, as without IPv6, has no sockets.
        let _read = File::open(path).and_then(|file| file.take(MOST).read_to_end(&mut text));
        found.extend(listeners(&String::from_utf8_lossy(&text), port));
    }
    let first = found.pop_first().filter(|address| !address.is_unspecified());
    first.filter(|_| found.is_empty())
}

/// The addresses in such a list (proc_pid_net(5)) that listen at a port.
fn listeners(text: &str, port: u16) -> impl Iterator<Item = IpAddr> {
    text.lines().filter_map(move |line| {
        let mut words = line.split_ascii_whitespace();
        let (address, at) = words.nth(1)?.split_once(':')?;
        let listens = words.nth(1)? == "0A" && u16::from_str_radix(at, 16).ok()? == port;
        listens.then(|| parse_address(address)).flatten()
    })
}

/// An address in words of the machine's own byte order.
fn parse_address(text: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(text.get(at..at + 8)?, 16).ok();
    if text.len() == 8 {
        return Some(IpAddr::V4(Ipv4Addr::from(word(0)?.to_ne_bytes())));
    }
    let mut bytes = [0; 16];
    for (at, part) in bytes.chunks_exact_mut(4).enumerate() {
        part.copy_from_slice(&word(at * 8)?.to_ne_bytes());
    }
    Some(IpAddr::V6(Ipv6Addr::from(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_name_that_nobody_knows_is_where_somebody_listens() {
        let names = Names::new(Asking::Nobody);
        let own = TcpListener::bind("127.0.0.99:0").unwrap();
        let port = own.local_addr().unwrap().port();
        assert_eq!(names.listening("web.invalid", port), Some("127.0.0.99".parse().unwrap()));
        let second = TcpListener::bind(("127.0.0.98", port)).unwrap();
        assert_eq!(names.listening("web.invalid", port), None, "it may be either");
        assert_eq!(names.listening("127.0.0.98", port), Some("127.0.0.98".parse().unwrap()));
        drop((own, second));
        assert_eq!(names.listening("web.invalid", port), None);
        assert_eq!(names.find("localhost"), Some(Ipv4Addr::LOCALHOST.into()));
        assert_eq!(names.find("fe80::1%lo"), Some("fe80::1".parse().unwrap()));
    }

    #[test]
    fn a_list_of_sockets_is_read_as_the_kernel_writes_it() {
        let text = "  sl  local_address rem_address   st tx_queue\n\
               0: 0100007F:1F90 00000000:0000 0A 00000000:00000000\n\
               1: 0100007F:1F90 0100007F:9999 01 00000000:00000000\n\
               2: 0000000000000000FFFF00000100007F:1F90 0:0 0A\n   x\n";
        let found: Vec<_> = listeners(text, 8080).map(|address| address.to_string()).collect();
        assert_eq!(found, ["127.0.0.1", "::ffff:127.0.0.1"]);
    }
}
