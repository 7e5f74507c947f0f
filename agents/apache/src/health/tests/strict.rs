// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Answers that other clients take, and that were refused here once; and refusals that say what is wrong.

use super::server::{Server, answer, send};
use super::{HTML, by_settings, by_url, reason};

/// A page whose head has these lines, too.
fn with(lines: &[u8]) -> Server {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n", HTML.len());
    Server::with([head.as_bytes(), lines, b"\r\n", HTML].concat())
}

#[test]
fn a_head_that_other_clients_read_is_read() {
    let cookies: String = (0..200).map(|n| format!("Set-Cookie: a{n}=b\r\n")).collect();
    for lines in [
        "X-A: b\r\n c\r\n",
        "X-A : b\r\n",
        "X A: b\r\n",
        "no header\r\n",
        "X-A: a\u{1}b\r\n",
        cookies.as_str(),
    ] {
        let judged = by_url(&with(lines.as_bytes()).url("/"));
        judged.unwrap_or_else(|error| panic!("{error}: {lines:.40}"));
    }
}

#[test]
fn a_head_of_very_many_lines_is_still_cut_off() {
    let lines: String = (0..2000).map(|n| format!("X-{n}: b\r\n")).collect();
    reason(by_url(&with(lines.as_bytes()).url("/")), &["no answer: "]);
}

#[test]
fn a_location_of_another_encoding_is_followed() {
    let server = Server::new(|path, stream| match path {
        "/%E9" => send(stream, &answer("200 OK", HTML)),
        _ => send(stream, b"HTTP/1.1 302 F\r\nLocation: /\xe9\r\nContent-Length: 0\r\n\r\n"),
    });
    by_url(&server.url("/")).expect("healthy");
}

#[test]
fn a_proxy_without_what_is_behind_it_is_there() {
    for status in ["502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"] {
        let server = Server::with(answer(status, HTML));
        by_settings(&server, Some("/server-status")).expect(status);
        reason(by_url(&server.url("/")), &[": status 50"]);
    }
    let server = Server::with(answer("500 Internal Server Error", HTML));
    reason(by_settings(&server, Some("/server-status")), &[": status 500"]);
}

#[test]
fn a_login_that_was_given_isnt_asked_for() {
    let wants = |way: &str| {
        let head = format!("HTTP/1.1 401 Who\r\n{way}Content-Length: 0\r\n\r\n");
        Server::with(head)
    };
    let with_login = |server: &Server| server.url("/").replace("//", "//u:word@");
    let digest = wants("WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n");
    reason(by_url(&with_login(&digest)), &["status 401: only AuthType Basic is supported"]);
    reason(by_url(&digest.url("/")), &["status 401: it wants a login"]);
    for way in
        ["WWW-Authenticate: Digest realm=\"r\"\r\nWWW-Authenticate: Basic realm=\"r\"\r\n", ""]
    {
        reason(by_url(&with_login(&wants(way))), &["status 401: it wants another login"]);
    }
}
