// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The comparison itself: the shell agent and ours go through the same scenarios, and every
//! difference has its row in the agent's DIFFERENCES.md.

use crate::case::Case;
use crate::collection::Peers;
use crate::{Outcome, claim};
use ocf_tester::compare::{Difference, Setup, difference, observe, table};
use ocf_tester::scratch::{Scratch, executable};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

/// Stands in for crm_attribute: writes down for whom and how it was called. It finds its record by
/// its own place, because an agent needn't pass its environment on.
const RECORDER: &str = "#!/bin/sh\n\
    echo \"crm_attribute $* of $OCF_RESOURCE_INSTANCE\" >>\"${0%/*}/../calls\"\n";

/// Scenarios wait much and compute little.
const WORKERS: usize = 6;

/// A recording crm_attribute in a directory of its own.
#[derive(Debug)]
pub struct Recorder {
    _directory: Scratch,
    path: PathBuf,
}

impl Recorder {
    /// Writes it.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn new() -> Outcome<Self> {
        let directory = Scratch::new("recorder")?;
        let path = directory.path().join("crm_attribute");
        executable(&path, RECORDER)?;
        Ok(Self { _directory: directory, path })
    }

    /// Scenarios of an instance with it.
    #[must_use]
    pub fn setup(&self, instance: &str) -> Setup {
        Setup::new().instance(instance).stand_in("crm_attribute", &self.path)
    }
}

/// Puts both agents through all cases, some at a time, and gives the differences in the cases' order.
///
/// # Errors
/// The first case that can't be carried out.
pub fn differences(peers: &Peers, instance: &str, cases: &[Case]) -> Outcome<Vec<Difference>> {
    let recorder = Recorder::new()?;
    let setup = recorder.setup(instance);
    let next = Mutex::new(0..cases.len());
    let found = Mutex::new(Vec::new());
    let work = || {
        // The lock is taken for the next number alone, not for the whole round.
        let take = || next.lock().ok().and_then(|mut range| range.next());
        while let Some(number) = take() {
            let Some(case) = cases.get(number) else { return };
            let seen = compare(peers, case, &setup);
            if let Ok(mut found) = found.lock() {
                found.push((number, seen));
            }
        }
    };
    std::thread::scope(|scope| (0..WORKERS).for_each(|_| drop(scope.spawn(work))));
    let mut found = found.into_inner().map_err(|_| "a comparison ended before its time")?;
    claim(found.len() == cases.len(), "not every case was compared")?;
    found.sort_by_key(|(number, _)| *number);
    let seen = found.into_iter().map(|(_, seen)| seen).collect::<Result<Vec<_>, String>>()?;
    Ok(seen.into_iter().flatten().collect())
}

fn compare(peers: &Peers, case: &Case, setup: &Setup) -> Result<Option<Difference>, String> {
    let id = case.id();
    let scenario = case.scenario(&id);
    let shell = observe(&scenario, &peers.shell, &peers.shell, setup)?;
    let ours = observe(&scenario, &peers.ours, &peers.ours, setup)?;
    Ok(difference(&scenario, &shell, &ours))
}

/// Checks that the rows of a DIFFERENCES.md about an agent are exactly the differences.
///
/// # Errors
/// Every difference without its row, and every row without its difference.
pub fn agree(markdown: &str, peers: &Peers, differences: &[Difference]) -> Outcome {
    let prefix = format!("{}: ", peers.name);
    let mut rows = table::read(markdown)?;
    rows.retain(|row| row.scenario.starts_with(&prefix));
    let told = |wrong: Vec<table::Mismatch>| {
        wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    Ok(table::agree(&rows, differences).map_err(told)?)
}

/// Runs the cases of an agent and holds them against its rows; says how many there were.
///
/// # Errors
/// As [`differences`] and [`agree`].
pub fn check(markdown: &str, peers: &Peers, sets: &[(&str, Vec<Case>)]) -> Outcome {
    let mut all = Vec::new();
    let mut count = 0;
    for (instance, cases) in sets {
        count += cases.len();
        all.extend(differences(peers, instance, cases)?);
    }
    agree(markdown, peers, &all)?;
    let line =
        format!("{}: {count} scenarios, {} differences with a reason", peers.name, all.len());
    use std::io::Write;
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

/// This host's name, for scenarios that need it; kept for the rest of the process.
#[must_use]
pub fn host_name() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let name = nix::unistd::gethostname().unwrap_or_default();
        name.to_string_lossy().into_owned()
    })
}
