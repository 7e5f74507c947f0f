// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The administrator's tools on every agent: pcs, crm and `crm_resource`.

use super::{complaint, expect_files, settle};
use crate::checks::{Check, Evidence, agents};
use crate::cluster::{Cluster, NODES};
use crate::process::Output;
use crate::{Error, Result};

/// Every agent in the hands of every tool.
pub const ALL: &[Check] = &[
    Check { name: "pcs, crm and crm_resource list and show every agent", run: tools_list },
    Check { name: "pcs makes, tries out, runs and removes every agent", run: pcs_runs },
    Check { name: "crm makes and runs, crm_resource tries out every agent", run: crm_runs },
];

/// An agent that resources are made of.
struct Row {
    name: &'static str,
    /// The state file of resource `lab-made`.
    state: &'static str,
    can_promote: bool,
}

/// Connections to remote nodes are no resources of this kind: Pacemaker's controller manages them.
const REMOTE: &str = "ocf:pacemaker:remote";

const ROWS: [Row; 3] = [
    Row {
        name: "ocf:heartbeat:Dummy",
        state: "/run/resource-agents/Dummy-lab-made.state",
        can_promote: true,
    },
    Row { name: "ocf:pacemaker:Dummy", state: "/run/Dummy-lab-made.state", can_promote: true },
    Row {
        name: "ocf:pacemaker:Stateful",
        state: "/run/Stateful-lab-made.state",
        can_promote: true,
    },
];

const ID: &str = "lab-made";

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
    let (node, mut evidence) = (NODES[0], Evidence::new());
    let host = cluster.node(node)?;
    for row in rows(cluster)? {
        let create = ["pcs", "resource", "create", ID, row.name, "--disabled"];
        quiet(&create, &host.ok(create)?)?;
        settle(cluster)?;
        expect_files(cluster, row.state, &[])?;
        for (verb, nodes) in [("debug-start", &[node][..]), ("debug-monitor", &[node])] {
            host.ok(["pcs", "resource", verb, ID])?;
            expect_files(cluster, row.state, nodes)?;
        }
        host.ok(["pcs", "resource", "debug-stop", ID])?;
        expect_files(cluster, row.state, &[])?;
        host.ok(["pcs", "resource", "enable", ID])?;
        let place = cluster.wait("the resource being started by pcs", |status| {
            Ok(status.place(ID, "Started").map(str::to_owned))
        })?;
        expect_files(cluster, row.state, &[&place])?;
        host.ok(["pcs", "resource", "delete", ID])?;
        cluster.wait("the resource being gone", |status| {
            Ok(status.instances(ID).next().is_none().then_some(()))
        })?;
        settle(cluster)?;
        expect_files(cluster, row.state, &[])?;
        evidence.push(format!("{}: create, debug-*, enable, delete", row.name));
    }
    Ok(evidence)
}

fn crm_runs(cluster: &Cluster) -> Result<Evidence> {
    let (node, mut evidence) = (NODES[0], Evidence::new());
    let host = cluster.node(node)?;
    for row in rows(cluster)? {
        let create = ["crm", "configure", "primitive", ID, row.name, "meta", "target-role=Stopped"];
        quiet(&create, &host.ok(create)?)?;
        settle(cluster)?;
        let mut codes = Vec::new();
        let roles = [("--force-promote", 0), ("--force-check", 8), ("--force-demote", 0)];
        let acts = [("--validate", 0), ("--force-check", 7), ("--force-start", 0)]
            .into_iter()
            .chain([("--force-check", 0)])
            .chain(roles.into_iter().filter(|_| row.can_promote))
            .chain([("--force-stop", 0), ("--force-check", 7)]);
        for (act, code) in acts {
            let output = host.run(["crm_resource", "--resource", ID, act])?;
            if output.code != code {
                let (seen, said) = (output.code, output.complaint());
                return Err(Error::new(format!("{act} of {} is {seen}: {said}", row.name)));
            }
            let is_there = !matches!((act, code), ("--validate" | "--force-stop", _) | (_, 7));
            let there: &[&str] = if is_there { &[node] } else { &[] };
            expect_files(cluster, row.state, there)?;
            codes.push(format!("{} {code}", act.trim_start_matches('-')));
        }
        host.ok(["crm", "resource", "start", ID])?;
        let place = cluster.wait("the resource being started by crm", |status| {
            Ok(status.place(ID, "Started").map(str::to_owned))
        })?;
        expect_files(cluster, row.state, &[&place])?;
        host.ok(["crm", "resource", "stop", ID])?;
        cluster.wait("the resource being stopped by crm", |status| {
            Ok((status.role(ID) == "Stopped").then_some(()))
        })?;
        settle(cluster)?;
        expect_files(cluster, row.state, &[])?;
        host.ok(["crm", "configure", "delete", ID])?;
        evidence.push(format!("{}: {}", row.name, codes.join(", ")));
    }
    Ok(evidence)
}

/// An error if crm or pcs complains of what it does.
fn quiet(words: &[&str], output: &Output) -> Result<()> {
    let said = format!("{}{}", output.stdout, output.stderr);
    match complaint(&said).or_else(|| said.lines().find(|line| line.starts_with("Error"))) {
        Some(line) => Err(Error::new(format!("{}: {line}", words.join(" ")))),
        None => Ok(()),
    }
}
