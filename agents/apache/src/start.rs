// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Brings the server up: what can be known to be wrong is found before anything changes, and what goes wrong
//! afterwards is seen at once, not when the time is over.

use crate::launch::Launch;
use crate::log::{self, Mark};
use crate::record::{self, Record};
use crate::settings::Settings;
use crate::site::{Look, Site};
use crate::turn::Turn;
use crate::{directory, health, monitor, pidfile, stop, suse, validate};
use ocf::command::{End, Output};
use ocf::process::Identity;
use ocf::{Context, Error, Result, State, tracing};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The part of the time that ending an earlier server may take, in percent.
const FOR_CLEARING: u32 = 40;

/// The part of the time that detaching may take, in percent; what is left is for ending what was started.
const FOR_DETACHING: u32 = 60;

/// The part of the time until which the server has to answer.
const FOR_ANSWERING: u32 = 75;

/// How long wrong answers are put down to a server that has only just begun.
const FOR_WARMING: Duration = Duration::from_secs(2);

/// How often it is asked meanwhile.
const PAUSE: Duration = Duration::from_millis(50);

/// Brings the server up.
///
/// # Errors
/// `installed` (5): something is wrong on this host with the program or the configuration; `generic` (1): it
/// doesn't come up, or doesn't answer as it should.
pub(crate) fn start(site: &Site<'_>, seen: &mut Vec<Identity>) -> Result<()> {
    let launch = Launch::new(site)?;
    let program = launch.program()?;
    let _turn = Turn::wait(site.context)?;
    // Another start may have come first meanwhile.
    if monitor::monitor(site) == Ok(State::Running) {
        return Ok(());
    }
    validate::advise(site);
    suse::generate(site.context, site.configuration());
    directory::ensure_all(site.settings()?)?;
    let settings = launch.ask()?;
    directory::ensure_all(&settings)?;
    clear(site, &settings, seen)?;
    let given = given_pid_file(site, &settings, program)?;
    let mark = Mark::of(settings.error_log.as_deref());
    let output = launch.run(given.as_deref(), &site.context.deadline.share(FOR_DETACHING));
    let begun = output.and_then(|output| judge(&output)).and_then(|()| {
        let pid_file = given.or_else(|| settings.pid_file.clone()).unwrap_or_default();
        let server = wait_for_server(site, program, &pid_file, &mark)?;
        remember(site, server, program, pid_file, &settings);
        wait_for_answer(site, (server, program), &settings, &mark)
    });
    begun.inspect_err(|error| {
        tracing::error!("{error}; ending what was started");
        let deadline = &site.context.deadline;
        stop::stop(site, seen, deadline).unwrap_or_else(|error| tracing::error!("{error}"));
    })
}

/// Makes room: a server that doesn't answer as it should is ended, and so are workers that outlived theirs.
fn clear(site: &Site<'_>, settings: &Settings, seen: &mut Vec<Identity>) -> Result<()> {
    if !site.processes(seen)?.is_empty() {
        tracing::warn!("ending what is left of an earlier server before the start");
        stop::stop(site, seen, &site.context.deadline.share(FOR_CLEARING))?;
        if !site.processes(seen)?.is_empty() {
            return Err(Error::generic("an earlier server can't be ended: stop it"));
        }
    }
    site.remove_stale_pid_files(settings.pid_file.as_deref())
}

/// The pid file that the server is given on its command line: its configuration names none.
fn given_pid_file(site: &Site<'_>, settings: &Settings, program: &Path) -> Result<Option<PathBuf>> {
    if settings.pid_file.is_some() {
        return Ok(None);
    }
    let directory = &site.context.directories.varrun;
    let directories = vec![directory.clone()];
    directory::ensure_all(&Settings { directories, ..Settings::default() })?;
    Ok(Some(pidfile::given(directory, program, &site.context.instance.name)))
}

/// What the program's end means: a server that detaches leaves status 0.
fn judge(output: &Output) -> Result<()> {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    match output.end {
        End::Exit(0) => {
            lines().for_each(|line| tracing::warn!("{line}"));
            Ok(())
        }
        End::Exit(status) => {
            lines().for_each(|line| tracing::error!("{line}"));
            let stdout = String::from_utf8_lossy(&output.stdout);
            let said = log::complaint(&text).or_else(|| log::complaint(&stdout));
            let unsaid = || format!("the server ended with status {status} at once: see its log");
            Err(Error::generic(said.map_or_else(unsaid, |said| log::sentence(&said))))
        }
        End::Signal(signal) => {
            lines().for_each(|line| tracing::error!("{line}"));
            Err(Error::generic(format!("the server died of signal {signal} at once: see its log")))
        }
    }
}

/// Waits until the server has written its pid file; one that doesn't is found without.
fn wait_for_server(
    site: &Site<'_>,
    program: &Path,
    pid_file: &Path,
    mark: &Mark,
) -> Result<Identity> {
    let begun = Instant::now();
    loop {
        if let Some(server) = site.named_by(pid_file) {
            return Ok(server);
        }
        match site.search()? {
            Look::Server(server) if begun.elapsed() >= FOR_WARMING => return Ok(server),
            Look::Server(_) => {}
            // It may be about to take a session of its own.
            Look::Orphans(_) if begun.elapsed() < FOR_WARMING => {}
            Look::Orphans(_) | Look::Nothing => return Err(ended(program, mark)),
        }
        if !site.context.sleep(PAUSE) {
            return Err(Error::generic(
                "no time is left to wait for the server: raise the timeout",
            ));
        }
    }
}

/// The server detached and then ended.
fn ended(program: &Path, mark: &Mark) -> Error {
    mark.ended(&format!("{} ended right after its start", program.display()))
}

/// Writes down what was started. Losing it costs time only.
fn remember(
    site: &Site<'_>,
    server: Identity,
    program: &Path,
    pid_file: PathBuf,
    settings: &Settings,
) {
    let (program, configuration) = (program.to_owned(), site.configuration().to_owned());
    let record = Record::new(server, program, configuration, pid_file, settings.clone());
    record::ensure_directory(site.context);
    record.write(&site.file).unwrap_or_else(|error| tracing::warn!("{error}"));
}

/// Asks until the server answers as it should; a wrong answer is one only after a moment.
fn wait_for_answer(
    site: &Site<'_>,
    (server, program): (Identity, &Path),
    settings: &Settings,
    mark: &Mark,
) -> Result<()> {
    let begun = Instant::now();
    let mut context = Context::clone(site.context);
    context.deadline = context.deadline.share(FOR_ANSWERING);
    loop {
        let answer = health::level0(site.parameters, settings, &context);
        if !server.is_alive() {
            return Err(ended(program, mark));
        }
        let Err(error) = answer else { return Ok(()) };
        if begun.elapsed() >= FOR_WARMING || !context.sleep(PAUSE * 2) {
            return Err(error);
        }
    }
}
