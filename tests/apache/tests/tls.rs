// SPDX-License-Identifier: Apache-2.0 OR MIT
//! TLS with certificates made here, and credentials.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use apache_tests::certificate::{make, make_authority, trust, virtual_host};
use apache_tests::{World, inside, pause, server, stub};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const URL: &str = "https://localhost:8443/server-status";

/// A server with a certificate for these names, on a host that knows the authority or doesn't.
fn world(names: &str, is_known: bool) -> World {
    let world = World::ours().with("statusurl", URL);
    make_authority(&world);
    make(&world, "server", names, "2");
    world.configure(&virtual_host("server"));
    if is_known {
        trust(&world);
    }
    world
}

#[test]
fn a_trusted_certificate_is_healthy() {
    inside(|| {
        let world = world("DNS:localhost,IP:127.0.0.1", true);
        world.expect("start", 0);
        world.expect("monitor", 0);
        let world = world.with("statusurl", "https://127.0.0.1:8443/server-status");
        world.expect("monitor", 0);
        world.expect("stop", 0);
    });
}

#[test]
fn an_unknown_authority_isnt() {
    inside(|| {
        let world = world("DNS:localhost", false);
        world.serve();
        let seen = world.expect_reason("monitor", 1, "8443|certificate");
        println!("{}", seen.reason);
    });
}

#[test]
fn another_hosts_certificate_isnt() {
    inside(|| {
        let world = world("DNS:elsewhere.example", true);
        world.serve();
        let seen = world.expect_reason("monitor", 1, "8443|certificate");
        println!("{}", seen.reason);
    });
}

#[test]
fn an_expired_certificate_isnt() {
    inside(|| {
        let world = world("DNS:localhost", true);
        // Of the past: openssl's own clock can't be set, its dates can.
        let of = |kind: &str| world.text(&format!("{{w}}/{kind}"));
        world.write("index.txt", "");
        world.write("serial", "01\n");
        world.write("ca.conf", CA);
        server::call(
            "openssl",
            &[
                "ca",
                "-batch",
                "-notext",
                "-config",
                &of("ca.conf"),
                "-startdate",
                "200101000000Z",
                "-enddate",
                "210101000000Z",
                "-in",
                &of("server.csr"),
                "-extfile",
                &of("server.ext"),
                "-out",
                &of("server.pem"),
            ],
        );
        world.serve();
        let seen = world.expect_reason("monitor", 1, "8443|certificate");
        println!("{}", seen.reason);
    });
}

const CA: &str = "\
[ca]
default_ca=here
[here]
new_certs_dir={w}
database={w}/index.txt
serial={w}/serial
certificate={w}/authority.pem
private_key={w}/authority.key
default_md=sha256
policy=any
[any]
commonName=supplied
";

#[test]
fn no_tls_at_a_port_for_it_isnt() {
    inside(|| {
        let world = World::ours().with("statusurl", "https://127.0.0.1:8088/server-status");
        world.serve();
        let seen = world.expect_reason("monitor", 1, "8088");
        println!("{}", seen.reason);
    });
}

#[test]
fn tls_at_a_port_that_isnt_for_it_isnt() {
    inside(|| {
        let world = world("DNS:localhost", true);
        let world = world.with("statusurl", "http://localhost:8443/server-status");
        world.serve();
        world.expect_reason("monitor", 1, "400");
    });
}

/// P04: the first listener speaks TLS; so does whoever asks it.
#[test]
fn p04_the_status_page_of_a_listener_with_tls() {
    inside(|| {
        let world = world("DNS:localhost,IP:127.0.0.1", true).without("statusurl");
        world.edit("httpd.conf", "Listen 127.0.0.1:8088\n", "");
        let world = world.with("testregex", "apache server status");
        world.expect("start", 0);
        world.expect("monitor", 0);
        world.expect("stop", 0);
    });
}

