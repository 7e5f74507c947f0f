// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a real Pacemaker is made to do with our agents, and what must then be seen.
//!
//! Each check makes resources of its own, so one that fails spoils no other. It answers with
//! what it saw, for people to read; a check that doesn't see what its name claims is an error.

use crate::cluster::{AGENT_DIR, Cluster, NODES, OUTSIDE};
use crate::packages::{COLLECTION, STANDALONE};
use crate::power::Role;
use crate::scenarios::{expect_same, identity, slate::FIND_STATE_FILES};
use crate::status::Status;
use crate::{Error, Result};
use std::time::Duration;

/// Lines that show what was seen.
pub type Evidence = Vec<String>;

/// One claim and how it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// The claim, as it is printed.
    pub name: &'static str,
    /// Brings it about and looks.
    pub run: fn(&Cluster) -> Result<Evidence>,
}

/// Small claims about one resource each, which disturb no node.
pub const SMALL: [Check; 5] = [
    Check { name: "a lost resource is noticed and recovered", run: loss_is_recovered },
    Check { name: "a parameter is reloaded without a restart", run: reload_is_no_restart },
    Check { name: "a failed start says why", run: failed_start_says_why },
    Check { name: "a start refused by fail_start_on says why", run: refused_start_says_why },
    Check { name: "ocf:pacemaker:remote is described and checked", run: remote_is_checked },
];

/// That the nodes run on our packages alone.
pub const PACKAGED: Check =
    Check { name: "our packages are on the nodes, and no shell agent", run: packages_are_ours };

/// Where nothing answers as a remote node: the node itself, which is a cluster's.
const NO_REMOTE: &str = "server=127.0.0.1";

/// That everything can be stopped: the story's end, because nothing runs after it.
pub const ENDING: Check =
    Check { name: "everything is stopped and nothing is left", run: everything_stops };

/// That the network and the Engines are real.
pub const EQUIPPED: Check =
    Check { name: "each node answers the third host and has its own Engine", run: is_equipped };

fn is_equipped(cluster: &Cluster) -> Result<Evidence> {
    let (outside, mut evidence) = (cluster.site.host(OUTSIDE)?, Evidence::new());
    for node in cluster.nodes() {
        outside.ok(["ping", "-c", "1", "-W", "5", &node.name])?;
        let limit = Duration::from_secs(30);
        let engine = cluster.docker().runner.poll("the node's Engine answering", limit, || {
            let ask = ["docker", "version", "--format", "{{.Server.Version}}"];
            let answer = node.run(ask)?;
            Ok((answer.code == 0).then(|| answer.stdout.trim().to_owned()))
        })?;
        evidence.push(format!("{} answers {OUTSIDE}, and its Engine is {engine}", node.name));
    }
    Ok(evidence)
}

fn packages_are_ours(cluster: &Cluster) -> Result<Evidence> {
    let mut evidence = Evidence::new();
    for node in cluster.nodes() {
        let show = ["dpkg-query", "--show", "--showformat=${Package} ${Version}\n"];
        let packages = node.ok(show.into_iter().chain([COLLECTION, STANDALONE]))?.stdout;
        // It says what differs from what was installed; nothing may.
        let differs = node.ok(["dpkg", "--verify", COLLECTION, STANDALONE])?.stdout;
        if let Some(line) = differs.lines().next() {
            return Err(Error::new(format!("{}: dpkg --verify says {line}", node.name)));
        }
        let status = ["dpkg-query", "--show", "--showformat=${db:Status-Status}"];
        for shell in ["resource-agents", "pacemaker-resource-agents"] {
            let output = node.run(status.into_iter().chain([shell]))?;
            if output.code == 0 && output.stdout.trim() == "installed" {
                return Err(Error::new(format!("{} has Debian's {shell}", node.name)));
            }
        }
        evidence.push(format!("{}: {}", node.name, packages.trim().replace('\n', ", ")));
    }
    for name in agents(cluster)? {
        evidence.push(name);
    }
    Ok(evidence)
}

