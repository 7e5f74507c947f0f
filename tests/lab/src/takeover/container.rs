// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A container that one agent starts and the other one monitors and stops.

use crate::checks::{Evidence, running_on};
use crate::cluster::Cluster;
use crate::{Error, Result, carry};

/// The resource, and so the container's name.
pub const ID: &str = "container";

/// What every call of its agent needs to be told.
pub const IMAGE: &str = "image=lab/service:1";

/// Makes the resource, with a command that judges the service, which a monitor of either agent runs
/// in the container.
///
/// # Errors
/// An Engine or pcs refuses.
pub fn create(cluster: &Cluster) -> Result<()> {
    carry::service(cluster)?;
    let create = ["resource", "create", ID, "ocf:heartbeat:docker", IMAGE];
    let judge = ["monitor_cmd=/lab_service well", "run_opts=--log-driver=json-file -e LAB=1"];
    cluster.pcs(create.into_iter().chain(judge).chain(["op", "monitor", "interval=1s"]))?;
    Ok(())
}

/// Which container runs where, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    node: String,
    /// Its number at the Engine, and the time it was started at.
    identity: String,
}

impl Started {
    /// Looks at the container.
    ///
    /// # Errors
    /// It doesn't run where Pacemaker says.
    pub fn of(cluster: &Cluster) -> Result<Self> {
        let status = cluster.status()?;
        let node = running_on(&status, ID)?.to_owned();
        let format = "{{.Id}} {{.State.Running}} {{.State.StartedAt}} {{.RestartCount}}";
        let ask = ["docker", "inspect", "--type", "container", "--format", format, ID];
        let identity = cluster.node(&node)?.ok(ask)?.stdout.trim().to_owned();
        Ok(Self { node, identity })
    }

    /// An error unless it is the one that it was, and was never started anew.
    ///
    /// # Errors
    /// It isn't.
    pub fn require_same(&self, cluster: &Cluster) -> Result<Evidence> {
        let now = Self::of(cluster)?;
        if now == *self {
            return Ok(vec![format!("{}: container {ID} is still {}", self.node, self.identity)]);
        }
        Err(Error::new(format!("container {ID} was {self:?} and is {now:?}")))
    }
}

/// An error if there is a container on any node.
///
/// # Errors
/// There is.
pub fn expect_none(cluster: &Cluster) -> Result<()> {
    for node in cluster.nodes() {
        let left = node.ok(["docker", "ps", "--all", "--format", "{{.Names}} {{.Status}}"])?.stdout;
        if let Some(container) = left.lines().next() {
            return Err(Error::new(format!("container {container} is left on {}", node.name)));
        }
    }
    Ok(())
}
