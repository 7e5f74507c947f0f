// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a bundle's containers are given of the network and of the node: the host's own network, ports
//! under other numbers, sockets, directories; and a bundle that nothing of Pacemaker's runs in.

use super::settle;
use crate::asking::Asking;
use crate::bundle::{Bundle, CONTAINERS, IMAGE};
use crate::checks::{Check, Evidence};
use crate::cluster::{Cluster, NODES};
use crate::hearing::{Hearing, SOCKET};
use crate::site::Host;
use crate::status::{Failure, Status};
use crate::{Error, Result};

/// See the module.
pub const ALL: &[Check] = &[
    Check { name: "a bundle without a primitive runs its own command, and answers", run: bare },
    Check { name: "a bundle on the host's network answers at the nodes' addresses", run: on_host },
    Check { name: "a bundle's ports: another inside, a range, another control-port", run: ports },
    Check { name: "a bundle is lent /dev/log, and says so while there is none", run: lent_log },
    Check { name: "a bundle's missing source directory is made, and told of", run: lent_nothing },
];

const NET: Bundle = Bundle {
    id: "lab-net",
    primitive: "lab-net-web",
    replicas: 2,
    per_host: 1,
    first: 51,
    options: "",
    command: None,
    more: &[],
    server: &["op", "monitor", "interval=2s"],
};

/// The same with one replica.
const ONE: Bundle = Bundle { replicas: 1, ..NET };

const RANGE: [&str; 3] = ["ip-range-start=192.0.2.51", "host-interface=eth0", "host-netmask=24"];

const PORT: [&str; 3] = ["port-map", "id=lab-net-port", "port=80"];

/// Where the nodes keep what is only for these scenarios.
const LENT: &str = "/var/local/lab";

/// Makes a bundle of these words, with pages, and with a server in it if it is to have one; it is enabled
/// when it is complete.
fn make(cluster: &Cluster, bundle: &Bundle, words: &[&[&str]], is_bare: bool) -> Result<Evidence> {
    bundle.write_pages(cluster)?;
    let (image, replicas) = (format!("image={IMAGE}"), format!("replicas={}", bundle.replicas));
    let (root, id) = (format!("source-dir-root={CONTAINERS}"), bundle.id);
    let create = ["resource", "bundle", "create", id, "container", "docker", &image, &replicas];
    let pages = ["storage-map", "id=lab-net-root", &root, "target-dir=/var/www/html"];
    let words = [&create[..], &words.concat(), &pages, &["--disabled"]].concat();
    cluster.pcs(words.iter().copied())?;
    let mut evidence = vec![format!("pcs {}", words.join(" "))];
    if !is_bare {
        let server = ["resource", "create", bundle.primitive, "ocf:heartbeat:apache"];
        let server = [&server[..], bundle.server, &["bundle", id]].concat();
        cluster.pcs(server.iter().copied())?;
        evidence.push(format!("pcs {}", server.join(" ")));
    }
    cluster.pcs(["resource", "enable", id])?;
    Ok(evidence)
}

/// Waits until each of these servers has answered with the page of a replica from the node that it is on.
fn wait_up(
    cluster: &Cluster,
    bundle: &Bundle,
    is_right: impl Fn(usize, &str, &Status) -> Result<bool>,
) -> Result<Vec<String>> {
    let places = cluster.wait(&format!("{} being up and answering", bundle.id), |status| {
        for replica in 0..bundle.replicas {
            let container = bundle.container(replica);
            if let Some(trouble) = status.trouble(&container) {
                return Err(Error::new(trouble));
            }
        }
        let place = |replica: usize| {
            let node = status.place(&bundle.container(replica), "Started").map(str::to_owned);
            let Some(node) = node else { return Ok(None) };
            Ok(is_right(replica, &node, status)?.then_some(node))
        };
        (0..bundle.replicas).map(place).collect::<Result<Option<Vec<_>>>>()
    })?;
    settle(cluster)?;
    let told = |(replica, node): (usize, &String)| bundle.page(replica, node);
    Ok(places.iter().enumerate().map(told).collect())
}

/// What Pacemaker passes to a container's agent.
fn passed(cluster: &Cluster, bundle: &Bundle, replica: usize, name: &str) -> Result<String> {
    let container = bundle.container(replica);
    let ask = ["crm_resource", "--resource", &container, "--get-parameter", name];
    let passed = cluster.ok(ask)?.stdout;
    Ok(passed.trim_end_matches('\n').to_owned())
}

