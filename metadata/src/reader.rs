// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Reads the description of any agent, in any language, as leniently as the consumers do: what is
//! missing or odd is left to [`crate::rules`].

use crate::tree::{self, Element};
use std::fmt;
use std::time::Duration;

/// Why a text is no description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError(String);

impl ReadError {
    pub(crate) fn new(why: String) -> Self {
        Self(why)
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the meta-data is {}", self.0)
    }
}

impl std::error::Error for ReadError {}

/// A foreign agent's description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// `resource-agent@name`.
    pub name: String,
    /// `resource-agent@version`, the agent's own version, if it tells one.
    pub version: Option<String>,
    /// The API version claimed; `1.0` where none is, as every consumer assumes.
    pub api_version: String,
    /// The short description, empty when missing.
    pub short: String,
    /// The long description, empty when missing.
    pub long: String,
    /// The parameters in document order.
    pub parameters: Vec<Parameter>,
    /// The actions in document order.
    pub actions: Vec<Action>,
}

/// A parameter as declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// The short description, empty when missing.
    pub short: String,
    /// The long description, empty when missing.
    pub long: String,
    /// `content@type`, as written.
    pub kind: String,
    /// The default's text.
    pub default: Option<String>,
    /// Must be set by the user.
    pub required: bool,
    /// Takes effect through reload-agent.
    pub reloadable: bool,
    /// The unique group; 1.0's `unique="1"` makes a group of the parameter's own name.
    pub unique_group: Option<String>,
    /// Marked as deprecated.
    pub deprecated: bool,
    /// What to use in place of a deprecated one.
    pub replaced_with: Vec<String>,
    /// The words of a `select`.
    pub options: Vec<String>,
}

/// An action as declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Its name.
    pub name: String,
    /// The advertised timeout, `None` when missing or unreadable.
    pub timeout: Option<Duration>,
    /// The advertised interval.
    pub interval: Option<Duration>,
    /// The check level.
    pub depth: Option<u32>,
    /// The role, as written.
    pub role: Option<String>,
}

/// The description in `bytes`.
///
/// # Errors
/// When it is not UTF-8, not well-formed XML, or its root is not `resource-agent` with a name.
pub fn read(bytes: &[u8]) -> Result<Document, ReadError> {
    let (_, root) = tree::parse(bytes)?;
    if root.name != "resource-agent" {
        return Err(ReadError(format!("rooted in <{}>, not in <resource-agent>", root.name)));
    }
    let name = root.attribute("name").unwrap_or_default().to_owned();
    if name.is_empty() {
        return Err(ReadError("without a name on <resource-agent>".to_owned()));
    }
    let version = trimmed(root.child("version"));
    let rows = |list: &str| -> Vec<Element> {
        root.child(list).map(|list| list.children.clone()).unwrap_or_default()
    };
    Ok(Document {
        name,
        version: root.attribute("version").map(str::to_owned),
        api_version: if version.is_empty() { "1.0".to_owned() } else { version },
        short: trimmed(root.child("shortdesc")),
        long: trimmed(root.child("longdesc")),
        parameters: rows("parameters").iter().map(parameter).collect(),
        actions: rows("actions").iter().map(action).collect(),
    })
}

fn trimmed(element: Option<&Element>) -> String {
    element.map(|element| element.text.trim().to_owned()).unwrap_or_default()
}

fn parameter(element: &Element) -> Parameter {
    let own = |name: &str| element.attribute(name).map(str::to_owned);
    let name = own("name").unwrap_or_default();
    let content = element.child("content");
    let unique = element.attribute("unique") == Some("1");
    let replacements = element.child("deprecated").into_iter();
    let replacements = replacements.flat_map(|deprecated| deprecated.all("replaced-with"));
    Parameter {
        short: trimmed(element.child("shortdesc")),
        long: trimmed(element.child("longdesc")),
        replaced_with: replacements
            .filter_map(|other| other.attribute("name").map(str::to_owned))
            .collect(),
        kind: content.and_then(|c| c.attribute("type")).unwrap_or_default().to_owned(),
        default: content.and_then(|c| c.attribute("default")).map(str::to_owned),
        required: element.attribute("required") == Some("1"),
        reloadable: element.attribute("reloadable") == Some("1"),
        unique_group: own("unique-group").or_else(|| unique.then(|| name.clone())),
        deprecated: element.child("deprecated").is_some(),
        options: content.map_or_else(Vec::new, |content| {
            content.all("option").filter_map(|o| o.attribute("value")).map(str::to_owned).collect()
        }),
        name,
    }
}

fn action(element: &Element) -> Action {
    let time = |name: &str| element.attribute(name).and_then(parse_time);
    Action {
        name: element.attribute("name").unwrap_or_default().to_owned(),
        timeout: time("timeout"),
        interval: time("interval"),
        depth: element.attribute("depth").and_then(|depth| depth.parse().ok()),
        role: element.attribute("role").map(str::to_owned),
    }
}

/// A time as the field writes it: a bare number counts seconds; `ms`, `us`, `s`/`sec`, `m`/`min`
/// and `h`/`hr` are understood. `None` for anything else.
#[must_use]
pub fn parse_time(text: &str) -> Option<Duration> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let number: u64 = digits.parse().ok()?;
    match unit.trim().to_ascii_lowercase().as_str() {
        "us" | "usec" => Some(Duration::from_micros(number)),
        "ms" | "msec" => Some(Duration::from_millis(number)),
        "" | "s" | "sec" => Some(Duration::from_secs(number)),
        "m" | "min" => number.checked_mul(60).map(Duration::from_secs),
        "h" | "hr" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}
