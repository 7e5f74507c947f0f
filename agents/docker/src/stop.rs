// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Takes the container down and away, and doesn't believe it before the Engine says so: nothing of its
//! name is there, and no request of a killed start can bring it back.

use crate::container::{Container, Status};
use crate::engine::{Answer, Failure};
use crate::evidence::Remains;
use crate::monitor::is_asked_for;
use crate::processes::{self, Reception, kill_all, members, reception};
use crate::record::Record;
use crate::site::Site;
use crate::{Parameters, in_flight};
use bollard::Docker;
use bollard::models::{ContainerUpdateBody, RestartPolicy, RestartPolicyNameEnum};
use bollard::query_parameters::{
    KillContainerOptionsBuilder, RemoveContainerOptionsBuilder, StopContainerOptionsBuilder,
};
use ocf::deadline::Deadline;
use ocf::process::{Identity, Signal};
use ocf::{Error, Result, tracing};
use std::time::{Duration, Instant};

/// How long a silent Engine is waited for, in percent of the time: the rest is for stopping without it.
const FOR_ENGINE: u32 = 50;
/// Until when the service may shut down, and until when the Engine may do the rest.
const FOR_SERVICE: u32 = 75;
const FOR_ALL: u32 = 90;
/// What the shell agent keeps of the timeout for everything but the service's shutting down, and what it
/// gives the service at least.
const KEPT: Duration = Duration::from_secs(10);
const LEAST: Duration = Duration::from_secs(10);
/// How long an Engine may take to see that an init has ended.
const SEEN: Duration = Duration::from_secs(2);
/// How long an Engine is watched for requests of the dead where the kernel doesn't tell.
const SETTLING: Duration = Duration::from_secs(3);

/// How the container is taken down.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// With KILL at once.
    pub(crate) force: bool,
    /// It stays, and is started again.
    pub(crate) keep: bool,
}

impl Manner {
    pub(crate) const fn of(parameters: &Parameters) -> Self {
        Self { force: parameters.force_kill, keep: parameters.reuse }
    }
}

/// Stops the container.
///
/// # Errors
/// When something of it is left, or may come back. An Engine that doesn't answer is given as well.
pub(crate) fn stop(site: &Site<'_>, manner: Manner) -> (Result<()>, Option<Failure>) {
    let first = site.find(&site.context.deadline.share(FOR_ENGINE));
    let answer = first.and_then(|found| with_engine(site, manner, found));
    match answer {
        Ok(result) => (result, None),
        Err(failure) if failure.is_final() => {
            (Err(site.error(&format!("stop container {}", site.name), &failure)), Some(failure))
        }
        Err(failure) => (without_engine(site, manner, &failure), Some(failure)),
    }
}

/// Until there is none of that name, and nobody who may still make one.
fn with_engine(
    site: &Site<'_>,
    manner: Manner,
    mut found: Option<Container>,
) -> Answer<Result<()>> {
    let deadline = site.context.deadline.share(FOR_ALL);
    let began = Instant::now();
    // A killed start may have left the CLI behind, which goes on.
    let is_asking = site.record().is_some_and(Record::is_asking);
    if is_asking && let Err(error) = processes::end_cli(site.name) {
        return Ok(Err(error));
    }
    loop {
        if let Some(container) = found
            && let Err(error) = end(site, manner, &container)?
        {
            return Ok(Err(error));
        }
        let waiting = waiting_requests(site, began);
        found = site.find(&deadline)?;
        match (&found, waiting) {
            (None, 0) => return Ok(site.file.remove()),
            (Some(kept), 0) if manner.keep && !kept.is_active() => {
                return Ok(site.file.remove());
            }
            (_, waiting) if deadline.is_over() => return Ok(Err(unproven(site, waiting))),
            _ => {
                let _in_time = site.context.sleep(Duration::from_millis(20));
            }
        }
    }
}

fn unproven(site: &Site<'_>, waiting: usize) -> Error {
    let name = site.name;
    Error::generic(match waiting {
        0 => format!("container {name} comes back again and again: who else starts it?"),
        _ => format!("the Engine may yet start container {name}: a killed start's request is open"),
    })
}

/// How many requests of clients that are gone the Engine still has, when a start of ours was killed.
fn waiting_requests(site: &Site<'_>, began: Instant) -> usize {
    let Some(record) = site.record().filter(|record| record.is_asking()) else { return 0 };
    let found = site.endpoint.socket().and_then(in_flight::find);
    let is_settling = usize::from(began.elapsed() < SETTLING);
    found.map_or(is_settling, |found| found.count(&record.strangers))
}

/// Ends one container, and takes it away unless it is kept.
pub(crate) fn end(site: &Site<'_>, manner: Manner, container: &Container) -> Answer<Result<()>> {
    if container.is_active()
        && let Err(error) = halt(site, manner, container)?
    {
        return Ok(Err(error));
    }
    if manner.keep { tame(site, container) } else { take_away(site, container) }
}

