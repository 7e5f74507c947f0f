// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a real Pacemaker is made to do with our agents, and what must then be seen.
//!
//! Each check makes resources of its own, so one that fails spoils no other. It answers with
//! what it saw, for people to read; a check that doesn't see what its name claims is an error.

use crate::cluster::{Agent, Cluster, NODE};
use crate::status::Status;
use crate::{Error, Result};

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

/// The claims of the demo, in the order of its story.
pub const STORY: [Check; 9] = [
    Check { name: "the agents on the node are ours, byte for byte", run: agents_are_ours },
    Check { name: "ocf:heartbeat:Dummy is started", run: heartbeat_dummy_starts },
    Check { name: "ocf:pacemaker:Dummy is started", run: pacemaker_dummy_starts },
    Check { name: "ocf:pacemaker:Stateful is started and promoted", run: stateful_is_promoted },
    Check { name: "ocf:pacemaker:remote is described and checked", run: remote_is_checked },
    Check { name: "a lost resource is noticed and recovered", run: loss_is_recovered },
    Check { name: "a parameter is reloaded without a restart", run: reload_is_no_restart },
    Check { name: "a failed start says why", run: failed_start_says_why },
    Check { name: "a start refused by fail_start_on says why", run: refused_start_says_why },
];

/// Where nothing answers as a remote node: the node itself, which is a cluster's.
const NO_REMOTE: &str = "server=127.0.0.1";

/// That everything can be stopped: the story's end, because nothing runs after it.
pub const ENDING: Check =
    Check { name: "everything is stopped and nothing is left", run: everything_stops };

fn agents_are_ours(cluster: &Cluster) -> Result<Evidence> {
    let mut evidence = Evidence::new();
    for agent in &cluster.agents {
        let runner = &cluster.node.docker().runner;
        let sum = crate::process::Invocation::new("sha256sum").args([&agent.path]);
        let here = first_word(&runner.run_ok(&sum)?.stdout);
        let there = first_word(&cluster.node.ok(["sha256sum", &agent.installed_path()])?.stdout);
        if here != there {
            return Err(Error::new(format!("{} on the node is another file", agent.name())));
        }
        let short: String = there.chars().take(16).collect();
        evidence.push(format!("{} sha256 {short}...", agent.installed_path()));
    }
    Ok(evidence)
}

fn heartbeat_dummy_starts(cluster: &Cluster) -> Result<Evidence> {
    create(cluster, "heartbeat-dummy", "ocf:heartbeat:Dummy", &[], "Started")
}

fn pacemaker_dummy_starts(cluster: &Cluster) -> Result<Evidence> {
    create(cluster, "pacemaker-dummy", "ocf:pacemaker:Dummy", &[], "Started")
}

fn stateful_is_promoted(cluster: &Cluster) -> Result<Evidence> {
    let mut evidence =
        create(cluster, "stateful", "ocf:pacemaker:Stateful", &["promotable"], "Promoted")?;
    let score = cluster.wait("the promotion score of stateful", |status| {
        let scores = &status.attributes;
        Ok(scores.iter().find(|(name, _)| name == "master-stateful").map(|(_, v)| v.clone()))
    })?;
    evidence.push(format!("promotion score {score}, set by the agent"));
    Ok(evidence)
}

/// The connection itself needs a second machine, so here only what Pacemaker and people ask the
/// agent's file for: the description, and whether a configuration is any good.
fn remote_is_checked(cluster: &Cluster) -> Result<Evidence> {
    let show = ["crm_resource", "--show-metadata", "ocf:pacemaker:remote"];
    let described = cluster.node.ok(show)?.stdout;
    let name = described.lines().map(str::trim).find(|l| l.starts_with("<resource-agent name="));
    let name = name.ok_or_else(|| Error::new(format!("{} shows no agent", show.join(" "))))?;
    let validate = ["crm_resource", "--validate", "--class", "ocf", "--provider", "pacemaker"];
    let output = cluster
        .node
        .run(validate.into_iter().chain(["--agent", "remote", "--option", NO_REMOTE]))?;
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
    let before = start_call(&cluster.status()?, id)?;
    cluster.node.ok(["rm", state])?;
    let failure = cluster
        .wait("the loss being noticed", |status| Ok(status.failure(id, "monitor").cloned()))?;
    if failure.code != 7 {
        return Err(Error::new(format!("monitor answered {}, not 7", failure.code)));
    }
    let after = cluster.wait("the recovery", |status| {
        let start = status.last(id, "start").filter(|start| start.call > before);
        Ok(start.filter(|_| status.role(id) == "Started").map(|start| start.call))
    })?;
    cluster.node.ok(["test", "-e", state])?;
    let mut evidence = vec![format!("removed {state}; start was call {before}, is {after}")];
    evidence.extend(shown_reason(cluster, id, &failure.reason)?);
    Ok(evidence)
}

