// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Configurations and parameters that an agent has misread, or read for too long.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use apache_tests::host::{Kind, all_of};
use apache_tests::side_by_side::check;
use apache_tests::{Row, World, inside, server};
use std::fs;
use std::net::UdpSocket;
use std::time::Duration;

fn has_servers() -> bool {
    !(all_of(Kind::Server).is_empty() && all_of(Kind::Orphan).is_empty())
}

/// A resolver that never says anything.
fn silence_names() -> UdpSocket {
    let silent = UdpSocket::bind("127.0.0.53:53").unwrap();
    let _was_there = fs::remove_file("/etc/resolv.conf");
    fs::write("/etc/resolv.conf", "nameserver 127.0.0.53\n").unwrap();
    silent
}

/// Stop, probe and monitor of a server whose `Listen` has a name, when nobody knows the name any more.
#[test]
fn a_resolver_that_is_silent_holds_up_no_look_and_no_stop() {
    inside(|| {
        let hosts = fs::read_to_string("/etc/hosts").unwrap();
        let _silent = silence_names();
        for by_hand in [false, true] {
            let world = World::ours().limit(Duration::from_secs(10));
            world.edit("httpd.conf", "Listen 127.0.0.1:8088", "Listen web.invalid:8088");
            fs::write("/etc/hosts", format!("{hosts}\n127.0.0.1 web.invalid\n")).unwrap();
            if by_hand {
                world.serve();
            } else {
                world.expect("start", 0);
            }
            fs::write("/etc/hosts", &hosts).unwrap();
            for (action, code) in [("monitor", 0), ("probe", 0), ("stop", 0), ("probe", 7)] {
                let seen = world.expect(action, code);
                assert!(seen.seconds() < 5.0, "{seen}");
            }
            assert!(!has_servers());
        }
    });
}

/// What somebody has made of the configuration while the server runs: the stop reads it.
#[test]
fn a_configuration_that_explodes_holds_up_no_stop() {
    inside(|| {
        let parameters: Vec<String> = (0..20_000).map(|number| format!("$p{number}")).collect();
        let (parameters, words) = (parameters.join(" "), "v ".repeat(20_000));
        let product = "$".repeat(1 << 20);
        let texts = [
            format!("Define A {}\n{}", "x".repeat(16), "Define A ${A}${A}\n".repeat(40)),
            format!("X {}\n", "${".repeat(200_000)),
            format!("<Macro M {parameters}>\n{product}\n</Macro>\nUse M {words}\n"),
        ];
        for text in texts {
            for by_hand in [false, true] {
                let world = World::ours().limit(Duration::from_secs(10));
                if by_hand {
                    world.serve();
                } else {
                    world.expect("start", 0);
                }
                world.configure(&text);
                world.expect("monitor", 0);
                world.expect("stop", 0);
                assert!(!has_servers());
            }
        }
        assert!(server::get("127.0.0.1:8088", "/").is_none());
    });
}

/// The shell agent never looked at the port: what works with it has to go on.
#[test]
fn a_port_that_is_none_fails_no_start() {
    inside(|| {
        for port in ["70000", "http", "80,443", "0"] {
            let world = World::ours().with("port", port);
            world.expect_reason("validate-all", 6, "parameter port is no port from 1 to 65535");
            for (action, code) in [("start", 0), ("monitor", 0), ("stop", 0)] {
                world.expect(action, code);
            }
            assert!(world.log().contains("parameter port is no port"), "{}", world.log());
        }
    });
}

/// The shell agent knows no quotes.
#[test]
fn a_lone_quote_in_options_is_a_letter() {
    inside(|| {
        let world = World::ours().with("options", "-DO'Brien");
        world.edit(
            "httpd.conf",
            "Listen 127.0.0.1:8088",
            "<IfDefine O'Brien>\nListen 8088\n</IfDefine>",
        );
        for (action, code) in [("validate-all", 0), ("start", 0), ("monitor", 0), ("stop", 0)] {
            world.expect(action, code);
        }
    });
}

/// A file of variables that has the port.
fn file(name: &str, text: &'static str) -> Row {
    Row::new(name)
        .edit("Listen 127.0.0.1:8088", "Listen 127.0.0.1:${THE_PORT}")
        .file("env", text)
        .with("envfiles", "{w}/env")
}

/// What files have that servers are started with today.
#[test]
fn harmless_words_of_envfiles() {
    check(
        "envfiles",
        &[
            file("arithmetic", "BASE=8080\nexport THE_PORT=$((BASE + 8))\n").works(),
            file("a loop over words", "for port in 8087 8088; do export THE_PORT=$port; done\n")
                .works(),
            file("a look for a program", "command -v sh >/dev/null && export THE_PORT=8088\n")
                .works(),
            file("the user", "[ \"$(id -u)\" = 0 ] && export THE_PORT=8088\n").works(),
            file("limits", "export THE_PORT=8088\nulimit -n 777\numask 027\n").works(),
            file(
                "what has no effect",
                "export THE_PORT=8088\ncd /\nmkdir -p /\nalias a=b\ntest -t 0 && stty sane\n",
            )
            .works(),
            file("the output of a command", "export THE_PORT=$(expr 8080 + 8)\n")
                .fails(5, "{w}/env line 1: the output of a command"),
            file("a function", "port() {\nexport THE_PORT=8088\n}\nport\n")
                .fails(5, "env line 4: a command"),
            file("eval", "eval export THE_PORT=8088\n").fails(5, "env line 1: the command eval"),
            file("a pipe", "export THE_PORT=8088\necho 1 | read x\n")
                .fails(5, "env line 2: a pipe"),
            file("a loop over files", "export THE_PORT=8088\nfor f in /nope/*.sh; do :; done\n")
                .fails(5, "env line 2: a loop over a pattern's files"),
        ],
    );
}

