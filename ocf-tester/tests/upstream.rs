// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Tier "peers": the shell `ocf-tester` of resource-agents on the same broken agents, for the figure
//! in the README. It hangs on some, so each run has a limit.
//!
//! It wants the description of OCF 1.0 that its document type knows, so the right agents get one, and
//! the broken ones, which stand on them, too. The right ones pass it: what it finds, it finds in the
//! broken ones.

#[allow(dead_code, reason = "the self-test reads more of it")]
mod broken;

use broken::{Mutant, all, fixture, for_each, stand};
use ocf_tester::agent::{Invocation, Verdict};
use ocf_tester::scratch::{Scratch, executable};
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

const UPSTREAM: &str = "/usr/sbin/ocf-tester";

/// Far more than the few seconds it takes.
const LIMIT: Duration = Duration::from_secs(30);

/// The right agent with a description that OCF 1.0's document type allows.
fn classic(name: &str, path: &Path) -> io::Result<()> {
    let text = fs::read_to_string(fixture(name))?
        .replace(
            "<?xml version=\"1.0\"?>",
            "<?xml version=\"1.0\"?>\n<!DOCTYPE resource-agent SYSTEM \"ra-api-1.dtd\">",
        )
        .replace("<version>1.1</version>", "<version>1.0</version>")
        .replace(" unique-group=\"state\"", " unique=\"1\"")
        .replace(" reloadable=\"1\"", "")
        .replace("<action name=\"reload-agent\" timeout=\"20s\"/>\n", "")
        .replace("type=\"select\"", "type=\"string\"")
        .replace("<option value=\"deep\"/><option value=\"light\"/>", "");
    executable(path, text)
}

/// What the shell tester says of an agent: passed, or not, or nothing in time.
fn judge(name: &str, file: &Path) -> io::Result<(Verdict, String)> {
    let scratch = Scratch::new("upstream")?;
    let agent = stand(name, file, classic, &scratch)?;
    let state = scratch.directory("state")?.join("state");
    let mut call = Invocation::new(UPSTREAM, "-n").limit(LIMIT);
    for word in ["fixture", "-o", &format!("state={}", state.display())] {
        call = call.argument(word);
    }
    let execution = call.argument(&agent).run().map_err(io::Error::other)?;
    // It leaves the resource started, whatever it says.
    let base = Invocation::new(&agent, "stop").env("OCF_RESKEY_state", &state);
    let stopped = base.limit(Duration::from_secs(5)).run();
    stopped.map_err(io::Error::other)?;
    Ok((execution.verdict, String::from_utf8_lossy(&execution.stdout).into_owned()))
}

#[test]
fn it_passes_the_right_agents() {
    for name in ["safe", "service", "crew"] {
        let scratch = Scratch::new("upstream-right").unwrap();
        let file = scratch.path().join(name);
        classic(name, &file).unwrap();
        let (verdict, said) = judge(name, &file).unwrap();
        assert_eq!(verdict, Verdict::Exit(0), "{name}: {said}");
    }
}

#[test]
fn the_readme_says_what_it_finds_in_the_broken_ones() {
    let mutants = all().unwrap();
    let verdicts: Vec<(String, Verdict)> = for_each(&mutants, |mutant: &Mutant| {
        let verdict = judge(&mutant.name, &mutant.file).unwrap().0;
        (mutant.name.clone(), verdict)
    });
    let count = |is_meant: &dyn Fn(Verdict) -> bool| {
        let names = verdicts.iter().filter(|(_, verdict)| is_meant(*verdict));
        let names: Vec<&str> = names.map(|(name, _)| name.as_str()).collect();
        println!("{}: {}", names.len(), names.join(", "));
        names.len()
    };
    let passed = count(&|verdict| verdict == Verdict::Exit(0));
    let hung = count(&|verdict| verdict == Verdict::TimedOut);
    let total = mutants.len();
    let found = total - passed - hung;
    let row = format!(
        "| the shell ocf-tester (resource-agents 4.12) | {found} of {total}, hangs on {hung} |"
    );
    println!("{row}");
    let readme = fs::read_to_string(fixture("../../../README.md")).unwrap();
    assert!(readme.contains(&row), "the README says something else than: {row}");
}
