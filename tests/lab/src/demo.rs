// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `make demo`: our agents in the hands of a real Pacemaker, shown step by step.

use crate::checks::{ENDING, STORY};
use crate::cluster::{CAPABILITIES, Cluster, INSTALLING, NODE, find_agents, install};
use crate::node::Spec;
use crate::progress::Progress;
use crate::soak::soak;
use crate::{Lab, Result};
use std::path::Path;
use std::time::Duration;

/// How long the demo watches the agents do nothing wrong.
const SOAK: Duration = Duration::from_secs(15);

/// Starts the container of a cluster of one node; neither agents nor daemons are in it yet. It
/// goes with the cluster.
///
/// # Errors
/// No agents, or the container cannot be started.
pub fn prepare(lab: &Lab, agents: &Path, is_kept: bool) -> Result<Cluster> {
    let agents = find_agents(agents)?;
    let node = lab.node(Spec {
        hostname: NODE.into(),
        capabilities: CAPABILITIES.map(str::to_owned).to_vec(),
        is_kept,
        ..Spec::default()
    })?;
    Ok(Cluster { node, agents })
}

/// Runs the demo to its end, the lab's included. With `is_kept` the node stays, and how to enter
/// and remove it is said.
///
/// # Errors
/// The first step that doesn't show what it claims.
pub fn run(lab: Lab, progress: &Progress, agents: &Path, is_kept: bool) -> Result<()> {
    for name in lab.kept()? {
        progress.note(&format!("note: {name} is there from an earlier --keep"));
    }
    let mut cluster =
        progress.step("a container for the node", || prepare(&lab, agents, is_kept))?;
    let result = tell(&cluster, progress, is_kept);
    if let Err(error) = result {
        cluster.node.unkeep();
        if matches!(error, crate::Error::Failed(_)) {
            cluster.log_tails().iter().for_each(|line| progress.note(line));
        }
        return Err(error);
    }
    let kept = is_kept.then(|| cluster.node.name().to_owned());
    if !is_kept {
        progress.step("the node is removed", || cluster.node.remove())?;
        lab.close(progress)?;
    }
    progress.note("");
    progress.table().iter().for_each(|line| progress.note(line));
    if let Some(name) = kept {
        let lines = how_to_go_on(&name, crate::engine::own_server());
        lines.iter().for_each(|line| progress.note(line));
    }
    Ok(())
}

/// What there is to do with a kept node, under a `dockerd` that the lab started (its process id)
/// or under somebody else's.
fn how_to_go_on(name: &str, own_server: Option<u32>) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        "the node is kept; enter it, look around, and remove it in the end with".into(),
        format!("     docker exec -it {name} bash"),
        "     crm_mon -1rf; pcs status; crm ra info ocf:pacemaker:Dummy".into(),
        format!("     docker rm -f {name}"),
        "'make clean-lab' removes it too, with every other kept node and the lab's images".into(),
    ];
    lines.extend(own_server.map(|pid| {
        format!(
            "the Engine under it was started by the lab (dockerd, process {pid}); 'make clean-lab', \
             or the next run of the lab after the node's removal, ends it"
        )
    }));
    lines
}

fn tell(cluster: &Cluster, progress: &Progress, is_kept: bool) -> Result<()> {
    progress.step(INSTALLING, || install(&cluster.agents, &cluster.node))?;
    progress.step("corosync and Pacemaker are up", || cluster.boot())?;
    progress.evidence([
        "one node, so nobody could fence it: stonith-enabled=false. Never run a real cluster so.",
    ]);
    for check in STORY {
        let evidence = progress.step(check.name, || (check.run)(cluster))?;
        progress.evidence(evidence);
    }
    let label = format!("the agents run {} s without a failure", SOAK.as_secs());
    let evidence = progress.step(&label, || soak(cluster, SOAK))?;
    progress.evidence(evidence);
    progress.note("");
    progress.note("what crm_mon shows an operator now:");
    progress.evidence(cluster.crm_mon()?.iter().filter(|line| !line.is_empty()));
    // A node that is kept is there to be looked at, so its resources go on.
    if !is_kept {
        progress.note("");
        let evidence = progress.step(ENDING.name, || (ENDING.run)(cluster))?;
        progress.evidence(evidence);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_remove_a_kept_node_is_told() {
        let text = how_to_go_on("lab-node1", Some(42)).join("\n");
        for way in ["docker rm -f lab-node1", "'make clean-lab' removes it", "process 42"] {
            assert!(text.contains(way), "{way} is not in:\n{text}");
        }
        assert!(!how_to_go_on("lab-node1", None).join("\n").contains("dockerd"));
    }
}
