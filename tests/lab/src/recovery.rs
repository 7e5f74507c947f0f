// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `make bench-recovery`: what faults cost a bundle on our agents, and on Debian's shell agents, on the same lab
//! one after the other, as a table for the README.

use crate::accounting::TICKS;
use crate::bundle::{Bundle, THREE, size};
use crate::cluster::{Cluster, Plan};
use crate::fault::{self, Fault, Outcome, SERVER, strike_when};
use crate::progress::Progress;
use crate::recipe::Kind;
use crate::site::Host;
use crate::{Error, Lab, Result, logs};
use std::path::Path;
use std::time::Duration;

/// Three replicas as the manuals have them: the shell agent needs to be told much of a server in a bundle.
pub const AS_IN_MANUALS: Bundle = Bundle {
    more: &[
        "storage-map",
        "id=httpd-logs",
        "source-dir-root=/var/log/pacemaker/bundles",
        "target-dir=/etc/httpd/logs",
        "options=rw",
    ],
    server: &[
        "configfile=/etc/httpd/conf/httpd.conf",
        "httpd=/usr/sbin/apache2",
        "statusurl=http://127.0.0.1/server-status",
        "op",
        "monitor",
        "interval=5s",
    ],
    ..THREE
};

/// How often the server is monitored there.
const INTERVAL: Duration = Duration::from_secs(5);

/// What came of one kind of agents.
struct Measured {
    whose: &'static str,
    megabytes: u64,
    /// For each of [`fault::ALL`], all rounds.
    outcomes: Vec<Vec<Outcome>>,
}

/// Measures both, and prints the table.
///
/// # Errors
/// The first fault that a cluster doesn't recover from; the nodes' logs are in `logs` then.
pub fn run(
    lab: &Lab,
    progress: &Progress,
    plan: &Plan<'_>,
    rounds: u32,
    logs: &Path,
) -> Result<()> {
    let mut measured = Vec::new();
    for has_shell_agents in [false, true] {
        let plan = Plan { has_shell_agents, ..plan.clone() };
        measured.push(measure(lab, progress, &plan, rounds, logs)?);
    }
    progress.note("");
    table(&measured, rounds).iter().for_each(|line| progress.note(line));
    Ok(())
}

fn measure(
    lab: &Lab,
    progress: &Progress,
    plan: &Plan<'_>,
    rounds: u32,
    logs: &Path,
) -> Result<Measured> {
    let (whose, kind) = match plan.has_shell_agents {
        false => ("ours", Kind::Bundle(plan.release)),
        true => ("the shell agents", Kind::ShellBundle(plan.release)),
    };
    Cluster::images(lab, progress, plan)?;
    let image = lab.image(progress, kind, Some(plan.packages))?;
    let cluster = Cluster::prepare(lab, progress, plan)?;
    progress.step(&format!("{whose}: a cluster with three web servers"), || {
        cluster.boot()?;
        cluster.add_fencing()?;
        AS_IN_MANUALS.come_up(&cluster, &image)
    })?;
    let mut outcomes = vec![Vec::new(); fault::ALL.len()];
    let measured = (1..=rounds).try_for_each(|round| {
        for (fault, all) in fault::ALL.into_iter().zip(&mut outcomes) {
            let label = format!("{whose}, {round} of {rounds}: {}", fault.name());
            let wait = |node: &Host| match fault {
                Fault::Server => wait_for_phase(node, INTERVAL * (2 * round - 1) / (2 * rounds)),
                _ => Ok(()),
            };
            let strike = || strike_when(&cluster, &AS_IN_MANUALS, fault, 0, &wait);
            let outcome = progress.step(&label, strike)?;
            progress.evidence(&outcome.seen);
            all.push(outcome);
        }
        Ok(())
    });
    if let Err(Error::Failed(_)) = measured {
        logs::collect(&cluster, logs, progress);
    }
    let megabytes = size(&cluster, &image)?;
    cluster.site.close()?;
    measured.map(|()| Measured { whose, megabytes, outcomes })
}

