// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A small real server, that answers as a test wants it.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A server. It ends with the process.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// One on 127.0.0.1 that answers each request, given its path.
    pub(super) fn new(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        Self::on("127.0.0.1:0", answer)
    }

    /// The same elsewhere.
    pub(super) fn on(
        address: &str,
        answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (heads, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer));
        let all = Arc::clone(&heads);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (heads, answer) = (Arc::clone(&all), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream, &heads, &*answer));
            }
        });
        Self { address, heads }
    }

    /// One that somebody else runs.
    pub(super) fn at(address: SocketAddr) -> Self {
        Self { address, heads: Arc::default() }
    }

    /// One that answers everything the same.
    pub(super) fn with(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::new(move |_, stream| send(stream, &answer))
    }

    /// The URL of a path.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What was asked, head by head.
    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("nobody panics").clone()
    }
}

fn serve(
    mut stream: TcpStream,
    heads: &Mutex<Vec<String>>,
    answer: &(dyn Fn(&str, &mut TcpStream) + Sync),
) {
    let mut reader = BufReader::new(stream.try_clone().expect("a descriptor"));
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if !matches!(reader.read_line(&mut head), Ok(1..)) {
            return;
        }
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    heads.lock().expect("nobody panics").push(head);
    answer(&path, &mut stream);
}

/// Sends what somebody still reads.
pub(super) fn send(stream: &mut TcpStream, bytes: &[u8]) {
    let _nobody_reads = stream.write_all(bytes);
}

/// A whole answer.
pub(super) fn answer(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// An answer that sends elsewhere.
pub(super) fn redirect(status: u16, to: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")
        .into_bytes()
}
