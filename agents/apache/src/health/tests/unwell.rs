// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Level 0 of servers that don't answer, or not as one should. None may hold up the monitor.

use super::server::{Server, answer, send};
use super::{HTML, by_settings, by_url, context_of, listening, parameters, reason};
use crate::health;
use crate::settings::Settings;
use ocf::Error;
use std::net::TcpListener;
use std::time::Duration;

/// A monitor of a server that answers in a minute or never: who waited for that would find it well, or wait.
fn in_two_seconds(url: &str) -> Result<(), Error> {
    let given = parameters(&[("statusurl", url)]);
    health::level0(&given, &Settings::default(), &context_of(2, ""))
}

/// Waits, on the server's side.
#[expect(clippy::disallowed_methods, reason = "a server that is slow")]
fn rest(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

#[test]
fn m11_a_server_that_hangs_up_is_unwell_at_once() {
    let server = Server::with("");
    let context = context_of(600, "");
    let given = parameters(&[("statusurl", &server.url("/"))]);
    let judged = health::level0(&given, &Settings::default(), &context);
    reason(judged, &["no answer: connection closed before message completed"]);
    assert!(!context.deadline.is_over());
    assert_eq!(server.heads().len(), 1, "it isn't asked again");
}

#[test]
fn m12_a_server_that_takes_a_second_is_healthy() {
    let server = Server::new(|_, stream| {
        rest(1000);
        send(stream, &answer("200 OK", HTML));
    });
    by_url(&server.url("/")).expect("healthy");
}

#[test]
fn m12_a_server_that_takes_too_long_is_unwell_before_the_timeout() {
    let server = Server::new(|_, stream| {
        rest(60_000);
        send(stream, &answer("200 OK", HTML));
    });
    reason(in_two_seconds(&server.url("/")), &["no answer: nothing came within"]);
}

#[test]
fn m12_a_server_that_sends_a_byte_now_and_then_is_too_slow() {
    let server = Server::new(|_, stream| {
        send(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        for _ in 0..600 {
            send(stream, b"x");
            rest(100);
        }
    });
    reason(in_two_seconds(&server.url("/")), &["no whole answer: nothing came within"]);
    let server = Server::new(|_, stream| {
        send(stream, b"HTTP/1.1 200 OK\r\n");
        for _ in 0..600 {
            send(stream, b"x");
            rest(100);
        }
    });
    reason(in_two_seconds(&server.url("/")), &["no answer: nothing came within"]);
}

#[test]
fn m13_frozen_workers_are_told_before_the_timeout_and_not_asked_twice() {
    // The kernel takes the connections; nobody else does.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    reason(in_two_seconds(&url), &["no answer: nothing came within"]);
    let server = Server::new(|_, stream| {
        rest(60_000);
        send(stream, &answer("200 OK", HTML));
    });
    let judged = health::level0(
        &parameters(&[]),
        &listening(&server, Some("/server-status")),
        &context_of(2, ""),
    );
    reason(judged, &["/server-status: no answer: nothing came within"]);
    assert_eq!(server.heads().len(), 1);
}

#[test]
fn m14_nobody_there() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("an address").port()
    };
    let url = format!("http://127.0.0.1:{port}/x");
    reason(by_url(&url), &[&url, ": no connection: connection refused"]);
    let judged = by_url("http://no-such-host.invalid/");
    reason(judged, &["no address: no-such-host.invalid has no address"]);
}