fn expect(what: &str, seen: &str, wanted: &str) -> Result<String> {
    if seen == wanted {
        return Ok(format!("{what}: {seen}"));
    }
    Err(Error::new(format!("{what}: '{seen}', not '{wanted}'")))
}

/// Ports as the Engine has them: inside, address, outside.
const PORTS: &str = "{{range $p, $all := .HostConfig.PortBindings}}{{$p}}\
                     {{range $all}}={{.HostIp}}:{{.HostPort}} {{end}}{{end}}";

const BINDS: &str = "{{range .HostConfig.Binds}}{{.}} {{end}}";

fn bare(cluster: &Cluster) -> Result<Evidence> {
    const COMMAND: &str = "/usr/sbin/apache2 -D FOREGROUND -f /etc/httpd/conf/httpd.conf";
    let asked = NET.ask(cluster)?;
    let command = format!("run-command={COMMAND}");
    let logs = ["storage-map", "id=lab-net-logs", "source-dir-root=/var/log/pacemaker/bundles"];
    let logs = [&logs[..], &["target-dir=/etc/httpd/logs", "options=rw"]].concat();
    let words = [&[command.as_str()][..], &["network"], &RANGE, &PORT, &logs];
    let mut evidence = make(cluster, &NET, &words, true)?;
    let answers = |replica: usize, node: &str, _: &Status| {
        let pages = asked.pages()?;
        Ok(pages.get(replica).cloned().flatten() == Some(NET.page(replica, node)))
    };
    evidence.extend(wait_up(cluster, &NET, answers)?);
    evidence.push(expect("run_cmd", &passed(cluster, &NET, 0, "run_cmd")?, COMMAND)?);
    let mounts = format!("/var/log/pacemaker/bundles/lab-net-0,{CONTAINERS}/lab-net-0");
    evidence.push(expect("mount_points", &passed(cluster, &NET, 0, "mount_points")?, &mounts)?);
    let status = cluster.status()?;
    if let Some(node) = status.nodes.iter().find(|node| node.name.starts_with(NET.id)) {
        return Err(Error::new(format!("{} is a node, and nothing can run there", node.name)));
    }
    let host = NET.host(cluster, 0)?;
    let binds = NET.inspect(host, 0, BINDS)?;
    if binds.contains("authkey") {
        return Err(Error::new(format!("a container without Pacemaker Remote is lent {binds}")));
    }
    // Only the container's agent looks after it; Pacemaker asks it once a minute.
    let before = NET.inspect(host, 0, "{{.Id}}")?;
    host.ok(["docker", "kill", &NET.container(0)])?;
    cluster.ok(["crm_resource", "--refresh", "--resource", &NET.container(0)])?;
    cluster.wait("the killed container being another one", |status| {
        let Some(node) = status.place(&NET.container(0), "Started") else { return Ok(None) };
        let now = NET.inspect(cluster.node(node)?, 0, "{{.Id}}");
        Ok(now.is_ok_and(|now| now != before).then_some(()))
    })?;
    evidence.extend(wait_up(cluster, &NET, answers)?.into_iter().take(1));
    evidence.push("killed, looked at, and made again".to_owned());
    asked.end()?;
    Ok(evidence)
}

fn on_host(cluster: &Cluster) -> Result<Evidence> {
    // Pacemaker's daemons talk through abstract sockets, which are their network's: without this file
    // those in the container would find the names of the node's taken.
    const FILE: &str = "/etc/libqb/force-filesystem-sockets";
    let empty = format!("{LENT}/empty");
    for node in cluster.nodes() {
        node.write_file(&empty, ("root", "root"), "0644", "\n")?;
    }
    let asked = NODES.map(|node| Ok((node, Asking::start(cluster, &web(cluster, node)?)?)));
    let asked = asked.into_iter().collect::<Result<Vec<_>>>()?;
    let (source, target) = (format!("source-dir={empty}"), format!("target-dir={FILE}"));
    let sockets = ["storage-map", "id=lab-net-sockets", &source, &target];
    let words = [&["network=host", "network", "control-port=9121"][..], &sockets];
    let mut evidence = make(cluster, &NET, &words, false)?;
    evidence.extend(wait_up(cluster, &NET, |replica, node, status| {
        let asking = asked.iter().find(|(other, _)| *other == node);
        let page = asking.map(|(_, asking)| asking.so_far()).transpose()?.and_then(|a| a.now);
        Ok(serves(&NET, replica, status) && page == Some(NET.page(replica, node)))
    })?);
    let host = NET.host(cluster, 0)?;
    for (what, format, wanted) in [
        ("network", "{{.HostConfig.NetworkMode}}", "host"),
        ("published ports", PORTS, ""),
        ("told of the port", "{{index .Config.Env 1}}", "PCMK_remote_port=9121"),
    ] {
        evidence.push(expect(what, &NET.inspect(host, 0, format)?, wanted)?);
    }
    // The node itself listens there, and its own executor is in another container's way.
    let listens = host.ok(["ss", "--no-header", "-ltnp", "sport = :9121"])?.stdout;
    if !listens.contains("pacemaker-remot") {
        return Err(Error::new(format!("{}: at port 9121 is '{}'", host.name, listens.trim())));
    }
    evidence.push(listens.split_whitespace().collect::<Vec<_>>().join(" "));
    for (_, asking) in asked {
        asking.end()?;
    }
    Ok(evidence)
}

