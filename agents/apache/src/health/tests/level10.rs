// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Level 10, and what is refused before anybody asks.

use super::server::{Server, answer, send};
use super::{HTML, context_of, listening, parameters, reason};
use crate::Parameters;
use crate::health;
use crate::settings::Settings;
use crate::webtest;
use ocf::Error;
use ocf::error::Kind;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A file of a test's own, gone with it.
pub(super) struct File(PathBuf);

impl File {
    pub(super) fn new(name: &str, text: impl AsRef<[u8]>) -> Self {
        let path = std::env::temp_dir().join(format!("ocf-apache-{}-{name}", std::process::id()));
        fs::write(&path, text).expect("a file in the temporary directory");
        Self(path)
    }

    pub(super) fn path(&self) -> &str {
        self.0.to_str().expect("text")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _is_gone = fs::remove_file(&self.0);
    }
}

/// A server with a page for each check level.
fn server() -> Server {
    Server::new(|path, stream| match path {
        "/" => send(stream, &answer("200 OK", b"<html>front</html>")),
        "/200" => send(stream, &answer("200 OK", b"all is well\nreally\n")),
        "/httpx" => send(stream, &answer("200 OK", b"odd")),
        "/server-status" => send(stream, &answer("200 OK", HTML)),
        _ => send(stream, &answer("404 Not Found", HTML)),
    })
}

fn check(server: &Server, given: &Parameters, level: &str) -> Result<(), Error> {
    health::check(given, &listening(server, Some("/server-status")), &context_of(20, level))
}

fn level10(server: &Server, pairs: &[(&str, &str)]) -> Result<(), Error> {
    health::level10(
        &parameters(pairs),
        &listening(server, Some("/server-status")),
        &context_of(20, "10"),
    )
}

#[test]
fn d01_a_level_is_the_next_lower_one_that_there_is() {
    let server = server();
    let given = parameters(&[("testurl", "/200"), ("testregex10", "well")]);
    for level in ["", "0", "5", "9", "abc", "-1"] {
        check(&server, &given, level).expect("healthy");
        assert!(
            server.heads().last().expect("asked").starts_with("GET /server-status "),
            "{level}"
        );
    }
    for level in ["10", "11", "20", " 10 "] {
        check(&server, &given, level).expect("healthy");
        assert!(server.heads().last().expect("asked").starts_with("GET /200 "), "{level}");
    }
}

#[test]
fn d02_level_10_with_nothing_configured_is_level_0() {
    let server = server();
    level10(&server, &[]).expect("healthy");
    level10(&server, &[("testregex", "it works")]).expect("healthy");
    let error = level10(&server, &[("testurl", "/200"), ("testregex", "well")]).expect_err("no");
    assert_eq!(error.kind, Kind::Configured);
    assert!(error.reason.contains("testregex10 is not"), "{error}");
    // The server runs whatever its parameters are.
    let given = parameters(&[("testurl", "/200")]);
    assert_eq!(check(&server, &given, "10").expect_err("no expression").kind, Kind::Generic);
}

#[test]
fn d03_an_expression_alone_is_for_the_front_page() {
    let server = server();
    level10(&server, &[("testregex10", "front")]).expect("healthy");
    reason(level10(&server, &[("testregex10", "back")]), &["does not match testregex10"]);
}

#[test]
fn d04_a_page_behind_the_address_or_anywhere() {
    let server = server();
    level10(&server, &[("testurl", "/200"), ("testregex10", "^Really$")]).expect("healthy");
    reason(
        level10(&server, &[("testurl", "/200"), ("testregex10", "^all$")]),
        &["/200: its page does not match testregex10"],
    );
    reason(level10(&server, &[("testurl", "/no"), ("testregex10", ".")]), &["/no: status 404"]);
    let other = Server::with(answer("200 OK", b"elsewhere"));
    level10(&server, &[("testurl", &other.url("/")), ("testregex10", "elsewhere")])
        .expect("healthy");
}

#[test]
fn d05_a_page_without_a_slash() {
    let server = server();
    level10(&server, &[("testurl", "200"), ("testregex10", "well")]).expect("healthy");
    level10(&server, &[("testurl", "httpx"), ("testregex10", "odd")]).expect("healthy");
}

const FILE: &str = "\
# two tests
test first
url /200
match all is well

test second
\turl   /server-status  \n\
# a comment
match it works
end
test third
url /no
match x
end
";

#[test]
fn d06_the_test_of_a_name_is_asked() {
    let server = server();
    // The first has no end, so the next begins where it ends.
    let file = File::new("d06", FILE.replace("well\n\n", "well\nend\n"));
    let named = |name| [("testconffile", file.path()), ("testname", name)];
    level10(&server, &named("")).expect("healthy");
    assert!(server.heads()[0].starts_with("GET /200 "));
    level10(&server, &named("first")).expect("healthy");
    level10(&server, &named("second")).expect("healthy");
    assert!(server.heads()[2].starts_with("GET /server-status "));
    reason(level10(&server, &named("third")), &["/no: status 404"]);
    let error = level10(&server, &named("fourth")).expect_err("no such test");
    assert_eq!(error.kind, Kind::Configured);
    assert!(error.reason.ends_with(": no test fourth"), "{error}");
}

