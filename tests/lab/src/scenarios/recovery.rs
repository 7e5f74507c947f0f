// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Failures and what an operator does about them: timeouts, cleanup, changed parameters.

use super::{arrive, expect_files, expect_order, expect_same, identity, load, settle};
use crate::checks::{Check, Evidence, running_on};
use crate::cluster::{Cluster, NODES};
use crate::journal;
use crate::status::Failure;
use crate::{Error, Result, executor};

/// What goes wrong, and how it is put right.
pub const ALL: &[Check] = &[
    Check { name: "a monitor beyond its timeout is killed, and recovered", run: slow_monitor },
    Check { name: "a start beyond its timeout leaves nothing", run: slow_start },
    Check { name: "cleanup forgets a failure and looks again", run: cleanup_looks_again },
    Check { name: "a changed unique parameter is a restart", run: unique_is_restart },
];

/// Changes a parameter of a resource.
fn set_parameter(cluster: &Cluster, id: &str, name: &str, value: &str) -> Result<()> {
    let set = ["crm_resource", "--resource", id, "--set-parameter", name];
    cluster.ok(set.into_iter().chain(["--parameter-value", value])).map(|_| ())
}

/// Waits for an action to fail by its timeout.
fn wait_for_timeout(cluster: &Cluster, id: &str, task: &str) -> Result<Failure> {
    let what = format!("{task} of {id} failing");
    let failure = cluster.wait(&what, |status| Ok(status.failure(id, task).cloned()))?;
    if failure.status.eq_ignore_ascii_case("timed out") {
        return Ok(failure);
    }
    let (status, reason) = (&failure.status, &failure.reason);
    Err(Error::new(format!("{task} of {id} didn't time out but is '{status}': {reason}")))
}

/// The killed monitor leaves its mark that it is busy, which must not make the next one fail.
fn slow_monitor(cluster: &Cluster) -> Result<Evidence> {
    let (id, state) = ("lab-slow", "/run/Dummy-lab-slow.state");
    load(
        cluster,
        &format!(
            "primitive {id} ocf:pacemaker:Dummy params {} op monitor interval=1s timeout=2s\n",
            journal::PARAMETER
        ),
    )?;
    settle(cluster)?;
    let node = running_on(&cluster.status()?, id)?.to_owned();
    let before = identity(cluster, &node, state)?;
    set_parameter(cluster, id, "op_sleep", "4")?;
    let failure = wait_for_timeout(cluster, id, "monitor")?;
    // The executor got no code of the one that it killed.
    let calls = executor::calls(cluster.node(&node)?)?;
    let is_killed = |call: &&executor::Call| {
        call.resource == id && call.task == "monitor" && call.interval > 0 && call.code.is_none()
    };
    let killed = calls.iter().find(is_killed).map(|call| call.line.clone());
    let killed = killed.ok_or_else(|| Error::new(format!("{node} killed no monitor of {id}")))?;
    let killed = killed.split_once("info: ").map_or(killed.clone(), |(_, said)| said.to_owned());
    set_parameter(cluster, id, "op_sleep", "0")?;
    cluster.wait(&format!("{id} being started again"), |status| {
        let failed = status.failures.iter().any(|f| f.resource == id && f.task != "monitor");
        let restarted = status.role(id) == "Started"
            && status.last(id, "monitor").is_some_and(|monitor| monitor.code == 0);
        if failed {
            return Err(Error::new(format!("{id} failed in more than its monitor")));
        }
        Ok(restarted.then_some(()))
    })?;
    settle(cluster)?;
    let place = running_on(&cluster.status()?, id)?.to_owned();
    expect_files(cluster, state, &[&place])?;
    if place == node && identity(cluster, &node, state)? == before {
        return Err(Error::new(format!("{state} on {node} was never made anew")));
    }
    let acts = journal::acts(cluster, &node)?;
    let word = |action: &str| format!("{action} {id}");
    expect_order(&node, &acts, &[&word("reload-agent"), &word("stop"), &word("start")])?;
    nobody_is_busy(cluster, state)?;
    Ok(vec![
        format!("monitor takes 4 s of its 2: {} ({})", failure.status, failure.reason),
        killed,
        format!("{node}: {}", acts.join(", ")),
        format!("{id} is started on {place}, with no mark of the killed monitor"),
    ])
}

/// That no mark of a look under way is left on either node.
fn nobody_is_busy(cluster: &Cluster, state: &str) -> Result<()> {
    expect_files(cluster, &format!("{state}.serialized"), &[])
}

