// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Two hosts that run nothing of the cluster but Pacemaker Remote, as nodes of the cluster.
//!
//! The configuration is loaded as a file with crmsh, written as those who keep such a cluster
//! write it: connections, fencing, rules on `#uname`, and no probes where a resource never runs.
//! The checks build on each other. They come last in a run: remote nodes take clones too.

use super::{expect_same, identity, settle};
use crate::checks::{Check, Evidence, running_on};
use crate::cluster::{Cluster, NODES, REMOTE_ADDRESSES, REMOTES};
use crate::failover::{fencing_since, find_fencing};
use crate::power;
use crate::{Error, Result};
use std::time::{Duration, Instant};

/// From loading the configuration to the loss of a remote host, and of a connection's holder.
pub const ALL: &[Check] = &[
    Check { name: "two remote nodes are loaded with crm configure", run: configuration_is_loaded },
    Check { name: "nothing is probed where resource-discovery=never", run: nothing_is_probed },
    Check { name: "ocf:pacemaker:remote finds its remote nodes good", run: remotes_are_valid },
    Check { name: "crm_resource -M takes Dummy from remote1 to remote2", run: dummy_moves },
    Check {
        name: "a remote host's power is cut: it is fenced, and comes back",
        run: remote_is_lost,
    },
    Check { name: "a connection's node is lost: Dummy isn't touched", run: holder_is_lost },
];

/// Runs on remote nodes only, and is never probed elsewhere.
const DUMMY: &str = "remote-dummy";

/// Runs on the cluster's nodes only, and is probed everywhere.
const PROBED: &str = "probed-dummy";

const STATE: &str = "/run/resource-agents/Dummy-remote-dummy.state";

const FILE: &str = "/root/remote.crm";

/// Pacemaker's exit code for a search that finds nothing (`CRM_EX_NOSUCH`).
const NOTHING_THERE: i32 = 105;

/// The configuration, for `crm configure load update`.
fn configuration() -> String {
    let connections = REMOTES.iter().zip(REMOTE_ADDRESSES).zip(NODES);
    let connections = connections.map(|((remote, address), node)| {
        let server = address.split('/').next().unwrap_or_default();
        format!(
            r#"primitive {remote} ocf:pacemaker:remote \
    params server="{server}" reconnect_interval="5s" \
    op start interval="0s" timeout="60s" on-fail="restart" \
    op monitor interval="3s" timeout="30s" on-fail="restart" \
    op stop interval="0s" timeout="60s" on-fail="fence"
primitive fence-{remote} stonith:fence_lab \
    params pcmk_host_list="{remote}" \
    op monitor interval="60s"
location place-{remote} {remote} \
    rule 200: #uname eq {node}
"#
        )
    });
    let connections: String = connections.collect();
    format!(
        r#"property no-quorum-policy="ignore"
rsc_defaults resource-stickiness="INFINITY" migration-threshold="3"
{connections}primitive {DUMMY} ocf:heartbeat:Dummy \
    op start interval="0s" timeout="20s" on-fail="restart" \
    op monitor interval="2s" timeout="20s" on-fail="restart" \
    op stop interval="0s" timeout="20s" on-fail="fence"
primitive {PROBED} ocf:heartbeat:Dummy \
    op monitor interval="2s" timeout="20s"
location never-{DUMMY} {DUMMY} resource-discovery=never \
    rule -INFINITY: #uname eq node1 or #uname eq node2
location first-{DUMMY} {DUMMY} \
    rule 200: #uname eq remote1
location never-{PROBED} {PROBED} \
    rule -INFINITY: #uname eq remote1 or #uname eq remote2
"#
    )
}

