// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The tester tests itself: on agents that are right, and on a set of broken ones, each wrong in one
//! way. A broken agent says in its first lines which check it fails (`Primary`) and what else that
//! may make fail (`Drags`); the compiled ones say so in a table.
//!
//! What is run is the command, with every check there is. The kill rate is printed and has to be 100 %;
//! the README tells it beside that of the shell tester on the same set (`upstream.rs`).
#![expect(clippy::disallowed_methods, reason = "a test starts the command itself")]

mod broken;

use broken::{Mutant, all, fixture, for_each, stand};
use nix::unistd::geteuid;
use ocf_tester::checks;
use ocf_tester::scratch::Scratch;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

/// What the command said of an agent.
struct Report {
    lines: Vec<Value>,
    code: Option<i32>,
}

impl Report {
    fn checks(&self, verdict: &str) -> BTreeSet<&str> {
        let of = |line: &&Value| line["event"] == "check" && line["verdict"] == verdict;
        self.lines.iter().filter(of).filter_map(|line| line["id"].as_str()).collect()
    }

    fn roots(&self) -> Vec<&str> {
        let last = self.lines.last().and_then(|line| line["roots"].as_array());
        last.into_iter().flatten().filter_map(|root| root["id"].as_str()).collect()
    }

    fn failures(&self) -> String {
        let failed = self.lines.iter().filter(|line| line["verdict"] == "failed");
        let rows = failed.flat_map(|line| line["failures"].as_array().into_iter().flatten());
        let text = |row: &Value| {
            format!("    {}: expected {}; seen: {}", row["rule"], row["expected"], row["seen"])
        };
        rows.map(text).collect::<Vec<_>>().join("\n")
    }
}

/// As many kills of each action as of one that is fast: on a busy machine every action is slow.
const KILLS: &[&str] = &["--budget", "10"];

/// Every check on an agent. Its state is in a directory of its own, so nothing that is active there is
/// anybody's.
fn test(name: &str, file: &Path, more: &[&str]) -> Result<Report, String> {
    let run = || -> io::Result<Report> {
        let scratch = Scratch::new("self-test")?;
        let right = |name: &str, link: &Path| symlink(fixture(name), link);
        let agent = stand(name, file, right, &scratch)?;
        let state = scratch.directory("state")?.join("state");
        let mut command = Command::new(env!("CARGO_BIN_EXE_ocf-tester"));
        command.args(["-n", "fixture", "--level", "info", "--destructive", "--format", "json"]);
        // What is chosen at random is the same in every run of this test.
        command.args(["--seed", "1"]).args(more);
        command.args(["-o", &format!("state={}", state.display())]).arg(&agent);
        let output = command.stdin(Stdio::null()).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Ok(Report { lines, code: output.status.code() })
    };
    run().map_err(|error| format!("{name}: {error}"))
}

/// Why this mutant isn't found as it should be; nothing if it is.
fn judge(mutant: &Mutant) -> Option<String> {
    let Mutant { name, file, primary, drags } = mutant;
    let more = if primary.starts_with("KILL-") { KILLS } else { &[] };
    let report = match test(name, file, more) {
        Ok(report) => report,
        Err(why) => return Some(why),
    };
    let failed = report.checks("failed");
    let said = report.failures();
    if !failed.contains(primary.as_str()) {
        return Some(format!("SURVIVES {name}: {primary} doesn't fail, but {failed:?}\n{said}"));
    }
    let is_listed = |id: &&&str| **id == primary || drags.iter().any(|drag| drag == **id);
    let others: Vec<_> = failed.iter().filter(|id| !is_listed(id)).collect();
    if !others.is_empty() {
        return Some(format!("{name}: fails {others:?}, too\n{said}"));
    }
    if report.roots() != [primary.as_str()] {
        return Some(format!("{name}: the root is {:?}, not {primary}", report.roots()));
    }
    (report.code != Some(1)).then(|| format!("{name}: the exit code is {:?}", report.code))
}

#[test]
fn every_broken_agent_is_found_and_nothing_unrelated_said() {
    let mut mutants = all().unwrap();
    if !geteuid().is_root() {
        let root_only =
            |id: &str| checks::all().iter().any(|check| check.id == id && needs_root(check));
        mutants.retain(|mutant| !root_only(&mutant.primary));
    }
    let answers = for_each(&mutants, judge);
    let wrong: Vec<String> = answers.into_iter().flatten().collect();
    let alive = wrong.iter().filter(|one| one.starts_with("SURVIVES")).count();
    let (killed, total) = (mutants.len() - alive, mutants.len());
    println!("kill rate: {killed} of {total} ({} %)", killed * 100 / total);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_readme_says_how_many_are_found() {
    let readme = std::fs::read_to_string(fixture("../../../README.md")).unwrap();
    let total = all().unwrap().len();
    let row = format!("| this tester | {total} of {total} |");
    assert!(readme.contains(&row), "the README says something else than: {row}");
}

fn needs_root(check: &ocf_tester::check::Check) -> bool {
    check.needs.contains(&ocf_tester::check::Need::Root)
}

#[test]
fn every_check_is_the_primary_one_of_a_broken_agent() {
    let primary: BTreeSet<String> = all().unwrap().into_iter().map(|one| one.primary).collect();
    let known: BTreeSet<String> = checks::all().iter().map(|check| check.id.to_owned()).collect();
    let dead: Vec<_> = known.difference(&primary).collect();
    let unknown: Vec<_> = primary.difference(&known).collect();
    assert!(dead.is_empty() && unknown.is_empty(), "dead: {dead:?}; unknown: {unknown:?}");
}

#[test]
fn right_agents_pass_every_check() {
    let mut unjudged: Option<BTreeSet<String>> = None;
    for name in ["safe", "service", "crew"] {
        let report = test(name, &fixture(name), &[]).unwrap();
        assert_eq!(report.code, Some(0), "{name}:\n{}", report.failures());
        assert!(report.checks("broken").is_empty(), "{name}: {:?}", report.checks("broken"));
        let skipped: BTreeSet<String> =
            report.checks("skipped").into_iter().map(str::to_owned).collect();
        unjudged = Some(match unjudged {
            None => skipped,
            Some(before) => before.intersection(&skipped).cloned().collect(),
        });
    }
    if geteuid().is_root() {
        assert_eq!(unjudged, Some(BTreeSet::new()), "checks that neither of them lets be made");
    }
}
