// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What other clients get an answer to, and once was refused here; and what still is.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use apache_tests::certificate::{make_authority, trust, virtual_host};
use apache_tests::side_by_side::check;
use apache_tests::{Row, World, inside, server};
use std::fs;

fn module(name: &str) -> String {
    format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n")
}

/// A server at an address that a cluster would move, and a status page for whom it is.
fn at_a_service_address(name: &str, requirement: &'static str) -> Row {
    Row::new(name)
        .edit("Require local", requirement)
        .edit("Listen 127.0.0.1:8088\n", "Listen 10.9.9.9:8088\nListen 127.0.0.1:8088\n")
        .prepare(|_| {
            server::call("ip", &["address", "add", "10.9.9.9/24", "dev", "lo"]);
        })
        .running()
}

#[test]
fn a_status_page_for_the_loopback_at_a_service_address() {
    let url = "http://10.9.9.9:8088/server-status";
    let loopback = "Require ip 127.0.0.1";
    check(
        "whence",
        &[
            at_a_service_address("by its URL", loopback).with("statusurl", url).looks(0, ""),
            at_a_service_address("by curl", loopback)
                .with("statusurl", url)
                .with("client", "curl")
                .looks(0, ""),
            at_a_service_address("by its configuration", loopback)
                .with("testregex", "apache server status")
                .looks(0, ""),
            at_a_service_address("for that address only", "Require ip 10.9.9.9")
                .with("statusurl", url)
                .looks(0, ""),
            at_a_service_address("for another host only", "Require ip 192.0.2.1")
                .with("statusurl", url)
                .looks(1, "403"),
        ],
    );
}

