// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which Engine is meant: the one that the `docker` command would talk to with the same environment,
//! `DOCKER_HOST` before `DOCKER_CONTEXT` before the current context of `config.json`.
//!
//! A monitor passes here: with nothing set this costs one look for `config.json`, and certificates
//! are read only for an Engine that wants them. What can't be understood is an error of kind
//! *generic*, never *args*: a probe that can't look must not say that nothing runs.

mod address;
mod context;
mod tls;

pub(crate) use address::Address;
pub(super) use tls::explain as explain_tls;

use super::{Answer, Failure};
use crate::configuration::{self, Configuration};
use bollard::{BollardRequest, ClientVersion, Docker};
use ocf::environment::Environment;
use ocf::{Error, Result};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where an Engine listens when nobody says otherwise.
const SOCKET: &str = "/var/run/docker.sock";

/// Where an Engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// A socket on this host.
    Unix(PathBuf),
    /// An address, in the clear.
    Tcp(Address),
    /// An address, with TLS.
    Tls(Address, Material),
}

/// What TLS needs, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Material {
    /// The directory of `ca.pem`, `cert.pem` and `key.pem`.
    pub(crate) directory: PathBuf,
    /// Whether the Engine has to prove who it is.
    pub(crate) is_verified: bool,
    /// Whether `ca.pem` has to be there; otherwise the host's own authorities do.
    pub(crate) needs_authority: bool,
}

impl Endpoint {
    /// The endpoint that the environment names.
    ///
    /// # Errors
    /// When it names none that we can talk to.
    pub(crate) fn find(environment: &Environment) -> Result<Self> {
        if let Some(host) = text(environment, "DOCKER_HOST")? {
            return Self::parse(host.trim(), "DOCKER_HOST", tls_of(environment));
        }
        let (name, source) = match text(environment, "DOCKER_CONTEXT")? {
            Some(name) => (name.to_owned(), "DOCKER_CONTEXT".to_owned()),
            None => {
                let configuration = Configuration::of(environment);
                let name = configuration.value.get("currentContext");
                let name = name.and_then(serde_json::Value::as_str).unwrap_or_default();
                (name.to_owned(), format!("currentContext of {}", configuration.file.display()))
            }
        };
        if matches!(name.as_str(), "" | "default") {
            return Self::parse("", "DOCKER_HOST", tls_of(environment));
        }
        let context = context::find(&configuration::directory(environment), &name, &source)?;
        Self::parse(&context.host, &format!("docker context {name}"), context.material)
    }

    /// A host as the `docker` command takes it: `unix:///a/socket`, `tcp://a.host:2375/prefix`, a
    /// path, or `a.host:2375`; empty is the default one. `source` is what named it.
    fn parse(host: &str, source: &str, material: Option<Material>) -> Result<Self> {
        let is_path = host.starts_with('/') || host.starts_with("./");
        let (scheme, rest) = match host.split_once("://") {
            Some((scheme, rest)) => (scheme, rest),
            None if host.is_empty() && material.is_none() => ("unix", SOCKET),
            None if host.is_empty() => ("tcp", "localhost:2376"),
            None => (if is_path { "unix" } else { "tcp" }, host),
        };
        match scheme {
            "unix" if rest.contains("://") => {
                Err(misread(source, "a socket's path holds a scheme"))
            }
            // A socket has no use for certificates: whoever may open it may do everything.
            "unix" if rest.is_empty() => Ok(Self::Unix(PathBuf::from(SOCKET))),
            "unix" => Ok(Self::Unix(PathBuf::from(rest))),
            "tcp" => {
                let address = Address::parse(rest).map_err(|why| misread(source, why))?;
                Ok(match material {
                    None => Self::Tcp(address),
                    Some(material) => Self::Tls(address, material),
                })
            }
            // Of a context the docker command takes these, and means an address by them.
            "http" | "https" if source != "DOCKER_HOST" => {
                Self::parse(&format!("tcp://{rest}"), source, material)
            }
            "http" | "https" => Err(misread(source, "write tcp:// for http:// and https://")),
            "ssh" => {
                Err(misread(source, "ssh:// is not for a resource agent: use a socket, or TLS"))
            }
            "npipe" | "fd" => {
                Err(misread(source, "only unix:// and tcp:// lead to an Engine here"))
            }
            _ => Err(misread(source, "write unix:///a/socket or tcp://host:port")),
        }
    }

    /// The socket, when the Engine is on this host: what it runs can then be looked at without it.
    pub(crate) fn socket(&self) -> Option<&Path> {
        match self {
            Self::Unix(path) => Some(path),
            Self::Tcp(_) | Self::Tls(..) => None,
        }
    }

