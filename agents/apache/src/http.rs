// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One question to a server: HTTP/1.1, on this thread, inside a deadline, never through a proxy, with a
//! limit to what is read. A failure says in which phase it happened, and shows the URL without its login
//! and its query: both may hold secrets.

mod failure;
mod source;
mod tls;

pub(crate) use failure::{Failure, shown};

use crate::target::Target;
use failure::{Phase, deepest, explain, late};
use ocf::deadline::Deadline;
use ocf::error::describe;
use reqwest::header::{CONNECTION, HeaderMap, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use reqwest::{Client, Method, Response, StatusCode, Url};
use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::Duration;
use tls::Handshake;

/// What is read of a page at most, in bytes.
pub(crate) const LARGEST: usize = 8 * 1024 * 1024;

/// How many headers an answer may have.
const MOST_HEADERS: usize = 256;

/// How often a server may send us elsewhere.
const HOPS: usize = 50;

/// What of the time that is left other servers may take, in percent.
const SHARE_OF_OTHERS: u32 = 75;

/// Who asks.
const AGENT: &str = "ocf-heartbeat-apache";

/// A question.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    method: Method,
    target: Target,
    login: Option<Login>,
}

/// Who asks, where a test says so.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    /// The user.
    pub(crate) user: String,
    /// The user's password.
    pub(crate) password: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Page {
    /// Where it came from, fit to be shown.
    pub(crate) url: String,
    /// The status (RFC 9110, section 15).
    pub(crate) status: u16,
    /// What it wants of who asks, where the status is 401.
    pub(crate) wish: Wish,
    /// The body, as far as it was read.
    pub(crate) body: Vec<u8>,
    /// Whether that is all of it.
    pub(crate) is_whole: bool,
}

/// What a server wants that doesn't show its page (RFC 9110, section 11).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Wish {
    /// A login, and there was none.
    #[default]
    Login,
    /// Another login.
    OtherLogin,
    /// A login in another way than `Basic`.
    OtherWay,
}

impl Question {
    /// A page.
    pub(crate) const fn get(target: Target) -> Self {
        Self { method: Method::GET, target, login: None }
    }

    /// The head of a page.
    pub(crate) const fn head(target: Target) -> Self {
        Self { method: Method::HEAD, target, login: None }
    }

    /// The same, asked by somebody.
    pub(crate) fn with_login(self, login: Option<Login>) -> Self {
        Self { login, ..self }
    }

    /// What a server still wants that offers these ways.
    fn wish(&self, headers: &HeaderMap) -> Wish {
        let offers = |way: &HeaderValue| {
            let way = String::from_utf8_lossy(way.as_bytes()).to_ascii_lowercase();
            way.split(',').any(|part| part.trim_start().starts_with("basic"))
        };
        let mut ways = headers.get_all(WWW_AUTHENTICATE).iter().peekable();
        let has_login = self.login.is_some() || !self.target.url.username().is_empty();
        match has_login {
            false => Wish::Login,
            true if ways.peek().is_some() && !ways.any(offers) => Wish::OtherWay,
            true => Wish::OtherLogin,
        }
    }

    /// The same of another page. A login is for the server that it was written for, and no other.
    fn of(&self, url: Url) -> Self {
        let is_same = url.origin() == self.target.url.origin();
        let mut target = if is_same { self.target.clone() } else { Target::given(url.clone()) };
        let login = self.login.clone().filter(|_| is_same);
        let (user, password) = (self.target.url.username(), self.target.url.password());
        target.url = url;
        if is_same && target.url.username().is_empty() {
            // Only a URL that has no host can't take them.
            let _is_taken =
                target.url.set_username(user).is_ok() && target.url.set_password(password).is_ok();
        }
        Self { method: self.method.clone(), target, login }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}

/// Asks, and follows where it is sent.
///
/// # Errors
/// There is no whole answer; a page that is larger than what is read is one.
pub(crate) fn fetch(question: &Question, deadline: &Deadline) -> Result<Page, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
    let runtime = runtime.map_err(|error| {
        Failure::of(&question.target.url, Phase::Connect, describe(&error), false)
    })?;
    let page = runtime.block_on(follow(question, deadline));
    // A resolver may still be at work; nobody waits for it.
    runtime.shutdown_background();
    page
}

