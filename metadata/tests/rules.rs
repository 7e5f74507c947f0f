// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Every rule is broken once, by one edit of a description that keeps them all; and what the writer
//! writes keeps them all.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]

use ocf_metadata::reader::{parse_time, read};
use ocf_metadata::rules::{Consumer, RULES, check};
use ocf_metadata::{About, ActionRow, Content, Description, ParameterRow, Role, writer};
use std::time::Duration;

const GOOD: &str = r#"<?xml version="1.0"?>
<resource-agent name="Good" version="1.0">
  <version>1.1</version>
  <longdesc lang="en">Long.</longdesc>
  <shortdesc lang="en">Short</shortdesc>
  <parameters>
    <parameter name="count" unique-group="g" reloadable="1">
      <longdesc lang="en">Long.</longdesc>
      <shortdesc lang="en">Short</shortdesc>
      <content type="integer" default="1"/>
    </parameter>
    <parameter name="mode" required="1">
      <longdesc lang="en">Long.</longdesc>
      <shortdesc lang="en">Short</shortdesc>
      <content type="select"><option value="a"/><option value="b"/></content>
    </parameter>
  </parameters>
  <actions>
    <action name="start" timeout="20s"/>
    <action name="stop" timeout="20s"/>
    <action name="monitor" timeout="20s" interval="10s" depth="0" role="Promoted"/>
    <action name="monitor" timeout="20s" interval="11s" depth="0" role="Unpromoted"/>
    <action name="promote" timeout="20s"/>
    <action name="demote" timeout="20s"/>
    <action name="reload-agent" timeout="20s"/>
    <action name="meta-data" timeout="5s"/>
  </actions>
</resource-agent>
"#;

/// One edit, the rule it breaks, and who minds.
const EDITS: &[(&str, &str, &str, Consumer)] = &[
    ("<resource-agent name=\"Good\"", "<resource-agent", "MD-01", Consumer::Ocf),
    ("</actions>\n", "", "MD-01", Consumer::Ocf),
    ("Long.", "Long & wide.", "MD-01", Consumer::Ocf),
    ("resource-agent>\n", "resource-agent>\n<resource-agent/>", "MD-01", Consumer::Ocf),
    ("  <version>1.1</version>\n", "", "MD-03", Consumer::Ocf),
    ("<version>1.1<", "<version>1.2<", "USE-01", Consumer::Pcs),
    ("<shortdesc lang=\"en\">", "<shortdesc>", "MD-04", Consumer::Ocf),
    ("reloadable=\"1\">", "reloadable=\"1\" private=\"1\">", "MD-06", Consumer::Ocf),
    ("required=\"1\"", "required=\"true\"", "MD-06", Consumer::Ocf),
    ("type=\"integer\" default=\"1\"", "type=\"int\"", "MD-08", Consumer::Ocf),
    (
        "type=\"integer\" default=\"1\"",
        "type=\"integer\" default=\"one\"",
        "MD-08",
        Consumer::People,
    ),
    ("<option value=\"a\"/><option value=\"b\"/>", "", "MD-08", Consumer::Ocf),
    ("type=\"select\"", "type=\"select\" default=\"a\"", "MD-17", Consumer::People),
    ("type=\"select\"", "type=\"select\" default=\"c\"", "MD-08", Consumer::People),
    ("name=\"start\" timeout=\"20s\"", "name=\"start\"", "MD-10", Consumer::Ocf),
    ("name=\"start\" timeout=\"20s\"", "name=\"start\" timeout=\"soon\"", "MD-12", Consumer::Ocf),
    ("role=\"Unpromoted\"", "role=\"Promoted\"", "MD-11", Consumer::Ocf),
    ("role=\"Unpromoted\"", "role=\"unpromoted\"", "USE-06", Consumer::Pcs),
    ("interval=\"11s\"", "interval=\"10s\"", "USE-07", Consumer::Crmsh),
    ("interval=\"11s\"", "interval=\"0\"", "USE-07", Consumer::Crmsh),
    ("    <action name=\"stop\" timeout=\"20s\"/>\n", "", "INV-06", Consumer::Ocf),
    ("    <action name=\"demote\" timeout=\"20s\"/>\n", "", "USE-05", Consumer::Pacemaker),
    ("    <action name=\"reload-agent\" timeout=\"20s\"/>\n", "", "REL-03", Consumer::Pacemaker),
    ("<version>1.1<", "<version>1.0<", "USE-08", Consumer::Pacemaker),
    (
        "<?xml version=\"1.0\"?>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
        "USE-02",
        Consumer::Crmsh,
    ),
    ("<?xml", "\n<?xml", "USE-03", Consumer::Pcs),
    ("</resource-agent>\n", "</resource-agent>\nbye", "USE-03", Consumer::Pcs),
    ("name=\"mode\"", "name=\"count\"", "USE-04", Consumer::Ocf),
    ("name=\"mode\"", "name=\"mo-de\"", "INST-07", Consumer::Ocf),
    ("name=\"mode\"", "name=\"1mode\"", "INST-07", Consumer::Ocf),
    ("<parameters>", "<parameters><other/>", "MD-05", Consumer::Ocf),
    ("      <content type=\"integer\" default=\"1\"/>\n", "", "MD-07", Consumer::Ocf),
    (
        "reloadable=\"1\">",
        "reloadable=\"1\"><deprecated><other/></deprecated>",
        "MD-09",
        Consumer::Ocf,
    ),
];

