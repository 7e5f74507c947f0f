// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The same start, monitor and stop as each caller of agents makes them.

mod profiles;

use super::{after_a_sound_start, row, should};
use crate::agent::Invocation;
use crate::check::{Check, Stop};
use crate::ledger::pause;
use crate::profile::Profile;
use crate::scratch::Scratch;
use crate::session::{Session, State};
use crate::turn;
use profiles::{CRM_RESOURCE, CRMSH, DRBD_REACTOR, HALO, PACEMAKER_2, PACEMAKER_3, PCS};
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long is waited for a resource that several testers share.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) const CHECKS: &[Check] = &[
    row("USE-30", "Pacemaker", "it works as Pacemaker 2.1 and 3 call it", by_pacemaker),
    row("USE-31", "Pacemaker", "it works as crm_resource and crmsh call it", by_tools),
    row("USE-32", "drbd-reactor", "it works without an API version and timeouts", by_reactor),
    should(row("USE-33", "halo", "it works without an instance name", by_halo)),
    should(row("USE-34", "pcs", "validate-all works without PATH, as pcs calls it", by_pcs)),
    row("USE-35", "practice", "it works in any directory", anywhere),
    row("USE-36", "practice", "it works with umask 0026 and 0077", with_umask),
    should(row("USE-72", "practice", "it works in a directory that is gone", nowhere)),
    row("USE-37", "practice", "it doesn't wait for standard input", without_input),
];

/// The base call as another caller makes it: its own variables instead of the base's, the user's
/// parameters and variables as they are.
fn called_by(base: &Invocation, profile: &Profile) -> Invocation {
    let instance = base.environment.get("OCF_RESOURCE_INSTANCE".as_ref() as &std::ffi::OsStr);
    let instance = instance.map_or_else(|| "default".into(), |name| name.to_string_lossy());
    let mut call = base.clone();
    call.environment.retain(|name, _| {
        let name = name.to_string_lossy();
        let of_caller = ["OCF_RESKEY_CRM_meta_", "PCMK_", "OCF_RA_VERSION_", "OCF_RESOURCE_"];
        let single = ["OCF_ROOT", "OCF_EXIT_REASON_PREFIX", "OCF_RESKEY_crm_feature_set"];
        !of_caller.iter().any(|prefix| name.starts_with(prefix)) && !single.contains(&name.as_ref())
    });
    let mut call = call.profile(profile, &instance);
    let action = call.action_name();
    if let Some(name) = call.environment.get_mut(ACTION.as_ref() as &std::ffi::OsStr) {
        *name = action.into();
    }
    call
}

/// A whole life by this variation of every call; it is stopped whatever happens.
pub(super) fn live(
    session: &mut Session<'_>,
    caller: &str,
    vary: &dyn Fn(Invocation) -> Invocation,
) -> Result<(), Stop> {
    after_a_sound_start(session)?;
    session.reach(State::Stopped)?;
    let steps: [(&str, &[i32]); 4] =
        [("start", &[0]), ("monitor", &[0, 190]), ("stop", &[0]), ("monitor", &[7])];
    for (action, codes) in steps {
        let call = vary(session.prepare(action));
        let result = session.expect(&call, codes, &format!("{action} {caller}"));
        if let Err(stop) = result {
            session.make(&vary(session.prepare("stop")))?;
            // Whatever this life left, the usual one sees.
            session.call("monitor")?;
            return Err(stop);
        }
    }
    session.call("monitor").map(|_| ())
}

/// A call as this caller makes it: beside its own variables, only Pacemaker tells the interval.
fn made_by(call: &Invocation, profile: &Profile) -> Invocation {
    let interval = call.environment.get(INTERVAL.as_ref() as &std::ffi::OsStr).cloned();
    let made = called_by(call, profile);
    match interval.filter(|_| profile.directory == PACEMAKER_3.directory) {
        Some(interval) => made.env(INTERVAL, interval),
        None => made,
    }
}

