// SPDX-License-Identifier: Apache-2.0 OR MIT
//! ocf-agents-standalone: in place of the shell agents, beside Pacemaker.

use crate::ground::{Ground, Outcome, RESOURCED, dpkg, is_ours, run};
use crate::monitors::Monitors;
use std::fs;
use std::path::Path;

const UNIT: &str = "/usr/lib/systemd/system/resource-agents-deps.target";

#[test]
fn it_stands_for_the_shell_agents_and_is_upgraded_under_monitors() -> Outcome {
    let ground = Ground::enter()?;
    ground.first.install("ocf-agents-standalone")?;
    let monitors = Monitors::start(&["heartbeat/Dummy", "pacemaker/Dummy"])?;
    ground.second.install("ocf-agents-standalone")?;
    ground.first.install("ocf-agents-standalone")?;
    assert!(monitors.stop()? > 20);
    assert!(!Path::new("/usr/lib/ocf/lib/heartbeat").exists(), "the shell library is still there");
    for name in [
        "heartbeat/Dummy",
        "heartbeat/IPaddr2",
        "heartbeat/apache",
        "heartbeat/docker",
        "pacemaker/Dummy",
        "pacemaker/Stateful",
        "pacemaker/remote",
    ] {
        assert!(is_ours(name), "{name}");
    }
    let check = run("apt-get", &["check"], &[])?;
    assert!(check.ok, "{check:?}");
    let ours = ["ocf-agents", "ocf-agents-standalone"];
    let verified = run("dpkg", &["--verify", ours[0], ours[1]], &[])?;
    assert!(verified.text.is_empty(), "{verified:?}");
    // The unit of resource-agents has the same place under another name: theirs went, ours is here.
    assert!(fs::read_to_string(UNIT)?.contains("[Unit]"));
    for agent in ["heartbeat:Dummy", "pacemaker:remote"] {
        let shown = run("crm_resource", &["--show-metadata", &format!("ocf:{agent}")], &[])?;
        assert!(shown.ok && shown.text.contains("<resource-agent"), "{agent}: {shown:?}");
    }
    dpkg(&["--force-depends", "--purge", "ocf-agents-standalone", "ocf-agents"])?;
    assert!(!Path::new(UNIT).exists());
    assert!(
        Path::new(RESOURCED).join("pacemaker/remote").is_file(),
        "Pacemaker's own agent is not back"
    );
    ground.install_shell_agents()?;
    let verified = run("dpkg", &["--verify", "pacemaker", "resource-agents"], &[])?;
    assert!(verified.text.is_empty(), "{verified:?}");
    Ok(())
}

#[test]
fn it_excludes_the_package_of_names_and_the_shell_agents() -> Outcome {
    let ground = Ground::enter()?;
    ground.first.install("ocf-agents-names")?;
    let standalone = ground.first.file("ocf-agents-standalone")?;
    let done = run("dpkg", &["--install", &standalone], &[])?;
    assert!(!done.ok && done.text.contains("conflicts with ocf-agents-names"), "{done:?}");
    dpkg(&["--purge", "ocf-agents-names"])?;
    dpkg(&["--install", &standalone])?;
    let done = run("dpkg", &["--install", &ground.first.file("ocf-agents-names")?], &[])?;
    assert!(!done.ok && done.text.contains("onflicts"), "{done:?}");
    assert!(
        ground.install_shell_agents().is_err(),
        "resource-agents came beside the standalone package"
    );
    Ok(())
}
