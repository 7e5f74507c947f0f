// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The administrator's tools on every agent: pcs, crm and `crm_resource`.

use super::{Trace, complaint, expect_trace, load, settle};
use crate::checks::{Check, Evidence, agents};
use crate::cluster::{Cluster, NODES};
use crate::process::Output;
use crate::{Error, Result, carry};

/// Every agent in the hands of every tool.
pub const ALL: &[Check] = &[
    Check { name: "pcs, crm and crm_resource list and show every agent", run: tools_list },
    Check { name: "pcs makes, tries out, runs and removes every agent", run: pcs_runs },
    Check { name: "crm makes and runs, crm_resource tries out every agent", run: crm_runs },
];

/// An agent that resources are made of.
struct Row {
    name: &'static str,
    /// The resource that is made.
    id: &'static str,
    /// What it is given: all that is required of it.
    parameters: &'static [&'static str],
    /// What is on a node while it runs there.
    trace: Trace,
    can_promote: bool,
}

/// Connections to remote nodes are no resources of this kind: Pacemaker's controller manages them.
const REMOTE: &str = "ocf:pacemaker:remote";

const ROWS: [Row; 6] = [
    Row {
        name: "ocf:heartbeat:apache",
        id: "lab-web",
        parameters: &[],
        trace: Trace::File("/run/apache2/apache2.pid"),
        can_promote: false,
    },
    Row {
        name: "ocf:heartbeat:docker",
        id: "lab-docker",
        parameters: &["image=lab/service:1"],
        trace: Trace::Container("lab-docker"),
        can_promote: false,
    },
    Row {
        name: "ocf:heartbeat:IPaddr2",
        id: "lab-address",
        parameters: &["ip=192.0.2.41"],
        trace: Trace::Address("192.0.2.41"),
        can_promote: false,
    },
    Row {
        name: "ocf:heartbeat:Dummy",
        id: "lab-plain",
        parameters: &[],
        trace: Trace::File("/run/resource-agents/Dummy-lab-plain.state"),
        can_promote: true,
    },
    Row {
        name: "ocf:pacemaker:Dummy",
        id: "lab-dummy",
        parameters: &[],
        trace: Trace::File("/run/Dummy-lab-dummy.state"),
        can_promote: true,
    },
    Row {
        name: "ocf:pacemaker:Stateful",
        id: "lab-stateful",
        parameters: &[],
        trace: Trace::File("/run/Stateful-lab-stateful.state"),
        can_promote: true,
    },
];

/// The rows of all agents on the nodes; an agent without one is an error.
fn rows(cluster: &Cluster) -> Result<Vec<&'static Row>> {
    let names = agents(cluster)?.into_iter().filter(|name| name != REMOTE);
    let row = |name: String| {
        let row = ROWS.iter().find(|row| row.name == name);
        row.ok_or_else(|| Error::new(format!("{name} has no row in the scenario of the tools")))
    };
    names.map(row).collect()
}

fn tools_list(cluster: &Cluster) -> Result<Evidence> {
    let mut evidence = Evidence::new();
    let all = agents(cluster)?;
    for provider in ["heartbeat", "pacemaker"] {
        let prefix = format!("ocf:{provider}");
        let of_provider = all.iter().filter_map(|name| name.strip_prefix(&prefix));
        let kinds: Vec<_> = of_provider.map(|kind| kind.trim_start_matches(':')).collect();
        let asked: [&[&str]; 3] = [
            &["pcs", "resource", "agents", &prefix],
            &["crm", "ra", "list", "ocf", provider],
            &["crm_resource", "--list-agents", &prefix],
        ];
        for words in asked {
            let listed = cluster.ok(words.iter().copied())?.stdout;
            let listed: Vec<_> = listed.split_whitespace().collect();
            if let Some(kind) = kinds.iter().find(|kind| !listed.contains(*kind)) {
                let words = words.join(" ");
                return Err(Error::new(format!("{words} doesn't list {kind}")));
            }
        }
        evidence.push(format!("pcs, crm and crm_resource list {prefix}: {}", kinds.join(", ")));
    }
    for name in &all {
        let metadata = cluster.ok(["crm_resource", "--show-metadata", name])?.stdout;
        let kind = name.rsplit(':').next().unwrap_or_default();
        if !metadata.contains(&format!("<resource-agent name=\"{kind}\"")) {
            return Err(Error::new(format!("crm_resource --show-metadata {name} shows no {kind}")));
        }
    }
    evidence.push(format!("crm_resource --show-metadata shows each of {}", all.len()));
    Ok(evidence)
}

