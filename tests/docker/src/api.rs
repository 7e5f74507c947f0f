// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The Engine's API, spoken by hand: what the tests make and look at doesn't depend on the library
//! that the agent uses.

use serde_json::Value;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// No answer takes longer, of an Engine that is neither frozen nor delayed.
const LIMIT: Duration = Duration::from_secs(60);

/// A socket at which an Engine listens.
#[derive(Debug, Clone)]
pub struct Api {
    socket: PathBuf,
}

/// An answer: the status, and the body as it came.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Answer {
    /// The body, which has to be JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

impl Api {
    #[must_use]
    pub fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// One request; the error is the socket's.
    ///
    /// # Errors
    /// Nobody listens, or nobody answers in time.
    pub fn ask(&self, method: &str, path: &str, body: &[u8]) -> std::io::Result<Answer> {
        let kind =
            if body.first() == Some(&b'{') { "application/json" } else { "application/x-tar" };
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(LIMIT))?;
        // With version 1.0 the server closes at the end, and sends no chunks.
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: engine\r\nContent-Type: {kind}\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        )?;
        stream.write_all(body)?;
        let mut all = Vec::new();
        stream.read_to_end(&mut all)?;
        parse(&all).ok_or_else(|| std::io::Error::other("no HTTP answer"))
    }

    /// A request that has to succeed.
    pub fn done(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let answer =
            self.ask(method, path, &body).unwrap_or_else(|e| panic!("{method} {path}: {e}"));
        assert!(answer.status < 400, "{method} {path}: {answer}");
        answer
    }

    /// What the Engine knows of a container; none where it knows none of this name.
    #[must_use]
    pub fn inspect(&self, name: &str) -> Option<Value> {
        let path = format!("/containers/{name}/json");
        let answer = self.ask("GET", &path, b"").unwrap_or_else(|e| panic!("{path}: {e}"));
        match answer.status {
            200 => Some(answer.json()),
            404 => None,
            _ => panic!("{path}: {answer}"),
        }
    }

    /// All containers, by name, running or not.
    #[must_use]
    pub fn containers(&self) -> Vec<String> {
        let list = self.done("GET", "/containers/json?all=1", &Value::Null).json();
        let names = list.as_array().unwrap().iter();
        names
            .map(|one| one["Names"][0].as_str().unwrap_or("?").trim_start_matches('/').to_owned())
            .collect()
    }

    /// All volumes, by name.
    #[must_use]
    pub fn volumes(&self) -> Vec<String> {
        let list = self.done("GET", "/volumes", &Value::Null).json();
        let volumes = list["Volumes"].as_array().cloned().unwrap_or_default();
        volumes.iter().map(|one| one["Name"].as_str().unwrap_or("?").to_owned()).collect()
    }
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, body: bytes[end + 4..].to_vec() })
}
