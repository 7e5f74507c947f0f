// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A remote node: `ocf:pacemaker:remote` at work.
//!
//! The controller makes the connection itself; the agent's file gives its meta-data, from which
//! pcs makes the resource. That it is right is shown by pcs having no complaint about it, and by
//! a connection that comes up and stays, with a resource on the other end of it. In a cluster of its own, because a second
//! node would be given some of the other checks' resources.

use crate::checks::Evidence;
use crate::cluster::{Agent, CAPABILITIES, Cluster, NODE, install};
use crate::image::REMOTE_ROOT;
use crate::node::{Node, Spec};
use crate::{Error, Lab, Result};
use std::time::{Duration, Instant};

/// Name of the remote node, and of the resource that is the connection to it.
const REMOTE: &str = "remote1";

/// The resource that is placed on it.
const GUEST: &str = "on-remote1";

/// Addresses of the documentation's network (RFC 5737): seen by these two containers only.
const NODE_ADDRESS: &str = "192.0.2.1/24";
const REMOTE_ADDRESS: &str = "192.0.2.2/24";

/// A cluster of one node with a remote node.
#[derive(Debug)]
pub struct RemotePair {
    /// The cluster.
    pub cluster: Cluster,
    remote: Node,
    joined: Option<Instant>,
}

impl RemotePair {
    /// Starts both containers and the cable between them; no daemon yet.
    ///
    /// # Errors
    /// The Engine or the kernel refuses.
    pub fn prepare(lab: &Lab, agents: &[Agent]) -> Result<Self> {
        let address = REMOTE_ADDRESS.split('/').next().unwrap_or_default().to_owned();
        let spec = |hostname: &str| Spec {
            hostname: hostname.to_owned(),
            capabilities: CAPABILITIES.map(str::to_owned).to_vec(),
            hosts: vec![(REMOTE.to_owned(), address.clone())],
            ..Spec::default()
        };
        let node = lab.node(spec(NODE))?;
        let remote = lab.node(spec(REMOTE))?;
        node.link(NODE_ADDRESS, &remote, REMOTE_ADDRESS)?;
        let cluster = Cluster { node, agents: agents.to_vec() };
        Ok(Self { cluster, remote, joined: None })
    }

    /// Makes the remote node a part of the cluster and gives it something to run.
    ///
    /// # Errors
    /// It doesn't come up.
    pub fn join(&mut self) -> Result<Evidence> {
        for node in [&self.cluster.node, &self.remote] {
            install(&self.cluster.agents, node)?;
        }
        self.remote.start_in_background(&[&format!("{REMOTE_ROOT}/usr/sbin/pacemaker-remoted")])?;
        self.cluster.boot()?;
        // pcs would rather set the other machine up by itself, which takes its daemon there.
        let create = ["resource", "create", REMOTE, "ocf:pacemaker:remote", "--force"];
        let said = self.cluster.pcs(create)?.stderr;
        if let Some(complaint) = said.lines().find(|line| line.contains("metadata")) {
            return Err(Error::new(complaint));
        }
        self.cluster.wait("the remote node being online", |status| {
            match status.trouble(REMOTE) {
                Some(trouble) => Err(Error::new(trouble)),
                None => Ok(status.online.iter().any(|name| name == REMOTE).then_some(())),
            }
        })?;
        self.joined = Some(Instant::now());
        self.cluster.pcs(["resource", "create", GUEST, "ocf:pacemaker:Dummy"])?;
        self.cluster.pcs(["constraint", "location", GUEST, "prefers", REMOTE])?;
        self.cluster.wait("a resource running on the remote node", |status| {
            Ok(status.resources.iter().any(|r| r.id == GUEST && r.node == REMOTE).then_some(()))
        })?;
        self.remote.ok(["test", "-e", &format!("/run/Dummy-{GUEST}.state")])?;
        let mut evidence = vec![format!("pcs {}", create.join(" "))];
        evidence.extend(self.cluster.crm_mon_about(REMOTE)?);
        Ok(evidence)
    }

    /// Waits until the connection has held for `time`, and looks whether anything went wrong.
    ///
    /// # Errors
    /// Something did, or the remote node never joined.
    pub fn holds(&self, time: Duration) -> Result<Evidence> {
        let joined = self.joined.ok_or_else(|| Error::new("the remote node never joined"))?;
        loop {
            let status = self.cluster.status()?;
            let trouble = [REMOTE, GUEST].into_iter().find_map(|id| status.trouble(id));
            if let Some(trouble) = trouble {
                return Err(Error::new(trouble));
            }
            if !status.online.iter().any(|name| name == REMOTE) {
                return Err(Error::new("the remote node is offline"));
            }
            if joined.elapsed() >= time {
                let held = joined.elapsed().as_secs();
                return Ok(vec![format!("{REMOTE} online for {held} s, no failed action")]);
            }
            self.cluster.node.docker().runner.pause(Duration::from_millis(500))?;
        }
    }
}
