// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Live takeover: what the shell agent started, ours monitors, reloads, promotes and stops without a
//! restart, and the other way round.

use ocf_tester::compare::{Observation, Scenario, Step, observe};
use peers::collection::Peers;
use peers::side_by_side::Recorder;
use peers::{Outcome, claim};
use std::path::Path;

const START: &[Step<'_>] = &[Step::Call("start")];
const PROMOTE: &[Step<'_>] = &[Step::Call("start"), Step::Call("promote")];

/// What is done to a resource that the other one started, the code expected, and what has to be
/// changed on disk afterwards.
type Act = (&'static str, i32, &'static [&'static str]);

fn take_over(name: &'static str, from: &[Step<'_>], acts: &[Act]) -> Outcome {
    let peers = Peers::find(name)?;
    let recorder = Recorder::new()?;
    let ways: [(&str, &Path, &Path); 2] = [
        ("ours takes over from the shell agent", &peers.shell, &peers.ours),
        ("the shell agent takes over from ours", &peers.ours, &peers.shell),
    ];
    for (way, before, after) in ways {
        for (action, code, effects) in acts {
            let scenario = Scenario { id: action, prepare: from, action, ..Scenario::PLAIN };
            let seen = observe(&scenario, before, after, &recorder.setup("x"))?;
            let as_expected = is_exit(&seen, *code) && on_disk(&seen) == *effects;
            let wanted = format!("{name}: {way}: {action} has to be {code} and {effects:?}");
            claim(as_expected, format!("{wanted}, is {seen:?}"))?;
        }
    }
    Ok(())
}

fn is_exit(seen: &Observation, code: i32) -> bool {
    seen.verdict.code() == Some(code)
}

/// Without the calls of tools, which are compared elsewhere.
fn on_disk(seen: &Observation) -> Vec<&str> {
    seen.effects
        .iter()
        .map(String::as_str)
        .filter(|effect| !effect.starts_with("called "))
        .collect()
}

#[test]
fn heartbeat_dummy() -> Outcome {
    const STOPPED: &[&str] = &["removed rsctmp/Dummy-x.state"];
    let acts: &[Act] = &[
        ("monitor", 0, &[]),
        ("start", 0, &[]),
        ("reload", 0, &[]),
        ("migrate_from", 0, &[]),
        ("migrate_to", 0, STOPPED),
        ("stop", 0, STOPPED),
    ];
    take_over("heartbeat/Dummy", START, acts)
}

#[test]
fn pacemaker_dummy() -> Outcome {
    const STOPPED: &[&str] = &["removed run/Dummy-x.state"];
    let acts: &[Act] = &[
        ("monitor", 0, &[]),
        ("start", 0, &[]),
        ("reload", 0, &[]),
        ("reload-agent", 0, &[]),
        ("migrate_from", 0, &[]),
        ("migrate_to", 0, STOPPED),
        ("stop", 0, STOPPED),
    ];
    take_over("pacemaker/Dummy", START, acts)
}

#[test]
fn a_stop_of_the_other_cleans_up_after_a_killed_slow_monitor() -> Outcome {
    const BUSY: &[Step<'_>] =
        &[Step::Call("start"), Step::Write("{scratch}/run/Dummy-x.state.serialized", "")];
    const STOPPED: &[&str] = &["removed run/Dummy-x.state", "removed run/Dummy-x.state.serialized"];
    take_over("pacemaker/Dummy", BUSY, &[("stop", 0, STOPPED)])
}

#[test]
fn stateful_unpromoted() -> Outcome {
    let acts: &[Act] = &[
        ("monitor", 0, &[]),
        ("start", 0, &[]),
        ("reload-agent", 0, &[]),
        ("notify", 0, &[]),
        ("demote", 0, &[]),
        ("promote", 0, &[PROMOTED]),
        ("stop", 0, &["removed run/Stateful-x.state"]),
    ];
    take_over("pacemaker/Stateful", START, acts)
}

const PROMOTED: &str =
    "changed run/Stateful-x.state from file \"Unpromoted\\n\" to file \"Promoted\\n\"";
const DEMOTED: &str =
    "changed run/Stateful-x.state from file \"Promoted\\n\" to file \"Unpromoted\\n\"";

/// Pacemaker demotes before it stops; when that failed, only ours stops all the same.
#[test]
fn ours_stops_what_the_shell_agent_promoted() -> Outcome {
    let peers = Peers::find("pacemaker/Stateful")?;
    let recorder = Recorder::new()?;
    let scenario = Scenario { id: "stop", prepare: PROMOTE, action: "stop", ..Scenario::PLAIN };
    let seen = observe(&scenario, &peers.shell, &peers.ours, &recorder.setup("x"))?;
    let is_stopped = is_exit(&seen, 0) && on_disk(&seen) == ["removed run/Stateful-x.state"];
    claim(is_stopped, format!("stop is {seen:?}"))
}

#[test]
fn stateful_promoted() -> Outcome {
    let acts: &[Act] = &[
        ("monitor", 8, &[]),
        ("reload-agent", 0, &[]),
        ("notify", 0, &[]),
        ("promote", 0, &[]),
        ("demote", 0, &[DEMOTED]),
    ];
    take_over("pacemaker/Stateful", PROMOTE, acts)
}
