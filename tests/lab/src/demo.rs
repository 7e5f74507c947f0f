// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `make demo`: a bundle of web servers on our agents alone, in the hands of a real cluster, hurt and shown step
//! by step.

use crate::bundle::{Bundle, IMAGE, THREE, size};
use crate::checks::{Check, ENDING, EQUIPPED, Evidence, PACKAGED};
use crate::cluster::{Cluster, Plan};
use crate::fault::{self, Outcome, strike};
use crate::power::Role;
use crate::progress::Progress;
use crate::recipe::Kind;
use crate::scenarios::settle;
use crate::{Lab, Result, logs};
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
    let image = lab.image(progress, Kind::Bundle(plan.release), Some(plan.packages))?;
    let label = "two nodes and a third host, on a network of their own";
    let cluster = progress.step(label, || Cluster::prepare(&lab, progress, plan))?;
    let told = tell(&cluster, progress, &image, plan.is_kept);
    if let Err(crate::Error::Failed(_)) = told {
        logs::collect(&cluster, logs, progress);
    }
    let outcomes = told?;
    let kept = plan.is_kept.then(|| how_to_go_on(&cluster));
    if plan.is_kept {
        cluster.site.keep()?;
    } else {
        progress.step("the hosts are removed", || cluster.site.close())?;
        lab.close(progress)?;
    }
    progress.note("");
    progress.table().iter().for_each(|line| progress.note(line));
    progress.note("");
    outcomes.iter().for_each(|line| progress.note(line));
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

/// Tells the story, and gives the table of what the faults cost.
fn tell(cluster: &Cluster, progress: &Progress, image: &str, is_kept: bool) -> Result<Vec<String>> {
    let step = |name: &str, run: &dyn Fn() -> Result<Evidence>| {
        progress.evidence(progress.step(name, run)?);
        Ok(())
    };
    let show = |check: &Check| step(check.name, &|| (check.run)(cluster));
    progress.step("corosync and Pacemaker are up on both nodes", || cluster.boot())?;
    step("a fence device for each node", &|| cluster.add_fencing())?;
    show(&EQUIPPED)?;
    show(&PACKAGED)?;
    step("three web servers over two nodes answer the third host", &|| {
        let megabytes = size(cluster, image)?;
        let evidence = THREE.come_up(cluster, image)?;
        let first = format!("{IMAGE}, {megabytes} MB: Apache, Pacemaker Remote, our agents");
        Ok(std::iter::once(first).chain(evidence).collect())
    })?;
    let mut outcomes = Vec::new();
    for fault in fault::ALL {
        let outcome = progress.step(fault.name(), || strike(cluster, &THREE, fault, 0))?;
        progress.evidence(&outcome.seen);
        outcomes.push((fault.name(), outcome));
    }
    step("five replicas instead of three, then two", &|| replicas_change(cluster))?;
    progress.note("");
    progress.note("what crm_mon shows an operator now:");
    progress.evidence(cluster.crm_mon()?.iter().filter(|line| !line.is_empty()));
    // A cluster that is kept is there to be looked at, so its resources go on.
    if !is_kept {
        progress.note("");
        show(&ENDING)?;
    }
    Ok(table(&outcomes))
}

fn replicas_change(cluster: &Cluster) -> Result<Evidence> {
    let mut evidence = Evidence::new();
    for replicas in [5, 2] {
        let bundle = Bundle { replicas, ..THREE };
        bundle.write_pages(cluster)?;
        let count = format!("replicas={replicas}");
        let update = ["resource", "bundle", "update", bundle.id, "container", &count];
        cluster.pcs(update)?;
        let asked = bundle.ask(cluster)?;
        let places = bundle.wait_up(cluster, &asked)?;
        asked.end()?;
        evidence.push(format!("pcs {}: on {}", update.join(" "), places.join(", ")));
    }
    settle(cluster)?;
    Ok(evidence)
}

/// What each fault cost.
fn table(outcomes: &[(&str, Outcome)]) -> Vec<String> {
    let seconds = |time: std::time::Duration| format!("{:.1} s", time.as_secs_f64());
    let line = |fault: &str, unreachable: &str, recovered: &str| {
        format!("     {fault:<32}{unreachable:>20}{recovered:>20}")
    };
    let mut lines = vec![line("fault", "no answer for", "all well after")];
    lines.extend(outcomes.iter().map(|(fault, outcome)| {
        line(fault, &seconds(outcome.unreachable), &seconds(outcome.recovered))
    }));
    lines
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
