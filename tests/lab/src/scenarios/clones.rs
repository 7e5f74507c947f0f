// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Clones: how many instances, what they are called, and what they mean for each other.

use super::{arrive, await_file, expect_files, expect_same, identity, load, settle};
use crate::checks::{Check, Evidence};
use crate::cluster::{Cluster, NODES};
use crate::journal;
use crate::status::Status;
use crate::{Error, Result};

/// Clones that nobody promotes.
pub const ALL: &[Check] = &[
    Check { name: "clone-max says how many instances there are", run: clone_max_counts },
    Check { name: "instances of a globally unique clone are apart", run: unique_are_apart },
    Check { name: "interleave spares the instance on the other node", run: interleave_spares },
];

fn primitive(id: &str) -> String {
    let params = journal::PARAMETER;
    format!("primitive {id} ocf:pacemaker:Dummy params {params} op monitor interval=1s\n")
}

/// Sets a meta attribute of a clone.
fn set_meta(cluster: &Cluster, id: &str, name: &str, value: &str) -> Result<()> {
    let set = ["crm_resource", "--resource", id, "--meta", "--set-parameter", name];
    cluster.ok(set.into_iter().chain(["--parameter-value", value])).map(|_| ())
}

/// Where the instances of a clone run, sorted.
fn places(status: &Status, id: &str) -> Vec<String> {
    let active = status.instances(id).filter(|instance| instance.is_active);
    let mut nodes: Vec<_> = active.map(|instance| instance.node.clone()).collect();
    nodes.sort();
    nodes
}

/// Waits until this many instances run, none in trouble, and gives where.
fn wait_for_instances(cluster: &Cluster, id: &str, count: usize) -> Result<Vec<String>> {
    cluster.wait(&format!("{id} having {count} instances"), |status| match status.trouble(id) {
        Some(trouble) => Err(Error::new(trouble)),
        None => Ok((places(status, id).len() == count).then_some(())),
    })?;
    settle(cluster)?;
    let nodes = places(&cluster.status()?, id);
    if nodes.len() == count {
        return Ok(nodes);
    }
    Err(Error::new(format!("{id} has instances on {}, not {count}", nodes.join(", "))))
}

/// Anonymous instances have one file a node, without a number.
fn clone_max_counts(cluster: &Cluster) -> Result<Evidence> {
    let (id, clone, state) = ("lab-many", "lab-many-clone", "/run/Dummy-lab-many.state");
    load(cluster, &format!("{}clone {clone} {id} meta clone-max=1\n", primitive(id)))?;
    let mut evidence = Evidence::new();
    let mut first: Option<(String, String)> = None;
    for count in [1, 2, 1] {
        set_meta(cluster, clone, "clone-max", &count.to_string())?;
        let nodes = wait_for_instances(cluster, id, count)?;
        let nodes: Vec<_> = nodes.iter().map(String::as_str).collect();
        expect_files(cluster, state, &nodes)?;
        match &first {
            None => {
                let node = nodes.first().copied().unwrap_or_default().to_owned();
                let file = identity(cluster, &node, state)?;
                first = Some((node, file));
            }
            Some((node, file)) if nodes.contains(&node.as_str()) => {
                expect_same(cluster, node, state, file)?;
            }
            Some(_) => {}
        }
        evidence.push(format!("clone-max={count}: {state} on {}", nodes.join(", ")));
    }
    Ok(evidence)
}