/// `pcs` runs an agent on the node it is itself on.
fn pcs_runs(cluster: &Cluster) -> Result<Evidence> {
    carry::service(cluster)?;
    let (node, rows) = (NODES[0], rows(cluster)?);
    let host = cluster.node(node)?;
    for row in &rows {
        let create = ["pcs", "resource", "create", row.id, row.name];
        let create: Vec<_> =
            create.iter().chain(row.parameters).chain(&["--disabled"]).copied().collect();
        quiet(&create, &host.ok(create.iter().copied())?)?;
    }
    settle(cluster)?;
    for row in &rows {
        expect_trace(cluster, &row.trace, &[])?;
        for verb in ["debug-start", "debug-monitor"] {
            host.ok(["pcs", "resource", verb, row.id])?;
            expect_trace(cluster, &row.trace, &[node])?;
        }
        host.ok(["pcs", "resource", "debug-stop", row.id])?;
        expect_trace(cluster, &row.trace, &[])?;
    }
    host.ok(["pcs", "resource", "enable"].into_iter().chain(rows.iter().map(|row| row.id)))?;
    run_in_the_cluster(cluster, &rows)?;
    for row in &rows {
        host.ok(["pcs", "resource", "delete", row.id])?;
    }
    for row in &rows {
        cluster.wait(&format!("{} being gone", row.id), |status| {
            Ok(status.instances(row.id).next().is_none().then_some(()))
        })?;
        expect_trace(cluster, &row.trace, &[])?;
    }
    let shown = rows.iter().map(|row| format!("{}: create, debug-*, enable, delete", row.name));
    Ok(shown.collect())
}

/// Waits until each is started, and its file is where Pacemaker says.
fn run_in_the_cluster(cluster: &Cluster, rows: &[&Row]) -> Result<()> {
    for row in rows {
        let place = cluster.wait(&format!("{} being started", row.id), |status| {
            if let Some(trouble) = status.trouble(row.id) {
                return Err(Error::new(trouble));
            }
            Ok(status.place(row.id, "Started").map(str::to_owned))
        })?;
        expect_trace(cluster, &row.trace, &[&place])?;
    }
    Ok(())
}

fn crm_runs(cluster: &Cluster) -> Result<Evidence> {
    carry::service(cluster)?;
    let rows = rows(cluster)?;
    let host = cluster.node(NODES[0])?;
    let made = |row: &&Row| {
        let (id, name) = (row.id, row.name);
        let parameters: String = row.parameters.iter().map(|p| format!(" params {p}")).collect();
        format!("primitive {id} {name}{parameters} meta target-role=Stopped\n")
    };
    load(cluster, &rows.iter().map(made).collect::<String>())?;
    settle(cluster)?;
    let mut evidence = Evidence::new();
    for row in &rows {
        evidence.push(format!("{}: {}", row.name, tried_out(cluster, row)?));
    }
    let crm = |words: [&'static str; 2]| {
        host.ok(std::iter::once("crm").chain(words).chain(rows.iter().map(|row| row.id)))
    };
    crm(["resource", "start"])?;
    run_in_the_cluster(cluster, &rows)?;
    crm(["resource", "stop"])?;
    for row in &rows {
        cluster.wait(&format!("{} being stopped", row.id), |status| {
            Ok((status.role(row.id) == "Stopped").then_some(()))
        })?;
        expect_trace(cluster, &row.trace, &[])?;
    }
    settle(cluster)?;
    crm(["configure", "delete"])?;
    Ok(evidence)
}

/// What `crm_resource` runs by hand on one node, with the codes it must end with.
fn tried_out(cluster: &Cluster, row: &Row) -> Result<String> {
    let (node, host) = (NODES[0], cluster.node(NODES[0])?);
    let roles = [("--force-promote", 0), ("--force-check", 8), ("--force-demote", 0)];
    let acts = [("--validate", 0), ("--force-check", 7), ("--force-start", 0)]
        .into_iter()
        .chain([("--force-check", 0)])
        .chain(roles.into_iter().filter(|_| row.can_promote))
        .chain([("--force-stop", 0), ("--force-check", 7)]);
    let mut codes = Vec::new();
    for (act, code) in acts {
        let output = host.run(["crm_resource", "--resource", row.id, act])?;
        if output.code != code {
            let (seen, said) = (output.code, output.complaint());
            return Err(Error::new(format!("{act} of {} is {seen}: {said}", row.name)));
        }
        let is_there = !matches!((act, code), ("--validate" | "--force-stop", _) | (_, 7));
        let there: &[&str] = if is_there { &[node] } else { &[] };
        expect_trace(cluster, &row.trace, there)?;
        codes.push(format!("{} {code}", act.trim_start_matches('-')));
    }
    Ok(codes.join(", "))
}

/// An error if crm or pcs complains of what it does.
fn quiet(words: &[&str], output: &Output) -> Result<()> {
    let said = format!("{}{}", output.stdout, output.stderr);
    match complaint(&said).or_else(|| said.lines().find(|line| line.starts_with("Error"))) {
        Some(line) => Err(Error::new(format!("{}: {line}", words.join(" ")))),
        None => Ok(()),
    }
}
