// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which Engine is meant: the agent finds a container exactly where the `docker` command does with the
//! same environment, with certificates and contexts that are real.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

use docker_tests::world::run;
use docker_tests::{Engine, World, images};
use ocf_tester::scratch::Scratch;
use serde_json::json;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

type Environment<'a> = Vec<(&'a str, String)>;

/// Runs a program that has to succeed.
fn done(program: &str, package: &str, arguments: &[&str], environment: &Environment<'_>) {
    let mut command = Command::new(program);
    let command = command.args(arguments).envs(environment.iter().cloned());
    let output = command.output().unwrap_or_else(|error| panic!("{program} ({package}): {error}"));
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
}

/// An authority, and what it has signed: `ca.pem`, `server.pem`, `client.pem`, each with its key.
struct Authority(PathBuf);

impl Authority {
    fn new(directory: PathBuf) -> Self {
        fs::create_dir(&directory).unwrap();
        let authority = Self(directory);
        authority.make("ca", "basicConstraints = critical,CA:TRUE\n", None);
        let own = "subjectAltName = DNS:localhost,IP:127.0.0.1\nextendedKeyUsage = serverAuth\n";
        authority.make("server", own, Some("ca"));
        authority.make("client", "extendedKeyUsage = clientAuth\n", Some("ca"));
        authority
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn make(&self, name: &str, extensions: &str, by: Option<&str>) {
        let settings = format!(
            "[req]\ndistinguished_name = dn\nprompt = no\nx509_extensions = ext\n\
             [dn]\nCN = {name}\n[ext]\n{extensions}"
        );
        let file = self.file(&format!("{name}.cnf"));
        fs::write(&file, settings).unwrap();
        let [key, certificate] = ["key", "pem"].map(|end| self.file(&format!("{name}.{end}")));
        let mut arguments = vec!["req", "-x509", "-config", &file, "-days", "2", "-nodes"];
        arguments.extend(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
        arguments.extend(["-keyout", &key, "-out", &certificate]);
        let signer = by.map(|by| ["pem", "key"].map(|end| self.file(&format!("{by}.{end}"))));
        if let Some([certificate, key]) = &signer {
            arguments.extend(["-CA", certificate, "-CAkey", key]);
        }
        done("openssl", "openssl", &arguments, &Vec::new());
    }
}

/// A directory as `DOCKER_CERT_PATH` names one, with these files.
fn directory(path: PathBuf, files: &[(&str, String)]) -> String {
    fs::create_dir(&path).unwrap();
    for (name, from) in files {
        fs::copy(from, path.join(name)).unwrap();
    }
    path.to_str().unwrap().to_owned()
}

/// Whether the `docker` command sees the container.
fn does_command_find(name: &str, home: &Path, environment: &Environment<'_>) -> bool {
    let mut command = Command::new("docker");
    command.args(["container", "inspect", name]).env_clear().env("HOME", home);
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin").envs(environment.iter().cloned());
    let output = command.output();
    output.unwrap_or_else(|error| panic!("docker (package docker.io): {error}")).status.success()
}

/// Whether the agent does; what it says is one sentence, whatever the environment is.
fn does_agent_find(world: &World<'_>, environment: &Environment<'_>) -> bool {
    let mut call = world.call("probe").without_env("DOCKER_HOST");
    for (name, value) in environment {
        call = call.env(*name, value);
    }
    let seen = run(&call);
    println!("  {:?} {}", seen.code(), seen.reason);
    assert!(matches!(seen.code(), Some(0 | 1 | 7)), "{seen}");
    assert!(seen.code() != Some(1) || !seen.reason.is_empty(), "{seen}");
    seen.code() == Some(0)
}

/// Makes contexts with the command itself.
fn make_contexts(configuration: &str, contexts: &[(&str, String)]) {
    let environment = vec![("DOCKER_CONFIG", configuration.to_owned())];
    for (name, endpoint) in contexts {
        let arguments = ["context", "create", name, "--docker", endpoint];
        done("docker", "docker.io", &arguments, &environment);
    }
}

#[test]
fn the_engine_is_the_one_that_the_docker_command_means() {
    let scratch = Scratch::new("endpoints").unwrap();
    let at = |name: &str| scratch.path().join(name);
    let (ours, foreign) = (Authority::new(at("ours")), Authority::new(at("foreign")));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (address, listen) = (format!("tcp://localhost:{port}"), format!("tcp://127.0.0.1:{port}"));
    let [ca, certificate, key] = ["ca.pem", "server.pem", "server.key"].map(|name| ours.file(name));
    let engine = Engine::with(&[
        "--host",
        &listen,
        "--tlsverify",
        "--tlscacert",
        &ca,
        "--tlscert",
        &certificate,
        "--tlskey",
        &key,
    ]);
    let name = engine.name("found");
    let body = json!({
        "Image": images::PLAIN, "Cmd": ["/bin/serve"], "HostConfig": {"NetworkMode": "none"},
    });
    engine.run(&name, &body);
    let world = World::ours(&engine, &name);

    let client = |authority: &Authority| {
        [("cert.pem", authority.file("client.pem")), ("key.pem", authority.file("client.key"))]
    };
    let with_ca = |authority: &Authority, client: &[(&'static str, String)]| {
        [&[("ca.pem", authority.file("ca.pem"))], client].concat()
    };
    let good = directory(at("good"), &with_ca(&ours, &client(&ours)));
    let no_client = directory(at("no-client"), &with_ca(&ours, &[]));
    let other_ca = directory(at("other-ca"), &with_ca(&foreign, &client(&ours)));
    let stranger = directory(at("stranger"), &with_ca(&ours, &client(&foreign)));
    let mixed = [("cert.pem", ours.file("client.pem")), ("key.pem", ours.file("ca.key"))];
    let mixed = directory(at("mixed"), &with_ca(&ours, &mixed));
    let no_ca = directory(at("no-ca"), &client(&ours));

    let contexts = directory(at("contexts"), &[]);
    let files = |with: &str| format!("cert={good}/cert.pem,key={good}/key.pem{with}");
    make_contexts(
        &contexts,
        &[
            ("socket", format!("host={}", engine.host())),
            ("tls", format!("host={address},{}", files(&format!(",ca={good}/ca.pem")))),
            ("no-ca", format!("host={address},{}", files(""))),
            ("unverified", format!("host={address},{}", files(",skip-tls-verify=true"))),
            ("clear", format!("host={address}")),
        ],
    );
    let current = directory(at("current"), &[]);
    make_contexts(&current, &[("socket", format!("host={}", engine.host()))]);
    let of_current = vec![("DOCKER_CONFIG", current.clone())];
    done("docker", "docker.io", &["context", "use", "socket"], &of_current);
    let broken = directory(at("broken"), &[]);
    make_contexts(&broken, &[("socket", format!("host={}", engine.host()))]);
    fs::write(format!("{broken}/config.json"), "{\"currentContext\": \"socket\"").unwrap();

    let tls = |directory: &str, variable: &'static str| {
        let certificates = ("DOCKER_CERT_PATH", directory.to_owned());
        vec![("DOCKER_HOST", address.clone()), (variable, "1".to_owned()), certificates]
    };
    let context =
        |name: &str| vec![("DOCKER_CONFIG", contexts.clone()), ("DOCKER_CONTEXT", name.to_owned())];
    let host = |host: String| vec![("DOCKER_HOST", host)];
    let more = |mut environment: Environment<'static>, name: &'static str, value: &str| {
        environment.push((name, value.to_owned()));
        environment
    };
    let cases: Vec<(&str, Environment<'_>, bool)> = vec![
        ("the socket", host(engine.host()), true),
        ("the socket, in blanks", host(format!(" {} ", engine.host())), true),
        ("a socket without an Engine", host("unix:///run/nobody/listens".to_owned()), false),
        ("no scheme that is known", host(format!("http://localhost:{port}")), false),
        ("no port", host("tcp://localhost:port".to_owned()), false),
        ("in the clear", host(address.clone()), false),
        ("TLS", tls(&good, "DOCKER_TLS_VERIFY"), true),
        (
            "TLS, below the configuration",
            {
                let host = ("DOCKER_HOST", address.clone());
                vec![host, ("DOCKER_TLS_VERIFY", "0".to_owned()), ("DOCKER_CONFIG", good.clone())]
            },
            true,
        ),
        ("TLS, no client", tls(&no_client, "DOCKER_TLS_VERIFY"), false),
        ("TLS, a client of others", tls(&stranger, "DOCKER_TLS_VERIFY"), false),
        ("TLS, another key", tls(&mixed, "DOCKER_TLS_VERIFY"), false),
        ("TLS, another authority", tls(&other_ca, "DOCKER_TLS_VERIFY"), false),
        ("TLS, no authority", tls(&no_ca, "DOCKER_TLS_VERIFY"), false),
        ("TLS, unverified", tls(&other_ca, "DOCKER_TLS"), true),
        ("TLS, unverified, no authority", tls(&no_ca, "DOCKER_TLS"), false),
        (
            "TLS, another version",
            more(tls(&good, "DOCKER_TLS"), "DOCKER_API_VERSION", "1.40"),
            true,
        ),
        ("no version", more(host(engine.host()), "DOCKER_API_VERSION", "junk"), false),
        ("context of a socket", context("socket"), true),
        ("context with TLS", context("tls"), true),
        ("context without authority", context("no-ca"), false),
        ("context, unverified", context("unverified"), true),
        ("context in the clear", context("clear"), false),
        ("no such context", context("nosuch"), false),
        ("the host wins", more(context("clear"), "DOCKER_HOST", &engine.host()), true),
        ("the current context", of_current.clone(), true),
        ("another than the current one", more(of_current, "DOCKER_CONTEXT", "nosuch"), false),
        ("a broken configuration", vec![("DOCKER_CONFIG", broken)], false),
    ];
    for (what, environment, wanted) in &cases {
        println!("{what}");
        assert_eq!(does_command_find(&name, world.path(), environment), *wanted, "docker: {what}");
        assert_eq!(does_agent_find(&world, environment), *wanted, "the agent: {what}");
    }
    println!("{} environments", cases.len());
}