/// What the shell that runs the file would have passed on.
#[test]
fn limits_of_envfiles_reach_the_server() {
    inside(|| {
        let world = World::ours().with("envfiles", "{w}/env");
        world.write("env", "ulimit -Sn 777\nulimit -c 0\numask 027\n");
        world.expect("start", 0);
        let read =
            |name: &str| fs::read_to_string(format!("/proc/{}/{name}", world.pid())).unwrap();
        let (limits, status) = (read("limits"), read("status"));
        let files: Vec<_> = limits
            .lines()
            .find(|line| line.starts_with("Max open files"))
            .unwrap()
            .split_whitespace()
            .collect();
        assert_eq!(files[3], "777", "{limits}");
        assert_ne!(files[4], "777", "the hard limit stays: {limits}");
        assert!(status.lines().any(|line| line == "Umask:\t0027"), "{status}");
        world.expect("stop", 0);
    });
}

/// A password stands there, as likely as not.
#[test]
fn an_envfiles_own_words_are_told_to_nobody() {
    inside(|| {
        for text in [
            "export PW = s3cr3t\n",
            "s3cr3t --password=s3cr3t\n",
            "export PW=$(s3cr3t)\n",
            "export PW=${s3cr3t:?s3cr3t}\n",
            ". /s3cr3t\n. s3cr3t\n",
            "export PW=$((s3cr3t=1))\n",
            "[ s3cr3t s3cr3t ]\nulimit s3cr3t\numask s3cr3t\ncd s3cr3t\nmkdir -p s3cr3t\n",
        ] {
            let world = World::ours().with("envfiles", "{w}/env");
            world.write("env", text);
            for (action, code) in [("validate-all", 5), ("start", 5), ("stop", 0), ("probe", 7)] {
                let seen = world.expect(action, code);
                assert!(!format!("{seen}").contains("s3cr3t"), "{seen}");
            }
            assert!(!world.log().contains("s3cr3t"), "{}", world.log());
        }
    });
}

/// What start would find, beside the directories that it would make.
#[test]
fn a_missing_directory_hides_no_other_mistake() {
    inside(|| {
        let world = World::stock(apache_tests::Agent::Ours);
        for directory in ["/run/apache2", "/run/lock/apache2", "/var/log/apache2"] {
            let _was_there = fs::remove_dir_all(directory);
        }
        world.expect("validate-all", 0);
        let text = "Mutex file:${APACHE_LOCK_DIR} default\n";
        world.write("/etc/apache2/conf-enabled/a.conf", text);
        world.expect("validate-all", 0);
        world.write("/etc/apache2/conf-enabled/wrong.conf", "Nonsense on\n");
        let seen =
            world.expect_reason("validate-all", 5, "wrong.conf line 1: Invalid command 'Nonsense'");
        assert!(!std::path::Path::new("/run/apache2").exists(), "{seen}");
        world.expect_reason("start", 5, "wrong.conf line 1: Invalid command 'Nonsense'");
    });
}

/// The program's output has a status, or a banner; why it ended is in the server's log.
#[test]
fn a_key_that_cannot_be_used_is_named() {
    inside(|| {
        let make = |words: &[&str]| {
            server::call("openssl", words);
        };
        let world = World::ours();
        let [key, certificate] = ["{w}/k.pem", "{w}/c.pem"].map(|name| world.text(name));
        world.configure(
            "LoadModule socache_shmcb_module /usr/lib/apache2/modules/mod_socache_shmcb.so\n\
             LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\nSSLEngine on\n\
             SSLCertificateFile {w}/c.pem\nSSLCertificateKeyFile {w}/k.pem",
        );
        let request = ["req", "-x509", "-newkey", "rsa:2048", "-subj", "/CN=localhost", "-out"];
        let signed = [&request[..], &[certificate.as_str(), "-keyout", key.as_str()]].concat();
        make(&[&signed[..], &["-nodes"]].concat());
        make(&["genrsa", "-out", &key, "2048"]);
        world.expect_reason("start", 1, "Certificate and private key");
        assert!(world.log().contains("AH02565"), "{}", world.log());
        make(&[&signed[..], &["-passout", "pass:word"]].concat());
        world.expect_reason("start", 1, "Failed to configure encrypted (?) private key");
        assert!(!has_servers());
        make(&[&signed[..], &["-nodes"]].concat());
        world.expect("start", 0);
        world.expect("stop", 0);
    });
}
