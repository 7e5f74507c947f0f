// SPDX-License-Identifier: Apache-2.0 OR MIT
//! ocf-agents-names beside the shell agents: installed, upgraded, removed, and they with it.

use crate::ground::{Ground, Outcome, RESOURCED, diversions, dpkg, is_ours, run};
use crate::monitors::{Monitors, VARIABLES, act};
use crate::snapshot::Snapshot;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

const NAMES: [&str; 7] = [
    "heartbeat/Dummy",
    "heartbeat/IPaddr2",
    "heartbeat/apache",
    "heartbeat/docker",
    "pacemaker/Dummy",
    "pacemaker/Stateful",
    "pacemaker/remote",
];

/// Every name answers, and dpkg finds nothing wrong.
fn whole() -> Outcome {
    for name in NAMES {
        let done =
            run(&format!("{RESOURCED}/{name}"), &["meta-data"], &[("OCF_ROOT", "/usr/lib/ocf")])?;
        assert!(done.ok && done.text.contains("<resource-agent"), "{name}: {done:?}");
    }
    let audit = dpkg(&["--audit"])?;
    assert!(audit.is_empty(), "{audit}");
    Ok(())
}

#[test]
fn installing_and_removing_leaves_the_machine_as_it_was() -> Outcome {
    let ground = Ground::enter()?;
    let before = Snapshot::of_everything()?;
    for round in 0..2 {
        ground.first.install("ocf-agents-names")?;
        whole()?;
        for name in NAMES {
            assert!(is_ours(name), "round {round}: {name} is not ours");
        }
        let verified =
            run("dpkg", &["--verify", "ocf-agents", "ocf-agents-names", "resource-agents"], &[])?;
        assert!(verified.text.is_empty(), "{verified:?}");
        dpkg(&["--remove", "ocf-agents-names", "ocf-agents"])?;
        let after = Snapshot::of_everything()?;
        let left = after.same_as(&before).err().map(|error| error.to_string()).unwrap_or_default();
        // A removed package that has a postrm stays known to dpkg; purged it isn't.
        let only_packages = left.lines().all(|line| line.starts_with("packages:"));
        assert!(only_packages, "round {round}: {left}");
    }
    ground.first.install("ocf-agents-names")?;
    dpkg(&["--purge", "ocf-agents-names", "ocf-agents"])?;
    Snapshot::of_everything()?.same_as(&before)
}

#[test]
fn our_own_provider_changes_no_name() -> Outcome {
    let ground = Ground::enter()?;
    let before = Snapshot::of_agents()?;
    dpkg(&["--install", &ground.first.file("ocf-agents")?])?;
    for (name, provider) in [("Dummy", "heartbeat"), ("Stateful", "pacemaker")] {
        let link = fs::read_link(Path::new(RESOURCED).join("ocf-agents").join(name))?;
        assert_eq!(link, Path::new("../../../ocf-agents").join(provider).join(name));
    }
    assert!(!Path::new(RESOURCED).join("ocf-agents/remote").exists(), "Pacemaker can't use it");
    assert!(NAMES.iter().all(|name| !is_ours(name)), "a name was taken");
    dpkg(&["--remove", "ocf-agents"])?;
    Snapshot::of_agents()?.same_as(&before)
}

#[test]
fn the_directory_for_state_comes_with_the_agents() -> Outcome {
    let ground = Ground::enter()?;
    fs::remove_dir_all("/run/resource-agents")?;
    dpkg(&["--install", &ground.first.file("ocf-agents")?])?;
    assert!(Path::new("/run/resource-agents").is_dir(), "heartbeat/Dummy can't start without it");
    Ok(())
}

