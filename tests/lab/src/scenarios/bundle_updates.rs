// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What operators change about a bundle while it runs: replicas, ports, the image, what its parts inherit, and
//! all that while a node is down; and how they make one that doesn't run yet, or wait for one that does.

use super::{expect_address, settle};
use crate::asking::Asking;
use crate::bundle::{Asked, Bundle, IMAGE, THREE};
use crate::checks::{Check, Evidence};
use crate::cluster::{Cluster, NODES};
use crate::failover::fencing_since;
use crate::{Error, Result};

/// See the module.
pub const ALL: &[Check] = &[
    Check { name: "a bundle's replicas come and go", run: replicas_change },
    Check { name: "a bundle's port is mapped, and unmapped", run: ports_change },
    Check { name: "a bundle is reset to a new image and keeps what is in it", run: image_changes },
    Check { name: "a bundle that is disabled has nothing on any node", run: is_disabled },
    Check { name: "a bundle is there when pcs has waited for it", run: is_waited_for },
    Check { name: "a bundle's meta attributes are those of its parts", run: meta_is_inherited },
    Check { name: "a bundle is updated while a node is down", run: node_is_down },
];

/// Two replicas of Debian's stock server, without a parameter.
const WEB: Bundle = Bundle { id: "lab-bundle", primitive: "lab-httpd", replicas: 2, ..THREE };

/// Runs `pcs resource bundle update` on it, and says how.
fn update(cluster: &Cluster, words: &[&str]) -> Result<String> {
    let words = [&["resource", "bundle", "update", WEB.id][..], words].concat();
    cluster.pcs(words.iter().copied())?;
    Ok(format!("pcs {}", words.join(" ")))
}

/// Makes it, waits until it is well, and asks as many addresses as there are to be replicas at most.
fn stand<'a>(cluster: &'a Cluster, bundle: &Bundle, most: usize) -> Result<Asked<'a>> {
    bundle.create(cluster)?;
    let asked = Bundle { replicas: most, ..*bundle }.ask(cluster)?;
    bundle.wait_well(cluster, &asked)?;
    Ok(asked)
}

/// Waits until nothing answers at the addresses that come after those of the bundle's replicas; then no node
/// may have one of them.
fn expect_silence(cluster: &Cluster, bundle: &Bundle, asked: &Asked<'_>) -> Result<()> {
    let mut others = 0;
    cluster.wait(&format!("only {} replicas answering", bundle.replicas), |_| {
        let pages = asked.pages()?;
        others = pages.len();
        Ok(pages.iter().skip(bundle.replicas).all(Option::is_none).then_some(()))
    })?;
    let mut gone = bundle.replicas..others;
    gone.try_for_each(|replica| expect_address(cluster, &bundle.address(replica), &[]))
}

/// Which container a replica is in.
fn identity(cluster: &Cluster, bundle: &Bundle, replica: usize) -> Result<String> {
    bundle.inspect(bundle.host(cluster, replica)?, replica, "{{.Id}}")
}

fn replicas_change(cluster: &Cluster) -> Result<Evidence> {
    let asked = stand(cluster, &WEB, 4)?;
    let mut evidence = vec![format!("{} replicas", WEB.replicas)];
    let mut before = identity(cluster, &WEB, 0)?;
    for replicas in [4, 1] {
        let bundle = Bundle { replicas, ..WEB };
        bundle.write_pages(cluster)?;
        let said = update(cluster, &["container", &format!("replicas={replicas}")])?;
        let places = bundle.wait_well(cluster, &asked)?;
        expect_silence(cluster, &bundle, &asked)?;
        evidence.push(format!("{said}: on {}", places.join(", ")));
        // Pacemaker tells every replica of every other, so each is another container than before.
        let now = identity(cluster, &bundle, 0)?;
        let is_same = if now == before { "goes on" } else { "is made anew" };
        evidence.push(format!("{} {is_same}", bundle.container(0)));
        before = now;
    }
    asked.end()?;
    Ok(evidence)
}