/// Keeps an Engine that is started again from starting the kept container, too: under the policy
/// `unless-stopped`, which is the same as `always` but for this, it stays stopped.
fn tame(site: &Site<'_>, container: &Container) -> Answer<Result<()>> {
    if container.restart_policy() != "always" {
        return Ok(Ok(()));
    }
    let policy = RestartPolicy {
        name: Some(RestartPolicyNameEnum::UNLESS_STOPPED),
        maximum_retry_count: None,
    };
    let change = ContainerUpdateBody { restart_policy: Some(policy), ..Default::default() };
    let deadline = site.context.deadline.share(FOR_ALL);
    let answer = site.engine().ask(&deadline, async |docker: &Docker| {
        docker.update_container(&container.id, change.clone()).await
    });
    match answer {
        Ok(()) => Ok(Ok(())),
        Err(failure) if failure.is_refusal() => Ok(Err(Error::generic(format!(
            "container {} is kept and would be started by an Engine that is started: {failure}",
            site.name
        )))),
        Err(failure) => Err(failure),
    }
}

/// Ends its init: asks, then forces, then forces without the Engine.
fn halt(site: &Site<'_>, manner: Manner, container: &Container) -> Answer<Result<()>> {
    let deadline = site.context.deadline.share(FOR_ALL);
    let asked = if manner.force { kill(site, container) } else { ask(site, container) };
    if let Err(failure @ (Failure::Unreachable(_) | Failure::Garbage(_))) = asked {
        return Err(failure);
    }
    if let Err(failure) = &asked {
        tracing::warn!("container {}: stopping it failed: {failure}", site.name);
    }
    for force in [None, Some(Force::Engine), Some(Force::Kernel)] {
        match force {
            None => {}
            Some(Force::Engine) => drop(kill(site, container)),
            Some(Force::Kernel) => {
                drop(members(&container.id).and_then(|members| kill_all(&members)));
            }
        }
        let patience = deadline.within(Duration::from_secs(5));
        if is_halted(site, container, &patience)? {
            return Ok(Ok(()));
        }
    }
    let why = asked.err().map(|failure| format!(": {failure}")).unwrap_or_default();
    Ok(Err(Error::generic(format!("container {} can't be stopped{why}", site.name))))
}

/// Who forces.
#[derive(Clone, Copy)]
enum Force {
    Engine,
    Kernel,
}

fn is_halted(site: &Site<'_>, container: &Container, patience: &Deadline) -> Answer<bool> {
    loop {
        let found = site.find(patience)?.filter(|found| found.id == container.id);
        if !found.is_some_and(|found| found.is_active()) {
            return Ok(true);
        }
        if patience.is_over() || !site.context.sleep(Duration::from_millis(50)) {
            return Ok(false);
        }
    }
}

/// Asks it to end, and gives it time when that is of any use.
fn ask(site: &Site<'_>, container: &Container) -> Answer<()> {
    let signal = container.stop_signal().unwrap_or(Signal::SIGTERM as i32);
    let grace = match init_of(site, container).map(|init| reception(init, signal)) {
        Some(Reception::Dropped) => {
            tracing::info!("container {}: its init has no handler for signal {signal}", site.name);
            Duration::ZERO
        }
        Some(Reception::ByChild(init, child)) => {
            child.signal(Signal::SIGTERM).map_err(|error| Failure::Unusable(error.to_string()))?;
            let _ended = init.wait_gone(&site.context.deadline.within(grace(site)));
            // The Engine must not be asked to stop what is just ending: it might miss that.
            // Nor is it frozen when it is busy with that end: a log that nobody reads takes ten seconds.
            match is_halted(site, container, &site.context.deadline.within(SEEN)) {
                Ok(true) => return Ok(()),
                Ok(false) | Err(Failure::Silent(_)) => Duration::ZERO,
                Err(failure) => return Err(failure),
            }
        }
        Some(Reception::Received) | None => grace(site),
    };
    if grace.is_zero() {
        return kill(site, container);
    }
    let seconds = i32::try_from(grace.as_secs()).unwrap_or(i32::MAX);
    let options = StopContainerOptionsBuilder::new().t(seconds).build();
    site.engine().ask(&site.context.deadline.share(FOR_ALL), async |docker: &Docker| {
        docker.stop_container(&container.id, Some(options.clone())).await
    })
}

/// Its init, when that is a process of this host.
fn init_of(site: &Site<'_>, container: &Container) -> Option<Identity> {
    site.endpoint.socket()?;
    let init = container.pid.and_then(Identity::of)?;
    let group = processes::container_of(init.pid).ok().flatten()?;
    (group == container.id).then_some(init)
}

/// What the shell agent would give, as far as there is time: with a timeout of 5 s it gives 10.
fn grace(site: &Site<'_>) -> Duration {
    let usual = site.context.deadline.timeout().saturating_sub(KEPT).max(LEAST);
    usual.min(site.context.deadline.share(FOR_SERVICE).left())
}

