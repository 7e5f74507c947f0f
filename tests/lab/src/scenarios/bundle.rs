// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A bundle of one replica, made as the vendors' manuals write it: a container with Pacemaker Remote
//! and Apache, an address that goes with it, and the third host that asks for its page.
//!
//! The agents of the container and of the address are ours; that of Apache is Debian's shell agent, as long
//! as there is none of ours. The nodes therefore have Debian's agents, and ours at their names.

use super::settle;
use crate::asking::{Answers, Asking};
use crate::beside::take_names_again;
use crate::checks::{Check, Evidence, running_on};
use crate::cluster::{AGENT_DIR, Cluster, NODES, PACEMAKER_LOG};
use crate::failover::fencing_since;
use crate::site::Host;
use crate::{Error, Result, beside};
use std::time::Duration;

/// See the module.
pub const ALL: &[Check] = &[
    Check { name: "a bundle's replica is what was asked for, and answers", run: comes_up },
    Check { name: "a bundle with add-host=false starts in spite of what is passed", run: no_hosts },
    Check { name: "a bundle's replica moves at standby without losing its grace", run: standby },
    Check { name: "a bundle's node is lost: its replica goes on elsewhere", run: node_is_lost },
];

/// The name the bundle's image has on the nodes.
pub const IMAGE: &str = "pcmktest:http";

const BUNDLE: &str = "lab-bundle";

/// What Pacemaker makes of it: the container, and the node in the container.
const CONTAINER: &str = "lab-bundle-docker-0";
const REPLICA: &str = "lab-bundle-0";

/// What runs in it.
const HTTPD: &str = "lab-httpd";

const ADDRESS: &str = "192.0.2.51";

const WEB: &str = "192.0.2.51:80";

/// A parameter that Pacemaker gives the container's agent, and what it must be to the letter.
const PASSED: [(&str, &str); 8] = [
    ("image", IMAGE),
    ("allow_pull", "true"),
    ("force_kill", "false"),
    ("reuse", "false"),
    ("run_cmd", "/usr/sbin/pacemaker-remoted"),
    ("monitor_cmd", "/bin/true"),
    (
        "mount_points",
        "/var/local/containers/lab-bundle-0,/var/log/pacemaker/bundles/lab-bundle-0,\
         /var/log/pacemaker/bundles/lab-bundle-0",
    ),
    (
        "run_opts",
        " --restart=no -h lab-bundle-0 -e PCMK_stderr=1 -e PCMK_remote_port=3121 \
         -v /var/local/containers/lab-bundle-0:/var/www/html:rw \
         -v /var/log/pacemaker/bundles/lab-bundle-0:/etc/httpd/logs:rw \
         -v /etc/pacemaker/authkey:/etc/pacemaker/authkey \
         -v /var/log/pacemaker/bundles/lab-bundle-0:/var/log \
         -p 192.0.2.51:80:80 -p 192.0.2.51:3121:3121 --log-driver=json-file  \
         --add-host=lab-bundle-0:192.0.2.51",
    ),
];

/// What the Engine must say of the container, by its own format.
const MADE: [(&str, &str); 7] = [
    ("{{.Config.Hostname}}", REPLICA),
    ("{{.HostConfig.RestartPolicy.Name}}", "no"),
    ("{{.HostConfig.LogConfig.Type}}", "json-file"),
    ("{{.Config.Cmd}}", "[/usr/sbin/pacemaker-remoted]"),
    ("{{.HostConfig.ExtraHosts}}", "[lab-bundle-0:192.0.2.51]"),
    ("{{index .Config.Env 0}} {{index .Config.Env 1}}", "PCMK_stderr=1 PCMK_remote_port=3121"),
    (
        "{{range $p, $all := .HostConfig.PortBindings}}{{$p}}{{range $all}} {{.HostIp}}:{{.HostPort}} \
         {{end}}{{end}}",
        "3121/tcp 192.0.2.51:3121 80/tcp 192.0.2.51:80",
    ),
];

/// What it must be lent; the command line's client sends them in any order.
const BOUND: [&str; 4] = [
    "/etc/pacemaker/authkey:/etc/pacemaker/authkey",
    "/var/local/containers/lab-bundle-0:/var/www/html:rw",
    "/var/log/pacemaker/bundles/lab-bundle-0:/etc/httpd/logs:rw",
    "/var/log/pacemaker/bundles/lab-bundle-0:/var/log",
];

