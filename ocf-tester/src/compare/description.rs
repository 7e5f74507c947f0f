// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How two descriptions differ in what callers of agents read: parameters, actions, versions. Texts
//! for people aren't compared.

use super::Difference;
use crate::quote::visible;
use ocf_metadata::reader::{Action, Document, Parameter};
use std::collections::BTreeSet;
use std::time::Duration;

/// What stands for something that isn't there.
const NONE: &str = "none";

/// Every difference, as rows whose ids begin with `description`.
pub(crate) fn differences(first: &Document, second: &Document) -> Vec<Difference> {
    let mut rows = Rows::default();
    rows.add("name", &first.name, &second.name);
    rows.add("API version", &first.api_version, &second.api_version);
    // The agent's own, which changes with each of its releases: whether it is told at all.
    let told = |one: &Document| if one.version.is_some() { "told" } else { NONE };
    rows.add("version", told(first), told(second));
    rows.parameters(first, second);
    rows.actions(first, second);
    rows.0
}

#[derive(Default)]
struct Rows(Vec<Difference>);

impl Rows {
    /// A row, if the two differ.
    fn add(&mut self, what: &str, first: impl Into<String>, second: impl Into<String>) {
        let (first, second) = (first.into(), second.into());
        if first != second {
            // An agent chose these texts; each is a cell of a table of lines.
            let [what, first, second] =
                [what, &first, &second].map(|text| visible(text, usize::MAX));
            let scenario = format!("description: {what}");
            self.0.push(Difference { scenario, shell: first, ours: second, reasons: None });
        }
    }

    fn parameters(&mut self, first: &Document, second: &Document) {
        let of = |document: &Document, name: &str| {
            document.parameters.iter().find(|one| one.name == name).cloned()
        };
        let all = first.parameters.iter().chain(&second.parameters);
        for name in all.map(|one| one.name.as_str()).collect::<BTreeSet<_>>() {
            let what = format!("parameter {name}");
            match (of(first, name), of(second, name)) {
                (Some(first), Some(second)) => self.parameter(&what, &first, &second),
                (first, second) => {
                    let [first, second] = [first, second].map(|one| declared(one.as_ref()));
                    self.add(&what, first, second);
                }
            }
        }
    }

    fn parameter(&mut self, what: &str, first: &Parameter, second: &Parameter) {
        let both = [first, second];
        let mut add = |field: &str, of: &dyn Fn(&Parameter) -> String| {
            let [first, second] = both.map(of);
            self.add(&format!("{what}, {field}"), first, second);
        };
        add("type", &|one| one.kind.clone());
        add("default", &|one| quoted(one.default.as_ref()));
        add("required", &|one| yes(one.required));
        add("unique group", &|one| or_none(one.unique_group.as_ref()));
        add("reloadable", &|one| yes(one.reloadable));
        add("deprecated", &|one| yes(one.deprecated));
        add("values", &|one| {
            if one.options.is_empty() { NONE.to_owned() } else { one.options.join(", ") }
        });
    }

    fn actions(&mut self, first: &Document, second: &Document) {
        let all = first.actions.iter().chain(&second.actions);
        for key in all.map(Key::of).collect::<BTreeSet<_>>() {
            let [of_first, of_second] = [first, second].map(|document| {
                document.actions.iter().filter(|one| Key::of(one) == key).collect::<Vec<_>>()
            });
            let what = key.words();
            match (of_first.as_slice(), of_second.as_slice()) {
                ([first], [second]) => self.action(&what, first, second),
                (first, second) => {
                    let [first, second] = [first, second].map(|rows| {
                        let rows: Vec<String> = rows.iter().map(|row| times(row)).collect();
                        if rows.is_empty() { NONE.to_owned() } else { rows.join("; ") }
                    });
                    self.add(&what, first, second);
                }
            }
        }
    }

    fn action(&mut self, what: &str, first: &Action, second: &Action) {
        let mut add = |field: &str, of: &dyn Fn(&Action) -> String| {
            self.add(&format!("{what}, {field}"), of(first), of(second));
        };
        add("timeout", &|one| time(one.timeout));
        add("interval", &|one| time(interval(one)));
        add("role", &|one| or_none(one.role.as_ref()));
    }
}

/// What tells the rows of one action apart: the depth and the role, by either of its names.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    name: String,
    depth: u32,
    role: String,
}

