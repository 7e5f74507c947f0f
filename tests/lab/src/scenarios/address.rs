// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A virtual address, asked for echoes from the third host while it moves: by standby, and because its
//! node is lost. On our packages alone it is in a group; beside Debian's shell agents the same is done by
//! theirs, too, and what it costs the third host is told of both.

use super::{arrive, expect_address, expect_files, load, settle};
use crate::checks::{Check, Evidence, running_on};
use crate::cluster::{Cluster, OUTSIDE};
use crate::failover::fencing_since;
use crate::power::INTERFACE;
use crate::probing::{Echoes, Probing};
use crate::{Error, Result, beside};

/// On our packages alone.
pub const ALL: &[Check] = &[Check {
    name: "an address and what goes with it move at standby, and when their node is lost",
    run: group_moves,
}];

/// Beside Debian's shell agents.
pub const BESIDE: &[Check] = &[Check {
    name: "an address moves at standby, and when its node is lost: ours and the shell agent",
    run: both_move,
}];

const ID: &str = "lab-address";

const ADDRESS: &str = "192.0.2.44";

const AGENT: &str = "heartbeat/IPaddr2";

/// What goes with it.
const PARTNER: &str = "lab-partner";

const STATE: &str = "/run/resource-agents/Dummy-lab-partner.state";

/// What two moves cost.
struct Moves {
    standby: Echoes,
    /// How long the stop and the start took, as Pacemaker's executor measured them.
    stop: u64,
    start: u64,
    lost: Echoes,
    fenced: String,
}

impl Moves {
    fn told(&self, whose: &str) -> Vec<String> {
        vec![
            format!(
                "{whose}, standby: {}; stop took {} ms, start {} ms",
                self.standby, self.stop, self.start
            ),
            format!("{whose}, the node is lost: {}", self.lost),
            format!("{whose}, fence device: {}", self.fenced),
        ]
    }
}

/// The address, as an administrator loads it; it stays where it is when its node comes back.
fn primitive() -> String {
    format!(
        "primitive {ID} ocf:heartbeat:IPaddr2 params ip={ADDRESS} cidr_netmask=24 nic={INTERFACE} \
         meta resource-stickiness=100 op monitor interval=2s timeout=20s\n"
    )
}

fn group_moves(cluster: &Cluster) -> Result<Evidence> {
    let partner = format!("primitive {PARTNER} ocf:heartbeat:Dummy\n");
    load(cluster, &format!("{}{partner}group lab-group {ID} {PARTNER}\n", primitive()))?;
    settle(cluster)?;
    let together = |cluster: &Cluster, node: &str| {
        arrive(cluster, PARTNER, "Started", node)?;
        expect_files(cluster, STATE, &[node])
    };
    let home = running_on(&cluster.status()?, ID)?.to_owned();
    together(cluster, &home)?;
    Ok(move_twice(cluster, together)?.told("our packages alone"))
}

fn both_move(cluster: &Cluster) -> Result<Evidence> {
    let nothing = |_: &Cluster, _: &str| Ok(());
    beside::require(cluster, &[AGENT], true)?;
    load(cluster, &primitive())?;
    settle(cluster)?;
    let ours = move_twice(cluster, nothing)?;
    cluster.nodes().try_for_each(|node| beside::give_names_back(node).map(|_| ()))?;
    let debians =
        beside::require(cluster, &[AGENT], false).and_then(|_| move_twice(cluster, nothing));
    // Whatever came of it: the next scenario wants ours.
    cluster.nodes().try_for_each(beside::take_names_again)?;
    let debians = debians?;
    let ratio = |ours: u64, theirs: u64| theirs as f64 / ours.max(1) as f64;
    let mut evidence = ours.told("ours");
    evidence.extend(debians.told("Debian's shell agent"));
    evidence.push(format!(
        "Debian's to ours: start {:.1} x, stop {:.1} x, time without an answer at standby {:.1} x",
        ratio(ours.start, debians.start),
        ratio(ours.stop, debians.stop),
        debians.standby.silence.as_secs_f64() / ours.standby.silence.as_secs_f64(),
    ));
    Ok(evidence)
}