/// Waits until so long after a monitor of the server: how long a dead one goes unnoticed is the monitor's interval, and
/// all of it has to come up as often with either kind of agents. The first monitor is right after the server's start.
fn wait_for_phase(node: &Host, phase: Duration) -> Result<()> {
    let pids = AS_IN_MANUALS.processes(node, 0, SERVER)?;
    // The oldest is the one that was started; the others are its children.
    let stats = node
        .ok(["cat", "/proc/uptime"].into_iter().chain(paths(&pids).iter().map(String::as_str)))?;
    let age = age(&stats.stdout).ok_or_else(|| Error::new("the server's age isn't known"))?;
    let since = age.as_secs_f64() % INTERVAL.as_secs_f64();
    let wait = (phase.as_secs_f64() - since).rem_euclid(INTERVAL.as_secs_f64());
    node.docker().runner.pause(Duration::from_secs_f64(wait))
}

fn paths(pids: &[String]) -> Vec<String> {
    pids.iter().map(|pid| format!("/proc/{pid}/stat")).collect()
}

/// How old the oldest process is: a line of /proc/uptime, then those of proc_pid_stat(5).
fn age(text: &str) -> Option<Duration> {
    let mut lines = text.lines();
    let now: f64 = lines.next()?.split(' ').next()?.parse().ok()?;
    // Field 22 is the start; the name, which may hold blanks, is field 2.
    let start =
        |line: &str| line.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse::<f64>().ok();
    let oldest = lines.filter_map(start).reduce(f64::min)?;
    Duration::try_from_secs_f64(now - oldest / f64::from(TICKS)).ok()
}

fn table(measured: &[Measured], rounds: u32) -> Vec<String> {
    let columns =
        |word: &str| measured.iter().map(|m| format!(" {word}, {} |", m.whose)).collect::<String>();
    let head = format!("| fault |{}{}", columns("no answer for"), columns("all well after"));
    let mut lines = vec![head, format!("|---|{}", "---|".repeat(measured.len() * 2))];
    for (number, fault) in fault::ALL.into_iter().enumerate() {
        let cells = |time: fn(&Outcome) -> Duration| {
            let cell = |m: &Measured| {
                let times = m.outcomes.get(number).into_iter().flatten().map(time);
                format!(" {:.1} s |", median(times.collect()).as_secs_f64())
            };
            measured.iter().map(cell).collect::<String>()
        };
        let (unreachable, recovered) = (cells(|o| o.unreachable), cells(|o| o.recovered));
        lines.push(format!("| {} |{unreachable}{recovered}", fault.name()));
    }
    let size = |m: &Measured| format!("{} MB with {}", m.megabytes, m.whose);
    let sizes: Vec<_> = measured.iter().map(size).collect();
    lines.push(String::new());
    lines.push(format!("medians of {rounds}; the bundle's image: {}", sizes.join(", ")));
    lines
}

/// The middle one; of an even number, the later of the two.
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_process_is_the_servers() {
        let stat = |start| format!("7 (a) b) S 1 {} {start} 0", "0 ".repeat(17).trim());
        let text = format!("100.50 7.00\n{}\n{}\n", stat(9000), stat(8850));
        assert_eq!(age(&text), Some(Duration::from_secs(12)));
        assert_eq!(age("100.50 7.00\n"), None);
    }

    #[test]
    fn the_table_has_the_medians_of_both() {
        let seconds = Duration::from_secs;
        let outcome = |time| Outcome {
            unreachable: seconds(time),
            recovered: seconds(time + 1),
            seen: Vec::new(),
        };
        let of = |whose, times: [u64; 3]| Measured {
            whose,
            megabytes: 9,
            outcomes: fault::ALL.map(|_| times.map(outcome).to_vec()).to_vec(),
        };
        let lines = table(&[of("ours", [9, 1, 2]), of("theirs", [7, 6, 8])], 3);
        assert_eq!(
            lines[0],
            "| fault | no answer for, ours | no answer for, theirs | all well after, ours | \
             all well after, theirs |"
        );
        assert_eq!(lines[2], "| httpd is killed in a container | 2.0 s | 7.0 s | 3.0 s | 8.0 s |");
        assert_eq!(lines.len(), 8);
    }
}