/// Makes the bundle as the manuals do, and waits for its page at the third host. It is enabled when
/// it is complete: until then its containers would run the image's own command.
///
/// `network` is the whole of that element where pcs can't say what is wanted.
fn make<'a>(cluster: &'a Cluster, network: Option<&str>) -> Result<(Asking<'a>, Evidence)> {
    for node in cluster.nodes() {
        let page = format!("/var/local/containers/{REPLICA}/index.html");
        node.write_file(&page, ("root", "root"), "0644", &format!("{}\n", node.name))?;
    }
    let asking = Asking::start(cluster, WEB)?;
    let image = format!("image={IMAGE}");
    let range = format!("ip-range-start={ADDRESS}");
    let logs = "source-dir-root=/var/log/pacemaker/bundles";
    let bundle = ["resource", "bundle", "create", BUNDLE, "container", "docker", &image]
        .into_iter()
        .chain(["replicas=1", "options=--log-driver=json-file", "network", &range])
        .chain(["host-interface=eth0", "host-netmask=24"])
        .chain(["port-map", "id=httpd-port", "port=80"])
        .chain(["storage-map", "id=httpd-root", "source-dir-root=/var/local/containers"])
        .chain(["target-dir=/var/www/html", "options=rw"])
        .chain(["storage-map", "id=httpd-logs", logs])
        .chain(["target-dir=/etc/httpd/logs", "options=rw", "--disabled"]);
    let bundle: Vec<_> = bundle.collect();
    cluster.pcs(bundle.iter().copied())?;
    let httpd = ["resource", "create", HTTPD, "ocf:heartbeat:apache"]
        .into_iter()
        .chain(["configfile=/etc/httpd/conf/httpd.conf", "httpd=/usr/sbin/apache2"])
        .chain(["statusurl=http://127.0.0.1/server-status", "op", "monitor", "interval=5s"])
        .chain(["bundle", BUNDLE]);
    let httpd: Vec<_> = httpd.collect();
    cluster.pcs(httpd.iter().copied())?;
    if let Some(network) = network {
        let path = format!("//bundle[@id='{BUNDLE}']/network");
        cluster.ok(["cibadmin", "--replace", "--xpath", &path, "--xml-text", network])?;
    }
    cluster.pcs(["resource", "enable", BUNDLE])?;
    let node = answered(cluster, &asking, &NODES)?;
    settle(cluster)?;
    Ok((
        asking,
        vec![
            format!("pcs {}", bundle.join(" ")),
            format!("pcs {}", httpd.join(" ")),
            format!("the third host is answered by {node} at {ADDRESS}"),
        ],
    ))
}

/// Waits until the third host is answered by one of these nodes, and Pacemaker agrees.
fn answered(cluster: &Cluster, asking: &Asking<'_>, nodes: &[&str]) -> Result<String> {
    let what = format!("{ADDRESS} being answered by {}", nodes.join(" or "));
    cluster.wait(&what, |status| {
        for id in [CONTAINER, HTTPD] {
            if let Some(failure) = status.failures.iter().find(|failure| failure.resource == id) {
                let (task, code, reason) = (&failure.task, failure.code, &failure.reason);
                return Err(Error::new(format!("{task} of {id} answered {code} ({reason})")));
            }
        }
        let page = asking.so_far()?.now;
        let is_up = page.as_deref() == status.place(CONTAINER, "Started")
            && status.place(HTTPD, "Started") == Some(REPLICA);
        Ok(page.filter(|page| is_up && nodes.contains(&page.as_str())))
    })
}

fn comes_up(cluster: &Cluster) -> Result<Evidence> {
    require_docker(cluster, true)?;
    let (asking, mut evidence) = make(cluster, None)?;
    for (name, wanted) in PASSED {
        let passed = passed(cluster, name)?;
        if passed != wanted {
            return Err(Error::new(format!("Pacemaker passes {name}='{passed}', not '{wanted}'")));
        }
    }
    let host = container_host(cluster)?;
    for (format, wanted) in MADE {
        let made = inspect(host, format)?;
        if made != wanted {
            let sentence = format!("the container's {format} is '{made}', not '{wanted}'");
            return Err(Error::new(sentence));
        }
    }
    let bound = inspect(host, "{{range .HostConfig.Binds}}{{.}} {{end}}")?;
    let mut bound: Vec<_> = bound.split_whitespace().collect();
    bound.sort_unstable();
    if bound != BOUND {
        return Err(Error::new(format!("the container is lent {}", bound.join(", "))));
    }
    evidence.push(format!("{} parameters are passed to the letter", PASSED.len()));
    evidence.push(format!("{} settings of the container say so", MADE.len() + BOUND.len()));
    evidence.extend(cluster.crm_mon_about(BUNDLE)?);
    asking.end()?;
    Ok(evidence)
}

