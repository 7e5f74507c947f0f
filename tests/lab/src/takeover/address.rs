// SPDX-License-Identifier: Apache-2.0 OR MIT
//! An address that one agent adds and the other one monitors and removes, while the third host asks it for
//! echoes without a pause.

use crate::checks::Evidence;
use crate::cluster::Cluster;
use crate::probing::Probing;
use crate::scenarios::expect_address;
use crate::{Error, Result};

/// The resource.
pub const ID: &str = "address";

/// What every call of its agent needs to be told.
pub const PARAMETER: &str = "ip=192.0.2.43";

const ADDRESS: &str = "192.0.2.43";

/// Makes the resource, and says no more than has to be said: which interface it belongs to is for the
/// agents to find.
///
/// # Errors
/// pcs refuses.
pub fn create(cluster: &Cluster) -> Result<()> {
    let create = ["resource", "create", ID, "ocf:heartbeat:IPaddr2", PARAMETER];
    cluster.pcs(create.into_iter().chain(["op", "monitor", "interval=1s"])).map(|_| ())
}

/// Asks the third host to begin.
///
/// # Errors
/// The address doesn't answer.
pub fn probe(cluster: &Cluster) -> Result<Probing<'_>> {
    Probing::start(cluster, ADDRESS)
}

/// Ends that; not one probe may be lost.
///
/// # Errors
/// One is.
pub fn require_all_answered(probing: Probing<'_>) -> Result<Evidence> {
    let echoes = probing.end()?;
    if echoes.lost > 0 {
        return Err(Error::new(format!("{ADDRESS} didn't answer all the time: {echoes}")));
    }
    Ok(vec![format!("{ADDRESS}, asked by the third host all the time: {echoes}")])
}

/// An error if any node has the address, or one of our agent's files of it where ours stopped it.
///
/// # Errors
/// It has.
pub fn expect_none(cluster: &Cluster, are_ours: bool) -> Result<()> {
    expect_address(cluster, ADDRESS, &[])?;
    for node in cluster.nodes() {
        // The shell agent doesn't know of the file that ours made at its start.
        let verb = if are_ours { "-print" } else { "-delete" };
        let find = ["find", "/run/resource-agents", "-name", "IPaddr2-*", "-type", "f", verb];
        if let Some(file) = node.ok(find)?.stdout.lines().next() {
            return Err(Error::new(format!("{file} is left on {}", node.name)));
        }
    }
    Ok(())
}