/// Every agent a node has under the names of the shell agents, as `ocf:<provider>:<type>`. All
/// nodes must have the same, and none of them a script, but what Debian's package of Pacemaker
/// itself brings.
///
/// # Errors
/// One of them is a script, or the nodes differ.
pub fn agents(cluster: &Cluster) -> Result<Vec<String>> {
    let mut found: Option<Vec<String>> = None;
    for node in cluster.nodes() {
        let find =
            ["find", "-L", AGENT_DIR, "-type", "f", "-not", "-name", ".*", "-printf", "%P\n"];
        let files = node.ok(find)?.stdout;
        let mut names = Vec::new();
        for file in files.lines().filter(|file| !file.starts_with("ocf-agents/")) {
            let path = format!("{AGENT_DIR}/{file}");
            if node.ok(["head", "-c", "4", &path])?.stdout.ends_with("ELF") {
                names.push(format!("ocf:{}", file.replace('/', ":")));
                continue;
            }
            let owner = node.run(["dpkg", "--search", &path])?.stdout;
            if !owner.starts_with("pacemaker: ") {
                return Err(Error::new(format!("{}: agent {file} is a script", node.name)));
            }
        }
        names.sort();
        if found.as_ref().is_some_and(|before| *before != names) {
            return Err(Error::new(format!("{} has other agents than the first node", node.name)));
        }
        found = Some(names);
    }
    Ok(found.unwrap_or_default())
}

/// The connection itself needs a second machine, so here only what Pacemaker and people ask the
/// agent's file for: the description, and whether a configuration is any good.
fn remote_is_checked(cluster: &Cluster) -> Result<Evidence> {
    let show = ["crm_resource", "--show-metadata", "ocf:pacemaker:remote"];
    let described = cluster.ok(show)?.stdout;
    let name = described.lines().map(str::trim).find(|l| l.starts_with("<resource-agent name="));
    let name = name.ok_or_else(|| Error::new(format!("{} shows no agent", show.join(" "))))?;
    let validate = ["crm_resource", "--validate", "--class", "ocf", "--provider", "pacemaker"];
    let node = cluster.node(NODES[0])?;
    let output =
        node.run(validate.into_iter().chain(["--agent", "remote", "--option", NO_REMOTE]))?;
    let said = format!("{}{}", output.stdout, output.stderr);
    let reason = said.lines().find_map(|line| line.strip_prefix("ocf-exit-reason:"));
    match reason.map(str::trim).filter(|reason| !reason.is_empty()) {
        Some(reason) if output.code != 0 => Ok(vec![
            format!("{}: {name}", show.join(" ")),
            format!("validate-all with {NO_REMOTE} answers {}: {reason}", output.code),
        ]),
        _ => Err(Error::new(format!(
            "validate-all with {NO_REMOTE}, where no remote node is, ended with code {} and the \
             exit reason {}",
            output.code,
            reason.unwrap_or("(none)")
        ))),
    }
}

fn loss_is_recovered(cluster: &Cluster) -> Result<Evidence> {
    let (id, state) = ("lost-dummy", "/run/resource-agents/Dummy-lost-dummy.state");
    create(cluster, id, "ocf:heartbeat:Dummy", &["op", "monitor", "interval=1s"], "Started")?;
    let status = cluster.status()?;
    let before = start_call(&status, id)?;
    let node = cluster.node(running_on(&status, id)?)?;
    // Pacemaker counts in seconds, and 3.0.0 takes a failure in the second of the start for an older one.
    cluster.docker().runner.pause(Duration::from_secs(1))?;
    node.ok(["rm", state])?;
    let failure = cluster
        .wait("the loss being noticed", |status| Ok(status.failure(id, "monitor").cloned()))?;
    if failure.code != 7 {
        return Err(Error::new(format!("monitor answered {}, not 7", failure.code)));
    }
    let after = cluster.wait("the recovery", |status| {
        let start = status.last(id, "start").filter(|start| start.call > before);
        Ok(start.filter(|_| status.role(id) == "Started").map(|start| start.call))
    })?;
    node.ok(["test", "-e", state])?;
    let mut evidence = vec![format!("removed {state}; start was call {before}, is {after}")];
    evidence.extend(shown_reason(cluster, id, &failure.reason)?);
    Ok(evidence)
}

