// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The cluster tier of `make test`: the demo's claims and more, one line each, counted.

use crate::checks::{Check, ENDING, EQUIPPED, Evidence, PACKAGED, SMALL, agents, is_described};
use crate::cluster::{Cluster, Plan};
use crate::progress::Progress;
use crate::recipe::Kind;
use crate::release::Release;
use crate::{Error, Lab, Result, beside, bundle, carry, failover, logs, scenarios};
use std::path::Path;

/// How many checks passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Checks that saw what they claim.
    pub passed: u32,
    /// Checks that didn't.
    pub failed: u32,
}

/// Runs the tier, on our packages alone and then beside Debian's shell agents; a check that fails
/// doesn't keep the others from running, and the nodes' logs are in `logs` then. `only` leaves out all
/// but the scenarios whose names contain it.
///
/// # Errors
/// A signal, or no hosts can be made at all.
pub fn run(
    lab: &Lab,
    progress: &Progress,
    plan: &Plan<'_>,
    only: Option<&str>,
    logs: &Path,
) -> Result<Count> {
    let is_wanted = |check: &Check| check.name.contains(only.unwrap_or_default());
    let mut count = Count::default();
    if only.is_none() || scenarios::all().any(is_wanted) {
        let has_bundles = scenarios::bundles().any(is_wanted);
        let image = || lab.image(progress, Kind::Bundle(plan.release), Some(plan.packages));
        let image = has_bundles.then(image).transpose()?;
        count = on_cluster(lab, progress, plan, logs, |tier| tier.all(image.as_deref(), only))?;
    }
    if scenarios::beside().any(is_wanted) {
        let plan = plan.clone().beside_shell_agents();
        let bundle = lab.image(progress, Kind::ShellBundle(plan.release), None)?;
        let beside =
            on_cluster(lab, progress, &plan, logs, |tier| tier.beside(&plan, &bundle, only))?;
        count = count.with(beside);
    }
    Ok(count)
}

fn on_cluster(
    lab: &Lab,
    progress: &Progress,
    plan: &Plan<'_>,
    logs: &Path,
    run: impl FnOnce(&mut Tier<'_>) -> Result<()>,
) -> Result<Count> {
    Cluster::images(lab, progress, plan)?;
    let cluster = Cluster::prepare(lab, progress, plan)?;
    let mut tier = Tier { progress, cluster: &cluster, count: Count::default() };
    let done = run(&mut tier);
    let count = tier.count;
    if count.failed > 0 {
        logs::collect(&cluster, logs, progress);
    }
    cluster.site.close()?;
    done.map(|()| count)
}

impl Count {
    fn with(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

struct Tier<'a> {
    progress: &'a Progress,
    cluster: &'a Cluster,
    count: Count,
}

impl Tier<'_> {
    /// Whether there is a cluster to run scenarios on.
    fn has_begun(&mut self) -> Result<bool> {
        let cluster = self.cluster;
        self.step("a cluster of two nodes comes up", || cluster.boot().map(|()| Vec::new()))?;
        self.step("a fence device for each node", || cluster.add_fencing())?;
        self.check(&EQUIPPED)?;
        Ok(self.count.failed == 0)
    }

    /// On Debian's shell agents, with ours at their names.
    fn beside(&mut self, plan: &Plan<'_>, image: &str, only: Option<&str>) -> Result<()> {
        let cluster = self.cluster;
        if !self.has_begun()? {
            return Ok(());
        }
        self.step("our agents come beside Debian's, and a bundle's image", || {
            for node in cluster.nodes() {
                beside::install(node, (plan.packages, beside::PACKAGES))?;
                carry::image(cluster, node, image, bundle::IMAGE)?;
            }
            Ok(vec![image.to_owned()])
        })?;
        if self.count.failed > 0 {
            return Ok(());
        }
        let wanted = only.unwrap_or_default();
        for check in scenarios::beside().filter(|check| check.name.contains(wanted)) {
            self.step(check.name, || scenarios::alone(cluster, check))?;
        }
        Ok(())
    }

    /// On our packages alone; `image` is that of the bundles, if any of them is wanted.
    fn all(&mut self, image: Option<&str>, only: Option<&str>) -> Result<()> {
        let cluster = self.cluster;
        if !self.has_begun()? {
            return Ok(());
        }
        if let Some(image) = image {
            self.step("both nodes have the image of bundles", || {
                let mut nodes = cluster.nodes();
                nodes.try_for_each(|node| carry::image(cluster, node, image, bundle::IMAGE))?;
                Ok(vec![image.to_owned()])
            })?;
        }
        if only.is_none() {
            self.check(&PACKAGED)?;
            for name in agents(cluster)? {
                let label = format!("pcs and crmsh describe {name}");
                self.step(&label, || is_described(cluster, &name))?;
            }
        }
        let wanted = only.unwrap_or_default();
        for check in scenarios::all().filter(|check| check.name.contains(wanted)) {
            self.step(check.name, || scenarios::alone(cluster, check))?;
        }
        if only.is_none() { self.story() } else { Ok(()) }
    }

    /// The demo's story, and small claims: these leave their resources to the ending.
    fn story(&mut self) -> Result<()> {
        for check in failover::TOGETHER.iter().chain(&failover::LOSS).chain(&failover::STOP) {
            self.check(check)?;
        }
        SMALL.iter().try_for_each(|check| self.check(check))?;
        scenarios::remote::ALL.iter().try_for_each(|check| self.check(check))?;
        self.check(&ENDING)
    }

    fn check(&mut self, check: &Check) -> Result<()> {
        let cluster = self.cluster;
        self.step(check.name, || (check.run)(cluster))
    }

    fn step(&mut self, name: &str, run: impl FnOnce() -> Result<Evidence>) -> Result<()> {
        match self.progress.step(name, run) {
            Ok(evidence) => {
                self.progress.evidence(evidence);
                self.count.passed += 1;
            }
            Err(Error::Failed(_)) => {
                self.count.failed += 1;
                self.progress.note(&verdict(self.cluster.release, name));
            }
            Err(interrupted) => return Err(interrupted),
        }
        Ok(())
    }
}

/// What tells a CI system of a test that failed, as Rust's own harness writes it.
fn verdict(release: Release, name: &str) -> String {
    let test: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    format!("test {}::{test} ... FAILED", release.code_name())
}
