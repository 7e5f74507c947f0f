// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Two requests are the same when all of them is: the name, the platform, the whole body. Go writes a
//! field that has no value as null, "", 0, [] or {}, or leaves it out: where that means the same to the
//! Engine, it is the same here.

use super::cases::Case;
use serde_json::Value;

/// What became of a case.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// A request to make a container.
    Made { name: String, platform: Option<String>, body: Value },
    /// A refusal, in its own words.
    Refused(String),
}

/// Whose request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cli<'a> {
    /// The newest, which is recorded.
    Newest,
    /// The one on this machine, of any age: what it says to `--version`.
    Installed(&'a str),
}

/// A part of the body that isn't compared, or not as it stands.
struct Excluded {
    path: &'static str,
    /// Only where there is nothing in it.
    when_empty: bool,
    reason: &'static str,
}

/// At most ten, each with its reason; all of them concern older CLIs. Against the newest all is compared.
const EXCLUDED: &[Excluded] = &[
    Excluded {
        path: "NetworkingConfig/EndpointsConfig/*",
        when_empty: true,
        reason: "CLI 20.10 leaves a network without settings out; it says nothing",
    },
    Excluded {
        path: "NetworkingConfig/EndpointsConfig/*/MacAddress",
        when_empty: false,
        reason: "CLI 28 sends the letters as written; for an Engine before API 1.44 we use the CLI",
    },
    Excluded {
        path: "MacAddress",
        when_empty: false,
        reason: "its place before API 1.44, for which we use the CLI",
    },
    Excluded {
        path: "HostConfig/KernelMemory",
        when_empty: false,
        reason: "CLIs 20.10 and 28 send it; we leave it out with a warning",
    },
    Excluded {
        path: "HostConfig/CapAdd",
        when_empty: false,
        reason: "CLI 20.10 leaves the normal form to the Engine",
    },
    Excluded { path: "HostConfig/CapDrop", when_empty: false, reason: "as CapAdd" },
];

/// Cases in which a CLI of a version does something else, and what.
const OF_A_VERSION: &[(&str, &str, &str)] = &[
    ("20.10", "-v ./rel:/data", RELATIVE),
    ("20.10", "-v ../rel:/data", RELATIVE),
    ("20.10", "--mount type=bind,source=./a,target=/b,ro=true", RELATIVE),
    ("26.1", "-v ../rel:/data", RELATIVE),
    ("26.1", "--device-read-bps /dev/sda:1mb --device-write-bps /dev/sda:2m", FORGOTTEN),
    ("26.1", "--device-read-iops /dev/sda:1000 --device-write-iops /dev/sda:500", FORGOTTEN),
];
const RELATIVE: &str = "it leaves the path relative, and its Engine refuses it";
const FORGOTTEN: &str = "it forgets the rates, which those before and after it send";

/// Cases that are refused here though the newest CLI takes them, or the other way round, and why.
const DIFFERENT: &[(&str, &str)] = &[
    ("word", "it would become the image, and the image its first argument"),
    ("--name=other", "the agent would never find that container again"),
    (
        "--mount type=bind,src=/a,dst=/b,bind-nonrecursive",
        "CLIs 20.10 and 28 take it, and so does every Engine: a running cluster may have it",
    ),
    (
        "--mount \"type=bind,src=/a\",dst=/b",
        "no Engine knows that type: it would refuse the request",
    ),
    ("--mount type=other,dst=/b", "no Engine knows that type: it would refuse the request"),
    ("--mount type=bind,src=/a", "no Engine mounts without a target: it would refuse the request"),
    ("--isolation nonsense", "an Engine on Linux would refuse the request"),
    ("--restart sometimes", "no Engine knows that policy: it would refuse the request"),
];

/// Fields where nothing, and a value that is empty or zero, are not the same to the Engine.
const TELLING: &[&str] = &[
    "Entrypoint",
    "StopTimeout",
    "HostConfig/Init",
    "HostConfig/MaskedPaths",
    "HostConfig/ReadonlyPaths",
    "HostConfig/MemorySwappiness",
    "HostConfig/OomKillDisable",
    "HostConfig/PidsLimit",
];

/// Maps whose keys somebody chose: their values stay whatever they are.
const MAPS: &[&str] = &[
    "Labels",
    "Volumes",
    "ExposedPorts",
    "HostConfig/Annotations",
    "HostConfig/LogConfig/Config",
    "HostConfig/PortBindings",
    "HostConfig/StorageOpt",
    "HostConfig/Sysctls",
    "HostConfig/Tmpfs",
    "HostConfig/DeviceRequests/*/Options",
    "HostConfig/Mounts/*/VolumeOptions/Labels",
    "HostConfig/Mounts/*/VolumeOptions/DriverConfig/Options",
    "NetworkingConfig/EndpointsConfig",
    "NetworkingConfig/EndpointsConfig/*/DriverOpts",
];

/// Lists whose order the CLI itself shuffles.
const SETS: &[&str] = &["Env", "HostConfig/Binds"];