fn reload_is_no_restart(cluster: &Cluster) -> Result<Evidence> {
    let (id, state) = ("reloaded-dummy", "/run/Dummy-reloaded-dummy.state");
    create(cluster, id, "ocf:pacemaker:Dummy", &["fake=before"], "Started")?;
    let name = running_on(&cluster.status()?, id)?.to_owned();
    let file = identity(cluster, &name, state)?;
    let so_far = cluster.logged_operations(id, &name)?.len();
    cluster.pcs(["resource", "update", id, "fake=after"])?;
    let operations = cluster.wait("reload-agent being run", |_| {
        let later = cluster.logged_operations(id, &name)?.split_off(so_far);
        let decides = |(operation, _): &(String, String)| {
            ["reload-agent", "stop", "start"].contains(&operation.as_str())
        };
        Ok(later.iter().any(decides).then_some(later))
    })?;
    if let Some((operation, _)) = operations.iter().find(|(o, _)| o == "stop" || o == "start") {
        return Err(Error::new(format!("the resource was restarted: Pacemaker ran {operation}")));
    }
    if let Some((_, result)) = operations.iter().find(|(o, r)| o == "reload-agent" && r != "ok") {
        return Err(Error::new(format!("reload-agent ended with '{result}'")));
    }
    expect_same(cluster, &name, state, &file)?;
    if let Some(trouble) = cluster.status()?.trouble(id) {
        return Err(Error::new(trouble));
    }
    let ran: Vec<_> = operations.iter().map(|(o, result)| format!("{o}: {result}")).collect();
    Ok(vec![
        format!("fake=before -> fake=after; Pacemaker ran {}", ran.join(", ")),
        format!("{state} is the same file: {file}"),
    ])
}

fn failed_start_says_why(cluster: &Cluster) -> Result<Evidence> {
    let directory = "/no/such/directory";
    let state = format!("state={directory}/broken.state");
    let evidence = start_fails(cluster, "broken-dummy", "ocf:pacemaker:Dummy", &state)?;
    if evidence.iter().any(|line| line.contains(directory)) {
        return Ok(evidence);
    }
    Err(Error::new(format!("the exit reason doesn't name {directory}: {}", evidence.join("; "))))
}

/// The other node isn't refused, so there it is started.
fn refused_start_says_why(cluster: &Cluster) -> Result<Evidence> {
    let (id, node) = ("refused-dummy", NODES[0]);
    let refuse = format!("fail_start_on={node}");
    let create = ["resource", "create", id, "ocf:pacemaker:Dummy", &refuse, "--disabled"];
    cluster.pcs(create)?;
    cluster.pcs(["constraint", "location", id, "prefers", node])?;
    cluster.pcs(["resource", "enable", id])?;
    let failure = cluster.wait("the start failing, and succeeding elsewhere", |status| {
        let is_up = status.place(id, "Started") == Some(cluster.other(node));
        Ok(status.failure(id, "start").filter(|_| is_up).cloned())
    })?;
    let mut evidence = vec![format!("{refuse}: start answered {}", failure.code)];
    evidence.extend(shown_reason(cluster, id, &failure.reason)?);
    Ok(evidence)
}

fn start_fails(cluster: &Cluster, id: &str, agent: &str, parameter: &str) -> Result<Evidence> {
    cluster.pcs(["resource", "create", id, agent, parameter])?;
    let failure = cluster.wait("the start failing", |status| {
        let is_down = status.role(id) == "Stopped";
        Ok(status.failure(id, "start").filter(|_| is_down).cloned())
    })?;
    let mut evidence = vec![format!("{parameter}: start answered {}", failure.code)];
    evidence.extend(shown_reason(cluster, id, &failure.reason)?);
    Ok(evidence)
}

