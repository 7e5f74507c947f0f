// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The programs that building takes: dpkg-deb, gzip, md5sum, date and git, called with lists of arguments.

use crate::{Error, Result};
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a program prints on stdout, run in a directory with a time for reproducible output.
///
/// # Errors
/// When it can't be started, or fails: then with what it says.
pub fn output<S: AsRef<OsStr>>(
    program: &Path,
    arguments: &[S],
    directory: &Path,
    variables: &[(&str, &str)],
) -> Result<Vec<u8>> {
    let name = program.display();
    #[expect(clippy::disallowed_methods, reason = "ocf's Command needs an action's context")]
    let mut command = Command::new(program);
    let done = command
        .args(arguments)
        .current_dir(directory)
        .envs(variables.iter().copied())
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Error::new(format!("cannot run {name}: {error}: install it")))?;
    if done.status.success() {
        return Ok(done.stdout);
    }
    let said = String::from_utf8_lossy(&done.stderr);
    Err(Error::new(format!("{name} failed ({}): {}", done.status, said.trim())))
}
