// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `make bench-recovery`: what faults cost a bundle on our agents, and on Debian's shell agents, on the same lab
//! one after the other, as a table for the README.

use crate::bundle::{Bundle, THREE, size};
use crate::cluster::{Cluster, Plan};
use crate::fault::{self, Outcome, strike};
use crate::progress::Progress;
use crate::recipe::Kind;
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
            let outcome = progress.step(&label, || strike(&cluster, &AS_IN_MANUALS, fault, 0))?;
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