    /// A client of it that speaks one version of the API; nothing is sent yet.
    ///
    /// # Errors
    /// When it can't be made, for want of a certificate say.
    pub(super) fn connect(&self, seconds: u64, version: &ClientVersion) -> Answer<Docker> {
        let below = format!("{}/v{version}", self.prefix());
        Ok(place_below(below, self.client(seconds, version)?))
    }

    /// A client that names no version, as the question for the Engine's versions has to be asked.
    ///
    /// # Errors
    /// As `connect`.
    pub(super) fn connect_to_negotiate(&self, seconds: u64) -> Answer<Docker> {
        let client = self.client(seconds, bollard::API_DEFAULT_VERSION)?;
        Ok(match self.prefix() {
            "" => client,
            prefix => place_below(prefix.to_owned(), client),
        })
    }

    fn client(&self, seconds: u64, version: &ClientVersion) -> Answer<Docker> {
        let failed = |error| Failure::of(error, Duration::ZERO);
        match self {
            Self::Unix(path) => {
                let path = path.to_string_lossy();
                Docker::connect_with_unix(&path, seconds, version).map_err(failed)
            }
            Self::Tcp(address) => {
                Docker::connect_with_http(&address.authority(), seconds, version).map_err(failed)
            }
            Self::Tls(address, material) => {
                let url = format!("https://{}", address.authority());
                tls::connect(&url, material, seconds, version).map_err(Failure::Unusable)
            }
        }
    }

    /// What stands before every path.
    fn prefix(&self) -> &str {
        match self {
            Self::Unix(_) => "",
            Self::Tcp(address) | Self::Tls(address, _) => address.prefix(),
        }
    }
}

/// The client, with what bollard (0.21) gets wrong put right. It loses both an address's own path and
/// the version, and without a version an Engine speaks its newest, which nobody has agreed to. And it
/// encodes credentials for a registry in an alphabet that the Engine doesn't read: one that cannot be
/// read counts as none, so some passwords would never work.
fn place_below(prefix: String, client: Docker) -> Docker {
    client.with_request_modifier(move |mut request: BollardRequest| {
        let mut parts = request.uri().clone().into_parts();
        let path = parts.path_and_query.as_ref().map(ToString::to_string).unwrap_or_default();
        parts.path_and_query = format!("{prefix}{path}").parse().ok();
        if let Ok(uri) = parts.try_into() {
            *request.uri_mut() = uri;
        }
        if let Some(value) = request.headers_mut().get_mut("X-Registry-Auth") {
            let readable = value.to_str().map(|text| text.replace('+', "-").replace('/', "_"));
            if let Some(mut readable) = readable.ok().and_then(|text| text.parse().ok()) {
                std::mem::swap(value, &mut readable);
                value.set_sensitive(true);
            }
        }
        request
    })
}

/// `DOCKER_API_VERSION`: what to speak, without asking the Engine.
///
/// # Errors
/// When it is set, and is no version.
pub(crate) fn fixed_version(environment: &Environment) -> Result<Option<&str>> {
    let Some(text) = text(environment, "DOCKER_API_VERSION")? else { return Ok(None) };
    let version = text.strip_prefix('v').unwrap_or(text);
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let is_version = version.split_once('.').is_some_and(|(a, b)| is_number(a) && is_number(b));
    let sentence = "DOCKER_API_VERSION is no version of the API: write one as 1.41, or unset it";
    is_version.then_some(Some(version)).ok_or_else(|| Error::generic(sentence))
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "{}", path.display()),
            Self::Tcp(address) | Self::Tls(address, _) => write!(f, "tcp://{address}"),
        }
    }
}

/// The error of a setting; its value isn't in it: it may hold a password.
fn misread(source: &str, remedy: &str) -> Error {
    Error::generic(format!("{source} names no Docker Engine that can be asked: {remedy}"))
}

/// A variable's text, where it is set and not empty.
fn text<'a>(environment: &'a Environment, name: &str) -> Result<Option<&'a str>> {
    let Some(value) = environment.filled(name) else { return Ok(None) };
    let value = value.to_str();
    value.map(Some).ok_or_else(|| Error::generic(format!("{name} is no text (UTF-8)")))
}

/// TLS as the environment wants it. Any value at all turns it on, "0" too: that is how the `docker`
/// command reads these variables.
fn tls_of(environment: &Environment) -> Option<Material> {
    let is_set = |name: &str| environment.filled(name).is_some();
    let is_verified = is_set("DOCKER_TLS_VERIFY");
    (is_verified || is_set("DOCKER_TLS")).then(|| Material {
        directory: environment
            .filled("DOCKER_CERT_PATH")
            .map_or_else(|| configuration::directory(environment), PathBuf::from),
        is_verified,
        needs_authority: true,
    })
}

#[cfg(test)]
mod tests;
