// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What operators do with resources, on the whole cluster, seen from Pacemaker's side and from the
//! agents'.
//!
//! Each scenario begins with a cluster that has nothing but its fence devices, and ends with one:
//! [`slate`] removes what it made and looks whether the agents left anything. Resources and node
//! attributes are named `lab-…`, so that what is found can be told from anything else.

pub mod address;
pub mod bundle;
pub mod bundle_examples;
pub mod bundle_networks;
pub mod bundle_roles;
pub mod bundle_takeover;
pub mod bundle_updates;
pub mod clones;
pub mod docker;
pub mod moves;
pub mod notify;
pub mod placement;
pub mod promotion;
pub mod recovery;
pub mod remote;
pub mod several;
pub mod slate;
pub mod steady;
pub mod tools;

use crate::checks::{Check, Evidence};
use crate::cluster::{Cluster, NODES};
use crate::{Error, Result};

/// Every scenario on two nodes; [`remote`] has its own, on more hosts.
pub fn all() -> impl Iterator<Item = &'static Check> {
    let lists = [
        tools::ALL,
        moves::ALL,
        placement::ALL,
        clones::ALL,
        promotion::ALL,
        notify::ALL,
        recovery::ALL,
        docker::ALL,
        address::ALL,
        steady::ALL,
    ];
    lists.into_iter().flatten().chain(bundles())
}

/// Those of them that want the image of bundles on the nodes.
pub fn bundles() -> impl Iterator<Item = &'static Check> {
    let lists = [
        bundle_examples::ALL,
        bundle_updates::ALL,
        bundle_networks::ALL,
        bundle_roles::ALL,
        several::ALL,
    ];
    lists.into_iter().flatten()
}

/// Every scenario on two nodes that have Debian's shell agents, and ours at the names of some. The takeover is the
/// first: its bundle is made in steps, and begins with the shell agents. A controller that remembers our description
/// of docker notes in a probe's record what a restart depends on, and the record of the shell agent's start doesn't
/// take that away, so what changed between the two is a reason to restart for ever (README, Use).
pub fn beside() -> impl Iterator<Item = &'static Check> {
    bundle_takeover::BESIDE.iter().chain(bundle::ALL).chain(address::BESIDE)
}

/// Runs a scenario with nothing of an earlier one around, and leaves nothing of it behind.
///
/// # Errors
/// The scenario's own, and whatever it leaves.
pub fn alone(cluster: &Cluster, check: &Check) -> Result<Evidence> {
    if !slate::is_clear(cluster)? {
        slate::clear(cluster).map_err(|error| error.during("an earlier one left its traces"))?;
    }
    let seen = (check.run)(cluster);
    let cleared = slate::clear(cluster);
    match (seen, cleared) {
        (Ok(evidence), Ok(())) => Ok(evidence),
        (Ok(_), Err(error)) => Err(error.during("afterwards")),
        (Err(Error::Failed(why)), Err(Error::Failed(then))) => {
            Err(Error::new(format!("{why}; and afterwards: {then}")))
        }
        (Err(error), _) => Err(error),
    }
}

/// The file a configuration is loaded from.
const LOADED: &str = "/run/lab.crm";

/// Gives the cluster a configuration in crmsh's language, as an administrator loads a file.
///
/// # Errors
/// crmsh refuses, or complains of anything but a timeout that is short on purpose.
pub(crate) fn load(cluster: &Cluster, text: &str) -> Result<()> {
    let node = cluster.node(NODES[0])?;
    node.write_file(LOADED, ("root", "root"), "0644", text)?;
    let output = node.ok(["crm", "configure", "load", "update", LOADED])?;
    let said = format!("{}{}", output.stdout, output.stderr);
    match complaint(&said) {
        Some(line) => Err(Error::new(format!("crm configure load update: {line}"))),
        None => Ok(()),
    }
}

/// The first line of crmsh's that calls itself a warning or an error, but one on a timeout.
fn complaint(said: &str) -> Option<&str> {
    let is_one = |line: &&str| line.contains("WARNING") || line.contains("ERROR");
    said.lines().filter(is_one).find(|line| !line.contains("smaller than the advised"))
}

/// Waits until the cluster has nothing more to do: the controller rests, and the scheduler would
/// do nothing with the configuration as it is now. (`crm_resource --wait` asks the same, but first
/// sleeps for two seconds.)
///
/// # Errors
/// It doesn't come to rest within two minutes.
pub(crate) fn settle(cluster: &Cluster) -> Result<()> {
    let mut planned = String::new();
    let rests = cluster.wait("the cluster having nothing more to do", |status| {
        let Some(dc) = status.nodes.iter().find(|node| node.is_dc) else { return Ok(None) };
        let state = cluster.node(&dc.name)?.run(["crmadmin", "--status", &dc.name])?;
        if !state.stdout.contains("S_IDLE") {
            return Ok(None);
        }
        let plan = ["crm_simulate", "--live-check", "--simulate", "--quiet"];
        planned = cluster.node(&dc.name)?.ok(plan)?.stdout;
        Ok(planned.trim().is_empty().then_some(()))
    });
    let last = planned.lines().rfind(|line| !line.trim().is_empty());
    rests.map_err(|error| match last {
        Some(line) => error.during(format!("the scheduler still wants '{}'", line.trim())),
        None => error,
    })
}

/// Waits until a resource is in a role on a node, and the cluster has nothing more to do.
///
/// # Errors
/// It isn't within two minutes, or an action fails.
pub(crate) fn arrive(cluster: &Cluster, id: &str, role: &str, node: &str) -> Result<()> {
    cluster.wait(&format!("{id} being {role} on {node}"), |status| match status.trouble(id) {
        Some(trouble) => Err(Error::new(trouble)),
        None => Ok((status.place(id, role) == Some(node)).then_some(())),
    })?;
    settle(cluster)?;
    let status = cluster.status()?;
    match status.place(id, role) {
        Some(place) if place == node => Ok(()),
        place => {
            let place = place.unwrap_or("nowhere");
            Err(Error::new(format!("{id} was {role} on {node}, and then {place}")))
        }
    }
}