fn reload_is_no_restart(cluster: &Cluster) -> Result<Evidence> {
    let (id, state) = ("reloaded-dummy", "/run/Dummy-reloaded-dummy.state");
    create(cluster, id, "ocf:pacemaker:Dummy", &["fake=before"], "Started")?;
    let identity = || cluster.node.ok(["stat", "--format", "inode %i, changed %z", state]);
    let file = identity()?.stdout;
    let so_far = cluster.logged_operations(id)?.len();
    cluster.pcs(["resource", "update", id, "fake=after"])?;
    let operations = cluster.wait("reload-agent being run", |_| {
        let later = cluster.logged_operations(id)?.split_off(so_far);
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
    let file_after = identity()?.stdout;
    if file != file_after {
        let (old, new) = (file.trim(), file_after.trim());
        return Err(Error::new(format!("the state file was made anew: {old} became {new}")));
    }
    if let Some(trouble) = cluster.status()?.trouble(id) {
        return Err(Error::new(trouble));
    }
    let ran: Vec<_> = operations.iter().map(|(o, result)| format!("{o}: {result}")).collect();
    Ok(vec![
        format!("fake=before -> fake=after; Pacemaker ran {}", ran.join(", ")),
        format!("{state} is the same file: {}", file.trim()),
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

fn refused_start_says_why(cluster: &Cluster) -> Result<Evidence> {
    let refuse = format!("fail_start_on={NODE}");
    start_fails(cluster, "refused-dummy", "ocf:pacemaker:Dummy", &refuse)
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
        Ok(status.resources.iter().all(|r| !r.is_active && r.role == "Stopped").then_some(()))
    })?;
    let status = cluster.status()?;
    if let Some(failure) = status.failures.iter().find(|failure| failure.task == "stop") {
        return Err(Error::new(format!("stop of {} answered {}", failure.resource, failure.code)));
    }
    if status.failures.len() > failed_before {
        return Err(Error::new("an action failed while everything was being stopped"));
    }
    let find = ["find", "/run", "-xdev", "(", "-name", "Dummy-*", "-o", "-name", "Stateful-*", ")"];
    let left = cluster.node.ok(find)?.stdout;
    if !left.trim().is_empty() {
        return Err(Error::new(format!("files are left: {}", left.trim().replace('\n', ", "))));
    }
    Ok(vec![format!("{} resources stopped, no state file is left", status.resources.len())])
}

/// That pcs and crmsh show an agent's description, without a word of complaint.
///
/// # Errors
/// One of them refuses it, or complains.
pub fn is_described(cluster: &Cluster, agent: &Agent) -> Result<Evidence> {
    let name = agent.name();
    let mut evidence = Evidence::new();
    for tool in [["pcs", "resource", "describe", &name], ["crm", "ra", "info", &name]] {
        let output = cluster.node.ok(tool)?;
        let all = format!("{}{}", output.stdout, output.stderr);
        let complaint = |line: &&str| {
            ["error", "warning"].iter().any(|word| {
                line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
            })
        };
        if let Some(line) = all.lines().find(complaint) {
            return Err(Error::new(format!("{}: {line}", tool.join(" "))));
        }
        let first = output.stdout.lines().find(|line| line.contains(&name));
        let first = first.ok_or_else(|| Error::new(format!("{} shows nothing", tool.join(" "))))?;
        evidence.push(first.trim().to_owned());
    }
    Ok(evidence)
}

fn start_call(status: &Status, id: &str) -> Result<u32> {
    let start = status.last(id, "start");
    start.map(|s| s.call).ok_or_else(|| Error::new(format!("no start of {id} in the history")))
}

fn first_word(text: &str) -> String {
    text.split_whitespace().next().unwrap_or_default().to_owned()
}
