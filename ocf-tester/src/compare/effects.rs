// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The changes of a scenario in words that are the same in every run.

use super::Scenario;
use super::neutral::Neutral;
use crate::ledger::{Change, Entry, show_content};
use std::path::Path;

/// The changes, with paths relative to the scratch directory. Without `contents` a file that only
/// changed inside isn't one; without `modes` one that only changed its permissions isn't.
pub(super) fn describe(
    scenario: &Scenario<'_>,
    scratch: &Path,
    neutral: &Neutral,
    changes: &[Change],
) -> Vec<String> {
    let entry = |entry: &Entry| show(scenario, neutral, entry);
    let describe = |change: &Change| {
        let path = change.path().map(|path| path.strip_prefix(scratch).unwrap_or(path));
        let path = path.map(|path| path.to_string_lossy()).unwrap_or_default();
        let path = neutral.text(path.as_bytes());
        match change {
            Change::Made(_, now) => Some(format!("made {path} ({})", entry(now))),
            Change::Removed(..) => Some(format!("removed {path}")),
            Change::Altered(_, before, now) => {
                let (before, now) = (entry(before), entry(now));
                (before != now).then(|| format!("changed {path} from {before} to {now}"))
            }
            Change::Running(process) => {
                Some(format!("left running: {}", neutral.text(process.command.as_bytes())))
            }
            Change::Ended(process) => {
                Some(format!("ended: {}", neutral.text(process.command.as_bytes())))
            }
        }
    };
    changes.iter().filter_map(describe).collect()
}

fn show(scenario: &Scenario<'_>, neutral: &Neutral, entry: &Entry) -> String {
    let mut text = entry.kind.to_owned();
    if scenario.modes && entry.kind != "link" {
        text.push_str(&format!(" {:04o}", entry.mode));
    }
    if scenario.contents && matches!(entry.kind, "file" | "link") {
        let content = neutral.text(&entry.content);
        text.push(' ');
        text.push_str(&show_content(content.as_bytes()));
        // What is cut from view still has to tell two files apart.
        if content.len() > 60 {
            text.push_str(&format!("#{:08x}", fingerprint(content.as_bytes())));
        }
    }
    text
}

/// FNV-1a, folded to 32 bits: the same in every build, unlike the standard library's.
fn fingerprint(bytes: &[u8]) -> u32 {
    let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    bytes.iter().fold(0x811c_9dc5, step)
}
