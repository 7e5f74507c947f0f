// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The clean slate that a scenario begins with and leaves: a cluster with its fence devices and
//! nothing else, and nodes on which the agents left nothing.

use crate::cluster::{Cluster, NODES};
use crate::journal;
use crate::site::Host;
use crate::status::Status;
use crate::{Error, Result};

/// Where the agents' programs are, as a pattern; the names Pacemaker runs them by are links.
const AGENTS: &str = "/usr/lib/ocf*";

/// Finds the agents' state files on a host.
pub(crate) const FIND_STATE_FILES: [&str; 13] = [
    "find",
    "/run",
    "-xdev",
    "(",
    "-name",
    "Dummy-*",
    "-o",
    "-name",
    "Stateful-*",
    "-o",
    "-name",
    "IPaddr2-*",
    ")",
];

/// The addresses of the lab's network that the scenarios' resources have; hosts have lower ones.
const ADDRESSES: &str = "192.0.2.32/27";

/// What the names of the scenarios' node attributes begin with.
const OURS: &str = "lab-";

/// Whether there is nothing to be removed, as far as the cluster's status shows it.
///
/// # Errors
/// No node's Pacemaker answers.
pub fn is_clear(cluster: &Cluster) -> Result<bool> {
    let status = cluster.status()?;
    let is_healthy = NODES.iter().all(|node| status.is_healthy(node));
    let has_ours = status.attributes.iter().any(|attribute| attribute.name.starts_with(OURS));
    Ok(is_healthy && !has_ours && primitives(&status).is_empty() && status.failures.is_empty())
}

/// Stops and removes every resource but the fence devices, with constraints, failures and node
/// attributes, and then looks for what the agents left.
///
/// # Errors
/// Something can't be stopped or removed, or something is left.
pub fn clear(cluster: &Cluster) -> Result<()> {
    for node in NODES {
        cluster.wait(&format!("{node} being healthy"), |status| {
            Ok(status.is_healthy(node).then_some(()))
        })?;
    }
    remove_bundles(cluster)?;
    remove_resources(cluster)?;
    remove_attributes(cluster)?;
    journal::forget(cluster)?;
    let left = cluster.nodes().map(sweep).collect::<Result<Vec<_>>>()?.concat();
    nothing_is_configured(cluster)?;
    match left.as_slice() {
        [] => Ok(()),
        left => Err(Error::new(format!("the agents left {}", left.join(", ")))),
    }
}

/// With what is in them. They are disabled before any is waited for: one may hold another.
fn remove_bundles(cluster: &Cluster) -> Result<()> {
    let bundles = cluster.status()?.bundles;
    if bundles.is_empty() {
        return Ok(());
    }
    for bundle in &bundles {
        cluster.pcs(["resource", "disable", bundle])?;
    }
    let is_part = |id: &str| bundles.iter().any(|bundle| id.starts_with(&format!("{bundle}-")));
    cluster.wait(&format!("{} being stopped", bundles.join(", ")), |status| {
        let is_active = status.ours().any(|part| part.is_active && is_part(&part.id));
        Ok((!is_active).then_some(()))
    })?;
    let status = cluster.status()?;
    // What failed would be remembered of ids that are nobody's any more.
    if !status.failures.is_empty() || !status.fail_counts.is_empty() {
        cluster.ok(["crm_resource", "--cleanup"])?;
    }
    for bundle in &bundles {
        cluster.pcs(["resource", "delete", bundle])?;
    }
    cluster.wait("the bundles being gone", |status| Ok(status.bundles.is_empty().then_some(())))
}

fn remove_resources(cluster: &Cluster) -> Result<()> {
    let status = cluster.status()?;
    let ids = primitives(&status);
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    cluster.pcs(["resource", "disable"].into_iter().chain(ids.iter().copied()))?;
    cluster.wait(&format!("{} being stopped", ids.join(", ")), |status| {
        if let Some(failure) = status.failures.iter().find(|failure| failure.task == "stop") {
            let (id, reason) = (&failure.resource, &failure.reason);
            return Err(Error::new(format!("stop of {id} answered {}: {reason}", failure.code)));
        }
        let is_ours = |id: &str| ids.contains(&stem(id));
        let active = status.resources.iter().filter(|r| is_ours(&r.id)).any(|r| r.is_active);
        Ok((!active).then_some(()))
    })?;
    if !status.failures.is_empty() || !status.fail_counts.is_empty() {
        cluster.ok(["crm_resource", "--cleanup"])?;
    }
    cluster.ok(["crm", "configure", "delete"].into_iter().chain(ids.iter().copied()))?;
    cluster.wait("the cluster forgetting what was removed", |status| {
        let is_known = !primitives(status).is_empty()
            || status.operations.iter().any(|operation| ids.contains(&stem(&operation.resource)));
        Ok((!is_known).then_some(()))
    })
}

