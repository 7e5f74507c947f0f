// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A stand-in for the Engine that records: it answers what `docker run -d` asks, makes no container, and
//! keeps the requests to make one.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// One request to make a container: the query, and the body.
pub(crate) type Request = (String, Value);

/// The stand-in; it listens as long as the test runs.
#[derive(Debug)]
pub(crate) struct StandIn {
    requests: Arc<Mutex<Vec<Request>>>,
}

impl StandIn {
    /// Listens on a socket.
    pub(crate) fn listen(socket: &Path) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || serve(stream, &kept));
            }
        });
        Self { requests }
    }

    /// The requests since the last call.
    pub(crate) fn take(&self) -> Vec<Request> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }
}

fn serve(stream: UnixStream, requests: &Mutex<Vec<Request>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    let Some((line, body)) = read(&mut reader) else { return };
    let mut parts = line.split(' ');
    let (method, target) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (status, answer) = if path.ends_with("/_ping") {
        ("200 OK", "OK".to_owned())
    } else if path.ends_with("/containers/create") {
        requests.lock().unwrap().push((query.to_owned(), serde_json::from_slice(&body).unwrap()));
        ("201 Created", format!("{{\"Id\":\"{}\",\"Warnings\":[]}}", "a".repeat(64)))
    } else if path.ends_with("/start") {
        ("204 No Content", String::new())
    } else if path.ends_with("/wait") {
        ("200 OK", "{\"StatusCode\":0}".to_owned())
    } else if path.ends_with("/images/create") {
        ("200 OK", "{\"status\":\"done\"}".to_owned())
    } else {
        // /info and /version.
        ("200 OK", "{\"OSType\":\"linux\",\"Os\":\"linux\",\"ApiVersion\":\"1.52\"}".to_owned())
    };
    let body = if method == "HEAD" { "" } else { answer.as_str() };
    let head = format!(
        "HTTP/1.1 {status}\r\nApi-Version: 1.52\r\nOstype: linux\r\nBuilder-Version: 2\r\n\
         Docker-Experimental: false\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        answer.len()
    );
    // A client that has gone hears nothing; the test sees that by what is missing.
    let _ = writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(body.as_bytes()));
}

/// The line of a request, and its body.
fn read(reader: &mut BufReader<UnixStream>) -> Option<(String, Vec<u8>)> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|count| *count > 0)?;
    let (mut length, mut is_chunked) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let lower = line.trim().to_ascii_lowercase();
        if lower.is_empty() {
            break;
        }
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        is_chunked |= lower == "transfer-encoding: chunked";
    }
    let mut body = Vec::new();
    if is_chunked {
        while let Some(chunk) = chunk(reader) {
            body.extend(chunk);
        }
    } else {
        body.resize(length, 0);
        reader.read_exact(&mut body).ok()?;
    }
    Some((first, body))
}

fn chunk(reader: &mut BufReader<UnixStream>) -> Option<Vec<u8>> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let length = usize::from_str_radix(line.trim(), 16).ok()?;
    let mut chunk = vec![0; length + 2];
    reader.read_exact(&mut chunk).ok()?;
    chunk.truncate(length);
    (length > 0).then_some(chunk)
}
