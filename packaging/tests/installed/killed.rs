// SPDX-License-Identifier: Apache-2.0 OR MIT
//! KILL before every command by which the scripts change something: the names stay whole, and whatever
//! is run next, configuring or removing, ends as if nothing had happened.

use crate::ground::{Ground, Outcome, RESOURCED, dpkg, run};
use crate::snapshot::Snapshot;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

const STRIKE: &str = "/tmp/strike";
const NAMES: [&str; 2] = ["heartbeat/Dummy", "heartbeat/Delay"];
/// Dropped by the second version: unpacking its agents takes the file from under the name.
const DROPPED: &str = "pacemaker/Stateful";

/// Puts a program in front of those by which the scripts change something.
fn arm() -> Outcome {
    fs::create_dir_all(format!("{STRIKE}/bin"))?;
    let program = format!("{STRIKE}/strike");
    fs::write(&program, include_str!("../fixtures/strike"))?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    for name in ["cp", "dpkg-divert", "ln", "mv", "rm"] {
        let link = format!("{STRIKE}/bin/{name}");
        if !Path::new(&link).exists() {
            symlink(&program, link)?;
        }
    }
    Ok(())
}

/// Runs dpkg, killed with all it started before the `at`-th change. Whether it was killed.
fn strike(at: u32, arguments: &[&str], names: &[&str]) -> Outcome<bool> {
    fs::write(format!("{STRIKE}/at"), at.to_string())?;
    fs::write(format!("{STRIKE}/count"), "0")?;
    let path = format!("{STRIKE}/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    let done = run("dpkg", arguments, &[("PATH", &path)])?;
    let count: u32 = fs::read_to_string(format!("{STRIKE}/count"))?.trim().parse()?;
    if count < at {
        assert!(done.ok, "{done:?}");
        return Ok(false);
    }
    assert!(!done.ok, "the strike missed: {done:?}");
    for name in names {
        let path = format!("{RESOURCED}/{name}");
        let alive = run(&path, &["meta-data"], &[("OCF_ROOT", "/usr/lib/ocf")])?;
        assert!(alive.ok, "killed before change {at} of dpkg {arguments:?}: {name}: {alive:?}");
    }
    Ok(true)
}

/// A way into a state in which a strike makes sense, and the call to strike.
struct Blow<'a> {
    prepare: &'a dyn Fn() -> Outcome,
    call: &'a [&'a str],
    /// Names that answer all the while.
    names: &'a [&'a str],
    /// The least number of changes the scripts make of it.
    least: u32,
}

/// Strikes at every change; heals by each of the calls. The state after that is always the one that
/// the call leads to when nobody interferes.
fn strike_everywhere(ground: &Ground, blow: &Blow<'_>, heals: &[&[&str]]) -> Outcome {
    arm()?;
    for heal in heals {
        (blow.prepare)()?;
        dpkg(blow.call)?;
        dpkg(heal)?;
        let wanted = Snapshot::of_agents()?;
        for at in 1.. {
            (blow.prepare)()?;
            let told = |error| {
                format!("killed before change {at} of {:?}, then {heal:?}: {error}", blow.call)
            };
            if !strike(at, blow.call, blow.names)? {
                assert!(at > blow.least, "only {} changes were struck", at - 1);
                break;
            }
            dpkg(heal).map_err(told)?;
            Snapshot::of_agents()?.same_as(&wanted).map_err(told)?;
        }
    }
    ground.reset()
}

fn all() -> Vec<&'static str> {
    NAMES.into_iter().chain([DROPPED]).collect()
}

const CONFIGURE: &[&str] = &["--configure", "--pending"];
const REMOVE: &[&str] = &["--remove", "ocf-agents-names"];

#[test]
fn a_kill_while_names_are_taken_heals() -> Outcome {
    let ground = Ground::enter()?;
    dpkg(&["--install", &ground.small[0].file("ocf-agents")?])?;
    let names = ground.small[0].file("ocf-agents-names")?;
    let prepare = || {
        dpkg(&["--purge", "ocf-agents-names"])?;
        dpkg(&["--unpack", &names]).map(|_| ())
    };
    let blow = Blow { prepare: &prepare, call: CONFIGURE, names: &all(), least: 16 };
    strike_everywhere(&ground, &blow, &[CONFIGURE, REMOVE])
}

#[test]
fn a_kill_while_names_are_given_back_heals() -> Outcome {
    let ground = Ground::enter()?;
    dpkg(&["--install", &ground.small[0].file("ocf-agents")?])?;
    let names = ground.small[0].file("ocf-agents-names")?;
    let prepare = || dpkg(&["--install", &names]).map(|_| ());
    let blow = Blow { prepare: &prepare, call: REMOVE, names: &all(), least: 12 };
    strike_everywhere(&ground, &blow, &[REMOVE])
}

#[test]
fn a_kill_in_an_upgrade_heals() -> Outcome {
    let ground = Ground::enter()?;
    let prepare = || {
        ground.small[0].install("ocf-agents-names")?;
        ground.small[1].unpack_names().map(|_| ())
    };
    let blow = Blow { prepare: &prepare, call: CONFIGURE, names: &NAMES, least: 10 };
    strike_everywhere(&ground, &blow, &[CONFIGURE])
}
