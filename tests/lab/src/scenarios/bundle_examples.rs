// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Bundles as the vendors' manuals write them, each word of theirs in a real cluster: two replicas with a command
//! and their logs on the node, three that are built in a file, three of which two may be on one node.

use super::{expect_address, settle};
use crate::asking::Answers;
use crate::bundle::{Bundle, IMAGE, THREE};
use crate::checks::{Check, Evidence};
use crate::cluster::{Cluster, NODES, PACEMAKER_LOG};
use crate::failover::fencing_since;
use crate::recovery::AS_IN_MANUALS;
use crate::site::Host;
use crate::{Error, Result};

/// See the module.
pub const ALL: &[Check] = &[
    Check { name: "a bundle's replicas are what was asked for, and answer", run: comes_up },
    Check { name: "a bundle with add-host=false starts in spite of what is passed", run: no_hosts },
    Check {
        name: "a bundle from a file says why its log is refused, then comes up",
        run: in_a_file,
    },
    Check { name: "a bundle has no more replicas on a host than it may", run: per_host },
    Check { name: "a bundle's node is lost: its replicas go on elsewhere", run: node_is_lost },
];

/// Two replicas, one on each node, of a server that is where the manuals have it.
pub(super) const TWO: Bundle = Bundle {
    id: "lab-bundle",
    primitive: "lab-httpd",
    replicas: 2,
    per_host: 1,
    command: Some("run-command=/usr/sbin/pacemaker-remoted"),
    ..AS_IN_MANUALS
};

/// A parameter that Pacemaker gives a container's agent, and what it must be to the letter; `%` is the number of
/// the replica, and `@` its address.
const PASSED: [(&str, &str); 8] = [
    ("image", IMAGE),
    ("allow_pull", "true"),
    ("force_kill", "false"),
    ("reuse", "false"),
    ("run_cmd", "/usr/sbin/pacemaker-remoted"),
    ("monitor_cmd", "/bin/true"),
    (
        "mount_points",
        "/var/local/containers/lab-bundle-%,/var/log/pacemaker/bundles/lab-bundle-%,\
         /var/log/pacemaker/bundles/lab-bundle-%",
    ),
    (
        "run_opts",
        " --restart=no -h lab-bundle-% -e PCMK_stderr=1 -e PCMK_remote_port=3121 \
         -v /var/local/containers/lab-bundle-%:/var/www/html:rw \
         -v /var/log/pacemaker/bundles/lab-bundle-%:/etc/httpd/logs:rw \
         -v /etc/pacemaker/authkey:/etc/pacemaker/authkey \
         -v /var/log/pacemaker/bundles/lab-bundle-%:/var/log \
         -p @:80:80 -p @:3121:3121 --log-driver=json-file  \
         --add-host=lab-bundle-0:192.0.2.51 --add-host=lab-bundle-1:192.0.2.52",
    ),
];

/// What the Engine must say of the container, by its own format.
const MADE: [(&str, &str); 7] = [
    ("{{.Config.Hostname}}", "lab-bundle-%"),
    ("{{.HostConfig.RestartPolicy.Name}}", "no"),
    ("{{.HostConfig.LogConfig.Type}}", "json-file"),
    ("{{.Config.Cmd}}", "[/usr/sbin/pacemaker-remoted]"),
    ("{{.HostConfig.ExtraHosts}}", "[lab-bundle-0:192.0.2.51 lab-bundle-1:192.0.2.52]"),
    ("{{index .Config.Env 0}} {{index .Config.Env 1}}", "PCMK_stderr=1 PCMK_remote_port=3121"),
    (
        "{{range $p, $all := .HostConfig.PortBindings}}{{$p}}{{range $all}} {{.HostIp}}:{{.HostPort}} \
         {{end}}{{end}}",
        "3121/tcp @:3121 80/tcp @:80",
    ),
];

/// What it must be lent; the command line's client sends them in any order.
const BOUND: [&str; 4] = [
    "/etc/pacemaker/authkey:/etc/pacemaker/authkey",
    "/var/local/containers/lab-bundle-%:/var/www/html:rw",
    "/var/log/pacemaker/bundles/lab-bundle-%:/etc/httpd/logs:rw",
    "/var/log/pacemaker/bundles/lab-bundle-%:/var/log",
];

