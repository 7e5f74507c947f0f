// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `JUnit` XML, as GitLab, GitHub Actions and Jenkins read it: every check is a test case.
//!
//! The format knows no warnings: a broken rule that doesn't count is a skipped case that says so.
//! What no check is about (the run was refused or ended, something was left) is a case of its own.

use crate::check::{Check, Failure, Level, Outcome, Summary, Verdict};
use crate::event::{Event, Reporter};
use crate::quote;
use quick_xml::events::{BytesDecl, BytesText, Event as Xml};
use quick_xml::writer::Writer;
use std::io::{self, Write};
use std::time::Duration;

/// How much of one foreign text is written, in characters.
const SHOWN: usize = 4000;

/// Collects the cases, and writes the report when the run is over: its head counts them.
#[derive(Debug)]
pub struct JUnit<W> {
    out: W,
    failing: Level,
    seed: Option<u64>,
    cases: Vec<Case>,
}

#[derive(Debug)]
struct Case {
    name: String,
    time: Duration,
    result: Option<Result>,
}

/// What a case has to say when it isn't a plain success.
#[derive(Debug)]
struct Result {
    /// `failure`, `error` or `skipped`.
    element: &'static str,
    message: String,
    text: String,
}

impl<W: Write> JUnit<W> {
    /// Writes to `out`; breaking a rule of a level beyond `failing` doesn't count.
    pub fn new(out: W, failing: Level) -> Self {
        Self { out, failing, seed: None, cases: Vec::new() }
    }

    fn judged(&self, check: &Check, outcome: &Outcome, time: Duration) -> Case {
        let result = match outcome {
            Outcome::Passed => None,
            Outcome::Skipped(why) => Some(Result::short("skipped", why)),
            Outcome::Broken(why) => Some(Result::short("error", why)),
            Outcome::Unexpected(why) => Some(Result::short("failure", why)),
            Outcome::Expected(failures, why) => {
                let prefix = format!("expected to fail ({}): ", visible(why, SHOWN));
                Some(Result::of_failures("skipped", &prefix, check, failures))
            }
            Outcome::Failed(failures) if check.level <= self.failing => {
                Some(Result::of_failures("failure", "", check, failures))
            }
            Outcome::Failed(failures) => {
                let prefix = format!("warning ({}, doesn't count): ", check.level);
                Some(Result::of_failures("skipped", &prefix, check, failures))
            }
        };
        Case { name: format!("{} {}", check.id, check.meaning), time, result }
    }

    /// Says of each failure that may follow from another one which that is.
    fn tell_roots(&mut self, summary: &Summary) {
        for root in &summary.roots {
            let follows =
                |name: &str| root.follows.iter().any(|id| name.split(' ').next() == Some(*id));
            for case in self.cases.iter_mut().filter(|case| follows(&case.name)) {
                if let Some(result) = &mut case.result {
                    result.message.push_str(&format!(" (may follow from {})", root.id));
                }
            }
        }
    }

    fn write(&mut self, agent: &str, time: Duration) -> io::Result<()> {
        let count = |element: &str| {
            let results = self.cases.iter().filter_map(|case| case.result.as_ref());
            results.filter(|result| result.element == element).count().to_string()
        };
        let (tests, seconds) = (self.cases.len().to_string(), seconds(time));
        let (failures, errors, skipped) = (count("failure"), count("error"), count("skipped"));
        let totals = [
            ("name", agent),
            ("tests", &tests),
            ("failures", &failures),
            ("errors", &errors),
            ("skipped", &skipped),
            ("time", &seconds),
        ];
        let mut writer = Writer::new_with_indent(&mut self.out, b' ', 2);
        writer.write_event(Xml::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        writer.create_element("testsuites").write_inner_content(|writer| {
            let suite = writer.create_element("testsuite").with_attributes(totals);
            suite.write_inner_content(|writer| {
                if let Some(seed) = self.seed.map(|seed| seed.to_string()) {
                    let values = [("name", "seed"), ("value", seed.as_str())];
                    let properties = writer.create_element("properties");
                    properties.write_inner_content(|writer| {
                        writer.create_element("property").with_attributes(values).write_empty()?;
                        Ok(())
                    })?;
                }
                self.cases.iter().try_for_each(|case| case.write(writer, class(agent)))
            })?;
            Ok(())
        })?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }
}

/// The agent as provider and type, by which CI knows a case again from run to run, wherever the file
/// lies.
fn class(agent: &str) -> &str {
    let provider = agent.rmatch_indices('/').nth(1).map_or(0, |(at, _)| at + 1);
    agent.get(provider..).unwrap_or(agent)
}

impl Case {
    fn write<W: Write>(&self, writer: &mut Writer<W>, class: &str) -> io::Result<()> {
        let seconds = seconds(self.time);
        let attributes =
            [("classname", class), ("name", self.name.as_str()), ("time", seconds.as_str())];
        let case = writer.create_element("testcase").with_attributes(attributes);
        match &self.result {
            None => case.write_empty()?,
            Some(result) => case.write_inner_content(|writer| result.write(writer))?,
        };
        Ok(())
    }
}

impl Result {
    fn short(element: &'static str, message: &str) -> Self {
        Self { element, message: visible(message, SHOWN), text: String::new() }
    }

