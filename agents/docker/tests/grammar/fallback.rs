// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A start through the installed CLI, for what only that can ask the Engine for.

use super::recorder::{Recorder, cli};
use ocf::Context;
use ocf::deadline::Deadline;
use ocf::environment::Environment;
use ocf::error::Kind;
use ocf_docker::cli::{run, settle};
use ocf_docker::options::Input;
use serde_json::Value;
use std::time::{Duration, Instant};

/// The agent's view of a node with this CLI and the stand-in.
struct Node {
    recorder: Recorder,
    context: Context,
    deadline: Deadline,
}

impl Node {
    fn new() -> Self {
        let cli = cli();
        let recorder = Recorder::new(&cli);
        let folder = cli.parent().unwrap().display().to_string();
        let address = recorder.address();
        let environment: Environment =
            [("PATH", folder.as_str()), ("DOCKER_HOST", &address), ("HOME", "/nonexistent")]
                .into_iter()
                .collect();
        let context = Context::of("start", Duration::from_secs(60), environment).unwrap();
        let deadline = Deadline::since(Instant::now(), Duration::from_secs(60));
        Self { recorder, context, deadline }
    }
}

const fn input(options: &str) -> Input<'_> {
    Input { name: "web", options, image: "web:1", command: "sleep 5" }
}

#[test]
#[ignore = "needs Docker's CLI: make test-docker"]
fn what_an_old_engine_cant_be_asked_for_goes_through_the_cli() {
    let node = Node::new();
    let input = input(" -e PASSWORD=secret --mac-address 92:d0:c6:0a:29:33 --memory 64m ");
    let launch = settle(&node.context, &node.deadline, &input, Some((1, 41))).unwrap();
    assert_eq!(launch.unmapped, ["--mac-address"]);
    run(&node.context, &node.deadline, &input, &launch, false).unwrap();
    let requests = node.recorder.engine.take();
    let [(query, body)] = requests.as_slice() else { panic!("{requests:?}") };
    assert!(query.contains("name=web"), "{query}");
    assert_eq!(body["Env"], serde_json::json!(["PASSWORD=secret"]));
    assert_eq!(body["HostConfig"]["Memory"], 64 << 20);
    assert_eq!(body["Cmd"], serde_json::json!(["sleep", "5"]));
    let old = &body["MacAddress"];
    let new = &body["NetworkingConfig"]["EndpointsConfig"]["default"]["MacAddress"];
    assert!([old, new].contains(&&Value::from("92:d0:c6:0a:29:33")), "{body}");
    // A newer Engine is asked directly.
    let launch = settle(&node.context, &node.deadline, &input, Some((1, 44))).unwrap();
    assert!(launch.unmapped.is_empty(), "{:?}", launch.unmapped);
}

#[test]
#[ignore = "needs Docker's CLI: make test-docker"]
fn a_flag_that_the_cli_hasnt_got_is_named() {
    let node = Node::new();
    for options in ["--nonsense 5 -e A=b", "-e A=b --nonsense=5", "-it --memory 5 --nonsense"] {
        let error = settle(&node.context, &node.deadline, &input(options), None).unwrap_err();
        assert_eq!(error.kind, Kind::Args, "{error}");
        assert!(error.reason.contains("--nonsense"), "{error}");
    }
    assert!(node.recorder.engine.take().is_empty());
}

#[test]
fn without_a_cli_an_unknown_flag_says_both_remedies() {
    let environment: Environment =
        [("OCF_TESTER_FAIL_HAVE_BINARY", "1"), ("PATH", "/nonexistent")].into_iter().collect();
    let context = Context::of("start", Duration::from_secs(60), environment).unwrap();
    let deadline = Deadline::since(Instant::now(), Duration::from_secs(60));
    let error = settle(&context, &deadline, &input("--nonsense"), None).unwrap_err();
    assert_eq!(error.kind, Kind::Args);
    assert!(error.reason.contains("--nonsense") && error.reason.contains("install"), "{error}");
}
