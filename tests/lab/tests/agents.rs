// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Agents on a node, whatever provider they are of.
#![expect(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

use lab::Lab;
use lab::cluster::{Agent, install};
use lab::node::Spec;
use lab::process::Runner;
use lab::progress::{Progress, Stream};
use lab::signals::Signals;

fn lab() -> Lab {
    let runner = Runner::new(Signals::left_alone());
    Lab::open(runner, &Progress::new(Stream::Err)).expect("root and a Docker Engine")
}

fn agent(provider: &str, kind: &str) -> Agent {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").into();
    Agent { provider: provider.into(), kind: kind.into(), path }
}

#[test]
#[ignore = "needs root and a Docker Engine"]
fn an_agent_of_a_new_provider_is_put_on_the_node() {
    // The first lab could only replace files: it had no directory for a provider of its own.
    let lab = lab();
    let node = lab.node(Spec { hostname: "agents".into(), ..Spec::default() }).expect("a node");
    let agents = [agent("example", "Tmpfs"), agent("heartbeat", "Dummy")];
    let paths = install(&agents, &node).expect("both are copied");
    assert_eq!(
        paths,
        ["example/Tmpfs", "heartbeat/Dummy"]
            .map(|name| { format!("/usr/lib/ocf/resource.d/{name}") })
    );
    for path in paths {
        node.ok(["grep", "-q", "name = \"lab\"", &path]).expect("it is the file we gave");
    }
}

#[test]
#[ignore = "needs root and a Docker Engine"]
fn an_agent_that_cannot_be_copied_is_named() {
    let lab = lab();
    let node = lab.node(Spec { hostname: "agents".into(), ..Spec::default() }).expect("a node");
    let missing = Agent { path: "/no/such/Agent".into(), ..agent("example", "Agent") };
    let error = install(&[missing], &node).expect_err("there is no such file").to_string();
    assert!(error.starts_with("putting /no/such/Agent on the node: "), "{error}");
}
