// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Texts that nobody would write, for every parameter and in every file: a documented code, one sentence,
//! nothing that hangs, and never a stop that fails or leaves a server.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use apache_tests::host::{Kind, all_of};
use apache_tests::{Agent, Seen, World, in_worlds, inside, server, stub};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

const PARAMETERS: [&str; 13] = [
    "configfile",
    "httpd",
    "port",
    "statusurl",
    "testregex",
    "client",
    "testurl",
    "testregex10",
    "testconffile",
    "testname",
    "options",
    "envfiles",
    "use_ipv6",
];

const VALUES: [&[u8]; 41] = [
    b"",
    b" ",
    b"0",
    b"-1",
    b"1",
    b"65536",
    b"4294967296",
    b"99999999999999999999999",
    b"abc",
    b"*",
    b"[a-z]*",
    b"..",
    b"../../etc/passwd",
    b"/",
    b"/dev/null",
    b"/dev/zero",
    b"/proc/self/mem",
    b"/etc/shadow",
    b"a b",
    b"a\tb",
    b"a\nb",
    b"ocf-exit-reason:lie",
    b"$(touch /tmp/apache-tests-owned)",
    b"`touch /tmp/apache-tests-owned`",
    b"; touch /tmp/apache-tests-owned",
    b"| touch /tmp/apache-tests-owned",
    b"'",
    b"\"",
    b"\\",
    b"%s%n",
    b"\xff\xfe",
    b"\xc3\xa9\xc3\xa9\xc3\xa9",
    b"\xe2\x80\xae",
    b"http://",
    b"http://[::1",
    b"http://127.0.0.1:99999/",
    b"file:///etc/passwd",
    b"https://user:s3cr3t@127.0.0.1:1/",
    b"(((((((((((((((((((((((((((((a{99999}){99999})",
    b"(a*)*(a*)*(a*)*$",
    b"-k",
];

/// Actions that only look, and what they may say.
const LOOKS: [&str; 4] = ["validate-all", "probe", "monitor", "monitor 10"];

/// A documented code, one line of reason, no panic, and an answer before its time is over.
fn is_decent(seen: &Seen, action: &str, what: &str) -> Option<String> {
    let code = seen.code();
    let allowed: &[i32] = match action {
        "stop" => &[0],
        "start" => &[0, 1, 2, 5, 6],
        "validate-all" => &[0, 1, 2, 5, 6],
        "probe" => &[0, 1, 5, 6, 7],
        "reload-agent" => &[0, 1, 5, 6, 7],
        _ => &[0, 1, 7],
    };
    let stderr = String::from_utf8_lossy(&seen.execution.stderr).into_owned();
    let wrong = if !code.is_some_and(|code| allowed.contains(&code)) {
        "its code"
    } else if stderr.contains("panicked") {
        "a panic"
    } else if what.contains("url=") && stderr.contains("s3cr3t") {
        "it tells a password"
    } else if seen.reason.len() > 128
        || stderr.matches("ocf-exit-reason:").count() > 1 && !stderr.contains("lie")
    {
        "its reason isn't one line of 128 bytes"
    } else if !matches!(code, Some(0 | 7)) && seen.reason.is_empty() {
        "no reason"
    } else if code == Some(0) && !seen.reason.is_empty() {
        "a reason for a success"
    } else {
        return None;
    };
    Some(format!("{action} with {what}: {wrong}: {:?} \"{}\"", code, seen.reason))
}

fn call(world: &World, action: &str, parameter: &str, value: &[u8]) -> Seen {
    let value = OsString::from_vec(value.to_vec());
    World::make(&world.call(action).parameter(parameter, value))
}

fn has_servers() -> bool {
    !(all_of(Kind::Server).is_empty() && all_of(Kind::Orphan).is_empty())
}

