// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Several things at once: two bundles, clones of containers with and without a health check, a web server
//! that goes with its address, and an address that two nodes share.

use super::{arrive, bundle_roles, expect_address, load, settle};
use crate::asking::Asking;
use crate::bundle::Bundle;
use crate::checks::{Check, Evidence, running_on};
use crate::clients::{Answered, COUNT, Clients};
use crate::cluster::{Cluster, NODES};
use crate::power::INTERFACE;
use crate::site::Host;
use crate::{Error, Result, carry, executor};

/// See the module.
pub const ALL: &[Check] = &[
    Check { name: "two bundles at once: what happens to one isn't the other's", run: two_bundles },
    Check { name: "a clone of containers: unhealthy is a failure if asked for", run: judged },
    Check { name: "a web server moves with its address at standby", run: server_moves },
    Check { name: "an address that two nodes share: every client is answered", run: shared },
];

const SHOP: Bundle = Bundle {
    id: "lab-shop",
    primitive: "lab-shop-web",
    replicas: 2,
    per_host: 1,
    first: 51,
    options: "options=--log-driver=json-file",
    command: None,
    more: &[],
    server: &["op", "monitor", "interval=2s"],
};

/// A container's identity and since when it runs.
const IDENTITY: &str = "{{.Id}} {{.State.StartedAt}}";

fn identities(cluster: &Cluster, bundle: &Bundle) -> Result<Vec<String>> {
    let one = |replica| bundle.inspect(bundle.host(cluster, replica)?, replica, IDENTITY);
    (0..bundle.replicas).map(one).collect()
}

fn two_bundles(cluster: &Cluster) -> Result<Evidence> {
    let asked = SHOP.ask_patiently(cluster)?;
    let mut evidence = SHOP.create(cluster)?;
    let (roles, made) = bundle_roles::make(cluster, &[])?;
    evidence.extend(made);
    let places = SHOP.wait_up(cluster, &asked)?;
    settle(cluster)?;
    for node in cluster.nodes() {
        let names = node.ok(["docker", "ps", "--format", "{{.Names}}"])?.stdout;
        let mut names: Vec<_> = names.lines().collect();
        names.sort_unstable();
        evidence.push(format!("{} runs {}", node.name, names.join(", ")));
    }
    // Of the one with roles, the promoted one's container: nothing of the other one may change.
    let (ours, gaps) = (identities(cluster, &SHOP)?, gaps(&asked.so_far()?));
    let other = &bundle_roles::ROLES;
    let host = other.host(cluster, roles.promoted)?;
    host.ok(["docker", "kill", &other.container(roles.promoted)])?;
    cluster.wait("the other bundle's loss being noticed", |status| {
        let is_known = status.failures.iter().any(|f| f.resource.starts_with(other.id));
        Ok(is_known.then_some(()))
    })?;
    bundle_roles::wait(cluster)?;
    let now = identities(cluster, &SHOP)?;
    if now != ours {
        let (now, ours) = (now.join(", "), ours.join(", "));
        return Err(Error::new(format!("the containers of {} were {ours}, are {now}", SHOP.id)));
    }
    let answers = asked.end()?;
    if self::gaps(&answers) != gaps {
        return Err(Error::new(format!("{} wasn't answered for a while", SHOP.id)));
    }
    evidence.push(format!(
        "{}: a container killed and made again; {} on {} ran on, every question answered",
        other.id,
        SHOP.id,
        places.join(" and ")
    ));
    Ok(evidence)
}

/// How often each wasn't answered so far.
fn gaps(answers: &[crate::asking::Answers]) -> Vec<(usize, bool)> {
    answers.iter().map(|a| (a.gaps.len(), a.now.is_some())).collect()
}

/// Of clones of one container each: the id, the image, and whether its health counts.
const CLONES: [(&str, &str, bool); 3] = [
    ("lab-judged", carry::JUDGED, true),
    ("lab-ignored", carry::JUDGED, false),
    ("lab-unjudged", carry::SERVICE, true),
];

