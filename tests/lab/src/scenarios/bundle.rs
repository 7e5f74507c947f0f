// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A bundle of one replica under our agents and under Debian's shell agents, one after the other.
//!
//! The nodes have Debian's agents, and ours at their names; in the container there are Debian's.

use super::{bundle_examples, settle};
use crate::beside::take_names_again;
use crate::bundle::{Asked, Bundle, unreachable};
use crate::checks::{Check, Evidence};
use crate::cluster::Cluster;
use crate::site::Host;
use crate::{Error, Result, beside};
use std::time::Duration;

/// See the module.
pub const ALL: &[Check] =
    &[Check { name: "a bundle's replica moves at standby without losing its grace", run: standby }];

/// As the manuals have it, but alone.
const BUNDLE: Bundle = Bundle { replicas: 1, ..bundle_examples::TWO };

/// The agent that changes hands.
const DOCKER: &str = "heartbeat/docker";

/// What a planned move costs.
struct Move {
    /// The stop of the container, as Pacemaker's executor measured it.
    stop: Duration,
    /// The code that the container's first process ended with.
    code: String,
    /// How long the third host had no answer.
    unreachable: Duration,
}

impl Move {
    fn told(&self, whose: &str) -> String {
        format!(
            "{whose}: the address was unreachable for {}, the container's stop took {} (its first \
             process ended with {})",
            seconds(self.unreachable),
            seconds(self.stop),
            self.code
        )
    }
}

/// First under our agent, then under Debian's: what one of them started, the other one stops.
fn standby(cluster: &Cluster) -> Result<Evidence> {
    beside::require(cluster, &[DOCKER], true)?;
    BUNDLE.create(cluster)?;
    let asked = BUNDLE.ask(cluster)?;
    BUNDLE.wait_well(cluster, &asked)?;
    let ours = move_away(cluster, asked)?;
    let host = BUNDLE.host(cluster, 0)?;
    let started = BUNDLE.inspect(host, 0, "{{.State.StartedAt}}")?;
    cluster.nodes().try_for_each(|node| beside::give_names_back(node).map(|_| ()))?;
    beside::require(cluster, &[DOCKER], false)?;
    let asked = BUNDLE.ask(cluster)?;
    BUNDLE.wait_well(cluster, &asked)?;
    if BUNDLE.inspect(host, 0, "{{.State.StartedAt}}")? != started {
        return Err(Error::new("the container was started anew when the agents changed"));
    }
    let debians = move_away(cluster, asked);
    // Whatever came of it: the next scenario wants ours.
    cluster.nodes().try_for_each(take_names_again)?;
    let debians = debians?;
    // The shell agent waits for a grace of ten seconds, which the container's init can't use.
    if ours.code != "0" || ours.stop * 2 > debians.stop {
        return Err(Error::new(format!(
            "{}; {}",
            ours.told("ours"),
            debians.told("Debian's shell agent")
        )));
    }
    Ok(vec![
        ours.told("ours"),
        debians.told("Debian's shell agent"),
        format!("StartedAt under both, between the moves: {started}"),
    ])
}

/// Takes the replica to the other node, by standby, and ends the questions. The node is taken out of
/// standby whatever came of it.
fn move_away(cluster: &Cluster, asked: Asked<'_>) -> Result<Move> {
    let from = BUNDLE.host(cluster, 0)?;
    let to = cluster.other(&from.name);
    cluster.pcs(["node", "standby", &from.name])?;
    let moved = cluster.wait(&format!("the replica being on {to}"), |status| {
        Ok((status.place(&BUNDLE.container(0), "Started") == Some(to)).then_some(()))
    });
    let moved = moved.and_then(|()| BUNDLE.wait_well(cluster, &asked));
    let moved = moved.and_then(|_| Ok((asked.end()?, stop_of(cluster, from)?)));
    cluster.pcs(["node", "unstandby", &from.name])?;
    let (answers, (stop, code)) = moved?;
    settle(cluster)?;
    Ok(Move { stop, code, unreachable: unreachable(&answers) })
}

/// How long the container's last stop on a node took, and the code its first process ended with.
fn stop_of(cluster: &Cluster, from: &Host) -> Result<(Duration, String)> {
    let (status, container) = (cluster.status()?, BUNDLE.container(0));
    let is_it = |task: &str, node: &str| task == "stop" && node == from.name;
    let mut stops = status.operations.iter().filter(|o| o.resource == container);
    let stop = stops.find(|o| is_it(&o.task, &o.node));
    let stop = stop.ok_or_else(|| Error::new(format!("no stop of {container} is on record")))?;
    let events = ["docker", "events", "--since", "5m", "--until", "0s"];
    let filter = format!("container={container}");
    let filter = ["--filter", "event=die", "--filter", &filter];
    let format = ["--format", "{{.Actor.Attributes.exitCode}}"];
    let codes = from.ok(events.into_iter().chain(filter).chain(format))?.stdout;
    let code = codes.lines().last().unwrap_or("(never ended)").to_owned();
    Ok((Duration::from_millis(stop.milliseconds), code))
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
