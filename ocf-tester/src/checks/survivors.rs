// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A service of which only a part is left: some of its processes, all of them but the file that
//! tells their number, or a process that has ended and nobody has taken away. Only where start
//! leaves processes.

use super::faults::{end, number_files, numbered_service, service};
use super::{row, should};
use crate::check::{Check, Failure, Need, Stop};
use crate::family;
use crate::ledger::{Process, pause, start_time};
use crate::session::{Session, State};
use nix::unistd::Pid;
use std::fs;
use std::time::{Duration, Instant};

pub(super) const CHECKS: &[Check] = &[
    row(
        "MON-04",
        "Exit Status 7",
        "monitor doesn't answer 7 while a process of the service survives its main one",
        sees_survivors,
    ),
    row(
        "STOP-09",
        "stop",
        "stop ends what survives the service's main process, or says that it couldn't",
        ends_survivors,
    ),
    should(row(
        "STOP-10",
        "stop",
        "stop ends a service whose file with the process number is gone, or says that it couldn't",
        ends_without_number,
    )),
    should(row(
        "STOP-11",
        "stop",
        "stop of a service that has died answers 0 also when its number file is empty",
        stands_an_empty_file,
    )),
    should(Check {
        needs: &[Need::Advertised("reload-agent")],
        ..row("REL-05", "reload-agent", "reload-agent doesn't replace the service", goes_on)
    }),
    should(row(
        "USE-58",
        "practice",
        "monitor doesn't take a service that has ended for one at work, when its number is still taken",
        knows_the_dead,
    )),
];

/// How long processes may take to follow their main one.
const FOLLOWING: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

fn is_there(session: &Session<'_>, process: &Process) -> bool {
    session.processes().iter().any(|one| (one.pid, one.started) == (process.pid, process.started))
}

/// Those of them that are there for as long as processes may take to go.
fn staying(session: &Session<'_>, processes: &[Process]) -> Vec<Process> {
    let deadline = Instant::now() + FOLLOWING;
    loop {
        let left: Vec<Process> =
            processes.iter().filter(|one| is_there(session, one)).cloned().collect();
        if left.is_empty() || Instant::now() > deadline {
            return left;
        }
        pause(LOOK_AGAIN);
    }
}

