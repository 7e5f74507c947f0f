// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A server of HTTP that behaves as each path asks for, for what no real one does at will.

use crate::pause;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::time::Duration;

/// Where it is.
pub const PORT: u16 = 8099;

/// The requests that came, each with its headers.
static REQUESTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A page as everybody likes it.
pub const PAGE: &str = "<html><body>all is well</body></html>\n";

/// Longer than any action takes.
const FOR_EVER: Duration = Duration::from_secs(600);

/// Serves for as long as the world lives.
pub fn serve() {
    serve_at("127.0.0.1", PORT);
}

/// The same somewhere else.
pub fn serve_at(address: &str, port: u16) {
    let listener = TcpListener::bind((address, port)).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || drop(answer(stream)));
        }
    });
}

/// The requests until now.
#[must_use]
pub fn requests() -> Vec<String> {
    REQUESTS.lock().unwrap().clone()
}

/// `/close` needs no request; every other path is read first.
fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let request = read(&mut stream)?;
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    REQUESTS.lock().unwrap().push(request);
    let (word, number) = path.trim_start_matches('/').split_once('/').unwrap_or((&path[1..], ""));
    match word {
        "ok" => page(&mut stream, "200 OK", PAGE),
        "status" => page(&mut stream, &format!("{number} Status"), PAGE),
        "text" => page(&mut stream, "200 OK", "all is well\n"),
        "empty" => page(&mut stream, "200 OK", ""),
        "none" => stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n"),
        "close" => Ok(()),
        "silent" => wait(FOR_EVER),
        "slow" => {
            wait(Duration::from_secs(number.parse().unwrap_or(3)))?;
            page(&mut stream, "200 OK", PAGE)
        }
        "drip" => drip(&mut stream),
        "half" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<html>")?;
            wait(FOR_EVER)
        }
        "cut" => stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<html>"),
        "head" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Le")?;
            wait(FOR_EVER)
        }
        "garbage" => stream.write_all(b"\x00\x01\xff\xfe SSH-2.0-nothing\r\n\r\n\x80</html>"),
        "long" => {
            let head = format!("HTTP/1.1 200 OK\r\nX-Long: {}\r\n\r\n", "x".repeat(1 << 20));
            stream.write_all(head.as_bytes())
        }
        "huge" => huge(&mut stream),
        "binary" => {
            let head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\x00\x01\xff</html>\x00\n";
            stream.write_all(head)
        }
        "moved" => to(&mut stream, "/ok"),
        "loop" => to(&mut stream, "/loop"),
        "away" => to(&mut stream, "http://192.0.2.1/"),
        "ftp" => to(&mut stream, "ftp://127.0.0.1/"),
        other => page(&mut stream, "404 Not Found", &format!("<html>no {other}</html>\n")),
    }
}

fn read(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte)? == 0 {
            break;
        }
        request.extend(byte);
    }
    Ok(String::from_utf8_lossy(&request).into_owned())
}

fn page(stream: &mut TcpStream, status: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    let head = "Content-Type: text/html\r\nConnection: close\r\n";
    write!(stream, "HTTP/1.1 {status}\r\n{head}Content-Length: {length}\r\n\r\n{body}")
}

fn to(stream: &mut TcpStream, place: &str) -> std::io::Result<()> {
    let head = "Connection: close\r\nContent-Length: 0\r\n";
    write!(stream, "HTTP/1.1 302 Found\r\n{head}Location: {place}\r\n\r\n")
}

/// The passing of time is what is tested.
fn wait(time: Duration) -> std::io::Result<()> {
    pause(time);
    Ok(())
}

/// A byte every 100 ms, without end: a deadline for each read would never pass.
fn drip(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
    loop {
        wait(Duration::from_millis(100))?;
        stream.write_all(b"x")?;
    }
}

/// A page of 100 MB, its tag at the end.
fn huge(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
    let block = "<p>of very many</p>\n".repeat(50_000);
    for _ in 0..100 {
        stream.write_all(block.as_bytes())?;
    }
    stream.write_all(b"</html>\n")
}
