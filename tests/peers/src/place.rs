// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A place of a test's own: mount, process, network and IPC namespaces, in which our agents stand in
//! place of the shell ones. The machine's files and a cluster that runs on it are out of reach, and
//! everything that was started there ends with the test.

use crate::collection::{INSTALLED, Peers, variable, variables};
use crate::{Outcome, program};
use nix::mount::{MsFlags, mount};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Set for a test that runs in its place; the value is its name.
const INSIDE: &str = "PEERS_INSIDE";
/// No test of this kind takes longer than a minute, on any machine.
const LIMIT: Duration = Duration::from_secs(300);
const NAMESPACES: [&str; 7] =
    ["--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child", "--mount-proc"];

/// Runs the body of the test called `test` in a place of its own: the test binary is started anew
/// there for this test alone.
///
/// # Errors
/// What the body says, or that the namespaces can't be made.
pub fn alone(test: &str, body: impl FnOnce() -> Outcome) -> Outcome {
    if variable(INSIDE).is_some_and(|name| name == test) {
        return body();
    }
    let mut call = program::call("unshare", &NAMESPACES)?.limit(LIMIT).env(INSIDE, test);
    call = call.argument(std::env::current_exe()?);
    for argument in [test, "--exact", "--nocapture"] {
        call = call.argument(argument);
    }
    for (name, value) in variables() {
        call = call.env(name, value);
    }
    let done = call.run()?;
    let has_run = String::from_utf8_lossy(&done.stdout).contains("1 passed");
    if done.code() == Some(0) && has_run {
        return Ok(());
    }
    let refused = String::from_utf8_lossy(&done.stderr).contains("unshare failed");
    let advice = if refused { "\nnamespaces need root and CAP_SYS_ADMIN" } else { "" };
    Err(format!("in namespaces of its own: {}{advice}", program::told(&done)).into())
}

/// Puts our agent where the shell one is. Only inside [`alone`].
///
/// # Errors
/// Outside, and when it can't be mounted.
pub fn install(peers: &Peers) -> Outcome {
    replace(&Path::new(INSTALLED).join(peers.name), &peers.ours)
}

/// Puts a file where another one is. Only inside [`alone`].
///
/// # Errors
/// Outside, and when it can't be mounted.
pub fn replace(there: &Path, by: &Path) -> Outcome {
    only_inside()?;
    let refused =
        |error| format!("cannot mount {} over {}: {error}", by.display(), there.display());
    mount(Some(by), there, None::<&str>, MsFlags::MS_BIND, None::<&str>)
        .map_err(|error| refused(error).into())
}

/// Makes a directory of the machine's an empty one. Only inside [`alone`].
///
/// # Errors
/// Outside, and when it can't be mounted.
pub fn empty(directory: &str) -> Outcome {
    only_inside()?;
    fs::create_dir_all(directory)?;
    let options = Some("mode=0755");
    mount(Some("tmpfs"), directory, Some("tmpfs"), MsFlags::empty(), options)
        .map_err(|error| format!("cannot mount a tmpfs on {directory}: {error}").into())
}

fn only_inside() -> Outcome {
    match variable(INSIDE) {
        Some(_) => Ok(()),
        None => Err("the machine itself must not be changed: call this inside place::alone".into()),
    }
}
