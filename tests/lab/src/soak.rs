// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `make soak`: a cluster is hurt in rounds, at random by a seed, and must get well each time.
//!
//! Well is what [`health`] says. At no time, not even in the middle of a round, may a resource that
//! runs once be active on both nodes; nobody may be fenced whom the fault doesn't cost; and no action
//! may fail but those that the fault is about.

pub mod bundle;
pub mod dice;
pub mod fault;
pub mod health;

use crate::checks::Evidence;
use crate::cluster::{Cluster, NODES, Plan};
use crate::progress::Progress;
use crate::status::{Failure, Status};
use crate::{Error, Lab, Result, logs};
use dice::Dice;
use fault::{Before, Fault, Fencing, deck};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a fault may take to tell, and how long the cluster may take to get well after that.
const LIMIT: Duration = Duration::from_secs(150);

/// How long an operator waits before clearing failures once more: the cluster is at work.
const PATIENCE: Duration = Duration::from_secs(5);

/// Hurts a cluster so many times.
///
/// # Errors
/// The first round after which it isn't well, or in which something happened that must not; the
/// nodes' logs are in `logs` then, and how to repeat it is said.
pub fn run(
    lab: &Lab,
    progress: &Progress,
    plan: &Plan<'_>,
    rounds: u32,
    seed: u64,
    logs: &Path,
) -> Result<()> {
    Cluster::images(lab, progress, plan)?;
    let cluster = Cluster::prepare(lab, progress, plan)?;
    progress.note(&format!("{rounds} rounds with the seed {seed}"));
    let soaked = soak(&cluster, progress, rounds, seed);
    if let Err(Error::Failed(_)) = soaked {
        logs::collect(&cluster, logs, progress);
        let release = plan.release.code_name();
        progress.note(&format!(
            "the same again: make soak ROUNDS={rounds} SEED={seed} DEBIAN={release}"
        ));
    }
    soaked.and(cluster.site.close())
}

fn soak(cluster: &Cluster, progress: &Progress, rounds: u32, seed: u64) -> Result<()> {
    progress.step("a cluster of two nodes with its resources", || {
        cluster.boot()?;
        cluster.add_fencing()?;
        health::create(cluster)?;
        Round::new(cluster, Fault::Slow).get_well().map(|_| ())
    })?;
    let (mut dice, mut left, mut recoveries) = (Dice::new(seed), Vec::new(), Vec::new());
    for number in 1..=rounds {
        if left.is_empty() {
            left = deck();
        }
        let kind = dice.take(&mut left).unwrap_or_default();
        let fault = Fault::of_kind(kind, &mut dice);
        let label = format!("round {number} of {rounds}: {fault}");
        let (took, evidence) = progress.step(&label, || Round::new(cluster, fault).run())?;
        progress.evidence(evidence);
        recoveries.push(took.as_secs_f64());
    }
    recoveries.sort_by(f64::total_cmp);
    let longest = recoveries.last().copied().unwrap_or_default();
    let median = recoveries.get(recoveries.len() / 2).copied().unwrap_or_default();
    let fenced = fenced_hosts(cluster, 0).len();
    progress.note(&format!(
        "{rounds} rounds, each back to healthy; {fenced} fencings; well again after {median:.1} s \
         (median), {longest:.1} s (longest)"
    ));
    Ok(())
}

/// The hosts that the fence device cut off, in order.
fn fenced_hosts(cluster: &Cluster, skip: usize) -> Vec<String> {
    let log = cluster.site.fence_log();
    let host = |line: &String| {
        let mut words = line.split(' ').skip(1);
        let is_fencing = ["reboot", "off"].contains(&words.next()?);
        words.next().filter(|_| is_fencing).map(str::to_owned)
    };
    log.iter().skip(skip).filter_map(host).collect()
}

struct Round<'a> {
    cluster: &'a Cluster,
    fault: Fault,
    /// How much the fence device had done before.
    logged: usize,
    begun: Instant,
    failures: Vec<Failure>,
}

impl<'a> Round<'a> {
    fn new(cluster: &'a Cluster, fault: Fault) -> Self {
        let (logged, begun) = (cluster.site.fence_log().len(), Instant::now());
        Self { cluster, fault, logged, begun, failures: Vec::new() }
    }

