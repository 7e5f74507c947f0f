// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A list of checks that are known to fail (`--expect-fail`): such a failure is told and doesn't
//! count, and a listed check that passes is an error, so that the list can't rot.

use crate::check::{Check, Outcome};

/// Which checks are expected to fail, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    rows: Vec<(&'static str, String)>,
}

impl Expected {
    /// Reads lines of a check's id and the reason; `#` begins a comment line.
    ///
    /// # Errors
    /// A sentence with the line's number: an id that is no check's, one that is there twice, a line
    /// without a reason.
    pub fn read(text: &str, checks: &[Check]) -> Result<Self, String> {
        let mut rows: Vec<(&'static str, String)> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let number = number + 1;
            let (id, reason) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let known = checks.iter().find(|check| check.id.eq_ignore_ascii_case(id));
            let Some(check) = known else {
                return Err(format!("line {number}: no check is called '{id}'"));
            };
            if reason.trim().is_empty() {
                return Err(format!("line {number}: why {id} is expected to fail isn't said"));
            }
            if rows.iter().any(|(known, _)| *known == check.id) {
                return Err(format!("line {number}: {id} is there already"));
            }
            rows.push((check.id, reason.trim().to_owned()));
        }
        Ok(Self { rows })
    }

    /// The outcome as the list has it. What was not judged is neither expected nor unexpected.
    pub(crate) fn hold_against(&self, id: &str, outcome: Outcome) -> Outcome {
        let reason = self.rows.iter().find(|(known, _)| *known == id).map(|(_, reason)| reason);
        match (reason, outcome) {
            (Some(reason), Outcome::Failed(all)) => Outcome::Expected(all, reason.clone()),
            (Some(reason), Outcome::Passed) => Outcome::Unexpected(format!(
                "unexpected pass: take {id} from the list of expected failures ({reason})"
            )),
            (_, outcome) => outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::all;

    #[test]
    fn a_list_has_an_id_and_a_reason_on_each_line() {
        let text = "# known\n\n  STOP-04   it is old\nval-01\tsee #7\n";
        let expected = Expected::read(text, all()).unwrap();
        assert_eq!(expected.rows, [("STOP-04", "it is old".into()), ("VAL-01", "see #7".into())]);
        for (text, named) in [
            ("\nNO-01 why", "line 2: no check"),
            ("STOP-04", "line 1: why STOP-04"),
            ("STOP-04 a\nstop-04 b", "line 2: stop-04 is there already"),
            ("STOP-* a", "no check"),
        ] {
            let why = Expected::read(text, all()).unwrap_err();
            assert!(why.contains(named), "{why}");
        }
    }

    #[test]
    fn only_what_was_judged_is_held_against_the_list() {
        let expected = Expected::read("STOP-04 old", all()).unwrap();
        let of = |id, outcome| expected.hold_against(id, outcome);
        assert_eq!(of("STOP-04", Outcome::Failed(vec![])), Outcome::Expected(vec![], "old".into()));
        assert!(matches!(of("STOP-04", Outcome::Passed), Outcome::Unexpected(_)));
        let skipped = Outcome::Skipped("x".into());
        assert_eq!(of("STOP-04", skipped.clone()), skipped);
        assert_eq!(of("STOP-06", Outcome::Passed), Outcome::Passed);
    }
}
