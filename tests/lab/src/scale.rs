// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `make bench-scale`: one bundle of many replicas, run by Pacemaker for minutes, and what of the nodes' processors
//! its agents, their executors and the Engine take, with our agents and with Debian's shell agents.

use crate::accounting::{Part, Usage};
use crate::asking::Asking;
use crate::bundle::{Bundle, IMAGE};
use crate::cluster::{Cluster, Plan};
use crate::progress::Progress;
use crate::recipe::Kind;
use crate::recovery::AS_IN_MANUALS;
use crate::scenarios::settle;
use crate::{Error, Lab, Result, carry, logs};
use std::path::Path;
use std::time::{Duration, Instant};

/// How often it is looked.
const STEP: Duration = Duration::from_secs(10);

/// How many waits of the cluster's it may take until all replicas are up.
const WAITS: u32 = 5;

/// As many as one document tells of in a cluster.
const PROJECTED: f64 = 1500.0;

/// What is to be measured.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// How many replicas.
    pub replicas: usize,
    /// For how long they are run, once they are all up.
    pub time: Duration,
}

/// What came of one kind of agents: the usage since the beginning, at each step.
struct Measured {
    whose: &'static str,
    steps: Vec<(Duration, Usage)>,
}

impl Measured {
    /// The part's share of one processor, on both nodes together.
    fn share(&self, part: Part) -> f64 {
        let (time, usage) = self.steps.last().copied().unwrap_or_default();
        usage.of(part).as_secs_f64() / time.as_secs_f64().max(1.0)
    }

    fn total(&self) -> f64 {
        Part::ALL.into_iter().map(|part| self.share(part)).sum()
    }
}

/// Measures both, and prints a table, a plot and a projection for the README.
///
/// # Errors
/// The replicas don't come up, or one fails meanwhile; the nodes' logs are in `logs` then.
pub fn run(lab: &Lab, progress: &Progress, plan: &Plan<'_>, size: Size, logs: &Path) -> Result<()> {
    let mut measured = Vec::new();
    for has_shell_agents in [false, true] {
        let plan = Plan { has_shell_agents, ..plan.clone() };
        let (whose, kind) = match has_shell_agents {
            false => ("ours", Kind::Bundle(plan.release)),
            true => ("the shell agents", Kind::ShellBundle(plan.release)),
        };
        Cluster::images(lab, progress, &plan)?;
        let image = lab.image(progress, kind, Some(plan.packages))?;
        let cluster = Cluster::prepare(lab, progress, &plan)?;
        let found = measure(&cluster, progress, &image, whose, size);
        if let Err(Error::Failed(_)) = found {
            logs::collect(&cluster, logs, progress);
        }
        cluster.site.close()?;
        measured.push(found?);
    }
    progress.note("");
    report(&measured, size).iter().for_each(|line| progress.note(line));
    Ok(())
}

fn measure(
    cluster: &Cluster,
    progress: &Progress,
    image: &str,
    whose: &'static str,
    size: Size,
) -> Result<Measured> {
    let bundle =
        Bundle { replicas: size.replicas, per_host: size.replicas, first: 101, ..AS_IN_MANUALS };
    progress.step(&format!("{whose}: a cluster of two nodes"), || {
        cluster.boot()?;
        cluster.add_fencing()?;
        cluster.nodes().try_for_each(|node| carry::image(cluster, node, image, IMAGE))
    })?;
    progress.step(&format!("{whose}: {} replicas", size.replicas), || come_up(cluster, &bundle))?;
    let label = format!("{whose}: {} minutes of it", size.time.as_secs() / 60);
    let steps = progress.step(&label, || {
        let (begin, begun) = (Usage::of_nodes(cluster)?, Instant::now());
        let mut steps = vec![(Duration::ZERO, Usage::default())];
        while begun.elapsed() < size.time {
            cluster.docker().runner.pause(STEP)?;
            steps.push((begun.elapsed(), Usage::of_nodes(cluster)?.since(begin)));
        }
        let status = cluster.status()?;
        match status.failures.first() {
            Some(failure) => Err(Error::new(format!(
                "{} of {} failed meanwhile: {}",
                failure.task, failure.resource, failure.reason
            ))),
            None => Ok(steps),
        }
    })?;
    Ok(Measured { whose, steps })
}

