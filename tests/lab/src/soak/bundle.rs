// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The same for a bundle of three web servers: whatever happens to a replica or its node, at random by a seed,
//! all three have to serve again.

use super::dice::Dice;
use crate::bundle::THREE;
use crate::cluster::{Cluster, Plan};
use crate::fault::{Fault, strike};
use crate::progress::Progress;
use crate::recipe::Kind;
use crate::{Error, Lab, Result, logs};
use std::path::Path;

/// What may happen; all of it is dealt before anything comes again.
const DECK: [Fault; 7] = [
    Fault::Server,
    Fault::Server,
    Fault::Container,
    Fault::Container,
    Fault::Standby,
    Fault::Node,
    Fault::Power,
];

/// Hurts a bundle so many times.
///
/// # Errors
/// The first round after which not all replicas serve; the nodes' logs are in `logs` then.
pub fn run(
    lab: &Lab,
    progress: &Progress,
    plan: &Plan<'_>,
    rounds: u32,
    seed: u64,
    logs: &Path,
) -> Result<()> {
    Cluster::images(lab, progress, plan)?;
    let image = lab.image(progress, Kind::Bundle(plan.release), Some(plan.packages))?;
    let cluster = Cluster::prepare(lab, progress, plan)?;
    progress.note(&format!("{rounds} rounds with the seed {seed}"));
    let soaked = soak(&cluster, progress, &image, rounds, seed);
    if let Err(Error::Failed(_)) = soaked {
        logs::collect(&cluster, logs, progress);
        let release = plan.release.code_name();
        progress.note(&format!(
            "the same again: make soak ROUNDS={rounds} SEED={seed} DEBIAN={release}"
        ));
    }
    soaked.and(cluster.site.close())
}

fn soak(cluster: &Cluster, progress: &Progress, image: &str, rounds: u32, seed: u64) -> Result<()> {
    progress.step("a cluster of two nodes with a bundle of three web servers", || {
        cluster.boot()?;
        cluster.add_fencing()?;
        THREE.come_up(cluster, image)
    })?;
    let (mut dice, mut left, mut recoveries) = (Dice::new(seed), Vec::new(), Vec::new());
    for number in 1..=rounds {
        if left.is_empty() {
            left = DECK.to_vec();
        }
        let fault = dice.take(&mut left).unwrap_or(Fault::Server);
        let replica = dice.below(THREE.replicas);
        let label = format!("round {number} of {rounds}: {}, replica {replica}", fault.name());
        let outcome = progress.step(&label, || strike(cluster, &THREE, fault, replica))?;
        progress.evidence(&outcome.seen);
        recoveries.push(outcome.recovered);
    }
    recoveries.sort_unstable();
    let longest = recoveries.last().copied().unwrap_or_default().as_secs_f64();
    let median = recoveries.get(recoveries.len() / 2).copied().unwrap_or_default().as_secs_f64();
    progress.note(&format!(
        "{rounds} rounds, each back to three replicas that serve; well again after {median:.1} s \
         (median), {longest:.1} s (longest)"
    ));
    Ok(())
}