impl Key {
    fn of(action: &Action) -> Self {
        let role = action.role.as_deref().unwrap_or_default().to_lowercase();
        let role = match role.as_str() {
            "master" => "promoted".to_owned(),
            "slave" => "unpromoted".to_owned(),
            _ => role,
        };
        Self { name: action.name.clone(), depth: action.depth.unwrap_or_default(), role }
    }

    fn words(&self) -> String {
        let mut words = format!("action {}", self.name);
        if self.depth > 0 {
            words.push_str(&format!(" of depth {}", self.depth));
        }
        if !self.role.is_empty() {
            words.push_str(&format!(" of role {}", self.role));
        }
        words
    }
}

/// Only a monitor without an interval means something else than one of no seconds: callers choose.
fn interval(action: &Action) -> Option<Duration> {
    if action.name == "monitor" {
        action.interval
    } else {
        action.interval.or(Some(Duration::ZERO))
    }
}

fn times(action: &Action) -> String {
    format!("timeout {}, interval {}", time(action.timeout), time(interval(action)))
}

fn time(time: Option<Duration>) -> String {
    time.map_or_else(|| NONE.to_owned(), |time| format!("{} s", time.as_secs_f64()))
}

fn declared(parameter: Option<&Parameter>) -> String {
    let Some(one) = parameter else { return NONE.to_owned() };
    let required = if one.required { ", required" } else { "" };
    format!("{}, default {}{required}", one.kind, quoted(one.default.as_ref()))
}

fn quoted(text: Option<&String>) -> String {
    text.map_or_else(|| NONE.to_owned(), |text| format!("\"{text}\""))
}

fn or_none(text: Option<&String>) -> String {
    text.cloned().unwrap_or_else(|| NONE.to_owned())
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ocf_metadata::reader::read;

    fn document(parameters: &str, actions: &str) -> Document {
        let text = format!(
            "<resource-agent name=\"a\" version=\"1\"><version>1.1</version><parameters>{parameters}\
             </parameters><actions>{actions}</actions></resource-agent>"
        );
        read(text.as_bytes()).unwrap()
    }

    fn rows(first: &Document, second: &Document) -> Vec<String> {
        let rows = differences(first, second).into_iter();
        rows.map(|row| format!("{} | {} | {}", row.scenario, row.shell, row.ours)).collect()
    }

    #[test]
    fn what_callers_read_is_compared() {
        let parameter =
            r#"<parameter name="p" required="0"><content type="string" default="x"/></parameter>"#;
        let action =
            r#"<action name="monitor" timeout="20" interval="10s" depth="0" role="Master"/>"#;
        let first = document(parameter, action);
        assert_eq!(rows(&first, &first), [""; 0]);
        let same = document(parameter, &action.replace("\"20\"", "\"20s\""));
        assert_eq!(rows(&first, &same), [""; 0], "20 and 20s are the same time");
        let other = parameter.replace("required=\"0\"", "required=\"1\" unique=\"1\"");
        let other = other.replace("string", "integer").replace("\"x\"", "\"1\"");
        let second = document(&other, &action.replace("20", "1m").replace("Master", "Promoted"));
        let expected = [
            "description: parameter p, type | string | integer",
            "description: parameter p, default | \"x\" | \"1\"",
            "description: parameter p, required | no | yes",
            "description: parameter p, unique group | none | p",
            "description: action monitor of role promoted, timeout | 20 s | 60 s",
            "description: action monitor of role promoted, role | Master | Promoted",
        ];
        assert_eq!(rows(&first, &second), expected);
    }

    #[test]
    fn no_text_of_an_agent_breaks_the_table() {
        let odd = "<parameter name=\"a&#10;| b\"><content type=\"string\"/></parameter>";
        let rows = rows(&document("", ""), &document(odd, ""));
        assert_eq!(rows, ["description: parameter a\\n| b | none | string, default none"]);
    }

    #[test]
    fn what_only_one_has_is_a_row_of_its_own() {
        let parameter = r#"<parameter name="q"><content type="boolean"/></parameter>"#;
        let deep = r#"<action name="monitor" timeout="5" interval="60" depth="10"/>"#;
        let expected = [
            "description: parameter q | none | boolean, default none",
            "description: action monitor of depth 10 | none | timeout 5 s, interval 60 s",
        ];
        assert_eq!(rows(&document("", ""), &document(parameter, deep)), expected);
    }
}
