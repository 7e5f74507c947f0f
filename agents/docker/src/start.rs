// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Makes the container and starts it, and waits until it works. Before the Engine is asked for
//! anything that outlives the question, a record says so: whoever is killed here leaves a stop that
//! knows what may still come.

use crate::container::{Container, Status};
use crate::engine::Failure;
use crate::options::Launch;
use crate::plan::Plan;
use crate::record::{self, Phase, Record};
use crate::site::Site;
use crate::stop::{self, Manner};
use crate::{Parameters, exec, guest, in_flight};
use bollard::Docker;
use bollard::query_parameters::{
    CreateContainerOptions, LogsOptionsBuilder, RemoveContainerOptionsBuilder,
};
use futures_util::StreamExt;
use ocf::{Error, Explain, Result, tracing};
use std::time::{Duration, Instant};

/// How long a container has to be up to count as started.
const SETTLED: Duration = Duration::from_millis(300);
/// How often a command that judges the service is repeated while it isn't ready.
const PAUSE: Duration = Duration::from_secs(1);
/// How often the Engine may start it again before it counts as crashing.
const RESTARTS: i64 = 3;
/// How many lines of the container's own log come into ours when it fails.
const LINES: &str = "20";
/// How much of the time starting may take, in percent; the rest is for saying why not.
const SHARE: u32 = 95;
/// How much of it may be spent on a connection that Pacemaker is to find open.
const GUEST_SHARE: u32 = 25;

/// Brings the container up.
///
/// # Errors
/// When it doesn't come up; what this start has made is gone then, unless it had begun to run.
pub(crate) fn start(site: &Site<'_>, parameters: &Parameters, plan: &Plan<'_>) -> Result<()> {
    agree(site)?;
    let found = find(site)?;
    if let Some(container) = found.as_ref() {
        match container.status {
            Status::Running => return wait(site, parameters),
            Status::Paused => {
                unpause(site, container)?;
                return wait(site, parameters);
            }
            _ => {}
        }
    }
    let kept = match found {
        Some(container) => dispose(site, parameters, container)?,
        None => None,
    };
    match kept {
        Some(container) => {
            warn_of_another_image(parameters, &container);
            plan.make_mount_points()?;
            run(site, &container.id, false)?;
        }
        None => make(site, plan)?,
    }
    wait(site, parameters)
}

/// Makes and starts a new one.
fn make(site: &Site<'_>, plan: &Plan<'_>) -> Result<()> {
    let launch = plan.prepare(site.context, site.engine())?;
    if launch.unmapped.is_empty() {
        let id = create(site, &launch)?;
        return match note_id(&launch, &id) {
            Ok(()) => run(site, &id, true),
            Err(error) => {
                remove(site, &id);
                Err(error)
            }
        };
    }
    remember(site, Phase::Asking)?;
    let started = plan.run_by_cli(site.context, &launch);
    if started.is_err()
        && let Ok(Some(made)) = find(site)
        && !made.is_active()
    {
        remove(site, &made.id);
    }
    remember(site, Phase::Running)?;
    started
}

/// `--cidfile`: what a stopped container left there is nobody's.
fn note_id(launch: &Launch, id: &str) -> Result<()> {
    let Some(file) = launch.cidfile.as_ref() else { return Ok(()) };
    std::fs::write(file, id).explain("write --cidfile", file)
}

/// Agrees with the Engine on the newest version of its API that both know.
fn agree(site: &Site<'_>) -> Result<()> {
    let what = format!("start container {}", site.name);
    let answer = site.engine().negotiate(&site.context.deadline.share(SHARE));
    answer.map_err(|failure| unusable(site, &what, &failure))
}

/// The error of an Engine that can't be used: one that isn't installed needs another remedy.
pub(crate) fn unusable(site: &Site<'_>, what: &str, failure: &Failure) -> Error {
    let is_missing = matches!(failure, Failure::Unreachable(_))
        && site.endpoint.socket().is_some()
        && ocf::command::find_program(site.context, "dockerd".as_ref()).is_none();
    if is_missing {
        let endpoint = &site.endpoint;
        return Error::installed(format!("no Docker Engine at {endpoint}: install docker.io"));
    }
    site.error(what, failure)
}