fn judged(cluster: &Cluster) -> Result<Evidence> {
    carry::service(cluster)?;
    carry::judged(cluster)?;
    let text = CLONES.map(|(id, image, counts)| {
        format!(
            "primitive {id} ocf:heartbeat:docker params image=\"{image}\" \
             query_docker_health={counts} op monitor interval=2s timeout=20s\n\
             clone {id}-clone {id}\n"
        )
    });
    load(cluster, &text.concat())?;
    cluster.wait("each clone having a container on each node", |status| {
        let has = |id: &str| NODES.iter().all(|node| is_on(status, id, node));
        Ok(CLONES.iter().all(|(id, ..)| has(id)).then_some(()))
    })?;
    settle(cluster)?;
    let (here, there) = (cluster.node(NODES[0])?, cluster.node(NODES[1])?);
    let mut evidence = Evidence::new();
    for (id, image, counts) in CLONES {
        let health = wait_health(cluster, here, id, |health| health != "starting")?;
        evidence.push(format!("{id}: {image}, query_docker_health={counts}: {health}"));
    }
    let inspect = |node, id| inspect(node, id, IDENTITY);
    let before = [(here, "lab-judged"), (there, "lab-judged"), (here, "lab-ignored")];
    let before = before.map(|(node, id)| Ok((node, id, inspect(node, id)?)));
    let before = before.into_iter().collect::<Result<Vec<_>>>()?;
    for id in ["lab-judged", "lab-ignored"] {
        here.ok(["docker", "cp", "/etc/hostname", &format!("{id}:{}", carry::ILL)])?;
    }
    let failure = cluster.wait("the ill one's monitor failing", |status| {
        Ok(status.failure("lab-judged", "monitor").cloned())
    })?;
    if failure.code != 1 || !failure.reason.contains("unhealthy") {
        return Err(Error::new(format!("it answers {} ({})", failure.code, failure.reason)));
    }
    evidence.push(format!("lab-judged is ill on {}: {}", failure.node, failure.reason));
    cluster.wait("another container in its place, a healthy one", |_| {
        let [(.., was), ..] = before.as_slice() else { return Ok(None) };
        let is_new = inspect(here, "lab-judged").is_ok_and(|now| now != *was);
        Ok((is_new && health(here, "lab-judged")? == "healthy").then_some(()))
    })?;
    wait_health(cluster, here, "lab-ignored", |health| health == "unhealthy")?;
    let so_far = executor::calls(here)?.len();
    for (id, ..) in CLONES {
        cluster.wait(&format!("{id} being monitored"), |_| {
            let calls = executor::calls(here)?;
            let mut later = calls.iter().skip(so_far).filter(|call| call.resource == id);
            Ok(later.any(|call| call.task == "monitor").then_some(()))
        })?;
    }
    settle(cluster)?;
    for (node, id, was) in before.iter().skip(1) {
        if inspect(node, id)? != *was {
            return Err(Error::new(format!("{id} on {} was made anew", node.name)));
        }
    }
    let status = cluster.status()?;
    for id in ["lab-ignored", "lab-unjudged"] {
        if let Some(trouble) = status.trouble(id) {
            return Err(Error::new(trouble));
        }
    }
    evidence.push(format!("lab-judged is new on {}, the same on {}", here.name, there.name));
    evidence.push("lab-ignored is unhealthy and runs on, monitored".to_owned());
    cluster.ok(["crm_resource", "--cleanup"])?;
    Ok(evidence)
}

fn is_on(status: &crate::status::Status, id: &str, node: &str) -> bool {
    status.instances(id).any(|r| r.role == "Started" && r.node == node)
}

fn inspect(node: &Host, id: &str, format: &str) -> Result<String> {
    let ask = ["docker", "inspect", "--type", "container", "--format", format, id];
    Ok(node.ok(ask)?.stdout.trim().to_owned())
}

/// What the Engine says of a container's health.
fn health(node: &Host, id: &str) -> Result<String> {
    inspect(node, id, "{{if .State.Health}}{{.State.Health.Status}}{{else}}no health check{{end}}")
}