fn ports_change(cluster: &Cluster) -> Result<Evidence> {
    const PORTS: &str = "{{range $p, $all := .HostConfig.PortBindings}}{{range $all}}\
                         {{.HostIp}}:{{.HostPort}}->{{$p}} {{end}}{{end}}";
    let asked = stand(cluster, &WEB, WEB.replicas)?;
    let there = format!("{}:8080", WEB.address(0));
    let other = Asking::start(cluster, &there)?;
    let add = ["port-map", "add", "id=lab-bundle-other", "port=8080", "internal-port=80"];
    let mut evidence = Evidence::new();
    for (words, is_there) in
        [(&add[..], true), (&["port-map", "delete", "lab-bundle-other"], false)]
    {
        evidence.push(update(cluster, words)?);
        WEB.wait_well(cluster, &asked)?;
        let host = WEB.host(cluster, 0)?;
        let page = WEB.page(0, &host.name);
        let wanted = is_there.then_some(page.as_str());
        let answer = wanted.unwrap_or("nobody");
        cluster.wait(&format!("{there} being answered by {answer}"), |_| {
            Ok((other.so_far()?.now.as_deref() == wanted).then_some(()))
        })?;
        let ports = WEB.inspect(host, 0, PORTS)?;
        if ports.contains(":8080->80/tcp") != is_there {
            return Err(Error::new(format!("the container has the ports {ports}")));
        }
        evidence.push(format!("{there} is answered by {answer}; the container has {ports}"));
    }
    other.end()?;
    asked.end()?;
    Ok(evidence)
}

/// What a reset doesn't name is gone, but not what runs in the bundle.
fn image_changes(cluster: &Cluster) -> Result<Evidence> {
    const OTHER: &str = "pcmktest:http-2";
    const BEFORE: Bundle =
        Bundle { options: "options=--log-driver=json-file -e LAB=before", ..WEB };
    for node in cluster.nodes() {
        node.ok(["docker", "tag", IMAGE, OTHER])?;
    }
    let asked = stand(cluster, &BEFORE, BEFORE.replicas)?;
    let [create, ..] = WEB.words();
    let is_left_out = |word: &str| {
        ["docker", "--disabled", WEB.options].contains(&word) || word.starts_with("replicas-per")
    };
    let mut words: Vec<_> = create.into_iter().filter(|word| !is_left_out(word)).collect();
    for word in &mut words {
        if word == "create" {
            *word = "reset".into();
        } else if word.starts_with("image=") {
            *word = format!("image={OTHER}");
        }
    }
    let mut evidence = Evidence::new();
    for (image, is_before) in [(IMAGE, true), (OTHER, false)] {
        if !is_before {
            cluster.pcs(words.iter().map(String::as_str))?;
            evidence.push(format!("pcs {}", words.join(" ")));
        }
        let places = BEFORE.wait_well(cluster, &asked)?;
        for (replica, place) in places.iter().enumerate() {
            let made = "{{.Config.Image}} {{.Config.Env}}";
            let made = BEFORE.inspect(cluster.node(place)?, replica, made)?;
            if !made.starts_with(&format!("{image} ")) || made.contains("LAB=") != is_before {
                return Err(Error::new(format!("{} is of {made}", BEFORE.container(replica))));
            }
            evidence.push(format!("{} on {place} is of {made}", BEFORE.container(replica)));
        }
        // What isn't named is as by default: one on a host.
        if !is_before && places.first() == places.last() {
            return Err(Error::new("both replicas are on one node"));
        }
    }
    asked.end()?;
    Ok(evidence)
}

fn is_disabled(cluster: &Cluster) -> Result<Evidence> {
    let mut evidence = WEB.define(cluster)?;
    let asked = WEB.ask(cluster)?;
    expect_nothing(cluster, &asked)?;
    evidence.push("no container, no address, nobody answers".into());
    evidence.push(WEB.enable(cluster)?);
    let places = WEB.wait_well(cluster, &asked)?;
    evidence.push(format!("the replicas are on {}", places.join(", ")));
    cluster.pcs(["resource", "disable", WEB.id])?;
    expect_nothing(cluster, &asked)?;
    evidence.push(format!("pcs resource disable {}: nothing again", WEB.id));
    asked.end()?;
    Ok(evidence)
}

/// Waits until the cluster has nothing more to do; then nothing of the bundle may be anywhere.
fn expect_nothing(cluster: &Cluster, asked: &Asked<'_>) -> Result<()> {
    settle(cluster)?;
    let status = cluster.status()?;
    if let Some(part) = status.ours().find(|part| part.is_active) {
        return Err(Error::new(format!("{} is {} on {}", part.id, part.role, part.node)));
    }
    if let Some(failure) = status.failures.first() {
        return Err(Error::new(format!("{} of {} failed", failure.task, failure.resource)));
    }
    WEB.expect_at(cluster, &[])?;
    expect_silence(cluster, &Bundle { replicas: 0, ..WEB }, asked)
}