#[test]
fn d07_a_word_that_is_none_ends_a_test() {
    let server = server();
    let file = File::new("d07", FILE);
    level10(&server, &[("testconffile", file.path())]).expect("what stands before it is enough");
    let file = File::new("d07b", "test x\nurl /200\nfoo bar\nmatch well\nend\n");
    let error = level10(&server, &[("testconffile", file.path())]).expect_err("no match");
    assert_eq!(error.kind, Kind::Configured);
    assert!(error.reason.ends_with(": test x has no match"), "{error}");
}

#[test]
fn d08_a_user_has_a_password() {
    let server = server();
    for (n, half) in ["user me", "password word"].into_iter().enumerate() {
        let text = format!("test x\nurl /200\nmatch well\n{half}\nend\n");
        let file = File::new(&format!("d08-{n}"), text);
        let error = level10(&server, &[("testconffile", file.path())]).expect_err("half a login");
        assert_eq!(error.kind, Kind::Configured);
        assert!(error.reason.contains("test x has a user without a password"), "{error}");
        assert!(!error.reason.contains("word\n"), "{error}");
    }
}

#[test]
fn d09_a_password_is_all_of_its_line() {
    let server = server();
    let text = "test x\nurl /200\nmatch well\nuser me\npassword  o\"p'en  $(sesame) \nend\n";
    let file = File::new("d09", text);
    level10(&server, &[("testconffile", file.path())]).expect("healthy");
    // me:o"p'en  $(sesame)
    let header = "authorization: Basic bWU6byJwJ2VuICAkKHNlc2FtZSk=\r\n";
    assert!(server.heads()[0].contains(header), "{:?}", server.heads());
}

#[test]
fn d10_a_client_of_the_user_s_own_prints_the_page() {
    let server = server();
    let own = |client: &str, options: &str, expression: &str| {
        let text = format!(
            "test x\nurl /200\nmatch {expression}\nclient {client}\nclient_opts {options}\nend\n"
        );
        let file = File::new("d10", text);
        level10(&server, &[("testconffile", file.path())])
    };
    let url = format!("^all args: http://{}/200$", server.address);
    own("echo", "all  args:", &url).expect("the URL is the last argument");
    own("/bin/echo", "all args:", &url).expect("a path");
    reason(own("echo", "x", "y"), &["/200: its page does not match test x match"]);
    reason(own("true", "x", "y"), &["/200: "]);
    let error = own("no-such-program", "", "y").expect_err("no program");
    assert_eq!(error.kind, Kind::Installed);
    assert_eq!(error.reason, "client no-such-program of the test is not installed");
    own("echo", "it's", "^it's http:").expect("an open quote is a letter");
    assert!(server.heads().is_empty(), "{:?}", server.heads());
}

#[test]
fn d10_curl_and_wget_without_options_are_not_needed() {
    let server = server();
    for client in ["curl", "wget"] {
        let text = format!("test x\nurl /200\nmatch well\nclient {client}\nend\n");
        let file = File::new(&format!("d10-{client}"), text);
        level10(&server, &[("testconffile", file.path())]).expect("healthy");
        assert!(server.heads()[0].contains("user-agent: ocf-"), "{:?}", server.heads());
    }
}

/// Programs of these names that print what they are given, and what they are told.
fn fake(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("ocf-apache-fake-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory");
    let path = directory.join(name);
    let script = "#!/bin/sh\nfor each; do echo \"[$each]\"; done\ncat\n";
    fs::write(directory.join(format!("{name}.new")), script).expect("a file");
    fs::set_permissions(directory.join(format!("{name}.new")), Permissions::from_mode(0o755))
        .expect("a program");
    fs::rename(directory.join(format!("{name}.new")), &path).expect("a name");
    path
}

#[test]
fn d10_curl_and_wget_read_a_password_and_nobody_else_sees_it() {
    let (server, deadline) = (server(), context_of(20, "10"));
    let url = reqwest::Url::parse(&server.url("/x")).expect("a URL");
    let with_login = reqwest::Url::parse("http://m%20e:s%22\u{20}%5C@h/x").expect("a URL");
    let at = server.address;
    for (name, login, asked) in [
        (
            "curl",
            format!("[{url}]\nuser = \"me:o\\\"p en\"\n"),
            "[http://h/x]\nuser = \"m e:s\\\" \\\\\"\n",
        ),
        ("wget", format!("http://me:o%22p%20en@{at}/x\n"), "http://m%20e:s%22%20%5C@h/x\n"),
    ] {
        let program = fake(name);
        let program = program.display();
        let text = format!(
            "test x\nurl /x\nmatch x\nuser me\npassword o\"p en\nclient {program}\n\
             client_opts -H a:b\nend\n"
        );
        let file = File::new(&format!("d10-fake-{name}"), text);
        let test = webtest::read(&file.0, None).expect("a test");
        let client = test.client.expect("a client");
        for (url, user, told) in
            [(&url, test.login.as_ref(), login.as_str()), (&with_login, None, asked)]
        {
            let printed = client.ask(url, user, &deadline).expect("runs");
            let printed = String::from_utf8(printed.body).expect("text");
            assert!(printed.contains("[-H]\n[a:b]\n"), "{printed}");
            let arguments = printed.strip_suffix(told).unwrap_or_else(|| panic!("{printed}"));
            assert!(
                !["me", "p en", "s%22"].iter().any(|word| arguments.contains(word)),
                "{printed}"
            );
        }
    }
    let file = File::new("d10-own", "test x\nurl /x\nmatch x\nclient echo\nend\n");
    let client = webtest::read(&file.0, None).expect("a test").client.expect("a client");
    let error = client.ask(&with_login, None, &deadline).expect_err("everybody would see it");
    assert_eq!(error.kind, Kind::Configured);
    assert!(error.reason.contains("password") && error.reason.len() <= 128, "{error}");
}

