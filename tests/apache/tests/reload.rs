// SPDX-License-Identifier: Apache-2.0 OR MIT
//! reload-agent: what changed is found to be right first, and nobody's request is cut off.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use apache_tests::host::{Kind, all_of};
use apache_tests::{World, inside, server, wait_for};
use std::fs;

#[test]
fn a_new_configuration_is_taken() {
    inside(|| {
        let world = World::ours();
        world.expect("start", 0);
        let pid = world.pid();
        world.write("new/index.html", "<html>new</html>\n");
        world.configure(
            "Alias /new {w}/new\n<Directory {w}/new>\nRequire all granted\n</Directory>",
        );
        world.expect("reload-agent", 0);
        wait_for("the new page", || {
            server::get("127.0.0.1:8088", "/new/index.html").filter(|(status, _)| *status == 200)
        });
        assert_eq!(world.pid(), pid);
        world.expect("monitor", 0);
        world.expect("stop", 0);
    });
}

#[test]
fn a_wrong_configuration_is_refused_and_the_server_goes_on() {
    inside(|| {
        let world = World::ours();
        world.expect("start", 0);
        let (pid, workers) = (world.pid(), all_of(Kind::Worker));
        world.configure("Nonsense on");
        let seen = world.run("reload-agent");
        assert!(matches!(seen.code(), Some(1 | 5)), "{seen}");
        seen.says("httpd.conf|Nonsense");
        assert_eq!(world.pid(), pid);
        assert_eq!(all_of(Kind::Worker), workers);
        world.expect("monitor", 0);
        world.expect("stop", 0);
    });
}

#[test]
fn a_stopped_server_isnt_reloaded() {
    inside(|| {
        let world = World::ours();
        let seen = world.run("reload-agent");
        assert_eq!(seen.code(), Some(7), "{seen}");
        assert!(all_of(Kind::Server).is_empty());
        assert!(!fs::exists(world.place().join("run/httpd.pid")).unwrap());
    });
}
