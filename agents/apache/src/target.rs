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
        None => own(parameters, settings, None),
    }
}

/// The front page of this server.
///
/// # Errors
/// None that is known: a path is no bad URL.
pub(crate) fn index(parameters: &Parameters, settings: &Settings) -> Result<Target> {
    own(parameters, settings, Some("/"))
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
        None => own(parameters, settings, Some(text.trim())),
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

/// A page of the server itself, or its status page.
fn own(parameters: &Parameters, settings: &Settings, path: Option<&str>) -> Result<Target> {
    let fallback =
        Listen { address: None, port: parameters.port.0.unwrap_or(HTTP), is_https: false };
    let listen = listen(parameters.port.0, settings).unwrap_or(&fallback);
    let (host, addresses) = host(listen.address, parameters.use_ipv6);
    let served = settings.host(listen);
    let path = path.or(served.status.as_deref()).unwrap_or("/");
    let (scheme, host) = match served.name {
        // A server with several certificates, or strict about names, goes by the name in the handshake.
        Some(name) if listen.is_https && is_name(&name) => ("https", name),
        _ if listen.is_https => ("https", host),
        _ => ("http", host),
    };
    let slash = if path.starts_with('/') { "" } else { "/" };
    let text = format!("{scheme}://{host}:{}{slash}{path}", listen.port);
    let url = Url::parse(&text)
        .map_err(|error| Error::configured(format!("{path} is no path of a URL: {error}")))?;
    let addresses = addresses.iter().map(|address| SocketAddr::new(*address, listen.port));
    Ok(Target { url, addresses: addresses.collect(), is_verified: false })
}

/// Whether a URL can have it for its host, and it is no address.
fn is_name(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    let url = Url::parse(&format!("https://{name}/"));
    name.chars().all(is_letter) && url.is_ok_and(|url| url.domain().is_some())
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

#[cfg(test)]
mod tests {
    use super::*;
    use ocf::environment::Environment;
    use ocf::parameter::{Declared, Reader, Rigour};

    fn parameters(pairs: &[(&str, &str)]) -> Parameters {
        let named = pairs.iter().map(|(name, value)| (format!("OCF_RESKEY_{name}"), *value));
        let environment: Environment = named.collect();
        Parameters::read(&mut Reader::new(&environment, Rigour::Strict)).unwrap()
    }

    fn settings(address: Option<&str>, is_https: bool) -> Settings {
        let address = address.map(|address| address.parse().unwrap());
        let listens = vec![Listen { address, port: 8088, is_https }];
        let (status, name) = (Some("/server-status".to_owned()), Some("www.example".to_owned()));
        Settings { listens, status, name, ..Settings::default() }
    }

    fn show(target: &Target) -> String {
        format!("{} {:?} {}", target.url, target.addresses, target.is_verified)
    }

    #[test]
    fn the_status_page_follows_from_where_the_server_listens() {
        let (v4, v6) = ("127.0.0.1:8088", "[::1]:8088");
        for (address, host, addresses) in [
            (None, "localhost", format!("[{v4}, {v6}]")),
            (Some("0.0.0.0"), "localhost", format!("[{v4}]")),
            (Some("::"), "localhost", format!("[{v6}]")),
            (Some("::1"), "[::1]", format!("[{v6}]")),
            (Some("10.0.0.5"), "10.0.0.5", "[10.0.0.5:8088]".to_owned()),
        ] {
            let target = status(&parameters(&[]), &settings(address, false)).unwrap();
            let wanted = format!("http://{host}:8088/server-status {addresses} false");
            assert_eq!(show(&target), wanted);
            let target = status(&parameters(&[]), &settings(address, true)).unwrap();
            let wanted = format!("https://www.example:8088/server-status {addresses} false");
            assert_eq!(show(&target), wanted);
        }
    }

    #[test]
    fn use_ipv6_asks_it_first() {
        let six = parameters(&[("use_ipv6", "true")]);
        let target = status(&six, &settings(None, false)).unwrap();
        assert_eq!(format!("{:?}", target.addresses), "[[::1]:8088, 127.0.0.1:8088]");
        let target = status(&six, &settings(Some("127.0.0.1"), false)).unwrap();
        assert_eq!(format!("{:?}", target.addresses), "[127.0.0.1:8088]");
    }

    #[test]
    fn a_name_that_no_url_takes_is_none() {
        for name in ["*", "a b", "", "x/y", "me@x", "10.0.0.5", "_default_:443", "x:1"] {
            let settings = Settings { name: Some(name.to_owned()), ..settings(None, true) };
            let target = status(&parameters(&[]), &settings).unwrap();
            assert_eq!(target.url.host_str(), Some("localhost"), "{name}");
        }
    }

    #[test]
    fn what_somebody_wrote_is_verified() {
        let given = parameters(&[("statusurl", "me:word@www.example/x y?z")]);
        let target = status(&given, &settings(None, true)).unwrap();
        assert_eq!(show(&target), "http://me:word@www.example/x%20y?z [] true");
        let target = test("url", "x y", &given, &settings(None, false)).unwrap();
        assert!(target.url.as_str().ends_with(":8088/x%20y") && !target.is_verified);
        assert!(test("url", "https://h/", &given, &settings(None, false)).unwrap().is_verified);
    }

    #[test]
    fn a_path_that_looks_like_a_host_stays_a_path() {
        let nobody = parameters(&[]);
        for path in ["//evil.example/x", "@evil.example/", ":80/", "/a/../b", "?x", "#x"] {
            let target = test("url", path, &nobody, &settings(None, false)).unwrap();
            assert_eq!(target.url.host_str(), Some("localhost"), "{path}: {}", target.url);
            assert_eq!(target.url.port(), Some(8088), "{path}: {}", target.url);
        }
    }
}
