// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Where the server is asked: a URL that the administrator gave, or one that follows from where the server
//! listens. The latter means this host's own server, so its addresses are known without a resolver, and its
//! certificate needn't be for the name that it is asked by.

use crate::Parameters;
use crate::settings::{Listen, Settings};
use ocf::{Error, Result};
use reqwest::Url;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The port of a server that says nothing of where it listens.
const HTTP: u16 = 80;

/// One page of one server.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The page; with a login where the administrator wrote one.
    pub(crate) url: Url,
    /// The addresses of the URL's host, where they are known.
    pub(crate) addresses: Vec<SocketAddr>,
    /// Whether the server has to prove its name. Who follows from the configuration is known already.
    pub(crate) is_verified: bool,
}

/// The status page of this server.
///
/// # Errors
/// `configured` (6): the parameter is no URL.
pub(crate) fn status(parameters: &Parameters, settings: &Settings) -> Result<Target> {
    match parameters.statusurl.as_deref() {
        Some(text) => Ok(Target::given(parse_url("statusurl", text)?)),
        None => own(parameters, settings, settings.status.as_deref().unwrap_or("/")),
    }
}

/// The front page of this server.
///
/// # Errors
/// None that is known: a path is no bad URL.
pub(crate) fn index(parameters: &Parameters, settings: &Settings) -> Result<Target> {
    own(parameters, settings, "/")
}

/// A test's page: a URL, or what stands behind this server's address.
///
/// # Errors
/// `configured` (6): it is no URL.
pub(crate) fn test(
    name: &str,
    text: &str,
    parameters: &Parameters,
    settings: &Settings,
) -> Result<Target> {
    match parse_test(name, text)? {
        Some(url) => Ok(Target::given(url)),
        None => own(parameters, settings, text.trim()),
    }
}

/// What a test's text means wherever the server listens: a URL, or none where it is relative.
///
/// # Errors
/// `configured` (6): it is no URL.
pub(crate) fn parse_test(name: &str, text: &str) -> Result<Option<Url>> {
    if text.trim().is_empty() {
        return Err(Error::configured(format!("{name} is no URL: it is blank")));
    }
    let is_url = scheme(text).is_some();
    is_url.then(|| parse_url(name, text)).transpose()
}

/// The URL of a text. One without a scheme is http, as it is to every HTTP client.
///
/// # Errors
/// `configured` (6): it is no URL, or of another scheme. The text isn't repeated: a password may be in it.
pub(crate) fn parse_url(name: &str, text: &str) -> Result<Url> {
    let text = text.trim();
    let wrong = |why: &str| Error::configured(format!("{name} is no URL: {why}"));
    if text.starts_with('/') {
        return Err(wrong("it begins with a path: write http://host:port before it"));
    }
    let scheme = scheme(text).map(str::to_ascii_lowercase);
    let url = match scheme.as_deref() {
        None => Url::parse(&format!("http://{text}")),
        Some("http" | "https") => Url::parse(text),
        Some(other) => return Err(wrong(&format!("scheme {other} is neither http nor https"))),
    };
    url.map_err(|error| wrong(&error.to_string()))
}

/// The scheme of a text that has one; `host:80/path` and `user:word@host` have none.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.trim().split_once(':')?;
    let is_scheme = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    (rest.starts_with('/') && is_scheme(scheme)).then_some(scheme)
}

/// A page of the server itself.
fn own(parameters: &Parameters, settings: &Settings, path: &str) -> Result<Target> {
    let fallback = Listen { address: None, port: parameters.port.unwrap_or(HTTP), is_https: false };
    let listen = listen(parameters.port, settings).unwrap_or(&fallback);
    let (host, addresses) = host(listen.address, parameters.use_ipv6);
    let scheme = if listen.is_https { "https" } else { "http" };
    let slash = if path.starts_with('/') { "" } else { "/" };
    let text = format!("{scheme}://{host}:{}{slash}{path}", listen.port);
    let url = Url::parse(&text)
        .map_err(|error| Error::configured(format!("{path} is no path of a URL: {error}")))?;
    let addresses = addresses.iter().map(|address| SocketAddr::new(*address, listen.port));
    Ok(Target { url, addresses: addresses.collect(), is_verified: false })
}

/// Where the server listens: on the port that is asked for, where it does, else on its first.
pub(crate) fn listen(port: Option<u16>, settings: &Settings) -> Option<&Listen> {
    let asked = settings.listens.iter().find(|listen| Some(listen.port) == port);
    asked.or(settings.listens.first())
}

/// The name and the addresses of a listener. One on every address is asked through the loopback.
fn host(address: Option<IpAddr>, use_ipv6: bool) -> (String, Vec<IpAddr>) {
    let (v4, v6) = (IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST));
    match address {
        None if use_ipv6 => ("localhost".to_owned(), vec![v6, v4]),
        None => ("localhost".to_owned(), vec![v4, v6]),
        Some(IpAddr::V4(address)) if address.is_unspecified() => ("localhost".to_owned(), vec![v4]),
        Some(IpAddr::V6(address)) if address.is_unspecified() => ("localhost".to_owned(), vec![v6]),
        Some(IpAddr::V4(address)) => (address.to_string(), vec![IpAddr::V4(address)]),
        Some(IpAddr::V6(address)) => (format!("[{address}]"), vec![IpAddr::V6(address)]),
    }
}

/// A text that says something: an empty parameter is none.
pub(crate) fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

impl Target {
    /// One that the administrator wrote, or a server named.
    pub(crate) fn given(url: Url) -> Self {
        Self { url, addresses: Vec::new(), is_verified: true }
    }
}