/// A certificate in all its kinds, at a server that knows no other.
fn certificate(name: &str, arguments: &'static [&'static str]) -> Row {
    tls(name, "", move |world| {
        let file = |kind: &str| world.text(&format!("{{w}}/server.{kind}"));
        let words = ["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
        let files = ["-keyout", &file("key"), "-out", &file("pem")];
        server::call("openssl", &[&words[..], arguments, &files].concat());
        trust_also(&file("pem"));
    })
}

/// The same of an authority that this host trusts, without any extension but these.
fn issued(name: &str, extensions: &'static str) -> Row {
    tls(name, "", move |world| {
        make_authority(world);
        trust(world);
        let file = |name: &str| world.text(&format!("{{w}}/{name}"));
        let request = ["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"];
        let files = ["-keyout", &file("server.key"), "-out", &file("server.csr")];
        server::call("openssl", &[&request[..], &files].concat());
        world.write("server.ext", extensions);
        let sign = ["x509", "-req", "-days", "2", "-CAcreateserial", "-CA"];
        let (by, key) = (file("authority.pem"), file("authority.key"));
        let (csr, pem, more) = (file("server.csr"), file("server.pem"), file("server.ext"));
        let files = [by.as_str(), "-CAkey", &key, "-in", &csr, "-out", &pem];
        let more = ["-extfile", more.as_str()];
        let more = if extensions.is_empty() { &[][..] } else { &more };
        server::call("openssl", &[&sign[..], &files, more].concat());
    })
}

/// A server that speaks TLS, with further lines, after what makes its certificate.
fn tls(name: &str, lines: &'static str, make: impl Fn(&World) + Send + Sync + 'static) -> Row {
    Row::new(name).prepare(make).prepare(move |world| {
        let host = virtual_host("server");
        world.configure(&host.replace("</VirtualHost>", &format!("{lines}\n</VirtualHost>")));
    })
}

/// Has this host trust a certificate, as an administrator does it.
fn trust_also(file: &str) {
    let bundle = "/etc/ssl/certs/ca-certificates.crt";
    let known = fs::read_to_string(bundle).unwrap_or_default();
    fs::create_dir_all("/etc/ssl/certs").unwrap();
    fs::write(bundle, known + &fs::read_to_string(file).unwrap()).unwrap();
}

const URL: &str = "https://localhost:8443/server-status";
const RSA: [&str; 2] = ["-newkey", "rsa:2048"];
const NAMED: [&str; 4] = ["-newkey", "rsa:2048", "-addext", "subjectAltName=DNS:localhost"];

#[test]
fn a_certificate_that_this_host_trusts_and_the_library_doesnt() {
    let asked = |row: Row| row.running().with("statusurl", URL).looks(0, "");
    check(
        "trusted",
        &[
            asked(certificate("an authority's own, as openssl makes it", &NAMED)),
            asked(certificate("its name in the subject only", &RSA)),
            asked(issued(
                "of an authority, its name in the subject only",
                "basicConstraints=CA:FALSE",
            )),
            asked(issued("of an authority, version 1", "")),
        ],
    );
}

/// What may not be taken for one that is trusted.
#[test]
fn a_certificate_that_nobody_should_trust() {
    let own = |world: &World, subject: &str| {
        let file = |kind: &str| world.text(&format!("{{w}}/server.{kind}"));
        let request = ["req", "-newkey", "rsa:2048", "-nodes", "-subj", subject];
        server::call(
            "openssl",
            &[&request[..], &["-keyout", &file("key"), "-out", &file("csr")]].concat(),
        );
        file("csr")
    };
    inside(|| {
        // One of version 1 that signed itself: first unknown, then for another name, then trusted.
        let world = World::ours().with("statusurl", URL);
        let csr = own(&world, "/CN=elsewhere.example");
        let file = |kind: &str| world.text(&format!("{{w}}/server.{kind}"));
        let sign = ["x509", "-req", "-days", "2", "-in", &csr, "-signkey", &file("key"), "-out"];
        server::call("openssl", &[&sign[..], &[&file("pem")]].concat());
        world.configure(&virtual_host("server"));
        world.serve();
        world.expect_reason("monitor", 1, "made to trust the certificate");
        trust_also(&file("pem"));
        world.expect_reason("monitor", 1, "another name");
        fs::write("/etc/hosts", "127.0.0.1 localhost elsewhere.example\n").unwrap();
        let world = world.with("statusurl", &URL.replace("localhost", "elsewhere.example"));
        world.expect("monitor", 0);
    });
}

/// An authority of the same name isn't the same authority.
#[test]
fn a_certificate_of_version_1_by_an_authority_of_a_known_name() {
    inside(|| {
        let world = World::ours().with("statusurl", URL);
        make_authority(&world);
        trust(&world);
        make_authority(&world);
        let file = |name: &str| world.text(&format!("{{w}}/{name}"));
        let request = ["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"];
        let files = ["-keyout", &file("server.key"), "-out", &file("server.csr")];
        server::call("openssl", &[&request[..], &files].concat());
        let sign = ["x509", "-req", "-days", "2", "-CAcreateserial", "-CA", &file("authority.pem")];
        let more = ["-CAkey", &file("authority.key"), "-in", &file("server.csr")];
        server::call("openssl", &[&sign[..], &more, &["-out", &file("server.pem")]].concat());
        world.configure(&virtual_host("server"));
        world.serve();
        world.expect_reason("monitor", 1, "made to trust the certificate");
    });
}

/// One whom nobody has to trust: the server is known by its configuration.
fn unverified(name: &str, key: &'static str) -> Row {
    let lines = "SSLCipherSuite DEFAULT@SECLEVEL=0";
    let make = move |world: &World| {
        let file = |kind: &str| world.text(&format!("{{w}}/server.{kind}"));
        let mut words = vec!["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=x", "-newkey"];
        words.extend(key.split(' '));
        server::call(
            "openssl",
            &[&words[..], &["-keyout", &file("key"), "-out", &file("pem")]].concat(),
        );
    };
    let row = tls(name, lines, make).edit("Listen 127.0.0.1:8088\n", "");
    row.with("testregex", "apache server status")
}

#[test]
fn a_certificate_that_neednt_be_trusted() {
    inside(|| {
        for key in ["rsa:1024", "ec -pkeyopt ec_paramgen_curve:secp521r1", "rsa:2048 -sha1"] {
            let did = unverified(key, key).works().play(apache_tests::Agent::Ours);
            let codes: Vec<_> = did.iter().map(|did| did.code).collect();
            assert_eq!(codes, [Some(0), Some(0), Some(0), Some(7)], "{key}: {did:?}");
        }
    });
}

/// What a server insists on that this agent's TLS hasn't got.
fn insists(name: &str, lines: &'static str, words: &'static str) -> Row {
    let make = |world: &World| {
        let file = |kind: &str| world.text(&format!("{{w}}/server.{kind}"));
        let words = ["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
        let files = ["-keyout", &file("key"), "-out", &file("pem")];
        server::call("openssl", &[&words[..], &NAMED, &files].concat());
        trust_also(&file("pem"));
    };
    tls(name, lines, make).running().with("statusurl", URL).looks(1, words)
}

#[test]
fn tls_of_the_day_before_yesterday() {
    check(
        "old TLS",
        &[
            insists(
                "CBC",
                "SSLProtocol TLSv1.2\nSSLCipherSuite ECDHE-RSA-AES256-SHA384",
                "8443|HandshakeFailure|SSLCipherSuite",
            ),
            insists(
                "RSA for the key",
                "SSLProtocol TLSv1.2\nSSLCipherSuite AES256-GCM-SHA384",
                "8443|HandshakeFailure|SSLCipherSuite",
            ),
            insists(
                "TLS 1.0",
                "SSLProtocol TLSv1\nSSLCipherSuite ALL@SECLEVEL=0",
                "8443|SSLProtocol have TLSv1.2",
            ),
        ],
    );
}

#[test]
fn what_only_a_browser_does() {
    let digest = "AuthType Digest\nAuthName r\nAuthUserFile {w}/users\nRequire valid-user";
    check(
        "client",
        &[
            Row::new("Digest")
                .prepare(|world| {
                    let sum = "printf u:r:word | md5sum | cut -d' ' -f1";
                    let sum = server::call("sh", &["-c", sum]);
                    world.write("users", &format!("u:r:{}\n", sum.trim()));
                    for name in ["auth_digest", "authn_core", "authn_file", "authz_user"] {
                        world.configure(&module(name));
                    }
                })
                .edit("Require local", digest)
                .running()
                .with("statusurl", "http://u:word@127.0.0.1:8088/server-status")
                .looks(1, "401|only AuthType Basic"),
            Row::new("a page that begins with a cookie")
                .prepare(|world| world.configure(&module("rewrite")))
                .configure(
                    "RewriteEngine on\nRewriteCond %{HTTP_COOKIE} !seen=1\n\
                     RewriteRule ^/app(.*) /app$1 [R=302,L,CO=seen:1:127.0.0.1]\n\
                     RewriteRule ^/app /index.html [PT]",
                )
                .running()
                .with("testurl", "http://127.0.0.1:8088/app")
                .with("testregex10", "works")
                .then("monitor 10", 1, "redirections"),
            Row::new("a host whose last word is a number")
                .with("statusurl", "http://node.1:8088/")
                .then("validate-all", 6, "statusurl"),
        ],
    );
}

#[test]
fn a_proxy_whose_servers_are_gone() {
    check(
        "proxy",
        &[Row::new("with nothing configured")
            .edit(
                "<Location /server-status>\nSetHandler server-status\nRequire local\n</Location>\n",
                "",
            )
            .prepare(|world| {
                world.configure(&(module("proxy") + &module("proxy_http")));
            })
            .configure("ProxyPass / http://127.0.0.1:9999/")
            .works()],
    );
}

fn test(name: &str, lines: &'static str) -> Row {
    let row = tls(name, "", |world| {
        let file = |kind: &str| world.text(&format!("{{w}}/server.{kind}"));
        let words = ["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
        let files = ["-keyout", &file("key"), "-out", &file("pem")];
        server::call("openssl", &[&words[..], &RSA, &files].concat());
    });
    row.prepare(move |world| {
        let url = "https://localhost:8443/index.html";
        world.write("tests", &format!("test one\nurl {url}\nmatch works\n{lines}\nend\n"));
    })
    .running()
    .with("testconffile", "{w}/tests")
}

#[test]
fn options_of_a_client() {
    let both = |row: Row| row.then("validate-all", 0, "").then("monitor 10", 0, "");
    check(
        "options",
        &[
            both(test("the parameter's client", "client_opts -k").with("client", "curl")),
            both(test("a client with its options", "client curl -k")),
            both(test("a client and options", "client curl\nclient_opts -k")),
            both(test("wget's", "client_opts --no-check-certificate")),
            both(test("a quote", "client echo\nclient_opts it's it works {\"a\":\"b\"}")),
            test("not those that are needed", "client curl").then("monitor 10", 1, "8443"),
            test("of a client that says nothing", "client curl\nclient_opts --no-such-option")
                .then("monitor 10", 1, "8443|curl printed nothing|status 2"),
        ],
    );
}
