// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Is the description true, and the same for everybody who asks for it?

use super::{during, row, should};
use crate::agent::Invocation;
use crate::check::{Check, Failure, Level, Phase, Stop};
use crate::session::Session;
use ocf_metadata::reader::{self, Document};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

pub(super) const CHECKS: &[Check] = &[
    during(
        Phase::Description,
        row("MD-01", "Metadata", "the description has the name of the agent's file", is_named),
    ),
    during(
        Phase::Description,
        row(
            "USE-24",
            "OCF_OUTPUT_FORMAT",
            "meta-data prints the same XML for each output format that Pacemaker asks for",
            ignores_format,
        ),
    ),
    during(
        Phase::Description,
        row(
            "USE-41",
            "Pacemaker",
            "meta-data says the same for every resource, and without any parameter",
            ignores_parameters,
        ),
    ),
    during(
        Phase::Description,
        row("USE-25", "practice", "meta-data works in any directory", works_anywhere),
    ),
    during(
        Phase::Description,
        should(row(
            "USE-26",
            "practice",
            "meta-data prints nothing on standard error",
            says_nothing_else,
        )),
    ),
    // The variable that says where the shell library is, OCF_ROOT, is set by every caller.
    Check {
        level: Level::Info,
        phase: Phase::Description,
        ..row("USE-27", "practice", "meta-data works in an empty environment", needs_nothing)
    },
];

/// Tools find the agent by its file's name and show the description's. An agent may be installed by
/// links of other names, and before that its file has the suffix of its language.
fn is_named(session: &mut Session<'_>) -> Result<(), Stop> {
    let file = session.base.agent.file_name().unwrap_or_default().to_string_lossy();
    let Some(document) = &session.document else { return Err(unread()) };
    let is_name_of = |path: &Path| {
        [path.file_name(), path.file_stem()].contains(&Some(OsStr::new(&document.name)))
    };
    if files(&session.base.agent).iter().any(|path| is_name_of(path)) {
        return Ok(());
    }
    Err(Failure {
        rule: None,
        expected: format!("a description of {file}, as its file is called"),
        seen: format!("<resource-agent name=\"{}\">", document.name),
        reproduction: Some(session.prepare("meta-data").reproduction()),
    }
    .into())
}

/// The file and, where it is a link, those it leads to.
fn files(agent: &Path) -> Vec<PathBuf> {
    // No longer chain than the kernel follows.
    let next = |path: &PathBuf| Some(path.parent()?.join(std::fs::read_link(path).ok()?));
    std::iter::successors(Some(agent.to_owned()), next).take(40).collect()
}

fn unread() -> Stop {
    Stop::Skipped("the description can't be read (META-02)".to_owned())
}

fn ignores_format(session: &mut Session<'_>) -> Result<(), Stop> {
    for format in ["text", "log", "xml"] {
        let call = session.prepare("meta-data").env("OCF_OUTPUT_FORMAT", format);
        describes_the_same(session, &call)?;
    }
    Ok(())
}

/// The controller asks without parameters, pcs and crm_resource with other ones.
fn ignores_parameters(session: &mut Session<'_>) -> Result<(), Stop> {
    let mut bare = session.prepare("meta-data");
    bare.environment.retain(|name, _| !name.to_string_lossy().starts_with("OCF_RESKEY_"));
    let other = session.prepare("meta-data").env("OCF_RESOURCE_INSTANCE", "another-resource");
    describes_the_same(session, &bare)?;
    describes_the_same(session, &other)
}

fn works_anywhere(session: &mut Session<'_>) -> Result<(), Stop> {
    let mut call = session.prepare("meta-data");
    call.directory = "/proc".into();
    call.umask = Some(0o077);
    describes_the_same(session, &call)
}

fn needs_nothing(session: &mut Session<'_>) -> Result<(), Stop> {
    let mut call = session.prepare("meta-data");
    call.environment.clear();
    call.announce_limit = false;
    describes_the_same(session, &call)
}

/// The defaults may differ: agents build them of the instance's name.
fn describes_the_same(session: &mut Session<'_>, call: &Invocation) -> Result<(), Stop> {
    let known = session.document.as_ref().ok_or_else(unread).map(names)?;
    let execution = session.expect(call, &[0], "meta-data")?;
    let seen = reader::read(&execution.stdout);
    if seen.as_ref().map(names).ok().as_ref() == Some(&known) {
        return Ok(());
    }
    let mut failure = Failure::of_call(call, &execution, "the same parameters and actions as ever");
    failure.seen = seen.map_or_else(|error| error.to_string(), |_| "other ones".to_owned());
    Err(failure.into())
}

fn names(document: &Document) -> BTreeSet<String> {
    let parameters = document.parameters.iter().map(|one| format!("parameter {}", one.name));
    let actions = document.actions.iter().map(|one| format!("action {}", one.name));
    parameters.chain(actions).collect()
}

/// pcs and crmsh put the two streams together in some calls.
fn says_nothing_else(session: &mut Session<'_>) -> Result<(), Stop> {
    let call = session.prepare("meta-data");
    let execution = session.expect(&call, &[0], "meta-data")?;
    if execution.stderr.is_empty() {
        return Ok(());
    }
    let mut failure = Failure::of_call(&call, &execution, "nothing on standard error");
    failure.seen = super::outputs::shown(&execution.stderr);
    Err(failure.into())
}
