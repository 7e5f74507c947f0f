// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Runs the real CLI against the stand-in, and keeps what it asks for.

use super::cases::{Case, NAME};
use super::compare::Outcome;
use super::engine::StandIn;
use ocf::Context;
use ocf::command::Command;
use ocf::deadline::Deadline;
use ocf::environment::Environment;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The CLI to record from: `DOCKER_CLI`, or the distribution's.
#[expect(clippy::disallowed_methods, reason = "what the caller of the tests says")]
pub(crate) fn cli() -> PathBuf {
    let path = PathBuf::from(std::env::var_os("DOCKER_CLI").unwrap_or("/usr/bin/docker".into()));
    assert!(path.is_file(), "{} is missing: install Docker's CLI", path.display());
    path
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A CLI, and the stand-in that it talks to.
#[derive(Debug)]
pub(crate) struct Recorder {
    cli: PathBuf,
    folder: PathBuf,
    pub(crate) engine: StandIn,
    pub(crate) version: String,
}

impl Recorder {
    pub(crate) fn new(cli: &std::path::Path) -> Self {
        std::env::set_current_dir("/").unwrap();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("ocf-docker-grammar-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let engine = StandIn::listen(&folder.join("engine.sock"));
        let mut recorder = Self { cli: cli.to_owned(), folder, engine, version: String::new() };
        let (words, _) = recorder.run(&[], ["--version".to_owned()].into());
        recorder.version = words.trim().to_owned();
        recorder
    }

    /// Where the stand-in listens, as in `DOCKER_HOST`.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}/engine.sock", self.folder.display())
    }

    /// stdout and, where it failed, stderr.
    fn run(
        &self,
        environment: &[(String, String)],
        arguments: Vec<String>,
    ) -> (String, Option<String>) {
        let given: Environment = environment.iter().cloned().collect();
        let context = Context::of("validate-all", Duration::from_secs(60), given).unwrap();
        let socket = self.address();
        let mut command = Command::new(&context, self.cli.clone()).args(arguments);
        for (name, value) in environment {
            command = command.env(name, value);
        }
        let limit = Deadline::since(Instant::now(), Duration::from_secs(60));
        let output = command.env("DOCKER_HOST", socket).run(&limit).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), (!output.is_success()).then(|| text(&output.stderr)))
    }

    /// What the CLI asks for.
    pub(crate) fn record(&self, case: &Case) -> Outcome {
        let split =
            |text: &str| text.split([' ', '\t', '\n']).map(str::to_owned).collect::<Vec<_>>();
        let words = ["run", "-d", &format!("--name={NAME}")].map(str::to_owned).into_iter();
        // Pacemaker's mistake: the agent leaves it out, the CLI would refuse it.
        let kept =
            split(&case.options).into_iter().filter(|word| !word.starts_with("--hosts-entry="));
        let all = words.chain(kept).chain([case.image.clone()]).chain(split(&case.command));
        let arguments = all.filter(|word| !word.is_empty()).collect();
        let (_, refusal) = self.run(&case.environment(), arguments);
        // `--cidfile` writes it; the next case must not find it.
        let _ = std::fs::remove_file("/tmp/ocf-docker-grammar-test.cid");
        let requests = self.engine.take();
        match (refusal, requests.as_slice()) {
            (None, [(query, body)]) => Outcome::Made {
                name: value_of(query, "name").unwrap_or_default(),
                platform: value_of(query, "platform"),
                body: body.clone(),
            },
            (Some(words), []) => {
                let says_something =
                    |line: &&str| !line.trim().is_empty() && !line.starts_with("WARNING");
                Outcome::Refused(words.lines().find(says_something).unwrap_or("nothing").to_owned())
            }
            (refusal, requests) => {
                // It started nothing and didn't fail, or failed after it had asked.
                Outcome::Refused(format!("{} requests, {refusal:?}", requests.len()))
            }
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn value_of(query: &str, name: &str) -> Option<String> {
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=')?;
        (key == name).then(|| value.replace("%2F", "/"))
    };
    query.split('&').find_map(pair)
}

/// One line of a recording.
pub(crate) fn to_line(case: &Case, outcome: &Outcome) -> String {
    let line = match outcome {
        Outcome::Refused(words) => json!({"case": case.line, "refused": words}),
        Outcome::Made { name, platform, body } => {
            json!({"case": case.line, "name": name, "platform": platform, "body": body})
        }
    };
    line.to_string().replace(super::cases::FOLDER, "@folder@")
}

/// The same, back.
pub(crate) fn from_line(line: &str) -> Option<(String, Outcome)> {
    let value: Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let outcome = match (text("refused"), value.get("body")) {
        (Some(words), _) => Outcome::Refused(words),
        (None, Some(body)) => {
            Outcome::Made { name: text("name")?, platform: text("platform"), body: body.clone() }
        }
        (None, None) => return None,
    };
    Some((text("case")?, outcome))
}
