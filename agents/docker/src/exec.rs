// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A command inside the container that judges the service: `monitor_cmd`.

use crate::container::Container;
use crate::engine::Answer;
use crate::engine::Failure;
use crate::processes;
use crate::site::Site;
use bollard::Docker;
use bollard::container::LogOutput;
use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use futures_util::StreamExt;
use ocf::process::Identity;
use ocf::{Error, Result, tracing};
use std::cell::RefCell;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// What every bundle passes: whether the container runs, which is known by then.
const TRIVIAL: &str = "/bin/true";
/// How much of its output is kept, in bytes.
const KEPT: usize = 16 * 1024;
/// How often it is looked whether it has ended, although its output is still open.
const LOOK: Duration = Duration::from_millis(100);
/// How long the rest of its output may take when it has failed.
const REST: Duration = Duration::from_secs(1);
/// How much of the action's time it has, in percent; the rest is for ending it.
const SHARE: u32 = 85;

/// Runs the command, if there is one.
///
/// # Errors
/// When it exits with anything but 0, can't be run, or doesn't end in time.
pub(crate) fn check(site: &Site<'_>, command: &str, container: &Container) -> Result<()> {
    let words: Vec<String> = command.split_ascii_whitespace().map(str::to_owned).collect();
    let Some(program) = words.first().cloned().filter(|_| words != [TRIVIAL]) else {
        return Ok(());
    };
    let output = RefCell::new(Vec::new());
    let what = format!("run monitor_cmd in container {}", site.name);
    let id = create(site, container, words).map_err(|failure| site.error(&what, &failure))?;
    match run(site, &id, &output) {
        Ok(Some(0)) => Ok(()),
        Ok(code) => Err(failed(site, &program, code, &output.borrow())),
        Err(failure) => {
            let fate = if end(site, &id) { "it was killed" } else { "it may go on" };
            Err(match failure {
                Failure::Silent(time) => Error::generic(format!(
                    "monitor_cmd didn't end in {:.1} s in container {}: {fate}",
                    time.as_secs_f32(),
                    site.name
                )),
                Failure::Refused { ref message, .. } if is_missing(message) => {
                    missing(site, &program)
                }
                other => site.error(&what, &other),
            })
        }
    }
}

fn create(site: &Site<'_>, container: &Container, words: Vec<String>) -> Answer<String> {
    let options = CreateExecOptions {
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        cmd: Some(words),
        ..CreateExecOptions::default()
    };
    let question = async |docker: &Docker| docker.create_exec(&container.id, options.clone()).await;
    site.engine().ask(&site.context.deadline.share(SHARE), question).map(|made| made.id)
}

/// Its exit code; `None` where the Engine knows none. What it has started in the background may keep its
/// output open: its own end counts.
fn run(site: &Site<'_>, id: &str, output: &RefCell<Vec<u8>>) -> Answer<Option<i64>> {
    let (engine, deadline) = (site.engine(), site.context.deadline.share(SHARE));
    engine.ask(&deadline, async |docker: &Docker| {
        let started = docker.start_exec(id, None::<StartExecOptions>).await?;
        let StartExecResults::Attached { output: mut stream, .. } = started else {
            return Ok(None);
        };
        let (mut is_open, mut looked) = (true, Instant::now());
        loop {
            if is_open {
                match timeout(LOOK, stream.next()).await {
                    Ok(Some(piece)) => keep(&mut output.borrow_mut(), piece?),
                    Ok(None) => is_open = false,
                    Err(_) => {}
                }
            } else {
                sleep(LOOK).await;
            }
            if is_open && looked.elapsed() < LOOK {
                continue;
            }
            looked = Instant::now();
            let found = docker.inspect_exec(id).await?;
            if found.running != Some(true) {
                // The last words of one that failed may still be on their way.
                let until = Instant::now() + REST.min(deadline.left() / 2);
                while is_open && found.exit_code != Some(0) {
                    match timeout(until - Instant::now(), stream.next()).await {
                        Ok(Some(piece)) => keep(&mut output.borrow_mut(), piece?),
                        Ok(None) | Err(_) => is_open = false,
                    }
                }
                return Ok(found.exit_code);
            }
        }
    })
}

fn keep(kept: &mut Vec<u8>, piece: LogOutput) {
    let room = KEPT.saturating_sub(kept.len());
    kept.extend(piece.into_bytes().iter().take(room));
}

/// Ends what didn't end in time; `false` when it can't be found: the Engine doesn't say where it is.
fn end(site: &Site<'_>, id: &str) -> bool {
    let inspect = async |docker: &Docker| docker.inspect_exec(id).await;
    let found = site.engine().ask(&site.context.deadline, inspect);
    let pid = found.ok().filter(|exec| exec.running == Some(true)).and_then(|exec| exec.pid);
    let process = pid.and_then(|pid| i32::try_from(pid).ok()).and_then(Identity::of);
    // The pid is the host's; an Engine on another host has none of ours.
    let is_here = |process: &Identity| matches!(processes::container_of(process.pid), Ok(Some(_)));
    let Some(process) = process.filter(|_| site.endpoint.socket().is_some()).filter(is_here) else {
        return false;
    };
    let mut family = processes::descendants(process);
    family.push(process);
    let killed = processes::kill_all(&family);
    if let Err(error) = &killed {
        tracing::warn!("monitor_cmd goes on in container {}: {error}", site.name);
    }
    killed.is_ok()
}

fn failed(site: &Site<'_>, program: &str, code: Option<i64>, output: &[u8]) -> Error {
    let name = site.name;
    let text = String::from_utf8_lossy(output);
    text.lines().for_each(|line| tracing::info!("monitor_cmd in container {name}: {line}"));
    match code {
        Some(126 | 127) => missing(site, program),
        Some(code) => {
            let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty());
            let said = last.map(|line| format!(": {line}")).unwrap_or_default();
            Error::generic(format!("monitor_cmd exits with {code} in container {name}{said}"))
        }
        None => Error::generic(format!("monitor_cmd ended in container {name} without a code")),
    }
}

fn missing(site: &Site<'_>, program: &str) -> Error {
    Error::args(format!(
        "monitor_cmd {program} can't be executed in container {}: its image lacks it",
        site.name
    ))
}

fn is_missing(message: &str) -> bool {
    ["executable file not found", "no such file or directory", "permission denied"]
        .iter()
        .any(|words| message.contains(words))
}
