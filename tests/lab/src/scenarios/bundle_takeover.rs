// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A whole bundle goes from Debian's shell agents to ours while it runs, on its nodes and in its containers, and
//! back: no container is started anew, and no question of the third host stays without an answer.

use super::settle;
use crate::beside::{PACKAGES, give_names_back, require, take_names};
use crate::bundle::Bundle;
use crate::checks::{Check, Evidence};
use crate::cluster::{AGENT_DIR, Cluster};
use crate::executor;
use crate::packages::{COLLECTION, NAMES};
use crate::recovery::AS_IN_MANUALS;
use crate::{Error, Result};

/// Beside Debian's shell agents.
pub const BESIDE: &[Check] = &[Check {
    name: "a bundle that runs goes from the shell agents to ours and back: nothing notices",
    run: changes_hands,
}];

/// The containers are lent our packages.
const BUNDLE: Bundle = Bundle {
    id: "lab-bundle",
    primitive: "lab-httpd",
    more: &[
        "storage-map",
        "id=httpd-logs",
        "source-dir-root=/var/log/pacemaker/bundles",
        "target-dir=/etc/httpd/logs",
        "options=rw",
        "storage-map",
        "id=lab-packages",
        "source-dir=/mnt/packages",
        "target-dir=/mnt/packages",
        "options=ro",
    ],
    ..AS_IN_MANUALS
};

/// The agents whose names change on the nodes; that of the server changes in the containers.
const AGENTS: [&str; 2] = ["heartbeat/docker", "heartbeat/IPaddr2"];

fn changes_hands(cluster: &Cluster) -> Result<Evidence> {
    cluster.nodes().try_for_each(|node| give_names_back(node).map(|_| ()))?;
    let changed = go_and_come_back(cluster);
    // Whatever came of it: the next scenario wants ours. Theirs may stop what ours never knew.
    cluster.nodes().try_for_each(|node| take_names(node).map(|_| ()))?;
    changed
}

fn go_and_come_back(cluster: &Cluster) -> Result<Evidence> {
    BUNDLE.create(cluster)?;
    let asked = BUNDLE.ask(cluster)?;
    BUNDLE.wait_up(cluster, &asked)?;
    settle(cluster)?;
    asked.end()?;
    let asked = BUNDLE.ask_patiently(cluster)?;
    BUNDLE.wait_up(cluster, &asked)?;
    let started = Started::of(cluster)?;
    let mut evidence = vec![format!("the shell agents started {}", started.0.join(", "))];
    for are_ours in [true, false] {
        for node in cluster.nodes() {
            if are_ours {
                take_names(node)?
            } else {
                give_names_back(node)?
            };
        }
        in_containers(cluster, are_ours)?;
        require(cluster, &AGENTS, are_ours)?;
        let before = calls(cluster)?;
        // They are probed again, and monitored: by those who have the names now. Not the connections, which
        // Pacemaker 2.1 takes for a lost guest then.
        for replica in 0..BUNDLE.replicas {
            let address = format!("{}-ip-{}", BUNDLE.id, BUNDLE.address(replica));
            for id in [BUNDLE.container(replica), address] {
                cluster.ok(["crm_resource", "--refresh", "--force", "--resource", &id])?;
            }
        }
        settle(cluster)?;
        BUNDLE.wait_up(cluster, &asked)?;
        let now = Started::of(cluster)?;
        if now != started {
            return Err(Error::new(format!("{started:?} became {now:?}")));
        }
        let whose = if are_ours { "ours" } else { "the shell agents" };
        let count = calls(cluster)? - before;
        if count < 2 * BUNDLE.replicas {
            return Err(Error::new(format!("{whose} were called {count} times only")));
        }
        evidence.push(format!("{whose} were called {count} times on the nodes; all goes on"));
    }
    let answers = asked.end()?;
    let asked: u64 = answers.iter().map(|answers| answers.asked).sum();
    let lost: usize = answers.iter().map(|answers| answers.gaps.len()).sum();
    if lost > 0 {
        return Err(Error::new(format!("{lost} times there was no answer, of {asked} questions")));
    }
    evidence.push(format!("{asked} questions, each answered"));
    Ok(evidence)
}

/// Which containers there are, and since when they run.
#[derive(Debug, PartialEq, Eq)]
struct Started(Vec<String>);

impl Started {
    fn of(cluster: &Cluster) -> Result<Self> {
        let one = |replica| {
            let node = BUNDLE.host(cluster, replica)?;
            let since = BUNDLE.inspect(node, replica, "{{.Id}} {{.State.StartedAt}}")?;
            let (id, since) = since.split_once(' ').unwrap_or((&since, ""));
            let id = id.get(..12).unwrap_or(id);
            Ok(format!("{} ({id}) at {since} on {}", BUNDLE.container(replica), node.name))
        };
        (0..BUNDLE.replicas).map(one).collect::<Result<_>>().map(Self)
    }
}

/// Puts our agent at the name of the server's in every container, or gives it back.
fn in_containers(cluster: &Cluster, are_ours: bool) -> Result<()> {
    for replica in 0..BUNDLE.replicas {
        let (node, container) = (BUNDLE.host(cluster, replica)?, BUNDLE.container(replica));
        let inside = ["docker", "exec", &container, "dpkg"];
        if are_ours {
            let names = [COLLECTION, NAMES].map(|name| format!("{name}_*.deb"));
            let find = ["find", PACKAGES, "-name", &names[0], "-o", "-name", &names[1]];
            let found = node.ok(find)?.stdout;
            node.ok(inside.into_iter().chain(["--install"]).chain(found.lines()))?;
        } else {
            node.ok(inside.into_iter().chain(["--purge", NAMES, COLLECTION]))?;
        }
        let agent = format!("{AGENT_DIR}/heartbeat/apache");
        let head = node.ok(["docker", "exec", &container, "head", "-c", "4", &agent])?.stdout;
        if head.ends_with("ELF") != are_ours {
            return Err(Error::new(format!("{agent} in {container} is the other one")));
        }
    }
    Ok(())
}

/// How many calls of agents there were for the bundle's parts, on both nodes.
fn calls(cluster: &Cluster) -> Result<usize> {
    let mut count = 0;
    for node in cluster.nodes() {
        let calls = executor::calls(node)?;
        count += calls.iter().filter(|call| call.resource.starts_with(BUNDLE.id)).count();
    }
    Ok(count)
}
