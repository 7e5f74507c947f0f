// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Ends the server: it is asked to finish its requests, then told to end, then everything of it is killed.
//! Neither the configuration nor the program has to be there for that.

use crate::process::{Processes, Seen};
use crate::site::Site;
use ocf::deadline::Deadline;
use ocf::process::{Identity, Signal};
use ocf::{Result, tracing};
use std::time::Duration;

/// The part of the time in which requests may be finished, in percent.
const FOR_REQUESTS: u32 = 50;

/// The part of the time after which everything is killed.
const BEFORE_FORCE: u32 = 75;

/// How long workers without a server may take to end: some never hear that they should.
const FOR_ORPHANS: Duration = Duration::from_secs(2);

/// How long loggers and scripts may outlive their server.
const FOR_LOGGERS: Duration = Duration::from_secs(1);

/// How long one round of killing waits before it looks again.
const ROUND: Duration = Duration::from_millis(200);

/// How long somebody may take who tells the server to begin anew, and may become it.
const FOR_PASSING: Duration = Duration::from_secs(2);

/// How often it is looked whether a server that was asked has workers left.
const LOOK: Duration = Duration::from_millis(20);

/// How many leftovers are named.
const NAMED: usize = 3;

/// Ends the server, and forgets it when nothing of it is left. `seen` becomes what was seen: what servers
/// leave in their sessions is theirs.
///
/// # Errors
/// When processes can't be listed or signalled.
pub(crate) fn stop(site: &Site<'_>, seen: &mut Seen, deadline: &Deadline) -> Result<()> {
    ask(site, seen, Signal::SIGWINCH, &deadline.share(FOR_REQUESTS))?;
    if !find(site, seen)?.parents.is_empty() {
        ask(site, seen, Signal::SIGTERM, &deadline.share(BEFORE_FORCE))?;
    }
    kill(site, seen, deadline)?;
    if is_anew(site, seen, deadline)? {
        ask(site, seen, Signal::SIGTERM, &deadline.share(BEFORE_FORCE))?;
        kill(site, seen, deadline)?;
    }
    if find(site, seen)?.is_empty() {
        site.remove_stale_pid_files(None).unwrap_or_else(|error| tracing::info!("{error}"));
        // A record of nobody says nothing wrong, and a full or read-only /run is no reason to fence.
        site.file.remove().unwrap_or_else(|error| tracing::warn!("{error}"));
    }
    Ok(())
}

/// What there is; it is remembered.
fn find(site: &Site<'_>, seen: &mut Seen) -> Result<Processes> {
    let found = site.processes(seen)?;
    seen.extend(&found);
    Ok(found)
}

/// Tells the servers, and waits for them and all that is theirs. Whoever has no server to be told by any more
/// is told to end.
fn ask(site: &Site<'_>, seen: &mut Seen, signal: Signal, deadline: &Deadline) -> Result<()> {
    let found = find(site, seen)?;
    for server in &found.parents {
        tracing::info!("sending {signal} to server process {}", server.pid);
        server.signal(signal)?;
    }
    for orphan in &found.orphans {
        tracing::info!("sending SIGTERM to worker {} whose server is gone", orphan.pid);
        orphan.signal(Signal::SIGTERM)?;
    }
    // Who is frozen hears nothing; systemd thaws what it stops, too.
    for process in found.parents.iter().chain(&found.workers).chain(&found.orphans) {
        process.signal(Signal::SIGCONT)?;
    }
    if signal == Signal::SIGWINCH {
        release(site, seen, &found, deadline)?;
    }
    let served = found.parents.iter().chain(&found.workers);
    if !wait_for(served, deadline)
        || !wait_for(&found.orphans, &deadline.within(FOR_ORPHANS))
        || found.others.is_empty()
    {
        return Ok(());
    }
    if !wait_for(&found.others, &deadline.within(FOR_LOGGERS)) {
        for other in &found.others {
            other.signal(Signal::SIGTERM)?;
        }
        wait_for(&found.others, deadline);
    }
    Ok(())
}

/// Tells servers to end when the last of their workers is gone. They would find out themselves, but look only
/// once a second. Who serves without workers finishes its requests itself.
fn release(site: &Site<'_>, seen: &mut Seen, asked: &Processes, deadline: &Deadline) -> Result<()> {
    if asked.workers.is_empty() {
        return Ok(());
    }
    while !wait_for(&asked.parents, &deadline.within(LOOK)) && !deadline.is_over() {
        if asked.workers.iter().any(Identity::is_alive) {
            continue;
        }
        let found = find(site, seen)?;
        if found.workers.is_empty() {
            for server in &found.parents {
                tracing::info!(
                    "sending SIGTERM to server process {}: it has no worker left",
                    server.pid
                );
                server.signal(Signal::SIGTERM)?;
            }
            return Ok(());
        }
    }
    Ok(())
}

/// Waits for them; whether all are gone.
fn wait_for<'a>(processes: impl IntoIterator<Item = &'a Identity>, deadline: &Deadline) -> bool {
    processes.into_iter().all(|process| process.wait_gone(deadline))
}

/// Kills whatever is left, and what it started meanwhile.
fn kill(site: &Site<'_>, seen: &mut Seen, deadline: &Deadline) -> Result<()> {
    loop {
        let found = find(site, seen)?;
        if found.is_empty() {
            return Ok(());
        }
        for process in found.all() {
            tracing::warn!("killing process {}: it did not end in time", process.pid);
            process.signal(Signal::SIGKILL)?;
        }
        wait_for(found.all(), &deadline.within(ROUND));
        if deadline.is_over() {
            return Ok(());
        }
    }
}

/// Whether there is a server again: who told the one that is gone now to begin anew has started it, as a
/// rotation of its logs does.
fn is_anew(site: &Site<'_>, seen: &mut Seen, deadline: &Deadline) -> Result<bool> {
    let deadline = deadline.within(FOR_PASSING);
    loop {
        let found = find(site, seen)?;
        if found.passing.is_empty() || deadline.is_over() {
            return Ok(!found.is_empty());
        }
        tracing::info!("waiting for somebody who has the server begin anew");
        wait_for(&found.passing, &deadline);
    }
}

/// What is still there.
///
/// # Errors
/// When the processes can't be listed.
pub(crate) fn leftovers(site: &Site<'_>, seen: &Seen) -> Result<Vec<String>> {
    let found = site.processes(seen)?;
    let all: Vec<&Identity> = found.all().collect();
    let mut names: Vec<String> =
        all.iter().take(NAMED).map(|process| format!("process {}", process.pid)).collect();
    if let Some(more) = all.len().checked_sub(NAMED).filter(|more| *more > 0) {
        names.push(format!("{more} more"));
    }
    Ok(names)
}
