// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Pacemaker's tools that change the cluster, replaced during a comparison: the tester's own
//! program stands in for them under their names, writes down how it was called, and answers 0.
//!
//! It knows itself as a stand-in by its place, the directory of a scenario, because an agent needn't
//! pass its environment on.

use crate::profile;
use std::ffi::{OsStr, OsString};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The tools.
pub(crate) const TOOLS: &[&str] =
    &["attrd_updater", "crm_attribute", "crm_failcount", "crm_master"];

/// What the directories of scenarios begin with.
const SCENARIO: &str = "ocf-tester-compare-";

/// Writes down the call, if this process was started as a stand-in; whether it was.
pub(crate) fn stands_in(words: &[OsString]) -> bool {
    let Some((name, rest)) = words.split_first() else { return false };
    let Some(record) = record_of(Path::new(name)) else { return false };
    let mut line = Path::new(name).file_name().unwrap_or_default().as_bytes().to_vec();
    for word in rest {
        line.push(b' ');
        line.extend(word.as_bytes());
    }
    if let Some(instance) = instance() {
        line.extend(b" of ");
        line.extend(instance.as_bytes());
    }
    // One call, one line.
    line.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
    line.push(b'\n');
    // What can't be written down is a missing effect, which the comparison shows.
    let _ = OpenOptions::new()
        .append(true)
        .create(true)
        .open(record)
        .and_then(|mut file| file.write_all(&line));
    true
}

/// The record of the scenario that this tool is in.
fn record_of(called: &Path) -> Option<PathBuf> {
    let name = called.file_name()?.to_str()?;
    if !TOOLS.contains(&name) {
        return None;
    }
    let path = if called.as_os_str().as_bytes().contains(&b'/') {
        called.to_owned()
    } else {
        std::env::split_paths(&profile::inherited_path())
            .map(|directory| directory.join(called))
            .find(|path| path.is_file())?
    };
    let tools = path.parent()?;
    let scenario = tools.parent()?;
    let is_scenario = scenario.file_name()?.as_bytes().starts_with(SCENARIO.as_bytes());
    (tools.file_name() == Some(OsStr::new("sbin")) && is_scenario).then(|| scenario.join("calls"))
}

#[expect(clippy::disallowed_methods, reason = "the resource for which an agent called the tool")]
fn instance() -> Option<OsString> {
    std::env::var_os("OCF_RESOURCE_INSTANCE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_tool_in_a_scenario_is_a_stand_in() {
        let scenario = Path::new("/tmp/ocf-tester-compare-1-2");
        for (called, record) in [
            ("/tmp/ocf-tester-compare-1-2/sbin/crm_attribute", Some(scenario.join("calls"))),
            ("/tmp/ocf-tester-compare-1-2/sbin/ocf-tester", None),
            ("/tmp/ocf-tester-compare-1-2/bin/crm_attribute", None),
            ("/usr/sbin/crm_attribute", None),
            ("ocf-tester", None),
        ] {
            assert_eq!(record_of(Path::new(called)), record, "{called}");
        }
    }
}
