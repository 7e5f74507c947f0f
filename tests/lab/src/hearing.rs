// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A system log on nodes, which have none: something listens at `/dev/log`, and what is told it can be read.
//! Agents log there, and so does whatever is lent that socket.

use crate::cluster::Cluster;
use crate::site::Host;
use crate::{Result, carry};

/// Where programs log to.
pub const SOCKET: &str = "/dev/log";

const SAID: &str = "/var/log/lab_hears.log";

const PID: &str = "/run/lab_hears.pid";

const STOP: [&str; 7] =
    ["start-stop-daemon", "--stop", "--oknodo", "--retry", "TERM/30", "--pidfile", PID];

/// Listens on every node until this is dropped.
#[derive(Debug)]
pub struct Hearing<'a> {
    nodes: Vec<&'a Host>,
}

impl Drop for Hearing<'_> {
    fn drop(&mut self) {
        for node in &self.nodes {
            let _ = node.run(STOP);
        }
    }
}

impl<'a> Hearing<'a> {
    /// Makes the socket on every node, and waits until it is there.
    ///
    /// # Errors
    /// A node refuses.
    pub fn start(cluster: &'a Cluster) -> Result<Self> {
        let mut hearing = Self { nodes: Vec::new() };
        for node in cluster.nodes() {
            let program = carry::program(cluster, node)?;
            // Of one that was killed.
            node.ok(["rm", "-f", SOCKET, SAID])?;
            let start = ["start-stop-daemon", "--start", "--background", "--output", SAID];
            let record = ["--make-pidfile", "--pidfile", PID, "--startas", &program, "--"];
            node.ok(start.into_iter().chain(record).chain(["hear", SOCKET]))?;
            hearing.nodes.push(node);
        }
        for node in &hearing.nodes {
            let limit = std::time::Duration::from_secs(30);
            let what = format!("{SOCKET} being there on {}", node.name);
            cluster.docker().runner.poll(&what, limit, || {
                Ok((node.run(["test", "-S", SOCKET])?.code == 0).then_some(()))
            })?;
        }
        Ok(hearing)
    }

    /// The lines that a node was told and that have this text, each with its priority in front.
    ///
    /// # Errors
    /// The node does not answer.
    pub fn lines(node: &Host, text: &str) -> Result<Vec<String>> {
        let said = node.run(["grep", "-F", "-e", text, SAID])?.stdout;
        Ok(said.lines().map(str::to_owned).collect())
    }
}
