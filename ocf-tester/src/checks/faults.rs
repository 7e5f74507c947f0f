// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the agent makes of a service that died, froze, or left a process number that is somebody
//! else's by now. Only where start leaves processes.

use super::row;
use crate::agent::pid_of;
use crate::check::{Check, Failure, Stop};
use crate::family;
use crate::ledger::{Process, pause};
use crate::places;
use crate::session::Session;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long killed processes may take to go.
const GRACE: Duration = Duration::from_secs(5);

pub(super) const CHECKS: &[Check] = &[
    row(
        "MON-05",
        "Exit Status 0, 1",
        "monitor doesn't answer 0 when the service is dead",
        sees_death,
    ),
    row("STOP-05", "stop", "stop after the service has died answers 0, then monitor 7", clears_up),
    row("STOP-02", "stop", "stop ends a service that is frozen, before its timeout", ends_frozen),
    row(
        "STOP-08",
        "stop",
        "another process that has the service's old number is not taken for it, and not ended",
        spares_others,
    ),
];

pub(super) fn service(session: &mut Session<'_>) -> Result<Vec<Process>, Stop> {
    let service = session.service()?;
    if service.is_empty() {
        return Err(Stop::Skipped("start leaves no process that lasts and could fail".to_owned()));
    }
    Ok(service)
}

/// Kills these and waits until they are gone; others may have come instead.
pub(super) fn end(session: &Session<'_>, service: &[Process]) -> Vec<Process> {
    service.iter().for_each(family::end);
    let deadline = Instant::now() + GRACE;
    loop {
        let now = session.processes();
        let gone = service.iter().all(|old| !now.iter().any(|new| new.pid == old.pid));
        if gone || Instant::now() > deadline {
            return now;
        }
        pause(Duration::from_millis(5));
    }
}

fn sees_death(session: &mut Session<'_>) -> Result<(), Stop> {
    let service = service(session)?;
    let left = end(session, &service);
    let monitor = session.prepare("monitor");
    let execution = session.make(&monitor)?;
    let alive = matches!(execution.code(), Some(0 | 8 | 190 | 191) | None);
    // A supervisor may have started it again.
    if alive && left.is_empty() && session.processes().is_empty() {
        let expected = "monitor to see that every process of the service was killed";
        return Err(Failure::of_call(&monitor, &execution, expected).into());
    }
    // One would have a process of its own, which was killed with the others.
    if alive && left.is_empty() {
        let expected = "monitor to say that the service was killed, not to start it again";
        return Err(Failure::of_call(&monitor, &execution, expected).into());
    }
    Ok(())
}

fn clears_up(session: &mut Session<'_>) -> Result<(), Stop> {
    if session.has_failed("MON-05") {
        // Else reach() takes the dead service for a running one.
        session.call("stop")?;
        session.call("monitor")?;
    }
    let service = service(session)?;
    end(session, &service);
    let stop = session.prepare("stop");
    let stopped = session.expect(&stop, &[0], "stop of a service that was killed");
    let monitor = session.prepare("monitor");
    let seen = session.expect(&monitor, &[7], "monitor after that stop");
    stopped.and(seen).map(|_| ())
}

fn ends_frozen(session: &mut Session<'_>) -> Result<(), Stop> {
    let service = service(session)?;
    session.provoke();
    for process in &service {
        // What has gone meanwhile needs no freezing.
        let _ = kill(Pid::from_raw(process.pid), Signal::SIGSTOP);
    }
    let stop = session.prepare("stop");
    let result = session.expect(&stop, &[0], "stop of a frozen service");
    let there = session.processes();
    let left: Vec<&Process> =
        there.iter().filter(|one| service.iter().any(|old| old.pid == one.pid)).collect();
    if left.is_empty() {
        session.call("monitor")?;
        return result.map(|_| ());
    }
    let names: Vec<String> = left.iter().map(ToString::to_string).collect();
    end(session, &service);
    session.call("stop")?;
    session.call("monitor")?;
    result?;
    Err(Failure {
        rule: None,
        expected: "stop to end every process of a frozen service, or to say that it couldn't"
            .into(),
        seen: format!("stop answered 0, still there: {}", names.join("; ")),
        reproduction: Some(stop.reproduction()),
    }
    .into())
}

/// A process that has nothing to do with the service; gone when the value is dropped.
struct Decoy(Child);

impl Decoy {
    /// It waits for input that never comes.
    #[expect(clippy::disallowed_methods, reason = "a process of the tester's own, not an agent")]
    fn new() -> io::Result<Self> {
        let mut command = Command::new("cat");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        family::spawn(&mut command).map(Self)
    }

    fn is_alive(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Decoy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        family::forget(pid_of(&self.0));
    }
}

/// Files, and the process number that each holds.
pub(super) type NumberFiles = Vec<(PathBuf, i32)>;

/// The small files that hold the number of one of its processes: those beside the resource's own,
/// and those that start was seen to make.
pub(super) fn number_files(
    session: &Session<'_>,
    service: &[Process],
    made: &BTreeSet<PathBuf>,
) -> NumberFiles {
    let number = |path: &PathBuf| {
        let small = fs::symlink_metadata(path).is_ok_and(|one| one.is_file() && one.len() < 64);
        let text = if small { fs::read_to_string(path).ok()? } else { return None };
        // What stands behind it tells the process from a later one of that number.
        let number = text.split_whitespace().next()?.parse().ok()?;
        service.iter().any(|process| process.pid == number).then_some(number)
    };
    let mut files: BTreeSet<PathBuf> = places::own_files(&session.base).into_keys().collect();
    files.extend(made.iter().cloned());
    // /var/run and the like are links: one file may have several paths.
    let files: BTreeSet<PathBuf> = files.iter().filter_map(|path| places::real(path)).collect();
    files.into_iter().filter_map(|path| number(&path).map(|found| (path, found))).collect()
}

/// The running service, and the files that hold the number of one of its processes.
pub(super) fn numbered_service(
    session: &mut Session<'_>,
) -> Result<(Vec<Process>, NumberFiles), Stop> {
    let made = session.made_by_start()?;
    let service = service(session)?;
    let files = number_files(session, &service, &made);
    if files.is_empty() {
        return Err(Stop::Skipped("no file with a process number was found".to_owned()));
    }
    Ok((service, files))
}

fn spares_others(session: &mut Session<'_>) -> Result<(), Stop> {
    let (service, files) = numbered_service(session)?;
    end(session, &service);
    let broken = |error: io::Error| Stop::Skipped(format!("no decoy could be set up: {error}"));
    let mut decoy = Decoy::new().map_err(broken)?;
    for (path, number) in &files {
        let text = fs::read_to_string(path).map_err(broken)?;
        let text = text.replacen(&number.to_string(), &decoy.0.id().to_string(), 1);
        fs::write(path, text).map_err(broken)?;
    }
    let monitor = session.prepare("monitor");
    let seen = session.make(&monitor)?;
    let stop = session.prepare("stop");
    session.make(&stop)?;
    let alive = decoy.is_alive();
    drop(decoy);
    session.call("stop")?;
    session.call("monitor")?;
    if !alive {
        return Err(Failure {
            rule: None,
            expected: "stop to leave a process alone that has only the old number".to_owned(),
            seen: "it was killed".to_owned(),
            reproduction: Some(stop.reproduction()),
        }
        .into());
    }
    if matches!(seen.code(), Some(0 | 8 | 190 | 191)) {
        let expected = "monitor not to take another process for the service";
        return Err(Failure::of_call(&monitor, &seen, expected).into());
    }
    Ok(())
}
