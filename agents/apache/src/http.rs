// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One question to a server: HTTP/1.1, on this thread, inside a deadline, never through a proxy, with a
//! limit to what is read. A failure says in which phase it happened, and shows the URL without its login
//! and its query: both may hold secrets.

mod tls;

use crate::target::Target;
use ocf::deadline::Deadline;
use ocf::error::{Error, describe};
use reqwest::header::{CONNECTION, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Client, Method, Response, Url};
use std::fmt::{self, Display};
use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;
use tls::Handshake;

/// What is read of a page at most, in bytes.
const LARGEST: usize = 8 * 1024 * 1024;

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
    /// The body, as far as it was read.
    pub(crate) body: Vec<u8>,
    /// Whether that is all of it.
    pub(crate) is_whole: bool,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct Failure {
    url: String,
    phase: Phase,
    cause: String,
    /// Whether another question to the same server is in vain: it can't be reached, or let the time pass.
    pub(crate) is_final: bool,
    /// Whether it refused us in the words of TLS, as one does that wants a client's certificate.
    pub(crate) is_refusal: bool,
}

/// How far a question came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The host's name becomes addresses.
    Resolve,
    /// A connection is made.
    Connect,
    /// The server proves who it is.
    Tls,
    /// The answer begins.
    FirstByte,
    /// The answer ends.
    Body,
    /// The server sends us elsewhere.
    Redirect,
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
        let response = asked.map_err(|f| Failure { is_final: f.is_final && hop == 0, ..f })?;
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
    let to = std::str::from_utf8(to.as_bytes()).map_err(|_| wrong("its location is no text"))?;
    let to = url.join(to).map_err(|_| wrong("its location is no URL"))?;
    match to.scheme() {
        "http" | "https" => Ok(to),
        _ => Err(wrong("its location is neither http nor https")),
    }
}

/// Asks once, until the answer begins.
async fn ask(question: &Question, deadline: &Deadline) -> Result<Response, Failure> {
    let url = &question.target.url;
    let addresses = resolve(&question.target, deadline).await?;
    // Half of the time: a server that takes connections gets the other half to answer.
    let patience = deadline.left() / 2;
    let handshake = Handshake::default();
    let client = client(&question.target, &addresses, patience, &handshake)?;
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

/// The addresses of a host whose name says nothing: none where reqwest needs none.
async fn resolve(target: &Target, deadline: &Deadline) -> Result<Vec<SocketAddr>, Failure> {
    let url = &target.url;
    let Some(name) = url.domain() else { return Ok(target.addresses.clone()) };
    if !target.addresses.is_empty() {
        return Ok(target.addresses.clone());
    }
    let port = url.port_or_known_default().unwrap_or_default();
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
    addresses: &[SocketAddr],
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
        // A line that isn't whole might match as it wouldn't otherwise.
        body.truncate(LARGEST);
        let end = body.iter().rposition(|byte| *byte == b'\n');
        body.truncate(end.map_or(body.len(), |end| end + 1));
    }
    Ok(Page { url: shown(url), status, body, is_whole })
}

/// What comes before the deadline.
async fn in_time<T>(deadline: &Deadline, what: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(deadline.left(), what).await.ok()
}

fn late(url: &Url, phase: Phase, deadline: &Deadline) -> Failure {
    let cause = format!("nothing came within {:.1} s", deadline.used().as_secs_f64());
    Failure::of(url, phase, cause, true)
}

/// Why a question wasn't answered.
fn explain(url: &Url, error: &reqwest::Error, has_begun: bool, patience: Duration) -> Failure {
    let is_refusal = tls::is_refusal(error);
    if !error.is_connect() {
        let cause = tls::find_cause(error).unwrap_or_else(|| deepest(error));
        return Failure { is_refusal, ..Failure::of(url, Phase::FirstByte, cause, false) };
    }
    let phase = if has_begun { Phase::Tls } else { Phase::Connect };
    let cause = if error.is_timeout() {
        format!("nothing came within {:.1} s", patience.as_secs_f64())
    } else {
        tls::find_cause(error).unwrap_or_else(|| deepest(error))
    };
    Failure { is_refusal, ..Failure::of(url, phase, cause, true) }
}

/// The error behind all others: those before it only say that there is one.
fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.downcast_ref::<io::Error>().map_or_else(|| last.to_string(), describe)
}

/// A URL without its login, its query and its fragment, cut where it is long.
pub(crate) fn shown(url: &Url) -> String {
    const LONGEST: usize = 56;
    let mut url = url.clone();
    // Only a URL that has no host can't lose them, and that is none of ours.
    let _is_gone = url.set_username("").is_ok() && url.set_password(None).is_ok();
    url.set_query(None);
    url.set_fragment(None);
    let text = String::from(url);
    match text.get(..LONGEST) {
        Some(start) if text.len() > LONGEST => format!("{start}..."),
        _ => text,
    }
}

impl Failure {
    fn of(url: &Url, phase: Phase, cause: String, is_final: bool) -> Self {
        Self { url: shown(url), phase, cause, is_final, is_refusal: false }
    }
}

impl Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "no address",
            Self::Connect => "no connection",
            Self::Tls => "no TLS",
            Self::FirstByte => "no answer",
            Self::Body => "no whole answer",
            Self::Redirect => "no page",
        })
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.url, self.phase, self.cause)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::generic(failure.to_string())
    }
}