/// A node's own address, and the port of web servers.
fn web(cluster: &Cluster, node: &str) -> Result<String> {
    let shown = cluster.node(node)?.ok(["getent", "hosts", node])?.stdout;
    let address = shown.split_whitespace().next().unwrap_or_default();
    Ok(format!("{address}:80"))
}

/// Whether the server in a replica is started.
fn serves(bundle: &Bundle, replica: usize, status: &Status) -> bool {
    let name = bundle.replica(replica);
    status.instances(bundle.primitive).any(|r| r.role == "Started" && r.node == name)
}

fn ports(cluster: &Cluster) -> Result<Evidence> {
    // What the server in the container listens on, in the place of Debian's own file.
    let listen = format!("{LENT}/ports.conf");
    for node in cluster.nodes() {
        let text = "Listen 80\nListen 7000\nListen 7001\nListen 7002\n";
        node.write_file(&listen, ("root", "root"), "0644", text)?;
    }
    let asked =
        [8080, 7000, 7002].map(|port| Asking::start(cluster, &format!("192.0.2.51:{port}")));
    let asked = asked.into_iter().collect::<Result<Vec<_>>>()?;
    let source = format!("source-dir={listen}");
    let file = ["storage-map", "id=lab-net-listen", &source, "target-dir=/etc/apache2/ports.conf"];
    let inside = ["port-map", "id=lab-net-web-port", "port=8080", "internal-port=80"];
    let range = ["port-map", "id=lab-net-range", "range=7000-7002"];
    let words = [&["network", "control-port=4121"][..], &RANGE, &inside, &range, &file];
    let mut evidence = make(cluster, &ONE, &words, false)?;
    evidence.extend(wait_up(cluster, &ONE, |replica, node, status| {
        let page = ONE.page(replica, node);
        let pages = asked.iter().map(|asking| Ok(asking.so_far()?.now)).collect::<Result<Vec<_>>>();
        let all = pages?.iter().all(|now| now.as_ref() == Some(&page));
        Ok(all && serves(&ONE, replica, status))
    })?);
    let options = passed(cluster, &ONE, 0, "run_opts")?;
    for option in ["192.0.2.51:8080:80", "192.0.2.51:7000-7002:7000-7002", "192.0.2.51:4121:4121"] {
        if !options.contains(&format!(" -p {option} ")) {
            return Err(Error::new(format!("Pacemaker passes no -p {option}, but{options}")));
        }
        evidence.push(format!("passed: -p {option}"));
    }
    let wanted = "4121/tcp=192.0.2.51:4121 7000/tcp=192.0.2.51:7000 7001/tcp=192.0.2.51:7001 \
                  7002/tcp=192.0.2.51:7002 80/tcp=192.0.2.51:8080";
    let seen = ONE.inspect(ONE.host(cluster, 0)?, 0, PORTS)?;
    evidence.push(expect("the Engine", &seen, wanted)?);
    for asking in asked {
        asking.end()?;
    }
    evidence.push("the third host is answered at the ports 8080, 7000 and 7002".to_owned());
    Ok(evidence)
}

/// Waits until the container's start has failed on both nodes.
fn refused(cluster: &Cluster, container: &str) -> Result<Vec<Failure>> {
    cluster.wait(&format!("the start of {container} failing on both nodes"), |status| {
        let is_it = |f: &&Failure| f.resource == container && f.task == "start";
        let failures: Vec<_> = status.failures.iter().filter(is_it).cloned().collect();
        let is_everywhere = NODES.iter().all(|node| failures.iter().any(|f| f.node == *node));
        Ok(is_everywhere.then_some(failures))
    })
}