/// It fails on both nodes; then the operator mends the parameter and cleans up.
fn slow_start(cluster: &Cluster) -> Result<Evidence> {
    let (id, state) = ("lab-late", "/run/Dummy-lab-late.state");
    load(
        cluster,
        &format!(
            "primitive {id} ocf:pacemaker:Dummy params {} op_sleep=3 \
             op start timeout=1s op monitor interval=10s\n",
            journal::PARAMETER
        ),
    )?;
    let failed_on = |node: &'static str| {
        cluster.wait(&format!("the start failing on {node}"), |status| {
            let mut failures = status.failures.iter();
            let failure =
                failures.find(|f| f.resource == id && f.task == "start" && f.node == node);
            Ok(failure.map(|failure| failure.status.clone()))
        })
    };
    let mut evidence = Evidence::new();
    for node in NODES {
        evidence.push(format!("start on {node} takes 3 s of its 1: {}", failed_on(node)?));
    }
    wait_for_timeout(cluster, id, "start")?;
    settle(cluster)?;
    expect_files(cluster, state, &[])?;
    nobody_is_busy(cluster, state)?;
    for node in NODES {
        let acts = journal::acts(cluster, node)?;
        expect_order(node, &acts, &[&format!("start {id}"), &format!("stop {id}")])?;
    }
    evidence.push(format!("stopped on both, no {state}"));
    set_parameter(cluster, id, "op_sleep", "0")?;
    cluster.ok(["crm_resource", "--cleanup", "--resource", id])?;
    let place = cluster.wait(&format!("{id} being started after the cleanup"), |status| {
        Ok(status.place(id, "Started").map(str::to_owned))
    })?;
    arrive(cluster, id, "Started", &place)?;
    expect_files(cluster, state, &[&place])?;
    evidence.push(format!("op_sleep=0 and a cleanup: started on {place}"));
    Ok(evidence)
}

fn cleanup_looks_again(cluster: &Cluster) -> Result<Evidence> {
    let (id, state) = ("lab-cleaned", "/run/Dummy-lab-cleaned.state");
    load(
        cluster,
        &format!(
            "primitive {id} ocf:pacemaker:Dummy params {} op monitor interval=1s\n",
            journal::PARAMETER
        ),
    )?;
    settle(cluster)?;
    let node = running_on(&cluster.status()?, id)?.to_owned();
    cluster.node(&node)?.ok(["rm", state])?;
    let count = cluster.wait("a fail count and a failed action", |status| {
        let counts = status.fail_counts.iter().find(|(resource, _)| resource == id);
        let is_failed = status.failure(id, "monitor").is_some();
        Ok(counts.filter(|_| is_failed).map(|(_, count)| count.clone()))
    })?;
    // Only a start makes the file again. The failure is known a second before anything is planned, so
    // the cluster's being at rest would say nothing.
    let place = cluster.wait(&format!("{id} being recovered"), |status| {
        let Some(place) = status.place(id, "Started") else { return Ok(None) };
        let is_there = cluster.node(place)?.run(["test", "-e", state])?.code == 0;
        Ok(is_there.then(|| place.to_owned()))
    })?;
    settle(cluster)?;
    let before = identity(cluster, &place, state)?;
    journal::forget(cluster)?;
    cluster.ok(["crm_resource", "--cleanup", "--resource", id])?;
    cluster.wait("the failure being forgotten", |status| {
        Ok((status.trouble(id).is_none() && status.role(id) == "Started").then_some(()))
    })?;
    settle(cluster)?;
    let probed = journal::read(cluster, &node)?;
    if !probed.iter().any(|call| call.is_probe() && call.instance() == id) {
        return Err(Error::new(format!("{id} wasn't probed again on {node}, where it had failed")));
    }
    expect_same(cluster, &place, state, &before)?;
    Ok(vec![
        format!("removed {state}: fail count {count}, and a failed action"),
        format!("crm_resource --cleanup: both are gone, {node} was probed, {id} ran on"),
    ])
}

/// The stop of a restart is told the old value: the old file goes, the new one comes.
fn unique_is_restart(cluster: &Cluster) -> Result<Evidence> {
    let id = "lab-restarted";
    let (old, new) = ("/run/Dummy-lab-old.state", "/run/Dummy-lab-new.state");
    load(
        cluster,
        &format!(
            "primitive {id} ocf:pacemaker:Dummy params {} state={old} op monitor interval=10s\n",
            journal::PARAMETER
        ),
    )?;
    settle(cluster)?;
    let node = running_on(&cluster.status()?, id)?.to_owned();
    expect_files(cluster, old, &[&node])?;
    journal::forget(cluster)?;
    set_parameter(cluster, id, "state", new)?;
    settle(cluster)?;
    let place = cluster.wait(&format!("{id} being started anew"), |status| {
        let is_new = cluster.node(&node)?.run(["test", "-e", old])?.code != 0;
        Ok(status.place(id, "Started").filter(|_| is_new).map(str::to_owned))
    })?;
    arrive(cluster, id, "Started", &place)?;
    expect_files(cluster, old, &[])?;
    expect_files(cluster, new, &[&place])?;
    let acts = journal::acts(cluster, &node)?;
    if acts != [format!("stop {id}"), format!("start {id}")] {
        return Err(Error::new(format!("{node}: no restart, but {}", acts.join(", "))));
    }
    Ok(vec![format!("state={old} -> state={new} on {node}: {}", acts.join(", "))])
}
