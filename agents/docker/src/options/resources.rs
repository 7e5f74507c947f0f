// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Limits of memory, processors, block I/O and processes.

use super::flags::{Flags, quoted};
use super::numbers;
use bollard::models::{HostConfig, RestartPolicy, RestartPolicyNameEnum};
use ocf::Result;

/// What the Engine can also change while the container runs; each as it was given.
#[derive(Debug, Default)]
pub(super) struct Limits {
    pub(super) memory: Option<i64>,
    pub(super) memory_reservation: Option<i64>,
    pub(super) memory_swap: Option<i64>,
    pub(super) processors: Option<i64>,
    pub(super) cpu_shares: Option<i64>,
    pub(super) cpu_period: Option<i64>,
    pub(super) cpu_quota: Option<i64>,
    pub(super) cpu_rt_period: Option<i64>,
    pub(super) cpu_rt_runtime: Option<i64>,
    pub(super) cpuset_cpus: Option<String>,
    pub(super) cpuset_mems: Option<String>,
    pub(super) blkio_weight: Option<u16>,
    pub(super) pids: Option<i64>,
    pub(super) restart: Option<RestartPolicy>,
}

impl Limits {
    /// The flags, read.
    pub(super) fn read(flags: &Flags) -> Result<Self> {
        let integer = |name| flags.read_one(name, numbers::integer);
        let text = |name| flags.one(name).map(str::to_owned);
        Ok(Self {
            memory: flags.read_one("memory", numbers::size)?,
            memory_reservation: flags.read_one("memory-reservation", numbers::size)?,
            memory_swap: flags.read_one("memory-swap", numbers::swap)?,
            processors: flags.read_one("cpus", numbers::processors)?,
            cpu_shares: integer("cpu-shares")?,
            cpu_period: integer("cpu-period")?,
            cpu_quota: integer("cpu-quota")?,
            cpu_rt_period: integer("cpu-rt-period")?,
            cpu_rt_runtime: integer("cpu-rt-runtime")?,
            cpuset_cpus: text("cpuset-cpus"),
            cpuset_mems: text("cpuset-mems"),
            blkio_weight: flags.read_one("blkio-weight", numbers::weight)?,
            pids: integer("pids-limit")?,
            restart: flags.one("restart").map(|_| restart(flags)).transpose()?,
        })
    }

    /// Fills in what a new container gets: everything, with the CLI's own value for what isn't given.
    pub(super) fn fill(self, flags: &Flags, host: &mut HostConfig) -> Result<()> {
        let or_zero = |number: Option<i64>| Some(number.unwrap_or_default());
        host.memory = or_zero(self.memory);
        host.memory_reservation = or_zero(self.memory_reservation);
        host.memory_swap = or_zero(self.memory_swap);
        host.nano_cpus = or_zero(self.processors);
        host.cpu_shares = or_zero(self.cpu_shares);
        host.cpu_period = or_zero(self.cpu_period);
        host.cpu_quota = or_zero(self.cpu_quota);
        host.cpu_realtime_period = or_zero(self.cpu_rt_period);
        host.cpu_realtime_runtime = or_zero(self.cpu_rt_runtime);
        host.cpuset_cpus = Some(self.cpuset_cpus.unwrap_or_default());
        host.cpuset_mems = Some(self.cpuset_mems.unwrap_or_default());
        host.blkio_weight = Some(self.blkio_weight.unwrap_or_default());
        host.pids_limit = or_zero(self.pids);
        let never = || RestartPolicy {
            name: Some(RestartPolicyNameEnum::NO),
            maximum_retry_count: Some(0),
        };
        host.restart_policy = Some(self.restart.unwrap_or_else(never));
        host.cgroup_parent = flags.text("cgroup-parent");
        host.oom_kill_disable = Some(flags.is_on("oom-kill-disable")?);
        host.oom_score_adj = or_zero(flags.read_one("oom-score-adj", numbers::integer)?);
        host.shm_size = or_zero(flags.read_one("shm-size", numbers::size)?);
        let swappiness =
            flags.read_one("memory-swappiness", |text| numbers::within(text, -1, 100))?;
        host.memory_swappiness = Some(swappiness.unwrap_or(-1));
        Ok(())
    }
}

/// `--restart`.
fn restart(flags: &Flags) -> Result<RestartPolicy> {
    Ok(flags.read_one("restart", policy)?.unwrap_or_default())
}

/// `NAME[:COUNT]`.
fn policy(value: &str) -> Result<RestartPolicy, String> {
    let (name, count) = value.split_once(':').unwrap_or((value, ""));
    if name.is_empty() && !value.is_empty() {
        return Err(format!("{} names no policy before the colon", quoted(value)));
    }
    let is_decimal =
        count.strip_prefix(['-', '+']).unwrap_or(count).bytes().all(|c| c.is_ascii_digit());
    let count = match count {
        "" => Ok(0),
        _ if !is_decimal => Err(()),
        count => count.parse::<i64>().map_err(|_| ()),
    };
    let count = count.map_err(|()| format!("{} has no number behind the colon", quoted(value)))?;
    let name: RestartPolicyNameEnum = name.parse().map_err(|_| {
        format!("{} is no policy: no, always, unless-stopped or on-failure[:COUNT]", quoted(value))
    })?;
    Ok(RestartPolicy { name: Some(name), maximum_retry_count: Some(count) })
}