/// Each parameter in a world of its own.
#[test]
fn every_parameter_while_nothing_runs() {
    in_worlds(&PARAMETERS, |parameter| {
        let world = World::ours().limit(Duration::from_secs(10));
        let (mut wrong, mut count, mut codes) = (Vec::new(), 0, BTreeMap::<_, u32>::new());
        for value in VALUES {
            let what = format!("{parameter}={}", value.escape_ascii());
            for action in LOOKS.iter().chain(&["start", "stop", "reload-agent"]) {
                let seen = call(&world, action, parameter, value);
                wrong.extend(is_decent(&seen, action, &what));
                *codes.entry((*action, seen.code())).or_default() += 1;
                count += 1;
                if *action != "start" && has_servers() {
                    wrong.push(format!("{action} with {what}: a server runs"));
                    world.expect("stop", 0);
                }
            }
        }
        println!("{parameter}: {count} calls: {codes:?}");
        assert!(!fs::exists("/tmp/apache-tests-owned").unwrap(), "something was run");
        assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    });
}

/// What an administrator breaks while it runs, which the next stop has to cope with.
#[test]
fn every_parameter_while_it_runs() {
    // The configuration is what the server is known by.
    let parameters: Vec<_> = PARAMETERS.into_iter().filter(|name| *name != "configfile").collect();
    in_worlds(&parameters, |parameter| {
        let world = World::ours().limit(Duration::from_secs(10));
        let mut wrong = Vec::new();
        for value in VALUES {
            let what = format!("{parameter}={}", value.escape_ascii());
            world.serve_again();
            for action in LOOKS {
                let seen = call(&world, action, parameter, value);
                wrong.extend(is_decent(&seen, action, &what));
                if seen.code() == Some(7) {
                    wrong.push(format!("{action} with {what}: a running server is called stopped"));
                }
            }
        }
        for value in [&b"$(nonsense)"[..], b"\xff", b"/dev/zero"] {
            world.serve_again();
            let seen = call(&world, "stop", parameter, value);
            wrong.extend(is_decent(&seen, "stop", parameter));
            if has_servers() {
                wrong.push(format!("stop with {parameter}: a server is left"));
                world.expect("stop", 0);
            }
        }
        assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    });
}

/// Files that are no configuration, or a bad one: what it begins with, what comes then, and what start says.
#[test]
fn every_configuration() {
    inside(|| {
        let mut wrong = Vec::new();
        let deep = "<IfModule !nothing>\n".repeat(300);
        let long = format!("ServerAdmin {}\n", "x".repeat(1 << 20));
        let bytes: Vec<u8> = (0..=255).collect();
        let texts: [(&str, &str, &[u8], &[i32]); 15] = [
            ("nothing", "", b"", &[5]),
            ("zeros", "", &[0; 4096], &[5]),
            ("bytes that are no text", "", &bytes, &[5]),
            ("an interpreter", "", b"#!/bin/sh\ntouch /tmp/apache-tests-owned\n", &[5]),
            ("a loop", server::SMALL, b"Include {w}/httpd.conf\n", &[5]),
            ("a loop of directories", server::SMALL, b"Include {w}/*.conf\n", &[5]),
            ("an open section", server::SMALL, b"<VirtualHost *:80>\n", &[5]),
            ("a section that nobody opened", server::SMALL, b"</VirtualHost>\n", &[5]),
            ("many sections", server::SMALL, deep.as_bytes(), &[0]),
            ("a long line", server::SMALL, long.as_bytes(), &[0, 5]),
            ("a line without an end", server::SMALL, b"ServerAdmin root \\", &[5]),
            ("a port out of range", server::SMALL, b"Listen 99999\n", &[5]),
            ("no port", server::SMALL, b"Listen 127.0.0.1:0\nListen 1:2:3\n", &[5]),
            ("an undefined variable", server::SMALL, b"Listen ${NOWHERE}\n", &[5]),
            (
                "a command",
                server::SMALL,
                b"Listen `touch /tmp/apache-tests-owned`$(touch /tmp/apache-tests-owned)\n",
                &[5],
            ),
        ];
        for (what, base, text, codes) in texts {
            let world = World::ours().limit(Duration::from_secs(10));
            let text = [world.text(base).as_bytes(), text].concat();
            let text = match String::from_utf8(text) {
                Ok(text) => world.text(&text).into_bytes(),
                Err(error) => error.into_bytes(),
            };
            fs::write(world.place().join("httpd.conf"), text).unwrap();
            for action in LOOKS.iter().chain(&["start", "stop", "reload-agent"]) {
                let seen = world.run(action);
                wrong.extend(is_decent(&seen, action, what));
                if *action == "start" {
                    println!("{what}: {:?} {}", seen.code(), seen.reason);
                    if !seen.code().is_some_and(|code| codes.contains(&code)) {
                        let reason = &seen.reason;
                        wrong.push(format!("start with {what}: {:?} {reason}", seen.code()));
                    }
                }
            }
        }
        assert!(!fs::exists("/tmp/apache-tests-owned").unwrap(), "something was run");
        assert!(!has_servers());
        assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    });
}