fn wait_health(
    cluster: &Cluster,
    node: &Host,
    id: &str,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<String> {
    cluster.wait(&format!("the health of {id} being another"), |_| {
        Ok(Some(health(node, id)?).filter(|health| is_wanted(health)))
    })
}

/// Puts a page on each node that says which one it is.
fn write_pages(cluster: &Cluster) -> Result<()> {
    for node in cluster.nodes() {
        let page = "/var/www/html/index.html";
        node.write_file(page, ("root", "root"), "0644", &format!("{}\n", node.name))?;
    }
    Ok(())
}

fn server_moves(cluster: &Cluster) -> Result<Evidence> {
    let (address, ip, web) = ("192.0.2.46", "lab-site-ip", "lab-site-web");
    write_pages(cluster)?;
    let asking = Asking::start(cluster, &format!("{address}:80"))?;
    load(
        cluster,
        &format!(
            "primitive {ip} ocf:heartbeat:IPaddr2 params ip={address} cidr_netmask=24 \
             nic={INTERFACE} op monitor interval=2s timeout=20s\n\
             primitive {web} ocf:heartbeat:apache op monitor interval=2s timeout=20s \
             op start timeout=40s op stop timeout=60s\n\
             group lab-site {ip} {web} meta resource-stickiness=100\n"
        ),
    )?;
    let first = cluster.wait("the page being answered", |status| {
        let page = asking.so_far()?.now;
        Ok(page.filter(|page| status.place(web, "Started") == Some(page)))
    })?;
    settle(cluster)?;
    let second = cluster.other(&first);
    for (from, to) in [(first.as_str(), second), (second, first.as_str())] {
        cluster.pcs(["node", "standby", from])?;
        let moved = arrive(cluster, web, "Started", to).and_then(|()| {
            cluster.wait(&format!("the page of {to}"), |_| {
                Ok((asking.so_far()?.now.as_deref() == Some(to)).then_some(()))
            })
        });
        // The node is taken out of standby whatever came of it.
        cluster.pcs(["node", "unstandby", from])?;
        moved?;
        settle(cluster)?;
        expect_address(cluster, address, &[to])?;
        let running = cluster.node(from)?.run(["pidof", "apache2"])?.stdout;
        if running_on(&cluster.status()?, ip)? != to || !running.trim().is_empty() {
            return Err(Error::new(format!("{from} has something of it after the move to {to}")));
        }
    }
    let answers = asking.end()?;
    let wanted = [first.as_str(), second, first.as_str()];
    let mut pages = answers.pages.clone();
    pages.dedup();
    if pages != wanted {
        return Err(Error::new(format!("the pages were {}", answers.pages.join(", "))));
    }
    let gaps = answers.gaps.iter().map(|gap| format!("{} ms", gap.as_millis()));
    let gaps = gaps.collect::<Vec<_>>().join(" and ");
    let asked = answers.asked;
    Ok(vec![
        format!("{asked} questions at {address}: answered by {}", wanted.join(", then ")),
        format!("no answer for {gaps}"),
    ])
}

fn shared(cluster: &Cluster) -> Result<Evidence> {
    let (address, ip, web) = ("192.0.2.45", "lab-shared", "lab-shared-web");
    write_pages(cluster)?;
    // What every node takes frames to is a group's hardware address: the lab's switch, which knows no
    // member of it, passes them on to all. A client must hear of it, so the answers of ARP are rewritten.
    // Instances of a clone stick to their node a little, and the share of a node that was away would stay
    // where it went: hence no stickiness.
    load(
        cluster,
        &format!(
            "primitive {ip} ocf:heartbeat:IPaddr2 params ip={address} cidr_netmask=24 \
             nic={INTERFACE} clusterip_hash=sourceip clusterip_mac_mangle=true \
             op monitor interval=2s timeout=20s\n\
             clone {ip}-clone {ip} meta globally-unique=true clone-max=2 clone-node-max=2 \
             resource-stickiness=0\n\
             primitive {web} ocf:heartbeat:apache op monitor interval=5s timeout=20s\n\
             clone {web}-clone {web}\n"
        ),
    )?;
    let clients = Clients::new(cluster)?;
    let server = format!("{address}:80");
    let mut evidence = Evidence::new();
    wait_instances(cluster, ip, web, &NODES)?;
    expect_address(cluster, address, &NODES)?;
    evidence.push(told("both nodes", &clients.ask(&server)?, &NODES)?);
    let (kept, left) = (NODES[0], NODES[1]);
    cluster.pcs(["node", "standby", left])?;
    let alone = wait_instances(cluster, ip, web, &[kept]).and_then(|()| {
        expect_address(cluster, address, &[kept])?;
        told(&format!("{left} on standby"), &clients.ask(&server)?, &[kept])
    });
    cluster.pcs(["node", "unstandby", left])?;
    evidence.push(alone?);
    wait_instances(cluster, ip, web, &NODES)?;
    evidence.push(told(&format!("{left} is back"), &clients.ask(&server)?, &NODES)?);
    Ok(evidence)
}

/// Waits until both instances of the address are on these nodes, and a server on each of them.
fn wait_instances(cluster: &Cluster, ip: &str, web: &str, nodes: &[&str]) -> Result<()> {
    cluster.wait(&format!("{ip} and {web} being on {}", nodes.join(" and ")), |status| {
        for id in [ip, web] {
            if let Some(trouble) = status.trouble(id) {
                return Err(Error::new(trouble));
            }
        }
        let instances = status.instances(ip).filter(|r| r.role == "Started").count();
        let is_there = |id: &str| NODES.iter().all(|n| is_on(status, id, n) == nodes.contains(n));
        Ok((instances == 2 && is_there(ip) && is_there(web)).then_some(()))
    })?;
    settle(cluster)
}

/// How many clients each of these nodes answered: all of them are answered, and by each node some.
fn told(when: &str, answers: &Answered, nodes: &[&str]) -> Result<String> {
    let by = |node: &str| answers.values().filter(|page| *page == node).count();
    let counts: Vec<_> = nodes.iter().map(|node| (node, by(node))).collect();
    let told: Vec<_> = counts.iter().map(|(node, count)| format!("{count} by {node}")).collect();
    let told = format!("{when}: {COUNT} clients answered, {}", told.join(", "));
    let all: usize = counts.iter().map(|(_, count)| count).sum();
    if all == COUNT && counts.iter().all(|(_, count)| *count > 0) {
        return Ok(told);
    }
    Err(Error::new(format!("not all of them: {told}")))
}