fn configuration_is_loaded(cluster: &Cluster) -> Result<Evidence> {
    for node in cluster.nodes() {
        node.write_file(FILE, ("root", "root"), "0644", &configuration())?;
    }
    let start = Instant::now();
    let load = ["crm", "configure", "load", "update", FILE];
    cluster.ok(load)?;
    cluster.wait("both remote nodes being online, and Dummy on remote1", |status| {
        for id in REMOTES.into_iter().chain([DUMMY, PROBED]) {
            if let Some(trouble) = status.trouble(id) {
                return Err(Error::new(trouble));
            }
        }
        let is_up = REMOTES.iter().all(|remote| status.is_healthy(remote));
        let is_placed = status.place(DUMMY, "Started") == Some(REMOTES[0]);
        let is_elsewhere =
            status.place(PROBED, "Started").is_some_and(|node| NODES.contains(&node));
        Ok((is_up && is_placed && is_elsewhere).then_some(()))
    })?;
    let mut evidence = vec![load.join(" "), format!("all of it is up after {}", since(start))];
    for id in REMOTES.into_iter().chain([DUMMY, PROBED]) {
        evidence.extend(cluster.crm_mon_about(id)?);
    }
    evidence.push(state_files(cluster, REMOTES[0])?);
    Ok(evidence)
}

/// A resource that may be probed was probed on all four; that is the other half of the claim.
fn nothing_is_probed(cluster: &Cluster) -> Result<Evidence> {
    let asked = cluster.node(NODES[0])?;
    let has_history = |id: &str, node: &str| {
        let path = format!("//node_state[@uname='{node}']//lrm_resource[@id='{id}']/lrm_rsc_op");
        let query = asked.run(["cibadmin", "--query", "--xpath", &path])?;
        match query.code {
            0 => Ok(true),
            NOTHING_THERE => Ok(false),
            _ => Err(Error::new(format!("cibadmin --query {path}: {}", query.complaint()))),
        }
    };
    for node in NODES {
        if has_history(DUMMY, node)? {
            return Err(Error::new(format!("{DUMMY} was probed on {node}")));
        }
    }
    for node in NODES.into_iter().chain(REMOTES) {
        if !has_history(PROBED, node)? {
            return Err(Error::new(format!("{PROBED} was not probed on {node}")));
        }
    }
    Ok(vec![
        format!("{DUMMY}: no operation was ever run on {}", NODES.join(" or ")),
        format!("{PROBED}: probed on {} and {}", NODES.join(", "), REMOTES.join(", ")),
    ])
}

/// The look at a remote node must not cost its connection.
fn remotes_are_valid(cluster: &Cluster) -> Result<Evidence> {
    let mut evidence = Evidence::new();
    let calls = |status: &crate::status::Status| {
        REMOTES.map(|remote| status.last(remote, "start").map(|start| start.call))
    };
    let before = calls(&cluster.status()?);
    for address in REMOTE_ADDRESSES {
        let server = format!("server={}", address.split('/').next().unwrap_or_default());
        let validate = ["crm_resource", "--validate", "--class", "ocf", "--provider", "pacemaker"];
        cluster.ok(validate.into_iter().chain(["--agent", "remote", "--option", &server]))?;
        evidence.push(format!("validate-all with {server} answers 0"));
    }
    let status = cluster.status()?;
    if calls(&status) != before || !REMOTES.iter().all(|remote| status.is_healthy(remote)) {
        return Err(Error::new("a connection was lost while its remote node was looked at"));
    }
    Ok(evidence)
}

fn dummy_moves(cluster: &Cluster) -> Result<Evidence> {
    let to = REMOTES[1];
    let start = Instant::now();
    // Forced, because it bans where the resource is: a preference alone doesn't outweigh an infinite
    // stickiness.
    let command = ["crm_resource", "-M", "-r", DUMMY, "-N", to, "-f"];
    cluster.ok(command)?;
    wait_for_place(cluster, to)?;
    let mut evidence = vec![format!("{}: there after {}", command.join(" "), since(start))];
    evidence.push(state_files(cluster, to)?);
    // The move's own constraint would hold it on a host that is lost next; its stickiness doesn't.
    cluster.ok(["crm_resource", "-U", "-r", DUMMY])?;
    wait_for_place(cluster, to)?;
    evidence.extend(cluster.crm_mon_about(DUMMY)?);
    Ok(evidence)
}

