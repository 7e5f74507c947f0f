// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Parameters that an agent reads and doesn't advertise. The one check that reads the agent's own
//! file, in whatever language it is written: it sees names, and so it is a should.

use super::{during, row, should};
use crate::check::{Check, Failure, Phase, Stop};
use crate::session::Session;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};

pub(super) const CHECKS: &[Check] = &[during(
    Phase::Description,
    should(row(
        "MD-19",
        "Metadata",
        "every parameter that stands in the agent's file as one it reads is advertised",
        advertises_all,
    )),
)];

const PREFIX: &[u8] = b"OCF_RESKEY_";

/// How much of the file is read.
const CAP: u64 = 8 * 1024 * 1024;

/// What callers and the shell library set, or have set, without anybody advertising it.
const OF_CALLERS: &[&str] =
    &["trace_ra", "trace_file", "trace_dir", "migrate_source", "migrate_target", "clone"];

fn advertises_all(session: &mut Session<'_>) -> Result<(), Stop> {
    let Some(document) = &session.document else {
        return Err(Stop::Skipped("the description can't be read (META-02)".to_owned()));
    };
    let known: BTreeSet<&str> =
        document.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    let path = &session.base.agent;
    let content = content(path).map_err(|error| Stop::Skipped(error.to_string()))?;
    let hidden: Vec<String> =
        names(&content).into_iter().filter(|name| !known.contains(name.as_str())).collect();
    if hidden.is_empty() {
        return Ok(());
    }
    let shown: Vec<&str> = hidden.iter().take(10).map(String::as_str).collect();
    Err(Failure {
        rule: None,
        expected: "every parameter that is read to be advertised".to_owned(),
        seen: format!("read in {}, and not advertised: {}", path.display(), shown.join(", ")),
        reproduction: Some(session.prepare("meta-data").reproduction()),
    }
    .into())
}

fn content(path: &std::path::Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(CAP).read_to_end(&mut content)?;
    Ok(content)
}

/// The names of parameters that this file reads, and never sets itself.
fn names(content: &[u8]) -> BTreeSet<String> {
    let is_text = !content.contains(&0);
    let (mut read, mut set) = (BTreeSet::new(), BTreeSet::new());
    for line in content.split(|byte| *byte == b'\n') {
        if is_text && line.trim_ascii_start().starts_with(b"#") {
            continue;
        }
        for (at, _) in line.windows(PREFIX.len()).enumerate().filter(|(_, part)| *part == PREFIX) {
            let rest = line.get(at + PREFIX.len()..).unwrap_or_default();
            let length = rest.iter().take_while(|byte| is_of_name(**byte)).count();
            let (name, rest) = rest.split_at(length);
            let Some(name) = parameter(name) else { continue };
            let before = at.checked_sub(1).and_then(|at| line.get(at)).copied();
            match (before, rest) {
                // A string of a compiled program is whole only between its ends.
                (Some(0), [0, ..]) if !is_text => drop(read.insert(name)),
                _ if !is_text => {}
                (Some(b'$' | b'{' | b'"' | b'\''), [b'=', b'=', ..]) => drop(read.insert(name)),
                // ${NAME=default} sets what isn't set.
                (Some(b'{'), _) => drop(read.insert(name)),
                (_, [b'=', ..]) => drop(set.insert(name)),
                (Some(b'$' | b'"' | b'\''), _) => drop(read.insert(name)),
                _ => {}
            }
        }
    }
    read.difference(&set).cloned().collect()
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The name, if it may be one of the agent's own parameters.
fn parameter(name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok().filter(|name| !name.is_empty())?;
    let is_managers = name.to_ascii_lowercase().starts_with("crm_") || OF_CALLERS.contains(&name);
    let is_default = name.ends_with("_default") || name.ends_with("_defaults");
    // Texts of a compiled agent stand side by side with nothing between them.
    let is_joined = name.contains("OCF_RESKEY");
    (!is_managers && !is_default && !is_joined).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_are_read() {
        for (content, wanted) in [
            (&b"x=$OCF_RESKEY_a\n"[..], &["a"][..]),
            (b": ${OCF_RESKEY_a=${OCF_RESKEY_a_default}}", &["a"]),
            (b"# $OCF_RESKEY_a\n\t# ${OCF_RESKEY_b}", &[]),
            (b"OCF_RESKEY_a=1; echo $OCF_RESKEY_a", &[]),
            (b"os.environ[\"OCF_RESKEY_a\"] == os.getenv('OCF_RESKEY_b')", &["a", "b"]),
            (b"$OCF_RESKEY_CRM_meta_timeout $OCF_RESKEY_crm_feature_set $OCF_RESKEY_", &[]),
            (b"\0OCF_RESKEY_a\0OCF_RESKEY_bOCF_RESKEY_\0", &["a"]),
            (b"export OCF_RESKEY_a OCF_RESKEY_b", &[]),
            (b"[ \"$OCF_RESKEY_a\"=x ]", &["a"]),
        ] {
            let names: Vec<String> = names(content).into_iter().collect();
            assert_eq!(names, wanted, "{}", String::from_utf8_lossy(content));
        }
    }
}