async fn follow(question: &Question, deadline: &Deadline) -> Result<Page, Failure> {
    let (mut question, mut deadline) = (question.clone(), deadline.clone());
    let home = question.target.url.origin();
    for hop in 0..=HOPS {
        let asked = ask(&question, &deadline).await;
        // What is elsewhere says nothing about this server.
        let response = asked.map_err(|mut failure| {
            failure.is_final &= hop == 0;
            failure
        })?;
        let is_elsewhere = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
        let to = response.headers().get(LOCATION).filter(|_| is_elsewhere).cloned();
        let Some(to) = to.filter(|_| question.method != Method::HEAD) else {
            return read(&question, response, &deadline).await;
        };
        let was_home = question.target.url.origin() == home;
        question = question.of(elsewhere(&question.target.url, &to)?);
        if was_home && question.target.url.origin() != home {
            // Another server may take its time, but leaves some to ask this one once more.
            deadline = deadline.within(deadline.left() * SHARE_OF_OTHERS / 100);
        }
    }
    let cause = format!("more than {HOPS} redirections");
    Err(Failure::of(&question.target.url, Phase::Redirect, cause, false))
}

/// Where a server sends us.
fn elsewhere(url: &Url, to: &HeaderValue) -> Result<Url, Failure> {
    let wrong = |cause: &str| Failure::of(url, Phase::Redirect, cause.to_owned(), false);
    let bytes = to.as_bytes();
    // Of another encoding than UTF-8 nothing is known, and every byte stays what it is.
    let escaped = |byte: &u8| match byte {
        0x80.. => format!("%{byte:02X}"),
        _ => char::from(*byte).to_string(),
    };
    let to = std::str::from_utf8(bytes)
        .map_or_else(|_| bytes.iter().map(escaped).collect(), str::to_owned);
    let to = url.join(&to).map_err(|_| wrong("its location is no URL"))?;
    match to.scheme() {
        "http" | "https" => Ok(to),
        _ => Err(wrong("its location is neither http nor https")),
    }
}

/// Asks, until the answer begins: of this host from its loopback, as the shell agent's clients do, because a
/// status page is often for that only; and as the kernel has it where that isn't let in.
async fn ask(question: &Question, deadline: &Deadline) -> Result<Response, Failure> {
    let addresses = resolve(&question.target, deadline).await?;
    let source = source::find(&addresses);
    let first = send(question, &addresses, source, deadline).await;
    let is_in_vain = match &first {
        Ok(response) => response.status() == StatusCode::FORBIDDEN,
        Err(failure) => failure.is_unreached,
    };
    if source.is_none() || !is_in_vain {
        return first;
    }
    let second = send(question, &addresses, None, deadline).await;
    if second.is_ok() || first.is_err() { second } else { first }
}

/// Asks once, until the answer begins.
async fn send(
    question: &Question,
    addresses: &[SocketAddr],
    source: Option<IpAddr>,
    deadline: &Deadline,
) -> Result<Response, Failure> {
    let url = &question.target.url;
    // Half of the time: a server that takes connections gets the other half to answer.
    let patience = deadline.left() / 2;
    let handshake = Handshake::default();
    let client = client(&question.target, (addresses, source), patience, &handshake)?;
    let mut request = client.request(question.method.clone(), url.clone());
    if let Some(login) = &question.login {
        request = request.basic_auth(&login.user, Some(&login.password));
    }
    let sent = in_time(deadline, request.send()).await;
    match sent {
        None => Err(late(url, Phase::FirstByte, deadline)),
        Some(Ok(response)) => Ok(response),
        Some(Err(error)) => Err(explain(url, &error, handshake.has_begun(), patience)),
    }
}

