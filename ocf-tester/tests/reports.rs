// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Reports for machines and for the terminal: `--format` and `--output`.

#[expect(dead_code, reason = "the labels of processes are other tests'")]
mod common;

use common::{code, tester, text};
use ocf_tester::check::Level;
use ocf_tester::checks;
use ocf_tester::exit_codes::{ENVIRONMENT, PASSED, REFUSED, USAGE, VIOLATIONS};
use ocf_tester::scratch::Scratch;
use quick_xml::events::Event;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

/// An element of a `JUnit` report: its name, its attributes, the text in it.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    text: String,
}

/// The elements in document order; a document that isn't well-formed ends the test.
#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn elements(xml: &str) -> Vec<Element> {
    let mut reader = quick_xml::Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let (mut elements, mut depth) = (Vec::<Element>::new(), 0);
    loop {
        let event = reader.read_event().unwrap();
        match &event {
            Event::Start(start) | Event::Empty(start) => {
                depth += usize::from(matches!(event, Event::Start(_)));
                let attributes = start.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    let name: &str = attribute.key.as_ref();
                    (name.to_owned(), attribute.value.into_owned())
                });
                let attributes = attributes.collect();
                let name = AsRef::<str>::as_ref(&start.name()).to_owned();
                elements.push(Element { name, attributes, text: String::new() });
            }
            Event::End(_) => depth -= 1,
            Event::Text(part) => {
                if let Some(last) = elements.last_mut() {
                    last.text.push_str(part.as_ref());
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0, "{xml}");
    elements
}

fn count(elements: &[Element], name: &str) -> usize {
    elements.iter().filter(|element| element.name == name).count()
}

#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn lines(json: &str) -> Vec<Value> {
    json.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn junit_has_a_case_for_every_check() {
    for (agent, options, wanted, failures, warnings) in [
        ("safe", &[][..], PASSED, 0, 0),
        ("mutants/extra-argument-fails", &[], VIOLATIONS, 1, 0),
        ("mutants/no-action-dies", &[], PASSED, 0, 1),
        ("mutants/no-action-dies", &["--level", "should"], VIOLATIONS, 1, 0),
    ] {
        let scratch = Scratch::new("reports").unwrap();
        let mut command = tester(agent, &scratch);
        let output = command.args(["--format", "junit"]).args(options).output().unwrap();
        assert_eq!(code(&output), Some(wanted), "{agent}: {output:?}");
        let xml = text(&output.stdout);
        let elements = elements(&xml);
        let suite = elements.iter().find(|element| element.name == "testsuite").unwrap();
        let level = if options.is_empty() { Level::Info } else { Level::Should };
        let asked: Vec<_> = checks::all().iter().filter(|check| check.level <= level).collect();
        assert_eq!(count(&elements, "testcase"), asked.len(), "{xml}");
        assert_eq!(suite.attributes["tests"], asked.len().to_string());
        assert_eq!(count(&elements, "failure"), failures, "{xml}");
        assert_eq!(suite.attributes["failures"], failures.to_string());
        let skipped = count(&elements, "skipped");
        assert_eq!(suite.attributes["skipped"], skipped.to_string());
        let told = elements.iter().filter_map(|element| element.attributes.get("message"));
        let warned = told.filter(|message| message.starts_with("warning (should")).count();
        assert_eq!(warned, warnings, "{xml}");
        let cases = elements.iter().filter(|element| element.name == "testcase");
        for (case, check) in cases.zip(asked) {
            assert!(case.attributes["name"].starts_with(check.id), "{case:?}");
            assert!(case.attributes["time"].parse::<f64>().unwrap() >= 0.0, "{case:?}");
        }
        for element in elements.iter().filter(|one| one.name == "skipped" || one.name == "failure")
        {
            assert!(!element.attributes["message"].is_empty(), "{element:?}");
        }
        for failure in elements.iter().filter(|element| element.name == "failure") {
            assert!(failure.text.contains("by hand: env -i "), "{failure:?}");
        }
    }
}

