// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A web server that one agent starts and the other one monitors and stops: Debian's, as it is installed, and
//! without a parameter.

use crate::checks::{Evidence, running_on};
use crate::cluster::Cluster;
use crate::{Error, Result};

/// The resource.
pub const ID: &str = "web";

/// Where Debian's configuration has the server write its number.
const PID_FILE: &str = "/run/apache2/apache2.pid";

/// Makes the resource.
///
/// # Errors
/// A node or pcs refuses.
pub fn create(cluster: &Cluster) -> Result<()> {
    // What every booted Debian has; the shell agent's server can't do without.
    for node in cluster.nodes() {
        node.ok(["install", "-d", "-m", "1777", "/run/lock"])?;
    }
    let create = ["resource", "create", ID, "ocf:heartbeat:apache"];
    cluster.pcs(create.into_iter().chain(["op", "monitor", "interval=1s"])).map(|_| ())
}

/// Which server runs where, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    node: String,
    /// Its number, and when it started (proc_pid_stat(5), field 22).
    identity: (String, String),
}

impl Started {
    /// Looks at the server.
    ///
    /// # Errors
    /// It doesn't run where Pacemaker says.
    pub fn of(cluster: &Cluster) -> Result<Self> {
        let status = cluster.status()?;
        let node = running_on(&status, ID)?.to_owned();
        let host = cluster.node(&node)?;
        let pid = host.ok(["cat", PID_FILE])?.stdout.trim().to_owned();
        let stat = host.ok(["cat", &format!("/proc/{pid}/stat")])?.stdout;
        // Its name, in parentheses, is the second field, and has no blank.
        let started = stat.split_whitespace().nth(21).unwrap_or_default().to_owned();
        Ok(Self { node, identity: (pid, started) })
    }

    /// An error unless it is the one that it was.
    ///
    /// # Errors
    /// It isn't.
    pub fn require_same(&self, cluster: &Cluster) -> Result<Evidence> {
        let now = Self::of(cluster)?;
        if now == *self {
            return Ok(vec![format!(
                "{}: the web server is still process {}",
                self.node, self.identity.0
            )]);
        }
        Err(Error::new(format!("the web server was {self:?} and is {now:?}")))
    }
}

/// An error if any node has a process of the server.
///
/// # Errors
/// It has.
pub fn expect_none(cluster: &Cluster) -> Result<()> {
    for node in cluster.nodes() {
        let found = node.run(["pgrep", "--exact", "--list-full", "apache2"])?.stdout;
        if let Some(process) = found.lines().next() {
            return Err(Error::new(format!("process {process} is left on {}", node.name)));
        }
    }
    Ok(())
}
