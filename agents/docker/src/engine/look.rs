// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The one question that every monitor asks, asked without the client: it costs as much as starting the
//! process does to get an event loop and an HTTP client going. HTTP/1.0 (RFC 1945) on a UNIX socket has
//! no chunks and ends with the connection. Only a whole answer of 200 or 404 counts; whatever else
//! happens is left to the client, which is asked the same again and tells what is wrong.

use super::Failure;
use bollard::models::ContainerInspectResponse;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
use ocf::deadline::Deadline;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// A larger answer is left to the client, in bytes.
const LARGEST: usize = 4 * 1024 * 1024;

/// What came of a look.
pub(crate) enum Look {
    /// There is such a container.
    Found(Box<ContainerInspectResponse>),
    /// There is none.
    Absent,
    /// The Engine took its time.
    Silent(Failure),
    /// Something else: ask the client.
    Unclear,
}

/// Looks at a container. Without a version in its path the Engine answers in its own newest one, so
/// nothing has to be agreed on.
pub(crate) fn look(socket: &Path, name: &str, deadline: &Deadline) -> Look {
    let (began, patience) = (Instant::now(), deadline.left());
    let request = format!(
        "GET /containers/{name}/json HTTP/1.0\r\nHost: docker\r\nConnection: close\r\n\r\n"
    );
    let Some(mut stream) = open(socket) else { return Look::Unclear };
    let sent = stream
        .set_write_timeout(Some(patience))
        .and_then(|()| stream.write_all(request.as_bytes()));
    match sent.and_then(|()| read(&mut stream, patience, began)) {
        Ok(answer) => parse(&answer),
        Err(_) if began.elapsed() >= patience => Look::Silent(Failure::Silent(patience)),
        Err(_) => Look::Unclear,
    }
}

/// Reads until the other end closes, or has said as much as it announced. The patience is for all of it: who sends a byte now and then would
/// never exceed that of a single read.
fn read(stream: &mut UnixStream, patience: Duration, began: Instant) -> io::Result<Vec<u8>> {
    let mut answer = Vec::with_capacity(8 * 1024);
    let mut buffer = [0; 8 * 1024];
    while answer.len() < LARGEST && !is_whole(&answer) {
        // Nothing left is an error of this.
        stream.set_read_timeout(Some(patience.saturating_sub(began.elapsed())))?;
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => answer.extend_from_slice(buffer.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(answer)
}

/// Whether an answer is as long as its head says (RFC 9110, section 8.6).
fn is_whole(answer: &[u8]) -> bool {
    let Some((head, body)) = split(answer) else { return false };
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    length.and_then(|length| length.trim().parse().ok()).is_some_and(|length| body.len() >= length)
}

/// Head and body.
fn split(answer: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    answer.split_at_checked(end + 4)
}

/// A connection that doesn't wait to be let in: a frozen Engine's queue may be full.
fn open(path: &Path) -> Option<UnixStream> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let fd = socket(AddressFamily::Unix, SockType::Stream, flags, None).ok()?;
    connect(fd.as_raw_fd(), &UnixAddr::new(path).ok()?).ok()?;
    let stream = UnixStream::from(fd);
    stream.set_nonblocking(false).ok()?;
    Some(stream)
}

fn parse(answer: &[u8]) -> Look {
    let Some((head, body)) = split(answer) else { return Look::Unclear };
    let status = head.split(|byte| *byte == b' ').nth(1);
    match status {
        Some(b"200") => serde_json::from_slice(body).map_or(Look::Unclear, Look::Found),
        Some(b"404") if is_about_container(body) => Look::Absent,
        _ => Look::Unclear,
    }
}

/// A 404 of the Engine's, and not of somebody in between.
fn is_about_container(body: &[u8]) -> bool {
    body.windows(18).any(|words| words == b"No such container:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sends_a_byte_now_and_then_has_no_more_time_than_others() {
        let path = std::env::temp_dir().join(format!("ocf-look-{}", std::process::id()));
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let drip = std::thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            while client.write_all(b"H").is_ok() {
                std::thread::park_timeout(Duration::from_millis(10));
            }
        });
        let began = Instant::now();
        let deadline =
            Deadline::of_process(Duration::from_secs(3600)).within(Duration::from_millis(300));
        assert!(matches!(look(&path, "x", &deadline), Look::Silent(_)));
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        drip.join().unwrap();
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn only_a_whole_answer_counts() {
        let found = b"HTTP/1.0 200 OK\r\nX: y\r\n\r\n{\"Id\":\"a\"}";
        assert!(matches!(parse(found), Look::Found(_)));
        let absent = b"HTTP/1.0 404 Not Found\r\n\r\n{\"message\":\"No such container: x\"}";
        assert!(matches!(parse(absent), Look::Absent));
        for other in [
            &b"HTTP/1.0 200 OK\r\n\r\n{\"Id\":"[..],
            b"HTTP/1.0 404 Not Found\r\n\r\npage not found",
            b"HTTP/1.0 400 Bad Request\r\n\r\n{}",
            b"HTTP/1.0 200 OK\r\n",
            b"\x00\xff",
            b"",
        ] {
            assert!(matches!(parse(other), Look::Unclear), "{other:?}");
        }
    }
}