/// What the server itself wouldn't stand: huge, endless, somebody else's, a pipe.
#[test]
fn every_kind_of_file() {
    inside(|| {
        let mut wrong = Vec::new();
        let world = World::ours().limit(Duration::from_secs(10));
        let big = fs::File::create(world.place().join("big")).unwrap();
        big.set_len(1 << 32).unwrap();
        server::call("mkfifo", &[&world.text("{w}/pipe")]);
        world.write("closed", "");
        fs::set_permissions(world.place().join("closed"), fs::Permissions::from_mode(0o000))
            .unwrap();
        let files = [
            "{w}/big",
            "{w}/pipe",
            "{w}/closed",
            "/dev/zero",
            "/dev/full",
            "/dev/tty",
            "/proc/kmsg",
            "{w}/none",
        ];
        for parameter in ["configfile", "testconffile", "envfiles"] {
            for file in files {
                let what = format!("{parameter}={file}");
                let file = world.text(file);
                for action in LOOKS.iter().chain(&["start", "stop"]) {
                    let seen = call(&world, action, parameter, file.as_bytes());
                    wrong.extend(is_decent(&seen, action, &what));
                }
            }
        }
        assert!(!has_servers());
        assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    });
}

/// An expression that some engines never end with.
#[test]
fn an_expression_that_explodes() {
    inside(|| {
        let world = World::ours().limit(Duration::from_secs(10));
        world.serve();
        stub::serve();
        let page = format!("<html>{}!</html>\n", "a".repeat(100_000));
        world.write("htdocs/long.html", &page);
        for expression in
            ["(a*)*b", "(a|aa)+$", "(a+)+\\1\\1c", "(.*)(.*)(.*)(.*)(.*)x", "a{1,1000}{1,1000}"]
        {
            for action in ["start", "monitor"] {
                let url = "http://127.0.0.1:8088/long.html";
                let call = world.call(action).parameter("statusurl", url);
                let seen = World::make(&call.parameter("testregex", expression));
                println!(
                    "{expression}: {action} {:?} in {:.2} s: {}",
                    seen.code(),
                    seen.seconds(),
                    seen.reason
                );
                assert_eq!(is_decent(&seen, action, expression), None);
                assert!(seen.code() != Some(0), "{expression}: {seen}");
                assert!(seen.seconds() < 10.0);
            }
        }
    });
}

/// The whole of it with Debian's own configuration and no parameter.
#[test]
fn without_anything() {
    inside(|| {
        let world = World::stock(Agent::Ours).limit(Duration::from_secs(10));
        for directory in ["/etc/apache2", "/var/log/apache2", "/run/lock"] {
            fs::remove_dir_all(directory).unwrap();
        }
        for (action, code) in
            [("probe", 7), ("start", 5), ("monitor", 7), ("stop", 0), ("validate-all", 5)]
        {
            let seen = world.expect(action, code);
            assert_eq!(is_decent(&seen, action, "nothing"), None);
        }
    });
}
