// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Processor time, from the kernel's own account of every process of the nodes (proc_pid_stat(5)).

use crate::cluster::Cluster;
use crate::{Error, Result};
use std::time::Duration;

/// Clock ticks a second: what the kernel tells programs, on every architecture of Debian's.
pub(crate) const TICKS: u32 = 100;

/// Whose time it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Pacemaker's executors, in the nodes and in the containers.
    Executors,
    /// What they run: agents, and all that these run.
    Agents,
    /// The Engine, with the processes that look after its containers.
    Engine,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Executors, Self::Agents, Self::Engine];

    /// As it is told of.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Executors => "Pacemaker's executors",
            Self::Agents => "agents, and what they start",
            Self::Engine => "the Engines",
        }
    }
}

/// Time so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage([Duration; 3]);

impl From<[Duration; 3]> for Usage {
    fn from(parts: [Duration; 3]) -> Self {
        Self(parts)
    }
}

impl Usage {
    /// Of all nodes together, as long as their processes have lived.
    ///
    /// # Errors
    /// A node doesn't answer.
    pub fn of_nodes(cluster: &Cluster) -> Result<Self> {
        let mut all = Self::default();
        for node in cluster.nodes() {
            let find = ["find", "/proc", "-maxdepth", "2", "-path", "/proc/[0-9]*/stat"];
            let files = node.run(find)?.stdout;
            // Who ends meanwhile is missing in the output, and makes an error of it.
            let stats = node.run(std::iter::once("cat").chain(files.lines()))?.stdout;
            if stats.is_empty() {
                return Err(Error::new(format!("{} shows no process", node.name)));
            }
            stats.lines().flat_map(read).for_each(|(part, time)| all.add(part, time));
        }
        Ok(all)
    }

    fn add(&mut self, part: Part, time: Duration) {
        let parts = Part::ALL.into_iter().zip(&mut self.0);
        parts.filter(|(other, _)| *other == part).for_each(|(_, sum)| *sum += time);
    }

    /// The time of one part.
    #[must_use]
    pub fn of(&self, part: Part) -> Duration {
        let mut parts = Part::ALL.into_iter().zip(self.0);
        parts.find(|(other, _)| *other == part).map(|(_, time)| time).unwrap_or_default()
    }

    /// What came after an earlier look.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        let mut parts = self.0;
        for (part, before) in parts.iter_mut().zip(earlier.0) {
            *part = part.saturating_sub(before);
        }
        Self(parts)
    }
}

/// The times of one process, and of those that it has waited for, by whose they are.
fn read(line: &str) -> Vec<(Part, Duration)> {
    let Some((name, own, waited)) = parse(line) else { return Vec::new() };
    match name {
        "pacemaker-execd" | "pacemaker-remot" => {
            vec![(Part::Executors, own), (Part::Agents, waited)]
        }
        "dockerd" | "containerd" | "containerd-shim" | "docker-proxy" => {
            vec![(Part::Engine, own + waited)]
        }
        _ => Vec::new(),
    }
}

/// The name, as the kernel cuts it at 15 bytes; its own time; the time of children that it has waited for.
fn parse(line: &str) -> Option<(&str, Duration, Duration)> {
    let (head, tail) = line.rsplit_once(')')?;
    let name = head.split_once('(')?.1;
    let fields: Vec<&str> = tail.split_whitespace().collect();
    // Field 3 is the first here; 14 to 17 are utime, stime, cutime and cstime.
    let ticks = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    let time = |ticks: u64| Duration::from_millis(ticks * 1000 / u64::from(TICKS));
    Some((name, time(ticks(14)? + ticks(15)?), time(ticks(16)? + ticks(17)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_the_executors_and_their_childrens() {
        let line =
            "42 (pacemaker-execd) S 1 42 42 0 -1 4194560 1 2 3 4 100 50 700 300 20 0 1 0 9 9";
        let seconds = Duration::from_secs_f64;
        assert_eq!(read(line), [(Part::Executors, seconds(1.5)), (Part::Agents, seconds(10.0))]);
        let engine = line.replace("pacemaker-execd", "dockerd");
        assert_eq!(read(&engine), [(Part::Engine, seconds(11.5))]);
        assert_eq!(read(&line.replace("pacemaker-execd", "a) (b")), []);
        assert_eq!(read("42 (dockerd"), []);
        let mut usage = Usage::default();
        usage.add(Part::Agents, seconds(3.0));
        assert_eq!(usage.since(Usage::default()).of(Part::Agents), seconds(3.0));
        assert_eq!(usage.since(usage), Usage::default());
    }
}