fn lent_log(cluster: &Cluster) -> Result<Evidence> {
    for node in cluster.nodes() {
        if node.run(["test", "-e", SOCKET])?.code == 0 {
            return Err(Error::new(format!("{} has a {SOCKET} already", node.name)));
        }
    }
    let asked = ONE.ask(cluster)?;
    let (source, target) = (format!("source-dir={SOCKET}"), format!("target-dir={SOCKET}"));
    let log = ["storage-map", "id=lab-net-log", &source, &target, "options=rw,Z"];
    let words = [&["network"][..], &RANGE, &PORT, &log];
    let mut evidence = make(cluster, &ONE, &words, false)?;
    let container = ONE.container(0);
    for failure in refused(cluster, &container)? {
        let (node, code, reason) = (&failure.node, failure.code, &failure.reason);
        if code != 2 || !reason.contains(SOCKET) {
            return Err(Error::new(format!("{node}: start answered {code} ({reason})")));
        }
        evidence.push(format!("no {SOCKET}: start on {node} answers {code}: {reason}"));
    }
    settle(cluster)?;
    expect_shown(cluster, &container, SOCKET)?;
    for node in cluster.nodes() {
        expect_nothing(node, SOCKET)?;
    }
    let hearing = Hearing::start(cluster)?;
    cluster.ok(["crm_resource", "--cleanup"])?;
    evidence.extend(wait_up(cluster, &ONE, |replica, node, status| {
        let page = asked.pages()?.into_iter().next().flatten();
        Ok(serves(&ONE, replica, status) && page == Some(ONE.page(replica, node)))
    })?);
    let host = ONE.host(cluster, 0)?;
    let said = "said in the container";
    host.ok(["docker", "exec", &container, "logger", "--tag", "lab-net", said])?;
    cluster.wait("the node hearing what is logged in the container", |_| {
        Ok((!Hearing::lines(host, said)?.is_empty()).then_some(()))
    })?;
    evidence.extend(Hearing::lines(host, said)?);
    asked.end()?;
    drop(hearing);
    Ok(evidence)
}

/// That people see a reason, too.
fn expect_shown(cluster: &Cluster, id: &str, text: &str) -> Result<()> {
    let shown = cluster.crm_mon_about(id)?;
    if shown.iter().any(|line| line.contains(text)) {
        return Ok(());
    }
    Err(Error::new(format!("crm_mon doesn't say {text} of {id}: {}", shown.join("; "))))
}

/// That a refused start left no container, and nothing in the place of what was missing.
fn expect_nothing(node: &Host, path: &str) -> Result<()> {
    let containers = node.ok(["docker", "ps", "--all", "--format", "{{.Names}}"])?.stdout;
    if !containers.trim().is_empty() {
        return Err(Error::new(format!("{} has the container {}", node.name, containers.trim())));
    }
    if node.run(["test", "-e", path])?.code == 0 {
        return Err(Error::new(format!("{} has a {path} now", node.name)));
    }
    Ok(())
}

fn lent_nothing(cluster: &Cluster) -> Result<Evidence> {
    let missing = format!("{LENT}/not-there");
    for node in cluster.nodes() {
        node.ok(["rm", "-rf", &missing])?;
    }
    let hearing = Hearing::start(cluster)?;
    let asked = ONE.ask(cluster)?;
    let source = format!("source-dir={missing}");
    let map = ["storage-map", "id=lab-net-missing", &source, "target-dir=/srv/lab"];
    let words = [&["network"][..], &RANGE, &PORT, &map];
    let mut evidence = make(cluster, &ONE, &words, false)?;
    evidence.extend(wait_up(cluster, &ONE, |replica, node, status| {
        let page = asked.pages()?.into_iter().next().flatten();
        Ok(serves(&ONE, replica, status) && page == Some(ONE.page(replica, node)))
    })?);
    let host = ONE.host(cluster, 0)?;
    let is_empty = host.ok(["find", &missing, "-maxdepth", "0", "-type", "d", "-empty"])?.stdout;
    evidence.push(expect("an empty directory on the node", is_empty.trim(), &missing)?);
    let warned = Hearing::lines(host, &missing)?;
    let warned = warned.into_iter().find(|line| line.contains("WARNING"));
    let warned = warned.ok_or_else(|| Error::new(format!("nobody warns of {missing}")))?;
    evidence.push(format!("{}: {warned}", host.name));
    asked.end()?;
    drop(hearing);
    for node in cluster.nodes() {
        node.ok(["rm", "-rf", &missing])?;
    }
    Ok(evidence)
}