fn find(site: &Site<'_>) -> Result<Option<Container>> {
    let found = site.find(&site.context.deadline.share(SHARE));
    found.map_err(|failure| site.error(&format!("look for container {}", site.name), &failure))
}

fn unpause(site: &Site<'_>, container: &Container) -> Result<()> {
    tracing::warn!("container {} was paused: it goes on", site.name);
    let question = async |docker: &Docker| docker.unpause_container(&container.id).await;
    let answer = site.engine().ask(&site.context.deadline.share(SHARE), question);
    answer.map_err(|failure| site.error(&format!("unpause container {}", site.name), &failure))
}

/// What is there and doesn't run: kept for another start, or taken away.
fn dispose(
    site: &Site<'_>,
    parameters: &Parameters,
    container: Container,
) -> Result<Option<Container>> {
    let is_whole = matches!(container.status, Status::Created | Status::Exited);
    if parameters.reuse && is_whole {
        return Ok(Some(container));
    }
    let keep = parameters.reuse && container.status == Status::Restarting;
    let manner = Manner { force: false, keep };
    stop::end(site, manner, &container)
        .unwrap_or_else(|failure| Err(site.error("remove the old container", &failure)))?;
    Ok(keep.then_some(container))
}

fn warn_of_another_image(parameters: &Parameters, container: &Container) {
    let made_of = container.details.config.as_ref().and_then(|config| config.image.as_deref());
    if let Some(image) = made_of.filter(|image| Some(*image) != parameters.image.as_deref()) {
        let name = &container.name;
        tracing::warn!(
            "container {name} is kept (reuse) and was made of {image}: remove it by hand"
        );
    }
}

/// Makes the container; its ID.
fn create(site: &Site<'_>, launch: &Launch) -> Result<String> {
    remember(site, Phase::Asking)?;
    let options = CreateContainerOptions {
        name: Some(site.name.to_owned()),
        platform: launch.platform.clone().unwrap_or_default(),
    };
    let answer = site.engine().ask(&site.context.deadline.share(SHARE), async |docker: &Docker| {
        docker.create_container(Some(options.clone()), launch.body.clone()).await
    });
    match answer {
        Ok(made) => {
            made.warnings.iter().for_each(|warning| tracing::warn!("Docker Engine: {warning}"));
            Ok(made.id)
        }
        Err(failure) => {
            forget_if_refused(site, &failure);
            Err(site.error(&format!("create container {}", site.name), &failure))
        }
    }
}

/// An Engine that has refused does nothing more.
fn forget_if_refused(site: &Site<'_>, failure: &Failure) {
    if failure.is_refusal()
        && let Err(error) = site.file.remove()
    {
        tracing::warn!("{error}");
    }
}

/// Starts it; one that can't be started is taken away if it is ours to make anew.
fn run(site: &Site<'_>, id: &str, is_new: bool) -> Result<()> {
    remember(site, Phase::Asking)?;
    let limit = site.context.deadline.share(SHARE);
    let start = async |docker: &Docker| docker.start_container(id, None).await;
    let Err(failure) = site.engine().ask(&limit, start) else {
        return remember(site, Phase::Running);
    };
    if failure.is_refusal() && is_new {
        remove(site, id);
    }
    forget_if_refused(site, &failure);
    Err(site.error(&format!("start container {}", site.name), &failure))
}

/// Takes away what can't be started; what can't be taken away either is left to stop.
fn remove(site: &Site<'_>, id: &str) {
    let options = RemoveContainerOptionsBuilder::new().v(true).force(true).build();
    let gone = site.engine().ask(&site.context.deadline, async |docker: &Docker| {
        docker.remove_container(id, Some(options.clone())).await
    });
    if let Err(why) = gone {
        tracing::warn!("container {} was made and can't be removed: {why}", site.name);
    }
}

