// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A cluster of real nodes: corosync, Pacemaker, fencing, and our packages in place of the shell
//! agents.

use crate::docker::Docker;
use crate::packages::Packages;
use crate::power::{self, Role};
use crate::process::Output;
use crate::progress::Progress;
use crate::recipe::Kind;
use crate::release::Release;
use crate::site::{Host, Place, Site};
use crate::status::Status;
use crate::{Error, Lab, Result, beside, configuration};
use std::time::Duration;

/// Where Pacemaker looks for agents.
pub const AGENT_DIR: &str = "/usr/lib/ocf/resource.d";

/// The third host's name.
pub const OUTSIDE: &str = "outside";

/// The nodes' names.
pub const NODES: [&str; 2] = ["node1", "node2"];

/// Names of hosts for Pacemaker Remote.
pub const REMOTES: [&str; 2] = ["remote1", "remote2"];

const ADDRESSES: [&str; 2] = ["192.0.2.11/24", "192.0.2.12/24"];

/// Addresses of the hosts for Pacemaker Remote, with the prefix of the network.
pub const REMOTE_ADDRESSES: [&str; 2] = ["192.0.2.21/24", "192.0.2.22/24"];

const OUTSIDE_ADDRESS: &str = "192.0.2.1/24";

/// How long anything a cluster is waited for may take. A fenced node's return is the longest.
const LIMIT: Duration = Duration::from_secs(120);

/// What a cluster is to be.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    /// Which Debian its nodes are.
    pub release: Release,
    /// Our packages, which are on all of them.
    pub packages: &'a Packages,
    /// Whether the nodes have Debian's shell agents, and not our packages.
    pub has_shell_agents: bool,
    /// Directories of this machine that the nodes are lent, read-only: here, and on the node.
    pub lent: Vec<(String, String)>,
    /// Whether there are two more hosts for Pacemaker Remote.
    pub has_remotes: bool,
    /// Whether it stays when the run ends.
    pub is_kept: bool,
}

impl Plan<'_> {
    /// The same with Debian's shell agents on the nodes, and our packages lent to them.
    #[must_use]
    pub fn beside_shell_agents(self) -> Self {
        let packages = self.packages.directory().to_string_lossy().into_owned();
        let lent = vec![(packages, beside::PACKAGES.to_owned())];
        Self { has_shell_agents: true, has_remotes: false, lent, ..self }
    }

    fn node(&self) -> Kind {
        if self.has_shell_agents { Kind::Peers(self.release) } else { Kind::Node(self.release) }
    }
}

/// Two nodes, a fence device, a third host to ask from.
#[derive(Debug)]
pub struct Cluster {
    /// The hosts and the network.
    pub site: Site,
    /// Which Debian its nodes are.
    pub release: Release,
}

impl Cluster {
    /// Makes the images of a plan that are not here yet.
    ///
    /// # Errors
    /// As [`crate::image::ensure`].
    pub fn images(lab: &Lab, progress: &Progress, plan: &Plan<'_>) -> Result<()> {
        let remote = plan.has_remotes.then_some(Kind::Remote(plan.release));
        for kind in [Some(plan.node()), remote].into_iter().flatten() {
            lab.image(progress, kind, Some(plan.packages))?;
        }
        Ok(())
    }

    /// Makes the hosts. Neither corosync nor Pacemaker runs yet; see [`Self::boot`].
    ///
    /// # Errors
    /// An image cannot be made, or the Engine refuses a host.
    pub fn prepare(lab: &Lab, progress: &Progress, plan: &Plan<'_>) -> Result<Self> {
        let image = |kind| lab.image(progress, kind, Some(plan.packages));
        let node = image(plan.node())?;
        let place = |name: &str, role, address, image: &str| Place {
            name: name.to_owned(),
            role,
            address,
            image: image.to_owned(),
            lent: if role == Role::Member { plan.lent.clone() } else { Vec::new() },
        };
        let mut places = vec![place(OUTSIDE, Role::Outside, OUTSIDE_ADDRESS, &node)];
        let nodes = NODES.iter().zip(ADDRESSES);
        places.extend(nodes.map(|(name, address)| place(name, Role::Member, address, &node)));
        if plan.has_remotes {
            let remote = image(Kind::Remote(plan.release))?;
            let remotes = REMOTES.iter().zip(REMOTE_ADDRESSES);
            places.extend(remotes.map(|(name, a)| place(name, Role::Remote, a, &remote)));
        }
        let site = Site::open(lab, &places, plan.is_kept)?;
        Ok(Self { site, release: plan.release })
    }

