// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Keeps secrets out of reports: the values of parameters and variables whose name says that they
//! are one, wherever they turn up.

use crate::agent::{Execution, Invocation};
use crate::check::{Failure, Outcome, Summary, Verdict};
use crate::event::{Event, Reporter};
use crate::quote::{forms, quote};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What stands for a secret.
const MASK: &str = "***";

/// Parts of names that tell a secret, in lower case.
const TELLING: &[&str] = &["passw", "secret", "token", "key"];

/// A secret shorter than this is masked as a variable's value only: in other text it would be found
/// everywhere.
const SHORTEST: usize = 4;

/// Whether the value of this variable is a secret. The standard's prefix and Pacemaker's own
/// variables (`CRM_meta_notify_key_operation`) have such a part, too, and hide nothing.
fn is_secret(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let name = name.strip_prefix("OCF_RESKEY_").unwrap_or(&name);
    let lower = name.to_lowercase();
    !name.starts_with("CRM_meta_") && TELLING.iter().any(|part| lower.contains(part))
}

/// The secrets among the variables of a call.
#[derive(Default)]
pub(crate) struct Secrets {
    /// What is replaced by what, in this order.
    pairs: Vec<(Vec<u8>, String)>,
}

/// Hands events on with the secrets masked.
pub struct Masked<'a> {
    inner: &'a mut dyn Reporter,
    secrets: Secrets,
}

impl std::fmt::Debug for Masked<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Masked").finish_non_exhaustive()
    }
}

impl Secrets {
    pub(crate) fn of(base: &Invocation) -> Self {
        let mut pairs = Vec::new();
        let mut values = Vec::new();
        for (name, value) in base.environment.iter().filter(|(name, _)| is_secret(name)) {
            // As a command line that reproduces a call has it.
            let word = |value: &OsStr| {
                let mut word = name.clone();
                word.push("=");
                word.push(value);
                quote(&word)
            };
            pairs.push((word(value).into_bytes(), word(OsStr::new(MASK))));
            if value.len() >= SHORTEST {
                values.extend(forms(value).into_iter().map(|form| (form, MASK.to_owned())));
            }
        }
        pairs.append(&mut values);
        // The longest first: one secret may be a part of another.
        pairs.sort_by_key(|(secret, _)| std::cmp::Reverse(secret.len()));
        Self { pairs }
    }

    fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let replace = |text, (secret, mask): &(Vec<u8>, String)| replace(text, secret, mask);
        self.pairs.iter().fold(bytes.to_vec(), replace)
    }

    /// The text with the secrets masked.
    pub(crate) fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned()
    }
}

impl<'a> Masked<'a> {
    /// Masks the secrets among the variables of this call.
    pub fn new(inner: &'a mut dyn Reporter, base: &Invocation) -> Self {
        Self { inner, secrets: Secrets::of(base) }
    }

    fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        self.secrets.bytes(bytes)
    }

    fn text(&self, text: &str) -> String {
        self.secrets.text(text)
    }

    fn word(&self, word: &OsStr) -> OsString {
        OsString::from_vec(self.bytes(word.as_bytes()))
    }

    fn call(&self, call: &Invocation) -> Invocation {
        let mut masked = call.clone();
        masked.agent = self.word(call.agent.as_os_str()).into();
        masked.arguments = call.arguments.iter().map(|argument| self.word(argument)).collect();
        for (name, value) in &mut masked.environment {
            *value = if is_secret(name) { MASK.into() } else { self.word(value) };
        }
        masked
    }

    fn execution(&self, execution: &Execution) -> Execution {
        let mut masked = execution.clone();
        masked.stdout = self.bytes(&execution.stdout);
        masked.stderr = self.bytes(&execution.stderr);
        masked.exit_reason = execution.exit_reason.as_ref().map(|reason| self.text(reason));
        masked
    }

    fn failure(&self, failure: &Failure) -> Failure {
        Failure {
            rule: failure.rule,
            expected: self.text(&failure.expected),
            seen: self.text(&failure.seen),
            reproduction: failure.reproduction.as_ref().map(|line| self.text(line)),
        }
    }

    fn outcome(&self, outcome: &Outcome) -> Outcome {
        match outcome {
            Outcome::Passed => Outcome::Passed,
            Outcome::Skipped(why) => Outcome::Skipped(self.text(why)),
            Outcome::Unexpected(why) => Outcome::Unexpected(self.text(why)),
            Outcome::Expected(all, why) => {
                let all = all.iter().map(|failure| self.failure(failure)).collect();
                Outcome::Expected(all, self.text(why))
            }
            Outcome::Broken(why) => Outcome::Broken(self.text(why)),
            Outcome::Failed(all) => {
                Outcome::Failed(all.iter().map(|failure| self.failure(failure)).collect())
            }
        }
    }

    fn summary(&self, summary: &Summary) -> Summary {
        let mut masked = summary.clone();
        masked.left = summary.left.iter().map(|sentence| self.text(sentence)).collect();
        if let Verdict::Refused(why) | Verdict::Broken(why) = &mut masked.verdict {
            *why = self.text(why);
        }
        masked
    }
}

