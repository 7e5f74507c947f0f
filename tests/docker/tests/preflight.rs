// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What this node lacks for a container is named before anything is made.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use docker_tests::{Engine, World, images};
use serde_json::json;
use std::fs;
use std::net::{TcpListener, UdpSocket};

/// A start that fails with these words, and leaves no container.
fn refused(world: &World<'_>, code: i32, words: &str) {
    let before = world.engine.api().containers();
    world.expect_reason("start", code, words);
    assert_eq!(world.engine.api().containers(), before, "{words}");
}

fn running(engine: &Engine, name: &str) {
    let body = json!({
        "Image": images::PLAIN, "Cmd": ["/bin/serve"], "HostConfig": {"NetworkMode": "none"},
    });
    engine.run(name, &body);
}

#[test]
fn a_missing_source_is_named_and_no_directory_takes_a_files_place() {
    let engine = Engine::start();
    let world = World::ours(&engine, "one");
    let directory = world.data();
    let [authkey, socket, data, mounted] =
        ["etc/tls/server.key", "app.sock", "data.d", "mounted"].map(|name| directory.join(name));
    for missing in [&authkey, &socket] {
        let options = format!("--network none -v {}:/data", missing.display());
        let words = format!("{} is missing on this node", missing.display());
        refused(&World::ours(&engine, "one").with("run_opts", &options), 2, &words);
        assert!(!missing.exists());
    }
    let options = format!("--network none --mount type=bind,src={},dst=/m", mounted.display());
    let words = format!("{} is missing on this node", mounted.display());
    refused(&World::ours(&engine, "one").with("run_opts", &options), 2, &words);
    refused(&World::ours(&engine, "one").with("run_opts", "-v /dev/nosuch:/x"), 2, "/dev/nosuch");

    // Of a directory the Engine makes an empty one, as it always has.
    let options = format!("--network none -v {}:/data", data.display());
    let world = World::ours(&engine, "one").with("run_opts", &options);
    let seen = world.expect("start", 0);
    assert!(seen.stderr().contains("Docker makes an empty directory"), "{seen}");
    assert!(data.is_dir());
    world.expect("stop", 0);

    // What mount_points names is there when the container is made.
    let world = World::ours(&engine, "one").with("mount_points", mounted.to_str().unwrap());
    let options = format!("--network none --mount type=bind,src={},dst=/m", mounted.display());
    let world = world.with("run_opts", &options);
    world.expect("start", 0);
    world.expect("stop", 0);
}

#[test]
fn a_mount_point_that_is_a_file_stops_the_start_before_anything_is_made() {
    let engine = Engine::start();
    let world = World::ours(&engine, "one").with("run_opts", "--network none");
    let (file, other) = (world.data().join("file"), world.data().join("other"));
    fs::write(&file, "kept").unwrap();
    let points = format!("{},{}", other.display(), file.display());
    let world = world.with("mount_points", &points);
    let words = format!("mount point {} is a file", file.display());
    refused(&world, 2, &words);
    world.expect_reason("validate-all", 2, &words);
    assert!(!other.exists() && fs::read(&file).unwrap() == b"kept");
}

#[test]
fn what_the_container_takes_of_others_has_to_be_there() {
    let engine = Engine::start();
    engine.create("made", &json!({"Image": images::PLAIN}));
    running(&engine, "up");
    for (options, code, words) in [
        ("--network nosuch", 2, "network nosuch isn't on this node"),
        ("--network container:nosuch", 2, "container nosuch of --network isn't"),
        ("--network container:made", 1, "container made of --network doesn't run"),
        ("--network none --volumes-from nosuch:ro", 2, "container nosuch of --volumes-from isn't"),
        ("--network none --pid container:nosuch", 2, "container nosuch of --pid isn't"),
        ("--network none --ipc container:made", 1, "container made of --ipc doesn't run"),
    ] {
        refused(&World::ours(&engine, "one").with("run_opts", options), code, words);
    }
    for options in
        ["--network container:up --volumes-from made", "--network none --pid container:up"]
    {
        let world = World::ours(&engine, "one").with("run_opts", options);
        world.expect("start", 0);
        world.expect("stop", 0);
    }
}

#[test]
fn a_port_that_is_taken_is_named_with_its_holder() {
    let engine = Engine::start();
    engine.network("ports", "10.213.47.0/24");
    let world = |options: &str| {
        World::ours(&engine, "one").with("run_opts", &format!("--network ports {options}"))
    };
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port();
    let other = "another program of this node listens there";
    let words = format!("cannot publish port 127.0.0.1:{port}: {other}");
    refused(&world(&format!("-p 127.0.0.1:{port}:80")), 1, &words);
    refused(&world(&format!("-p {port}:80")), 1, &format!("cannot publish port {port}: {other}"));
    refused(&world("-p 192.0.2.9:7805:80"), 1, "192.0.2.9:7805: no such address on this node");
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    let udp = datagrams.local_addr().unwrap().port();
    refused(&world(&format!("-p 127.0.0.1:{udp}:53/udp")), 1, &format!("{udp}/udp: {other}"));

    // Where nothing is published nothing is in the way.
    for mode in ["none", "host"] {
        let options = format!("--network {mode} -p {port}:80");
        let world = World::ours(&engine, "one").with("run_opts", &options);
        world.expect("start", 0);
        world.expect("stop", 0);
    }

    drop(held);
    let body = json!({
        "Image": images::PLAIN, "Cmd": ["/bin/serve"], "ExposedPorts": {"80/tcp": {}},
        "HostConfig": {
            "NetworkMode": "ports",
            "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": port.to_string()}]},
        },
    });
    engine.run("web", &body);
    let words = format!("cannot publish port 127.0.0.1:{port}: container web has it");
    refused(&world(&format!("-p 127.0.0.1:{port}:80")), 1, &words);
    engine.remove("web");
    let world = world(&format!("-p 127.0.0.1:{port}:80"));
    world.expect("start", 0);
    world.expect("start", 0);
    world.expect("stop", 0);
}