#[test]
fn a_half_answer_is_none() {
    let half = [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", HTML].concat();
    let server = Server::with(half);
    reason(by_url(&server.url("/")), &["no whole answer: ", "after 39 bytes"]);
    let chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n</html>\r\n";
    reason(by_url(&Server::with(chunk).url("/")), &["no whole answer: ", "after 7 bytes"]);
    let head = "HTTP/1.1 200 OK\r\nContent-Le";
    reason(by_url(&Server::with(head).url("/")), &["no answer: "]);
}

#[test]
fn garbage_is_no_answer() {
    let noise: Vec<u8> =
        (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for garbage in [
        b"</html>\n".to_vec(),
        b"220 mail.example ESMTP\r\n".to_vec(),
        b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
        b"HTTP/9.9 200 OK\r\n\r\n</html>".to_vec(),
        b"HTTP/1.1 abc OK\r\n\r\n</html>".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n</html>".to_vec(),
        noise,
    ] {
        let judged = by_url(&Server::with(garbage).url("/"));
        reason(judged, &["no answer: "]);
    }
}

#[test]
fn a_head_without_an_end_is_cut_off() {
    let server = Server::new(|_, stream| {
        send(stream, b"HTTP/1.1 200 OK\r\n");
        for _ in 0..100_000 {
            send(stream, &[b"X-Filler: ".as_slice(), &[b'x'; 1000], b"\r\n"].concat());
        }
    });
    reason(by_url(&server.url("/")), &["no answer: "]);
}

#[test]
fn a_page_of_100_mb_is_read_to_the_limit_only() {
    fn megabytes(first: &'static [u8]) -> Server {
        Server::new(move |_, stream| {
            send(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
            send(stream, first);
            for _ in 0..100_000 {
                send(stream, &[b'x'; 1000]);
            }
        })
    }
    let judged = by_url(&megabytes(b"").url("/server-status"));
    reason(judged, &["the first 8 MiB of its page has no </html>"]);
    by_url(&megabytes(b"<html></html>").url("/")).expect("what is read matches");
}

#[test]
fn tls_that_doesnt_come_about_says_so() {
    let https = |server: &Server| server.url("/").replace("http:", "https:");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let silent = format!("https://{}/", listener.local_addr().expect("an address"));
    reason(in_two_seconds(&silent), &["no TLS: nothing came within"]);
    let plain = plain(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    reason(by_url(&https(&plain)), &["no TLS: the server speaks no TLS: use http in the URL"]);
    reason(by_url("https://127.0.0.1:1/"), &["no connection: connection refused"]);
}

/// A server that answers whatever it is told first.
fn plain(text: &'static [u8]) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let server = Server::at(listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut some = [0; 16];
            if matches!(std::io::Read::read(&mut stream, &mut some), Ok(1..)) {
                send(&mut stream, text);
            }
        }
    });
    server
}

#[test]
fn a_redirection_that_leads_nowhere_leaves_the_front_page() {
    let server = Server::new(|path, stream| match path {
        "/server-status" => {
            send(stream, &super::server::redirect(302, "http://127.0.0.1:1/elsewhere"));
        }
        _ => send(stream, &answer("200 OK", b"")),
    });
    by_settings(&server, Some("/server-status")).expect("healthy");
}

#[test]
fn a_server_that_wants_a_certificate_of_ours_is_there() {
    // A fatal alert: handshake_failure.
    let server = plain(&[0x15, 3, 3, 0, 2, 2, 40]);
    let mut settings = listening(&server, Some("/server-status"));
    settings.listens[0].is_https = true;
    let nothing = parameters(&[]);
    health::level0(&nothing, &settings, &context_of(20, "")).expect("it answers");
    let wish = parameters(&[("testregex", "x")]);
    let judged = health::level0(&wish, &settings, &context_of(20, ""));
    reason(judged, &["no TLS: the server's alert is HandshakeFailure: see SSLCipherSuite"]);
}

#[test]
fn a_line_that_was_cut_matches_nothing() {
    let server = Server::new(|_, stream| {
        send(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\nfirst\n");
        for _ in 0..100_000 {
            send(stream, &[b'x'; 1000]);
        }
    });
    let ask = |text| {
        let given = parameters(&[("statusurl", &server.url("/")), ("testregex", text)]);
        health::level0(&given, &Settings::default(), &context_of(20, ""))
    };
    ask("^first$").expect("a whole line");
    reason(ask("x$"), &["the first 8 MiB of its page does not match testregex"]);
}

#[test]
fn a_redirection_to_a_server_that_says_nothing_leaves_the_front_page() {
    let other = Server::new(|_, _| rest(60_000));
    let to = super::server::redirect(302, &other.url("/"));
    let server = Server::new(move |path, stream| match path {
        "/server-status" => send(stream, &to),
        _ => send(stream, &answer("200 OK", b"")),
    });
    let settings = listening(&server, Some("/server-status"));
    health::level0(&parameters(&[]), &settings, &context_of(4, "")).expect("healthy");
    assert_eq!(other.heads().len(), 1);
}
