// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Has the server read its configuration again, without losing a request. One that it would refuse is refused
//! first: the server goes on as it was.

use crate::launch::Launch;
use crate::log::Mark;
use crate::process::Seen;
use crate::record::{self, Record};
use crate::server::Answer;
use crate::site::{Look, Site};
use crate::{directory, health};
use ocf::process::{Identity, Signal};
use ocf::{Error, Result, tracing};
use std::time::{Duration, Instant};

/// How long wrong answers are put down to a server that is just reading.
const FOR_READING: Duration = Duration::from_secs(2);

/// How often it is asked meanwhile.
const PAUSE: Duration = Duration::from_millis(100);

/// Has the server read its configuration again.
///
/// # Errors
/// `not_running` (7): there is no server; `installed` (5): the configuration is refused, and nothing has
/// changed; `generic` (1): the server doesn't answer as it should any more.
pub(crate) fn reload(site: &Site<'_>) -> Result<()> {
    let Look::Server(server) = site.look()? else {
        let configuration = site.configuration().display();
        return Err(Error::not_running(format!("no server process of {configuration}")));
    };
    let launch = Launch::new(site)?;
    directory::ensure_all(site.settings()?)?;
    let Answer { settings, is_certain, .. } = launch.ask(site.context.deadline.clone())?;
    if !is_certain {
        let program = launch.program()?.display();
        let reason = format!("{program} did not say in time whether it takes its configuration");
        return Err(Error::generic(format!("{reason}: raise the timeout")));
    }
    directory::ensure_all(&settings)?;
    let pid_file = site.record().map(|record| record.pid_file.clone());
    let pid_file = settings.pid_file.clone().or(pid_file).unwrap_or_default();
    let before = site.processes(&Seen::of(server))?.workers;
    let mark = Mark::of(settings.error_log.as_deref());
    tracing::info!("sending SIGUSR1 to server process {}", server.pid);
    if !server.signal(Signal::SIGUSR1)? {
        return Err(Error::not_running(format!("server process {} is gone", server.pid)));
    }
    let (program, configuration) = (launch.program()?.to_owned(), site.configuration().to_owned());
    let record = Record::new(server, program, configuration, pid_file, settings);
    record::ensure_directory(site.context);
    record.write(&site.file).unwrap_or_else(|error| tracing::warn!("{error}"));
    wait_for_workers(site, server, &before)?;
    wait_for_answer(site, server, &record, &mark)
}

/// Waits for a worker that wasn't there: the server has read its configuration then. One that needs none is
/// believed after a moment.
fn wait_for_workers(site: &Site<'_>, server: Identity, before: &[Identity]) -> Result<()> {
    let begun = Instant::now();
    while server.is_alive() && begun.elapsed() < FOR_READING {
        let now = site.processes(&Seen::of(server))?.workers;
        if now.iter().any(|worker| !before.contains(worker)) || !site.context.sleep(PAUSE) {
            break;
        }
    }
    Ok(())
}

/// Asks until the server answers as it should.
fn wait_for_answer(site: &Site<'_>, server: Identity, record: &Record, mark: &Mark) -> Result<()> {
    let begun = Instant::now();
    loop {
        let answer = health::level0(site.parameters, &record.settings, site.context);
        if !server.is_alive() {
            return Err(mark.ended("the server ended over its new configuration"));
        }
        let Err(error) = answer else { return Ok(()) };
        if begun.elapsed() >= FOR_READING || !site.context.sleep(PAUSE) {
            return Err(error);
        }
    }
}