    /// The first failure in the message, all of them in the text, each with how to see it again.
    fn of_failures(
        element: &'static str,
        prefix: &str,
        check: &Check,
        failures: &[Failure],
    ) -> Self {
        let sentence = |failure: &Failure| {
            let [expected, seen] =
                [&failure.expected, &failure.seen].map(|text| visible(text, SHOWN));
            let id = failure.rule.unwrap_or(check.id);
            format!("{id}: expected {expected}; seen: {seen}")
        };
        let mut text = format!("OCF 1.1 or practice: {}\n", check.section);
        for failure in failures {
            text.push_str(&sentence(failure));
            text.push('\n');
            if let Some(line) = &failure.reproduction {
                // Whole: it has to be pasted. Quoting leaves nothing in it that XML can't hold.
                text.push_str(&format!("by hand: {}\n", visible(line, usize::MAX)));
            }
        }
        let first = failures.first().map(sentence).unwrap_or_default();
        Self { element, message: format!("{prefix}{first}"), text }
    }

    fn write<W: Write>(&self, writer: &mut Writer<W>) -> io::Result<()> {
        let element =
            writer.create_element(self.element).with_attribute(("message", self.message.as_str()));
        if self.text.is_empty() {
            element.write_empty()?;
        } else {
            element.write_text_content(BytesText::new(&self.text))?;
        }
        Ok(())
    }
}

impl<W: Write> Reporter for JUnit<W> {
    fn report(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Seeded(seed) => {
                self.seed = Some(*seed);
                Ok(())
            }
            Event::Judged(check, outcome, time) => {
                let case = self.judged(check, outcome, *time);
                self.cases.push(case);
                Ok(())
            }
            Event::Finished(call, summary, time) => {
                self.tell_roots(summary);
                self.cases.extend(of_the_run(summary));
                self.write(&visible(&call.agent.to_string_lossy(), SHOWN), *time)
            }
            _ => Ok(()),
        }
    }
}

/// What no check has said.
fn of_the_run(summary: &Summary) -> Vec<Case> {
    let case = |name: &str, result| Case {
        name: name.to_owned(),
        time: Duration::ZERO,
        result: Some(result),
    };
    let mut cases = Vec::new();
    match &summary.verdict {
        Verdict::Refused(_) | Verdict::Interrupted => {
            let message = summary.verdict.to_string();
            cases.push(case("the run", Result::short("error", &message)));
        }
        // A check that is broken has said why.
        Verdict::Broken(_) | Verdict::Passed | Verdict::Failed => {}
    }
    if !summary.left.is_empty() {
        let text: Vec<String> = summary.left.iter().map(|one| visible(one, usize::MAX)).collect();
        let message = "the resource did not stop cleanly".to_owned();
        cases.push(case("clean-up", Result { element: "failure", message, text: text.join("\n") }));
    }
    cases
}

/// Foreign text as XML can hold it: those two characters are none that it knows.
fn visible(text: &str, most: usize) -> String {
    quote::visible(text, most).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::class;

    #[test]
    fn a_case_keeps_its_class_when_the_agent_is_moved() {
        for (agent, kept) in [
            ("/usr/lib/ocf/resource.d/heartbeat/Dummy", "heartbeat/Dummy"),
            ("/tmp/x/heartbeat/Dummy", "heartbeat/Dummy"),
            ("/Dummy", "/Dummy"),
            ("Dummy", "Dummy"),
        ] {
            assert_eq!(class(agent), kept);
        }
    }
}
