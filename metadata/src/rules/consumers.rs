// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What pcs, crmsh and Pacemaker refuse or ignore, beyond the schema.

use super::{Consumer, Findings};
use crate::reader::parse_time;
use crate::tree::{Element, Prolog};
use std::collections::HashSet;

pub(super) fn check(prolog: &Prolog, root: &Element, findings: &mut Findings) {
    prolog_rules(prolog, findings);
    let version = root.child("version").map_or("", |element| element.text.trim());
    if !matches!(version, "1.0" | "1.1") {
        let message = format!("the API version is \"{version}\"; pcs knows 1.0 and 1.1 only");
        findings.add("USE-01", Consumer::Pcs, message);
    }
    parameters(root, findings);
    actions(root, version, findings);
}

fn prolog_rules(prolog: &Prolog, findings: &mut Findings) {
    if prolog.has_encoding {
        let message = "the XML declaration names an encoding; crmsh can't parse that".to_owned();
        findings.add("USE-02", Consumer::Crmsh, message);
    }
    if prolog.text_outside {
        let message = "there is text or a blank line before or after the XML".to_owned();
        findings.add("USE-03", Consumer::Pcs, message);
    }
}

fn rows<'a>(root: &'a Element, list: &str, row: &'a str) -> Vec<&'a Element> {
    root.child(list).map(|list| list.all(row).collect()).unwrap_or_default()
}

fn parameters(root: &Element, findings: &mut Findings) {
    let mut seen = HashSet::new();
    for parameter in rows(root, "parameters", "parameter") {
        let name = parameter.attribute("name").unwrap_or_default();
        if !seen.insert(name) {
            let message = format!("parameter {name} is declared twice");
            findings.add("USE-04", Consumer::Ocf, message);
        }
        let first = name.chars().next().unwrap_or('0');
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if first.is_ascii_digit() || !name.chars().all(good) {
            let message =
                format!("parameter \"{name}\" can't be the name of an environment variable");
            findings.add("INST-07", Consumer::Ocf, message);
        }
    }
}

fn actions(root: &Element, version: &str, findings: &mut Findings) {
    let actions = rows(root, "actions", "action");
    let has = |name: &str| actions.iter().any(|row| row.attribute("name") == Some(name));
    for name in ["start", "stop", "monitor", "meta-data"] {
        if !has(name) {
            let message = format!("action {name} is mandatory and not advertised");
            findings.add("INV-06", Consumer::Ocf, message);
        }
    }
    if has("promote") != has("demote") {
        let message = "promote and demote are advertised one without the other".to_owned();
        findings.add("USE-05", Consumer::Pacemaker, message);
    }
    reload(root, version, has("reload-agent"), findings);
    let mut monitors = HashSet::new();
    let mut intervals = HashSet::new();
    for row in &actions {
        let name = row.attribute("name").unwrap_or_default();
        times(name, row, findings);
        if let Some(role) = row.attribute("role").filter(|role| !is_role(role)) {
            let message = format!(
                "action {name}: role \"{role}\"; the CIB's schema knows Promoted and Unpromoted"
            );
            findings.add("USE-06", Consumer::Pcs, message);
        }
        if name == "monitor" {
            monitor(row, &mut monitors, &mut intervals, findings);
        }
    }
}

fn is_role(role: &str) -> bool {
    matches!(role, "Promoted" | "Unpromoted" | "Master" | "Slave" | "Started" | "Stopped")
}

fn times(name: &str, row: &Element, findings: &mut Findings) {
    for attribute in ["timeout", "interval", "start-delay"] {
        let Some(text) = row.attribute(attribute) else { continue };
        if parse_time(text).is_none() {
            let message = format!("action {name}: {attribute} \"{text}\" is no time");
            findings.add("MD-12", Consumer::Ocf, message);
        }
    }
}

fn monitor<'a>(
    row: &'a Element,
    seen: &mut HashSet<(Option<&'a str>, Option<&'a str>)>,
    intervals: &mut HashSet<std::time::Duration>,
    findings: &mut Findings,
) {
    if !seen.insert((row.attribute("depth"), row.attribute("role"))) {
        let message = "two monitors of the same depth and role".to_owned();
        findings.add("MD-11", Consumer::Ocf, message);
    }
    let Some(interval) = row.attribute("interval").and_then(parse_time) else { return };
    if interval.is_zero() || !intervals.insert(interval) {
        let message = format!("two monitors with an interval of {interval:?}, or one of zero");
        findings.add("USE-07", Consumer::Crmsh, message);
    }
}

fn reload(root: &Element, version: &str, has_reload_agent: bool, findings: &mut Findings) {
    let reloadable = rows(root, "parameters", "parameter")
        .iter()
        .any(|parameter| parameter.attribute("reloadable") == Some("1"));
    if has_reload_agent && version == "1.0" {
        let message = "reload-agent is ignored under API version 1.0".to_owned();
        findings.add("USE-08", Consumer::Pacemaker, message);
    }
    if reloadable && !has_reload_agent {
        let message = "a parameter is reloadable and no reload-agent is advertised".to_owned();
        findings.add("REL-03", Consumer::Pacemaker, message);
    }
}
