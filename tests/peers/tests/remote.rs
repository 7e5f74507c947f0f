// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:pacemaker:remote`, shell and ours side by side. In a network of its own: validate-all looks
//! for a server, and must find the same everywhere.

use nix::unistd::{Group, chown};
use ocf_tester::agent::Invocation;
use ocf_tester::profile::PACEMAKER;
use ocf_tester::scratch::Scratch;
use peers::case::{Case, Situation, matrix};
use peers::collection::Peers;
use peers::side_by_side::check;
use peers::{Outcome, claim, place};
use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const AGENT: &str = "pacemaker/remote";
const DIFFERENCES: &str = include_str!("../../../agents/remote/DIFFERENCES.md");
const ANY: Situation = ("always", &[]);
const ACTIONS: [&str; 17] = [
    "start",
    "stop",
    "monitor",
    "recurring monitor",
    "migrate_to",
    "migrate_from",
    "reload",
    "reload-agent",
    "meta-data",
    "usage",
    "help",
    "promote",
    "demote",
    "notify",
    "status",
    "bogus",
    "",
];

#[test]
fn every_difference_has_its_row() -> Outcome {
    place::alone("every_difference_has_its_row", || {
        let mut cases = matrix(AGENT, &ACTIONS, &[ANY]);
        let key = ("PCMK_authkey_location", "{scratch}/authkey");
        let no_key = [("OCF_RESKEY_server", "127.0.0.1"), key];
        let validate = |words: &str, env: &[(&'static str, &'static str)]| {
            Case::new(AGENT, "validate-all", ANY).with(words, env)
        };
        cases.push(validate("at level 0", &[("OCF_CHECK_LEVEL", "0"), key]));
        cases.push(validate("without a key", &no_key));
        cases.push(validate("with port x", &[("OCF_RESKEY_port", "x")]));
        cases.push(validate(
            "at level 0 with port x",
            &[("OCF_RESKEY_port", "x"), ("OCF_CHECK_LEVEL", "0")],
        ));
        for action in ["start", "stop", "monitor"] {
            let case = Case::new(AGENT, action, ANY);
            cases.push(case.with("with port x", &[("OCF_RESKEY_port", "x")]));
        }
        check(DIFFERENCES, &Peers::find(AGENT)?, &[("x", cases)])
    })
}

/// What validate-all says of one flaw after the other, until there is none. It must not talk to what
/// answers: a handshake would make the cluster of a live remote drop it.
#[test]
fn validate_all_names_each_flaw_and_only_knocks() -> Outcome {
    let scratch = Scratch::new("remote")?;
    let key = scratch.path().join("authkey");
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port().to_string();
    let call = validate(&key)?.parameter("server", "127.0.0.1").parameter("port", &port);
    refused(&call, 2, "no such file")?;
    fs::write(&key, "")?;
    refused(&call, 2, "is empty")?;
    fs::write(&key, "secret")?;
    mode(&key, 0o644)?;
    refused(&call, 4, "open to everybody")?;
    mode(&key, 0o640)?;
    refused(&call, 4, "not readable by group haclient")?;
    give(&key)?;
    let done = call.run()?;
    claim(done.code() == Some(0), format!("validate-all without a flaw is {done}"))?;
    let (mut visitor, _) = listener.accept()?;
    let mut said = Vec::new();
    visitor.read_to_end(&mut said)?;
    claim(said.is_empty(), format!("it said {said:?} to the remote"))?;
    drop(listener);
    refused(&call, 1, "nothing answers on port")
}

/// In a network of its own, where no name resolves.
#[test]
fn validate_all_names_a_server_that_does_not_resolve() -> Outcome {
    place::alone("validate_all_names_a_server_that_does_not_resolve", || {
        let scratch = Scratch::new("remote")?;
        let key = scratch.path().join("authkey");
        fs::write(&key, "secret")?;
        mode(&key, 0o640)?;
        give(&key)?;
        refused(&validate(&key)?.parameter("server", "host.invalid"), 2, "does not resolve")
    })
}

fn validate(key: &Path) -> Outcome<Invocation> {
    let call = Invocation::new(Peers::find(AGENT)?.ours, "validate-all").profile(&PACEMAKER, "x");
    Ok(call.env("PCMK_authkey_location", key))
}

/// Gives a key to Pacemaker's group.
fn give(key: &Path) -> Outcome {
    let group = Group::from_name("haclient")?.ok_or("no group haclient: install pacemaker")?;
    Ok(chown(key, None, Some(group.gid))?)
}

fn refused(call: &Invocation, code: i32, words: &str) -> Outcome {
    let done = call.run()?;
    let has_words = done.exit_reason.as_ref().is_some_and(|reason| reason.contains(words));
    let wrong = format!("validate-all is {done}, not {code} with \"{words}\"");
    claim(done.code() == Some(code) && has_words, wrong)
}

fn mode(path: &Path, mode: u32) -> Outcome {
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
}