/// Whatever is asked here is asked once: pcs has waited.
fn is_waited_for(cluster: &Cluster) -> Result<Evidence> {
    const BUNDLE: Bundle =
        Bundle { command: Some("run-command=/usr/sbin/pacemaker-remoted"), ..WEB };
    const WAIT: &str = "--wait=60";
    BUNDLE.write_pages(cluster)?;
    let asked = BUNDLE.ask(cluster)?;
    let [create, inside, _] = BUNDLE.words();
    let create: Vec<_> = create.iter().map(String::as_str).collect();
    let create = create.into_iter().map(|word| if word == "--disabled" { WAIT } else { word });
    let mut evidence = vec![waited(cluster, create)?];
    let status = cluster.status()?;
    let place = |replica| status.place(&BUNDLE.container(replica), "Started").map(str::to_owned);
    let places: Vec<_> = (0..BUNDLE.replicas).filter_map(place).collect();
    if places.len() != BUNDLE.replicas {
        return Err(Error::new(format!("{} containers are started", places.len())));
    }
    BUNDLE.expect_at(cluster, &places)?;
    let inside = inside.iter().map(String::as_str).chain([WAIT]);
    evidence.push(waited(cluster, inside)?);
    let places = BUNDLE.look(cluster, &asked)?;
    BUNDLE.expect_at(cluster, &places)?;
    evidence.push(format!("the replicas are on {}, and answer", places.join(", ")));
    let fewer = ["resource", "bundle", "update", WEB.id, "container", "replicas=1", WAIT];
    evidence.push(waited(cluster, fewer)?);
    let one = Bundle { replicas: 1, ..BUNDLE };
    one.expect_at(cluster, &one.look(cluster, &asked)?)?;
    evidence.push(waited(cluster, ["resource", "disable", WEB.id, WAIT])?);
    one.expect_at(cluster, &[])?;
    asked.end()?;
    Ok(evidence)
}

/// Runs pcs, which waits, and gives its last word.
fn waited<'a>(cluster: &Cluster, words: impl IntoIterator<Item = &'a str>) -> Result<String> {
    let output = cluster.pcs(words)?;
    let said = format!("{}{}", output.stdout, output.stderr);
    let said = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    Ok(format!("pcs, when it has waited: {}", said.trim()))
}

/// Unmanaged, with what is in it: its replicas are nodes in maintenance then, on which nothing is monitored, and
/// nobody starts anew what is killed, until it is managed again.
fn meta_is_inherited(cluster: &Cluster) -> Result<Evidence> {
    const BUNDLE: Bundle = Bundle { more: &["meta", "resource-stickiness=77"], ..WEB };
    let asked = stand(cluster, &BUNDLE, BUNDLE.replicas)?;
    let before = identity(cluster, &BUNDLE, 0)?;
    let mut evidence = vec![inherited(cluster, "resource-stickiness", "77")?];
    evidence.push(update(cluster, &["meta", "is-managed=false"])?);
    let left_alone = is_left_alone(cluster, &BUNDLE, &asked);
    // Whatever came of it: what is unmanaged can't be stopped.
    let managed = update(cluster, &["meta", "is-managed="])?;
    evidence.extend(left_alone?);
    evidence.push(managed);
    BUNDLE.wait_up(cluster, &asked)?;
    settle(cluster)?;
    let status = cluster.status()?;
    let failure = status.failures.iter().find(|failure| failure.task == "monitor");
    let failure = failure.ok_or_else(|| Error::new("no monitor tells of the loss"))?;
    let (id, reason) = (&failure.resource, &failure.reason);
    evidence.push(format!("{id}: monitor answers {} ({reason}), and it is started", failure.code));
    cluster.ok(["crm_resource", "--cleanup"])?;
    cluster.wait("the failure being forgotten", |status| {
        Ok(status.failures.is_empty().then_some(()))
    })?;
    BUNDLE.wait_well(cluster, &asked)?;
    asked.end()?;
    if identity(cluster, &BUNDLE, 0)? != before {
        return Err(Error::new(format!("{} was made anew", BUNDLE.container(0))));
    }
    evidence.push(format!("all that in one and the same {}", BUNDLE.container(0)));
    Ok(evidence)
}

