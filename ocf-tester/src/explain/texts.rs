// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is told about each check: why the rule is there, what Pacemaker does with an agent that
//! breaks it, and what mostly has to be changed. A check or rule without a row here fails a test.

mod classic;
mod further;
mod hygiene;
mod kills;
mod roles;
mod rules;
mod sense;
mod troubles;
mod values;

/// What `explain` tells about a check or a rule beyond its row.
#[derive(Debug, Clone, Copy)]
pub struct Explanation {
    /// Its id.
    pub id: &'static str,
    /// Why there is such a rule.
    pub why: &'static str,
    /// What Pacemaker does about an agent that breaks it.
    pub pacemaker: &'static str,
    /// The usual fix.
    pub fix: &'static str,
}

const fn row(
    id: &'static str,
    why: &'static str,
    pacemaker: &'static str,
    fix: &'static str,
) -> Explanation {
    Explanation { id, why, pacemaker, fix }
}

/// The rows of every check.
pub fn all() -> impl Iterator<Item = &'static Explanation> {
    [
        classic::ROWS,
        further::ROWS,
        hygiene::ROWS,
        kills::ROWS,
        roles::ROWS,
        sense::ROWS,
        troubles::ROWS,
        values::ROWS,
    ]
    .into_iter()
    .flatten()
}

/// The rows of every rule of descriptions.
pub fn rules() -> impl Iterator<Item = &'static Explanation> {
    rules::ROWS.iter()
}