/// Two a node: one of them is lost, and the one beside it doesn't notice.
fn unique_are_apart(cluster: &Cluster) -> Result<Evidence> {
    let (id, clone) = ("lab-apart", "lab-apart-clone");
    let meta = "globally-unique=true clone-max=4 clone-node-max=2";
    load(cluster, &format!("{}clone {clone} {id} meta {meta}\n", primitive(id)))?;
    let nodes = wait_for_instances(cluster, id, 4)?;
    if nodes != [NODES[0], NODES[0], NODES[1], NODES[1]] {
        return Err(Error::new(format!("{id} is on {}, not on each twice", nodes.join(", "))));
    }
    let status = cluster.status()?;
    let mut evidence = vec![meta.to_owned()];
    for number in 0..4 {
        let name = format!("{id}:{number}");
        let node = status.place(&name, "Started").unwrap_or_default().to_owned();
        expect_files(cluster, &state_of(&name), &[&node])?;
        let calls = journal::read(cluster, &node)?;
        let start = calls.iter().find(|call| call.action == "start" && call.instance() == name);
        let start = start.ok_or_else(|| Error::new(format!("{node}: no start of {name}")))?;
        let unique = start.meta("globally_unique").unwrap_or("(nothing)");
        if unique != "true" || start.meta("clone") != Some(&number.to_string()) {
            return Err(Error::new(format!("{name} was told globally_unique={unique}")));
        }
        evidence.push(format!("{} on {node}", state_of(&name)));
    }
    let here = |instance: &&crate::status::Resource| instance.node == NODES[0];
    let on_first: Vec<_> = status.instances(id).filter(here).map(|r| r.id.clone()).collect();
    let [lost, kept] = on_first.as_slice() else {
        return Err(Error::new(format!("{} has {} instances", NODES[0], on_first.len())));
    };
    let before = identity(cluster, NODES[0], &state_of(kept))?;
    cluster.node(NODES[0])?.ok(["rm", &state_of(lost)])?;
    cluster.wait(&format!("the loss of {lost} being noticed"), |status| {
        // A failed action is kept under the clone's name, a fail count under the instance's.
        let is_noticed = status.failures.iter().any(|f| f.resource == *lost && f.code == 7);
        Ok(is_noticed.then_some(()))
    })?;
    await_file(cluster, &state_of(lost), NODES[0])?;
    settle(cluster)?;
    expect_files(cluster, &state_of(lost), &[NODES[0]])?;
    expect_same(cluster, NODES[0], &state_of(kept), &before)?;
    evidence.push(format!("{lost} was lost and is back, {kept} beside it stayed the same file"));
    Ok(evidence)
}

fn state_of(instance: &str) -> String {
    format!("/run/Dummy-{instance}.state")
}

/// Without interleave the other one is restarted: so it is the option that spares it.
fn interleave_spares(cluster: &Cluster) -> Result<Evidence> {
    let (base, upper) = ("lab-base", "lab-upper");
    load(
        cluster,
        &[
            primitive(base),
            primitive(upper),
            format!("clone {base}-clone {base}\n"),
            format!("clone {upper}-clone {upper}\n"),
            format!("order lab-order Mandatory: {base}-clone {upper}-clone\n"),
        ]
        .concat(),
    )?;
    for id in [base, upper] {
        wait_for_instances(cluster, id, 2)?;
    }
    let (left, kept) = (NODES[0], NODES[1]);
    let mut evidence = Evidence::new();
    for interleave in [true, false] {
        let value = interleave.to_string();
        for id in [base, upper] {
            set_meta(cluster, &format!("{id}-clone"), "interleave", &value)?;
        }
        settle(cluster)?;
        let is_same = outlasts(cluster, base, upper, left)?;
        if is_same != interleave {
            let what = if is_same { "wasn't" } else { "was" };
            return Err(Error::new(format!(
                "interleave={interleave}, and {upper} on {kept} {what} restarted when {base} came \
                 back on {left}"
            )));
        }
        let what = if is_same { "ran on" } else { "was restarted" };
        evidence.push(format!(
            "interleave={interleave}: {base} left {left} and came back, {upper} on {kept} {what}"
        ));
    }
    Ok(evidence)
}

/// Whether `upper` runs on, the same as it was, on the node that `base` doesn't leave. It is the
/// return of `base` to the other one that the whole clone may have to wait for.
fn outlasts(cluster: &Cluster, base: &str, upper: &str, left: &str) -> Result<bool> {
    let (clone, kept) = (format!("{base}-clone"), cluster.other(left));
    let before = identity(cluster, kept, &state_of(upper))?;
    cluster.ok(["crm_resource", "--ban", "--resource", &clone, "--node", left])?;
    arrive(cluster, base, "Started", kept)?;
    wait_for_instances(cluster, base, 1)?;
    expect_files(cluster, &state_of(base), &[kept])?;
    cluster.ok(["crm_resource", "--clear", "--resource", &clone])?;
    for id in [base, upper] {
        wait_for_instances(cluster, id, 2)?;
    }
    Ok(identity(cluster, kept, &state_of(upper))? == before)
}