#[test]
fn d11_a_file_from_windows_is_read() {
    let server = server();
    let file = File::new("d11", FILE.replace("well\n\n", "well\nend\n").replace('\n', "\r\n"));
    let given = [("testconffile", file.path()), ("testname", "second")];
    level10(&server, &given).expect("healthy");
}

#[test]
fn d12_a_file_without_a_test_is_refused() {
    let server = server();
    for (n, text) in ["", "\n", "# test x\n", "url /200\nmatch x\n", "testx\n"].iter().enumerate() {
        let file = File::new(&format!("d12-{n}"), text);
        let error = level10(&server, &[("testconffile", file.path())]).expect_err("no test");
        assert_eq!(error.kind, Kind::Configured);
        assert!(error.reason.ends_with(": no test"), "{error}");
    }
}

#[test]
fn a_file_of_tests_that_is_none_here_is_told_before_a_start() {
    let directory = std::env::temp_dir();
    let fifo = directory.join(format!("ocf-apache-fifo-{}", std::process::id()));
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    for path in [Path::new("/nowhere/x.cf"), &directory, &fifo] {
        let given = parameters(&[("testconffile", path.to_str().expect("text"))]);
        let error = health::validate_host(&given, &context_of(20, "")).expect_err("no file");
        assert_eq!(error.kind, Kind::Installed, "{error}");
        assert!(error.reason.starts_with("testconffile /"), "{error}");
    }
    fs::remove_file(&fifo).expect("removed");
    let large = File::new("large", "#\n".repeat(600_000));
    let given = parameters(&[("testconffile", large.path())]);
    let error = health::validate_host(&given, &context_of(20, "")).expect_err("too large");
    assert!(error.reason.ends_with("larger than 1 MiB"), "{error}");
    let good = File::new("good", "test x\nurl /\nmatch x\nclient cat\nclient_opts -\nend\n");
    let given = parameters(&[("testconffile", good.path())]);
    health::validate_host(&given, &context_of(20, "")).expect("good");
}

#[test]
fn what_is_no_url_or_no_expression_is_wrong_on_every_node() {
    let long = format!("http://h/{}:99999", "x".repeat(500));
    for (name, value, words) in [
        ("statusurl", "/server-status", "it begins with a path"),
        ("statusurl", "ftp://h/", "scheme ftp is neither http nor https"),
        ("statusurl", "file:///etc/passwd", "scheme file is neither"),
        ("statusurl", "http://h:99999/", "invalid port number"),
        ("statusurl", "http://h:-1/", "invalid port number"),
        ("statusurl", "http://", "empty host"),
        ("statusurl", " ", "empty host"),
        ("statusurl", "http://[::1/", "invalid IPv6 address"),
        ("statusurl", "http://me:open sesame@[x]/", "invalid IPv6 address"),
        ("statusurl", "localhost:99999", "invalid port number"),
        ("testurl", "  ", "it is blank"),
        ("testurl", "gopher://h/", "scheme gopher is neither"),
        ("testregex", "[a", "is not closed"),
        ("testregex10", "(a){99999}", "more often than 32767"),
    ] {
        let error = health::validate(&parameters(&[(name, value)])).expect_err(value);
        assert_eq!(error.kind, Kind::Configured, "{error}");
        assert!(error.reason.starts_with(&format!("{name} is no ")), "{error}");
        assert!(error.reason.contains(words), "{error}");
        assert!(!error.reason.contains("sesame"), "{error}");
        assert!(error.reason.len() <= 128, "{error}");
    }
    for (name, value) in [
        ("statusurl", long.as_str()),
        ("statusurl", "localhost:8080/server-status"),
        ("statusurl", "yoyoyoyo"),
        ("statusurl", "HTTPS://[::1]:443/x?auto"),
        ("statusurl", "me:word@host/"),
        ("testurl", "/x"),
        ("testurl", "x:y/z"),
        ("testregex", "*"),
    ] {
        health::validate(&parameters(&[(name, value)])).unwrap_or_else(|e| panic!("{value}: {e}"));
    }
    let given = parameters(&[("statusurl", "yoyoyoyo.invalid")]);
    let judged = health::level0(&given, &Settings::default(), &context_of(20, ""));
    reason(judged, &["http://yoyoyoyo.invalid/: no address: "]);
}