/// What Pacemaker passes to the container's agent.
fn passed(cluster: &Cluster, name: &str) -> Result<String> {
    let ask = ["crm_resource", "--resource", CONTAINER, "--get-parameter", name];
    let passed = cluster.ok(ask)?.stdout;
    Ok(passed.strip_suffix('\n').unwrap_or(&passed).to_owned())
}

/// Pacemaker then passes an option of rkt's, with which `docker run` makes no container at all: what
/// was wished for, no entry, is what must come of it, and a warning.
fn no_hosts(cluster: &Cluster) -> Result<Evidence> {
    const NETWORK: &str = "<network ip-range-start=\"192.0.2.51\" host-interface=\"eth0\" \
                           host-netmask=\"24\" add-host=\"false\">\
                           <port-mapping id=\"httpd-port\" port=\"80\"/></network>";
    const PASSED_TOO: &str = "--hosts-entry=192.0.2.51=lab-bundle-0";
    require_docker(cluster, true)?;
    let (asking, _) = make(cluster, Some(NETWORK))?;
    let options = passed(cluster, "run_opts")?;
    if !options.ends_with(PASSED_TOO) {
        return Err(Error::new(format!("Pacemaker passes no {PASSED_TOO}, but{options}")));
    }
    let host = container_host(cluster)?;
    let hosts = inspect(host, "{{range .HostConfig.ExtraHosts}}{{.}} {{end}}")?;
    if !hosts.is_empty() {
        return Err(Error::new(format!("the container was given the hosts {hosts}")));
    }
    let said = format!("docker({CONTAINER})");
    let said = host.run(["grep", "-F", said.as_str(), PACEMAKER_LOG])?.stdout;
    let is_it = |line: &&str| line.contains("WARNING") && line.contains("--hosts-entry");
    let warned = said.lines().find(is_it);
    let warned = warned.ok_or_else(|| Error::new("the agent warns of no --hosts-entry"))?;
    asking.end()?;
    Ok(vec![format!("passed: {PASSED_TOO}"), warned.to_owned()])
}

/// The node that runs the container.
fn container_host(cluster: &Cluster) -> Result<&Host> {
    cluster.node(running_on(&cluster.status()?, CONTAINER)?)
}

fn inspect(node: &Host, format: &str) -> Result<String> {
    let ask = ["docker", "inspect", "--type", "container", "--format", format, CONTAINER];
    Ok(node.ok(ask)?.stdout.trim().to_owned())
}

/// Whose agent of containers stands at the name on both nodes.
fn require_docker(cluster: &Cluster, is_ours: bool) -> Result<()> {
    for node in cluster.nodes() {
        let path = format!("{AGENT_DIR}/heartbeat/docker");
        let is_binary = node.ok(["head", "-c", "4", &path])?.stdout.ends_with("ELF");
        if is_binary != is_ours {
            let whose = if is_ours { "ours" } else { "Debian's" };
            return Err(Error::new(format!("{}: {path} isn't {whose}", node.name)));
        }
    }
    Ok(())
}

/// What a planned move costs.
struct Move {
    /// The stop of the container, as Pacemaker's executor measured it.
    stop: Duration,
    /// The code that the container's first process ended with.
    code: String,
    answers: Answers,
}

impl Move {
    fn told(&self, whose: &str) -> String {
        format!(
            "{whose}: the address was unreachable for {}, the container's stop took {} (its first \
             process ended with {})",
            seconds(self.answers.unreachable()),
            seconds(self.stop),
            self.code
        )
    }
}