fn remote_is_lost(cluster: &Cluster) -> Result<Evidence> {
    let lost = running_on(&cluster.status()?, DUMMY)?.to_owned();
    let other = if lost == REMOTES[0] { REMOTES[1] } else { REMOTES[0] };
    let lost = lost.as_str();
    let fenced_before = cluster.site.fence_log().len();
    let start = Instant::now();
    power::off(cluster.site.host(lost)?)?;
    wait_for_place(cluster, other)?;
    let taken_over = since(start);
    let fenced = fencing_since(cluster, fenced_before, lost)?;
    cluster.wait("the fenced remote node being connected again", |status| {
        let is_back = status.is_healthy(lost) && power::is_on(cluster.site.host(lost)?)?;
        Ok(is_back.then_some(()))
    })?;
    let back = since(start);
    let mut evidence = vec![
        format!("{lost} ran {DUMMY}; its container is killed"),
        format!("fence device: {fenced}"),
        format!("{DUMMY} is started on {other} after {taken_over}"),
        format!("{lost} is connected again after {back}"),
        state_files(cluster, other)?,
    ];
    evidence.extend(cluster.crm_mon_about(lost)?);
    // The lost connection is on record as a failure until an operator clears it.
    cluster.ok(["crm_resource", "--cleanup", "--resource", lost])?;
    // A node lost while the connection is still being asked about would be another scenario.
    settle(cluster)?;
    Ok(evidence)
}

/// The remote node itself goes on, so nothing on it may be fenced, stopped or started anew.
fn holder_is_lost(cluster: &Cluster) -> Result<Evidence> {
    let status = cluster.status()?;
    let remote = running_on(&status, DUMMY)?.to_owned();
    let holder = running_on(&status, &remote)?.to_owned();
    let other = cluster.other(&holder);
    let before = identity(cluster, &remote, STATE)?;
    let fenced_before = cluster.site.fence_log().len();
    let start = Instant::now();
    cluster.cut_power(&holder)?;
    cluster.wait("the other node holding the connection", |status| {
        let is_held = status.place(&remote, "Started") == Some(other);
        let is_up = status.place(DUMMY, "Started") == Some(remote.as_str());
        Ok((is_held && is_up && status.is_healthy(&remote)).then_some(()))
    })?;
    let held = since(start);
    let fenced = fencing_since(cluster, fenced_before, &holder)?;
    cluster.wait_for_return(&holder)?;
    if find_fencing(cluster, fenced_before, &remote).is_some() {
        return Err(Error::new(format!("{remote} was fenced, and only {holder} was lost")));
    }
    expect_same(cluster, &remote, STATE, &before)?;
    Ok(vec![
        format!("{holder} held the connection to {remote}; its container is killed"),
        format!("fence device: {fenced}"),
        format!("{other} holds the connection after {held}"),
        format!("{STATE} on {remote} is the same file: {before}"),
    ])
}

fn wait_for_place(cluster: &Cluster, host: &str) -> Result<()> {
    cluster.wait(&format!("{DUMMY} being started on {host}"), |status| {
        Ok((status.place(DUMMY, "Started") == Some(host)).then_some(()))
    })
}

/// That the state file is on one remote host, and on no other host of the cluster's.
fn state_files(cluster: &Cluster, place: &str) -> Result<String> {
    for name in NODES.into_iter().chain(REMOTES) {
        let is_there = cluster.site.host(name)?.run(["test", "-e", STATE])?.code == 0;
        if is_there != (name == place) {
            let is = if is_there { "is" } else { "is not" };
            return Err(Error::new(format!("{STATE} {is} on {name}, and {DUMMY} runs on {place}")));
        }
    }
    Ok(format!("{STATE} is on {place} and nowhere else"))
}

fn since(start: Instant) -> String {
    let time: Duration = start.elapsed();
    format!("{:.1} s", time.as_secs_f64())
}
