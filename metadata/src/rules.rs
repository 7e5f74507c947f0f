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
}

impl fmt::Display for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ocf => "OCF 1.1",
            Self::Pcs => "pcs",
            Self::Crmsh => "crmsh",
            Self::Pacemaker => "Pacemaker",
        })
    }
}

/// A rule that is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id in the catalogue of requirements (`MD-07`), or `USE-` for a consumer's own.
    pub rule: &'static str,
    /// Who minds.
    pub consumer: Consumer,
    /// What is wrong, naming the element.
    pub message: String,
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
