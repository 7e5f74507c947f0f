// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The worlds themselves: what the other tests stand on.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use apache_tests::host::{Kind, all_of};
use apache_tests::{Agent, World, host, inside, is_inside, server};
use std::fs;
use std::time::Instant;

#[test]
fn a_server_and_its_orphans_are_told_apart() {
    inside(|| {
        let begun = Instant::now();
        let world = World::of(Agent::Shell);
        let before = world.snapshot();
        world.serve();
        println!("a world with a server takes {:?}", begun.elapsed());
        let server = host::server("httpd.conf");
        assert_eq!(server.pid, world.pid());
        assert!(!all_of(Kind::Worker).is_empty() && all_of(Kind::Orphan).is_empty());
        let (status, page) = server::get("127.0.0.1:8088", "/server-status").unwrap();
        assert!(status == 200 && page.contains("Apache Server Status"), "{page}");
        server::behead("httpd.conf");
        assert!(!all_of(Kind::Orphan).is_empty() && all_of(Kind::Server).is_empty());
        let changes = before.changes(&world.snapshot());
        assert!(changes.contains(&"adds orphans with {w}/httpd.conf".to_owned()), "{changes:?}");
        assert!(changes.contains(&"adds file {w}/run/httpd.pid".to_owned()), "{changes:?}");
    });
}

#[test]
fn what_is_written_in_a_world_stays_there() {
    let own = "/etc/apache2/of-a-world";
    inside(|| {
        fs::write(own, "").unwrap();
        assert!(host::processes().is_empty(), "{:?}", host::processes());
        assert_eq!(fs::read_dir("/run").unwrap().count(), 2);
    });
    if !is_inside() {
        assert!(!fs::exists(own).unwrap());
    }
}

/// Debian's shell agent starts, monitors and stops: what ours is compared with works here.
#[test]
fn the_shell_agent_works_here() {
    inside(|| {
        let world = World::of(Agent::Shell);
        for (action, code) in [("probe", 7), ("start", 0), ("monitor", 0), ("stop", 0)] {
            let seen = world.expect(action, code);
            println!("the shell agent's {action} takes {:.2} s", seen.seconds());
        }
        assert!(all_of(Kind::Server).is_empty() && all_of(Kind::Orphan).is_empty());
    });
}
