// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What happens to a bundle, what Pacemaker does about it, and what it costs who asks for the pages.

use crate::asking::Answers;
use crate::bundle::{Asked, Bundle, unreachable};
use crate::checks::Evidence;
use crate::cluster::{Cluster, PACEMAKER_LOG};
use crate::failover::fencing_since;
use crate::power;
use crate::scenarios::settle;
use crate::site::Host;
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Something that happens to a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The server in a replica is killed, with its workers.
    Server,
    /// A replica's container is killed.
    Container,
    /// A node is put on standby.
    Standby,
    /// A node is cut off from the network, and so fenced.
    Node,
    /// A node loses its power, and is fenced.
    Power,
}

/// Those that are shown and measured.
pub const ALL: [Fault; 4] = [Fault::Server, Fault::Container, Fault::Standby, Fault::Node];

/// The program of the server.
pub const SERVER: &str = "apache2";

impl Fault {
    /// As it is told of.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Server => "httpd is killed in a container",
            Self::Container => "a container is killed",
            Self::Standby => "a node is put on standby",
            Self::Node => "a node is cut off, and fenced",
            Self::Power => "a node loses its power",
        }
    }
}

/// What became of a fault.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The longest time that a replica's address had no answer.
    pub unreachable: Duration,
    /// From the fault until every replica answered again and Pacemaker had nothing more to do.
    pub recovered: Duration,
    /// What failed, what Pacemaker did, what held.
    pub seen: Evidence,
}

/// Lets a fault happen to a replica of a bundle that is well, or to the node it is on, waits until the bundle is
/// well again, and undoes what an operator has to undo.
///
/// # Errors
/// It isn't well within two minutes, or what had to hold didn't.
pub fn strike(cluster: &Cluster, bundle: &Bundle, fault: Fault, replica: usize) -> Result<Outcome> {
    strike_when(cluster, bundle, fault, replica, &|_| Ok(()))
}

/// The same, when what is given says that the node's moment has come.
///
/// # Errors
/// As [`strike`].
pub fn strike_when(
    cluster: &Cluster,
    bundle: &Bundle,
    fault: Fault,
    replica: usize,
    wait: &dyn Fn(&Host) -> Result<()>,
) -> Result<Outcome> {
    let asked = bundle.ask(cluster)?;
    bundle.wait_up(cluster, &asked)?;
    settle(cluster)?;
    let node = bundle.host(cluster, replica)?.clone();
    let started = bundle.inspect(&node, replica, "{{.Id}} {{.State.StartedAt}}")?;
    let fenced_before = cluster.site.fence_log().len();
    let marks = cluster.nodes().map(Mark::of).collect::<Result<Vec<_>>>()?;
    wait(&node)?;
    let (begin, clock) = (Instant::now(), time_of_day());
    let mut seen = vec![act(cluster, bundle, fault, replica, &node)?];
    wait_for_recovery(cluster, bundle, fault, replica, &node, &asked)?;
    let recovered = begin.elapsed();
    let answers = asked.end()?;
    seen.extend(did(bundle, &marks, clock)?);
    match fault {
        Fault::Server => {
            let now = bundle.inspect(&node, replica, "{{.Id}} {{.State.StartedAt}}")?;
            if now != started {
                return Err(Error::new(format!("the container was {started}, and is {now}")));
            }
            let since = started.split_once(' ').map_or("", |(_, since)| since);
            seen.push(format!("the container goes on, started at {since}"));
        }
        Fault::Node | Fault::Power => {
            let fenced = fencing_since(cluster, fenced_before, &node.name)?;
            seen.push(format!("fence device: {fenced}"));
        }
        Fault::Container | Fault::Standby => {}
    }
    seen.push(told(bundle, &answers));
    undo(cluster, bundle, fault, &node)?;
    Ok(Outcome { unreachable: unreachable(&answers), recovered, seen })
}