fn kill(site: &Site<'_>, container: &Container) -> Answer<()> {
    let options = KillContainerOptionsBuilder::new().signal("SIGKILL").build();
    let question =
        async |docker: &Docker| docker.kill_container(&container.id, Some(options.clone())).await;
    match site.engine().ask(&site.context.deadline.share(FOR_ALL), question) {
        // It has ended meanwhile.
        Err(Failure::Refused { status: 409, .. }) => Ok(()),
        answer => answer,
    }
}

/// Removes it, with the volumes that nobody named.
fn take_away(site: &Site<'_>, container: &Container) -> Answer<Result<()>> {
    let deadline = site.context.deadline.share(FOR_ALL);
    let options = RemoveContainerOptionsBuilder::new().v(true).force(true).build();
    let mut why = "the Engine says that it did, and still has it".to_owned();
    let mut pause = Duration::from_millis(50);
    loop {
        match site.engine().ask(&deadline, async |docker: &Docker| {
            docker.remove_container(&container.id, Some(options.clone())).await
        }) {
            Err(failure) if failure.is_refusal() => why = failure.to_string(),
            // The time was over, which says less than what came before.
            Err(failure) if !deadline.is_over() => return Err(failure),
            _ => {}
        }
        // Who else removes it (--rm, an operator) may need a moment.
        let name = site.name;
        match site.find(&deadline) {
            Ok(found) if found.as_ref().is_none_or(|found| found.id != container.id) => {
                return Ok(Ok(()));
            }
            Err(failure) if !deadline.is_over() => return Err(failure),
            _ if deadline.is_over() || !site.context.sleep(pause) => {
                return Ok(Err(Error::generic(format!("cannot remove container {name}: {why}"))));
            }
            _ => pause = (pause * 2).min(Duration::from_secs(1)),
        }
    }
}

/// Stops what runs of it while its Engine doesn't answer.
fn without_engine(site: &Site<'_>, manner: Manner, failure: &Failure) -> Result<()> {
    let about = failure.of_engine(&site.endpoint);
    let returns = match site.remains(failure)? {
        Some(remains) => {
            tracing::warn!("{about}: container {} is ended by its init", site.name);
            end_processes(site, manner, &remains)?;
            remains.returns
        }
        None => site.returning(failure)?,
    };
    if let Some(policy) = returns {
        return Err(Error::generic(format!(
            "restart policy {policy} would start container {} again: {about}",
            site.name
        )));
    }
    if !is_asked_for(site, failure) {
        return site.file.remove();
    }
    // What is still asked for can only be seen to when the Engine answers.
    match site.find(&site.context.deadline.share(FOR_ALL)) {
        Ok(found) => with_engine(site, manner, found)
            .unwrap_or_else(|failure| Err(site.error("stop a container", &failure))),
        Err(_) => Err(Error::generic(format!("{about}; it may yet start container {}", site.name))),
    }
}

fn end_processes(site: &Site<'_>, manner: Manner, remains: &Remains) -> Result<()> {
    let deadline = &site.context.deadline;
    if !manner.force {
        let signal = remains.stop_signal;
        let asked = match reception(remains.init, signal as i32) {
            Reception::Received => remains.init.signal(signal)?,
            Reception::ByChild(_, child) => child.signal(Signal::SIGTERM)?,
            Reception::Dropped => false,
        };
        let _ended = asked && remains.init.wait_gone(&deadline.share(FOR_SERVICE));
    }
    // Whoever is left, and whoever they have started meanwhile.
    let is_gone = site.context.wait_until(|| {
        let left = members(&remains.id)?;
        kill_all(&left)?;
        Ok(left.is_empty())
    })?;
    if is_gone {
        return Ok(());
    }
    let pid = remains.init.pid;
    Err(Error::generic(format!("process {pid} of container {} survives KILL", site.name)))
}

/// What is left of the container after a stop.
///
/// # Errors
/// When that can't be known.
pub(crate) fn leftovers(
    site: &Site<'_>,
    manner: Manner,
    failure: Option<&Failure>,
) -> Result<Vec<String>> {
    let found = match failure {
        Some(failure) => Err(failure.clone()),
        None => loop {
            match site.find(&site.context.deadline) {
                // Somebody else is at it, and nearly done.
                Ok(Some(found)) if found.status == Status::Removing => {
                    if !site.context.sleep(Duration::from_millis(50)) {
                        break Ok(Some(found));
                    }
                }
                found => break found,
            }
        },
    };
    match found {
        Ok(None) => Ok(Vec::new()),
        Ok(Some(kept)) if manner.keep && !kept.is_active() => Ok(Vec::new()),
        Ok(Some(found)) => Ok(vec![format!("container {} ({})", site.name, found.status)]),
        Err(failure) if failure.is_final() => {
            Err(site.error(&format!("look for container {}", site.name), &failure))
        }
        Err(failure) => {
            let remains = site.remains(&failure)?;
            Ok(remains.map(|r| format!("process {} of it", r.init.pid)).into_iter().collect())
        }
    }
}