#[test]
fn an_upgrade_gives_back_dropped_names_and_takes_new_ones() -> Outcome {
    let ground = Ground::enter()?;
    let before = Snapshot::of_everything()?;
    ground.first.install("ocf-agents-names")?;
    let taken = Snapshot::of_agents()?;
    let untouched =
        fs::symlink_metadata(Path::new(RESOURCED).join("heartbeat/Dummy"))?.modified()?;
    ground.second.install("ocf-agents-names")?;
    assert!(is_ours("heartbeat/Delay"), "the new name is not taken");
    assert!(!is_ours("pacemaker/Stateful"), "the dropped name is not given back");
    whole()?;
    let now = fs::symlink_metadata(Path::new(RESOURCED).join("heartbeat/Dummy"))?.modified()?;
    assert_eq!(now, untouched, "a name that stays was taken again");
    assert!(!diversions()?.concat().contains("Stateful"), "{:?}", diversions());
    // Downwards too.
    ground.first.install("ocf-agents-names")?;
    assert!(is_ours("pacemaker/Stateful") && !is_ours("heartbeat/Delay"));
    Snapshot::of_agents()?.same_as(&taken)?;
    ground.second.install("ocf-agents-names")?;
    dpkg(&["--purge", "ocf-agents-names", "ocf-agents"])?;
    Snapshot::of_everything()?.same_as(&before)
}

#[test]
fn the_shell_agents_come_and_go_beside_ours() -> Outcome {
    let ground = Ground::enter()?;
    ground.remove_shell_agents()?;
    ground.first.install("ocf-agents-names")?;
    assert!(is_ours("heartbeat/Dummy"));
    ground.install_shell_agents()?;
    whole()?;
    assert!(is_ours("heartbeat/Dummy"), "installed later, the shell agent took the name");
    let verified = run("dpkg", &["--verify", "resource-agents", "pacemaker-resource-agents"], &[])?;
    assert!(verified.text.is_empty(), "{verified:?}");
    ground.remove_shell_agents()?;
    whole()?;
    dpkg(&["--remove", "ocf-agents-names", "ocf-agents"])?;
    let heartbeat = Path::new(RESOURCED).join("heartbeat");
    assert!(!heartbeat.exists(), "left: {:?}", fs::read_dir(heartbeat)?.collect::<Vec<_>>());
    ground.install_shell_agents()?;
    whole()
}

#[test]
fn no_monitor_fails_whatever_is_installed_or_removed() -> Outcome {
    let ground = Ground::enter()?;
    let monitors = Monitors::start(&["heartbeat/Dummy", "pacemaker/Dummy"])?;
    for _ in 0..2 {
        ground.first.install("ocf-agents-names")?;
        monitors.see_some()?;
        ground.second.install("ocf-agents-names")?;
        ground.install_shell_agents()?;
        ground.remove_shell_agents()?;
        monitors.see_some()?;
        ground.install_shell_agents()?;
        dpkg(&["--remove", "ocf-agents-names"])?;
        monitors.see_some()?;
        ground.first.install("ocf-agents-names")?;
        dpkg(&["--purge", "ocf-agents-names", "ocf-agents"])?;
        monitors.see_some()?;
    }
    let count = monitors.stop()?;
    assert!(count > 500, "only {count} monitors");
    Ok(())
}

/// The kernel has started the shell with the agent's name; the shell opens the name two seconds later.
#[test]
fn a_shell_on_its_way_to_the_agent_finds_something_it_can_read() -> Outcome {
    let ground = Ground::enter()?;
    act("heartbeat/Dummy", "start")?;
    ground.first.unpack_names()?;
    let agent = format!("{RESOURCED}/heartbeat/Dummy");
    let late = "inject=openat:delay_enter=2000000";
    let arguments = ["-qq", "-o", "/tmp/trace", "-P", &agent, "-e", late, &agent, "monitor"];
    let done = std::thread::scope(|scope| -> Outcome<_> {
        let monitor =
            scope.spawn(|| run("strace", &arguments, &VARIABLES).map_err(|e| e.to_string()));
        wait_for_shell(&agent)?;
        dpkg(&["--configure", "ocf-agents-names"])?;
        assert!(is_ours("heartbeat/Dummy"));
        Ok(monitor.join().map_err(|_| "the monitoring thread panicked")??)
    })?;
    assert!(done.ok, "{done:?}");
    let trace = fs::read_to_string("/tmp/trace")?;
    assert!(trace.contains("DELAYED"), "the shell was not late: {trace}");
    act("heartbeat/Dummy", "stop").map(|_| ())
}

/// Waits until some shell was started with a script, and can't have opened it yet.
fn wait_for_shell(script: &str) -> Outcome {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        for process in fs::read_dir("/proc")?.filter_map(Result::ok) {
            let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
            if line.starts_with(format!("/bin/sh\0{script}\0").as_bytes()) {
                return Ok(());
            }
        }
        std::thread::yield_now();
    }
    Err("no shell was started".into())
}