    /// Starts the Engines, corosync and Pacemaker, and waits until the nodes have a controller.
    ///
    /// # Errors
    /// Something does not start, or no controller is elected.
    pub fn boot(&self) -> Result<()> {
        let members: Vec<_> = NODES.into_iter().zip(ADDRESSES).collect();
        for node in self.nodes() {
            let root = ("root", "root");
            let corosync = configuration::corosync(&members);
            node.write_file("/etc/corosync/corosync.conf", root, "0644", &corosync)?;
            let owner = ("hacluster", "haclient");
            let cib = "/var/lib/pacemaker/cib/cib.xml";
            node.write_file(cib, owner, "0600", configuration::FIRST_CIB)?;
        }
        for host in self.site.hosts() {
            // The key that both ends of a remote connection know; see `configuration`.
            host.write_file(
                "/etc/pacemaker/authkey",
                ("root", "haclient"),
                "0640",
                &configuration::remote_key(),
            )?;
            power::boot(host)?;
        }
        self.wait("both nodes being online, and a controller (DC)", |status| {
            let is_up = status.has_dc && NODES.iter().all(|node| status.is_healthy(node));
            Ok(is_up.then_some(()))
        })
    }

    /// Makes the fence device known to the cluster: one fence resource a node. The delay lets one
    /// of two nodes that want to fence each other be first.
    ///
    /// # Errors
    /// pcs refuses, or a resource doesn't start.
    pub fn add_fencing(&self) -> Result<Vec<String>> {
        let mut shown = Vec::new();
        for (node, delay) in NODES.into_iter().zip([Some("pcmk_delay_base=node1:2s"), None]) {
            let (id, host) = (fence_id(node), format!("pcmk_host_list={node}"));
            let mut create = vec!["stonith", "create", &id, "fence_lab", &host];
            create.extend(delay);
            self.pcs(create.iter().copied())?;
            shown.push(format!("pcs {}", create.join(" ")));
        }
        self.wait("the fence resources being started", |status| {
            let is_up = |node: &&str| status.role(&fence_id(node)) == "Started";
            Ok(NODES.iter().all(is_up).then_some(()))
        })?;
        Ok(shown)
    }

    /// The nodes' hosts.
    pub fn nodes(&self) -> impl Iterator<Item = &Host> {
        self.site.hosts().iter().filter(|host| host.role == Role::Member)
    }

    /// A node's host.
    ///
    /// # Errors
    /// There is no such node.
    pub fn node(&self, name: &str) -> Result<&Host> {
        self.site.host(name)
    }

    /// The other node.
    #[must_use]
    pub fn other(&self, node: &str) -> &'static str {
        NODES.into_iter().find(|other| *other != node).unwrap_or(NODES[0])
    }

    /// The node to ask: the first whose Pacemaker knows a controller.
    fn asked(&self) -> Result<(&Host, Status)> {
        let mut last = Error::new("no node has power");
        for node in self.nodes() {
            match self.status_of(node) {
                Ok(status) if status.has_dc => return Ok((node, status)),
                Ok(_) => last = Error::new(format!("{}: there is no controller (DC)", node.name)),
                Err(failed @ Error::Failed(_)) => last = failed,
                Err(interrupted) => return Err(interrupted),
            }
        }
        Err(last)
    }

    /// The cluster as one node sees it.
    ///
    /// # Errors
    /// Its Pacemaker does not answer.
    pub fn status_of(&self, node: &Host) -> Result<Status> {
        // A daemon of it may be frozen.
        let look = node.invocation(CRM_MON_XML).limit(Duration::from_secs(10));
        let monitor = self.docker().runner.run(&look)?;
        if monitor.code == 0 {
            return Status::parse(&monitor.stdout);
        }
        Err(Error::new(format!("{}: {}", node.name, monitor.complaint())))
    }

    /// One look at the cluster.
    ///
    /// # Errors
    /// No node's Pacemaker answers.
    pub fn status(&self) -> Result<Status> {
        self.asked().map(|(_, status)| status)
    }

    /// `crm_mon` as a person sees it: resources, failed actions with exit reasons, fail counts.
    ///
    /// # Errors
    /// Pacemaker does not answer.
    pub fn crm_mon(&self) -> Result<Vec<String>> {
        let args = ["crm_mon", "--one-shot", "--inactive", "--failcounts"];
        Ok(self.ok(args)?.stdout.lines().map(str::to_owned).collect())
    }

    /// The lines of [`Self::crm_mon`] that speak of a resource, and those set off below them.
    ///
    /// # Errors
    /// Pacemaker does not answer.
    pub fn crm_mon_about(&self, id: &str) -> Result<Vec<String>> {
        Ok(about(id, &self.crm_mon()?))
    }

    /// Looks at the cluster until `find` finds what it wants. While no node answers, that is
    /// waited for too.
    ///
    /// # Errors
    /// It doesn't within two minutes (`what`, in words), or `find` gives up.
    pub fn wait<T>(
        &self,
        what: &str,
        mut find: impl FnMut(&Status) -> Result<Option<T>>,
    ) -> Result<T> {
        self.docker().runner.poll(what, LIMIT, || {
            self.site.require_device()?;
            match self.asked() {
                Ok((_, status)) => find(&status),
                Err(Error::Failed(_)) => Ok(None),
                Err(interrupted) => Err(interrupted),
            }
        })
    }

    /// Runs a command on a node that knows a controller, and expects code 0.
    ///
    /// # Errors
    /// No node answers, or the code is another.
    pub fn ok<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Result<Output> {
        self.asked()?.0.ok(args)
    }

    /// Runs pcs as an operator would.
    ///
    /// # Errors
    /// pcs refuses.
    pub fn pcs<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Result<Output> {
        self.ok(std::iter::once("pcs").chain(args))
    }

    /// Cuts a node's power, as a hand at the plug does: the cluster isn't told.
    ///
    /// # Errors
    /// There is no such node.
    pub fn cut_power(&self, node: &str) -> Result<()> {
        power::off(self.node(node)?)
    }

    /// Waits until a node is back from a fencing: it has power, and the cluster has it again.
    ///
    /// # Errors
    /// It isn't within two minutes.
    pub fn wait_for_return(&self, node: &str) -> Result<()> {
        self.wait(&format!("{node} being back"), |status| {
            let all = NODES.iter().all(|node| status.is_healthy(node));
            Ok((all && power::is_on(self.node(node)?)?).then_some(()))
        })
    }

    /// The operations that a node's log tells of for a resource, in order, with their results.
    ///
    /// # Errors
    /// The node does not answer.
    pub fn logged_operations(&self, id: &str, node: &str) -> Result<Vec<(String, String)>> {
        let about = format!("operation for {id} on {node}:");
        let log = self.node(node)?.run(["grep", "-F", &about, PACEMAKER_LOG])?;
        Ok(log.stdout.lines().filter_map(parse_result).collect())
    }

    /// The Engine the hosts are on.
    #[must_use]
    pub fn docker(&self) -> &Docker {
        self.site.docker()
    }
}