/// First under our agent, then under Debian's: what one of them started, the other one stops.
fn standby(cluster: &Cluster) -> Result<Evidence> {
    require_docker(cluster, true)?;
    let (asking, _) = make(cluster, None)?;
    let ours = move_away(cluster, asking)?;
    let host = container_host(cluster)?;
    let started = inspect(host, "{{.State.StartedAt}}")?;
    cluster.nodes().try_for_each(|node| beside::give_names_back(node).map(|_| ()))?;
    require_docker(cluster, false)?;
    let asking = Asking::start(cluster, WEB)?;
    answered(cluster, &asking, &NODES)?;
    if inspect(host, "{{.State.StartedAt}}")? != started {
        return Err(Error::new("the container was started anew when the agents changed"));
    }
    let debians = move_away(cluster, asking);
    // Whatever came of it: the next scenario wants ours.
    cluster.nodes().try_for_each(take_names_again)?;
    let debians = debians?;
    // The shell agent waits for a grace of ten seconds, which the container's init can't use.
    if ours.code != "0" || ours.stop * 2 > debians.stop {
        return Err(Error::new(format!(
            "{}; {}",
            ours.told("ours"),
            debians.told("Debian's shell agent")
        )));
    }
    Ok(vec![
        ours.told("ours"),
        debians.told("Debian's shell agent"),
        format!("StartedAt under both, between the moves: {started}"),
    ])
}

/// Takes the replica to the other node, by standby, and ends the questions. The node is taken out of
/// standby whatever came of it.
fn move_away(cluster: &Cluster, asking: Asking<'_>) -> Result<Move> {
    let from = container_host(cluster)?;
    let to = cluster.other(&from.name);
    cluster.pcs(["node", "standby", &from.name])?;
    let moved = answered(cluster, &asking, &[to]).and_then(|_| settle(cluster));
    let moved = moved.and_then(|()| Ok((asking.end()?, stop_of(cluster, from)?)));
    cluster.pcs(["node", "unstandby", &from.name])?;
    let (answers, (stop, code)) = moved?;
    settle(cluster)?;
    Ok(Move { stop, code, answers })
}

/// How long the container's last stop on a node took, and the code its first process ended with.
fn stop_of(cluster: &Cluster, from: &Host) -> Result<(Duration, String)> {
    let status = cluster.status()?;
    let is_it = |task: &str, node: &str| task == "stop" && node == from.name;
    let mut stops = status.operations.iter().filter(|o| o.resource == CONTAINER);
    let stop = stops.find(|o| is_it(&o.task, &o.node));
    let stop = stop.ok_or_else(|| Error::new(format!("no stop of {CONTAINER} is on record")))?;
    let events = ["docker", "events", "--since", "5m", "--until", "0s"];
    let filter = format!("container={CONTAINER}");
    let filter = ["--filter", "event=die", "--filter", &filter];
    let format = ["--format", "{{.Actor.Attributes.exitCode}}"];
    let codes = from.ok(events.into_iter().chain(filter).chain(format))?.stdout;
    let code = codes.lines().last().unwrap_or("(never ended)").to_owned();
    Ok((Duration::from_millis(stop.milliseconds), code))
}

fn node_is_lost(cluster: &Cluster) -> Result<Evidence> {
    require_docker(cluster, true)?;
    let (asking, _) = make(cluster, None)?;
    let lost = container_host(cluster)?;
    let other = cluster.other(&lost.name);
    let fenced_before = cluster.site.fence_log().len();
    cluster.cut_power(&lost.name)?;
    // A fenced node that is back before the other one is done would be given the replica again.
    cluster.node(other)?.ok(["pcs", "constraint", "location", BUNDLE, "avoids", &lost.name])?;
    answered(cluster, &asking, &[other])?;
    let fenced = fencing_since(cluster, fenced_before, &lost.name)?;
    cluster.wait_for_return(&lost.name)?;
    settle(cluster)?;
    let answers = asking.end()?;
    if answers.pages.len() > 2 {
        let pages = answers.pages.join(", ");
        return Err(Error::new(format!("the address came and went: {pages}")));
    }
    let left = lost.ok(["docker", "ps", "--quiet"])?.stdout;
    if !left.trim().is_empty() {
        return Err(Error::new(format!("a container runs on {} too", lost.name)));
    }
    // Nobody was to stop what the power cut ended; the next start there would remove it.
    lost.ok(["docker", "rm", CONTAINER])?;
    Ok(vec![
        format!("{} ran the replica; its container is killed", lost.name),
        format!("fence device: {fenced}"),
        format!(
            "{other} answers; the address was unreachable for {}",
            seconds(answers.unreachable())
        ),
    ])
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
