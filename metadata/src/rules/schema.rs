// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The 1.1 schema: elements, their order, their attributes (OCF 1.1, "Resource Agent Metadata").

use super::{
    Consumer::{Ocf, People},
    Findings,
};
use crate::tree::Element;

/// One child element a place may have, in the order in which it must stand.
struct Slot {
    name: &'static str,
    least: usize,
    most: usize,
}

const fn slot(name: &'static str, least: usize, most: usize) -> Slot {
    Slot { name, least, most }
}

const ROOT: &[Slot] = &[
    slot("version", 1, 1),
    slot("longdesc", 0, usize::MAX),
    slot("shortdesc", 0, usize::MAX),
    slot("parameters", 1, 1),
    slot("actions", 1, 1),
    slot("special", 0, 1),
];
const PARAMETER: &[Slot] = &[
    slot("deprecated", 0, 1),
    slot("longdesc", 1, usize::MAX),
    slot("shortdesc", 1, usize::MAX),
    slot("content", 1, 1),
];
const PARAMETER_ATTRIBUTES: &[&str] = &["name", "unique-group", "unique", "required", "reloadable"];
const ACTION_ATTRIBUTES: &[&str] = &["name", "timeout", "interval", "start-delay", "depth", "role"];

pub(super) fn check(root: &Element, findings: &mut Findings) {
    if root.name != "resource-agent" {
        let message = format!("the root element is <{}>, not <resource-agent>", root.name);
        return findings.add("MD-01", Ocf, message);
    }
    attributes(root, &["name", "version"], &["name"], "MD-01", findings);
    children(root, ROOT, "MD-03", findings);
    descriptions(root, findings);
    if let Some(list) = root.child("parameters") {
        only(list, "parameter", "MD-05", findings);
        list.all("parameter").for_each(|element| parameter(element, findings));
    }
    if let Some(list) = root.child("actions") {
        only(list, "action", "MD-10", findings);
        list.all("action").for_each(|element| {
            attributes(element, ACTION_ATTRIBUTES, &["name", "timeout"], "MD-10", findings);
        });
    }
}

fn named(element: &Element) -> String {
    match element.attribute("name") {
        Some(name) => format!("<{} name=\"{name}\">", element.name),
        None => format!("<{}>", element.name),
    }
}

fn parameter(element: &Element, findings: &mut Findings) {
    attributes(element, PARAMETER_ATTRIBUTES, &["name"], "MD-06", findings);
    for flag in ["unique", "required", "reloadable"] {
        if let Some(value) = element.attribute(flag).filter(|value| !matches!(*value, "0" | "1")) {
            let message = format!("{}: {flag} is \"{value}\", not 0 or 1", named(element));
            findings.add("MD-06", Ocf, message);
        }
    }
    children(element, PARAMETER, "MD-07", findings);
    descriptions(element, findings);
    if let Some(deprecated) = element.child("deprecated") {
        for child in &deprecated.children {
            match child.name.as_str() {
                "replaced-with" => attributes(child, &["name"], &["name"], "MD-09", findings),
                "desc" => attributes(child, &["lang"], &["lang"], "MD-04", findings),
                other => {
                    let message = format!("{}: <{other}> in <deprecated>", named(element));
                    findings.add("MD-09", Ocf, message);
                }
            }
        }
    }
    if let Some(content) = element.child("content") {
        self::content(element, content, findings);
    }
    if element.attribute("required") == Some("1")
        && element.child("content").is_some_and(|content| default_of(content).is_some())
    {
        let message = format!("{} is required and has a default", named(element));
        findings.add("MD-17", People, message);
    }
}

/// The default, if it says something: an empty one means "unset" to every consumer.
fn default_of(content: &Element) -> Option<&str> {
    content.attribute("default").filter(|default| !default.is_empty())
}

fn content(parameter: &Element, content: &Element, findings: &mut Findings) {
    attributes(content, &["type", "default"], &["type"], "MD-08", findings);
    let kind = content.attribute("type").unwrap_or_default();
    let options: Vec<&str> =
        content.all("option").filter_map(|option| option.attribute("value")).collect();
    let default = default_of(content);
    let bad_default = match (kind, default) {
        ("integer", Some(text)) => text.parse::<i64>().is_err(),
        ("boolean", Some(text)) => !matches!(
            text,
            "0" | "1"
                | "true"
                | "false"
                | "yes"
                | "no"
                | "on"
                | "off"
                | "True"
                | "False"
                | "TRUE"
                | "FALSE"
                | "YES"
                | "NO"
                | "ON"
                | "OFF"
        ),
        ("select", Some(text)) => !options.contains(&text),
        _ => false,
    };
    if bad_default {
        let text = default.unwrap_or_default();
        let message = format!("{}: the default \"{text}\" is no {kind}", named(parameter));
        findings.add("MD-08", People, message);
    }
    match kind {
        "string" | "integer" | "boolean" if content.children.is_empty() => {}
        "select" if !options.is_empty() => only(content, "option", "MD-08", findings),
        "select" => {
            findings.add("MD-08", Ocf, format!("{}: a select without option", named(parameter)));
        }
        "string" | "integer" | "boolean" => {
            let message = format!("{}: a {kind} with child elements", named(parameter));
            findings.add("MD-08", Ocf, message);
        }
        other => {
            let message = format!("{}: unknown content type \"{other}\"", named(parameter));
            findings.add("MD-08", Ocf, message);
        }
    }
}

/// Only these attributes, and at least those.
fn attributes(
    element: &Element,
    known: &[&str],
    needed: &[&str],
    rule: &'static str,
    findings: &mut Findings,
) {
    for (name, _) in &element.attributes {
        if !known.contains(&name.as_str()) {
            findings.add(rule, Ocf, format!("{}: unknown attribute {name}", named(element)));
        }
    }
    for name in needed {
        if element.attribute(name).is_none() {
            findings.add(rule, Ocf, format!("{}: attribute {name} is missing", named(element)));
        }
    }
}

/// The children are those of the slots, as often as allowed, in their order.
fn children(element: &Element, slots: &[Slot], rule: &'static str, findings: &mut Findings) {
    let place = |child: &Element| slots.iter().position(|slot| slot.name == child.name);
    let mut last = 0;
    for child in &element.children {
        match place(child) {
            None => {
                findings.add(rule, Ocf, format!("{}: unknown <{}>", named(element), child.name));
            }
            Some(at) if at < last => {
                let message = format!("{}: <{}> stands too late", named(element), child.name);
                findings.add(rule, Ocf, message);
            }
            Some(at) => last = at,
        }
    }
    for slot in slots {
        let count = element.all(slot.name).count();
        if count < slot.least {
            findings.add(rule, Ocf, format!("{}: <{}> is missing", named(element), slot.name));
        } else if count > slot.most {
            let message = format!("{}: more than one <{}>", named(element), slot.name);
            findings.add(rule, Ocf, message);
        }
    }
}

fn only(list: &Element, name: &'static str, rule: &'static str, findings: &mut Findings) {
    if list.all(name).next().is_none() {
        findings.add(rule, Ocf, format!("<{}> holds no <{name}>", list.name));
    }
    for child in list.children.iter().filter(|child| child.name != name) {
        findings.add(rule, Ocf, format!("<{}> holds a <{}>", list.name, child.name));
    }
}

/// Every description says its language.
fn descriptions(element: &Element, findings: &mut Findings) {
    for child in element.all("longdesc").chain(element.all("shortdesc")) {
        attributes(child, &["lang"], &["lang"], "MD-04", findings);
    }
}