/// The ids of what isn't a fence device, in a configuration: without the numbers of instances.
fn primitives(status: &Status) -> Vec<String> {
    let mut ids: Vec<_> = status.ours().map(|r| stem(&r.id).to_owned()).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// The id of a resource without the number of its instance.
fn stem(id: &str) -> &str {
    id.split_once(':').map_or(id, |(stem, _)| stem)
}

/// Those of the configuration and those that go with the node's power.
fn remove_attributes(cluster: &Cluster) -> Result<()> {
    for attribute in cluster.status()?.attributes {
        if !attribute.name.starts_with(OURS) {
            continue;
        }
        for lifetime in ["forever", "reboot"] {
            let (node, name) = (attribute.node.as_str(), attribute.name.as_str());
            let delete = ["crm_attribute", "--node", node, "--name", name, "--delete"];
            cluster.ok(delete.into_iter().chain(["--lifetime", lifetime]))?;
        }
    }
    cluster.wait("the node attributes being gone", |status| {
        let left = status.attributes.iter().any(|attribute| attribute.name.starts_with(OURS));
        Ok((!left).then_some(()))
    })
}

/// The tools that removed the resources remove their constraints, and a stop removes a score.
fn nothing_is_configured(cluster: &Cluster) -> Result<()> {
    let constraints = cluster.ok(["cibadmin", "--query", "--scope", "constraints"])?.stdout;
    if let Some(line) = constraints.lines().find(|line| line.contains("<rsc_")) {
        return Err(Error::new(format!("a constraint is left: {}", line.trim())));
    }
    let status = cluster.status()?;
    let score = status.attributes.iter().find(|a| a.name.starts_with("master-"));
    match score {
        Some(score) => Err(Error::new(format!(
            "the promotion score {} = {} is left on {}",
            score.name, score.value, score.node
        ))),
        None => Ok(()),
    }
}

/// State files, processes, containers and addresses of agents on a node, as sentences name them. All but
/// the processes are removed: they are to be told of once.
fn sweep(node: &Host) -> Result<Vec<String>> {
    let files = node.ok(FIND_STATE_FILES.into_iter().chain(["-print", "-delete"]))?.stdout;
    // Processes end while it looks, which it calls an error.
    let find = ["find", "/proc", "-maxdepth", "2", "-name", "exe", "-lname", AGENTS];
    let processes = node.run(find)?.stdout;
    let containers = node.ok(["docker", "ps", "--all", "--format", "{{.Names}}"])?.stdout;
    for container in containers.lines() {
        node.ok(["docker", "rm", "--force", container])?;
    }
    let containers = containers.lines().map(|name| format!("container {name}"));
    let addresses = remove_addresses(node)?;
    let left = files.lines().chain(processes.lines()).map(str::to_owned);
    let left = left.chain(containers).chain(addresses);
    Ok(left.map(|what| format!("{what} on {}", node.name)).collect())
}

/// Removes the addresses of resources, and names them.
fn remove_addresses(node: &Host) -> Result<Vec<String>> {
    let shown = node.ok(["ip", "-oneline", "address", "show", "to", ADDRESSES])?.stdout;
    let mut left = Vec::new();
    for line in shown.lines() {
        // As in "2: eth0    inet 192.0.2.41/24 brd 192.0.2.255 scope global secondary eth0".
        let words: Vec<_> = line.split_whitespace().collect();
        if let [_, device, _, address, ..] = words.as_slice() {
            node.ok(["ip", "address", "delete", address, "dev", device])?;
            left.push(format!("address {address}"));
        }
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Resource;

    #[test]
    fn a_clone_is_removed_once_and_a_fence_device_never() {
        let resource = |id: &str, agent: &str| Resource {
            id: id.into(),
            agent: agent.into(),
            ..Resource::default()
        };
        let status = Status {
            resources: vec![
                resource("fence-node1", "stonith:fence_lab"),
                resource("lab-u:0", "ocf:pacemaker:Dummy"),
                resource("lab-u:1", "ocf:pacemaker:Dummy"),
                resource("lab-s", "ocf:pacemaker:Stateful"),
            ],
            ..Status::default()
        };
        assert_eq!(primitives(&status), ["lab-s", "lab-u"]);
    }
}
