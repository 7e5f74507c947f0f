// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Asks a web server for its page without a pause until it is told to end (TERM), and tells when it was
//! answered and when not. It runs on the third host of the lab, see [`lab::asking`].
//!
//! Its argument is `ADDRESS:PORT`. A line begins with the milliseconds since the first question.

use lab::asking::{DOWN, END, UP, page};
use lab::signals::Signals;
use lab::{Error, Result};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(20);

/// A server that doesn't answer within this time doesn't answer.
const LIMIT: Duration = Duration::from_millis(300);

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
    let address = std::env::args().nth(1).unwrap_or_default();
    let address =
        address.parse().map_err(|_| Error::new(format!("'{address}' is no ADDRESS:PORT")))?;
    let start = Instant::now();
    let (mut before, mut last_up, mut asked) = (None, 0, 0_u64);
    while signals.pause(PAUSE).is_ok() {
        let page = ask(address);
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

/// The first line of the page; `None` for anything but an answer with code 200.
fn ask(address: SocketAddr) -> Option<String> {
    page(TcpStream::connect_timeout(&address, LIMIT).ok()?, LIMIT)
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
