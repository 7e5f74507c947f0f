// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Calls monitors of agents without a pause until it is told to end (TERM), and counts the answers.
//! It runs on a node of the lab, see [`lab::takeover::watch`].
//!
//! Its arguments are fours: the resource, the agent as `<provider>/<type>`, a parameter `name=value`
//! or nothing, the one right code. The whole path of an agent is no argument of this: our packages wait for who might be about to open it.

use lab::cluster::AGENT_DIR;
use lab::signals::Signals;
use lab::takeover::watch::{END, RIGHT, WRONG};
use lab::{Error, Result};
use std::io::Write;
use std::process::{Command, ExitCode, Stdio};

struct Monitor {
    instance: String,
    call: Command,
    code: i32,
    right: u64,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{WRONG} lab_calls: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let signals = Signals::catch()?;
    let args: Vec<_> = std::env::args().skip(1).collect();
    let mut monitors = args.chunks(4).map(parse).collect::<Result<Vec<_>>>()?;
    while signals.check().is_ok() {
        for monitor in &mut monitors {
            match monitor.call.output() {
                Ok(output) if output.status.code() == Some(monitor.code) => monitor.right += 1,
                Ok(output) => {
                    let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', " | ");
                    wrong(monitor, &format!("{}: {said}", output.status));
                }
                Err(error) => wrong(monitor, &error.to_string()),
            }
        }
    }
    monitors.iter().for_each(|m| say(&format!("{RIGHT} {} {}", m.instance, m.right)));
    say(END);
    Ok(())
}

/// A recurring monitor as Pacemaker makes it: for a probe, an agent that is gone is no failure.
fn parse(words: &[String]) -> Result<Monitor> {
    let [instance, agent, parameter, code] = words else {
        return Err(Error::new("resource, agent, parameter and code are needed, and again"));
    };
    let code =
        code.parse().map_err(|_| Error::new(format!("{code} is no exit code of an agent")))?;
    let mut call = command(&format!("{AGENT_DIR}/{agent}"));
    call.arg("monitor").stdin(Stdio::null()).envs([
        ("OCF_ROOT", "/usr/lib/ocf"),
        ("OCF_RA_VERSION_MAJOR", "1"),
        ("OCF_RA_VERSION_MINOR", "1"),
        ("OCF_EXIT_REASON_PREFIX", "ocf-exit-reason:"),
        ("OCF_RESOURCE_INSTANCE", instance),
        ("OCF_RESKEY_crm_feature_set", "3.16.1"),
        ("OCF_RESKEY_CRM_meta_name", "monitor"),
        ("OCF_RESKEY_CRM_meta_interval", "1000"),
        ("OCF_RESKEY_CRM_meta_timeout", "20000"),
    ]);
    if let Some((name, value)) = parameter.split_once('=') {
        call.env(format!("OCF_RESKEY_{name}"), value);
    }
    Ok(Monitor { instance: instance.clone(), call, code, right: 0 })
}

#[expect(clippy::disallowed_methods, reason = "the lab's own door waits in steps: pauses")]
fn command(path: &str) -> Command {
    Command::new(path)
}

fn wrong(monitor: &Monitor, what: &str) {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seconds = since.map_or(0.0, |time| time.as_secs_f64());
    say(&format!("{WRONG} {} at {seconds:.3}: {what}", monitor.instance));
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
