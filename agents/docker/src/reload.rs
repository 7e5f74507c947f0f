// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Makes changed limits effective while the container runs.

use crate::container::Status;
use crate::plan::Plan;
use crate::site::Site;
use bollard::Docker;
use ocf::{Error, Result, tracing};

/// Gives a running container the limits and the restart policy that the parameters ask for; it runs on.
///
/// # Errors
/// `not_running` (7), or what the Engine says against it.
pub(crate) fn reload(site: &Site<'_>, plan: &Plan<'_>) -> Result<()> {
    let name = site.name;
    let error = |failure| site.error(&format!("change container {name}"), &failure);
    let mut wanted = plan.update()?;
    // As at a start: who asks for memory and says nothing of swap gets as much again.
    if wanted.memory_swap.is_none() {
        wanted.memory_swap = wanted.memory.filter(|memory| *memory > 0).map(|memory| memory * 2);
    }
    let found = site.find(&site.context.deadline).map_err(error)?;
    let Some(container) = found.filter(|found| found.status == Status::Running) else {
        return Err(Error::not_running(format!("container {name} doesn't run")));
    };
    let answer = site.engine().ask(&site.context.deadline, async |docker: &Docker| {
        docker.update_container(&container.id, wanted.clone()).await
    });
    answer.map_err(error)?;
    tracing::info!("container {name} has its new limits");
    Ok(())
}
