// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Brings the server up: what can be known to be wrong is found before anything changes, and what goes wrong
//! afterwards is seen at once, not when the time is over.

use crate::launch::Launch;
use crate::log::{self, Mark};
use crate::process::Seen;
use crate::record::{self, Record};
use crate::settings::Settings;
use crate::site::{Look, Site};
use crate::turn::Turn;
use crate::{directory, health, monitor, pidfile, stop, suse, validate};
use ocf::command::{End, Failure, Output};
use ocf::process::Identity;
use ocf::{Context, Error, Result, State, tracing};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The part of the time that ending an earlier server may take, in percent.
const FOR_CLEARING: u32 = 40;

/// The part of what is left that the program may take to say what its configuration comes to, in percent. It
/// looks for names then, as it does twice more when it starts.
const FOR_ASKING: u32 = 25;

/// The part of the time that detaching may take, in percent.
const FOR_DETACHING: u32 = 75;

/// The part of the time until which the server has to answer.
const FOR_ANSWERING: u32 = 75;

/// The same of one that is slow to begin; what is left is for ending it.
const FOR_READING: u32 = 90;

/// The part of the time after which a server that has only just detached is slow.
const BEFORE_SLOW: u32 = 50;

/// How long wrong answers are put down to a server that has only just begun.
const FOR_WARMING: Duration = Duration::from_secs(2);

/// How long a server may be nowhere before it counts as ended: in a jail it is known by its pid file alone, which
/// it writes when it has read its configuration again.
const FOR_NAMING: Duration = Duration::from_millis(500);

/// How often it is asked meanwhile.
const PAUSE: Duration = Duration::from_millis(50);

/// Brings the server up.
///
/// # Errors
/// `installed` (5): something is wrong on this host with the program or the configuration; `generic` (1): it
/// doesn't come up, or doesn't answer as it should.
pub(crate) fn start(site: &Site<'_>, seen: &mut Seen) -> Result<()> {
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
    let deadline = &site.context.deadline;
    let answer = launch.ask(deadline.within(deadline.left() * FOR_ASKING / 100))?;
    if !answer.is_certain {
        tracing::warn!("starting the server all the same: it says then what is wrong");
    }
    let settings = answer.settings;
    directory::ensure_all(&settings)?;
    clear(site, &settings, seen)?;
    let given = given_pid_file(site, &settings, program)?;
    given.iter().chain(&settings.pid_file).try_for_each(|path| pidfile::check(path))?;
    let mark = Mark::of(settings.error_log.as_deref());
    let detached = detach(site, &launch, given.as_deref(), answer.unresolved, &mark);
    let begun = detached.and_then(|unresolved| {
        let pid_file = given.or_else(|| settings.pid_file.clone()).unwrap_or_default();
        let server = wait_for_server(site, program, &pid_file, &mark)?;
        remember(site, server, program, pid_file.clone(), &settings);
        let begun = Begun { server, program, pid_file, mark, unresolved };
        begun.wait_for_answer(site, &settings)
    });
    begun.inspect_err(|error| {
        tracing::error!("{error}; ending what was started");
        stop::stop(site, seen, deadline).unwrap_or_else(|error| tracing::error!("{error}"));
    })
}

/// Makes room: a server that doesn't answer as it should is ended, and so are workers that outlived theirs.
fn clear(site: &Site<'_>, settings: &Settings, seen: &mut Seen) -> Result<()> {
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

/// Runs the program until the server has left it; what it couldn't find the address of.
fn detach(
    site: &Site<'_>,
    launch: &Launch<'_>,
    pid_file: Option<&Path>,
    unresolved: Option<String>,
    mark: &Mark,
) -> Result<Option<String>> {
    let deadline = &site.context.deadline;
    match launch.run(launch.program()?, pid_file, &deadline.share(FOR_DETACHING)) {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr);
            match judge(&output, &text, mark) {
                Ok(()) => Ok(log::unresolved(&text).or(unresolved)),
                Err(error) => Err(taken_by_ours(site, &text).unwrap_or(error)),
            }
        }
        Err(Failure::TimedOut(_)) => Err(still_reads(site, unresolved.as_deref())),
        Err(failure) => Err(failure.into()),
    }
}

/// The server didn't come to the end of its configuration.
fn still_reads(site: &Site<'_>, unresolved: Option<&str>) -> Error {
    let seconds = site.context.deadline.used().as_secs();
    let reads = format!("the server still reads its configuration after {seconds} s");
    Error::generic(match unresolved {
        None => format!("{reads}: raise the timeout"),
        Some(said) => {
            tracing::error!("{reads}: {said}");
            log::fitting([
                format!("{reads}: {said}: correct it or raise the timeout"),
                format!("{reads}: {said}"),
                format!("still reading the configuration: {said}"),
            ])
        }
    })
}

