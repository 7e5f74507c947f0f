// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What of run_opts the Engine can change while the container runs.

use super::flags::Flags;
use super::resources::Limits;
use bollard::models::ContainerUpdateBody;
use ocf::Result;

/// The flags that `reload-agent` can apply to a running container.
pub const LIVE: &[&str] = &[
    "blkio-weight",
    "cpu-period",
    "cpu-quota",
    "cpu-rt-period",
    "cpu-rt-runtime",
    "cpu-shares",
    "cpus",
    "cpuset-cpus",
    "cpuset-mems",
    "kernel-memory",
    "memory",
    "memory-reservation",
    "memory-swap",
    "pids-limit",
    "restart",
];

/// The change to apply: of what isn't given, the Engine keeps what the container has.
pub(super) fn update(flags: &Flags) -> Result<ContainerUpdateBody> {
    let limits = Limits::read(flags)?;
    Ok(ContainerUpdateBody {
        memory: limits.memory,
        memory_reservation: limits.memory_reservation,
        memory_swap: limits.memory_swap,
        nano_cpus: limits.processors,
        cpu_shares: limits.cpu_shares,
        cpu_period: limits.cpu_period,
        cpu_quota: limits.cpu_quota,
        cpu_realtime_period: limits.cpu_rt_period,
        cpu_realtime_runtime: limits.cpu_rt_runtime,
        cpuset_cpus: limits.cpuset_cpus,
        cpuset_mems: limits.cpuset_mems,
        blkio_weight: limits.blkio_weight,
        pids_limit: limits.pids,
        restart_policy: limits.restart,
        ..ContainerUpdateBody::default()
    })
}
