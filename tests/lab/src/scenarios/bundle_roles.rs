// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A bundle in which one replica is promoted: who is, whose node has the scores, and what becomes of it when
//! the promoted one's container is killed.

use super::settle;
use crate::bundle::{Bundle, IMAGE};
use crate::checks::{Check, Evidence, running_on};
use crate::cluster::Cluster;
use crate::{Error, Result};

/// See the module.
pub const ALL: &[Check] = &[
    Check { name: "a bundle's promoted container is killed: another is promoted", run: of_bundle },
    Check { name: "a bundle's promotion scores are its hosts', if it says so", run: of_hosts },
];

/// Two replicas of an agent with roles.
pub(super) const ROLES: Bundle = Bundle {
    id: "lab-roles",
    primitive: "lab-role",
    replicas: 2,
    per_host: 1,
    first: 55,
    options: "",
    command: None,
    more: &[],
    server: &[],
};

const STATE: &str = "/run/Stateful-lab-role.state";

const SCORE: &str = "master-lab-role";

const PROMOTED: &str = "Promoted";

/// Who of two replicas is promoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Roles {
    /// The number of the promoted replica.
    pub promoted: usize,
}

/// Makes the bundle with these meta attributes, and waits until one replica is promoted.
pub(super) fn make(cluster: &Cluster, meta: &[&str]) -> Result<(Roles, Evidence)> {
    let (image, range) = (format!("image={IMAGE}"), format!("ip-range-start={}", ROLES.address(0)));
    let create = ["resource", "bundle", "create", ROLES.id, "container", "docker", &image];
    let network = ["network", &range, "host-interface=eth0", "host-netmask=24"];
    let create = [&create[..], &["replicas=2", "promoted-max=1"], &network, meta, &["--disabled"]];
    let create = create.concat();
    let inside = ["resource", "create", ROLES.primitive, "ocf:pacemaker:Stateful"];
    let operations = ["op", "monitor", "interval=2s", "role=Promoted"];
    let more = ["op", "monitor", "interval=3s", "role=Unpromoted", "bundle", ROLES.id];
    let inside = [&inside[..], &operations, &more].concat();
    let words = [create, inside, vec!["resource", "enable", ROLES.id]];
    for words in &words {
        cluster.pcs(words.iter().copied())?;
    }
    let evidence = words.iter().take(2).map(|words| format!("pcs {}", words.join(" ")));
    let evidence = evidence.collect();
    Ok((wait(cluster)?, evidence))
}

/// Waits until one replica is promoted, the other isn't, and what is in the containers says so too.
pub(super) fn wait(cluster: &Cluster) -> Result<Roles> {
    let find = |status: &crate::status::Status| {
        let node_of = |role: &str| status.place(ROLES.primitive, role).map(str::to_owned);
        let (promoted, other) = (node_of(PROMOTED), node_of("Unpromoted"));
        let number = |name: Option<String>| (0..2).find(|r| name == Some(ROLES.replica(*r)));
        let (promoted, other) = (number(promoted)?, number(other)?);
        (promoted != other).then_some(Roles { promoted })
    };
    cluster.wait("one replica being promoted, and one not", |status| Ok(find(status)))?;
    settle(cluster)?;
    let roles = find(&cluster.status()?);
    let roles = roles.ok_or_else(|| Error::new("one was promoted, and then none"))?;
    for replica in 0..2 {
        let state = state(cluster, replica)?;
        if (state == PROMOTED) != (replica == roles.promoted) {
            let name = ROLES.replica(replica);
            return Err(Error::new(format!("in {name} it is '{state}', and Pacemaker differs")));
        }
    }
    Ok(roles)
}

/// What the agent in a replica keeps.
fn state(cluster: &Cluster, replica: usize) -> Result<String> {
    let host = ROLES.host(cluster, replica)?;
    let state = host.ok(["docker", "exec", &ROLES.container(replica), "cat", STATE])?.stdout;
    Ok(state.trim().to_owned())
}

/// The nodes with a score, sorted, as `<node>=<score>`.
fn scores(cluster: &Cluster) -> Result<Vec<String>> {
    let attributes = cluster.status()?.attributes;
    let ours = attributes.iter().filter(|attribute| attribute.name == SCORE);
    let mut scores: Vec<_> = ours.map(|a| format!("{}={}", a.node, a.value)).collect();
    scores.sort();
    Ok(scores)
}

