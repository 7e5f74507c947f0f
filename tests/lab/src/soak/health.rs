// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a healthy cluster is: as both nodes' Pacemakers see it, and as the hosts' own files say.

use crate::cluster::{Cluster, NODES, fence_id};
use crate::site::Host;
use crate::status::Status;
use crate::{Error, Result, power};
use std::collections::BTreeSet;

/// Resources that run once in the cluster. The two of the group are next to each other.
pub const SINGLE: [&str; 4] = ["solo", "team-a", "team-b", "patient"];

/// The group of `team-a` and `team-b`.
pub const GROUP: &str = "team";

/// A clone with an instance on each node.
pub const CLONE: &str = "everywhere";

/// A promotable clone with an instance on each node.
pub const PROMOTABLE: &str = "stateful";

/// The only resource whose monitor can be made slow, by the value with this id.
pub const SLOWNESS: (&str, &str) = ("patient", "patient-monitor-op-sleep");

/// As pcs has no words for parameters of one operation.
const PATIENT: &str = r#"<primitive id="patient" class="ocf" provider="pacemaker" type="Dummy">
<operations><op id="patient-monitor" name="monitor" interval="2s" timeout="5s">
<instance_attributes id="patient-monitor-op">
<nvpair id="patient-monitor-op-sleep" name="op_sleep" value="0"/>
</instance_attributes></op></operations></primitive>"#;

/// Makes the resources.
///
/// # Errors
/// Pacemaker's tools refuse.
pub fn create(cluster: &Cluster) -> Result<()> {
    let (heartbeat, pacemaker) = ("ocf:heartbeat:Dummy", "ocf:pacemaker:Dummy");
    let promotable = "ocf:pacemaker:Stateful";
    let plain: [(&str, &str, &[&str]); 5] = [
        ("solo", heartbeat, &[]),
        ("team-a", pacemaker, &["--group", GROUP]),
        ("team-b", heartbeat, &["--group", GROUP]),
        (CLONE, pacemaker, &["clone"]),
        (PROMOTABLE, promotable, &["monitor", "interval=3s", "role=Promoted", "promotable"]),
    ];
    for (id, agent, more) in plain {
        let create = ["resource", "create", id, agent, "op", "monitor", "interval=2s"];
        cluster.pcs(create.into_iter().chain(more.iter().copied()))?;
    }
    cluster.ok(["cibadmin", "--create", "--scope", "resources", "--xml-text", PATIENT]).map(|_| ())
}

/// The first thing that isn't as it must be; none when all is well.
///
/// # Errors
/// A signal, or an answer that can't be read.
pub fn trouble(cluster: &Cluster) -> Result<Option<String>> {
    for node in cluster.nodes() {
        if !power::is_on(node)? {
            return Ok(Some(format!("{} has no power", node.name)));
        }
        let status = match cluster.status_of(node) {
            Ok(status) => status,
            Err(Error::Failed(why)) => return Ok(Some(why)),
            Err(interrupted) => return Err(interrupted),
        };
        if let Some(trouble) = seen(&status) {
            return Ok(Some(format!("{} sees: {trouble}", node.name)));
        }
        if let Some(trouble) = there(&status, node, &Active::on(node)?) {
            return Ok(Some(trouble));
        }
    }
    Ok(None)
}

fn seen(status: &Status) -> Option<String> {
    if !status.has_dc {
        return Some("no controller (DC)".into());
    }
    if let Some(node) = NODES.into_iter().find(|node| !status.is_healthy(node)) {
        return Some(format!("{node} is not online, or unclean, pending or on standby"));
    }
    if let Some(node) = NODES.into_iter().find(|n| status.role(&fence_id(n)) != "Started") {
        return Some(format!("{} is not started", fence_id(node)));
    }
    if let Some(failure) = status.failures.first() {
        return status.trouble(&failure.resource);
    }
    if let Some((id, count)) = status.fail_counts.first() {
        return Some(format!("{id} has a fail count of {count}"));
    }
    let roles = |id: &str| {
        let active = status.instances(id).filter(|instance| instance.is_active);
        let mut roles: Vec<_> = active.map(|r| (r.role.clone(), r.node.clone())).collect();
        roles.sort();
        roles
    };
    let wanted = SINGLE
        .map(|id| (id, vec!["Started"]))
        .into_iter()
        .chain([(CLONE, vec!["Started", "Started"]), (PROMOTABLE, vec!["Promoted", "Unpromoted"])]);
    for (id, wanted) in wanted {
        let is = roles(id);
        let nodes: BTreeSet<_> = is.iter().map(|(_, node)| node).collect();
        if is.iter().map(|(role, _)| role.as_str()).ne(wanted) || nodes.len() != is.len() {
            return Some(format!("{id} is {is:?}"));
        }
    }
    let is_apart = status.place("team-a", "Started") != status.place("team-b", "Started");
    is_apart.then(|| "the group's members are on different nodes".to_owned())
}

