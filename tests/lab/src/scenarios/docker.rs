// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One container, as an operator has it without a bundle: it moves, its loss is noticed, and its limits
//! change while it runs.

use super::{Trace, arrive, expect_trace, load, settle};
use crate::checks::{Check, Evidence, running_on};
use crate::cluster::{Cluster, NODES};
use crate::{Error, Result, carry};

/// See the module.
pub const ALL: &[Check] = &[
    Check { name: "a container moves, and is on one node only", run: moves },
    Check {
        name: "a container that is killed or paused is recovered, with a reason",
        run: recovers,
    },
    Check { name: "a container's limits change without a restart", run: limits_change },
];

const ID: &str = "lab-box";

const TRACE: Trace = Trace::Container(ID);

/// Makes the resource on a node, as an administrator loads a file.
fn make(cluster: &Cluster, node: &str) -> Result<()> {
    carry::service(cluster)?;
    load(
        cluster,
        &format!(
            "primitive {ID} ocf:heartbeat:docker params image=\"lab/service:1\" \
             run_opts=\"--log-driver=json-file -h box -e LAB=1\" monitor_cmd=\"/lab_service well\" \
             op monitor interval=2s timeout=20s op start timeout=60s op stop timeout=60s\n\
             location {ID}-home {ID} 100: {node}\n"
        ),
    )?;
    arrive(cluster, ID, "Started", node)?;
    expect_trace(cluster, &TRACE, &[node])
}

fn moves(cluster: &Cluster) -> Result<Evidence> {
    let (from, to) = (NODES[0], NODES[1]);
    make(cluster, from)?;
    let format = "{{.Config.Hostname}} {{index .Config.Env 0}} {{.HostConfig.LogConfig.Type}}";
    let mut evidence = vec![inspect(cluster, from, format)?];
    for (from, to) in [(from, to), (to, from)] {
        cluster.ok(["crm_resource", "--move", "--resource", ID, "--node", to])?;
        arrive(cluster, ID, "Started", to)?;
        expect_trace(cluster, &TRACE, &[to])?;
        let status = cluster.status()?;
        let is_it = |node: &str, task: &str| node == from && task == "stop";
        let stop = status.operations.iter().find(|o| o.resource == ID && is_it(&o.node, &o.task));
        let stop = stop.ok_or_else(|| Error::new(format!("no stop of {ID} on {from}")))?;
        evidence.push(format!("{from} -> {to}: the stop took {} ms", stop.milliseconds));
    }
    Ok(evidence)
}

/// What the Engine of a node says of the container.
fn inspect(cluster: &Cluster, node: &str, format: &str) -> Result<String> {
    let ask = ["docker", "inspect", "--type", "container", "--format", format, ID];
    Ok(cluster.node(node)?.ok(ask)?.stdout.trim().to_owned())
}

fn recovers(cluster: &Cluster) -> Result<Evidence> {
    let node = NODES[0];
    make(cluster, node)?;
    let mut evidence = Evidence::new();
    for (verb, code) in [("kill", 7), ("pause", 1)] {
        let before = inspect(cluster, node, "{{.Id}}")?;
        cluster.node(node)?.ok(["docker", verb, ID])?;
        let failure = cluster.wait(&format!("{ID} failing after docker {verb}"), |status| {
            Ok(status.failure(ID, "monitor").cloned())
        })?;
        if failure.code != code {
            let (seen, reason) = (failure.code, &failure.reason);
            return Err(Error::new(format!("docker {verb}: monitor answers {seen} ({reason})")));
        }
        cluster.wait(&format!("{ID} being another container after docker {verb}"), |status| {
            let Some(place) = status.place(ID, "Started") else { return Ok(None) };
            let now = inspect(cluster, place, "{{.Id}} {{.State.Status}}");
            Ok(now
                .is_ok_and(|now| now.ends_with(" running") && !now.contains(&before))
                .then_some(()))
        })?;
        settle(cluster)?;
        let place = running_on(&cluster.status()?, ID)?.to_owned();
        expect_trace(cluster, &TRACE, &[&place])?;
        cluster.ok(["crm_resource", "--cleanup", "--resource", ID])?;
        settle(cluster)?;
        evidence.push(format!("docker {verb}: monitor answers {code}: {}", failure.reason));
        if failure.reason.is_empty() {
            return Err(Error::new(format!("docker {verb}: the failure has no exit reason")));
        }
    }
    Ok(evidence)
}

fn limits_change(cluster: &Cluster) -> Result<Evidence> {
    let node = NODES[0];
    make(cluster, node)?;
    let identity = "{{.Id}} {{.State.StartedAt}}";
    let limits = "{{.HostConfig.PidsLimit}} {{.HostConfig.CpuShares}}";
    let before = inspect(cluster, node, identity)?;
    let set = ["crm_resource", "--resource", ID, "--set-parameter", "live_opts"];
    let options = "--pids-limit 77 --cpu-shares 512";
    cluster.ok(set.into_iter().chain(["--parameter-value", options]))?;
    cluster.wait("the limits being others", |status| {
        if let Some(trouble) = status.trouble(ID) {
            return Err(Error::new(trouble));
        }
        let now = inspect(cluster, node, limits)?;
        Ok((now == "77 512").then_some(()))
    })?;
    settle(cluster)?;
    let after = inspect(cluster, node, identity)?;
    if after != before {
        return Err(Error::new(format!("the container was made anew: {before} became {after}")));
    }
    let acts = cluster.logged_operations(ID, node)?;
    let acts: Vec<_> = acts.iter().map(|(act, result)| format!("{act}: {result}")).collect();
    if !acts.iter().any(|act| act == "reload-agent: ok") {
        return Err(Error::new(format!("no reload, but {}", acts.join(", "))));
    }
    Ok(vec![format!("live_opts={options}"), format!("still {after}"), acts.join(", ")])
}
