// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the fence agent on a node and the fence device outside say to each other.
//!
//! One connection to a Unix socket is one request: a line `<action> <host> from <asker>`, and
//! a line in answer, `ok`, `on`, `off`, names of hosts, or `error: <sentence>`.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Where a node finds the device's socket.
pub const SOCKET_ON_NODE: &str = "/opt/fence-device/socket";

/// How long either side waits for the other. A reboot takes a few seconds.
pub const LIMIT: Duration = Duration::from_secs(60);

/// The longest line.
const LONGEST: u64 = 4096;

/// What is asked of the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `on`, `off`, `reboot`, `status` or `list`.
    pub action: String,
    /// The host it is about; `-` for none.
    pub host: String,
    /// The host that asks.
    pub asker: String,
}

impl Request {
    /// Reads a request's line.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let words: Vec<_> = line.split_whitespace().collect();
        match words.as_slice() {
            [action, host, "from", asker] => Some(Self {
                action: (*action).to_owned(),
                host: (*host).to_owned(),
                asker: (*asker).to_owned(),
            }),
            _ => None,
        }
    }

    fn line(&self) -> String {
        format!("{} {} from {}\n", self.action, self.host, self.asker)
    }

    /// Asks the device and gives its answer.
    ///
    /// # Errors
    /// One sentence: nobody listens, there is no answer in time, or the device refuses.
    pub fn ask(&self, socket: &Path) -> Result<String, String> {
        let why = |e: std::io::Error| format!("no fence device at {}: {e}", socket.display());
        let mut stream = UnixStream::connect(socket).map_err(why)?;
        stream.set_read_timeout(Some(LIMIT)).map_err(why)?;
        stream.write_all(self.line().as_bytes()).map_err(why)?;
        let answer = read_line(&stream).map_err(why)?;
        match answer.strip_prefix("error: ") {
            Some(sentence) => Err(sentence.to_owned()),
            None if answer.is_empty() => Err("the fence device went away without an answer".into()),
            None => Ok(answer),
        }
    }
}

/// Reads one line, without its end.
///
/// # Errors
/// Those of reading.
pub fn read_line(stream: &UnixStream) -> std::io::Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST)).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let request =
            Request { action: "reboot".into(), host: "node1".into(), asker: "node2".into() };
        assert_eq!(Request::parse(&request.line()), Some(request));
        for line in ["", "reboot node1", "reboot node1 by node2", "a b from c d"] {
            assert_eq!(Request::parse(line), None, "{line}");
        }
    }
}