fn comes_up(cluster: &Cluster) -> Result<Evidence> {
    let mut evidence = TWO.create(cluster)?;
    let asked = TWO.ask(cluster)?;
    let places = TWO.wait_well(cluster, &asked)?;
    for (replica, place) in places.iter().enumerate() {
        let host = cluster.node(place)?;
        expect_words(cluster, host, replica)?;
        // What the server writes where the manuals have it is the node's to keep.
        let log = format!("/var/log/pacemaker/bundles/{}/error_log", TWO.replica(replica));
        host.ok(["test", "-s", &log])?;
        evidence.push(format!("{} answers {}", TWO.address(replica), TWO.page(replica, place)));
        evidence.push(format!("{place} has {log}"));
    }
    evidence.push(format!("{} parameters are passed to the letter", PASSED.len()));
    evidence.push(format!("{} settings of each container say so", MADE.len() + BOUND.len()));
    evidence.extend(cluster.crm_mon_about(TWO.id)?);
    asked.end()?;
    Ok(evidence)
}

/// An error unless Pacemaker passes what it is known to pass for a replica, and the container is just that.
fn expect_words(cluster: &Cluster, host: &Host, replica: usize) -> Result<()> {
    let of =
        |words: &str| words.replace('%', &replica.to_string()).replace('@', &TWO.address(replica));
    for (name, wanted) in PASSED {
        let (passed, wanted) = (passed(cluster, replica, name)?, of(wanted));
        if passed != wanted {
            return Err(Error::new(format!("Pacemaker passes {name}='{passed}', not '{wanted}'")));
        }
    }
    for (format, wanted) in MADE {
        let (made, wanted) = (TWO.inspect(host, replica, format)?, of(wanted));
        if made != wanted {
            let sentence = format!("the container's {format} is '{made}', not '{wanted}'");
            return Err(Error::new(sentence));
        }
    }
    let bound = TWO.inspect(host, replica, "{{range .HostConfig.Binds}}{{.}} {{end}}")?;
    let mut bound: Vec<_> = bound.split_whitespace().collect();
    bound.sort_unstable();
    if bound != BOUND.map(of) {
        return Err(Error::new(format!("the container is lent {}", bound.join(", "))));
    }
    Ok(())
}

/// What Pacemaker passes to a container's agent.
fn passed(cluster: &Cluster, replica: usize, name: &str) -> Result<String> {
    let container = TWO.container(replica);
    let ask = ["crm_resource", "--resource", &container, "--get-parameter", name];
    let passed = cluster.ok(ask)?.stdout;
    Ok(passed.strip_suffix('\n').unwrap_or(&passed).to_owned())
}

/// Pacemaker then passes an option of rkt's, with which `docker run` makes no container at all: what
/// was wished for, no entry, is what must come of it, and a warning.
fn no_hosts(cluster: &Cluster) -> Result<Evidence> {
    // pcs doesn't know the attribute.
    const NETWORK: &str = "<network ip-range-start=\"192.0.2.51\" host-interface=\"eth0\" \
                           host-netmask=\"24\" add-host=\"false\">\
                           <port-mapping id=\"lab-bundle-port\" port=\"80\"/></network>";
    const PASSED_TOO: &str = "--hosts-entry=192.0.2.51=lab-bundle-0";
    TWO.define(cluster)?;
    let path = format!("//bundle[@id='{}']/network", TWO.id);
    cluster.ok(["cibadmin", "--replace", "--xpath", &path, "--xml-text", NETWORK])?;
    TWO.enable(cluster)?;
    let asked = TWO.ask(cluster)?;
    let places = TWO.wait_well(cluster, &asked)?;
    asked.end()?;
    let mut evidence = vec![format!("passed: {PASSED_TOO}")];
    for (replica, place) in places.iter().enumerate() {
        let (host, options) = (cluster.node(place)?, passed(cluster, replica, "run_opts")?);
        if !options.contains(PASSED_TOO) {
            return Err(Error::new(format!("Pacemaker passes no {PASSED_TOO}, but{options}")));
        }
        let hosts = TWO.inspect(host, replica, "{{range .HostConfig.ExtraHosts}}{{.}} {{end}}")?;
        if !hosts.is_empty() {
            return Err(Error::new(format!("the container was given the hosts {hosts}")));
        }
        let said = format!("docker({})", TWO.container(replica));
        let said = host.run(["grep", "-F", said.as_str(), PACEMAKER_LOG])?.stdout;
        let is_it = |line: &&str| line.contains("WARNING") && line.contains("--hosts-entry");
        let warned = said.lines().find(is_it);
        let warned = warned.ok_or_else(|| Error::new("the agent warns of no --hosts-entry"))?;
        evidence.push(warned.to_owned());
    }
    Ok(evidence)
}