/// Moves the address by standby, and then by a power cut; `arrived` looks at what went with it.
fn move_twice(cluster: &Cluster, arrived: impl Fn(&Cluster, &str) -> Result<()>) -> Result<Moves> {
    let from = running_on(&cluster.status()?, ID)?.to_owned();
    let to = cluster.other(&from);
    let moved = stand_by(cluster, &from, to, &arrived);
    // The node is taken out of standby whatever came of it.
    cluster.pcs(["node", "unstandby", &from])?;
    let (standby, stop, start) = moved?;
    settle(cluster)?;
    require_neighbour(cluster)?;
    let (lost, fenced) = lose_node(cluster, arrived)?;
    Ok(Moves { standby, stop, start, lost, fenced })
}

/// What the third host noticed, and how long stop and start took.
fn stand_by(
    cluster: &Cluster,
    from: &str,
    to: &str,
    arrived: impl Fn(&Cluster, &str) -> Result<()>,
) -> Result<(Echoes, u64, u64)> {
    let probing = Probing::start(cluster, ADDRESS)?;
    cluster.pcs(["node", "standby", from])?;
    arrive(cluster, ID, "Started", to)?;
    arrived(cluster, to)?;
    let echoes = probing.end()?;
    expect_address(cluster, ADDRESS, &[to])?;
    Ok((echoes, took(cluster, "stop", from)?, took(cluster, "start", to)?))
}

/// How long the address's last action of a kind on a node took, in milliseconds.
fn took(cluster: &Cluster, task: &str, node: &str) -> Result<u64> {
    let status = cluster.status()?;
    let is_it = |o: &&crate::status::Operation| {
        (o.resource.as_str(), o.task.as_str(), o.node.as_str()) == (ID, task, node)
    };
    let action = status.operations.iter().filter(is_it).max_by_key(|o| o.call);
    let action = action.ok_or_else(|| Error::new(format!("no {task} of {ID} on {node}")))?;
    Ok(action.milliseconds)
}

/// Where the address is, the third host must send to that node's hardware address.
fn require_neighbour(cluster: &Cluster) -> Result<()> {
    let node = running_on(&cluster.status()?, ID)?.to_owned();
    let address = format!("/sys/class/net/{INTERFACE}/address");
    let wanted = cluster.node(&node)?.ok(["cat", &address])?.stdout;
    let known = ["ip", "-oneline", "neighbour", "show", ADDRESS];
    let known = cluster.site.host(OUTSIDE)?.ok(known)?.stdout;
    if known.contains(wanted.trim()) {
        return Ok(());
    }
    let (wanted, known) = (wanted.trim(), known.trim());
    Err(Error::new(format!("{ADDRESS} is on {node} ({wanted}), and the third host has {known}")))
}

/// Cuts the power of the address's node, and waits for the address elsewhere and for the node's return.
fn lose_node(
    cluster: &Cluster,
    arrived: impl Fn(&Cluster, &str) -> Result<()>,
) -> Result<(Echoes, String)> {
    let lost = running_on(&cluster.status()?, ID)?.to_owned();
    let other = cluster.other(&lost);
    let fenced_before = cluster.site.fence_log().len();
    let probing = Probing::start(cluster, ADDRESS)?;
    cluster.cut_power(&lost)?;
    let fenced = fencing_since(cluster, fenced_before, &lost)?;
    arrive(cluster, ID, "Started", other)?;
    cluster.wait_for_return(&lost)?;
    settle(cluster)?;
    let echoes = probing.end()?;
    expect_address(cluster, ADDRESS, &[other])?;
    arrived(cluster, other)?;
    require_neighbour(cluster)?;
    Ok((echoes, fenced))
}
