// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Promotion: by the agents' scores, and by a rule.

use super::{arrive, expect_order, load};
use crate::checks::{Check, Evidence};
use crate::cluster::{Cluster, NODES};
use crate::journal;
use crate::{Error, Result};

/// Who is promoted, and why.
pub const ALL: &[Check] = &[
    Check { name: "promotion of Stateful moves by score", run: stateful_follows_the_score },
    Check { name: "promotion of pacemaker:Dummy moves by score", run: dummy_follows_the_score },
    Check { name: "promotion moves by a rule on a node attribute", run: rule_moves_promotion },
];

/// A promotable clone of this agent, as lines for crmsh; the clone's id is the resource's and
/// `-clone`.
pub(super) fn promotable(id: &str, agent: &str, meta: &str) -> String {
    format!(
        "primitive {id} ocf:pacemaker:{agent} params {} \
         op monitor interval=10s role=Promoted op monitor interval=11s role=Unpromoted\n\
         clone {id}-clone {id} meta promotable=true {meta}\n",
        journal::PARAMETER
    )
}

/// Waits until the clone is promoted here and unpromoted on the other node; its state files must
/// say so too.
pub(super) fn is_promoted_on(cluster: &Cluster, id: &str, agent: &str, node: &str) -> Result<()> {
    let other = cluster.other(node);
    cluster.wait(&format!("{id} being Unpromoted on {other}"), |status| {
        Ok((status.place(id, "Unpromoted") == Some(other)).then_some(()))
    })?;
    arrive(cluster, id, "Promoted", node)?;
    let state = format!("/run/{agent}-{id}.state");
    for (name, is_promoted) in [(node, true), (other, false)] {
        let content = cluster.node(name)?.ok(["cat", &state])?.stdout;
        if (content.trim() == "Promoted") != is_promoted {
            let (content, not) = (content.trim(), if is_promoted { "not " } else { "" });
            return Err(Error::new(format!(
                "{name} is {not}promoted by its state file {state}: '{content}'"
            )));
        }
    }
    Ok(())
}

fn stateful_follows_the_score(cluster: &Cluster) -> Result<Evidence> {
    follows_the_score(cluster, "Stateful")
}

fn dummy_follows_the_score(cluster: &Cluster) -> Result<Evidence> {
    follows_the_score(cluster, "Dummy")
}

/// The scores on this node and the other, as the agent set them.
fn scores(cluster: &Cluster, id: &str, node: &str) -> Result<(String, String)> {
    let status = cluster.status()?;
    let score = |node: &str| {
        let score = status.attribute(node, &format!("master-{id}"));
        score.map(str::to_owned).ok_or_else(|| Error::new(format!("{node} has no score for {id}")))
    };
    Ok((score(node)?, score(cluster.other(node))?))
}

/// There and back: the agent's own scores replace the one that moved it, and so it stays.
fn follows_the_score(cluster: &Cluster, agent: &str) -> Result<Evidence> {
    let id = "lab-scored";
    load(cluster, &promotable(id, agent, ""))?;
    let first = cluster
        .wait("one being promoted", |status| Ok(status.place(id, "Promoted").map(str::to_owned)))?;
    is_promoted_on(cluster, id, agent, &first)?;
    let mut evidence = Evidence::new();
    let mut from = first.as_str();
    for _ in NODES {
        let to = cluster.other(from);
        let (high, low) = scores(cluster, id, from)?;
        let best = "1000";
        journal::forget(cluster)?;
        let set = ["crm_attribute", "--promotion=lab-scored", "--node", to, "--lifetime", "reboot"];
        cluster.ok(set.into_iter().chain(["--update", best]))?;
        is_promoted_on(cluster, id, agent, to)?;
        let (left, went) = (journal::acts(cluster, from)?, journal::acts(cluster, to)?);
        if left != [format!("demote {id}")] || went != [format!("promote {id}")] {
            let (left, went) = (left.join(", "), went.join(", "));
            return Err(Error::new(format!("not a demotion on {from}: {left}; and {to}: {went}")));
        }
        let after = scores(cluster, id, to)?;
        if after != (high.clone(), low.clone()) {
            return Err(Error::new(format!(
                "the agent left the scores {} on {to} and {} on {from}, not {high} and {low}",
                after.0, after.1
            )));
        }
        evidence.push(format!(
            "score {best} on {to}: {from} is demoted, {to} promoted, and the agents' scores are \
             {high} and {low} again"
        ));
        from = to;
    }
    Ok(evidence)
}

fn rule_moves_promotion(cluster: &Cluster) -> Result<Evidence> {
    let (id, agent) = ("lab-ruled", "Stateful");
    let rule = "rule role=Promoted 1000: lab-rank eq first";
    let text = promotable(id, agent, "");
    load(cluster, &format!("{text}location lab-rank-rule {id}-clone {rule}\n"))?;
    let mut evidence = vec![rule.to_owned()];
    for node in [NODES[1], NODES[0]] {
        // One of the configuration, and one that goes with the node's power.
        cluster.ok(attribute(cluster.other(node), "last"))?;
        cluster.ok(attribute(node, "first"))?;
        is_promoted_on(cluster, id, agent, node)?;
        expect_order(node, &journal::acts(cluster, node)?, &[&format!("promote {id}")])?;
        evidence.push(format!("lab-rank=first on {node}: promoted there"));
    }
    Ok(evidence)
}

fn attribute<'a>(node: &'a str, value: &'a str) -> [&'a str; 9] {
    [
        "crm_attribute",
        "--node",
        node,
        "--name",
        "lab-rank",
        "--lifetime",
        "reboot",
        "--update",
        value,
    ]
}