fn live_with(session: &mut Session<'_>, profiles: &[Profile]) -> Result<(), Stop> {
    for profile in profiles {
        let vary = |call: Invocation| made_by(&call, profile);
        live(session, &format!("as {} calls it", profile.name), &vary)?;
    }
    Ok(())
}

const INTERVAL: &str = "OCF_RESKEY_CRM_meta_interval";
const ACTION: &str = "OCF_RESKEY_CRM_meta_name";

fn by_pacemaker(session: &mut Session<'_>) -> Result<(), Stop> {
    live_with(session, &[PACEMAKER_2, PACEMAKER_3])
}

fn by_tools(session: &mut Session<'_>) -> Result<(), Stop> {
    live_with(session, &[CRM_RESOURCE, CRMSH])
}

fn by_reactor(session: &mut Session<'_>) -> Result<(), Stop> {
    live_with(session, &[DRBD_REACTOR])
}

fn by_halo(session: &mut Session<'_>) -> Result<(), Stop> {
    // Without a name every tester of agents of this type works on the same resource.
    let mut nameless = session.base.clone().without_env("OCF_RESOURCE_INSTANCE");
    nameless.agent = nameless.agent.file_name().unwrap_or_default().into();
    let deadline = Instant::now() + PATIENCE;
    let _turn = loop {
        match turn::take(&nameless) {
            Some(turn) => break turn,
            None if Instant::now() > deadline => {
                let why = "another ocf-tester is at work on the resource without a name";
                return Err(Stop::Skipped(why.to_owned()));
            }
            None => pause(Duration::from_millis(20)),
        }
    };
    live_with(session, &[HALO])
}

fn by_pcs(session: &mut Session<'_>) -> Result<(), Stop> {
    if !session.advertises("validate-all") {
        return Err(Stop::Skipped("validate-all isn't advertised".to_owned()));
    }
    let call = called_by(&session.prepare("validate-all"), &PCS).without_env("PATH");
    session.expect(&call, &[0], "validate-all without PATH").map(|_| ())
}

/// Started and stopped in one directory, asked in another.
fn anywhere(session: &mut Session<'_>) -> Result<(), Stop> {
    let scratch = match Scratch::new("elsewhere") {
        Ok(scratch) => scratch,
        Err(error) => return Err(Stop::Skipped(error.to_string())),
    };
    let vary = |mut call: Invocation| {
        if call.action_name() != "monitor" {
            call.directory = scratch.path().to_owned();
        }
        call
    };
    live(session, "in another directory", &vary)
}

/// Somebody may have removed the directory from which a caller was started. Through a descriptor
/// it can still be entered.
fn nowhere(session: &mut Session<'_>) -> Result<(), Stop> {
    let broken = |error: io::Error| Stop::Broken(error.to_string());
    let scratch = Scratch::new("gone").map_err(broken)?;
    let directory = scratch.directory("away").map_err(broken)?;
    let descriptor = File::open(&directory).map_err(broken)?;
    fs::remove_dir(&directory).map_err(broken)?;
    let path = format!("/proc/{}/fd/{}", std::process::id(), descriptor.as_raw_fd());
    let vary = |mut call: Invocation| {
        call.directory = PathBuf::from(&path);
        call
    };
    live(session, "in a directory that was removed", &vary)
}

fn with_umask(session: &mut Session<'_>) -> Result<(), Stop> {
    for umask in [0o026, 0o077] {
        let vary = |mut call: Invocation| {
            call.umask = Some(umask);
            call
        };
        live(session, &format!("with umask {umask:04o}"), &vary)?;
    }
    Ok(())
}

fn without_input(session: &mut Session<'_>) -> Result<(), Stop> {
    let vary = |mut call: Invocation| {
        call.endless_input = true;
        call
    };
    live(session, "with a standard input that never ends", &vary)
}

#[cfg(test)]
mod tests;
