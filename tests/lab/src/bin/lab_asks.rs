// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Asks a web server for its page without a pause until it is told to end (TERM), and tells when it was
//! answered and when not. It runs on the third host of the lab, see [`lab::asking`].
//!
//! Its arguments are `ADDRESS:PORT` and how many milliseconds a server has for an answer. A line begins with the
//! milliseconds since the first question.

use lab::asking::{DOWN, END, UP, page};
use lab::signals::Signals;
use lab::{Error, Result};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("lab_asks: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let signals = Signals::catch()?;
    let (address, limit) = (argument(1, "ADDRESS:PORT")?, argument(2, "number of milliseconds")?);
    let limit = Duration::from_millis(limit);
    let start = Instant::now();
    let (mut before, mut last_up, mut asked) = (None, 0, 0_u64);
    while signals.pause(PAUSE).is_ok() {
        let page = ask(address, limit);
        let now = start.elapsed().as_millis();
        asked += 1;
        match &page {
            Some(text) if before != page => say(&format!("{now} {UP} {text}")),
            // From when on there was no answer: the last one tells, not this question's end.
            None if before.is_some() => say(&format!("{last_up} {DOWN}")),
            _ => {}
        }
        if page.is_some() {
            last_up = now;
        }
        before = page;
    }
    say(&format!("{} {END} {asked}", start.elapsed().as_millis()));
    Ok(())
}

fn argument<T: FromStr>(number: usize, what: &str) -> Result<T> {
    let text = std::env::args().nth(number).unwrap_or_default();
    text.parse().map_err(|_| Error::new(format!("'{text}' is no {what}")))
}

/// The first line of the page; `None` for anything but an answer with code 200 within the limit.
fn ask(address: SocketAddr, limit: Duration) -> Option<String> {
    page(TcpStream::connect_timeout(&address, limit).ok()?, limit)
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
