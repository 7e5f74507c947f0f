// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Tier "peers": our tester on agents that others wrote, the shell agents of Debian. Needs the
//! packages resource-agents and pacemaker-resource-agents, root and ptrace; without them it fails
//! and says so.

use ocf_tester::agent::{Invocation, Verdict};
use ocf_tester::compare::{Scenario, Setup, Step, difference, observe};
use ocf_tester::event::{Event, Reporter};
use ocf_tester::kill::Trial;
use ocf_tester::profile::{CLASSIC, PACEMAKER};
use ocf_tester::scratch::Scratch;
use ocf_tester::session::{self, Options};
use ocf_tester::{check, checks};
use std::io;
use std::path::{Path, PathBuf};

const AGENTS: &str = "/usr/lib/ocf/resource.d";

/// The path of an installed agent.
#[expect(clippy::panic, reason = "a missing need fails the test, it doesn't skip it")]
fn peer(name: &str) -> PathBuf {
    let path = Path::new(AGENTS).join(name);
    assert!(
        nix::unistd::geteuid().is_root(),
        "these tests start Debian's agents, which only root can: run them as root"
    );
    if !path.exists() {
        panic!(
            "there is no {}: install the packages resource-agents and pacemaker-resource-agents, \
             or leave out the tier \"peers\"",
            path.display()
        );
    }
    path
}

fn stand_ins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stand-ins")
}

/// Keeps the failures' texts.
#[derive(Default)]
struct Failures(Vec<String>);

impl Reporter for Failures {
    fn report(&mut self, event: &Event<'_>) -> io::Result<()> {
        if let Event::Judged(check, check::Outcome::Failed(failures), _) = event {
            self.0.extend(failures.iter().map(|failure| format!("{}: {failure:?}", check.id)));
        }
        Ok(())
    }
}

/// The call of an agent that keeps everything in one directory and reaches no cluster.
fn call(name: &str, action: &str, scratch: &Scratch) -> Invocation {
    Invocation::new(peer(name), action)
        .profile(&PACEMAKER, "peer")
        .env("HA_SBIN_DIR", stand_ins())
        .env("HA_RSCTMP", scratch.path())
        .env("HA_VARRUN", scratch.path())
}

#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn assert_passes(name: &str) {
    let scratch = Scratch::new("peers").unwrap();
    for profile in [CLASSIC, PACEMAKER] {
        let base = call(name, "meta-data", &scratch).profile(&profile, "peer");
        let mut failures = Failures::default();
        let summary = session::run(base, checks::all(), Options::default(), None, &mut failures);
        let environment = profile.name;
        assert_eq!(summary.verdict, check::Verdict::Passed, "{environment}: {:#?}", failures.0);
    }
}

#[test]
fn heartbeat_dummy_passes() {
    assert_passes("heartbeat/Dummy");
}

#[test]
fn pacemaker_dummy_passes() {
    assert_passes("pacemaker/Dummy");
}

#[test]
fn heartbeat_stateful_passes() {
    assert_passes("heartbeat/Stateful");
}

#[test]
fn pacemaker_stateful_passes() {
    assert_passes("pacemaker/Stateful");
}

/// Says nothing about the shell agents, which need not stand it: the kills have to hit in an agent
/// of many processes.
#[test]
fn kills_hit_in_a_shell_agent_of_many_processes() {
    for (name, action, before) in
        [("pacemaker/Dummy", "start", &[][..]), ("pacemaker/Stateful", "promote", &["start"])]
    {
        let scratch = Scratch::new("peers").unwrap();
        let trial = Trial::new(call(name, action, &scratch)).prepare(before);
        // Stateful refuses to stop what is promoted.
        let trial = if name.ends_with("Stateful") {
            trial.recovery_actions(&["demote", "stop"])
        } else {
            trial
        };
        let report = trial.budget(60).run().unwrap();
        println!("{name} {report}");
        assert!(report.share() >= 80, "{name} {report}");
        assert!(report.kills.iter().any(|kill| kill.call.process.to_string().contains('.')));
    }
}

#[test]
fn the_known_difference_of_the_two_statefuls_is_seen() {
    let stop = Scenario {
        id: "Stateful stop promoted",
        prepare: &[Step::Call("start"), Step::Call("promote")],
        action: "stop",
        ..Scenario::PLAIN
    };
    let setup = Setup::new().stand_in("crm_attribute", stand_ins().join("crm_attribute"));
    let agent = peer("pacemaker/Stateful");
    let seen = observe(&stop, &agent, &agent, &setup).unwrap();
    assert_eq!(seen.verdict, Verdict::Exit(8), "{seen:?}");
    assert!(seen.effects.iter().all(|effect| effect.starts_with("called crm_attribute ")));
    assert_eq!(difference(&stop, &seen, &seen), None);
}