#[test]
fn a_good_description_breaks_no_rule() {
    assert_eq!(check(GOOD.as_bytes()), []);
}

#[test]
fn an_empty_default_is_none() {
    let empty = GOOD
        .replacen("type=\"integer\" default=\"1\"", "type=\"integer\" default=\"\"", 1)
        .replacen("type=\"select\"", "type=\"select\" default=\"\"", 1);
    assert_eq!(check(empty.as_bytes()), []);
}

#[test]
fn every_edit_breaks_its_rule() {
    for (from, to, rule, consumer) in EDITS {
        assert!(GOOD.contains(from), "{from}");
        let findings = check(GOOD.replacen(from, to, 1).as_bytes());
        let hit = findings.iter().any(|found| found.rule == *rule && found.consumer == *consumer);
        assert!(hit, "{from} -> {to}: not {rule} ({consumer}) but {findings:?}");
    }
}

#[test]
fn every_rule_is_listed_once_and_has_an_edit_that_breaks_it() {
    let mut found: Vec<&str> = EDITS
        .iter()
        .flat_map(|(from, to, ..)| check(GOOD.replacen(from, to, 1).as_bytes()))
        .map(|finding| finding.rule)
        .collect();
    found.sort_unstable();
    found.dedup();
    let mut listed: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    listed.sort_unstable();
    assert_eq!(found, listed);
}

#[test]
fn order_matters_to_the_schema() {
    let swapped = GOOD
        .replacen("<longdesc lang=\"en\">Long.</longdesc>\n  <shortdesc", "<shortdesc", 1)
        .replacen(
            "</shortdesc>\n  <parameters>",
            "</shortdesc>\n  <longdesc lang=\"en\">L</longdesc>\n  <parameters>",
            1,
        );
    let findings = check(swapped.as_bytes());
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings.first().unwrap().rule, "MD-03");
}

#[test]
fn hostile_input_is_a_finding_and_never_a_crash() {
    let deep = "<a>".repeat(100_000);
    let cases: [&[u8]; 6] = [
        b"",
        b"\xff\xfe",
        b"<",
        b"&#xFFFFFFFF;",
        deep.as_bytes(),
        b"<!DOCTYPE a [<!ENTITY b \"c\">]>",
    ];
    for case in cases {
        assert_eq!(check(case).first().unwrap().rule, "MD-01");
        read(case).unwrap_err();
    }
}