/// Many replicas may take longer than the cluster is waited for once.
fn come_up(cluster: &Cluster, bundle: &Bundle) -> Result<()> {
    bundle.create(cluster)?;
    let mut all = Err(Error::new("nobody waited"));
    for _ in 0..WAITS {
        all = cluster.wait("all replicas being started", |status| {
            let up = (0..bundle.replicas).filter(|replica| bundle.runs(status, *replica)).count();
            Ok((up == bundle.replicas).then_some(()))
        });
        if !matches!(all, Err(Error::Failed(_))) {
            break;
        }
    }
    all?;
    for replica in 0..bundle.replicas {
        let asking = Asking::start(cluster, &format!("{}:80", bundle.address(replica)))?;
        cluster.wait(&format!("{} answering", bundle.address(replica)), |_| {
            Ok(asking.so_far()?.now.map(|_| ()))
        })?;
        asking.end()?;
    }
    settle(cluster)
}

fn report(measured: &[Measured], size: Size) -> Vec<String> {
    let cells = |text: &dyn Fn(&Measured) -> String| {
        measured.iter().map(|m| format!(" {} |", text(m))).collect::<String>()
    };
    let mut lines = vec![
        format!("| processor time, {} replicas |{}", size.replicas, cells(&|m| m.whose.to_owned())),
        format!("|---|{}", "---|".repeat(measured.len())),
    ];
    for part in Part::ALL {
        let share = cells(&|m| format!("{:.2} %", m.share(part) * 100.0));
        lines.push(format!("| {} |{share}", part.name()));
    }
    lines.push(format!("| **together** |{}", cells(&|m| format!("{:.2} %", m.total() * 100.0))));
    let projected = |m: &Measured| m.total() / size.replicas as f64 * PROJECTED;
    lines.push(format!(
        "| {PROJECTED} replicas, at the same cost each |{}",
        cells(&|m| format!("{:.2} processors", projected(m)))
    ));
    lines.push(String::new());
    lines.push("(100 % is one processor; both nodes together)".into());
    lines.extend(plot(measured));
    lines
}

/// A line for each, in seconds of processor time, in the language of Mermaid.
fn plot(measured: &[Measured]) -> Vec<String> {
    let seconds =
        |usage: &Usage| Part::ALL.map(|part| usage.of(part).as_secs_f64()).iter().sum::<f64>();
    let last = measured.iter().flat_map(|m| m.steps.last()).map(|(time, _)| *time).max();
    let minutes = last.unwrap_or_default().as_secs_f64() / 60.0;
    let mut lines = vec![
        "```mermaid".to_owned(),
        "xychart-beta".to_owned(),
        "  title \"processor time of executors, agents and Engines\"".to_owned(),
        format!("  x-axis \"minutes\" 0 --> {minutes:.0}"),
        "  y-axis \"seconds\"".to_owned(),
    ];
    for m in measured {
        let values = m.steps.iter().map(|(_, usage)| format!("{:.1}", seconds(usage)));
        lines.push(format!("  line \"{}\" [{}]", m.whose, values.collect::<Vec<_>>().join(", ")));
    }
    lines.push("```".to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projection_is_the_cost_of_one_times_all() {
        let usage = Usage::from([1.0, 2.0, 3.0].map(Duration::from_secs_f64));
        let steps = vec![(Duration::ZERO, Usage::default()), (Duration::from_secs(100), usage)];
        let measured = [Measured { whose: "ours", steps }];
        let size = Size { replicas: 40, time: Duration::from_secs(100) };
        let lines = report(&measured, size);
        assert_eq!(lines[5], "| **together** | 6.00 % |");
        // 0.06 processors / 40 × 1500.
        assert_eq!(lines[6], "| 1500 replicas, at the same cost each | 2.25 processors |");
        assert!(lines.contains(&"  line \"ours\" [0.0, 6.0]".to_owned()), "{lines:?}");
    }
}