/// Whether what is active on the host is what Pacemaker says is active there.
fn there(status: &Status, node: &Host, active: &Active) -> Option<String> {
    let name = Some(node.name.as_str());
    let mut wanted: BTreeSet<_> = [CLONE, PROMOTABLE].map(str::to_owned).into();
    let here = SINGLE.into_iter().filter(|id| status.place(id, "Started") == name);
    wanted.extend(here.map(str::to_owned));
    if active.ids != wanted {
        return Some(format!("on {} are state files of {:?}", node.name, active.ids));
    }
    if active.is_promoted != (status.place(PROMOTABLE, "Promoted") == name) {
        return Some(format!("the file of {PROMOTABLE} on {} has another role", node.name));
    }
    None
}

/// What a host's own files say is active on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Active {
    ids: BTreeSet<String>,
    is_promoted: bool,
}

impl Active {
    /// What is active on a host; nothing on one without power.
    ///
    /// # Errors
    /// A signal.
    pub fn on(node: &Host) -> Result<Self> {
        // The second is what Stateful's file holds of a promoted one.
        let find = ["find", "/run", "-xdev", "-name", "*.state", "-printf", "%f\n"];
        let promoted = ["-exec", "grep", "-qx", "Promoted", "{}", ";", "-printf", "promoted\n"];
        let output = node.run(find.into_iter().chain(promoted))?;
        let lines = || output.stdout.lines().filter(|_| output.code == 0);
        let id = |line: &str| Some(line.strip_suffix(".state")?.split_once('-')?.1.to_owned());
        let is_promoted = lines().any(|line| line == "promoted");
        Ok(Self { ids: lines().filter_map(id).collect(), is_promoted })
    }
}

/// That nothing is active twice at this moment that may be only once.
///
/// # Errors
/// Something is.
pub fn require_single(cluster: &Cluster) -> Result<()> {
    let [first, second] = NODES.map(|node| cluster.node(node));
    let (first, second) = (first?, second?);
    // Looked at again: it may have gone from the first to the second between the looks.
    let looks = [Active::on(first)?, Active::on(second)?, Active::on(first)?];
    match twice(&looks) {
        Some(what) => Err(Error::new(format!("{what} on both nodes at once"))),
        None => Ok(()),
    }
}

fn twice(looks: &[Active; 3]) -> Option<String> {
    let is_there = |id: &&str| looks.iter().all(|active| active.ids.contains(*id));
    if let Some(id) = SINGLE.iter().find(|id| is_there(id)) {
        return Some(format!("{id} is active"));
    }
    looks.iter().all(|active| active.is_promoted).then(|| format!("{PROMOTABLE} is promoted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn active(ids: &[&str], is_promoted: bool) -> Active {
        Active { ids: ids.iter().map(|id| (*id).to_owned()).collect(), is_promoted }
    }

    #[test]
    fn what_is_active_twice_is_named_and_what_moves_is_not() {
        let (with, without) = (active(&["solo", CLONE], false), active(&[CLONE], false));
        assert_eq!(twice(&[with.clone(), without.clone(), with.clone()]), None);
        assert_eq!(twice(&[with.clone(), with.clone(), without]), None);
        let both = [with.clone(), with.clone(), with];
        assert_eq!(twice(&both).as_deref(), Some("solo is active"));
        let promoted = active(&[PROMOTABLE], true);
        assert!(twice(&[promoted.clone(), promoted.clone(), promoted]).is_some());
    }

    #[test]
    fn a_cluster_without_its_resources_is_not_healthy() {
        assert!(seen(&Status::default()).is_some());
        let node = |name: &str| crate::status::Member {
            name: name.into(),
            is_online: true,
            ..Default::default()
        };
        let nodes = NODES.map(node).to_vec();
        assert!(seen(&Status { has_dc: true, nodes, ..Status::default() }).is_some());
    }
}
