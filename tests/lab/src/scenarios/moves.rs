// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Live migration.

use super::{arrive, expect_files, expect_order, load, settle};
use crate::checks::{Check, Evidence, running_on};
use crate::cluster::{Cluster, NODES};
use crate::journal::{self, Call};
use crate::{Error, Result};

/// Live migration, of both Dummies, and one that fails.
pub const ALL: &[Check] = &[
    Check { name: "heartbeat:Dummy migrates live, there and back", run: heartbeat_migrates },
    Check { name: "pacemaker:Dummy migrates live, there and back", run: pacemaker_migrates },
    Check { name: "a migration that fails leaves one instance", run: failed_migration },
];

fn heartbeat_migrates(cluster: &Cluster) -> Result<Evidence> {
    let id = "lab-live";
    load(cluster, &format!("primitive {id} ocf:heartbeat:Dummy meta allow-migrate=true\n"))?;
    there_and_back(cluster, id, "/run/resource-agents/Dummy-lab-live.state")
}

fn pacemaker_migrates(cluster: &Cluster) -> Result<Evidence> {
    let id = "lab-live";
    let params = journal::PARAMETER;
    load(
        cluster,
        &format!(
            "primitive {id} ocf:pacemaker:Dummy params {params} op monitor interval=10s \
             meta allow-migrate=true\n"
        ),
    )?;
    let mut evidence = there_and_back(cluster, id, "/run/Dummy-lab-live.state")?;
    for node in NODES {
        let calls = journal::read(cluster, node)?;
        for action in ["migrate_to", "migrate_from"] {
            let source = if action == "migrate_to" { node } else { cluster.other(node) };
            let call = calls.iter().find(|call| call.action == action);
            evidence.push(format!("{node}: {}", told_of_migration(call, action, source)?));
        }
    }
    Ok(evidence)
}

/// That the agent was told from where to where.
fn told_of_migration(call: Option<&Call>, action: &str, source: &str) -> Result<String> {
    let call = call.ok_or_else(|| Error::new(format!("the agent saw no {action}")))?;
    let told = |name: &str| call.meta(name).unwrap_or("(nothing)").to_owned();
    let (from, to) = (told("migrate_source"), told("migrate_target"));
    let target = NODES.into_iter().find(|node| *node != source).unwrap_or_default();
    if from == source && to == target {
        return Ok(format!("{action} was told from {from} to {to}"));
    }
    Err(Error::new(format!("{action} was told from {from} to {to}, not {source} to {target}")))
}

/// Moves it to the other node and back; on neither is it started or stopped by itself.
fn there_and_back(cluster: &Cluster, id: &str, state: &str) -> Result<Evidence> {
    settle(cluster)?;
    let first = running_on(&cluster.status()?, id)?.to_owned();
    let mut evidence = Evidence::new();
    let mut source = first.as_str();
    for _ in NODES {
        let target = cluster.other(source);
        expect_files(cluster, state, &[source])?;
        let (at_source, at_target) = (seen(cluster, id, source)?, seen(cluster, id, target)?);
        let target_is = ["crm_resource", "--move", "--resource", id, "--node", target];
        cluster.ok(target_is)?;
        arrive(cluster, id, "Started", target)?;
        let at_source = seen(cluster, id, source)?.split_off(at_source.len());
        let at_target = seen(cluster, id, target)?.split_off(at_target.len());
        // Pacemaker ends a migration with a stop where the resource no longer is.
        expect_order(source, &at_source, &["migrate_to: ok", "stop: ok"])?;
        expect_order(target, &at_target, &["migrate_from: ok"])?;
        for (node, seen, never) in [(source, &at_source, "start"), (target, &at_target, "start")] {
            if let Some(other) = seen.iter().find(|operation| operation.starts_with(never)) {
                return Err(Error::new(format!("{id} wasn't migrated: {other} on {node}")));
            }
        }
        if let Some(stop) = at_target.iter().find(|operation| operation.starts_with("stop")) {
            return Err(Error::new(format!("{id} wasn't migrated: {stop} on {target}")));
        }
        expect_files(cluster, state, &[target])?;
        evidence.push(format!(
            "{} on {source}, {} on {target}; {state} went with it",
            at_source.join(", "),
            at_target.join(", ")
        ));
        source = target;
    }
    Ok(evidence)
}

/// What Pacemaker's log on a node tells of a resource, but its monitors, as `start: ok`.
fn seen(cluster: &Cluster, id: &str, node: &str) -> Result<Vec<String>> {
    let operations = cluster.logged_operations(id, node)?;
    let acts = operations.into_iter().filter(|(o, _)| o != "monitor" && o != "probe");
    Ok(acts.map(|(operation, result)| format!("{operation}: {result}")).collect())
}

/// The target refuses, and so does a start there: the resource ends where it came from.
fn failed_migration(cluster: &Cluster) -> Result<Evidence> {
    let (id, state) = ("lab-refused", "/run/Dummy-lab-refused.state");
    let (source, target) = (NODES[0], NODES[1]);
    load(
        cluster,
        &format!(
            "primitive {id} ocf:pacemaker:Dummy params {} fail_start_on={target} \
             op monitor interval=10s meta allow-migrate=true\n\
             location {id}-home {id} 100: {source}\n",
            journal::PARAMETER
        ),
    )?;
    arrive(cluster, id, "Started", source)?;
    cluster.ok(["crm_resource", "--move", "--resource", id, "--node", target])?;
    // The start that is tried there next takes the place of its record in the status.
    let result = cluster.wait("the migration failing", |_| {
        let mut operations = cluster.logged_operations(id, target)?.into_iter();
        Ok(operations.find(|(operation, _)| operation == "migrate_from").map(|(_, result)| result))
    })?;
    if result == "ok" {
        return Err(Error::new(format!("migrate_from on {target} ended with '{result}'")));
    }
    cluster.wait(&format!("{id} being back on {source}"), |status| {
        Ok((status.place(id, "Started") == Some(source)).then_some(()))
    })?;
    settle(cluster)?;
    let status = cluster.status()?;
    let place = running_on(&status, id)?;
    if place != source {
        return Err(Error::new(format!("{id} is on {place}, where it can't be started")));
    }
    expect_files(cluster, state, &[source])?;
    let (here, there) = (journal::acts(cluster, source)?, journal::acts(cluster, target)?);
    let word = |action: &str| format!("{action} {id}");
    expect_order(source, &here, &[&word("migrate_to"), &word("start")])?;
    expect_order(target, &there, &[&word("migrate_from"), &word("stop")])?;
    Ok(vec![
        format!("migrate_from on {target}, told to fail there: {result}"),
        format!("{source}: {}; {target}: {}", here.join(", "), there.join(", ")),
        format!("{id} is started on {source}, {state} only there"),
    ])
}