/// The addresses of a URL's host.
async fn resolve(target: &Target, deadline: &Deadline) -> Result<Vec<SocketAddr>, Failure> {
    let url = &target.url;
    if !target.addresses.is_empty() {
        return Ok(target.addresses.clone());
    }
    let port = url.port_or_known_default().unwrap_or_default();
    let Some(name) = url.domain() else {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        return Ok(host.parse().map(|host| SocketAddr::new(host, port)).into_iter().collect());
    };
    if name.eq_ignore_ascii_case("localhost") {
        return Ok(vec![
            ([127, 0, 0, 1], port).into(),
            (std::net::Ipv6Addr::LOCALHOST, port).into(),
        ]);
    }
    let asked = (name.to_owned(), port);
    let found = tokio::task::spawn_blocking(move || asked.to_socket_addrs());
    match in_time(deadline, found).await {
        None => Err(late(url, Phase::Resolve, deadline)),
        Some(Ok(Ok(addresses))) => Ok(addresses.collect()),
        Some(Ok(Err(_)) | Err(_)) => {
            let cause = format!("{name} has no address: name a host that this one knows");
            Err(Failure::of(url, Phase::Resolve, cause, true))
        }
    }
}

fn client(
    target: &Target,
    (addresses, source): (&[SocketAddr], Option<IpAddr>),
    patience: Duration,
    handshake: &Handshake,
) -> Result<Client, Failure> {
    let wrong = |cause: String| Failure::of(&target.url, Phase::Tls, cause, true);
    let is_https = target.url.scheme() == "https";
    let tls = tls::configuration(is_https, target.is_verified, handshake).map_err(wrong)?;
    let mut builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .tcp_nodelay(is_https)
        .tcp_keepalive(None)
        .tcp_keepalive_interval(None)
        .tcp_keepalive_retries(None)
        .tcp_user_timeout(None)
        .pool_max_idle_per_host(0)
        .default_headers(HeaderMap::from_iter([(CONNECTION, HeaderValue::from_static("close"))]))
        .user_agent(AGENT)
        .local_address(source)
        .http1_max_headers(MOST_HEADERS)
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_ignore_invalid_headers_in_responses(true)
        .connect_timeout(patience);
    if let Some(name) = target.url.domain() {
        builder = builder.resolve_to_addrs(name, addresses);
    }
    builder.build().map_err(|error| wrong(deepest(&error)))
}

/// Reads a page to its end, or to the limit.
async fn read(
    question: &Question,
    mut response: Response,
    deadline: &Deadline,
) -> Result<Page, Failure> {
    let url = &question.target.url;
    let status = response.status().as_u16();
    let wish = question.wish(response.headers());
    let (mut body, mut is_whole) = (Vec::new(), false);
    while !is_whole && body.len() < LARGEST {
        match in_time(deadline, response.chunk()).await {
            None => return Err(late(url, Phase::Body, deadline)),
            Some(Err(error)) => {
                let cause = format!("{} after {} bytes", deepest(&error), body.len());
                return Err(Failure::of(url, Phase::Body, cause, false));
            }
            Some(Ok(Some(bytes))) => body.extend_from_slice(&bytes),
            Some(Ok(None)) => is_whole = true,
        }
    }
    if !is_whole {
        cut(&mut body);
    }
    Ok(Page { url: shown(url), status, wish, body, is_whole })
}

/// Takes away the line that isn't whole: it might match as it wouldn't otherwise.
pub(crate) fn cut(body: &mut Vec<u8>) {
    body.truncate(LARGEST);
    let end = body.iter().rposition(|byte| *byte == b'\n');
    body.truncate(end.map_or(body.len(), |end| end + 1));
}

/// What comes before the deadline.
async fn in_time<T>(deadline: &Deadline, what: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(deadline.left(), what).await.ok()
}
