// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Level 0 of servers that answer.

use super::server::{Server, answer, redirect, send};
use super::{HTML, by_settings, by_url, context_of, listening, parameters, reason};
use crate::health;
use crate::settings::{Listen, Settings};
use ocf::error::Kind;

#[test]
fn m06_a_page_of_html_is_healthy() {
    let server = Server::with(answer("200 OK", HTML));
    by_url(&server.url("/server-status")).expect("healthy");
    let heads = server.heads();
    assert!(heads[0].starts_with("GET /server-status HTTP/1.1\r\n"), "{heads:?}");
    assert!(heads[0].contains(&format!("host: {}\r\n", server.address)), "{heads:?}");
    assert!(heads[0].contains("connection: close\r\n"), "{heads:?}");
    assert_eq!(heads.len(), 1);
}

#[test]
fn m06_a_page_in_any_form_is_healthy() {
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n<html>\r\n7\r\n</html>\r\n0\r\n\r\n";
    let old = "HTTP/1.0 200 OK\r\n\r\n<html></html>";
    let hinted =
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n<html></html>";
    let bare = "HTTP/1.1 203\r\n\r\n</html>";
    for form in [chunks, old, hinted, bare] {
        by_url(&Server::with(form).url("/")).unwrap_or_else(|error| panic!("{form}: {error}"));
    }
}

#[test]
fn m07_an_error_page_is_no_page_however_it_looks() {
    for status in ["401 Unauthorized", "403 Forbidden", "404 Not Found", "500 x", "503 x", "304 x"]
    {
        let server = Server::with(answer(status, if status == "304 x" { b"" } else { HTML }));
        let number = format!("/server-status: status {}", &status[..3]);
        reason(by_url(&server.url("/server-status")), &[&number]);
    }
}

#[test]
fn m08_a_page_without_the_end_of_html_is_unwell() {
    let server = Server::with(answer("200 OK", b"fine"));
    reason(by_url(&server.url("/")), &["its page has no </html>: set testregex"]);
    let server = Server::with("HTTP/1.1 204 No Content\r\n\r\n");
    reason(by_url(&server.url("/")), &["status 204 and an empty page"]);
    let server = Server::with(answer("200 OK", b""));
    reason(by_url(&server.url("/")), &["status 200 and an empty page"]);
}

#[test]
fn m09_a_server_that_sends_elsewhere_is_followed() {
    let other = Server::with(answer("200 OK", HTML));
    for status in [301, 302, 303, 307, 308] {
        let here = Server::new(move |path, stream| match path {
            "/a/b" => send(stream, &redirect(status, "../c")),
            "/c" => send(stream, &redirect(status, "?d")),
            "/c?d" => send(stream, &answer("200 OK", HTML)),
            _ => {}
        });
        by_url(&here.url("/a/b")).expect("healthy");
        assert_eq!(here.heads().len(), 3);
        let away = Server::with(redirect(status, &other.url("/")));
        by_url(&away.url("/")).expect("healthy");
    }
    let away = Server::with(redirect(302, "http://127.0.0.1:1/"));
    reason(by_url(&away.url("/")), &["http://127.0.0.1:1/: no connection: connection refused"]);
    let odd = Server::with(redirect(302, "ftp://127.0.0.1/"));
    reason(by_url(&odd.url("/")), &["neither http nor https"]);
    let nowhere = Server::with("HTTP/1.1 302 x\r\nContent-Length: 0\r\n\r\n");
    reason(by_url(&nowhere.url("/")), &["status 302"]);
}

#[test]
fn m10_a_circle_of_redirections_ends() {
    let server = Server::with(redirect(302, "/again"));
    reason(by_url(&server.url("/")), &["more than 50 redirections"]);
    assert_eq!(server.heads().len(), 51);
}

#[test]
fn m16_a_login_is_sent_and_never_shown() {
    let server = Server::new(|_, stream| send(stream, &redirect(302, "/there")));
    let url = format!("http://me:open%20sesame@{}/x?token=secret", server.address);
    let reason = reason(by_url(&url), &["more than 50 redirections"]);
    for secret in ["sesame", "me:", "secret"] {
        assert!(!reason.contains(secret), "{reason}");
    }
    // "me:open sesame"
    let header = "authorization: Basic bWU6b3BlbiBzZXNhbWU=\r\n";
    assert!(server.heads().iter().all(|head| head.contains(header)), "{:?}", server.heads());
}

#[test]
fn m16_a_login_goes_to_no_other_server() {
    let other = Server::with(answer("200 OK", HTML));
    let here = Server::with(redirect(302, &other.url("/")));
    by_url(&format!("http://me:word@{}/", here.address)).expect("healthy");
    assert!(here.heads()[0].contains("authorization: Basic"));
    assert!(!other.heads()[0].contains("authorization"), "{:?}", other.heads());
    assert!(!other.heads()[0].contains("referer"), "{:?}", other.heads());
}

