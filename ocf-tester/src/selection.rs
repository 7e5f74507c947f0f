// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which checks are made: those that `--only`, `--skip` and `--level` leave, and those they rest on.

use crate::check::{Check, Level, Phase};
use crate::glob;
use ocf_metadata::rules::RULES;
use std::collections::BTreeSet;

/// The checks of a run.
#[derive(Debug, Clone)]
pub struct Selection {
    /// What is made, in order.
    pub checks: Vec<Check>,
    /// Those among them that nobody asked for, and that the others rest on: they are told only when
    /// they fail.
    pub ground: Vec<&'static str>,
}

/// The first look at the description, and at the resource: nothing is touched before it is known
/// how long an action may take and that the resource is nobody's.
const FIRST_LOOK: &[&str] = &["META-01", "MON-03"];

/// What gives those checks calls to judge that judge all calls.
const LIFE: &[&str] = &["START-01", "STOP-01"];

/// What a check judges beyond the first look: without it, it would judge nothing and pass.
const RESTS_ON: &[(&str, &[&str])] = &[
    ("START-02", &["START-01"]),
    ("START-06", &["START-01"]),
    ("KILL-05", &["KILL-01", "KILL-02", "KILL-03", "KILL-04"]),
];

/// The checks that one of the patterns means.
///
/// # Errors
/// A sentence about a pattern that means none.
pub fn matching<'a>(checks: &'a [Check], patterns: &[String]) -> Result<Vec<&'a Check>, String> {
    let means = |pattern: &str, check: &Check| glob::matches(&pattern.to_uppercase(), check.id);
    for pattern in patterns {
        if !checks.iter().any(|check| means(pattern, check)) {
            let is_rule = RULES.iter().any(|rule| glob::matches(&pattern.to_uppercase(), rule.id));
            let hint = if is_rule { "META-02 judges it" } else { "--list shows all there are" };
            return Err(format!("no check is called '{pattern}'; {hint}"));
        }
    }
    let is_meant = |check: &&Check| patterns.iter().any(|pattern| means(pattern, check));
    Ok(checks.iter().filter(is_meant).collect())
}

/// The checks that are left by `only` (all, if it is empty), `skip` and `level`; in their order.
///
/// # Errors
/// A sentence about a pattern that means no check, or when nothing is left.
pub fn asked(
    all: &[Check],
    only: &[String],
    skip: &[String],
    level: Option<Level>,
) -> Result<Vec<Check>, String> {
    let ids = |patterns: &[String]| -> Result<BTreeSet<&str>, String> {
        Ok(matching(all, patterns)?.into_iter().map(|check| check.id).collect())
    };
    let (wanted, unwanted) = (ids(only)?, ids(skip)?);
    let is_asked = |check: &&Check| {
        (only.is_empty() || wanted.contains(check.id))
            && !unwanted.contains(check.id)
            && level.is_none_or(|level| check.level <= level)
    };
    let left: Vec<Check> = all.iter().filter(is_asked).copied().collect();
    if left.is_empty() {
        return Err("--only, --skip and --level leave no check; --list shows all there are".into());
    }
    Ok(left)
}

/// The asked checks together with what they rest on.
#[must_use]
pub fn with_ground(all: &[Check], asked: &[Check]) -> Selection {
    let asked_ids: BTreeSet<&str> = asked.iter().map(|check| check.id).collect();
    let place = |id: &str| all.iter().position(|check| check.id == id);
    // validate-all comes before the first look at the resource, and touches nothing.
    let is_before = |id: &str, check: &Check| place(id) < place(check.id);
    let mut needed: BTreeSet<&str> = BTreeSet::new();
    for check in asked {
        match check.phase {
            Phase::Description => needed.extend(FIRST_LOOK.first()),
            Phase::Behaviour => needed.extend(FIRST_LOOK.iter().filter(|id| is_before(id, check))),
            Phase::Conclusion => needed.extend(FIRST_LOOK.iter().chain(LIFE)),
        }
        let further = RESTS_ON.iter().filter(|(id, _)| *id == check.id);
        needed.extend(further.flat_map(|(_, ids)| *ids));
    }
    let is_made = |check: &&Check| asked_ids.contains(check.id) || needed.contains(check.id);
    let checks: Vec<Check> = all.iter().filter(is_made).copied().collect();
    let unasked = checks.iter().map(|check| check.id).filter(|id| !asked_ids.contains(id));
    Selection { ground: unasked.collect(), checks }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classic::CHECKS;

    fn owned(patterns: &[&str]) -> Vec<String> {
        patterns.iter().map(|pattern| (*pattern).to_owned()).collect()
    }

    fn ids(checks: &[Check]) -> Vec<&str> {
        checks.iter().map(|check| check.id).collect()
    }

    #[test]
    fn patterns_choose_in_the_order_of_the_checks() {
        for (only, skip, left) in [
            (&["STOP-06"][..], &[][..], &["STOP-06"][..]),
            (&["stop-0?"], &[], &["STOP-01", "STOP-06", "STOP-04"]),
            (&["PRO-02", "PRO-01"], &[], &["PRO-01", "PRO-02"]),
            (&["PRO*", "REL-01"], &["*-02"], &["PRO-01", "REL-01"]),
        ] {
            let found = asked(CHECKS, &owned(only), &owned(skip), None).unwrap();
            assert_eq!(ids(&found), left, "{only:?} {skip:?}");
        }
        assert_eq!(asked(CHECKS, &[], &[], None).unwrap().len(), CHECKS.len());
    }

    #[test]
    fn a_level_leaves_out_what_is_meant_less_strongly() {
        let up_to = |level| asked(CHECKS, &[], &[], Some(level)).unwrap();
        assert!(up_to(Level::Must).iter().all(|check| check.level == Level::Must));
        assert!(up_to(Level::Should).iter().any(|check| check.level == Level::Should));
        assert_eq!(up_to(Level::Info).len(), CHECKS.len());
    }

    #[test]
    fn what_means_nothing_or_leaves_nothing_is_a_mistake() {
        for (only, skip, named) in [
            (&["NO-*"][..], &[][..], "NO-*"),
            (&[""], &[], "''"),
            (&[], &["STOP-06x"], "STOP-06x"),
            (&["md-08"], &[], "META-02 judges it"),
            (&["STOP-06"], &["STOP-*"], "leave no check"),
        ] {
            let why = asked(CHECKS, &owned(only), &owned(skip), None).unwrap_err();
            assert!(why.contains(named), "{why}");
        }
    }

    #[test]
    fn a_check_brings_what_it_rests_on() {
        for (only, ground) in [
            (&["META-01"][..], &[][..]),
            (&["META-02"], &["META-01"]),
            (&["VAL-01"], &["META-01"]),
            (&["STOP-04"], &["META-01", "MON-03"]),
            (&["START-02"], &["META-01", "MON-03", "START-01"]),
            (&["EXIT-01"], &["META-01", "MON-03", "START-01", "STOP-01"]),
            (&["*"], &[]),
        ] {
            let asked = asked(CHECKS, &owned(only), &[], None).unwrap();
            assert_eq!(with_ground(CHECKS, &asked).ground, ground, "{only:?}");
        }
    }

    #[test]
    fn what_is_rested_on_exists() {
        let all = ids(crate::checks::all());
        let named = RESTS_ON
            .iter()
            .flat_map(|(id, on)| on.iter().chain([id]))
            .chain(FIRST_LOOK)
            .chain(LIFE);
        for id in named {
            assert!(all.contains(id), "{id}");
        }
    }
}