/// Does it, and says what was done.
fn act(
    cluster: &Cluster,
    bundle: &Bundle,
    fault: Fault,
    replica: usize,
    node: &Host,
) -> Result<String> {
    let (container, name) = (bundle.container(replica), &node.name);
    match fault {
        Fault::Server => {
            let pids = bundle.processes(node, replica, SERVER)?;
            if pids.is_empty() {
                return Err(Error::new(format!("no {SERVER} runs in {container}")));
            }
            node.ok(["kill", "-KILL"].into_iter().chain(pids.iter().map(String::as_str)))?;
            Ok(format!("{} processes of {SERVER} in {container} on {name} are killed", pids.len()))
        }
        Fault::Container => {
            node.ok(["docker", "kill", &container])?;
            Ok(format!("{name}: docker kill {container}"))
        }
        Fault::Standby => {
            cluster.pcs(["node", "standby", name])?;
            Ok(format!("pcs node standby {name}"))
        }
        Fault::Node => {
            power::connect(node, false)?;
            Ok(format!("{name}'s cable is pulled"))
        }
        Fault::Power => {
            cluster.cut_power(name)?;
            Ok(format!("{name}'s power is cut"))
        }
    }
}

fn wait_for_recovery(
    cluster: &Cluster,
    bundle: &Bundle,
    fault: Fault,
    replica: usize,
    node: &Host,
    asked: &Asked<'_>,
) -> Result<()> {
    // Not before the fault has come to the third host, or all would look well.
    let what = format!("{} being unreachable", bundle.address(replica));
    cluster.docker().runner.poll(&what, Duration::from_secs(60), || {
        let answers = asked.so_far()?;
        Ok(answers.get(replica).is_some_and(Answers::was_down).then_some(()))
    })?;
    if matches!(fault, Fault::Node | Fault::Power) {
        // A machine boots for minutes. The lab's is back before the other node is done, and would be given
        // replicas again.
        let other = cluster.other(&node.name);
        cluster.node(other)?.ok([
            "pcs",
            "constraint",
            "location",
            bundle.id,
            "avoids",
            &node.name,
        ])?;
        cluster.wait(&format!("the replicas being on {other}"), |status| {
            let is_there = |replica| status.place(&bundle.container(replica), "Started");
            Ok((0..bundle.replicas).all(|replica| is_there(replica) == Some(other)).then_some(()))
        })?;
    }
    bundle.wait_up(cluster, asked)?;
    settle(cluster)
}

/// What an operator would do afterwards.
fn undo(cluster: &Cluster, bundle: &Bundle, fault: Fault, node: &Host) -> Result<()> {
    match fault {
        // The failures stay on record. Pacemaker 2.1 recovers a replica once more whose lost connection is
        // cleaned up.
        Fault::Server | Fault::Container => {}
        Fault::Standby => {
            cluster.pcs(["node", "unstandby", &node.name])?;
        }
        Fault::Node | Fault::Power => {
            cluster.wait_for_return(&node.name)?;
            let constraint = format!("location-{}-{}--INFINITY", bundle.id, node.name);
            cluster.pcs(["constraint", "delete", &constraint])?;
        }
    }
    settle(cluster)
}

/// How long each address had no answer.
fn told(bundle: &Bundle, answers: &[Answers]) -> String {
    let one = |(replica, answers): (usize, &Answers)| {
        let time = answers.unreachable().as_secs_f64();
        format!("{} {time:.2} s", bundle.address(replica))
    };
    let all: Vec<_> = answers.iter().enumerate().map(one).collect();
    format!("unreachable: {}", all.join(", "))
}

/// How much a node's log had.
struct Mark<'a> {
    node: &'a Host,
    lines: usize,
}

impl<'a> Mark<'a> {
    fn of(node: &'a Host) -> Result<Self> {
        let said = node.ok(["wc", "-l", PACEMAKER_LOG])?.stdout;
        let lines = said.split_whitespace().next().and_then(|count| count.parse().ok());
        Ok(Self { node, lines: lines.unwrap_or_default() })
    }
}

