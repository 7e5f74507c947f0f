// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Checks of the description: is it printed, does it keep the rules, for whom does it work.

use super::life::NO_SOFTWARE;
use crate::agent::OUTPUT_CAP;
use crate::check::{Failure, Halt, Stop};
use crate::session::Session;
use ocf_metadata::reader;
use ocf_metadata::rules::{self, Finding};
use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// User and group `nobody`, the same on every Linux.
const NOBODY: (u32, u32) = (65534, 65534);

/// How many findings are told: somebody has to read them.
const FINDINGS: usize = 50;

pub(super) fn is_printed(session: &mut Session<'_>) -> Result<(), Stop> {
    let call = session.prepare("meta-data");
    let execution = session.expect(&call, &[0], "meta-data")?;
    if execution.stdout.is_empty() {
        let mut failure = Failure::of_call(&call, &execution, "meta-data to print a description");
        failure.seen = "nothing on standard output".to_owned();
        return Err(failure.into());
    }
    if execution.stdout.len() >= OUTPUT_CAP {
        // Neither do callers see more of it, so nothing can be said of the rest.
        let expected = "a description that callers read to its end";
        let mut failure = Failure::of_call(&call, &execution, expected);
        failure.seen = format!("{} MiB or more, of which the rest is lost", OUTPUT_CAP >> 20);
        return Err(failure.into());
    }
    session.document = reader::read(&execution.stdout).ok();
    session.printed = execution.stdout;
    Ok(())
}

pub(super) fn keeps_rules(session: &mut Session<'_>) -> Result<(), Stop> {
    keeps(session, |finding| !finding.is_advice())
}

/// What no tool refuses, but somebody who configures a resource by it gets wrong.
pub(super) fn makes_sense(session: &mut Session<'_>) -> Result<(), Stop> {
    keeps(session, Finding::is_advice)
}

fn keeps(session: &Session<'_>, is_asked: fn(&Finding) -> bool) -> Result<(), Stop> {
    if session.printed.is_empty() {
        return Err(Stop::Skipped("meta-data printed nothing".to_owned()));
    }
    let reproduction = session.prepare("meta-data").reproduction();
    let mut seen = HashSet::new();
    let mut findings = rules::check(&session.printed);
    findings.retain(|finding| is_asked(finding) && seen.insert(finding.to_string()));
    let further = findings.len().saturating_sub(FINDINGS);
    let mut failures: Vec<Failure> = findings
        .into_iter()
        .take(FINDINGS)
        .map(|finding| Failure {
            rule: Some(finding.rule),
            expected: match finding.is_advice() {
                true => "a description that agrees with itself".to_owned(),
                false => format!("a description that {} accepts", finding.consumer),
            },
            seen: finding.message,
            reproduction: Some(reproduction.clone()),
        })
        .collect();
    if further > 0 {
        failures.push(Failure {
            rule: None,
            expected: "a description that keeps every rule".to_owned(),
            seen: format!("{further} further findings, which aren't shown"),
            reproduction: Some(reproduction),
        });
    }
    if failures.is_empty() { Ok(()) } else { Err(Stop::Failed(failures)) }
}

/// crmsh, pcs and `crm_resource` are run by ordinary users, too.
pub(super) fn works_for_nobody(session: &mut Session<'_>) -> Result<(), Stop> {
    let mut call = session.prepare("meta-data");
    if let Some(closed) = closed_directory(&call.agent) {
        return Err(Stop::Skipped(format!("user nobody may not enter {}", closed.display())));
    }
    call.user = Some(NOBODY);
    call.directory = "/".into();
    match session.expect(&call, &[0], "meta-data as user nobody") {
        Err(Stop::Halt(Halt::Broken(error))) if error.is_permission() => Err(Failure {
            rule: None,
            expected: "an agent that user nobody may execute (chmod 755)".to_owned(),
            seen: error.to_string(),
            reproduction: None,
        }
        .into()),
        other => other.map(|_| ()),
    }
}

/// The directory on the way to the file that other users may not enter.
fn closed_directory(agent: &Path) -> Option<&Path> {
    agent.ancestors().skip(1).find(|directory| {
        std::fs::metadata(directory).is_ok_and(|found| found.permissions().mode() & 0o001 == 0)
    })
}

/// The agents that use the shell library take this variable for the software's absence.
pub(super) fn works_bare(session: &mut Session<'_>) -> Result<(), Stop> {
    let call = session.prepare("meta-data").env(NO_SOFTWARE, "1");
    session.expect(&call, &[0], "meta-data without the software")?;
    Ok(())
}
