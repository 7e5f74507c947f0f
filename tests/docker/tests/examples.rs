// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What Pacemaker's scheduler passes for the containers of bundles, word for word (its own regression
//! tests, and crm_simulate): they start as they are. The services inside are Pacemaker Remote's; the log
//! daemon that `--log-driver=journald` wants is a stand-in: a socket that nobody reads, so that the Engine
//! is busy for ten seconds with the end of each container, and a stop has to wait for it.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use docker_tests::{Engine, World, images};
use serde_json::Value;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;

/// The instance, and what it is started with.
type Example = (&'static str, &'static [(&'static str, &'static str)]);

const EXAMPLES: &[Example] = &[
    (
        "httpd-bundle-docker-0",
        &[
            ("image", "pcmktest:http"),
            (
                "mount_points",
                "/var/local/containers/httpd-bundle-0,/var/log/pacemaker/bundles/httpd-bundle-0,\
                 /var/log/pacemaker/bundles/httpd-bundle-0",
            ),
            ("run_cmd", "/usr/sbin/pacemaker-remoted"),
            (
                "run_opts",
                " --restart=no -h httpd-bundle-0 -e PCMK_stderr=1 -e PCMK_remote_port=3121 -v \
                 /var/local/containers/httpd-bundle-0:/var/www/html:rw -v \
                 /var/log/pacemaker/bundles/httpd-bundle-0:/etc/httpd/logs:rw -v \
                 /etc/pacemaker/authkey:/etc/pacemaker/authkey -v \
                 /var/log/pacemaker/bundles/httpd-bundle-0:/var/log -p 192.168.20.188:80:80 -p \
                 192.168.20.188:3121:3121 --log-driver=journald  \
                 --add-host=httpd-bundle-0:192.168.20.188 --add-host=httpd-bundle-1:192.168.20.189 \
                 --add-host=httpd-bundle-2:192.168.20.190",
            ),
        ],
    ),
    // The network of the host, as OpenStack's bundles have it.
    (
        "redis-bundle-docker-1",
        &[
            ("image", "192.168.24.1:8787/rhosp12/openstack-redis-docker:pcmklatest"),
            ("mount_points", "/var/log/pacemaker/bundles/redis-bundle-1"),
            ("run_cmd", "/bin/serve /usr/local/bin/kolla_start"),
            (
                "run_opts",
                " --restart=no -e PCMK_stderr=1 --net=host -e PCMK_remote_port=3124 -v \
                 /etc/hosts:/etc/hosts:ro -v /etc/localtime:/etc/localtime:ro -v \
                 /run/redis-of-this-test:/run/redis:rw -v \
                 /etc/pacemaker/authkey:/etc/pacemaker/authkey -v \
                 /var/log/pacemaker/bundles/redis-bundle-1:/var/log --user=root \
                 --log-driver=journald -e KOLLA_CONFIG_STRATEGY=COPY_ALWAYS ",
            ),
        ],
    ),
    // add-host=false, no primitive: Pacemaker adds a flag of rkt's.
    (
        "web-docker-0",
        &[
            ("image", "pcmktest:http"),
            ("mount_points", ""),
            (
                "run_opts",
                " --restart=no -h web-0 -e PCMK_stderr=1 -e PCMK_remote_port=3121 -p \
                 192.168.20.188:8081:80  --hosts-entry=192.168.122.131=web-0 \
                 --hosts-entry=192.168.122.132=web-1",
            ),
        ],
    ),
    // Neither an address nor a primitive.
    (
        "plain-docker-0",
        &[
            ("image", "pcmktest:http"),
            ("mount_points", ""),
            (
                "run_opts",
                " --restart=no -e PCMK_stderr=1 -e PCMK_remote_port=3121 -p 8080:80 \
                 --log-driver=journald ",
            ),
        ],
    ),
];

/// The host of the examples: its address, its key, and a log daemon.
fn host() -> UnixDatagram {
    let added = Command::new("ip")
        .args(["address", "add", "192.168.20.188/32", "dev", "lo"])
        .status()
        .unwrap();
    assert!(added.success());
    fs::create_dir_all("/etc/pacemaker").unwrap();
    if !Path::new("/etc/pacemaker/authkey").exists() {
        fs::write("/etc/pacemaker/authkey", "a key of this test").unwrap();
    }
    fs::create_dir_all("/run/systemd/journal").unwrap();
    UnixDatagram::bind("/run/systemd/journal/socket").unwrap()
}

/// Gives an image of ours the example's name: with the services of Kolla stands a small one of ours.
fn tag(engine: &Engine, image: &str) {
    let ours = if image.contains("redis") { images::PLAIN } else { images::REMOTE };
    let (repository, tag) = image.rsplit_once(':').unwrap();
    let path = format!("/images/{ours}/tag?repo={repository}&tag={tag}");
    engine.api().done("POST", &path, &Value::Null);
}

#[test]
fn what_pacemaker_passes_starts_as_it_is() {
    let _log_daemon = host();
    let engine = Engine::with(&["--bridge=", "--bip=172.31.77.1/24"]);
    images::load_remote(&engine);
    for (instance, parameters) in EXAMPLES {
        let image = parameters.iter().find(|(name, _)| *name == "image").unwrap().1;
        tag(&engine, image);
        let world = World::ours(&engine, instance)
            .with("allow_pull", "true")
            .with("reuse", "false")
            .with("force_kill", "false")
            .with("monitor_cmd", "/bin/true")
            .with_all(parameters);
        world.expect("probe", 7);
        world.expect("start", 0);
        world.expect("monitor", 0);
        println!("{instance}: runs");
    }
    for (instance, parameters) in EXAMPLES {
        let world = World::ours(&engine, instance).with_all(parameters);
        world.expect("stop", 0);
        world.expect("probe", 7);
    }
    assert_eq!(engine.api().containers(), [""; 0]);
}
