// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The description of every agent: equal to its golden file in any environment, accepted by every
//! consumer, and no change of it without a line in the CHANGELOG.
//!
//! `make bless` rewrites the golden files and prints the lines that the CHANGELOG needs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use conformance::{ALL, World, staged, workspace};
use ocf_tester::agent::Invocation;
use ocf_tester::scratch::executable;
use std::fs;
use std::path::PathBuf;

fn golden(agent: &str) -> PathBuf {
    workspace().join("metadata/golden").join(format!("{}.xml", agent.replace('/', "-")))
}

fn meta_data(call: &Invocation) -> String {
    let seen = call.run().unwrap();
    assert_eq!(seen.code(), Some(0), "{}", call.reproduction());
    assert!(seen.stderr.is_empty(), "{}", call.reproduction());
    String::from_utf8(seen.stdout).unwrap()
}

/// A short name of a text: 32 bits of FNV-1a. It only has to change with the text.
fn digest(text: &str) -> String {
    let mix = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    format!("{:08x}", text.bytes().fold(0x811c_9dc5, mix))
}

#[test]
fn equals_its_golden_file() {
    let bless = std::env::var_os("OCF_BLESS").is_some();
    for agent in ALL {
        let text = meta_data(&Invocation::new(staged(agent), "meta-data"));
        if bless {
            fs::write(golden(agent), &text).unwrap();
            println!("- {agent}: description {}", digest(&text));
        }
        let wanted = fs::read_to_string(golden(agent)).unwrap_or_default();
        assert_eq!(text, wanted, "{agent}: if the change is meant, run `make bless`");
    }
}

/// An agent that is staged and unknown here would ship untested.
#[test]
fn every_staged_agent_is_known_to_the_tests() {
    let mut found = Vec::new();
    for provider in fs::read_dir(conformance::stage()).unwrap() {
        let provider = provider.unwrap();
        for agent in fs::read_dir(provider.path()).unwrap() {
            let (provider, agent) = (provider.file_name(), agent.unwrap().file_name());
            found.push(format!("{}/{}", provider.display(), agent.display()));
        }
    }
    let mut known = ALL.map(str::to_owned).to_vec();
    found.sort();
    known.sort();
    assert_eq!(found, known);
}

#[test]
fn no_golden_file_is_orphaned() {
    let names = fs::read_dir(workspace().join("metadata/golden")).unwrap();
    let mut names: Vec<PathBuf> = names.map(|entry| entry.unwrap().path()).collect();
    let mut wanted: Vec<PathBuf> = ALL.iter().map(|agent| golden(agent)).collect();
    names.sort();
    wanted.sort();
    assert_eq!(names, wanted);
}

#[test]
fn a_change_has_a_line_in_the_changelog() {
    let changelog = fs::read_to_string(workspace().join("CHANGELOG.md")).unwrap();
    for agent in ALL {
        let digest = digest(&fs::read_to_string(golden(agent)).unwrap());
        let line = format!("{agent}: description {digest}");
        let says_so = changelog
            .split("\n#")
            .filter(|section| section.contains("isible to clusters"))
            .any(|section| section.contains(&line));
        assert!(says_so, "CHANGELOG.md, \"visible to clusters\", has no line «{line}»");
    }
}

#[test]
fn every_consumer_accepts_it() {
    for agent in ALL {
        let text = meta_data(&Invocation::new(staged(agent), "meta-data"));
        assert_eq!(ocf_metadata::rules::check(text.as_bytes()), [], "{agent}");
        let document = ocf_metadata::reader::read(text.as_bytes()).unwrap();
        assert_eq!(Some(document.name.as_str()), agent.split('/').nth(1));
    }
}

#[test]
fn is_the_same_in_every_environment_and_for_everybody() {
    for agent in ALL {
        let world = World::of(agent);
        let plain = meta_data(&Invocation::new(staged(agent), "meta-data"));
        let mut odd = vec![world.call("meta-data")];
        for format in ["text", "log", "xml", "html", "none"] {
            odd.push(world.call("meta-data").env("OCF_OUTPUT_FORMAT", format));
        }
        odd.push(world.call("meta-data").parameter("state", "/x").env("HA_debug", "1"));
        odd.push(world.call("meta-data").argument("monitor"));
        for call in odd {
            // Debug lines go to stderr; the text may not change by them.
            let seen = call.run().unwrap();
            assert_eq!(String::from_utf8(seen.stdout).unwrap(), plain, "{}", call.reproduction());
        }
        let mut nobody = Invocation::new(readable_copy(&world, agent), "meta-data");
        nobody.user = Some((65534, 65534));
        nobody.environment.clear();
        assert_eq!(meta_data(&nobody), plain);
    }
}

/// The build's folder may be closed to others; an installed agent is not.
fn readable_copy(world: &World, agent: &str) -> PathBuf {
    let copy = world.path().join("agent");
    executable(&copy, fs::read(staged(agent)).unwrap()).unwrap();
    copy
}