impl Reporter for Masked<'_> {
    fn report(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Begun(call) => {
                let call = self.call(call);
                self.inner.report(&Event::Begun(&call))
            }
            Event::Called(call, execution) => {
                let (call, execution) = (self.call(call), self.execution(execution));
                self.inner.report(&Event::Called(&call, &execution))
            }
            Event::Judged(check, outcome, time) => {
                let outcome = self.outcome(outcome);
                self.inner.report(&Event::Judged(check, &outcome, *time))
            }
            Event::Left(sentence) => {
                let sentence = self.text(sentence);
                self.inner.report(&Event::Left(&sentence))
            }
            Event::Finished(call, summary, time) => {
                let (call, summary) = (self.call(call), self.summary(summary));
                self.inner.report(&Event::Finished(&call, &summary, *time))
            }
            Event::Remarked(check, text) => {
                let text = self.text(text);
                self.inner.report(&Event::Remarked(check, &text))
            }
            Event::Seeded(_) | Event::Checking(_) | Event::Stopping => self.inner.report(event),
        }
    }
}

/// Every occurrence replaced; what has been replaced isn't looked at again.
fn replace(text: Vec<u8>, wanted: &[u8], by: &str) -> Vec<u8> {
    let mut result = Vec::new();
    let mut rest = text.as_slice();
    while let Some(at) = rest.windows(wanted.len().max(1)).position(|window| window == wanted) {
        let (before, found) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        result.extend_from_slice(before);
        result.extend_from_slice(by.as_bytes());
        rest = found.get(wanted.len()..).unwrap_or_default();
    }
    if result.is_empty() && rest.len() == text.len() {
        return text;
    }
    result.extend_from_slice(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_secrets() {
        for name in ["OCF_RESKEY_passwd", "OCF_RESKEY_Password", "OCF_RESKEY_sshkey", "API_TOKEN"] {
            assert!(is_secret(OsStr::new(name)), "{name}");
        }
        for name in ["OCF_RESKEY_state", "OCF_RESKEY_CRM_meta_notify_key_operation", "PATH"] {
            assert!(!is_secret(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn every_occurrence_is_replaced() {
        for (text, wanted, result) in [
            ("", "abcd", ""),
            ("abcd", "abcd", "***"),
            ("xabcdabcdy", "abcd", "x******y"),
            ("abc", "abcd", "abc"),
            ("abcabcd", "abcd", "abc***"),
        ] {
            let replaced = replace(text.into(), wanted.as_bytes(), MASK);
            assert_eq!(String::from_utf8(replaced).unwrap(), result, "{text}");
        }
    }

    /// Takes down what reaches a reporter.
    struct Heard(String);

    impl Reporter for Heard {
        fn report(&mut self, event: &Event<'_>) -> io::Result<()> {
            self.0.push_str(&format!("{event:?}\n"));
            Ok(())
        }
    }

    #[test]
    fn a_secret_reaches_no_reporter_by_any_event() {
        let value = "geheim it's $5";
        let call = Invocation::new("/nonexistent/agent", "start")
            .parameter("admin_password", value)
            .parameter("token", "x1")
            .parameter("url", format!("http://me:{value}@host/"))
            .argument(value);
        let shell = Invocation::new("/bin/sh", "-c")
            .argument("echo \"$0\"; echo \"ocf-exit-reason:no $0\" >&2")
            .argument(value);
        let execution = shell.run().unwrap();
        assert!(execution.exit_reason.as_ref().unwrap().contains(value));
        let failure = Failure::of_call(&call, &execution, value);
        let check = crate::classic::CHECKS.first().unwrap();
        let summary = Summary {
            verdict: Verdict::Broken(value.into()),
            passed: 0,
            failed: 0,
            expected: 0,
            warned: 0,
            skipped: 0,
            for_root: 0,
            broken: 0,
            roots: vec![],
            left: vec![call.reproduction()],
        };
        let time = std::time::Duration::ZERO;
        let mut heard = Heard(String::new());
        let mut masked = Masked::new(&mut heard, &call);
        for event in [
            Event::Begun(&call),
            Event::Called(&call, &execution),
            Event::Judged(check, &Outcome::Failed(vec![failure]), time),
            Event::Judged(check, &Outcome::Skipped(value.into()), time),
            Event::Left(&call.reproduction()),
            Event::Finished(&call, &summary, time),
        ] {
            masked.report(&event).unwrap();
        }
        let heard = heard.0;
        assert_eq!(heard.lines().count(), 6);
        assert!(!heard.contains("geheim") && !heard.contains("=x1"), "{heard}");
        assert!(heard.contains("OCF_RESKEY_token=***"), "{heard}");
        assert!(heard.contains("http://me:***@host/"), "{heard}");
    }
}
