// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Live takeover: our packages come and go beside Debian's shell agents while a cluster's resources
//! run, and nothing notices.
//!
//! Whoever started a resource, the other one monitors, promotes, demotes and stops it. All the
//! while there are two witnesses on both nodes: the log of Pacemaker's executor with every call it
//! made, and monitors called without a pause whenever dpkg works.

pub mod address;
pub mod container;
pub mod files;
pub mod resources;
pub mod watch;
pub mod web;

use crate::beside::{PACKAGES, Version, dpkg, install, reinstall_debians};
use crate::checks::{EQUIPPED, Evidence};
use crate::cluster::{AGENT_DIR, Cluster, NODES, Plan};
use crate::executor::Call;
use crate::packages::{COLLECTION, NAMES, Packages};
use crate::process::Output;
use crate::progress::Progress;
use crate::site::{Host, sibling};
use crate::{Error, Lab, Result, executor, logs};
use container::Started;
use files::Files;
use resources::{RESOURCES, STATEFUL, TOP, monitors_on, right_code};
use std::collections::BTreeMap;
use std::path::Path;
use watch::{CALLER, Watch};

/// Takes the names from the shell agents and gives them back, in a cluster that runs. Of `plan`, the
/// packages come last; `newer` is another version of them.
///
/// # Errors
/// The first step that doesn't show what it claims; the nodes' logs are in `logs` then.
pub fn run(
    lab: &Lab,
    progress: &Progress,
    plan: Plan<'_>,
    newer: &Packages,
    logs: &Path,
) -> Result<()> {
    let versions = [(plan.packages, PACKAGES), (newer, "/mnt/newer-packages")];
    let lent = |(packages, there): Version<'_>| {
        (packages.directory().to_string_lossy().into_owned(), there.to_owned())
    };
    let mut mounts = versions.map(lent).to_vec();
    mounts.push((sibling("lab_calls")?.to_string_lossy().into_owned(), CALLER.to_owned()));
    let plan = Plan { has_shell_agents: true, lent: mounts, ..plan };
    Cluster::images(lab, progress, &plan)?;
    let cluster = Cluster::prepare(lab, progress, &plan)?;
    let story = Story { cluster: &cluster, progress, versions };
    let told = story.tell();
    if let Err(Error::Failed(_)) = told {
        logs::collect(&cluster, logs, progress);
    }
    told.and(cluster.site.close())
}

struct Story<'a> {
    cluster: &'a Cluster,
    progress: &'a Progress,
    versions: [Version<'a>; 2],
}

