// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The staged ocf-tester passes every staged agent, musts and shoulds, and leaves nothing running. The
//! reports are kept in target/reports, as JUnit XML, for CI to show.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, missing_docs, reason = "test code")]

use conformance::{World, stage, staged, workspace};
use ocf_tester::scratch::executable;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the tester is given for each agent; the state file is added where there is one.
const ROWS: &[Row] = &[
    Row { agent: "heartbeat/Dummy", has_state: true, options: &[], expected: None },
    Row { agent: "pacemaker/Dummy", has_state: true, options: &[], expected: None },
    Row { agent: "pacemaker/Stateful", has_state: true, options: &[], expected: None },
    // Level 0, because at a higher one validate-all looks for the key and calls the server, and here
    // is neither. By hand it can't be started, by design: the list of expected failures says more.
    Row {
        agent: "pacemaker/remote",
        has_state: false,
        options: &["-o", "server=127.0.0.1", "--env", "OCF_CHECK_LEVEL=0"],
        expected: Some("agents/remote/expected-failures"),
    },
];

/// Agents that need more than root, and the package whose tests/tester.rs stands for a row here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("heartbeat/apache", "tests/apache"),
    ("heartbeat/docker", "tests/docker"),
    ("heartbeat/IPaddr2", "tests/ipaddr2"),
];

struct Row {
    /// `<provider>/<type>`.
    agent: &'static str,
    /// Whether its state is a file that the parameter `state` names.
    has_state: bool,
    /// Further options.
    options: &'static [&'static str],
    /// The file with the failures that are expected of it, below the workspace.
    expected: Option<&'static str>,
}

/// What is staged: whoever adds an agent and forgets it here fails this test.
fn all_staged() -> BTreeSet<String> {
    let entries = |path: &Path| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    assert!(stage().is_dir(), "no agents in {}: run `make stage` first", stage().display());
    let files = entries(&stage()).flat_map(|provider| entries(&provider));
    files.map(|file| file.strip_prefix(stage()).unwrap().display().to_string()).collect()
}

/// A copy where everybody may enter: the checkout may be below a closed home, and the tester runs
/// meta-data as nobody.
fn enterable(world: &World, agent: &str) -> PathBuf {
    let copy = world.path().join(agent);
    fs::create_dir(copy.parent().unwrap()).unwrap();
    executable(&copy, fs::read(staged(agent)).unwrap()).unwrap();
    copy
}

/// The file in which the report on an agent is kept; none is there before.
fn report(agent: &str) -> PathBuf {
    let reports = workspace().join("target/reports");
    fs::create_dir_all(&reports).unwrap();
    let file = reports.join(format!("{}.xml", agent.replace('/', "-")));
    let _ = fs::remove_file(&file);
    file
}

fn tester() -> PathBuf {
    let given = std::env::var_os("OCF_TESTER").map(PathBuf::from);
    let tester = given.unwrap_or_else(|| workspace().join("target/stage/usr/bin/ocf-tester"));
    assert!(tester.is_file(), "no tester {}: run `make stage` first", tester.display());
    tester
}

/// The command on an agent in its world.
fn command(tester: &Path, row: &Row, world: &World) -> Command {
    let mut command = Command::new(tester);
    command.args(["-n", "x", "--level", "should"]).args(row.options);
    command.arg("--env").arg(format!("HA_SBIN_DIR={}", world.path().join("sbin").display()));
    if row.has_state {
        command.arg("-o").arg(format!("state={}", world.path().join("state/x").display()));
    }
    if let Some(expected) = row.expected {
        command.arg("--expect-fail").arg(workspace().join(expected));
    }
    command.arg(enterable(world, row.agent));
    command
}

/// Tests an agent; a sentence says what is wrong, or where the report is and what it counts.
fn test(row: &Row) -> Result<String, String> {
    let (world, report) = (World::of(row.agent), report(row.agent));
    let mut command = command(&tester(), row, &world);
    let output = command.args(["--format", "junit", "--output"]).arg(&report).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let agent = row.agent;
    if output.status.code() != Some(0) {
        return Err(format!("{agent}: {}\n{said}", output.status));
    }
    if !world.files().is_empty() {
        return Err(format!("{agent} leaves {:?}", world.files()));
    }
    let text = fs::read_to_string(&report).unwrap();
    let count = |element: &str| text.matches(&format!("<{element}")).count();
    let [cases, skipped] = ["testcase", "skipped"].map(count);
    if count("failure") + count("error") > 0 || cases == skipped {
        return Err(format!("{agent}: the report doesn't say that it passed\n{text}"));
    }
    Ok(format!("{}: {cases} checks, {skipped} of them skipped", report.display()))
}

#[test]
fn every_staged_agent_has_a_row_and_every_row_an_agent() {
    let elsewhere = ELSEWHERE.iter().map(|(agent, package)| {
        let read = |file| fs::read_to_string(workspace().join(package).join(file)).unwrap();
        let is_its = read("src/lib.rs").contains(&format!("AGENT: &str = {agent:?}"));
        let is_tested = read("tests/tester.rs").contains("Agent::Ours.path(AGENT)");
        assert!(is_its && is_tested, "{package} doesn't test {agent}");
        *agent
    });
    let rows = ROWS.iter().map(|row| row.agent).chain(elsewhere);
    let rows: BTreeSet<String> = rows.map(str::to_owned).collect();
    assert_eq!(all_staged(), rows, "the left are staged, the right have parameters here");
}

/// With `--nocapture` it lists the reports.
#[test]
fn passes_every_must_and_should_of_each_and_leaves_nothing() {
    let results: Vec<Result<String, String>> = ROWS.iter().map(test).collect();
    for report in results.iter().flatten() {
        println!("{report}");
    }
    let wrong: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whoever develops an agent is mostly not root. Those with a state file work for such a user, too.
#[test]
fn passes_each_for_an_ordinary_user_who_may_write_its_state() {
    const NOBODY: u32 = 65534;
    for row in ROWS.iter().filter(|row| row.has_state) {
        let world = World::of(row.agent);
        chown(world.path().join("state"), Some(NOBODY), Some(NOBODY)).unwrap();
        // As the agent, where everybody may enter.
        let copy = world.path().join("ocf-tester");
        executable(&copy, fs::read(tester()).unwrap()).unwrap();
        let mut command = command(&copy, row, &world);
        let output = command.uid(NOBODY).gid(NOBODY).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{}: {said}", row.agent);
        assert!(said.contains("of them for want of root"), "{}: {said}", row.agent);
        assert!(world.files().is_empty(), "{}: {:?}", row.agent, world.files());
    }
}
