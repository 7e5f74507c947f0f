// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The manual page of an agent, made from its description.

use ocf_metadata::reader::{Action, Document, Parameter};
use roff::{Inline, Roff, bold, italic, roman};
use std::time::Duration;

/// The exit codes, in the words of an operator (OCF 1.1, "Exit Status Codes").
const CODES: [(&str, &str); 12] = [
    ("0", "Done. For monitor: the resource runs; with roles, unpromoted."),
    ("1", "Failed, or the state can't be told."),
    ("2", "A parameter, or something on this node, is wrong here."),
    ("3", "The agent has no such action."),
    ("4", "A permission is missing."),
    ("5", "Software that is needed isn't on this node."),
    ("6", "A parameter is wrong on every node. Pacemaker then starts the resource nowhere."),
    ("7", "Cleanly stopped."),
    ("8", "Runs, promoted."),
    ("9", "Promoted, and failed."),
    ("190", "Runs, but is more likely to fail than usual."),
    ("191", "The same, promoted."),
];

/// What the pages' files end in, which is section 7: Debian's agents own the plain names.
pub const SECTION: &str = "7ocf-agents";

/// The page `ocf_<provider>_<Type>` in section 7. `differences` is where the installed account of the
/// differences from the shell agent is.
#[must_use]
pub fn page(provider: &str, agent: &Document, differences: Option<&str>) -> String {
    // An empty argument would be left out, and the next one be taken for the date.
    let no_date = " ";
    let name = format!("ocf_{provider}_{}", agent.name);
    let spec = format!("ocf:{provider}:{}", agent.name);
    let mut page = Roff::new();
    page.control(
        "TH",
        [name.to_uppercase().as_str(), "7", no_date, "ocf-agents", "OCF resource agents"],
    );
    page.control("SH", ["NAME"]);
    page.text([roman(format!("{name} - {}", agent.short))]);
    page.control("SH", ["SYNOPSIS"]);
    page.text([
        bold(&spec),
        roman(" ["),
        italic("parameter"),
        roman("="),
        italic("value"),
        roman(" ...]"),
    ]);
    page.control("SH", ["DESCRIPTION"]);
    paragraphs(&mut page, &agent.long);
    page.control("SH", ["PARAMETERS"]);
    if agent.parameters.is_empty() {
        page.text([roman("This agent has none.")]);
    }
    for one in &agent.parameters {
        parameter(&mut page, one);
    }
    page.control("SH", ["ACTIONS"]);
    page.text([roman(
        "With the timeouts and intervals that the agent advises; pcs takes them over, with crm they \
         are written down.",
    )]);
    for one in &agent.actions {
        action(&mut page, one);
    }
    examples(&mut page, &spec, agent);
    page.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in CODES {
        entry(&mut page, [bold(code)]);
        page.text([roman(meaning)]);
    }
    closing(&mut page, differences);
    page.render()
}

fn closing(page: &mut Roff, differences: Option<&str>) {
    if let Some(differences) = differences {
        page.control("SH", ["DIFFERENCES"]);
        page.text([
            roman("The agent is written to take the place of the shell agent of the same name. Where it answers "),
            roman("otherwise, and why, is in "),
            italic(differences),
            roman("."),
        ]);
    }
    page.control("SH", ["SEE ALSO"]);
    let others =
        [("ocf-tester", "(1), "), ("crm_resource", "(8), "), ("pcs", "(8), "), ("crm", "(8)")];
    let others = others.into_iter().flat_map(|(name, section)| [bold(name), roman(section)]);
    page.text(others.collect::<Vec<_>>());
}