/// What differs, a line each.
pub(crate) fn compare(case: &Case, ours: &Outcome, theirs: &Outcome, cli: Cli<'_>) -> Vec<String> {
    let fault = |what: String| vec![format!("{}\n    {what}", case.line)];
    if let Cli::Installed(version) = cli
        && let Some(reason) = own_way(case, version)
    {
        println!("not compared: {}: {reason}", case.line);
        return Vec::new();
    }
    let different = DIFFERENT.iter().find(|(line, _)| *line == case.line);
    match (ours, theirs, different) {
        (Outcome::Made { .. }, Outcome::Made { .. }, Some(_))
        | (Outcome::Refused(_), Outcome::Refused(_), Some(_))
            if cli == Cli::Newest =>
        {
            fault("it is in the table of differences, and there is none".to_owned())
        }
        (Outcome::Refused(_), Outcome::Refused(_), _) => Vec::new(),
        (Outcome::Refused(_), Outcome::Made { .. }, Some(_))
        | (Outcome::Made { .. }, Outcome::Refused(_), Some(_)) => Vec::new(),
        (Outcome::Refused(words), Outcome::Made { .. }, None) => {
            fault(format!("only we refuse: {words}"))
        }
        (Outcome::Made { .. }, Outcome::Refused(words), None) => {
            fault(format!("only the CLI refuses: {words}"))
        }
        (
            Outcome::Made { name, platform, body },
            Outcome::Made { name: their_name, platform: their_platform, body: their_body },
            _,
        ) => {
            let mut faults = Vec::new();
            if (name, platform) != (their_name, their_platform) {
                faults.push(format!(
                    "asked for {name} {platform:?}, the CLI {their_name} {their_platform:?}"
                ));
            }
            let (ours, theirs) = (normal(body, "", cli), normal(their_body, "", cli));
            differences(&ours, &theirs, "", &mut faults);
            let lines = |fault| format!("{}\n    {fault}", case.line);
            faults.into_iter().map(lines).collect()
        }
    }
}

/// Why a CLI of this version does something else in a case.
pub(crate) fn own_way(case: &Case, version: &str) -> Option<&'static str> {
    let is_so = |(number, line, _): &&(&str, &str, &str)| {
        version.contains(&format!("version {number}.")) && *line == case.line
    };
    OF_A_VERSION.iter().find(is_so).map(|(_, _, reason)| *reason)
}

fn is_excluded(path: &str, value: &Value, cli: Cli<'_>) -> bool {
    let fits = |one: &Excluded| one.path == path && (!one.when_empty || is_nothing(value));
    cli != Cli::Newest && EXCLUDED.iter().any(fits)
}

/// A body as the Engine understands it.
fn normal(value: &Value, path: &str, cli: Cli<'_>) -> Value {
    match value {
        Value::Object(fields) => {
            let is_map = MAPS.contains(&path);
            let below = |key: &str| match (is_map, path) {
                (true, _) => format!("{path}/*"),
                (false, "") => key.to_owned(),
                (false, _) => format!("{path}/{key}"),
            };
            let kept = fields.iter().filter_map(|(key, value)| {
                let path = below(key);
                let value = normal(value, &path, cli);
                let says_nothing = match TELLING.contains(&path.as_str()) {
                    true => value.is_null(),
                    false => is_nothing(&value),
                };
                let is_excluded = is_excluded(&path, &value, cli);
                let is_dropped = is_excluded || (!is_map && says_nothing);
                (!is_dropped).then(|| (key.clone(), value))
            });
            Value::Object(kept.collect())
        }
        Value::Array(items) => {
            let path = format!("{path}/*");
            let mut items: Vec<Value> = items.iter().map(|item| normal(item, &path, cli)).collect();
            if SETS.iter().any(|set| path == format!("{set}/*")) {
                items.sort_by_key(Value::to_string);
            }
            Value::Array(items)
        }
        other => other.clone(),
    }
}

/// What Go means by a field without a value.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(is_on) => !is_on,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

fn differences(ours: &Value, theirs: &Value, path: &str, faults: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(our_fields), Value::Object(their_fields)) => {
            let keys = our_fields
                .keys()
                .chain(their_fields.keys().filter(|key| !our_fields.contains_key(*key)));
            for key in keys {
                let (ours, theirs) = (our_fields.get(key), their_fields.get(key));
                let null = &Value::Null;
                let path = format!("{path}/{key}");
                differences(ours.unwrap_or(null), theirs.unwrap_or(null), &path, faults);
            }
        }
        (ours, theirs) if ours == theirs => {}
        (ours, theirs) => faults.push(format!("{path}: {ours}, the CLI {theirs}")),
    }
}

/// What isn't compared, for the log of the tests.
pub(crate) fn print_table() {
    assert!(EXCLUDED.len() <= 10, "{} excluded fields", EXCLUDED.len());
    for one in EXCLUDED {
        println!("not compared with the installed CLI: {}: {}", one.path, one.reason);
    }
    for (line, reason) in DIFFERENT {
        println!("differs on purpose: {line}: {reason}");
    }
}