impl Story<'_> {
    fn tell(&self) -> Result<()> {
        let [first, second] = self.versions;
        self.step("two nodes with Debian's shell agents come up", || {
            self.cluster.boot()?;
            (EQUIPPED.run)(self.cluster)?;
            self.cluster.add_fencing()
        })?;
        let mut before = Vec::new();
        self.step("what is on the nodes' disks is taken down", || {
            before = self.files()?;
            Ok(before
                .iter()
                .map(|(node, files)| format!("{node}: {} lines", files.count()))
                .collect())
        })?;
        self.step(
            "the shell agents start Dummy, Dummy, docker, IPaddr2, apache and Stateful",
            || self.create(),
        )?;
        let started = Started::of(self.cluster)?;
        let server = web::Started::of(self.cluster)?;
        let probing = address::probe(self.cluster)?;
        self.step("our packages are installed", || {
            self.under_watch(true, |node| install(node, first))
        })?;
        self.step("ours go on: the promoted role moves", || self.move_promotion(true))?;
        self.step("our packages are upgraded", || {
            self.under_watch(true, |node| install(node, second))
        })?;
        self.step("resource-agents and pacemaker-resource-agents are installed again", || {
            self.under_watch(true, reinstall_debians)
        })?;
        self.step("ours go on, and back", || self.move_promotion(true))?;
        self.step("no container was started anew", || started.require_same(self.cluster))?;
        self.step("nor the web server", || server.require_same(self.cluster))?;
        self.step("no probe was lost", || address::require_all_answered(probing))?;
        self.step("ours stop what the shell agents started", || self.stop_all(true))?;
        self.step("ours start all six", || self.start_all(true))?;
        let started = Started::of(self.cluster)?;
        let server = web::Started::of(self.cluster)?;
        let probing = address::probe(self.cluster)?;
        self.step("our taking of names is removed", || {
            self.under_watch(false, |node| dpkg(node, ["--remove", NAMES]))
        })?;
        self.step("the shell agents go on: the promoted role moves", || {
            self.move_promotion(false)
        })?;
        self.step("our packages are installed again", || {
            self.under_watch(true, |node| install(node, second))
        })?;
        self.step("our packages are purged", || {
            self.under_watch(false, |node| dpkg(node, ["--purge", NAMES, COLLECTION]))
        })?;
        self.step("no container was started anew", || started.require_same(self.cluster))?;
        self.step("nor the web server", || server.require_same(self.cluster))?;
        self.step("no probe was lost", || address::require_all_answered(probing))?;
        self.step("the shell agents stop all six", || self.stop_all(false))?;
        self.step("the nodes' disks are what they were, byte for byte", || self.compare(&before))
    }

    /// A step, after which everything that Pacemaker ever ran must have been right.
    fn step(&self, name: &str, run: impl FnOnce() -> Result<Evidence>) -> Result<()> {
        let evidence = self.progress.step(name, || {
            let mut evidence = run()?;
            evidence.extend(self.executed()?);
            Ok(evidence)
        })?;
        self.progress.evidence(evidence);
        Ok(())
    }

    fn files(&self) -> Result<Vec<(String, Files)>> {
        self.cluster.nodes().map(|node| Ok((node.name.clone(), Files::of(node)?))).collect()
    }

    fn compare(&self, before: &[(String, Files)]) -> Result<Evidence> {
        for ((node, was), (_, is)) in before.iter().zip(self.files()?) {
            was.require_same(&is, node)?;
        }
        for node in self.cluster.nodes() {
            let audit = node.ok(["dpkg", "--audit"])?.stdout;
            let verify = ["dpkg", "--verify", "resource-agents", "pacemaker-resource-agents"];
            let verify = node.ok(verify)?.stdout;
            if let Some(line) = audit.lines().chain(verify.lines()).next() {
                return Err(Error::new(format!("{}: dpkg complains: {line}", node.name)));
            }
        }
        Ok(vec!["files, manual pages and diversions; dpkg --audit and --verify are silent".into()])
    }

    fn create(&self) -> Result<Evidence> {
        for ((id, agent), node) in RESOURCES.into_iter().zip(NODES) {
            let agent = format!("ocf:{}", agent.replace('/', ":"));
            self.cluster.pcs(["resource", "create", id, &agent, "op", "monitor", "interval=1s"])?;
            self.cluster.pcs(["constraint", "location", id, "prefers", node])?;
        }
        container::create(self.cluster)?;
        address::create(self.cluster)?;
        web::create(self.cluster)?;
        let create = ["resource", "create", STATEFUL, "ocf:pacemaker:Stateful", "op"];
        let monitors = [
            "monitor",
            "interval=1s",
            "role=Promoted",
            "monitor",
            "interval=2s",
            "role=Unpromoted",
        ];
        self.cluster.pcs(create.into_iter().chain(monitors).chain(["promotable"]))?;
        self.wait_for_roles()?;
        self.require_agents(false)
    }

    /// One role each, and Stateful two.
    fn wait_for_roles(&self) -> Result<()> {
        let places = [
            (RESOURCES[0].0, "Started"),
            (RESOURCES[1].0, "Started"),
            (container::ID, "Started"),
            (address::ID, "Started"),
            (web::ID, "Started"),
            (STATEFUL, "Promoted"),
            (STATEFUL, "Unpromoted"),
        ];
        self.cluster.wait("all six being up", |status| {
            for (id, _) in RESOURCES {
                status.trouble(id).map_or(Ok(()), |trouble| Err(Error::new(trouble)))?;
            }
            Ok(places.iter().all(|(id, role)| status.place(id, role).is_some()).then_some(()))
        })
    }

    /// Whose agents stand at the names on both nodes: ours or Debian's.
    fn require_agents(&self, are_ours: bool) -> Result<Evidence> {
        let mut evidence = Evidence::new();
        for node in self.cluster.nodes() {
            for (_, agent) in RESOURCES {
                let path = format!("{AGENT_DIR}/{agent}");
                let target = node.ok(["readlink", "--canonicalize-existing", &path])?.stdout;
                let is_binary = node.ok(["head", "-c", "4", &path])?.stdout.ends_with("ELF");
                let is_ours = target.contains("/ocf-agents/");
                if (is_ours, is_binary) != (are_ours, are_ours) {
                    let target = target.trim();
                    return Err(Error::new(format!("{}: {path} is {target}", node.name)));
                }
            }
            let whose = if are_ours { "ours" } else { "shell agents" };
            evidence.push(format!("{}: {whose} at the six names", node.name));
        }
        Ok(evidence)
    }

    /// Lets dpkg work on one node after the other while monitors are called without a pause on both,
    /// and until Pacemaker's own have come round twice more.
    fn under_watch(
        &self,
        are_ours: bool,
        work: impl Fn(&Host) -> Result<Output>,
    ) -> Result<Evidence> {
        let status = self.cluster.status()?;
        let start = |node| Watch::start(node, monitors_on(&status, node));
        let watches = self.cluster.nodes().map(start).collect::<Result<Vec<_>>>()?;
        for node in self.cluster.nodes() {
            work(node)?;
        }
        self.wait_for_monitors()?;
        let mut evidence = self.require_agents(are_ours)?;
        for watch in watches {
            let node = watch.node.name.clone();
            evidence.push(format!("{node}, called without a pause: {}", watch.end()?.join(", ")));
        }
        Ok(evidence)
    }

    fn move_promotion(&self, are_ours: bool) -> Result<Evidence> {
        let status = self.cluster.status()?;
        let from = status.place(STATEFUL, "Promoted").unwrap_or_default();
        let to = self.cluster.other(from);
        let clone = ["--resource", "stateful-clone"];
        let place = ["crm_resource", "--move", "--promoted", "--node", to];
        self.cluster.ok(place.into_iter().chain(clone))?;
        self.cluster.wait("the promoted role being moved", |status| {
            let is_moved = status.place(STATEFUL, "Promoted") == Some(to)
                && status.place(STATEFUL, "Unpromoted") == Some(from);
            let trouble = status.trouble(STATEFUL);
            trouble.map_or(Ok(is_moved.then_some(())), |trouble| Err(Error::new(trouble)))
        })?;
        self.cluster.ok(["crm_resource", "--clear"].into_iter().chain(clone))?;
        self.wait_for_monitors()?;
        let mut evidence = self.require_agents(are_ours)?;
        evidence.push(format!("demoted on {from}, promoted on {to}"));
        Ok(evidence)
    }

    fn start_all(&self, are_ours: bool) -> Result<Evidence> {
        self.cluster.pcs(["resource", "enable"].into_iter().chain(TOP))?;
        self.wait_for_roles()?;
        self.wait_for_monitors()?;
        self.require_agents(are_ours)
    }

    fn stop_all(&self, are_ours: bool) -> Result<Evidence> {
        self.cluster.pcs(["resource", "disable"].into_iter().chain(TOP))?;
        self.cluster.wait("all six being stopped", |status| {
            for (id, _) in RESOURCES {
                status.trouble(id).map_or(Ok(()), |trouble| Err(Error::new(trouble)))?;
            }
            let mut active = RESOURCES.iter().flat_map(|(id, _)| status.instances(id));
            Ok((!active.any(|instance| instance.is_active)).then_some(()))
        })?;
        for node in self.cluster.nodes() {
            let left = node.ok(["find", "/run", "-xdev", "-name", "*.state"])?.stdout;
            if let Some(file) = left.lines().next() {
                return Err(Error::new(format!("{file} is left on {}", node.name)));
            }
        }
        container::expect_none(self.cluster)?;
        address::expect_none(self.cluster, are_ours)?;
        web::expect_none(self.cluster)?;
        let mut evidence = self.require_agents(are_ours)?;
        evidence
            .push("no state file, container, address or web server is left on either node".into());
        Ok(evidence)
    }

    /// Waits until every instance that runs was monitored by Pacemaker twice more.
    fn wait_for_monitors(&self) -> Result<()> {
        let before = self.monitored()?;
        let status = self.cluster.status()?;
        self.cluster.wait("Pacemaker's monitors coming round twice", |_| {
            let now = self.monitored()?;
            let is_done = self.cluster.nodes().all(|node| {
                monitors_on(&status, node).into_iter().all(|monitor| {
                    let key = (node.name.clone(), monitor.instance);
                    let count = |in_: &BTreeMap<_, u64>| in_.get(&key).copied().unwrap_or(0);
                    count(&now) >= count(&before) + 2
                })
            });
            Ok(is_done.then_some(()))
        })
    }

    /// How many recurring monitors of a resource there were on a node.
    fn monitored(&self) -> Result<BTreeMap<(String, String), u64>> {
        let mut counts = BTreeMap::new();
        for node in self.cluster.nodes() {
            for call in executor::calls(node)?.into_iter().filter(|call| call.interval > 0) {
                *counts.entry((node.name.clone(), call.resource)).or_insert(0) += 1;
            }
        }
        Ok(counts)
    }

    /// All that Pacemaker's executors ran so far of the six, in numbers.
    fn executed(&self) -> Result<Evidence> {
        let mut evidence = Evidence::new();
        for node in self.cluster.nodes() {
            let mut counts: BTreeMap<_, u64> = BTreeMap::new();
            let is_one = |call: &Call| RESOURCES.iter().any(|(id, _)| *id == call.resource);
            for call in executor::calls(node)?.into_iter().filter(is_one) {
                let right = right_code(&call);
                if call.code != Some(right) {
                    let line = call.line;
                    return Err(Error::new(format!("{right} was right, but: {line}")));
                }
                *counts.entry((call.task, right)).or_default() += 1;
            }
            let counts = counts.iter().map(|((task, code), n)| format!("{n} x {task} {code}"));
            let counts: Vec<_> = counts.collect();
            evidence.push(format!("{}, Pacemaker so far: {}", node.name, counts.join(", ")));
        }
        Ok(evidence)
    }
}
