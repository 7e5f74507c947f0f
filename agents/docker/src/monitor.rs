// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a container's state means.
//!
//! | the Engine says | the monitor |
//! |---|---|
//! | no such container, created, exited, removing | stopped |
//! | running | running, unless its health check or `monitor_cmd` fails |
//! | running, but started again by the Engine a moment ago | as restarting |
//! | restarting | looked at again for min(5 s, half the time): running once it stays up |
//! | paused, dead | failed |
//! | nothing (it is down, frozen, or no Engine) | failed while a process of the container lives, stopped when none does; one that is down is looked for again for min(5 s, half the time) |

use crate::Parameters;
use crate::container::{Container, Health, Status};
use crate::engine::Failure;
use crate::exec;
use crate::site::Site;
use ocf::deadline::Deadline;
use ocf::process::Identity;
use ocf::{Error, Result, State};
use std::time::{Duration, Instant};

/// How long a container that the Engine keeps starting may take to stay up.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it has to stay up to count as running.
const STEADY: Duration = Duration::from_secs(1);
/// A container that is younger and isn't on its first life may be one that crashes again and again.
const YOUNG: Duration = Duration::from_secs(10);
/// How much of its time a monitor waits for the Engine, in percent: the rest is for looking without it.
const FOR_ENGINE: u32 = 80;

/// The state of the container.
pub(crate) fn monitor(site: &Site<'_>, parameters: &Parameters) -> Result<State> {
    match site.find(&site.context.deadline.share(FOR_ENGINE)) {
        Ok(None) => Ok(State::stopped(format!("no container {}", site.name))),
        Ok(Some(container)) => judge(site, parameters, container),
        Err(failure) => match without_engine(site, &failure) {
            // Its containers may go on while an Engine is started again (live-restore).
            Err(_) if matches!(failure, Failure::Unreachable(_)) => {
                again(site, parameters, failure)
            }
            verdict => verdict,
        },
    }
}

/// Until when it is looked again at what may pass.
fn second_looks(site: &Site<'_>) -> Deadline {
    let deadline = &site.context.deadline;
    deadline.within(PATIENCE.min(deadline.left() / 2))
}

/// Looks for the Engine again and again while the container runs without it.
fn again(site: &Site<'_>, parameters: &Parameters, mut failure: Failure) -> Result<State> {
    let limit = second_looks(site);
    while !limit.is_over() && site.context.sleep(Duration::from_millis(200)) {
        let site = Site::new(site.context, site.name)?;
        match site.find(&site.context.deadline.share(FOR_ENGINE)) {
            Ok(Some(container)) => return judge(&site, parameters, container),
            Ok(None) => return Ok(State::stopped(format!("no container {}", site.name))),
            Err(other) => failure = other,
        }
    }
    without_engine(site, &failure)
}

fn judge(site: &Site<'_>, parameters: &Parameters, container: Container) -> Result<State> {
    let name = site.name;
    match container.status {
        Status::Created => Ok(State::stopped(format!("container {name} was never started"))),
        Status::Removing => Ok(State::stopped(format!("container {name} is being removed"))),
        Status::Exited => Ok(State::stopped(format!("container {name} {}", container.ending()))),
        Status::Paused => Err(Error::generic(format!(
            "container {name} is paused: docker unpause {name}, or let it be recovered"
        ))),
        Status::Dead => Err(Error::generic(format!(
            "container {name} is dead: the Engine could not remove it, its log says why"
        ))),
        Status::Restarting => steady(site, parameters, container),
        Status::Running if is_suspicious(&container) => steady(site, parameters, container),
        Status::Running => running(site, parameters, &container),
    }
}

/// Whether the Engine has just started it again.
fn is_suspicious(container: &Container) -> bool {
    let age = || container.pid.and_then(Identity::of)?.age();
    container.restarts() > 0 && age().is_some_and(|age| age < YOUNG)
}

/// Looks again and again at a container that comes and goes.
fn steady(site: &Site<'_>, parameters: &Parameters, first: Container) -> Result<State> {
    let limit = second_looks(site);
    let (mut last, mut since) = (first, Instant::now());
    while !limit.is_over() {
        let _in_time = site.context.sleep(Duration::from_millis(100));
        let found = match site.find(&site.context.deadline.share(FOR_ENGINE)) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(State::stopped(format!("no container {}", site.name))),
            Err(failure) => return without_engine(site, &failure),
        };
        let is_same = found.status == last.status && found.started_at() == last.started_at();
        since = if is_same { since } else { Instant::now() };
        last = found;
        match last.status {
            Status::Restarting => {}
            Status::Running if since.elapsed() < STEADY => {}
            Status::Running => return running(site, parameters, &last),
            _ => return judge(site, parameters, last),
        }
    }
    let (restarts, ending) = (last.restarts(), last.ending());
    Err(Error::generic(format!(
        "container {} is restarted by the Engine again and again ({restarts} times): it {ending}",
        site.name
    )))
}

fn running(site: &Site<'_>, parameters: &Parameters, container: &Container) -> Result<State> {
    if parameters.query_docker_health && container.health() == Health::Unhealthy {
        let last = container.last_probe();
        return Err(Error::generic(format!("container {} is unhealthy{last}", site.name)));
    }
    // It runs, whatever is wrong with the command: a probe that says otherwise has it started twice.
    exec::check(site, &parameters.monitor_cmd, container)
        .map_err(|error| Error::generic(error.reason))?;
    Ok(State::Running)
}

/// What can be said without the Engine.
fn without_engine(site: &Site<'_>, failure: &Failure) -> Result<State> {
    let about = failure.of_engine(&site.endpoint);
    if failure.is_final() {
        return Err(site.error(&format!("look at container {}", site.name), failure));
    }
    match site.remains(failure)? {
        Some(remains) => {
            let pid = remains.init.pid;
            Err(Error::generic(format!("{about}; container {} runs as process {pid}", site.name)))
        }
        None if is_asked_for(site, failure) => {
            Err(Error::generic(format!("{about}; it has yet to start container {}", site.name)))
        }
        None => Ok(State::stopped(format!("{about}, and nothing of container {} runs", site.name))),
    }
}

/// Whether an Engine that doesn't answer may still start the container: one that is down won't.
pub(crate) fn is_asked_for(site: &Site<'_>, failure: &Failure) -> bool {
    let is_there = !matches!(failure, Failure::Unreachable(_));
    is_there && site.record().is_some_and(crate::record::Record::is_asking)
}
