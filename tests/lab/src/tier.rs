// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The cluster tier of `make test`: the demo's claims and more, one line each, counted.

use crate::checks::{ENDING, Evidence, STORY, is_described};
use crate::cluster::{Cluster, INSTALLING, install};
use crate::progress::Progress;
use crate::remote::RemotePair;
use crate::soak::soak;
use crate::{Error, Lab, Result, demo};
use std::path::Path;
use std::time::Duration;

/// How long the agents must run without a failure.
const SOAK: Duration = Duration::from_secs(60);

/// How many checks passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Checks that saw what they claim.
    pub passed: u32,
    /// Checks that didn't.
    pub failed: u32,
}

/// Runs the tier; a check that fails doesn't keep the others from running.
///
/// # Errors
/// A signal, or no cluster comes up at all.
pub fn run(lab: &Lab, progress: &Progress, agents: &Path) -> Result<Count> {
    let cluster = demo::prepare(lab, agents, false)?;
    let mut tier = Tier { progress, count: Count::default() };
    tier.check(INSTALLING, || install(&cluster.agents, &cluster.node))?;
    if tier.count.failed == 0 {
        tier.check("a cluster of one node comes up", || cluster.boot().map(|()| Evidence::new()))?;
    }
    if tier.count.failed == 0 {
        tier.all(lab, &cluster)?;
    }
    if tier.count.failed > 0 {
        cluster.log_tails().iter().for_each(|line| progress.note(line));
    }
    Ok(tier.count)
}

struct Tier<'a> {
    progress: &'a Progress,
    count: Count,
}

impl Tier<'_> {
    fn all(&mut self, lab: &Lab, cluster: &Cluster) -> Result<()> {
        for agent in &cluster.agents {
            let name = format!("pcs and crmsh describe {}", agent.name());
            self.check(&name, || is_described(cluster, agent))?;
        }
        for check in STORY {
            self.check(check.name, || (check.run)(cluster))?;
        }
        // Its minute passes while the other agents' minute does.
        let mut pair = None;
        self.check("a remote node joins and is given a resource", || {
            pair.insert(RemotePair::prepare(lab, &cluster.agents)?).join()
        })?;
        let time = SOAK.as_secs();
        let name = format!("the agents run {time} s without a failure");
        self.check(&name, || soak(cluster, SOAK))?;
        let name = format!("the connection to the remote node holds {time} s");
        self.check(&name, || match &pair {
            Some(pair) => pair.holds(SOAK),
            None => Err(Error::new("there is no remote node")),
        })?;
        self.check(ENDING.name, || (ENDING.run)(cluster))
    }

    fn check(&mut self, name: &str, run: impl FnOnce() -> Result<Evidence>) -> Result<()> {
        match self.progress.step(name, run) {
            Ok(evidence) => {
                self.progress.evidence(evidence);
                self.count.passed += 1;
            }
            Err(Error::Failed(_)) => self.count.failed += 1,
            Err(interrupted) => return Err(interrupted),
        }
        Ok(())
    }
}
