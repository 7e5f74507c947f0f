// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a cluster is for: a node dies and its resources go on elsewhere.

use crate::checks::{Check, Evidence, create, running_on};
use crate::cluster::Cluster;
use crate::{Error, Result};
use std::time::{Duration, Instant};

/// A Dummy that is always where Stateful is promoted, so that one node has both.
pub const TOGETHER: [Check; 2] = [
    Check { name: "Stateful is started on both nodes and promoted on one", run: stateful_starts },
    Check { name: "Dummy is started beside the promoted one", run: dummy_starts },
];

/// The node that has both is lost.
pub const LOSS: [Check; 2] = [
    Check {
        name: "the node's power is cut: it is fenced, the other takes over",
        run: power_is_cut,
    },
    Check { name: "the fenced node is back", run: nodes_are_back },
];

/// A resource that can't be stopped costs its node.
pub const STOP: [Check; 2] = [
    Check {
        name: "a stop fails: its node is fenced, the resource goes on",
        run: failed_stop_fences,
    },
    Check { name: "the fenced node is back again", run: nodes_are_back },
];

const STATEFUL: &str = "stateful";
const DUMMY: &str = "dummy";

fn stateful_starts(cluster: &Cluster) -> Result<Evidence> {
    let create = ["resource", "create", STATEFUL, "ocf:pacemaker:Stateful", "promotable"];
    cluster.pcs(create)?;
    let score = cluster.wait("Stateful being promoted on one node", |status| {
        if let Some(trouble) = status.trouble(STATEFUL) {
            return Err(Error::new(trouble));
        }
        let is_up = status.place(STATEFUL, "Unpromoted").is_some();
        let place = status.place(STATEFUL, "Promoted").filter(|_| is_up);
        let score = place.and_then(|node| status.attribute(node, "master-stateful"));
        Ok(score.map(str::to_owned))
    })?;
    let mut evidence = vec![format!("pcs {}", create.join(" "))];
    evidence.extend(cluster.crm_mon_about(STATEFUL)?);
    evidence.push(format!("promotion score {score} on the promoted one, set by the agent"));
    Ok(evidence)
}

fn dummy_starts(cluster: &Cluster) -> Result<Evidence> {
    let mut evidence = create(cluster, DUMMY, "ocf:heartbeat:Dummy", &[], "Started")?;
    let with = ["constraint", "colocation", "add", DUMMY, "with", "Promoted", "stateful-clone"];
    cluster.pcs(with)?;
    cluster.wait("Dummy being where Stateful is promoted", |status| {
        let promoted = status.place(STATEFUL, "Promoted");
        Ok((promoted.is_some() && promoted == status.place(DUMMY, "Started")).then_some(()))
    })?;
    evidence.push(format!("pcs {}", with.join(" ")));
    Ok(evidence)
}

fn power_is_cut(cluster: &Cluster) -> Result<Evidence> {
    let before = cluster.status()?;
    let lost = running_on(&before, DUMMY)?.to_owned();
    let other = cluster.other(&lost);
    let fenced_before = cluster.site.fence_log().len();
    let start = Instant::now();
    cluster.cut_power(&lost)?;
    let is_up = |role: &str, id: &str| {
        let what = format!("{id} being {role} on {other}");
        cluster.wait(&what, |status| {
            Ok((status.place(id, role) == Some(other)).then(|| start.elapsed()))
        })
    };
    let started = is_up("Started", DUMMY)?;
    let promoted = is_up("Promoted", STATEFUL)?;
    let fenced = fencing_since(cluster, fenced_before, &lost)?;
    let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
    Ok(vec![
        format!("{lost} ran Dummy and the promoted Stateful; its container is killed"),
        format!("fence device: {fenced}"),
        format!("Dummy is started on {other} after {}", seconds(started)),
        format!("Stateful is promoted on {other} after {}", seconds(promoted)),
    ])
}

fn nodes_are_back(cluster: &Cluster) -> Result<Evidence> {
    for node in cluster.nodes() {
        cluster.wait_for_return(&node.name)?;
    }
    cluster.wait("Stateful being started on both nodes", |status| {
        let is_up = status.instances(STATEFUL).filter(|instance| instance.is_active).count() == 2;
        Ok(is_up.then_some(()))
    })?;
    cluster.crm_mon_about(STATEFUL)
}

/// A state file on a file system that turns read-only: nothing the agent could do about it, and so
/// nothing it may call a success.
fn failed_stop_fences(cluster: &Cluster) -> Result<Evidence> {
    let (id, directory) = ("unstoppable", "/srv/lab");
    for node in cluster.nodes() {
        node.ok(["install", "-d", directory])?;
        node.ok(["mount", "-t", "tmpfs", "none", directory])?;
    }
    let state = format!("state={directory}/unstoppable.state");
    let mut evidence = create(cluster, id, "ocf:pacemaker:Dummy", &[&state], "Started")?;
    let lost = running_on(&cluster.status()?, id)?.to_owned();
    let other = cluster.other(&lost);
    let fenced_before = cluster.site.fence_log().len();
    cluster.node(&lost)?.ok(["mount", "-o", "remount,ro", directory])?;
    let start = Instant::now();
    cluster.ok(["crm_resource", "--move", "--resource", id, "--node", other])?;
    // The failure goes from the record with its node, so it is looked for on the way.
    let mut failure = None;
    cluster.wait(&format!("{id} being started on {other}"), |status| {
        failure = status.failure(id, "stop").cloned().or(failure.take());
        Ok((status.place(id, "Started") == Some(other)).then_some(()))
    })?;
    let fenced = fencing_since(cluster, fenced_before, &lost)?;
    evidence.push(format!("{directory} on {lost} becomes read-only, and {id} is to move"));
    evidence.extend(failure.map(|f| format!("stop answers {}: {}", f.code, f.reason)));
    evidence.push(format!("fence device: {fenced}"));
    let after = start.elapsed().as_secs_f64();
    evidence.push(format!("{id} is started on {other} after {after:.1} s"));
    cluster.pcs(["resource", "delete", id])?;
    Ok(evidence)
}

/// The fence device's own line on the fencing of a node, which it writes when it has answered: a
/// cluster that is quick is a step further by then.
///
/// # Errors
/// It does nothing of the kind.
pub fn fencing_since(cluster: &Cluster, seen: usize, node: &str) -> Result<String> {
    let what = format!("the fence device telling of {node}");
    cluster.wait(&what, |_| Ok(find_fencing(cluster, seen, node)))
}

/// That line, if it is there already.
#[must_use]
pub fn find_fencing(cluster: &Cluster, seen: usize, node: &str) -> Option<String> {
    let wanted = format!("reboot {node} asked by ");
    let log = cluster.site.fence_log();
    let line = log.into_iter().skip(seen).find(|line| line.contains(&wanted))?;
    Some(line.split_once(' ').map_or(line.clone(), |(_, rest)| rest.to_owned()))
}
