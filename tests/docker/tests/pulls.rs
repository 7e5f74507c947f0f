// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Images: which one is meant, whether this node has it, and how it gets here from a registry.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use docker_tests::registry::{Manner, REPOSITORY};
use docker_tests::world::run;
use docker_tests::{Engine, Registry, Seen, World, images};
use ocf_tester::scratch::executable;
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

/// A login, and how HTTP writes it. Its bytes are such that base64 has two alphabets for what an Engine
/// is told: one that reads the other takes it for no login at all.
const USER: &str = "me";
const PASSWORD: &str = "a~~?>>?~y";
const BASIC: &str = "bWU6YX5+Pz4+P355";

fn pulling<'a>(engine: &'a Engine, name: &str, image: &str) -> World<'a> {
    World::ours(engine, name)
        .with("image", image)
        .with("allow_pull", "true")
        .with("run_opts", "--network none")
}

/// Writes the node's Docker configuration of a world.
fn configure(world: &World<'_>, configuration: &Value) {
    let directory = world.path().join(".docker");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("config.json"), configuration.to_string()).unwrap();
}

fn has_no_secret(seen: &Seen) {
    for secret in [PASSWORD, BASIC] {
        assert!(!seen.to_string().contains(secret), "a secret is shown: {seen}");
    }
}

#[test]
fn an_image_comes_with_the_nodes_login() {
    let engine = Engine::empty(&[]);
    let registry = Registry::listen(Manner::Login(BASIC.to_owned()));
    let world = pulling(&engine, "one", &registry.image());
    let refused = world.expect_reason("start", 1, "cannot pull image");
    assert!(refused.stderr().contains("docker login"), "{refused}");
    assert_eq!(engine.api().containers(), Vec::<String>::new());

    let auths = json!({"auths": {registry.address(): {"auth": BASIC}}});
    configure(&world, &auths);
    let started = world.expect("start", 0);
    assert!(started.stderr().contains("pulled image"), "{started}");
    has_no_secret(&started);
    assert_eq!(world.status(), "running");
    world.expect("stop", 0);

    let other = json!({"auths": {registry.address(): {"username": USER, "password": "wrong"}}});
    let world = pulling(&engine, "two", &format!("{}/{REPOSITORY}:2", registry.address()));
    configure(&world, &other);
    world.expect_reason("start", 1, "cannot pull image");
}

#[test]
fn a_login_comes_from_a_helper_too_and_is_shown_nowhere() {
    let engine = Engine::empty(&[]);
    let registry = Registry::listen(Manner::Login(BASIC.to_owned()));
    let world = pulling(&engine, "one", &registry.image());
    configure(&world, &json!({"credHelpers": {registry.address(): "ocf-test"}}));
    let programs = world.path().join("programs");
    fs::create_dir(&programs).unwrap();
    let helper = programs.join("docker-credential-ocf-test");
    let answer = json!({"ServerURL": "", "Username": USER, "Secret": PASSWORD});
    let call = world.call("start").env("PATH", format!("{}:/usr/bin:/bin", programs.display()));

    let missing = run(&call);
    missing.is(1);
    assert!(missing.stderr().contains("docker-credential-ocf-test is not installed"), "{missing}");
    let failing = "#!/bin/sh\necho 'the keyring is locked'\nexit 1\n";
    executable(&helper, failing).unwrap();
    let failed = run(&call);
    failed.is(1);
    assert!(failed.stderr().contains("the keyring is locked"), "{failed}");

    let noted = world.path().join("noted");
    let good = format!(
        "#!/bin/sh\nread -r server\necho \"$server $*\" > {}\necho '{answer}'\n",
        noted.display()
    );
    executable(&helper, good).unwrap();
    let started = run(&call);
    started.is(0);
    has_no_secret(&started);
    assert_eq!(fs::read_to_string(noted).unwrap(), format!("{} get\n", registry.address()));
    world.expect("stop", 0);
}

#[test]
fn a_digest_that_is_here_needs_no_registry() {
    let engine = Engine::empty(&[]);
    let registry = Registry::listen(Manner::Open);
    let world = pulling(&engine, "one", &registry.image_by_digest());
    world.expect("start", 0);
    world.expect("stop", 0);
    let asked = registry.requests().len();
    registry.become_of(Manner::Status(500));
    for image in [registry.image_by_digest(), registry.image_by_digest().replace('@', ":other@")] {
        for may_pull in ["true", "false"] {
            let world = pulling(&engine, "one", &image).with("allow_pull", may_pull);
            world.expect("start", 0);
            world.expect("stop", 0);
        }
    }
    assert_eq!(registry.requests().len(), asked, "{:?}", registry.requests());
}