fn names(processes: &[Process]) -> String {
    processes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Kills the main process of a service that has several, the one whose number is noted in a file,
/// else the oldest; says which ones survive it.
fn behead(session: &mut Session<'_>) -> Result<Vec<Process>, Stop> {
    let made = session.made_by_start()?;
    let mut service = service(session)?;
    let numbers = number_files(session, &service, &made);
    service.sort_by_key(|process| {
        (!numbers.iter().any(|(_, pid)| *pid == process.pid), process.started, process.pid)
    });
    let others = service.split_off(1);
    if others.is_empty() {
        return Err(Stop::Skipped("the service is one process".to_owned()));
    }
    let now = end(session, &service);
    // A supervisor may have begun anew.
    let is_renewed = now.iter().any(|one| !others.iter().any(|other| other.pid == one.pid));
    let left: Vec<Process> = others.into_iter().filter(|one| is_there(session, one)).collect();
    if left.is_empty() || is_renewed {
        session.call("stop")?;
        session.call("monitor")?;
        let why = "no process of the service survives its main one";
        return Err(Stop::Skipped(why.to_owned()));
    }
    Ok(left)
}

/// Ends what an agent has left, so that the next check finds a resource that can be started.
fn clear(session: &mut Session<'_>, left: &[Process]) -> Result<(), Stop> {
    end(session, left);
    session.call("stop")?;
    session.call("monitor").map(|_| ())
}

fn sees_survivors(session: &mut Session<'_>) -> Result<(), Stop> {
    let left = behead(session)?;
    let monitor = session.prepare("monitor");
    let execution = session.make(&monitor)?;
    let is_wrong = execution.code() == Some(7);
    // Some only take a moment to follow.
    let staying = if is_wrong { staying(session, &left) } else { Vec::new() };
    clear(session, &left)?;
    if !staying.is_empty() {
        let left = staying;
        let expected =
            format!("monitor not to call a service stopped that is in part: {}", names(&left));
        return Err(Failure::of_call(&monitor, &execution, expected).into());
    }
    Ok(())
}

fn ends_survivors(session: &mut Session<'_>) -> Result<(), Stop> {
    let left = behead(session)?;
    let stop = session.prepare("stop");
    let execution = session.make(&stop)?;
    let left = staying(session, &left);
    clear(session, &left)?;
    if execution.code() == Some(0) && !left.is_empty() {
        let expected = "stop to end what survives the main process of the service";
        let mut failure = Failure::of_call(&stop, &execution, expected);
        failure.seen = format!("0, still there: {}", names(&left));
        return Err(failure.into());
    }
    Ok(())
}

fn ends_without_number(session: &mut Session<'_>) -> Result<(), Stop> {
    let (service, files) = numbered_service(session)?;
    for (path, _) in &files {
        fs::remove_file(path)
            .map_err(|error| Stop::Skipped(format!("{}: {error}", path.display())))?;
    }
    let stop = session.prepare("stop");
    let execution = session.make(&stop)?;
    let left = staying(session, &service);
    clear(session, &left)?;
    if execution.code() == Some(0) && !left.is_empty() {
        let files: Vec<String> = files.iter().map(|(path, _)| path.display().to_string()).collect();
        let expected = format!("stop to end the service without {}", files.join(", "));
        let mut failure = Failure::of_call(&stop, &execution, expected);
        failure.seen = format!("0, still there: {}", names(&left));
        return Err(failure.into());
    }
    Ok(())
}

/// A full disk or a crash leaves such a file.
fn stands_an_empty_file(session: &mut Session<'_>) -> Result<(), Stop> {
    let (service, files) = numbered_service(session)?;
    end(session, &service);
    for (path, _) in &files {
        fs::write(path, "")
            .map_err(|error| Stop::Skipped(format!("{}: {error}", path.display())))?;
    }
    let stop = session.prepare("stop");
    let result = session.expect(&stop, &[0], "stop of a dead service with an empty number file");
    if result.is_err() {
        for (path, _) in &files {
            let _ = fs::remove_file(path);
        }
        session.call("stop")?;
    }
    session.call("monitor")?;
    result.map(|_| ())
}

/// Its workers may be new ones afterwards; one process of it has to be the same.
fn goes_on(session: &mut Session<'_>) -> Result<(), Stop> {
    let service = service(session)?;
    let call = session.prepare("reload-agent");
    let execution = session.make(&call)?;
    let stays = service.iter().any(|one| is_there(session, one));
    session.call("monitor")?;
    if execution.code() != Some(0) || stays {
        return Ok(());
    }
    let mut failure = Failure::of_call(&call, &execution, "the service to go on");
    failure.seen = format!("{execution}, and none of its processes is there any more");
    Err(failure.into())
}

/// An ended process that nobody waits for keeps its number, and takes signals that do nothing.
struct Zombies(Vec<Process>);

impl Zombies {
    /// Kills them. Those that don't come to this process are taken away by others.
    fn of(session: &Session<'_>, service: Vec<Process>) -> Self {
        let kept = service.iter().filter(|process| family::keep(process)).cloned().collect();
        end(session, &service);
        Self(kept)
    }

    fn is_one_there(&self) -> bool {
        self.0.iter().any(|process| start_time(process.pid) == Some(process.started))
    }
}

impl Drop for Zombies {
    fn drop(&mut self) {
        self.0.iter().for_each(|process| family::forget(Pid::from_raw(process.pid)));
    }
}

fn knows_the_dead(session: &mut Session<'_>) -> Result<(), Stop> {
    let service = service(session)?;
    let zombies = Zombies::of(session, service);
    let monitor = session.prepare("monitor");
    let execution = session.make(&monitor)?;
    let are_there = zombies.is_one_there() && session.processes().is_empty();
    // From here on they are taken away like all others.
    drop(zombies);
    let without = session.make(&monitor)?;
    session.call("stop")?;
    session.call("monitor")?;
    let is_alive = |code| matches!(code, Some(0 | 8 | 190 | 191) | None);
    if !are_there {
        let why = "an ended process of the service doesn't come to the tester, or is replaced";
        return Err(Stop::Skipped(why.to_owned()));
    }
    if is_alive(without.code()) {
        let why = "monitor doesn't see that the service is dead, numbers or not (MON-05)";
        return Err(Stop::Skipped(why.to_owned()));
    }
    if is_alive(execution.code()) {
        let expected = "monitor to see that the service has ended, though its number is taken";
        return Err(Failure::of_call(&monitor, &execution, expected).into());
    }
    session.reach(State::Stopped)
}