/// What an agent prints can neither end an element nor put a character in that XML can't hold.
#[test]
fn junit_is_well_formed_whatever_an_agent_says() {
    let scratch = Scratch::new("reports").unwrap();
    let mut command = tester("report/escapes", &scratch);
    command.args(["--format=junit", "-o", "x=]]></failure>\u{1b}\u{1}&<", "--env", "Y=\u{ffff}"]);
    let output = command.output().unwrap();
    assert_eq!(code(&output), Some(VIOLATIONS), "{output:?}");
    let xml = text(&output.stdout);
    assert!(count(&elements(&xml), "failure") > 0, "{xml}");
    let allowed = |c: char| c == '\n' || (' '..'\u{fffe}').contains(&c) || c > '\u{ffff}';
    assert!(xml.chars().all(allowed), "{xml:?}");
}

#[test]
fn json_has_a_line_for_every_call_and_every_check() {
    let scratch = Scratch::new("reports").unwrap();
    let mut command = tester("mutants/extra-argument-fails", &scratch);
    let output = command.args(["--format", "json"]).output().unwrap();
    assert_eq!(code(&output), Some(VIOLATIONS), "{output:?}");
    let lines = lines(&text(&output.stdout));
    let of = |event: &str| lines.iter().filter(|line| line["event"] == event).collect::<Vec<_>>();
    assert_eq!(lines.first().unwrap()["event"], "begun");
    assert_eq!(lines.last().unwrap()["event"], "finished");
    assert_eq!(lines.last().unwrap()["verdict"], "failed");
    assert_eq!(lines.last().unwrap()["failed"], 1);
    let ids: Vec<&str> = of("check").iter().filter_map(|line| line["id"].as_str()).collect();
    assert_eq!(ids, checks::all().iter().map(|check| check.id).collect::<Vec<_>>());
    let failed = of("check").into_iter().find(|line| line["verdict"] == "failed").unwrap();
    assert_eq!(failed["id"], "INV-02");
    assert_eq!(failed["counts"], true);
    let failure = &failed["failures"][0];
    assert!(failure["reproduction"].as_str().unwrap().starts_with("env -i "), "{failure}");
    let calls = of("call");
    assert!(calls.len() > 20, "{}", calls.len());
    for call in &calls {
        assert!(!call["argv"].as_array().unwrap().is_empty(), "{call}");
        assert!(call["environment"].is_object(), "{call}");
        assert!(call["wall_seconds"].as_f64().unwrap() > 0.0, "{call}");
        let is_measured = call["cpu_seconds"].is_f64() && call["max_rss_bytes"].as_u64() > Some(0);
        // Being traced costs more than the agent does.
        assert_eq!(is_measured, call["processes"].is_null(), "{call}");
        assert_eq!(call["code"].is_i64(), call["ended"] == "exit", "{call}");
    }
    assert!(calls.iter().any(|call| call["environment"]["OCF_RESKEY_state"].is_string()));
    // This agent is a shell that becomes another one; mv and rm are processes of their own.
    for (action, processes) in [("start", 2), ("monitor", 1), ("stop", 2)] {
        // Those that were killed are fewer.
        let is_whole = |call: &&&Value| {
            let check = call["check"].as_str().unwrap_or_default();
            call["argv"][1] == action && !check.starts_with("KILL-")
        };
        let counted = calls.iter().filter(is_whole);
        let counted: Vec<_> = counted.filter_map(|call| call["processes"].as_u64()).collect();
        assert_eq!(counted, [processes], "{action}");
    }
    let described = calls.iter().find(|call| call["argv"][1] == "meta-data").unwrap();
    assert!(described["stdout"].as_str().unwrap().contains("<resource-agent"), "{described}");
    assert!(calls.iter().any(|call| call["check"] == "INV-02" && call["code"] == 2));
}