/// Made in a file while the cluster goes on, and with the manuals' own logging driver: the Engine refuses that on
/// nodes without journald, and then it is another one.
fn in_a_file(cluster: &Cluster) -> Result<Evidence> {
    const FILE: &str = "/run/lab-cib.xml";
    const BEFORE: &str = "/run/lab-cib.xml.deltasrc";
    const BUNDLE: Bundle = Bundle {
        id: "lab-bundle",
        primitive: "lab-httpd",
        options: "options=--log-driver=journald",
        server: &["statusurl=http://localhost/server-status", "op", "monitor", "interval=5s"],
        ..THREE
    };
    BUNDLE.write_pages(cluster)?;
    let (node, diff) = (cluster.node(NODES[0])?, format!("diff-against={BEFORE}"));
    node.ok(["pcs", "cluster", "cib", FILE])?;
    node.ok(["cp", FILE, BEFORE])?;
    let mut evidence = vec![format!("pcs cluster cib {FILE}")];
    for words in BUNDLE.words().iter().take(2) {
        // In a file it is complete before anything is started.
        let words = words.iter().map(String::as_str).filter(|word| *word != "--disabled");
        let words: Vec<_> = ["pcs", "-f", FILE].into_iter().chain(words).collect();
        node.ok(words.iter().copied())?;
        evidence.push(words.join(" "));
    }
    // What others change meanwhile has to stay.
    set_meanwhile(cluster)?;
    node.ok(["pcs", "cluster", "cib-push", FILE, &diff])?;
    evidence.push(format!("pcs cluster cib-push {FILE} {diff}"));
    evidence.extend(is_refused(cluster, &BUNDLE)?);
    let other = ["resource", "bundle", "update", BUNDLE.id, "container", THREE.options];
    cluster.pcs(other)?;
    evidence.push(format!("pcs {}", other.join(" ")));
    let asked = BUNDLE.ask(cluster)?;
    let places = BUNDLE.wait_well(cluster, &asked)?;
    asked.end()?;
    for (replica, place) in places.iter().enumerate() {
        let driver = "{{.HostConfig.LogConfig.Type}}";
        let driver = BUNDLE.inspect(cluster.node(place)?, replica, driver)?;
        let (address, page) = (BUNDLE.address(replica), BUNDLE.page(replica, place));
        evidence.push(format!("{address} answers {page}, logged by {driver}"));
    }
    if cluster.status()?.attribute(NODES[1], MEANWHILE).is_none() {
        return Err(Error::new("the push has undone what was changed meanwhile"));
    }
    evidence.push(format!("{MEANWHILE} of {}, set meanwhile, is still there", NODES[1]));
    Ok(evidence)
}

/// A node attribute that is set between the reading and the pushing of the file.
const MEANWHILE: &str = "lab-meanwhile";

fn set_meanwhile(cluster: &Cluster) -> Result<()> {
    let set = ["crm_attribute", "--node", NODES[1], "--name", MEANWHILE, "--update", "1"];
    cluster.ok(set).map(|_| ())
}

/// That every start fails, on both nodes, with the Engine's own words, and nothing is left of it.
fn is_refused(cluster: &Cluster, bundle: &Bundle) -> Result<Evidence> {
    // Later Engines say before it what they were about to do.
    const CAUSE: &str = "failed to initialize logging driver: journald is not enabled on this host";
    let node = cluster.node(NODES[0])?;
    let run = ["docker", "run", "--rm", "--log-driver=journald", IMAGE, "true"];
    let engine = node.run(run)?;
    if engine.code == 0 || !engine.stderr.contains(CAUSE) {
        let (code, said) = (engine.code, engine.complaint());
        return Err(Error::new(format!("{} answered {code}: {said}", run.join(" "))));
    }
    let mut evidence = vec![format!("no journald on the nodes, and the Engine says: {CAUSE}")];
    let all = bundle.replicas * NODES.len();
    let failures = cluster.wait(&format!("{all} starts failing"), |status| {
        let starts = status.failures.iter().filter(|failure| failure.task == "start");
        let starts: Vec<_> = starts.cloned().collect();
        Ok((starts.len() == all).then_some(starts))
    })?;
    settle(cluster)?;
    for failure in &failures {
        let (id, node, code) = (&failure.resource, &failure.node, failure.code);
        if code != 1 || !failure.reason.contains(CAUSE) {
            let reason = &failure.reason;
            return Err(Error::new(format!("start of {id} on {node} answered {code}: {reason}")));
        }
    }
    bundle.expect_at(cluster, &[])?;
    evidence
        .extend(failures.first().map(|f| format!("each start answers {}: {}", f.code, f.reason)));
    Ok(evidence)
}