/// An error unless these two nodes have the scores of a promoted instance and another one, and no other
/// node has any.
fn expect_scores(cluster: &Cluster, promoted: &str, other: &str) -> Result<String> {
    let mut wanted = [format!("{promoted}=10"), format!("{other}=5")];
    wanted.sort();
    let seen = scores(cluster)?;
    if seen == wanted {
        return Ok(format!("scores: {}", seen.join(", ")));
    }
    Err(Error::new(format!("the scores are {}, not {}", seen.join(", "), wanted.join(", "))))
}

fn of_bundle(cluster: &Cluster) -> Result<Evidence> {
    let (first, mut evidence) = make(cluster, &[])?;
    let [zero, one] = [0, 1].map(|replica| ROLES.replica(replica));
    evidence.push(format!("{} is promoted", ROLES.replica(first.promoted)));
    evidence.push(move_to_one(cluster, &one)?);
    evidence.push(expect_scores(cluster, &one, &zero)?);
    // With its container go a replica's scores. (Of equal scores the lower number is promoted: the first
    // replica would be promoted again as soon as it is back.)
    let (after, told) = kill_one(cluster)?;
    evidence.push(told);
    if after.promoted != 0 {
        return Err(Error::new(format!("{one} is promoted again, and not {zero}")));
    }
    evidence.push(format!("{zero} is promoted; {one} is back, and isn't"));
    evidence.push(expect_scores(cluster, &zero, &one)?);
    Ok(evidence)
}

/// Has the second replica promoted, by a score for its node.
fn move_to_one(cluster: &Cluster, node: &str) -> Result<String> {
    let promotion = format!("--promotion={}", ROLES.primitive);
    let set = ["crm_attribute", &promotion, "--node", node, "--lifetime", "reboot"];
    cluster.ok(set.into_iter().chain(["--update", "1000"]))?;
    cluster.wait("the second replica being promoted", |status| {
        let promoted = status.place(ROLES.primitive, PROMOTED);
        Ok((promoted == Some(&ROLES.replica(1))).then_some(()))
    })?;
    let roles = wait(cluster)?;
    Ok(format!("score 1000 on {node}: {} is promoted", ROLES.replica(roles.promoted)))
}

/// Kills the second replica's container, and waits as [`wait`] when that is known.
fn kill_one(cluster: &Cluster) -> Result<(Roles, String)> {
    let (host, container, name) = (ROLES.host(cluster, 1)?, ROLES.container(1), ROLES.replica(1));
    host.ok(["docker", "kill", &container])?;
    let failure = cluster.wait(&format!("the loss of {container} being noticed"), |status| {
        let is_it = |id: &str| id == container || id == name;
        Ok(status.failures.iter().find(|f| is_it(&f.resource)).cloned())
    })?;
    let (what, why) = (&failure.resource, &failure.reason);
    let told = format!("{}: docker kill {container}; {what} failed: {why}", host.name);
    Ok((wait(cluster)?, told))
}

fn of_hosts(cluster: &Cluster) -> Result<Evidence> {
    let (first, mut evidence) = make(cluster, &["meta", "container-attribute-target=host"])?;
    let hosts = |roles: Roles| {
        let status = cluster.status()?;
        let host = |replica| running_on(&status, &ROLES.container(replica)).map(str::to_owned);
        Ok::<_, Error>([host(roles.promoted)?, host(1 - roles.promoted)?])
    };
    let [promoted, other] = hosts(first)?;
    evidence.push(format!("{} on {promoted} is promoted", ROLES.replica(first.promoted)));
    evidence.push(expect_scores(cluster, &promoted, &other)?);
    let one = ROLES.host(cluster, 1)?.name.clone();
    evidence.push(move_to_one(cluster, &one)?);
    let (after, told) = kill_one(cluster)?;
    evidence.push(told);
    let [promoted, other] = hosts(after)?;
    evidence.push(format!("{} on {promoted} is promoted", ROLES.replica(after.promoted)));
    evidence.push(expect_scores(cluster, &promoted, &other)?);
    Ok(evidence)
}