#[test]
fn without_allow_pull_nobody_is_asked_for_an_image() {
    let engine = Engine::empty(&[]);
    let registry = Registry::listen(Manner::Open);
    for image in [registry.image(), registry.image_by_digest()] {
        let world = pulling(&engine, "one", &image).with("allow_pull", "false");
        world.expect_reason("start", 5, "is not on this node");
    }
    assert_eq!(registry.requests(), Vec::<String>::new());
    assert_eq!(engine.api().containers(), Vec::<String>::new());
}

#[test]
fn a_pull_that_hangs_ends_before_pacemaker_kills_it() {
    let engine = Engine::empty(&[]);
    for (manner, words) in
        [(Manner::Silent, "the registry has named no layer yet"), (Manner::Stuck, "0 of 1 layers")]
    {
        let registry = Registry::listen(manner);
        let world = pulling(&engine, "one", &registry.image()).limit(Duration::from_secs(6));
        let seen = world.expect_reason("start", 1, "isn't here after");
        assert!(seen.stderr().contains(words), "{seen}");
        assert!(seen.stderr().contains("raise the timeout"), "{seen}");
        assert_eq!(engine.api().containers(), Vec::<String>::new());
    }
}

#[test]
fn a_registry_that_refuses_is_quoted() {
    let engine = Engine::empty(&[]);
    let registry = Registry::listen(Manner::Open);
    let unknown = format!("{}/{REPOSITORY}:2", registry.address());
    pulling(&engine, "one", &unknown).expect_reason("start", 1, "manifest unknown");
    let other = format!("{}/{REPOSITORY}@sha256:{}", registry.address(), "0".repeat(64));
    pulling(&engine, "one", &other).expect_reason("start", 1, "cannot pull image");
    registry.become_of(Manner::Status(503));
    pulling(&engine, "one", &registry.image()).expect_reason("start", 1, "cannot pull image");
    let gone = registry.image();
    drop(registry);
    let seen = pulling(&engine, "one", &gone).expect("start", 1);
    assert!(seen.stderr().contains("connection refused"), "{seen}");
    assert_eq!(engine.api().containers(), Vec::<String>::new());
}

/// What the shell agent finds by a pattern, and the Engine by the beginning of an ID.
#[test]
fn an_image_is_the_one_of_exactly_that_name() {
    let engine = Engine::start();
    let id = engine.api().done("GET", &format!("/images/{}/json", images::PLAIN), &Value::Null);
    let id = id.json()["Id"].as_str().unwrap().to_owned();
    let digits = id.strip_prefix("sha256:").unwrap();
    for (repository, tag) in [
        ("img", "latest"),
        ("nginx", "1.25"),
        ("docker.io/lib/x", "2"),
        ("reg:5000/foo/bar", "3"),
        ("bar", "3"),
        ("quay.io/a/b", "latest"),
        ("localhost/pcmktest", "http"),
    ] {
        let path = format!("/images/{}/tag?repo={repository}&tag={tag}", images::PLAIN);
        engine.api().done("POST", &path, &Value::Null);
    }
    let world = |image: &str| {
        World::ours(&engine, "one").with("image", image).with("run_opts", "--network none")
    };
    for image in [
        "img",
        "img:latest",
        "nginx:1.25",
        "docker.io/nginx:1.25",
        "docker.io/library/nginx:1.25",
        "library/nginx:1.25",
        "docker.io/lib/x:2",
        "reg:5000/foo/bar:3",
        "quay.io/a/b",
        "localhost/pcmktest:http",
        &id,
        digits,
        &digits[..12],
    ] {
        world(image).expect("start", 0);
        world(image).expect("stop", 0);
    }
    for image in [
        "other:5000/zzz/bar:3",
        "foo/bar:3",
        "img:lates.",
        "nginx",
        "pcmktest:http",
        "quay.io/img",
        &digits[..11],
        &digits[..4],
        &format!("sha256:{}", &digits[..4]),
        &format!("img@{id}"),
    ] {
        world(image).expect_reason("start", 5, "is not on this node");
    }
    for image in ["im(g:latest", "IMG:latest", "img:", "../containers/json", "img?x"] {
        world(image).expect_reason("start", 6, "is no reference");
    }
    assert_eq!(engine.api().containers(), Vec::<String>::new());
}
