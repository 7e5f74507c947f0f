// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which of several broken rules is the root: an agent whose start returns too early fails much that
//! comes after it, and its author wants to know where to begin.

/// A broken rule that no other one explains, and those it explains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The check.
    pub id: &'static str,
    /// The checks that failed and may do so because of it.
    pub follows: Vec<&'static str>,
}

/// Checks, and those that may fail because they do. Each row was seen with a broken agent of the
/// self-test.
const LEADS_TO: &[(&str, &[&str])] = &[
    ("MON-03", &["MON-08"]),
    ("MON-01", &["PRO-05", "USE-31", "USE-32"]),
    ("START-02", &["MON-09"]),
    ("START-06", &["START-03"]),
    ("MON-05", &["STOP-08"]),
    ("MON-08", &["USE-31", "USE-32", "USE-33"]),
    ("LVL-02", &["MON-02"]),
    ("INV-09", &["USE-51"]),
    ("INV-10", &["ENV-01"]),
    ("START-01", &["USE-51"]),
    ("START-03", &["USE-51"]),
    ("STOP-04", &["STOP-07", "START-04", "VAL-05", "USE-51"]),
    ("STOP-05", &["STOP-11", "USE-51"]),
    ("STOP-06", &["STOP-07", "START-04", "VAL-05"]),
    ("STOP-07", &["USE-60"]),
    ("NOT-01", &["NOT-02", "EXIT-01"]),
    ("PRO-01", &["PRO-04", "INV-09"]),
    ("PRO-02", &["PRO-04", "INV-09"]),
    ("REL-02", &["REL-04"]),
    ("META-02", &["USE-52"]),
    ("META-03", &["VAL-02"]),
    ("USE-30", &["USE-31", "ENV-03", "USE-34", "USE-51"]),
    ("USE-32", &["USE-33", "USE-51"]),
    ("USE-35", &["USE-51"]),
    ("USE-36", &["USE-51"]),
    ("USE-40", &["USE-51"]),
    ("VAL-05", &["EXIT-01"]),
    ("STOP-11", &["USE-51"]),
    ("USE-41", &["USE-27"]),
    ("USE-70", &["USE-51"]),
    ("USE-60", &["USE-40", "USE-51"]),
];

fn leads_to(cause: &str, id: &str) -> bool {
    LEADS_TO.iter().any(|(from, to)| *from == cause && to.contains(&id))
}

/// The roots among the failed checks, in their order. What follows from one is told with the first
/// that explains it.
#[must_use]
pub fn roots(failed: &[&'static str]) -> Vec<Root> {
    let is_root = |id: &&&'static str| !failed.iter().any(|other| leads_to(other, id));
    let mut untold: Vec<&'static str> = failed.to_vec();
    let mut roots = Vec::new();
    for id in failed.iter().filter(is_root) {
        let (follows, rest) = untold.into_iter().partition(|other| reaches(id, other));
        untold = rest;
        roots.push(Root { id, follows });
    }
    roots
}

/// Whether one leads to the other, over others if need be.
fn reaches(cause: &str, id: &str) -> bool {
    let next = LEADS_TO.iter().filter(|(from, _)| *from == cause).flat_map(|(_, to)| *to);
    leads_to(cause, id) || next.into_iter().any(|step| reaches(step, id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks;
    use std::collections::BTreeSet;

    #[test]
    fn the_rows_name_checks_and_go_in_no_circle() {
        let known: BTreeSet<&str> = checks::all().iter().map(|check| check.id).collect();
        for (from, to) in LEADS_TO {
            for id in to.iter().chain([from]) {
                assert!(known.contains(id), "{id} is no check");
            }
        }
        // Taken away one by one, those that nothing leads to: a circle would stay.
        let mut rows: Vec<&(&str, &[&str])> = LEADS_TO.iter().collect();
        while let Some(free) =
            rows.iter().position(|(from, _)| !rows.iter().any(|(_, to)| to.contains(from)))
        {
            rows.swap_remove(free);
        }
        assert!(rows.is_empty(), "in a circle: {rows:?}");
    }

    #[test]
    fn what_nothing_explains_is_a_root() {
        assert_eq!(roots(&[]), []);
        let alone = [Root { id: "MD-01", follows: vec![] }];
        assert_eq!(roots(&["MD-01"]), alone);
    }
}