/// Says what file it is: one that was made anew has another number or another time of change.
///
/// # Errors
/// There is no such file.
pub(crate) fn identity(cluster: &Cluster, node: &str, path: &str) -> Result<String> {
    let stat = ["stat", "--format", "inode %i, changed %z", path];
    let output = cluster.node(node)?.run(stat)?;
    if output.code == 0 {
        return Ok(output.stdout.trim().to_owned());
    }
    Err(Error::new(format!("there is no {path} on {node}")))
}

/// An error unless the file is the one it was.
///
/// # Errors
/// It is gone or was made anew.
pub(crate) fn expect_same(cluster: &Cluster, node: &str, path: &str, before: &str) -> Result<()> {
    let after = identity(cluster, node, path)?;
    if after == before {
        return Ok(());
    }
    Err(Error::new(format!("{path} on {node} was made anew: {before} became {after}")))
}

/// An error unless the state file is on these nodes, and on no other.
///
/// # Errors
/// It isn't.
pub(crate) fn expect_files(cluster: &Cluster, path: &str, nodes: &[&str]) -> Result<()> {
    for node in NODES {
        let is_there = cluster.node(node)?.run(["test", "-e", path])?.code == 0;
        match (is_there, nodes.contains(&node)) {
            (true, false) => return Err(Error::new(format!("{path} is on {node} too"))),
            (false, true) => return Err(Error::new(format!("{path} is not on {node}"))),
            _ => {}
        }
    }
    Ok(())
}

/// An error unless these nodes have the address, and no other has.
///
/// # Errors
/// It isn't so.
pub(crate) fn expect_address(cluster: &Cluster, address: &str, nodes: &[&str]) -> Result<()> {
    for node in NODES {
        let show = ["ip", "-oneline", "address", "show", "to", address];
        let is_there = !cluster.node(node)?.ok(show)?.stdout.is_empty();
        match (is_there, nodes.contains(&node)) {
            (true, false) => return Err(Error::new(format!("{node} has {address} too"))),
            (false, true) => return Err(Error::new(format!("{node} has no {address}"))),
            _ => {}
        }
    }
    Ok(())
}

/// What is on a node while a resource runs there, and no longer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trace {
    /// A state file.
    File(&'static str),
    /// A container that runs, of this very name.
    Container(&'static str),
    /// An address of the node's.
    Address(&'static str),
}

/// An error unless a resource has left its trace on these nodes, and on no other. A container that
/// doesn't run is too much on any.
///
/// # Errors
/// It hasn't.
pub(crate) fn expect_trace(cluster: &Cluster, trace: &Trace, nodes: &[&str]) -> Result<()> {
    let name = match trace {
        Trace::File(path) => return expect_files(cluster, path, nodes),
        Trace::Address(address) => return expect_address(cluster, address, nodes),
        Trace::Container(name) => name,
    };
    for node in NODES {
        let wanted = if nodes.contains(&node) { "running" } else { "" };
        let list = ["docker", "ps", "--all", "--format", "{{.Names}} {{.State}}"];
        let all = cluster.node(node)?.ok(list)?.stdout;
        let mut containers = all.lines().filter_map(|line| line.split_once(' '));
        let state = containers.find(|(other, _)| other == name).map_or("", |(_, state)| state);
        if state != wanted {
            return Err(Error::new(format!(
                "container {name} on {node} is '{state}', not '{wanted}'"
            )));
        }
    }
    Ok(())
}

/// Waits until a lost state file is there again, which only a start makes so. A failure is known
/// a second before anything is planned, so the cluster's being at rest would say nothing.
///
/// # Errors
/// It isn't within two minutes.
pub(crate) fn await_file(cluster: &Cluster, path: &str, node: &str) -> Result<()> {
    cluster.wait(&format!("{path} being made again on {node}"), |_| {
        Ok((cluster.node(node)?.run(["test", "-e", path])?.code == 0).then_some(()))
    })
}

/// An error unless these things happened in this order, whatever happened between them.
///
/// # Errors
/// One is missing, or came too early.
pub(crate) fn expect_order(place: &str, seen: &[String], wanted: &[&str]) -> Result<()> {
    let mut rest = seen.iter();
    for thing in wanted {
        if !rest.any(|other| other == thing) {
            return Err(Error::new(format!(
                "{place}: not in the order {}, but: {}",
                wanted.join(", "),
                seen.join(", ")
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_in_another_order_are_told() {
        let seen = ["start b", "start a", "stop a"].map(str::to_owned);
        assert_eq!(expect_order("node1", &seen, &["start b", "stop a"]), Ok(()));
        let wrong = expect_order("node1", &seen, &["start a", "start b"]);
        let said = "node1: not in the order start a, start b, but: start b, start a, stop a";
        assert_eq!(wrong, Err(Error::new(said)));
    }

    #[test]
    fn only_a_short_timeout_may_be_complained_of() {
        // With colours, as crmsh 4.4 wrote it.
        let short = "\u{1b}[33mWARNING\u{1b}[0m: t: specified timeout 2s for monitor is smaller \
                     than the advised 20s\n";
        assert_eq!(complaint(short), None);
        let other = format!("{short}ERROR: a: no such resource agent\n");
        assert_eq!(complaint(&other), Some("ERROR: a: no such resource agent"));
    }

    #[test]
    fn every_scenario_has_a_name_of_its_own() {
        let mut names: Vec<_> = all().chain(beside()).map(|check| check.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
