// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is done to a cluster, how one sees that it has told, and how an operator mends it.

use super::dice::Dice;
use super::health::{CLONE, GROUP, PROMOTABLE, SINGLE, SLOWNESS};
use crate::cluster::{Cluster, NODES};
use crate::status::{Failure, Status};
use crate::{Error, Result, power};
use std::fmt;
use std::time::Duration;

/// What is done in a round, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A node's power is cut.
    Power(&'static str),
    /// A node's network cable is pulled.
    Cable(&'static str),
    /// A daemon gets SIGKILL.
    Kill(&'static str, &'static str),
    /// A daemon gets SIGSTOP, and SIGCONT after so many seconds if its node still runs.
    Freeze(&'static str, &'static str, u64),
    /// The state file of a resource is removed, on this node if it runs on both.
    Lose(&'static str, &'static str),
    /// A node's /run turns read-only, and everything is to leave the node.
    ReadOnly(&'static str),
    /// A node is put on standby.
    Standby(&'static str),
    /// A resource is moved away from where it is.
    Move(&'static str),
    /// A node's /run is full, and everything is to go there.
    Full(&'static str),
    /// A monitor takes longer than it may.
    Slow,
}

/// Which nodes may or must be fenced because of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fencing {
    /// None.
    Never,
    /// This one or none.
    Allowed(&'static str),
    /// This one.
    Sure(&'static str),
    /// One of the two, and never both.
    Either,
}

const COROSYNC: &str = "corosync";
const PACEMAKERD: &str = "pacemakerd";

const DAEMONS: [&str; 8] = [
    COROSYNC,
    PACEMAKERD,
    "pacemaker-based",
    "pacemaker-fenced",
    "pacemaker-execd",
    "pacemaker-attrd",
    "pacemaker-schedulerd",
    "pacemaker-controld",
];

/// The kinds of faults, the commoner ones more than once; all are dealt before one comes again.
#[must_use]
pub fn deck() -> Vec<usize> {
    vec![0, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4, 5, 6, 7, 7, 8, 9]
}

impl Fault {
    /// A fault of a kind from [`deck`], the rest by dice.
    #[must_use]
    pub fn of_kind(kind: usize, dice: &mut Dice) -> Self {
        let node = dice.one(&NODES);
        let mut of = |names: &[&'static str]| names.get(dice.below(names.len())).copied();
        let daemon = of(&DAEMONS).unwrap_or(COROSYNC);
        let [a, b, c, d] = SINGLE;
        let lost = of(&[a, b, c, d, CLONE, PROMOTABLE]).unwrap_or(CLONE);
        let moved = of(&[a, GROUP, d, PROMOTABLE]).unwrap_or(GROUP);
        match kind {
            0 => Self::Power(node),
            1 => Self::Cable(node),
            2 => Self::Kill(node, daemon),
            3 => Self::Freeze(node, daemon, 3 + dice.below(10) as u64),
            4 => Self::Lose(lost, node),
            5 => Self::ReadOnly(node),
            6 => Self::Standby(node),
            7 => Self::Move(moved),
            8 => Self::Full(node),
            _ => Self::Slow,
        }
    }

    /// Whom it may cost.
    #[must_use]
    pub fn fencing(self) -> Fencing {
        match self {
            Self::Cable(_) => Fencing::Either,
            Self::Power(node)
            | Self::ReadOnly(node)
            | Self::Kill(node, COROSYNC)
            | Self::Freeze(node, COROSYNC, _) => Fencing::Sure(node),
            Self::Kill(node, _) | Self::Freeze(node, ..) => Fencing::Allowed(node),
            Self::Lose(..) | Self::Standby(_) | Self::Move(_) | Self::Full(_) | Self::Slow => {
                Fencing::Never
            }
        }
    }

    /// Whether this failed action is what the fault is about; all others are findings.
    #[must_use]
    pub fn explains(self, failure: &Failure) -> bool {
        let is = |tasks: &[&str]| tasks.contains(&failure.task.as_str());
        match self {
            Self::Kill(..) | Self::Freeze(..) => true,
            Self::Power(_) | Self::Cable(_) | Self::Standby(_) | Self::Move(_) => false,
            // Pacemaker demotes what it finds not to be running before it starts it again.
            Self::Lose(id, _) => {
                failure.resource == id && is(&["monitor", "demote"]) && failure.code == 7
            }
            Self::ReadOnly(node) => failure.node == node && is(&["stop", "demote"]),
            Self::Full(node) => failure.node == node && is(&["start", "promote", "demote"]),
            Self::Slow => failure.resource == SLOWNESS.0 && is(&["monitor"]),
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// It can't be done.
    pub fn provoke(self, cluster: &Cluster) -> Result<()> {
        let on = |node: &str, args: &[&str]| cluster.node(node)?.ok(args).map(|_| ());
        match self {
            Self::Power(node) => cluster.cut_power(node),
            Self::Cable(node) => power::connect(cluster.node(node)?, false),
            Self::Kill(node, daemon) => signal(cluster, node, daemon, "-KILL"),
            Self::Freeze(node, daemon, _) => signal(cluster, node, daemon, "-STOP"),
            Self::Lose(id, node) => {
                let status = cluster.status()?;
                let node = status.place(id, "Started").filter(|_| id != CLONE).unwrap_or(node);
                let name = format!("*-{id}.state");
                let find = ["find", "/run", "-xdev", "-name", &name, "-print", "-delete"];
                let found = cluster.node(node)?.ok(find)?.stdout;
                let lost = || Error::new(format!("{node} has no state file of {id}"));
                found.lines().next().map(|_| ()).ok_or_else(lost)
            }
            Self::ReadOnly(node) => {
                // On a mount of its own: daemons hold files of the one below open for writing.
                on(node, &["mount", "--bind", "/run", "/run"])?;
                on(node, &["mount", "-o", "remount,bind,ro", "/run"])?;
                cluster.pcs(["node", "standby", node]).map(|_| ())
            }
            Self::Standby(node) => cluster.pcs(["node", "standby", node]).map(|_| ()),
            Self::Move(id) => move_away(cluster, id),
            Self::Full(node) => {
                on(node, &["mount", "-o", "remount,size=16M", "/run"])?;
                // It ends when there is no room left.
                let fill = ["dd", "if=/dev/zero", "of=/run/lab-filler", "bs=4096"];
                let filled = cluster.node(node)?.run(fill)?;
                if !filled.stderr.contains("No space left") {
                    return Err(Error::new(format!("/run of {node}: {}", filled.complaint())));
                }
                cluster.pcs(["node", "standby", cluster.other(node)]).map(|_| ())
            }
            Self::Slow => sleep_in_monitor(cluster, "30"),
        }
    }

    /// Whether what it is about has happened; `before` is the cluster before it, `fenced` whom it
    /// has cost so far.
    ///
    /// # Errors
    /// A node can't be asked.
    pub fn has_told(
        self,
        cluster: &Cluster,
        before: &Before,
        fenced: &[String],
        time: Duration,
    ) -> Result<bool> {
        if !fenced.is_empty() {
            return Ok(true);
        }
        if let Self::Freeze(_, daemon, seconds) = self {
            return Ok(daemon != COROSYNC && time.as_secs() >= seconds);
        }
        if let Self::Kill(node, daemon) = self {
            let now = process_of(cluster, node, daemon)?;
            // Nobody starts the topmost again but who has started it first.
            let is_told = now != before.process && (now.is_some() || daemon == PACEMAKERD);
            return Ok(daemon != COROSYNC && is_told);
        }
        let status = match cluster.status() {
            Ok(status) => status,
            Err(Error::Failed(_)) => return Ok(false),
            Err(interrupted) => return Err(interrupted),
        };
        let is_empty = |node: &str| {
            let ours = status.resources.iter().filter(|r| r.agent.starts_with("ocf:"));
            !ours.into_iter().any(|r| r.is_active && r.node == node)
        };
        Ok(match self {
            Self::Power(_) | Self::Cable(_) | Self::ReadOnly(_) => false,
            Self::Kill(..) | Self::Freeze(..) => true,
            Self::Standby(node) => is_empty(node),
            Self::Full(node) => is_empty(cluster.other(node)) && is_settled(&status, node),
            Self::Move(id) => {
                place(&status, id).is_some_and(|now| Some(now) != before.place.as_deref())
            }
            Self::Lose(..) | Self::Slow => status.failures.iter().any(|f| self.explains(f)),
        })
    }

    /// What an operator does against it once it has told, failures aside.
    ///
    /// # Errors
    /// It can't be done.
    pub fn mend(self, cluster: &Cluster) -> Result<()> {
        let unstandby = |node: &str| cluster.pcs(["node", "unstandby", node]).map(|_| ());
        match self {
            Self::Power(_) | Self::Lose(..) => Ok(()),
            Self::Cable(node) => power::connect(cluster.node(node)?, true),
            Self::Kill(node, PACEMAKERD) => match process_of(cluster, node, PACEMAKERD)? {
                None if power::is_on(cluster.node(node)?)? => {
                    cluster.node(node)?.start_daemon("/usr/sbin/pacemakerd", &["-f"])
                }
                _ => Ok(()),
            },
            Self::Kill(..) => Ok(()),
            Self::Freeze(node, daemon, _) => {
                let thawed = signal(cluster, node, daemon, "-CONT");
                // Fenced, or ended meanwhile: nothing is left to be thawed.
                thawed.or(Ok(()))
            }
            Self::ReadOnly(node) | Self::Standby(node) => unstandby(node),
            Self::Move(id) => {
                let id = outer(id);
                cluster.ok(["crm_resource", "--clear", "--resource", &id]).map(|_| ())
            }
            Self::Full(node) => {
                let host = cluster.node(node)?;
                host.ok(["rm", "-f", "/run/lab-filler"])?;
                // What it was before, which is tmpfs's default.
                host.ok(["mount", "-o", "remount,size=50%", "/run"])?;
                unstandby(cluster.other(node))
            }
            Self::Slow => sleep_in_monitor(cluster, "0"),
        }
    }
}

/// What is to be known of the time before a fault.
#[derive(Debug, Clone, Default)]
pub struct Before {
    process: Option<String>,
    place: Option<String>,
}

impl Before {
    /// Looks.
    ///
    /// # Errors
    /// The cluster does not answer.
    pub fn of(fault: Fault, cluster: &Cluster) -> Result<Self> {
        let status = cluster.status()?;
        Ok(match fault {
            Fault::Kill(node, daemon) => {
                Self { process: process_of(cluster, node, daemon)?, place: None }
            }
            Fault::Move(id) => Self { process: None, place: place(&status, id).map(str::to_owned) },
            _ => Self::default(),
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Power(node) => write!(f, "{node}'s power is cut"),
            Self::Cable(node) => write!(f, "{node}'s network cable is pulled"),
            Self::Kill(node, daemon) => write!(f, "{daemon} on {node} gets KILL"),
            Self::Freeze(node, COROSYNC, _) => write!(f, "{COROSYNC} on {node} is frozen"),
            Self::Freeze(node, daemon, seconds) => {
                write!(f, "{daemon} on {node} is frozen for {seconds} s")
            }
            Self::Lose(id @ (CLONE | PROMOTABLE), node) => {
                write!(f, "the state file of {id} on {node} is removed")
            }
            Self::Lose(id, _) => write!(f, "the state file of {id} is removed"),
            Self::ReadOnly(node) => write!(f, "{node}'s /run is read-only, and it is to stop all"),
            Self::Standby(node) => write!(f, "{node} is put on standby"),
            Self::Move(id) => write!(f, "{id} is moved"),
            Self::Full(node) => write!(f, "{node}'s /run is full, and all is to go there"),
            Self::Slow => write!(f, "the monitor of {} takes too long", SLOWNESS.0),
        }
    }
}

/// Whether every resource that runs once is up on this node, or has failed there.
fn is_settled(status: &Status, node: &str) -> bool {
    SINGLE.iter().all(|id| {
        status.place(id, "Started") == Some(node)
            || status.failures.iter().any(|f| f.resource.starts_with("team") || f.resource == *id)
    })
}

/// What is moved as a whole.
fn outer(id: &str) -> String {
    if id == PROMOTABLE { format!("{id}-clone") } else { id.to_owned() }
}

fn place<'a>(status: &'a Status, id: &str) -> Option<&'a str> {
    match id {
        PROMOTABLE => status.place(id, "Promoted"),
        GROUP => status.place("team-b", "Started"),
        id => status.place(id, "Started"),
    }
}

fn move_away(cluster: &Cluster, id: &str) -> Result<()> {
    let status = cluster.status()?;
    let from = place(&status, id).ok_or_else(|| Error::new(format!("{id} is nowhere")))?;
    let resource = outer(id);
    let mut args = vec!["crm_resource", "--move", "--resource", &resource, "--node"];
    args.push(cluster.other(from));
    args.extend((id == PROMOTABLE).then_some("--promoted"));
    cluster.ok(args).map(|_| ())
}

fn sleep_in_monitor(cluster: &Cluster, seconds: &str) -> Result<()> {
    let value = format!("<nvpair id=\"{}\" name=\"op_sleep\" value=\"{seconds}\"/>", SLOWNESS.1);
    let modify = ["cibadmin", "--modify", "--scope", "resources", "--xml-text", &value];
    cluster.ok(modify).map(|_| ())
}

fn process_of(cluster: &Cluster, node: &str, daemon: &str) -> Result<Option<String>> {
    let found = cluster.node(node)?.run(["pidof", "-s", daemon])?;
    Ok((found.code == 0).then(|| found.stdout.trim().to_owned()))
}

fn signal(cluster: &Cluster, node: &str, daemon: &str, signal: &str) -> Result<()> {
    let process = process_of(cluster, node, daemon)?;
    let process = process.ok_or_else(|| Error::new(format!("{node} runs no {daemon}")))?;
    cluster.node(node)?.ok(["kill", signal, &process]).map(|_| ())
}
