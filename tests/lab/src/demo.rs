// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `make demo`: our agents in the hands of a real cluster, shown step by step.

use crate::checks::{Check, ENDING, EQUIPPED, PACKAGED, SMALL};
use crate::cluster::{Cluster, Plan};
use crate::power::Role;
use crate::progress::Progress;
use crate::{Lab, Result, failover, logs};
use std::path::Path;

/// Runs the demo to its end, the lab's included. A cluster that is to be kept stays, and how to
/// enter and remove it is said.
///
/// # Errors
/// The first step that doesn't show what it claims; the nodes' logs are in `logs` then.
pub fn run(lab: Lab, progress: &Progress, plan: &Plan<'_>, logs: &Path) -> Result<()> {
    for name in lab.kept()? {
        progress.note(&format!("note: {name} was kept by an earlier run"));
    }
    // Images first: their steps are not the hosts'.
    Cluster::images(&lab, progress, plan)?;
    let label = "two nodes and a third host, on a network of their own";
    let cluster = progress.step(label, || Cluster::prepare(&lab, progress, plan))?;
    if let Err(error) = tell(&cluster, progress, plan.is_kept) {
        if matches!(error, crate::Error::Failed(_)) {
            logs::collect(&cluster, logs, progress);
        }
        return Err(error);
    }
    let kept = plan.is_kept.then(|| how_to_go_on(&cluster));
    if plan.is_kept {
        cluster.site.keep()?;
    } else {
        progress.step("the hosts are removed", || cluster.site.close())?;
        lab.close(progress)?;
    }
    progress.note("");
    progress.table().iter().for_each(|line| progress.note(line));
    kept.iter().flatten().for_each(|line| progress.note(line));
    Ok(())
}

/// What there is to do with a kept cluster.
fn how_to_go_on(cluster: &Cluster) -> Vec<String> {
    // The nodes first: outside, no Pacemaker runs.
    let (nodes, others): (Vec<_>, Vec<_>) =
        cluster.site.hosts().iter().partition(|host| host.role == Role::Member);
    let names: Vec<_> = nodes.into_iter().chain(others).map(|h| h.name().to_owned()).collect();
    how_to_go_on_with(&names, crate::engine::own_server())
}

fn how_to_go_on_with(names: &[String], own_server: Option<u32>) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        "the cluster is kept; enter a host (the last is no node) and look around:".into(),
    ];
    lines.extend(names.iter().map(|name| format!("     docker exec -it {name} bash")));
    lines.extend([
        "     crm_mon -1rf; pcs status; crm ra info ocf:pacemaker:Dummy".into(),
        "cut a node's power with 'docker kill', and the cluster fences it; remove all of it with"
            .into(),
        format!("     docker rm -fv {}", names.join(" ")),
        "'make clean-lab' removes it too, with the lab's images".into(),
    ]);
    lines.extend(own_server.map(|pid| {
        format!(
            "the Engine under it was started by the lab (dockerd, process {pid}); it ends when the \
             hosts are gone"
        )
    }));
    lines
}

fn tell(cluster: &Cluster, progress: &Progress, is_kept: bool) -> Result<()> {
    let show = |check: &Check| {
        let evidence = progress.step(check.name, || (check.run)(cluster))?;
        progress.evidence(evidence);
        Ok(())
    };
    progress.step("corosync and Pacemaker are up on both nodes", || cluster.boot())?;
    let evidence = progress.step("a fence device for each node", || cluster.add_fencing())?;
    progress.evidence(evidence);
    show(&EQUIPPED)?;
    show(&PACKAGED)?;
    failover::TOGETHER.iter().chain(&failover::LOSS).try_for_each(show)?;
    failover::STOP.iter().chain(&SMALL).try_for_each(show)?;
    progress.note("");
    progress.note("what crm_mon shows an operator now:");
    progress.evidence(cluster.crm_mon()?.iter().filter(|line| !line.is_empty()));
    // A cluster that is kept is there to be looked at, so its resources go on.
    if !is_kept {
        progress.note("");
        show(&ENDING)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_remove_a_kept_cluster_is_told() {
        let names = ["lab-node1", "lab-node2"].map(str::to_owned);
        let text = how_to_go_on_with(&names, Some(42)).join("\n");
        let ways =
            ["docker rm -fv lab-node1 lab-node2", "'make clean-lab' removes it", "process 42"];
        for way in ways {
            assert!(text.contains(way), "{way} is not in:\n{text}");
        }
        assert!(!how_to_go_on_with(&names, None).join("\n").contains("dockerd"));
    }
}