/// Three over two nodes are two and one; on one node they are two.
fn per_host(cluster: &Cluster) -> Result<Evidence> {
    const BUNDLE: Bundle =
        Bundle { id: "lab-bundle", primitive: "lab-httpd", per_host: 2, ..THREE };
    let mut evidence = BUNDLE.create(cluster)?;
    let asked = BUNDLE.ask(cluster)?;
    let places = BUNDLE.wait_well(cluster, &asked)?;
    let on = |places: &[String], node: &str| places.iter().filter(|place| *place == node).count();
    if NODES.iter().any(|node| on(&places, node) > BUNDLE.per_host) {
        return Err(Error::new(format!("the replicas are on {}", places.join(", "))));
    }
    evidence.push(format!("the replicas are on {}", places.join(", ")));
    let (away, stays) = (NODES[1], NODES[0]);
    cluster.pcs(["node", "standby", away])?;
    let alone = wait_for_two(cluster, &BUNDLE, stays);
    // Whatever came of it: the next scenario wants both.
    cluster.pcs(["node", "unstandby", away])?;
    let left = alone?;
    evidence.push(format!("{away} on standby: {stays} has two, and {left} is stopped"));
    let places = BUNDLE.wait_well(cluster, &asked)?;
    asked.end()?;
    evidence.push(format!("{away} is back: the replicas are on {}", places.join(", ")));
    Ok(evidence)
}

/// Waits until a node has as many replicas as it may, and says which one is nowhere.
fn wait_for_two(cluster: &Cluster, bundle: &Bundle, node: &str) -> Result<String> {
    cluster.wait(&format!("{node} having {} replicas", bundle.per_host), |status| {
        let started = |replica| status.place(&bundle.container(replica), "Started");
        let all = 0..bundle.replicas;
        let here = all.filter(|replica| started(*replica) == Some(node)).count();
        Ok((here == bundle.per_host).then_some(()))
    })?;
    settle(cluster)?;
    let status = cluster.status()?;
    let is_nowhere =
        |replica: &usize| status.place(&bundle.container(*replica), "Started").is_none();
    let nowhere: Vec<_> = (0..bundle.replicas).filter(is_nowhere).collect();
    let [left] = nowhere.as_slice() else {
        return Err(Error::new(format!("{} replicas are nowhere, not one", nowhere.len())));
    };
    expect_address(cluster, &bundle.address(*left), &[])?;
    let list = ["docker", "ps", "--all", "--quiet"];
    for (host, wanted) in cluster.nodes().map(|host| (host, if host.name == node { 2 } else { 0 }))
    {
        let count = host.ok(list)?.stdout.lines().count();
        if count != wanted {
            return Err(Error::new(format!("{} has {count} containers", host.name)));
        }
    }
    Ok(bundle.container(*left))
}

/// A node's power is cut: its replica goes to the other node, and stays there.
fn node_is_lost(cluster: &Cluster) -> Result<Evidence> {
    const BUNDLE: Bundle = Bundle { per_host: 2, ..TWO };
    BUNDLE.create(cluster)?;
    let asked = BUNDLE.ask(cluster)?;
    BUNDLE.wait_well(cluster, &asked)?;
    let lost = BUNDLE.host(cluster, 0)?;
    let other = cluster.other(&lost.name);
    let fenced_before = cluster.site.fence_log().len();
    cluster.cut_power(&lost.name)?;
    // A fenced node that is back before the other one is done would be given a replica again.
    cluster.node(other)?.ok(["pcs", "constraint", "location", BUNDLE.id, "avoids", &lost.name])?;
    cluster.wait(&format!("the replicas being on {other}"), |status| {
        let is_there = |replica| status.place(&BUNDLE.container(replica), "Started") == Some(other);
        Ok((0..BUNDLE.replicas).all(is_there).then_some(()))
    })?;
    BUNDLE.wait_up(cluster, &asked)?;
    let fenced = fencing_since(cluster, fenced_before, &lost.name)?;
    cluster.wait_for_return(&lost.name)?;
    settle(cluster)?;
    let answers = asked.end()?;
    if let Some(answers) = answers.iter().find(|answers| answers.pages.len() > 2) {
        let pages = answers.pages.join(", ");
        return Err(Error::new(format!("an address came and went: {pages}")));
    }
    let left = lost.ok(["docker", "ps", "--quiet"])?.stdout;
    if !left.trim().is_empty() {
        return Err(Error::new(format!("a container runs on {} too", lost.name)));
    }
    // Nobody was to stop what the power cut ended; the next start there would remove it.
    lost.ok(["docker", "container", "prune", "--force"])?;
    let gone = |answers: &Answers| format!("{:.1} s", answers.unreachable().as_secs_f64());
    let gone: Vec<_> = answers.iter().map(gone).collect();
    Ok(vec![
        format!("{}, with a replica, lost its power", lost.name),
        format!("fence device: {fenced}"),
        format!("{other} answers for both; they were unreachable for {}", gone.join(", ")),
    ])
}