/// What the program's end means: a server that detaches leaves status 0.
fn judge(output: &Output, text: &str, mark: &Mark) -> Result<()> {
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    match output.end {
        End::Exit(0) => {
            lines().for_each(|line| tracing::warn!("{line}"));
            Ok(())
        }
        End::Exit(status) => {
            lines().for_each(|line| tracing::error!("{line}"));
            let stdout = String::from_utf8_lossy(&output.stdout);
            // What goes wrong once its log is open is there: keys and certificates, for one.
            let said = log::complaint(text);
            let said = said.or_else(|| mark.complaint()).or_else(|| log::complaint(&stdout));
            let unsaid = || format!("the server ended with status {status} at once: see its log");
            Err(Error::generic(said.map_or_else(unsaid, |said| log::sentence(&said))))
        }
        End::Signal(signal) => {
            lines().for_each(|line| tracing::error!("{line}"));
            Err(Error::generic(format!("the server died of signal {signal} at once: see its log")))
        }
    }
}

/// The error of a server whose port is another's of its own kind: one that somebody began meanwhile.
fn taken_by_ours(site: &Site<'_>, text: &str) -> Option<Error> {
    let complaint = log::complaint(text)?;
    let address = log::taken(&complaint)?;
    Some(Error::generic(match site.look().ok()? {
        Look::Server(server) => {
            let pid = server.pid;
            format!("port {address} is this server's own, process {pid}, begun beside this start")
        }
        Look::Orphans(orphans) => {
            let pid = orphans.first()?.pid;
            format!("port {address} is held by this server's worker {pid}, whose server is gone")
        }
        Look::Nothing => return None,
    }))
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
            Look::Nothing if begun.elapsed() < FOR_NAMING => {}
            Look::Orphans(_) | Look::Nothing => {
                return Err(unknown(site, pid_file).unwrap_or_else(|| ended(program, mark)));
            }
        }
        if !site.context.sleep(PAUSE) {
            return Err(Error::generic(
                "no time is left to wait for the server: raise the timeout",
            ));
        }
    }
}

/// The error of a process that wrote the pid file and still runs, whatever it is.
fn unknown(site: &Site<'_>, pid_file: &Path) -> Option<Error> {
    let named = Identity::of(pidfile::read(pid_file)?).filter(Identity::is_alive)?;
    let (file, configuration) = (pid_file.display(), site.configuration().display());
    let reason = format!("process {} of {file} isn't known as the server of", named.pid);
    Some(Error::generic(format!("{reason} {configuration}: see what httpd runs")))
}

/// The server detached and then ended.
fn ended(program: &Path, mark: &Mark) -> Error {
    mark.ended(&format!("{} ended right after its start", program.display()))
}

/// Another one runs in the place of the server that was started.
fn replaced(other: Identity) -> Error {
    let pid = other.pid;
    Error::generic(format!("server process {pid}, begun beside this start, runs in its place"))
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

/// A server that has detached.
struct Begun<'a> {
    server: Identity,
    program: &'a Path,
    pid_file: PathBuf,
    mark: Mark,
    unresolved: Option<String>,
}

impl Begun<'_> {
    /// Whether the server still reads its configuration, for the second time: nobody answers until it has.
    fn reads(&self, site: &Site<'_>) -> Result<bool> {
        // It writes its pid file when it has read all, and then begins its workers.
        Ok(site.named_by(&self.pid_file).is_none()
            && site.processes(&Seen::of(self.server))?.workers.is_empty())
    }

    /// Asks until the server answers as it should; a wrong answer is one only after a moment.
    fn wait_for_answer(&self, site: &Site<'_>, settings: &Settings) -> Result<()> {
        let whole = &site.context.deadline;
        let (mut working, mut context) = (Instant::now(), Context::clone(site.context));
        let is_late = whole.share(BEFORE_SLOW).is_over();
        context.deadline = whole.share(if is_late { FOR_READING } else { FOR_ANSWERING });
        loop {
            let answer = health::level0(site.parameters, settings, &context);
            if !self.server.is_alive() {
                return Err(match site.search()? {
                    Look::Server(other) => replaced(other),
                    Look::Orphans(_) | Look::Nothing => ended(self.program, &self.mark),
                });
            }
            let Err(error) = answer else { return Ok(()) };
            if self.reads(site)? {
                context.deadline = whole.share(FOR_READING);
                if !context.sleep(PAUSE * 2) {
                    return Err(still_reads(site, self.unresolved.as_deref()));
                }
                working = Instant::now();
            } else if working.elapsed() >= FOR_WARMING || !context.sleep(PAUSE * 2) {
                return Err(error);
            }
        }
    }
}