/// xmllint refuses them all, and Pacemaker cuts the description at a NUL.
#[test]
fn characters_that_xml_forbids_are_refused_literally_and_as_references() {
    let literal = ["\0", "\u{1}", "\u{b}", "\u{1b}", "\u{1f}", "\u{fffe}", "\u{ffff}"];
    let references = ["&#0;", "&#x0;", "&#1;", "&#x1B;", "&#xFFFE;", "&#xD800;"];
    let places = [
        ("Long.", "Lo{}ng."),
        ("Long.", "<![CDATA[Lo{}ng.]]>"),
        ("default=\"1\"", "default=\"{}\""),
        ("<version>", "<!-- {} --><version>"),
        ("</resource-agent>\n", "</resource-agent>{}\n"),
    ];
    for (from, to) in places {
        // In CDATA and comments a reference is text like any other.
        let plain_text = to.contains("<!");
        let all = literal.iter().chain(references.iter().filter(|_| !plain_text));
        for character in all {
            let text = GOOD.replacen(from, &to.replace("{}", character), 1);
            let findings = check(text.as_bytes());
            let first = findings.first().map(|found| found.rule);
            assert_eq!(first, Some("MD-01"), "{character:?} in {to}: {findings:?}");
            read(text.as_bytes()).unwrap_err();
        }
    }
    for allowed in ["\t", "\u{7f}", "\u{85}", "\u{d7ff}", "\u{e000}", "\u{fffd}", "\u{10ffff}"] {
        let text = GOOD.replacen("Long.", &format!("Lo{allowed}ng."), 1);
        assert_eq!(check(text.as_bytes()), [], "{allowed:?}");
    }
    let error = read(GOOD.replacen("Long.", "&#1;", 1).as_bytes()).unwrap_err().to_string();
    assert!(error.contains("U+0001, which XML forbids"), "{error}");
}

#[test]
fn what_is_written_is_accepted_and_read_back() {
    let description = Description {
        about: About { name: "Made", version: "0.1", short: "A <b> & 'c'", long: "One.\n\nTwo." },
        parameters: vec![
            ParameterRow::new("ip", "Address\n\nThe \"address\".", Content::String, false)
                .unique_group("address")
                .alias("netmask"),
            ParameterRow::new("mode", "Mode", Content::Select(&["a", "b"]), false)
                .default("a")
                .reloadable(),
        ],
        actions: ["start", "stop", "promote", "demote", "reload-agent", "meta-data"]
            .into_iter()
            .map(|name| ActionRow { name, timeout: 20, interval: None, depth: None, role: None })
            .chain([ActionRow {
                name: "monitor",
                timeout: 20,
                interval: Some(10),
                depth: Some(0),
                role: Some(Role::Promoted),
            }])
            .collect(),
    };
    let xml = writer::to_xml(&description).unwrap();
    assert_eq!(check(xml.as_bytes()), [], "{xml}");
    let document = read(xml.as_bytes()).unwrap();
    assert_eq!((document.name.as_str(), document.api_version.as_str()), ("Made", "1.1"));
    assert_eq!(document.short, "A <b> & 'c'");
    let names: Vec<&str> = document.parameters.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["ip", "netmask", "mode"]);
    let flags: Vec<_> = document.parameters.iter().map(|p| (p.required, p.deprecated)).collect();
    assert_eq!(flags, [(true, false), (false, true), (false, false)]);
    let monitor = document.actions.iter().find(|action| action.name == "monitor").unwrap();
    assert_eq!(monitor.interval, Some(Duration::from_secs(10)));
    assert_eq!((monitor.depth, monitor.role.as_deref()), (Some(0), Some("Promoted")));
}

#[test]
fn times_in_all_their_forms() {
    assert_eq!(parse_time("20"), Some(Duration::from_secs(20)));
    assert_eq!(parse_time(" 20s "), Some(Duration::from_secs(20)));
    assert_eq!(parse_time("500ms"), Some(Duration::from_millis(500)));
    assert_eq!(parse_time("2min"), Some(Duration::from_secs(120)));
    assert_eq!(parse_time("1 h"), Some(Duration::from_secs(3600)));
    for bad in ["", "s", "-1", "1x", "1.5s", "99999999999999999999", "18446744073709551615h"] {
        assert_eq!(parse_time(bad), None, "{bad}");
    }
}