fn remember(site: &Site<'_>, phase: Phase) -> Result<()> {
    record::ensure_directory(site.context);
    let strangers = match site.record() {
        // What another start that was killed asked for isn't strange.
        Some(record) if record.is_asking() => record.strangers.clone(),
        _ => {
            let found = site.endpoint.socket().and_then(in_flight::find);
            found.map(|found| found.connections).unwrap_or_default()
        }
    };
    let mut record = Record::new(phase, site.engine().version(), strangers);
    if phase == Phase::Running {
        record.root = find(site)?.and_then(|container| container.root());
    }
    // A stop at the same moment may have swept the unfinished file away.
    record.write(&site.file).or_else(|_| record.write(&site.file))
}

/// Until it is up and its service is well.
fn wait(site: &Site<'_>, parameters: &Parameters) -> Result<()> {
    let (began, mut complaint) = (Instant::now(), None);
    let limit = site.context.deadline.share(SHARE);
    let patience = site.context.deadline.share(GUEST_SHARE).within(guest::PATIENCE);
    let is_local = site.endpoint.socket().is_some();
    loop {
        let found = match find(site) {
            // What came before says more than that the time is over.
            Err(_) if limit.is_over() => return Err(complaint.unwrap_or_else(|| late(site))),
            found => found?,
        };
        let Some(container) = found else {
            let name = site.name;
            return Err(Error::generic(format!("container {name} is gone right after its start")));
        };
        match container.status {
            Status::Running if began.elapsed() < SETTLED => {}
            Status::Running if is_local && !patience.is_over() && guest::is_awaited(&container) => {
            }
            Status::Running => {
                match exec::check(site, &parameters.monitor_cmd, &container) {
                    Ok(()) => {
                        warn_of_policy(site, &container);
                        return Ok(());
                    }
                    // What failed only because the time was over says less than what came before.
                    Err(error) => complaint = complaint.filter(|_| limit.is_over()).or(Some(error)),
                }
            }
            Status::Restarting if container.restarts() >= RESTARTS => {
                return Err(fallen(site, &container));
            }
            Status::Restarting => {}
            _ => return Err(fallen(site, &container)),
        }
        let pause = if complaint.is_some() { PAUSE } else { SETTLED / 10 };
        if limit.is_over() || !site.context.sleep(pause) {
            return Err(complaint.unwrap_or_else(|| late(site)));
        }
    }
}

fn late(site: &Site<'_>) -> Error {
    let (name, seconds) = (site.name, site.context.deadline.used().as_secs());
    Error::generic(format!(
        "container {name} isn't up yet after {seconds} s: raise start's timeout"
    ))
}

fn warn_of_policy(site: &Site<'_>, container: &Container) {
    let (name, policy) = (site.name, container.restart_policy());
    if policy != "no" {
        tracing::warn!(
            "the Engine restarts container {name} without asking the cluster, as its restart policy \
             {policy} says: use --restart=no"
        );
    }
}

/// Why it doesn't run; its own last words go into the log.
fn fallen(site: &Site<'_>, container: &Container) -> Error {
    let lines = last_words(site, container);
    lines.iter().for_each(|line| tracing::error!("container {}: {line}", site.name));
    let see = if lines.is_empty() { "" } else { "; its last lines are in the log" };
    Error::generic(format!(
        "container {} {} right after its start{see}",
        site.name,
        container.ending()
    ))
}

/// The last lines that it wrote.
fn last_words(site: &Site<'_>, container: &Container) -> Vec<String> {
    let options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail(LINES).build();
    let question = async |docker: &Docker| {
        let mut stream = docker.logs(&container.id, Some(options.clone()));
        let mut text = String::new();
        while let Some(piece) = stream.next().await {
            text.push_str(&String::from_utf8_lossy(&piece?.into_bytes()));
        }
        Ok(text)
    };
    let patience = site.context.deadline.within(Duration::from_secs(2));
    let text = site.engine().ask(&patience, question);
    text.map(|text| text.lines().map(str::to_owned).collect()).unwrap_or_default()
}
