// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The cases, and what the agent makes of them.

use super::compare::Outcome;
use ocf::environment::Environment;
use ocf_docker::options::{self, Input, Pull};

/// Where the cases and the files that they name are.
pub(crate) const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/grammar");

/// The name that every container gets.
pub(crate) const NAME: &str = "web";

/// One line of `cases.txt`.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) line: String,
    pub(crate) options: String,
    pub(crate) image: String,
    pub(crate) command: String,
    has_proxies: bool,
}

impl Case {
    fn of(line: &str) -> Self {
        let (has_proxies, words) = match line.strip_prefix("proxies! ") {
            Some(words) => (true, words),
            None => (false, line),
        };
        let mut parts = words.split(" %%");
        let mut part = || parts.next().unwrap_or_default();
        let (options, image, command) = (part(), part().trim(), part().trim());
        let options =
            options.strip_prefix('|').map_or(options, |text| text.strip_suffix('|').unwrap());
        let image = if image.is_empty() { "registry.example/web:1" } else { image };
        Self {
            line: line.to_owned(),
            options: options.replace("@files@", &format!("{FOLDER}/files")),
            image: image.to_owned(),
            command: command.to_owned(),
            has_proxies,
        }
    }

    /// What both the CLI and the agent are called with.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let folder = if self.has_proxies { "proxies" } else { "none" };
        let pairs = [
            ("HOME", "/nonexistent".to_owned()),
            ("DOCKER_CONFIG", format!("{FOLDER}/files/{folder}")),
            ("GREETING", "hello world".to_owned()),
            ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }

    /// What the agent would ask an Engine for that can do everything.
    pub(crate) fn outcome(&self) -> Outcome {
        self.outcome_for(None)
    }

    /// What it would ask an Engine of some version for.
    pub(crate) fn outcome_for(&self, api: Option<(usize, usize)>) -> Outcome {
        std::env::set_current_dir("/").unwrap();
        let environment: Environment = self.environment().into_iter().collect();
        let input = Input {
            name: NAME,
            options: &self.options,
            image: &self.image,
            command: &self.command,
        };
        let mut launch = match options::parse(&input, &environment) {
            Ok(launch) => launch,
            Err(error) => return Outcome::Refused(error.to_string()),
        };
        if let Some(Err(error)) = api.map(|api| launch.suit(api)) {
            return Outcome::Refused(error.to_string());
        }
        if let Some(flag) = launch.unmapped.first() {
            return Outcome::Refused(format!("left to the CLI: {flag}"));
        }
        if let Err(error) = launch.complete(&environment, "unix:///run/docker.sock") {
            return Outcome::Refused(error.to_string());
        }
        assert!(matches!(launch.pull, Pull::Missing | Pull::Always | Pull::Never));
        Outcome::Made {
            name: launch.name,
            platform: launch.platform,
            body: serde_json::to_value(&launch.body).unwrap(),
        }
    }
}

/// Every case.
pub(crate) fn all() -> Vec<Case> {
    let lines = include_str!("cases.txt").lines();
    lines.filter(|line| !line.is_empty() && !line.starts_with("# ")).map(Case::of).collect()
}