/// Pacemaker's log on a node.
pub const PACEMAKER_LOG: &str = "/var/log/pacemaker/pacemaker.log";

/// The id of the fence resource for a node.
#[must_use]
pub fn fence_id(node: &str) -> String {
    format!("fence-{node}")
}

const CRM_MON_XML: [&str; 8] = [
    "crm_mon",
    "--one-shot",
    "--output-as",
    "xml",
    "--inactive",
    "--operations",
    "--failcounts",
    "--show-node-attributes",
];

/// The lines that name `id`, each with the lines that are set off below it.
fn about(id: &str, lines: &[String]) -> Vec<String> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let names = |line: &str| line.split([' ', ':', '\t', '[', ']']).any(|word| word == id);
    let mut found = Vec::new();
    let mut below = None;
    for line in lines {
        if names(line) {
            below = Some(depth(line));
        } else if below.is_none_or(|above| depth(line) <= above) {
            below = None;
            continue;
        }
        found.push(line.trim().to_owned());
    }
    found
}

/// Operation and result in a line of the controller's log; Pacemaker 3 writes the result with a
/// capital letter.
fn parse_result(line: &str) -> Option<(String, String)> {
    let (_, rest) = line.split_once("Result of ")?;
    let (operation, rest) = rest.split_once(" operation for ")?;
    let (_, result) = rest.split_once(": ")?;
    let result = result.split([' ', '|', '(']).next().unwrap_or(result);
    Some((operation.to_owned(), result.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clones_instances_are_shown_with_it() {
        let lines = [
            "  * a\t(ocf:heartbeat:Dummy):\t Started node1",
            "  * Clone Set: s-clone [s] (promotable):",
            "    * Promoted: [ node1 ]",
            "    * Unpromoted: [ node2 ]",
            "  * b\t(ocf:heartbeat:Dummy):\t Started node2",
        ]
        .map(str::to_owned);
        let wanted = ["Clone Set: s-clone [s] (promotable):", "Promoted:", "Unpromoted:"];
        let shown = about("s", &lines);
        assert_eq!(shown.len(), 3, "{shown:?}");
        assert!(shown.iter().zip(wanted).all(|(line, start)| line.contains(start)), "{shown:?}");
        assert_eq!(about("b", &lines).len(), 1);
    }

    #[test]
    fn results_of_operations_are_read_from_the_log() {
        // As Pacemaker 2.1.5 wrote it.
        let line = "Nov 21 22:14:49.089 node1 pacemaker-controld  [65] (log_executor_event) \
                    \tnotice: Result of reload-agent operation for pdummy on node1: ok | CIB update 72";
        let expected = ("reload-agent".to_owned(), "ok".to_owned());
        assert_eq!(parse_result(line), Some(expected.clone()));
        // As Pacemaker 3.0.0 did.
        assert_eq!(parse_result(&line.replace("ok |", "OK |")), Some(expected));
        assert_eq!(
            parse_result("Requesting local execution of start operation for x on node1"),
            None
        );
    }
}