fn paragraphs(page: &mut Roff, text: &str) {
    for (index, paragraph) in text.split("\n\n").map(one_line).enumerate() {
        if index > 0 {
            page.control("PP", []);
        }
        page.text([roman(paragraph)]);
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The head of an entry; the text that follows is its body.
fn entry(page: &mut Roff, head: impl Into<Vec<Inline>>) {
    page.control("TP", []);
    page.text(head);
}

fn parameter(page: &mut Roff, one: &Parameter) {
    let mut facts: Vec<String> = vec![one.kind.clone()];
    if one.kind == "select" {
        facts = vec![format!("one of {}", one.options.join(", "))];
    }
    if one.required {
        facts.push("required".to_owned());
    }
    match one.default.as_deref() {
        Some("") => facts.push("empty by default".to_owned()),
        Some(default) => facts.push(format!("default {default}")),
        None => {}
    }
    match one.unique_group.as_deref() {
        Some(group) if group == one.name => facts.push("unique".to_owned()),
        Some(group) => facts.push(format!("unique together with others of group {group}")),
        None => {}
    }
    if one.reloadable {
        facts.push("changes without a restart".to_owned());
    }
    if one.deprecated {
        facts.push("deprecated".to_owned());
    }
    entry(page, [bold(&one.name), roman(format!(" ({})", facts.join(", ")))]);
    let long = if one.long.is_empty() { &one.short } else { &one.long };
    let mut separate = false;
    let head = if one.short == *long {
        None
    } else {
        Some(format!("{}.", one.short.trim_end_matches('.')))
    };
    for paragraph in head.into_iter().chain(long.split("\n\n").map(one_line)) {
        if separate {
            page.control("IP", []);
        }
        page.text([roman(paragraph)]);
        separate = true;
    }
    if !one.replaced_with.is_empty() {
        page.text([roman(format!("Use {} instead.", one.replaced_with.join(", ")))]);
    }
}

fn action(page: &mut Roff, one: &Action) {
    let mut facts = Vec::new();
    let mut time = |word: &str, duration: Option<Duration>| {
        if let Some(duration) = duration {
            facts.push(format!("{word} {}", written(duration)));
        }
    };
    time("timeout", one.timeout);
    time("interval", one.interval);
    if let Some(role) = &one.role {
        facts.push(format!("role {role}"));
    }
    if let Some(depth) = one.depth.filter(|depth| *depth > 0) {
        facts.push(format!("OCF_CHECK_LEVEL={depth}"));
    }
    entry(page, [bold(&one.name)]);
    page.text([roman(facts.join(", "))]);
}

fn written(duration: Duration) -> String {
    match duration.subsec_millis() {
        0 => format!("{}s", duration.as_secs()),
        _ => format!("{}ms", duration.as_millis()),
    }
}

fn examples(page: &mut Roff, spec: &str, agent: &Document) {
    page.control("SH", ["EXAMPLES"]);
    if spec == "ocf:pacemaker:remote" {
        // pcs refuses to make this one as an ordinary resource.
        listing(page, "pcs:", &["pcs cluster node add-remote node3 192.0.2.3".to_owned()]);
    } else {
        listing(page, "pcs:", &[format!("pcs resource create name {spec}{}", required(agent))]);
    }
    listing(page, "crm:", &crm(spec, agent));
    if agent.actions.iter().any(|action| action.name == "promote") {
        let command = format!("pcs resource create name {spec}{} promotable", required(agent));
        listing(page, "One instance on every node, one of them promoted:", &[command]);
    }
}

fn crm(spec: &str, agent: &Document) -> Vec<String> {
    let mut lines = vec![format!("crm configure primitive name {spec}")];
    let values = required(agent);
    if !values.is_empty() {
        lines.push(format!("    params{values}"));
    }
    for action in &agent.actions {
        // What crm doesn't add by itself.
        let Some(interval) = action.interval.filter(|_| action.name == "monitor") else { continue };
        let mut line = format!("    op monitor interval={}", written(interval));
        if let Some(timeout) = action.timeout {
            line += &format!(" timeout={}", written(timeout));
        }
        if let Some(role) = &action.role {
            line += &format!(" role={role}");
        }
        if let Some(depth) = action.depth.filter(|depth| *depth > 0) {
            line += &format!(" OCF_CHECK_LEVEL={depth}");
        }
        lines.push(line);
    }
    let last = lines.len().saturating_sub(1);
    lines.iter_mut().take(last).for_each(|line| line.push_str(" \\"));
    lines
}

/// The parameters that a resource can't do without.
fn required(agent: &Document) -> String {
    let required = agent.parameters.iter().filter(|one| one.required && !one.deprecated);
    required.map(|one| format!(" {}=VALUE", one.name)).collect()
}

fn listing(page: &mut Roff, title: &str, lines: &[String]) {
    page.control("PP", []);
    page.text([roman(title)]);
    page.control("PP", []);
    page.control("RS", ["4"]);
    page.control("nf", []);
    for line in lines {
        page.text([roman(line)]);
    }
    page.control("fi", []);
    page.control("RE", []);
}
