// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The hosts' logs, for when something went wrong: they would go with the hosts.

use crate::cluster::Cluster;
use crate::progress::Progress;
use crate::site::Host;
use crate::{Error, Result};
use std::path::Path;

/// What is taken from every host.
const TAKEN: [&str; 2] = ["/var/log", "/var/lib/pacemaker"];

/// Copies the logs of every host, on or off, below a directory of this run's, and says where they
/// are and what the nodes' Pacemakers last complained of.
pub fn collect(cluster: &Cluster, directory: &Path, progress: &Progress) {
    let directory = directory.join(cluster.site.run());
    for host in cluster.site.hosts() {
        if let Err(error) = copy(host, &directory.join(&host.name)) {
            progress.note(&error.to_string());
        }
    }
    let fencing = cluster.site.fence_log();
    if let Err(error) = std::fs::write(directory.join("fencing.log"), fencing.join("\n")) {
        progress.note(&format!("cannot write in {}: {error}", directory.display()));
    }
    for node in cluster.nodes() {
        let log = directory.join(&node.name).join("log/pacemaker/pacemaker.log");
        progress.note(&format!("--- last complaints of {}", node.name));
        progress.evidence(complaints(&std::fs::read_to_string(log).unwrap_or_default()));
    }
    progress.note("--- what the fence device did");
    progress.evidence(fencing);
    progress.note(&format!("the hosts' logs are in {}", directory.display()));
}

/// Through the Engine, not through the host: it may have no power.
fn copy(host: &Host, directory: &Path) -> Result<()> {
    std::fs::create_dir_all(directory)
        .map_err(|e| Error::new(format!("cannot make {}: {e}", directory.display())))?;
    for taken in TAKEN {
        let from = format!("{}:{taken}", host.name());
        let copy = host.docker().invocation(["cp", &from]).args([directory]).uninterruptible();
        let output = host.docker().runner.run(&copy)?;
        if output.code != 0 && !output.stderr.contains("Could not find the file") {
            let why = output.complaint();
            return Err(Error::new(format!("no logs of {}: {why}", host.name)));
        }
    }
    Ok(())
}

/// The last lines that Pacemaker wants noticed; it also logs every step it takes.
fn complaints(log: &str) -> Vec<String> {
    let is_one = |line: &&str| {
        ["warning:", "error:", "crit:", "alert:", "emerg:"].iter().any(|word| line.contains(word))
    };
    let all: Vec<_> = log.lines().filter(is_one).collect();
    all.iter().skip(all.len().saturating_sub(20)).map(|line| (*line).to_owned()).collect()
}
