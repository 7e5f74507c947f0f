// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The rules a description must keep: those of the OCF 1.1 schema (stated here in our own words),
//! and what each consumer refuses (observed with pcs 0.11, crmsh 4.4 and Pacemaker 2.1 to 3).
//!
//! A rule that is broken gives a [`Finding`]; an empty list means that everyone accepts the agent.

mod consumers;
mod schema;

use crate::tree;
use std::fmt;

/// Who minds a broken rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consumer {
    /// The standard's own schema, OCF 1.1.
    Ocf,
    /// The `pcs` command: refuses the agent.
    Pcs,
    /// The `crm` shell: refuses the agent, or warns at every use.
    Crmsh,
    /// Pacemaker's controller: ignores what it can't use.
    Pacemaker,
    /// Whoever configures a resource by it: no tool refuses it, but it contradicts itself.
    People,
}

impl fmt::Display for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ocf => "OCF 1.1",
            Self::Pcs => "pcs",
            Self::Crmsh => "crmsh",
            Self::Pacemaker => "Pacemaker",
            Self::People => "people",
        })
    }
}

/// A rule of descriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its id in the catalogue of requirements (`MD-07`), or `USE-` for a consumer's own.
    pub id: &'static str,
    /// What it asks for, in one line.
    pub meaning: &'static str,
}

const fn rule(id: &'static str, meaning: &'static str) -> Rule {
    Rule { id, meaning }
}

/// Every rule that a [`Finding`] may name.
pub const RULES: &[Rule] = &[
    rule("MD-01", "it is well-formed XML of a <resource-agent> with a name"),
    rule("MD-03", "the root's children are those of the schema, in its order"),
    rule("MD-04", "every text says its language (lang)"),
    rule("MD-05", "<parameters> holds parameters, at least one, and nothing else"),
    rule(
        "MD-06",
        "a parameter has a name and no attribute the schema doesn't know; flags are 0 or 1",
    ),
    rule("MD-07", "a parameter's children are those of the schema, in its order"),
    rule("MD-08", "a parameter's content has a known type, and a default of that type"),
    rule("MD-09", "<deprecated> holds <replaced-with> and <desc> only"),
    rule("MD-10", "<actions> holds actions, at least one, each with a name and a timeout"),
    rule("MD-11", "two monitors differ in depth or role"),
    rule("MD-12", "timeout, interval and start-delay are times"),
    rule("MD-17", "a required parameter has no default"),
    rule("INST-07", "a parameter's name can be that of an environment variable"),
    rule("INV-06", "start, stop, monitor and meta-data are advertised"),
    rule("REL-03", "where a parameter is reloadable, reload-agent is advertised"),
    rule("USE-01", "the API version is 1.0 or 1.1"),
    rule("USE-02", "the XML declaration names no encoding"),
    rule("USE-03", "nothing stands before or after the XML, not even a blank line"),
    rule("USE-04", "no parameter is declared twice"),
    rule("USE-05", "promote and demote are advertised both or neither"),
    rule("USE-06", "a role is written as the CIB's schema writes it"),
    rule("USE-07", "monitors have intervals above zero that differ"),
    rule("USE-08", "an agent with reload-agent claims API version 1.1"),
];

/// A rule that is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The id of one of [`RULES`].
    pub rule: &'static str,
    /// Who minds.
    pub consumer: Consumer,
    /// What is wrong, naming the element.
    pub message: String,
}

impl Finding {
    /// Whether every consumer accepts the description nevertheless.
    #[must_use]
    pub fn is_advice(&self) -> bool {
        self.consumer == Consumer::People
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.rule, self.consumer, self.message)
    }
}

/// Collects findings while the rules walk the document.
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, rule: &'static str, consumer: Consumer, message: String) {
        self.0.push(Finding { rule, consumer, message });
    }
}

/// Every broken rule of a description, in document order of the rules.
#[must_use]
pub fn check(bytes: &[u8]) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    match tree::parse(bytes) {
        Err(error) => findings.add("MD-01", Consumer::Ocf, error.to_string()),
        Ok((prolog, root)) => {
            schema::check(&root, &mut findings);
            consumers::check(&prolog, &root, &mut findings);
        }
    }
    findings.0
}
