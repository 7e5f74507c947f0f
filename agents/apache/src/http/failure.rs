// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Why there is no answer: in which phase it happened, at which URL, and the cause with its remedy.

use super::tls;
use ocf::deadline::Deadline;
use ocf::error::{Error, describe};
use reqwest::Url;
use std::fmt::{self, Display};
use std::io;
use std::time::Duration;

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
    /// Whether there was no way to it at once.
    pub(super) is_unreached: bool,
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

impl Failure {
    pub(super) fn of(url: &Url, phase: Phase, cause: String, is_final: bool) -> Self {
        Self { url: shown(url), phase, cause, is_final, is_refusal: false, is_unreached: false }
    }
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

pub(super) fn late(url: &Url, phase: Phase, deadline: &Deadline) -> Failure {
    let cause = format!("nothing came within {:.1} s", deadline.used().as_secs_f64());
    Failure::of(url, phase, cause, true)
}

/// Why a question wasn't answered.
pub(super) fn explain(
    url: &Url,
    error: &reqwest::Error,
    has_begun: bool,
    patience: Duration,
) -> Failure {
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
    let is_unreached = !has_begun && !error.is_timeout();
    Failure { is_refusal, is_unreached, ..Failure::of(url, phase, cause, true) }
}

/// The error behind all others: those before it only say that there is one.
pub(super) fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.downcast_ref::<io::Error>().map_or_else(|| last.to_string(), describe)
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