#[test]
fn json_tells_signals_and_exit_reasons() {
    for (agent, check, key, value) in [
        ("mutants/stop-dies", "STOP-01", "ended", Value::from("signal")),
        ("mutants/validate-refuses", "VAL-01", "exit_reason", "nothing is good enough".into()),
    ] {
        let scratch = Scratch::new("reports").unwrap();
        let mut command = tester(agent, &scratch);
        let output = command.args(["--format=json", "--only", check]).output().unwrap();
        let lines = lines(&text(&output.stdout));
        assert!(lines.iter().any(|line| line[key] == value), "{agent}: {lines:?}");
    }
}

#[test]
fn a_report_in_a_file_leaves_the_terminal_to_people() {
    for (format, beginning) in
        [("junit", "<?xml"), ("json", "{\"event\":\"begun\""), ("human", "Testing ")]
    {
        let scratch = Scratch::new("reports").unwrap();
        let file = scratch.path().join("report");
        let mut command = tester("safe", &scratch);
        command.args(["--format", format, "--output"]).arg(&file);
        let output = command.output().unwrap();
        assert_eq!(code(&output), Some(PASSED), "{format}: {output:?}");
        assert!(text(&output.stdout).starts_with("Testing "), "{format}: {output:?}");
        assert!(text(&output.stdout).contains(": passed ("), "{format}: {output:?}");
        let written = fs::read_to_string(&file).unwrap();
        assert!(written.starts_with(beginning), "{format}: {written}");
        assert!(!output.stdout.contains(&0x1b) && !written.contains('\u{1b}'), "colour");
    }
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_anything_is_run() {
    let scratch = Scratch::new("reports").unwrap();
    let output =
        tester("safe", &scratch).args(["--output", "/nonexistent/report"]).output().unwrap();
    assert_eq!(code(&output), Some(ENVIRONMENT), "{output:?}");
    assert!(text(&output.stderr).contains("give another --output"), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    for format in ["junit", "json", "human"] {
        let mut command = tester("safe", &scratch);
        let output = command.args(["--format", format, "--output", "/dev/full"]).output().unwrap();
        assert_eq!(code(&output), Some(ENVIRONMENT), "{format}: {output:?}");
        assert!(text(&output.stderr).contains("the report can't be written"), "{format}");
    }
    let output = tester("safe", &scratch).args(["--format", "xml"]).output().unwrap();
    assert_eq!(code(&output), Some(USAGE), "{output:?}");
}

/// Not judged is not passed, in any form.
#[test]
fn what_was_refused_or_broken_is_an_error() {
    let scratch = Scratch::new("reports").unwrap();
    fs::write(scratch.path().join("state"), "unpromoted\n").unwrap();
    for (agent, wanted, verdict) in
        [("safe", REFUSED, "refused"), ("no-program/empty", ENVIRONMENT, "broken")]
    {
        let run = |format: &str| {
            let output = tester(agent, &scratch).args(["--format", format]).output().unwrap();
            assert_eq!(code(&output), Some(wanted), "{format}: {output:?}");
            text(&output.stdout)
        };
        let xml = run("junit");
        let elements = elements(&xml);
        assert_eq!(count(&elements, "error"), 1, "{xml}");
        assert!(count(&elements, "testcase") > 0 && count(&elements, "failure") == 0, "{xml}");
        let last = lines(&run("json")).pop().unwrap();
        assert_eq!(last["verdict"], verdict);
        assert!(last["reason"].as_str().unwrap().len() > 10, "{last}");
        assert!(run("human").contains(&format!(": {verdict}: ")));
    }
}

#[test]
fn secrets_are_in_no_report() {
    for format in ["human", "junit", "json"] {
        let scratch = Scratch::new("reports").unwrap();
        let mut command = tester("mutants/validate-refuses", &scratch);
        command.args(["-v", "--format", format, "-o", "admin_password=geheim it's"]);
        command.args(["-o", "Token=x1", "-o", "url=http://me:geheim it's@host/"]);
        let output = command.output().unwrap();
        assert_eq!(code(&output), Some(VIOLATIONS), "{format}: {output:?}");
        let said = text(&output.stdout);
        assert!(!said.contains("geheim"), "{format}: {said}");
        assert!(!said.contains("Token=x1") && !said.contains("\"x1\""), "{format}: {said}");
        assert!(said.contains("OCF_RESKEY_admin_password") && said.contains("***"), "{said}");
    }
}

/// A run of an agent that breaks one rule, with this list of expected failures.
#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn expecting(list: &str, agent: &str, options: &[&str]) -> std::process::Output {
    let scratch = Scratch::new("reports").unwrap();
    let file = scratch.path().join("expected");
    fs::write(&file, list).unwrap();
    let mut command = tester(agent, &scratch);
    command.arg("--expect-fail").arg(&file).args(["--only", "INV-02"]).args(options);
    command.output().unwrap()
}

#[test]
fn an_expected_failure_is_told_and_does_not_count() {
    let list = "# we know\nINV-02 ticket 7\n";
    let run = |options: &[&str]| {
        let output = expecting(list, "mutants/extra-argument-fails", options);
        assert_eq!(code(&output), Some(PASSED), "{output:?}");
        text(&output.stdout)
    };
    let said = run(&[]);
    assert!(said.contains("expected INV-02   ticket 7; seen: 2"), "{said}");
    assert!(said.contains("0 failed") && said.contains("1 expected to fail"), "{said}");
    let xml = run(&["--format", "junit"]);
    let elements = elements(&xml);
    assert_eq!((count(&elements, "failure"), count(&elements, "skipped")), (0, 1), "{xml}");
    let skipped = elements.iter().find(|element| element.name == "skipped").unwrap();
    assert!(skipped.attributes["message"].starts_with("expected to fail (ticket 7): "), "{xml}");
    let lines = lines(&run(&["--format", "json"]));
    let check = lines.iter().find(|line| line["id"] == "INV-02").unwrap();
    assert_eq!((&check["verdict"], &check["counts"]), (&"expected".into(), &false.into()));
    assert_eq!(lines.last().unwrap()["expected"], 1);
}

/// So that the list can't rot.
#[test]
fn a_listed_check_that_passes_is_an_error() {
    let run = |options: &[&str]| {
        let output = expecting("INV-02 ticket 7", "safe", options);
        assert_eq!(code(&output), Some(VIOLATIONS), "{output:?}");
        text(&output.stdout)
    };
    assert!(run(&[]).contains("FAILED   INV-02   unexpected pass"));
    let xml = run(&["--format", "junit"]);
    assert_eq!(count(&elements(&xml), "failure"), 1, "{xml}");
    let last = lines(&run(&["--format", "json"])).pop().unwrap();
    assert_eq!((&last["verdict"], &last["failed"]), (&"failed".into(), &1.into()));
    // What wasn't made can't have passed.
    let other = expecting("STOP-04 ticket 8", "safe", &[]);
    assert_eq!(code(&other), Some(PASSED), "{other:?}");
}

#[test]
fn a_list_that_means_nothing_is_wrong_usage() {
    for list in ["NO-01 why", "INV-02", "INV-02 a\nINV-02 b"] {
        let output = expecting(list, "safe", &[]);
        assert_eq!(code(&output), Some(USAGE), "{list}: {output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        assert!(text(&output.stderr).contains("line "), "{output:?}");
    }
    let scratch = Scratch::new("reports").unwrap();
    let mut command = tester("safe", &scratch);
    let output = command.args(["--expect-fail", "/nonexistent/list"]).output().unwrap();
    assert_eq!(code(&output), Some(ENVIRONMENT), "{output:?}");
}