/// What is asked for with a password, and how often somebody looks into all command lines and
/// environments meanwhile.
#[test]
fn a_password_is_in_no_command_line_log_or_reason() {
    inside(|| {
        let world = World::ours();
        server::call("htpasswd", &["-b", "-c", &world.text("{w}/users"), "monitor", "s3cr3t w0rd"]);
        for module in ["auth_basic", "authn_core", "authn_file", "authz_user"] {
            let file = format!("/usr/lib/apache2/modules/mod_{module}.so");
            world.configure(&format!("LoadModule {module}_module {file}"));
        }
        let lock = "AuthType Basic\nAuthName tests\nAuthUserFile {w}/users\nRequire valid-user";
        world.edit("httpd.conf", "Require local", lock);
        let secret = "http://monitor:s3cr3t%20w0rd@127.0.0.1:8088/server-status";
        let world = world.with("statusurl", secret);
        let watch = Watch::begin();
        world.expect("start", 0);
        for _ in 0..20 {
            world.expect("monitor", 0);
        }
        let wrong =
            world.with("statusurl", &secret.replace("word", "wrong").replace("w0rd", "wr0ng"));
        let seen = wrong.expect_reason("monitor", 1, "401");
        wrong.expect("stop", 0);
        let looks = watch.end();
        println!("{looks} looks");
        for text in [seen.reason.clone(), wrong.log()] {
            assert!(!text.contains("s3cr3t"), "{text}");
        }
        let mut records = String::new();
        for name in wrong.records() {
            let path = format!("/run/resource-agents/{name}");
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o077, 0, "{path}");
            records += &fs::read_to_string(path).unwrap();
        }
        assert!(!records.contains("s3cr3t"), "{records}");
    });
}

/// Looks into all command lines until it is ended.
struct Watch(std::thread::JoinHandle<u32>);

static IS_OVER: AtomicBool = AtomicBool::new(false);

impl Watch {
    fn begin() -> Self {
        Self(std::thread::spawn(|| {
            let mut looks = 0;
            while !IS_OVER.load(Ordering::Relaxed) {
                for entry in fs::read_dir("/proc").unwrap().flatten() {
                    let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                    let words = String::from_utf8_lossy(&words).into_owned();
                    assert!(!words.contains("s3cr3t"), "{words}");
                }
                looks += 1;
                pause(Duration::from_millis(1));
            }
            looks
        }))
    }

    fn end(self) -> u32 {
        IS_OVER.store(true, Ordering::Relaxed);
        let looks = self.0.join().unwrap();
        assert!(looks > 20, "{looks}");
        looks
    }
}

/// A test of the file has its own user and password, with what shells make something else of.
#[test]
fn d09_a_test_with_a_password() {
    inside(|| {
        let world = World::ours().with("testconffile", "{w}/tests");
        server::call("htpasswd", &["-b", "-c", &world.text("{w}/users"), "who", "a b'\"$c"]);
        for module in ["auth_basic", "authn_core", "authn_file", "authz_user"] {
            let file = format!("/usr/lib/apache2/modules/mod_{module}.so");
            world.configure(&format!("LoadModule {module}_module {file}"));
        }
        let lock = "AuthType Basic\nAuthName tests\nAuthUserFile {w}/users\nRequire valid-user";
        world.edit("httpd.conf", "Require all granted", lock);
        world.write(
            "tests",
            "test a\nurl /index.html\nmatch works\nuser who\npassword a b'\"$c\nend\n",
        );
        world.expect("start", 0);
        world.expect("monitor 10", 0);
        world.expect("stop", 0);
    });
}

/// A proxy is for what isn't here.
#[test]
fn m19_no_proxy_for_this_host() {
    inside(|| {
        stub::serve();
        let mut world = World::ours();
        for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"] {
            world = world.env(name, "http://127.0.0.1:8099/");
        }
        world.expect("start", 0);
        world.expect("monitor", 0);
        world.expect("stop", 0);
        assert_eq!(stub::requests(), Vec::<String>::new());
    });
}
