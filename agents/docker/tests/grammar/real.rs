// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The same Engine makes the same container of the CLI's request and of ours: what it says of both is
//! compared, field by field. So it is seen that what `compare` takes for the same is the same.

use super::cases::{self, Case, NAME};
use super::compare::{Outcome, own_way};
use super::recorder::{Recorder, cli};
use docker_tests::Engine;
use serde_json::Value;
use std::collections::BTreeSet;

const IMAGE: &str = "web:1";

/// What an Engine made of a request: all that it says of the container, or its refusal.
fn made(engine: &Engine, version: &str, query: &str, body: &Value) -> (u16, Value) {
    let mut body = body.clone();
    body["Image"] = IMAGE.into();
    // The CLI shuffles these.
    for list in ["/Env", "/HostConfig/Binds"] {
        if let Some(Value::Array(items)) = body.pointer_mut(list) {
            items.sort_by_key(Value::to_string);
        }
    }
    let path = format!("/v{version}/containers/create?name={NAME}{query}");
    let answer = engine.api().ask("POST", &path, body.to_string().as_bytes()).unwrap();
    if answer.status != 201 {
        return (answer.status, words(&anonymous(&answer.to_string())));
    }
    let mut seen = engine.api().inspect(NAME).unwrap();
    let id = seen["Id"].as_str().unwrap().to_owned();
    engine.remove(NAME);
    let fields = seen.as_object_mut().unwrap();
    fields.remove("Created");
    // It lists them in no order.
    if let Some(Value::Array(mounts)) = fields.get_mut("Mounts") {
        mounts.sort_by_key(Value::to_string);
    }
    // It is nowhere but on an Engine of before 1.42, and left out with a warning.
    fields.get_mut("HostConfig").unwrap().as_object_mut().unwrap().remove("KernelMemory");
    let text = seen.to_string().replace(&id[..12], "ID");
    (answer.status, spoken(&serde_json::from_str(&anonymous(&text)).unwrap()))
}

/// An empty list and none are the same, but for two that replace the Engine's own; an old Engine
/// keeps the letters of capabilities and of a card's address as they were written.
fn spoken(value: &Value) -> Value {
    let is_said = |key: &str, value: &Value| {
        let is_empty = value.as_array().is_some_and(Vec::is_empty);
        let is_bare =
            key == "DriverConfig" && value.as_object().is_some_and(serde_json::Map::is_empty);
        !value.is_null()
            && !is_bare
            && (!is_empty || ["MaskedPaths", "ReadonlyPaths"].contains(&key))
    };
    match value {
        Value::Object(fields) => {
            let said = fields.iter().filter(|(key, value)| is_said(key, value));
            let pair = |(key, value): (&String, &Value)| match key.as_str() {
                "CapAdd" | "CapDrop" => (key.clone(), capabilities(value)),
                "MacAddress" => (key.clone(), address(value)),
                _ => (key.clone(), spoken(value)),
            };
            Value::Object(said.map(pair).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(spoken).collect()),
        other => other.clone(),
    }
}

/// The words of a refusal, in no order: an Engine lists several networks in the order of a map.
fn words(text: &str) -> Value {
    let is_between = |c: char| !c.is_alphanumeric() && !"._-:/=".contains(c);
    let mut words: Vec<&str> = text.split(is_between).filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words.join(" ").into()
}

fn address(text: &Value) -> Value {
    text.as_str().unwrap().to_lowercase().replace('-', ":").into()
}

fn capabilities(names: &Value) -> Value {
    let full = |name: &Value| {
        let name = name.as_str().unwrap().to_uppercase();
        if name == "ALL" || name.starts_with("CAP_") { name } else { format!("CAP_{name}") }
    };
    let all: BTreeSet<String> = names.as_array().unwrap().iter().map(full).collect();
    serde_json::json!(all)
}

/// Without IDs and names of anonymous volumes.
fn anonymous(text: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    for char in text.chars().chain(['\n']) {
        if char.is_ascii_hexdigit() && !char.is_ascii_uppercase() {
            run.push(char);
            continue;
        }
        out.push_str(if run.len() >= 52 { "ID" } else { &run });
        run.clear();
        out.push(char);
    }
    out.trim_end().replace("IDID", "ID")
}

/// What the agent would ask an Engine of this version itself.
fn ours(case: &Case, version: (usize, usize)) -> Option<(Option<String>, Value)> {
    match case.outcome_for(Some(version)) {
        Outcome::Made { platform, body, .. } => Some((platform, body)),
        Outcome::Refused(_) => None,
    }
}

#[test]
#[ignore = "needs Docker's CLI and an Engine: make test-docker"]
fn a_real_engine_sees_no_difference() {
    let engine = Engine::empty(&[]);
    let imported = engine
        .api()
        .ask("POST", "/images/create?fromSrc=-&repo=web&tag=1&changes=CMD%20/true", &[0; 1024])
        .unwrap();
    assert_eq!(imported.status, 200, "{imported}");
    let about = engine.api().ask("GET", "/version", b"").unwrap().json();
    let version = about["ApiVersion"].as_str().unwrap().to_owned();
    let (major, minor) = version.split_once('.').unwrap();
    let number = (major.parse().unwrap(), minor.parse().unwrap());
    let recorder = Recorder::new(&cli());
    let (mut made_same, mut refused_same, mut left, mut faults) = (0, 0, Vec::new(), Vec::new());
    for case in cases::all() {
        if own_way(&case, &recorder.version).is_some() {
            left.push(case.line);
            continue;
        }
        let Outcome::Made { body: theirs, platform: their_platform, .. } = recorder.record(&case)
        else {
            continue;
        };
        let Some((platform, body)) = ours(&case, number) else {
            left.push(case.line);
            continue;
        };
        let query = |platform: Option<String>| {
            platform.map_or(String::new(), |name| format!("&platform={name}"))
        };
        let theirs = made(&engine, &version, &query(their_platform), &theirs);
        let ours = made(&engine, &version, &query(platform), &body);
        if ours != theirs {
            faults.push(format!("{}\n  ours   {}\n  theirs {}", case.line, ours.1, theirs.1));
        } else if ours.0 == 201 {
            made_same += 1;
        } else {
            refused_same += 1;
        }
    }
    println!(
        "Engine with API {version}: {made_same} containers are the same, {refused_same} requests are refused \
         with the same words, {} are for the CLI or refused before",
        left.len()
    );
    left.iter().for_each(|line| println!("not asked: {line}"));
    assert!(faults.is_empty(), "{} differ:\n{}", faults.len(), faults.join("\n"));
    assert!(made_same >= 190, "only {made_same}");
}