/// Creates a resource with pcs and waits for it to come up, with nothing gone wrong.
///
/// # Errors
/// pcs refuses, an action fails, or the role isn't reached within a minute.
pub fn create(
    cluster: &Cluster,
    id: &str,
    agent: &str,
    args: &[&str],
    role: &str,
) -> Result<Evidence> {
    let create = [&["resource", "create", id, agent], args].concat();
    cluster.pcs(create.iter().copied())?;
    wait_for_role(cluster, id, role)?;
    let shown = format!("pcs {}", create.join(" "));
    Ok(std::iter::once(shown).chain(cluster.crm_mon_about(id)?).collect())
}

fn wait_for_role(cluster: &Cluster, id: &str, role: &str) -> Result<()> {
    cluster.wait(&format!("{id} being {role}"), |status| match status.trouble(id) {
        Some(trouble) => Err(Error::new(trouble)),
        None => Ok((status.role(id) == role).then_some(())),
    })
}

/// The exit reason, as `crm_mon` shows it to people.
fn shown_reason(cluster: &Cluster, id: &str, reason: &str) -> Result<Evidence> {
    if reason.is_empty() {
        return Err(Error::new(format!("the failed action of {id} has no exit reason")));
    }
    let shown: Evidence =
        cluster.crm_mon_about(id)?.into_iter().filter(|line| line.contains(reason)).collect();
    if shown.is_empty() {
        return Err(Error::new(format!("crm_mon doesn't show the exit reason of {id}: {reason}")));
    }
    Ok(shown)
}

fn everything_stops(cluster: &Cluster) -> Result<Evidence> {
    let failed_before = cluster.status()?.failures.len();
    cluster.pcs(["property", "set", "stop-all-resources=true"])?;
    cluster.wait("everything being stopped", |status| {
        Ok(status.ours().all(|resource| !resource.is_active).then_some(()))
    })?;
    let status = cluster.status()?;
    if let Some(failure) = status.failures.iter().find(|failure| failure.task == "stop") {
        return Err(Error::new(format!("stop of {} answered {}", failure.resource, failure.code)));
    }
    if status.failures.len() > failed_before {
        return Err(Error::new("an action failed while everything was being stopped"));
    }
    for node in cluster.site.hosts().iter().filter(|host| host.role != Role::Outside) {
        let left = node.ok(FIND_STATE_FILES)?.stdout;
        if !left.trim().is_empty() {
            let left = left.trim().replace('\n', ", ");
            return Err(Error::new(format!("files are left on {}: {left}", node.name)));
        }
    }
    Ok(vec![format!("{} resources stopped, no state file is left", status.resources.len())])
}

/// That pcs and crmsh show an agent's description, without a word of complaint.
///
/// # Errors
/// One of them refuses it, or complains.
pub fn is_described(cluster: &Cluster, name: &str) -> Result<Evidence> {
    let mut evidence = Evidence::new();
    for tool in [["pcs", "resource", "describe", name], ["crm", "ra", "info", name]] {
        let output = cluster.ok(tool)?;
        let all = format!("{}{}", output.stdout, output.stderr);
        let complaint = |line: &&str| {
            ["error", "warning"].iter().any(|word| {
                line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
            })
        };
        if let Some(line) = all.lines().find(complaint) {
            return Err(Error::new(format!("{}: {line}", tool.join(" "))));
        }
        let first = output.stdout.lines().find(|line| line.contains(name));
        let first = first.ok_or_else(|| Error::new(format!("{} shows nothing", tool.join(" "))))?;
        evidence.push(first.trim().to_owned());
    }
    Ok(evidence)
}

fn start_call(status: &Status, id: &str) -> Result<u32> {
    let start = status.last(id, "start");
    start.map(|s| s.call).ok_or_else(|| Error::new(format!("no start of {id} in the history")))
}

/// The node a resource is started on.
///
/// # Errors
/// It isn't.
pub fn running_on<'a>(status: &'a Status, id: &str) -> Result<&'a str> {
    let place = status.place(id, "Started");
    place.ok_or_else(|| Error::new(format!("{id} is not started")))
}
