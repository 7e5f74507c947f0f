// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The tools that are run beside the agents, with a limit, no shell, and an environment of their own.

use crate::Outcome;
use ocf_tester::agent::{Execution, Invocation};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// No tool here takes longer than some seconds.
const LIMIT: Duration = Duration::from_secs(120);

/// Where Debian has the tools, and which package brings each.
const TOOLS: [(&str, &str); 10] = [
    ("/usr/sbin/cibadmin", "pacemaker-cli-utils"),
    ("/usr/sbin/crm", "crmsh"),
    ("/usr/sbin/crm_resource", "pacemaker-cli-utils"),
    ("/usr/sbin/ip", "iproute2"),
    ("/usr/sbin/ocf-tester", "resource-agents"),
    ("/usr/sbin/pcs", "pcs"),
    ("/usr/lib/pacemaker/pacemaker-execd", "pacemaker"),
    ("/usr/bin/python3", "python3"),
    ("/usr/bin/unshare", "util-linux"),
    ("/usr/bin/xmllint", "libxml2-utils"),
];

/// The path of a tool of Debian's.
///
/// # Errors
/// A sentence that names the package to install.
pub fn tool(name: &str) -> Outcome<PathBuf> {
    let known = TOOLS.iter().find(|(path, _)| Path::new(path).file_name() == Some(name.as_ref()));
    let Some((path, package)) = known else {
        return Err(format!("{name} is none of the tools of these tests").into());
    };
    if Path::new(path).exists() {
        return Ok(path.into());
    }
    Err(format!("{path} is missing: install the package {package}").into())
}

/// A call of a tool: nothing in the environment but `PATH`, as wide as an administrator's.
///
/// # Errors
/// As [`tool`].
pub fn call<S: AsRef<OsStr>>(name: &str, arguments: &[S]) -> Outcome<Invocation> {
    let mut call = Invocation::new(tool(name)?, "").limit(LIMIT);
    call.arguments = arguments.iter().map(|argument| argument.as_ref().to_owned()).collect();
    Ok(call
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", "/nonexistent"))
}

/// Runs a call that has to succeed, and gives what it printed on stdout.
///
/// # Errors
/// What it said instead.
pub fn succeed(call: &Invocation) -> Outcome<String> {
    let done = call.run()?;
    if done.code() == Some(0) {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    Err(format!("{}\nanswers {}", call.reproduction(), told(&done)).into())
}

/// A verdict with both outputs, for a message.
#[must_use]
pub fn told(done: &Execution) -> String {
    let [out, err] = [&done.stdout, &done.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{}\n--- stdout\n{out}\n--- stderr\n{err}", done.verdict)
}