/// What Pacemaker did with a bundle's parts since then, one line a part, in the order in which it began, with how long
/// after the fault each was done.
fn did(bundle: &Bundle, marks: &[Mark<'_>], clock: Duration) -> Result<Evidence> {
    let mut acts = BTreeSet::new();
    for mark in marks {
        if !power::is_on(mark.node)? {
            continue;
        }
        let from = format!("+{}", mark.lines + 1);
        let log = mark.node.ok(["tail", "-n", &from, PACEMAKER_LOG])?.stdout;
        acts.extend(log.lines().filter_map(|line| parse(line, bundle, clock)));
    }
    let mut parts: Vec<(String, Vec<String>)> = Vec::new();
    for (after, part, act) in acts {
        let act = format!("{act} at {:.1} s", after.as_secs_f64());
        match parts.iter_mut().find(|(other, _)| *other == part) {
            Some((_, acts)) => acts.push(act),
            None => parts.push((part, vec![act])),
        }
    }
    Ok(parts.into_iter().map(|(part, acts)| format!("{part}: {}", acts.join(", "))).collect())
}

/// How long after the fault, with what part, and what: of a line that tells an operation's result.
fn parse(line: &str, bundle: &Bundle, clock: Duration) -> Option<(Duration, String, String)> {
    let (head, rest) = line.split_once("Result of ")?;
    let (operation, rest) = rest.split_once(" operation for ")?;
    let (part, result) = rest.split_once(": ")?;
    let is_ours = part.starts_with(bundle.id) || part.starts_with(bundle.primitive);
    let time = parse_time(head.split_whitespace().nth(2)?)?;
    let after = time.checked_sub(clock).unwrap_or((time + DAY).saturating_sub(clock));
    let result = result.split(" | ").next().unwrap_or(result).to_lowercase();
    let code = if result == "ok" { String::new() } else { format!(" ({result})") };
    // A probe that finds nothing is how every node is asked first.
    let is_said = is_ours && !(operation == "probe" && result == "not running");
    is_said.then(|| (after, part.to_owned(), format!("{operation}{code}")))
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The time of day, as the nodes' clocks and logs have it: UTC.
fn time_of_day() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.saturating_sub(DAY * u32::try_from(now.as_secs() / DAY.as_secs()).unwrap_or_default())
}

/// `HOURS:MINUTES:SECONDS`, the last with a fraction.
fn parse_time(text: &str) -> Option<Duration> {
    let mut parts = text.split(':');
    let mut number = || parts.next()?.parse::<f64>().ok().filter(|number| *number >= 0.0);
    let seconds = number()? * 3600.0 + number()? * 60.0 + number()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::THREE;

    #[test]
    fn what_pacemaker_did_is_read_from_its_log() {
        let line = |rest: &str| {
            format!(
                "Nov 22 18:14:49.089 node1 pacemaker-controld  [65] (log_executor_event) \tnotice: {rest}"
            )
        };
        let stop =
            line("Result of stop operation for httpd-bundle-docker-0 on node1: ok | CIB update 72");
        let clock = parse_time("18:14:47.089").expect("a time");
        let (after, part, act) = parse(&stop, &THREE, clock).expect("it is one");
        assert_eq!((after.as_millis(), part.as_str()), (2000, "httpd-bundle-docker-0 on node1"));
        assert_eq!(act, "stop");
        let failed =
            line("Result of monitor operation for httpd on httpd-bundle-0: not running | rc=7");
        assert_eq!(parse(&failed, &THREE, clock).expect("it is one").2, "monitor (not running)");
        for other in [
            "Result of probe operation for httpd on httpd-bundle-0: not running | rc=7",
            "Result of start operation for fence-node1 on node1: ok",
            "Requesting local execution of start operation for httpd on node1",
        ] {
            assert_eq!(parse(&line(other), &THREE, clock), None, "{other}");
        }
        // Over midnight.
        let late = parse_time("23:59:59.5").expect("a time");
        let early = stop.replace("18:14:49.089", "00:00:01.500");
        assert_eq!(parse(&early, &THREE, late).expect("it is one").0.as_millis(), 2000);
        assert_eq!(parse_time("soon"), None);
    }
}
