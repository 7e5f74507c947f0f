// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is no Engine, at the place where one should listen.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// What it answers to any request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Closes at once.
    Hangup,
    /// No HTTP.
    Noise,
    /// HTTP, but no JSON.
    NoJson,
    /// JSON of another kind than an Engine's.
    OtherJson,
    /// A sentence and code 500.
    Error,
    /// A head that promises more than comes, and then nothing more.
    Half,
    /// Something without end.
    Endless,
}

/// All of them.
pub const ALL: [Manner; 7] = [
    Manner::Hangup,
    Manner::Noise,
    Manner::NoJson,
    Manner::OtherJson,
    Manner::Error,
    Manner::Half,
    Manner::Endless,
];

/// A listener with bad manners, until it is dropped.
#[derive(Debug)]
pub struct Fake {
    ended: Arc<AtomicBool>,
    socket: std::path::PathBuf,
    thread: Option<JoinHandle<()>>,
}

impl Fake {
    /// Listens at a socket, in the place of what is there.
    #[must_use]
    pub fn listen(socket: &Path, manner: Manner) -> Self {
        let _may_be_there = std::fs::remove_file(socket);
        let listener = UnixListener::bind(socket).unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&ended);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), is_over) = (stream, Arc::clone(&is_over)) else { continue };
                std::thread::spawn(move || answer(stream, manner, &is_over));
            }
        });
        Self { ended, socket: socket.to_owned(), thread: Some(thread) }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // So that the listener sees it.
        let _gone = UnixStream::connect(&self.socket);
        let _ended = self.thread.take().map(JoinHandle::join);
        let _gone = std::fs::remove_file(&self.socket);
    }
}

/// Who hangs up in the middle of an answer is right to do so.
fn answer(mut stream: UnixStream, manner: Manner, is_over: &AtomicBool) {
    while manner != Manner::Hangup && has_request(&mut stream) {
        let whole = |status: &str, kind: &str, body: &str| {
            let length = body.len();
            format!(
                "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
            )
        };
        let text = match manner {
            Manner::Hangup => return,
            Manner::Noise => "220 mail.example ESMTP\r\n".to_owned(),
            Manner::NoJson => whole("200 OK", "application/json", "<html>hello</html>"),
            Manner::OtherJson => whole("200 OK", "application/json", "[{\"a\":[null,1]}]"),
            Manner::Error => whole("500 Internal Server Error", "text/plain", "it is raining"),
            Manner::Half => "HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n{\"Id\":".to_owned(),
            Manner::Endless => {
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n\"".to_owned()
            }
        };
        if stream.write_all(text.as_bytes()).is_err() || manner == Manner::Noise {
            return;
        }
        let more = [b'a'; 65536];
        while manner == Manner::Endless && !is_over.load(Ordering::SeqCst) {
            if stream.write_all(&more).is_err() {
                return;
            }
        }
    }
}

/// Reads a request's head; bodies are of no interest here.
fn has_request(stream: &mut UnixStream) -> bool {
    let mut head = Vec::new();
    let mut part = [0; 4096];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut part) {
            Ok(count) if count > 0 => head.extend_from_slice(&part[..count]),
            _ => return false,
        }
    }
    true
}
