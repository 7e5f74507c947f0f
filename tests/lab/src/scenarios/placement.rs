// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Order, colocation, location by node attributes, and groups.

use super::{arrive, await_file, expect_order, expect_same, identity, load, settle};
use crate::checks::{Check, Evidence};
use crate::cluster::{Cluster, NODES};
use crate::journal;
use crate::{Error, Result};

/// Where resources are and in what order they get there.
pub const ALL: &[Check] = &[
    Check { name: "an order constraint rules starts and stops", run: order_is_kept },
    Check { name: "a rule on a node attribute and a colocation move two", run: attribute_moves },
    Check { name: "a group starts in order, stops in reverse, moves as one", run: group_moves },
];

/// A Dummy of Pacemaker's that writes down its calls.
fn dummy(id: &str, more: &str) -> String {
    let params = journal::PARAMETER;
    format!("primitive {id} ocf:pacemaker:Dummy params {params} {more} op monitor interval=1s\n")
}

/// The second one comes first in the configuration and is the quick one.
fn order_is_kept(cluster: &Cluster) -> Result<Evidence> {
    let (first, second, node) = ("lab-first", "lab-second", NODES[0]);
    load(
        cluster,
        &[
            dummy(second, ""),
            dummy(first, "op_sleep=1"),
            format!("order lab-order Mandatory: {first} {second}\n"),
            format!("location lab-home-1 {first} inf: {node}\n"),
            format!("location lab-home-2 {second} inf: {node}\n"),
        ]
        .concat(),
    )?;
    for id in [first, second] {
        arrive(cluster, id, "Started", node)?;
    }
    let word = |action: &str, id: &str| format!("{action} {id}");
    let starts = journal::acts(cluster, node)?;
    expect_order(node, &starts, &[&word("start", first), &word("start", second)])?;
    journal::forget(cluster)?;
    cluster.ok(["crm", "resource", "stop", first])?;
    cluster.wait("both being stopped", |status| {
        Ok([first, second].iter().all(|id| status.role(id) == "Stopped").then_some(()))
    })?;
    let stops = journal::acts(cluster, node)?;
    expect_order(node, &stops, &[&word("stop", second), &word("stop", first)])?;
    Ok(vec![
        format!("order Mandatory: {first} {second}; start takes {first} a second"),
        format!("both started: {}", starts.join(", ")),
        format!("{first} stopped by crm: {}", stops.join(", ")),
    ])
}

fn attribute_moves(cluster: &Cluster) -> Result<Evidence> {
    let (led, leader) = ("lab-led", "lab-leader");
    load(
        cluster,
        &[
            dummy(led, ""),
            dummy(leader, ""),
            format!(
                "location lab-disk-rule {leader} rule -inf: not_defined lab-disk or \
                     lab-disk ne fast\n"
            ),
            format!("colocation lab-together inf: {led} {leader}\n"),
        ]
        .concat(),
    )?;
    settle(cluster)?;
    let status = cluster.status()?;
    if let Some(id) = [led, leader].into_iter().find(|id| status.role(id) != "Stopped") {
        return Err(Error::new(format!("{id} runs although no node has lab-disk=fast")));
    }
    let mut evidence = vec!["no node has lab-disk=fast: both are stopped".to_owned()];
    // One tool each way: both write the attribute into the configuration.
    for (node, with_pcs) in [(NODES[1], true), (NODES[0], false)] {
        let other = cluster.other(node);
        for (node, value) in [(other, "slow"), (node, "fast")] {
            if with_pcs {
                cluster.pcs(["node", "attribute", node, &format!("lab-disk={value}")])?;
            } else {
                let set = ["crm_attribute", "--node", node, "--name", "lab-disk", "--update"];
                cluster.ok(set.into_iter().chain([value]))?;
            }
        }
        for id in [led, leader] {
            arrive(cluster, id, "Started", node)?;
        }
        let starts = journal::acts(cluster, node)?;
        for id in [led, leader] {
            expect_order(node, &starts, &[&format!("start {id}")])?;
        }
        let tool = if with_pcs { "pcs node attribute" } else { "crm_attribute" };
        evidence.push(format!("{tool}: lab-disk=fast on {node}, both are there"));
    }
    // A colocation binds the led one only: alone, it is no reason for the leader to stop.
    cluster.ok(["crm", "resource", "stop", leader])?;
    cluster.wait(&format!("{led} being stopped with {leader}"), |status| {
        Ok((status.role(led) == "Stopped" && status.role(leader) == "Stopped").then_some(()))
    })?;
    evidence.push(format!("{leader} stopped: {led} is stopped with it"));
    Ok(evidence)
}

fn group_moves(cluster: &Cluster) -> Result<Evidence> {
    const MEMBERS: [&str; 3] = ["lab-a", "lab-b", "lab-c"];
    let (here, there) = (NODES[0], NODES[1]);
    // The other way round in the configuration than in the group.
    let mut text: String = MEMBERS.iter().rev().map(|id| dummy(id, "")).collect();
    text += &format!(
        "group lab-group {}\nlocation lab-home lab-group 100: {here}\n",
        MEMBERS.join(" ")
    );
    load(cluster, &text)?;
    let all = |action: &str| MEMBERS.map(|id| format!("{action} {id}"));
    let in_order = |node: &str, wanted: &[String]| -> Result<String> {
        let acts = journal::acts(cluster, node)?;
        if acts == wanted {
            return Ok(format!("{node}: {}", acts.join(", ")));
        }
        let (seen, wanted) = (acts.join(", "), wanted.join(", "));
        Err(Error::new(format!("{node}: not {wanted}, but {seen}")))
    };
    arrive(cluster, MEMBERS[2], "Started", here)?;
    let (starts, mut stops) = (all("start"), all("stop"));
    stops.reverse();
    let mut evidence = vec![in_order(here, &starts)?];
    journal::forget(cluster)?;
    cluster.pcs(["resource", "move-with-constraint", "lab-group", there])?;
    arrive(cluster, MEMBERS[2], "Started", there)?;
    evidence.push(in_order(here, &stops)?);
    evidence.push(in_order(there, &starts)?);
    // What stands before the lost one in the group stays as it is.
    let first = format!("/run/Dummy-{}.state", MEMBERS[0]);
    let before = identity(cluster, there, &first)?;
    journal::forget(cluster)?;
    let lost = format!("/run/Dummy-{}.state", MEMBERS[1]);
    cluster.node(there)?.ok(["rm", &lost])?;
    cluster.wait("the loss in the middle being noticed", |status| {
        Ok(status.failure(MEMBERS[1], "monitor").map(|_| ()))
    })?;
    await_file(cluster, &lost, there)?;
    settle(cluster)?;
    let wanted = ["stop lab-c", "stop lab-b", "start lab-b", "start lab-c"];
    evidence.push(in_order(there, &wanted.map(str::to_owned))?);
    expect_same(cluster, there, &first, &before)?;
    evidence.push(format!("lost {lost}; {first} stayed the same file"));
    Ok(evidence)
}