/// That nobody starts the server of an unmanaged replica anew.
fn is_left_alone(cluster: &Cluster, bundle: &Bundle, asked: &Asked<'_>) -> Result<Evidence> {
    settle(cluster)?;
    let mut evidence = Evidence::new();
    for (name, wanted) in [("is-managed", "false"), ("resource-stickiness", "77")] {
        evidence.push(inherited(cluster, name, wanted)?);
    }
    let host = bundle.host(cluster, 0)?;
    let servers = bundle.processes(host, 0, "apache2")?;
    host.ok(["kill", "-KILL"].into_iter().chain(servers.iter().map(String::as_str)))?;
    let is_silent = || Ok(asked.pages()?.first().is_some_and(Option::is_none));
    cluster.wait("the server being gone", |_| Ok(is_silent()?.then_some(())))?;
    settle(cluster)?;
    if !is_silent()? || !bundle.processes(host, 0, "apache2")?.is_empty() {
        return Err(Error::new("a server was started anew, and it is unmanaged"));
    }
    if let Some(trouble) = cluster.status()?.failures.first() {
        return Err(Error::new(format!("{} of {} failed", trouble.task, trouble.resource)));
    }
    let count = servers.len();
    evidence.push(format!("{count} processes of the server are killed, and nobody does anything"));
    Ok(evidence)
}

/// That every part of the bundle has a meta attribute.
fn inherited(cluster: &Cluster, name: &str, wanted: &str) -> Result<String> {
    let address = format!("{}-ip-{}", WEB.id, WEB.address(0));
    let parts = [WEB.container(0), address, WEB.replica(0), WEB.primitive.to_owned()];
    for part in &parts {
        let ask = ["crm_resource", "--resource", part, "--meta", "--get-parameter", name];
        let value = cluster.ok(ask)?.stdout;
        if value.trim() != wanted {
            return Err(Error::new(format!("{part} has {name}='{}'", value.trim())));
        }
    }
    Ok(format!("{name}={wanted} of {}", parts.join(", ")))
}

/// The other node does what was asked for, and so does the one that was down, when it is back.
fn node_is_down(cluster: &Cluster) -> Result<Evidence> {
    const BUNDLE: Bundle = Bundle { per_host: 2, ..WEB };
    const MORE: Bundle = Bundle { replicas: 4, ..BUNDLE };
    MORE.write_pages(cluster)?;
    let asked = stand(cluster, &BUNDLE, MORE.replicas)?;
    // The controller stays, to take what is asked of it at once.
    let status = cluster.status()?;
    let dc = status.nodes.iter().find(|node| node.is_dc).map_or(NODES[0], |node| &node.name);
    let (down, stays) = (cluster.other(dc), dc);
    let fenced_before = cluster.site.fence_log().len();
    cluster.cut_power(down)?;
    let words = ["container", "replicas=4", "options=--log-driver=json-file -e LAB=after"];
    let update = ["resource", "bundle", "update", BUNDLE.id].into_iter().chain(words);
    cluster.node(stays)?.ok(["pcs"].into_iter().chain(update))?;
    let mut evidence = vec![format!(
        "{down} has no power; pcs resource bundle update lab-bundle {}",
        words.join(" ")
    )];
    let fenced = fencing_since(cluster, fenced_before, down)?;
    evidence.push(format!("fence device: {fenced}"));
    cluster.wait_for_return(down)?;
    MORE.wait_up(cluster, &asked)?;
    settle(cluster)?;
    // Nobody was to stop what the power cut ended; the next start there would remove it.
    cluster.node(down)?.ok(["docker", "container", "prune", "--force"])?;
    let places = MORE.wait_well(cluster, &asked)?;
    asked.end()?;
    for node in NODES {
        let count = places.iter().filter(|place| *place == node).count();
        if count != MORE.per_host {
            return Err(Error::new(format!("{node} has {count} replicas, not {}", MORE.per_host)));
        }
    }
    for (replica, place) in places.iter().enumerate() {
        let made = MORE.inspect(cluster.node(place)?, replica, "{{.Config.Env}}")?;
        if !made.contains("LAB=after") {
            let container = MORE.container(replica);
            return Err(Error::new(format!("{container} on {place} is as it was: {made}")));
        }
    }
    evidence.push(format!("{down} is back: the replicas are on {}", places.join(", ")));
    evidence.push("all of them are what the update says".into());
    Ok(evidence)
}
