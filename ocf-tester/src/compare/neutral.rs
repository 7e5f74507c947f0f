// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What differs between any two runs (paths, process numbers, times), replaced by what it is.

use crate::ledger::{Ledger, Process};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// A number this close to now, in seconds or a fraction of them, is a time.
const NEAR: Duration = Duration::from_secs(24 * 60 * 60);

/// A time has at least so many digits; shorter numbers are too often something else.
const DIGITS: usize = 10;

/// What is replaced.
#[derive(Debug, Default)]
pub(super) struct Neutral {
    /// Texts and what stands for them, in this order.
    texts: Vec<(String, &'static str)>,
    /// Numbers of processes.
    pids: BTreeSet<String>,
    /// The times at which processes were started, in ticks.
    starts: BTreeSet<String>,
}

impl Neutral {
    pub(super) fn new(scratch: &Path, agents: [&Path; 2]) -> Self {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let mut texts = vec![(scratch.to_string_lossy().into_owned(), "{scratch}")];
        for agent in agents {
            let absolute = std::path::absolute(agent).unwrap_or_else(|_| agent.to_owned());
            texts.push((absolute.to_string_lossy().into_owned(), "{agent}"));
        }
        texts.push((boot.trim().to_owned(), "{boot}"));
        texts.retain(|(text, _)| !text.is_empty());
        Self { texts, ..Self::default() }
    }

    /// Learns the processes of a scenario: their numbers turn up in files.
    pub(super) fn learn(&mut self, ledger: &Ledger) {
        for Process { pid, started, .. } in ledger.processes.values() {
            self.pids.insert(pid.to_string());
            self.starts.insert(started.to_string());
        }
    }

    /// The text without what differs.
    pub(super) fn text(&self, bytes: &[u8]) -> String {
        let mut text = String::from_utf8_lossy(bytes).into_owned();
        for (own, word) in &self.texts {
            text = text.replace(own, word);
        }
        self.numbers(&text)
    }

    /// Replaces whole numbers: a part of a longer word is a part of a name.
    fn numbers(&self, text: &str) -> String {
        let is_word = |c: char| c.is_alphanumeric();
        let mut result = String::new();
        let mut rest = text;
        while let Some(begin) = rest.find(is_word) {
            let (before, from) = rest.split_at(begin);
            let end = from.find(|c| !is_word(c)).unwrap_or(from.len());
            let (word, after) = from.split_at(end);
            result.push_str(before);
            result.push_str(self.name_of(word).unwrap_or(word));
            rest = after;
        }
        result + rest
    }

    fn name_of(&self, word: &str) -> Option<&'static str> {
        if self.pids.contains(word) {
            return Some("{pid}");
        }
        if self.starts.contains(word) {
            return Some("{started}");
        }
        let number: u128 = word.parse().ok().filter(|_| word.len() >= DIGITS)?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?.as_nanos();
        let is_near = |unit: u128| number.saturating_mul(unit).abs_diff(now) < NEAR.as_nanos();
        [1_000_000_000, 1_000_000, 1000, 1].into_iter().any(is_near).then_some("{time}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_between_runs_has_a_name() {
        let mut neutral =
            Neutral::new(Path::new("/tmp/one"), [Path::new("/a/agent"), Path::new("/b/agent")]);
        let (pid, started) = (4711, 987_654);
        let command = "sleep".to_owned();
        let process = Process { pid, started, group: pid, session: pid, command };
        let processes = [((pid, started), process)].into();
        neutral.learn(&Ledger { processes, ..Ledger::default() });
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        for (text, result) in [
            ("/tmp/one/state of /b/agent".to_owned(), "{scratch}/state of {agent}"),
            ("4711\n".to_owned(), "{pid}\n"),
            ("pid=4711,987654;47110 x4711".to_owned(), "pid={pid},{started};47110 x4711"),
            (format!("at {} or {}", now.as_secs(), now.as_nanos()), "at {time} or {time}"),
            ("1000000000 and 42 é".to_owned(), "1000000000 and 42 é"),
        ] {
            assert_eq!(neutral.text(text.as_bytes()), result);
        }
    }
}
