// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Agents left to a cluster for a while, as pcs sets them up with nothing but what they require.

use crate::checks::{Check, Evidence, agents, create};
use crate::cluster::Cluster;
use crate::{Error, Result, carry, executor};
use std::time::{Duration, Instant};

/// See the module.
pub const ALL: &[Check] = &[Check {
    name: "60 s with required parameters only: nothing but monitors, and none fails",
    run: steady,
}];

/// How long they are left alone: the agents advise monitors every ten or thirty.
const TIME: Duration = Duration::from_secs(60);

/// Agent, what pcs is given beside it, the role it must come to and stay in.
type Recipe = (&'static str, &'static [&'static str], &'static str);

const RECIPES: [Recipe; 6] = [
    ("ocf:heartbeat:apache", &[], "Started"),
    ("ocf:heartbeat:docker", &["image=lab/service:1"], "Started"),
    ("ocf:heartbeat:IPaddr2", &["ip=192.0.2.42"], "Started"),
    ("ocf:heartbeat:Dummy", &[], "Started"),
    ("ocf:pacemaker:Dummy", &[], "Started"),
    ("ocf:pacemaker:Stateful", &["promotable"], "Promoted"),
];

/// A connection to another host, which has scenarios of its own.
const CONNECTION: &str = "ocf:pacemaker:remote";

fn steady(cluster: &Cluster) -> Result<Evidence> {
    carry::service(cluster)?;
    let mut kept = Vec::new();
    for (agent, arguments, role) in recipes(&agents(cluster)?)? {
        let id = agent.replacen("ocf", "lab", 1).replace(':', "-");
        create(cluster, &id, agent, arguments, role)?;
        kept.push((id, role));
    }
    let nodes: Vec<_> = cluster.nodes().collect();
    let so_far = nodes.iter().map(|node| Ok(executor::calls(node)?.len()));
    let so_far = so_far.collect::<Result<Vec<_>>>()?;
    let start = Instant::now();
    cluster.docker().runner.poll("the time being over", TIME * 2, || {
        let status = cluster.status()?;
        for (id, role) in &kept {
            if let Some(trouble) = status.trouble(id) {
                return Err(Error::new(trouble));
            }
            if status.place(id, role).is_none() {
                return Err(Error::new(format!("{id} is no longer {role}")));
            }
        }
        Ok((start.elapsed() >= TIME).then_some(()))
    })?;
    let mut calls = Vec::new();
    for (node, skip) in nodes.into_iter().zip(so_far) {
        calls.extend(executor::calls(node)?.into_iter().skip(skip));
    }
    let count = |(id, role): &(String, &str)| {
        let of = calls.iter().filter(|call| call.resource == *id);
        let is_right = |call: &&executor::Call| {
            let code = call.code.unwrap_or(-1);
            call.task == "monitor" && (code == 0 || code == 8 && *role == "Promoted")
        };
        if let Some(call) = of.clone().find(|call| !is_right(call)) {
            return Err(Error::new(format!("it was not left alone: {}", call.line)));
        }
        match of.count() {
            0 => Err(Error::new(format!("{id} was never monitored"))),
            count => Ok(format!("{id}: {role}, {count} monitors, all right")),
        }
    };
    kept.iter().map(count).collect()
}

/// The recipe of each agent. One without would go untried for ever, so that is an error.
fn recipes(agents: &[String]) -> Result<Vec<Recipe>> {
    let agents = agents.iter().filter(|name| *name != CONNECTION);
    let recipe = |name: &String| {
        let found = RECIPES.into_iter().find(|(agent, ..)| agent == name);
        found.ok_or_else(|| {
            Error::new(format!("no parameters are known here for {name}: give it a recipe"))
        })
    };
    agents.map(recipe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_without_a_recipe_is_named() {
        let names = ["ocf:heartbeat:Dummy", CONNECTION].map(str::to_owned);
        let found = recipes(&names).expect("both are known");
        assert_eq!(found.len(), 1);
        let told = recipes(&["ocf:example:Tmpfs".to_owned()]).expect_err("unknown").to_string();
        assert!(told.contains("ocf:example:Tmpfs"), "{told}");
    }
}