    /// How long it took from the fault to health, and what was seen.
    fn run(mut self) -> Result<(Duration, Evidence)> {
        let (cluster, fault) = (self.cluster, self.fault);
        let before = Before::of(fault, cluster)?;
        self.begun = Instant::now();
        fault.provoke(cluster)?;
        let told = Instant::now();
        self.watch("the fault telling", |round| {
            let fenced = round.fenced();
            let has_told = fault.has_told(cluster, &before, &fenced, told.elapsed())?;
            Ok(has_told.then_some(()))
        })?;
        let told = self.begun.elapsed();
        self.watch("a node to mend it from", |_| match cluster.status() {
            Ok(_) => Ok(Some(())),
            Err(Error::Failed(_)) => Ok(None),
            Err(interrupted) => Err(interrupted),
        })?;
        fault.mend(cluster)?;
        let cleared = self.get_well()?;
        let took = self.begun.elapsed();
        self.judge()?;
        Ok((took, self.evidence(told, cleared)))
    }

    fn fenced(&self) -> Vec<String> {
        fenced_hosts(self.cluster, self.logged)
    }

    /// Polls, and looks all the while at what must not be.
    fn watch<T>(
        &mut self,
        what: &str,
        mut look: impl FnMut(&mut Self) -> Result<Option<T>>,
    ) -> Result<T> {
        let cluster = self.cluster;
        cluster.docker().runner.poll(what, LIMIT, || {
            health::require_single(cluster)?;
            if let Ok(status) = cluster.status() {
                self.note(&status);
            }
            look(self)
        })
    }

    fn note(&mut self, status: &Status) {
        for failure in &status.failures {
            if !self.failures.contains(failure) {
                self.failures.push(failure.clone());
            }
        }
    }

    /// Waits until all is well and nothing is to be done any more, and clears failures meanwhile, as
    /// an operator would once both nodes are there. Says how often.
    fn get_well(&mut self) -> Result<u32> {
        let cluster = self.cluster;
        let (mut cleared, mut last, mut why) = (0, None::<Instant>, String::new());
        let well = self.watch("all being well again", |_| {
            match health::trouble(cluster)? {
                Some(trouble) => why = trouble,
                None if is_idle(cluster)? => {
                    return Ok(health::trouble(cluster)?.is_none().then_some(()));
                }
                None => why = "the cluster is at work".into(),
            }
            let is_time = last.is_none_or(|last| last.elapsed() > PATIENCE);
            if is_time && is_to_be_cleared(cluster)? {
                cluster.ok(["crm_resource", "--cleanup"])?;
                (cleared, last) = (cleared + 1, Some(Instant::now()));
            }
            Ok(None)
        });
        well.map(|()| cleared).map_err(|error| error.during(why))
    }

    /// Whom it cost, and what failed.
    fn judge(&self) -> Result<()> {
        let fenced = self.fenced();
        let fenced: Vec<_> = fenced.iter().map(String::as_str).collect();
        let is_right = match self.fault.fencing() {
            Fencing::Never => fenced.is_empty(),
            Fencing::Allowed(node) => fenced.iter().all(|host| *host == node),
            Fencing::Sure(node) => fenced == [node],
            Fencing::Either => NODES.iter().any(|node| fenced == [*node]),
        };
        if !is_right {
            return Err(Error::new(format!("fenced were: {}", fenced.join(", "))));
        }
        match self.failures.iter().find(|failure| !self.fault.explains(failure)) {
            None => Ok(()),
            Some(Failure { resource, task, node, code, reason, .. }) => Err(Error::new(format!(
                "{task} of {resource} on {node} answered {code} ({reason}), which the fault doesn't \
                 explain"
            ))),
        }
    }

    fn evidence(&self, told: Duration, cleared: u32) -> Evidence {
        let fenced = self.fenced();
        let cost = if fenced.is_empty() { "nobody".into() } else { fenced.join(", ") };
        let told = told.as_secs_f64();
        let mut evidence = vec![format!("told after {told:.1} s; fenced: {cost}")];
        evidence.extend(self.failures.iter().map(|failure| {
            let Failure { resource, task, node, code, reason, .. } = failure;
            format!("failed: {task} of {resource} on {node}, code {code} ({reason})")
        }));
        evidence.extend((cleared > 0).then(|| format!("failures cleared {cleared} times")));
        evidence
    }
}

/// Whether both nodes are there and failures are left.
fn is_to_be_cleared(cluster: &Cluster) -> Result<bool> {
    match cluster.status() {
        Ok(status) => {
            let is_failed = !status.failures.is_empty() || !status.fail_counts.is_empty();
            Ok(is_failed && NODES.iter().all(|node| status.is_healthy(node)))
        }
        Err(Error::Failed(_)) => Ok(false),
        Err(interrupted) => Err(interrupted),
    }
}

/// Whether Pacemaker has nothing more to do.
fn is_idle(cluster: &Cluster) -> Result<bool> {
    match cluster.ok(["crm_resource", "--wait", "--timeout", "30"]) {
        Ok(_) => Ok(true),
        Err(Error::Failed(_)) => Ok(false),
        Err(interrupted) => Err(interrupted),
    }
}
