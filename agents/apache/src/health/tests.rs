// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is judged how, by small real servers. The names begin with the rows of the survey of the shell agent.

mod clients;
mod level0;
mod level10;
mod server;
mod strict;
mod unwell;

use crate::Parameters;
use crate::settings::{Listen, Settings};
use ocf::deadline::Deadline;
use ocf::environment::Environment;
use ocf::parameter::{Declared, Reader, Rigour};
use ocf::{Context, Error};
use server::Server;
use std::time::{Duration, Instant};

const HTML: &[u8] = b"<html><body>\nIt works!\n</body></HTML >\n";

/// A monitor that may take so many seconds.
fn context_of(seconds: u64, level: &str) -> Context {
    let environment: Environment = [("OCF_CHECK_LEVEL", level)].into_iter().collect();
    let timeout = Duration::from_secs(seconds);
    let mut context = Context::of("monitor", timeout, environment).expect("a good environment");
    context.deadline = Deadline::since(Instant::now(), timeout);
    context
}

fn parameters(pairs: &[(&str, &str)]) -> Parameters {
    let named = pairs.iter().map(|(name, value)| (format!("OCF_RESKEY_{name}"), *value));
    let environment: Environment = named.collect();
    Parameters::read(&mut Reader::new(&environment, Rigour::Strict)).expect("good parameters")
}

/// The settings of a server whose configuration has this one listener.
fn listening(server: &Server, status: Option<&str>) -> Settings {
    let listen =
        Listen { address: Some(server.address.ip()), port: server.address.port(), is_https: false };
    let status = status.map(str::to_owned);
    Settings { listens: vec![listen], status, ..Settings::default() }
}

/// A monitor of a status page by its URL.
fn by_url(url: &str) -> Result<(), Error> {
    super::level0(&parameters(&[("statusurl", url)]), &Settings::default(), &context_of(20, ""))
}

/// A monitor with nothing configured.
fn by_settings(server: &Server, status: Option<&str>) -> Result<(), Error> {
    super::level0(&parameters(&[]), &listening(server, status), &context_of(20, ""))
}

/// The sentence of a failure that holds these words.
fn reason(judged: Result<(), Error>, words: &[&str]) -> String {
    let reason = judged.expect_err("unwell").reason.into_owned();
    for word in words {
        assert!(reason.contains(word), "{word:?} is not in {reason:?}");
    }
    assert!(reason.len() <= 128, "{} bytes: {reason}", reason.len());
    reason
}
