// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Agents left to a cluster for a while, which must see nothing wrong with them.

use crate::checks::{Evidence, create};
use crate::cluster::{Agent, Cluster};
use crate::status::Status;
use crate::{Error, Result};
use std::time::{Duration, Instant};

/// How an agent is soaked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Recipe {
    /// `ocf:<provider>:<type>`.
    agent: &'static str,
    /// What pcs is given beside the agent: parameters that it requires, or `promotable` for one
    /// that makes sense only with roles.
    arguments: &'static [&'static str],
    /// The role it must come to and stay in.
    role: &'static str,
}

/// The agents that are soaked. One with required parameters can't be made up here from its
/// description: only a person knows values that mean something on the node.
const RECIPES: [Recipe; 3] = [
    Recipe { agent: "ocf:heartbeat:Dummy", arguments: &[], role: "Started" },
    Recipe { agent: "ocf:pacemaker:Dummy", arguments: &[], role: "Started" },
    Recipe { agent: "ocf:pacemaker:Stateful", arguments: &["promotable"], role: "Promoted" },
];

/// A connection to another machine: it can't be up without one, and has a check of its own.
const CONNECTION: &str = "ocf:pacemaker:remote";

/// A resource that is being soaked.
struct Soaked {
    id: String,
    role: &'static str,
}

/// Keeps one resource of each agent that has a recipe for `time`, and names those without.
///
/// # Errors
/// Any action of theirs fails, or one of them isn't up at the end.
pub fn soak(cluster: &Cluster, time: Duration) -> Result<Evidence> {
    let (recipes, mut evidence) = sort(&cluster.agents);
    let mut soaked = Vec::new();
    for recipe in recipes {
        let id = recipe.agent.replacen("ocf", "soak", 1).replace(':', "-");
        create(cluster, &id, recipe.agent, recipe.arguments, recipe.role)?;
        soaked.push(Soaked { id, role: recipe.role });
    }
    let start = Instant::now();
    loop {
        let status = cluster.status()?;
        soaked.iter().try_for_each(|resource| resource.require_health(&status))?;
        if start.elapsed() >= time {
            let monitors = soaked.iter().map(|resource| resource.monitored(&status));
            evidence.splice(0..0, monitors.collect::<Result<Evidence>>()?);
            return Ok(evidence);
        }
        cluster.node.docker().runner.pause(Duration::from_millis(500))?;
    }
}

/// The recipes of the agents, and a line for each agent without one.
fn sort(agents: &[Agent]) -> (Vec<Recipe>, Evidence) {
    let (mut recipes, mut unknown) = (Vec::new(), Evidence::new());
    for name in agents.iter().map(Agent::name).filter(|name| name != CONNECTION) {
        match RECIPES.iter().find(|recipe| recipe.agent == name) {
            Some(recipe) => recipes.push(*recipe),
            None => unknown.push(format!("{name}: not soaked: no parameters known here")),
        }
    }
    (recipes, unknown)
}

impl Soaked {
    fn require_health(&self, status: &Status) -> Result<()> {
        let Self { id, role } = self;
        if let Some(trouble) = status.trouble(id) {
            return Err(Error::new(trouble));
        }
        match status.role(id) {
            now if now == *role => Ok(()),
            now => Err(Error::new(format!("{id} is {now}, not {role}"))),
        }
    }

    fn monitored(&self, status: &Status) -> Result<String> {
        let Self { id, role } = self;
        let monitor = status.last(id, "monitor").filter(|monitor| monitor.is_recurring);
        let monitor = monitor.ok_or_else(|| Error::new(format!("{id} was never monitored")))?;
        let expected = if *role == "Promoted" { 8 } else { 0 };
        if monitor.code != expected {
            return Err(Error::new(format!("monitor of {id} answers {}", monitor.code)));
        }
        Ok(format!("{id}: {role}, monitor answers {}, no failed action", monitor.code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_without_known_parameters_is_named_and_no_failure() {
        // The first lab created every agent without parameters, and pcs refused those that
        // require one.
        let agent = |provider: &str, kind: &str| Agent {
            provider: provider.into(),
            kind: kind.into(),
            path: "/".into(),
        };
        let agents = [
            agent("example", "Tmpfs"),
            agent("heartbeat", "Dummy"),
            agent("pacemaker", "Stateful"),
            agent("pacemaker", "remote"),
        ];
        let (recipes, unknown) = sort(&agents);
        let names: Vec<_> = recipes.iter().map(|recipe| recipe.agent).collect();
        assert_eq!(names, ["ocf:heartbeat:Dummy", "ocf:pacemaker:Stateful"]);
        assert_eq!(unknown, ["ocf:example:Tmpfs: not soaked: no parameters known here"]);
    }
}