#[test]
fn m17_and_m25_a_server_on_ipv6_only() {
    let server = Server::on("[::1]:0", |_, stream| send(stream, &answer("200 OK", HTML)));
    by_url(&server.url("/")).expect("healthy");
    by_settings(&server, Some("/server-status")).expect("healthy");
    let mut settings = listening(&server, None);
    settings.listens[0].address = Some(std::net::Ipv6Addr::UNSPECIFIED.into());
    let with_expression = parameters(&[("testregex", "it works")]);
    health::level0(&with_expression, &settings, &context_of(20, "")).expect("healthy");
    settings.listens[0].address = None;
    health::level0(&with_expression, &settings, &context_of(20, "")).expect("healthy");
}

#[test]
fn m18_use_ipv6_with_a_server_on_ipv4() {
    let server = Server::with(answer("200 OK", HTML));
    let six = [("use_ipv6", "true")];
    let by_name = format!("http://localhost:{}/", server.address.port());
    for url in [&server.url("/"), &by_name] {
        let with_url = parameters(&[six[0], ("statusurl", url)]);
        health::level0(&with_url, &Settings::default(), &context_of(20, "")).expect("healthy");
    }
    let mut settings = listening(&server, None);
    settings.listens[0].address = None;
    health::level0(&parameters(&six), &settings, &context_of(20, "")).expect("healthy");
}

#[test]
fn m20_the_expression_decides() {
    let server = Server::with(answer("200 OK", HTML));
    let ask = |text| {
        let given = parameters(&[("statusurl", &server.url("/")), ("testregex", text)]);
        health::level0(&given, &Settings::default(), &context_of(20, ""))
    };
    ask("^it\\>.works!$").expect("healthy");
    reason(ask("it works\\?"), &["its page does not match testregex"]);
    let error = ask("(it works").expect_err("no expression");
    assert_eq!(error.kind, Kind::Configured);
    assert_eq!(error.reason, "testregex is no expression: a parenthesis ( is not closed");
}

#[test]
fn m21_a_page_of_bytes_is_searched_too() {
    let bytes: Vec<u8> = (0..=255).chain(*b"</html>").chain((0..=255).rev()).collect();
    by_url(&Server::with(answer("200 OK", &bytes)).url("/")).expect("healthy");
}

#[test]
fn m22_a_server_without_a_status_page_is_asked_for_its_front_page() {
    let front = |status: &'static str| {
        Server::new(move |path, stream| {
            let status = if path == "/" { status } else { "404 Not Found" };
            send(stream, format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes());
        })
    };
    for status in ["200 OK", "204 x", "301 x", "401 x", "403 x", "404 x", "405 x", "503 x"] {
        let server = front(status);
        by_settings(&server, Some("/server-status")).unwrap_or_else(|e| panic!("{status}: {e}"));
        assert!(server.heads()[1].starts_with("HEAD / HTTP/1.1\r\n"), "{:?}", server.heads());
    }
    for status in ["500 x", "501 x", "507 x"] {
        let server = front(status);
        reason(by_settings(&server, Some("/server-status")), &["/server-status: status 404"]);
    }
}

#[test]
fn m22_whoever_says_what_to_ask_for_gets_no_other_answer() {
    let server = Server::new(|path, stream| {
        let status = if path == "/" { "200 OK" } else { "404 Not Found" };
        send(stream, &answer(status, HTML));
    });
    let settings = listening(&server, Some("/server-status"));
    let url = server.url("/server-status");
    for wish in [
        ("statusurl", url.as_str()),
        ("testregex", "html"),
        ("testurl", "/x"),
        ("testregex10", "x"),
        ("testconffile", "/nowhere"),
    ] {
        let judged = health::level0(&parameters(&[wish]), &settings, &context_of(20, ""));
        reason(judged, &["/server-status: status 404"]);
    }
    health::level0(&parameters(&[]), &settings, &context_of(20, "")).expect("healthy");
}

#[test]
fn m23_a_forbidden_status_page_is_as_none() {
    let server = Server::with(answer("403 Forbidden", HTML));
    by_settings(&server, Some("/server-status")).expect("healthy");
}

#[test]
fn p04_the_listener_that_is_meant() {
    let server = Server::with(answer("200 OK", HTML));
    let mut settings = listening(&server, None);
    let first = Listen { address: None, port: 1, is_https: true };
    settings.listens.insert(0, first);
    let port = server.address.port().to_string();
    health::level0(&parameters(&[("port", &port)]), &settings, &context_of(20, ""))
        .expect("healthy");
    let judged = health::level0(&parameters(&[]), &settings, &context_of(20, ""));
    reason(judged, &["https://localhost:1/: no connection: connection refused"]);
    // A port that the server doesn't listen on never counted.
    let judged = health::level0(&parameters(&[("port", "2")]), &settings, &context_of(20, ""));
    reason(judged, &["https://localhost:1/: no connection"]);
    let nothing = Settings::default();
    let judged = health::level0(&parameters(&[("port", "2")]), &nothing, &context_of(20, ""));
    reason(judged, &["http://localhost:2/: no connection: connection refused"]);
}
