// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The address of an Engine that isn't behind a socket.

use std::fmt;

/// What `tcp://` means without a port.
const PORT: u16 = 2375;

/// A host, a port, and what stands before every path there (a proxy may want that).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    host: String,
    port: u16,
    prefix: String,
}

impl Address {
    /// `host`, `host:port`, `:port`, `[::1]:port`, each with a path behind it or not; a user and a
    /// query are dropped, as the `docker` command does.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = text.split_at(text.find('/').unwrap_or(text.len()));
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = split_port(authority)?;
        let is_sane = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if !host.chars().all(is_sane) {
            return Err("its host holds characters that no host's name has");
        }
        let prefix = path.trim_end_matches('/');
        if !prefix.chars().all(|c| c.is_ascii_graphic()) || prefix.contains("..") {
            return Err("its path is none");
        }
        let port = match port {
            "" => PORT,
            port => port.parse().map_err(|_| "its port is no number from 1 to 65535")?,
        };
        let host = if host.is_empty() { "localhost" } else { host };
        Ok(Self { host: host.to_owned(), port, prefix: prefix.to_owned() })
    }

    /// Host and port.
    pub(super) fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// What stands before every path there.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.authority(), self.prefix)
    }
}

/// An IPv6 address may stand without brackets when it has no port.
fn split_port(authority: &str) -> Result<(&str, &str), &'static str> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("its address lacks a bracket")?;
        let port = if rest.is_empty() { Some("") } else { rest.strip_prefix(':') };
        return Ok((host, port.ok_or("something stands behind its address")?));
    }
    match authority.split_once(':') {
        Some((host, port)) if !port.contains(':') => Ok((host, port)),
        _ => Ok((authority, "")),
    }
}
