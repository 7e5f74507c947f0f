// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Files that run_opts name: `--env-file`, `--label-file`, profiles of seccomp; and the proxies in the
//! client's configuration. All of them are of this node, and so are their faults.

use super::flags::Flags;
use super::{process, security};
use crate::configuration::{self, Configuration};
use bollard::models::ContainerCreateBody;
use ocf::environment::Environment;
use ocf::error::describe;
use ocf::{Error, Result};
use std::collections::HashMap;
use std::path::Path;

/// What the words say, and the files that they name.
#[derive(Debug, Default)]
pub(super) struct Files {
    variables: Vec<String>,
    variable_files: Vec<String>,
    labels: Vec<String>,
    label_files: Vec<String>,
}

/// The part of the client's `config.json` that changes containers.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Proxies {
    http_proxy: String,
    https_proxy: String,
    no_proxy: String,
    ftp_proxy: String,
    all_proxy: String,
}

impl Files {
    pub(super) fn named_by(flags: &Flags, environment: &Environment) -> Result<Self> {
        Ok(Self {
            variables: process::variables(flags, environment)?,
            variable_files: flags.list("env-file").unwrap_or_default(),
            labels: flags.read_many("label", process::label)?,
            label_files: flags.list("label-file").unwrap_or_default(),
        })
    }

    /// The variables that stand in the words.
    pub(super) fn variables(&self) -> Vec<String> {
        self.variables.clone()
    }

    /// The labels that stand in the words.
    pub(super) fn labels(&self) -> HashMap<String, String> {
        map(&self.labels)
    }

    /// Puts what the files say before what the words say, which so counts more.
    pub(super) fn fill(
        &self,
        body: &mut ContainerCreateBody,
        environment: &Environment,
        engine: &str,
        warnings: &mut Vec<String>,
    ) -> Result<()> {
        let own = |name: &str| environment.get(name).and_then(|value| value.to_str());
        let mut variables = Vec::new();
        for file in &self.variable_files {
            variables.extend(lines("env-file", file, own)?);
        }
        variables.extend(self.variables.clone());
        variables.extend(self.proxies(environment, engine, warnings));
        body.env = Some(variables);
        let mut labels = Vec::new();
        for file in &self.label_files {
            labels.extend(lines("label-file", file, |_| None)?);
        }
        labels.extend(self.labels.clone());
        body.labels = Some(map(&labels));
        let options = body.host_config.as_mut().and_then(|host| host.security_opt.as_mut());
        for option in options.into_iter().flatten() {
            if let Some(file) = security::seccomp_file(option) {
                *option = format!("seccomp={}", profile(file)?);
            }
        }
        Ok(())
    }

    /// The proxies that the client's configuration has for this Engine, in capitals and small, as far as
    /// the words don't say otherwise.
    fn proxies(
        &self,
        environment: &Environment,
        engine: &str,
        warnings: &mut Vec<String>,
    ) -> Vec<String> {
        let configuration = Configuration::of(environment);
        if let Some(trouble) = &configuration.trouble {
            warnings.push(format!("{} is not used: {trouble}", configuration.file.display()));
        }
        let Some(proxies) = proxies_for(&configuration.value, engine) else { return Vec::new() };
        let is_said =
            |name: &str| self.variables.iter().any(|text| text.split('=').next() == Some(name));
        let pairs = [
            ("HTTP_PROXY", &proxies.http_proxy),
            ("HTTPS_PROXY", &proxies.https_proxy),
            ("NO_PROXY", &proxies.no_proxy),
            ("FTP_PROXY", &proxies.ftp_proxy),
            ("ALL_PROXY", &proxies.all_proxy),
        ];
        let set = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        let both =
            set.flat_map(|(name, value)| [(name.to_owned(), value), (name.to_lowercase(), value)]);
        both.filter(|(name, _)| !is_said(name))
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }
}

/// The proxies for an Engine, as the client's configuration has them.
fn proxies_for(value: &serde_json::Value, engine: &str) -> Option<Proxies> {
    let all = value.get("proxies")?;
    let one = all.get(engine).or_else(|| all.get("default"))?;
    serde_json::from_value(one.clone()).ok()
}

/// The text of a regular file.
fn text_of(path: &str) -> Result<String, String> {
    let bytes = configuration::read(Path::new(path)).map_err(|error| describe(&error))?;
    String::from_utf8(bytes).map_err(|_| "it is no UTF-8 text".to_owned())
}

fn wrong(flag: &str, file: &str, cause: &str) -> Error {
    let file = super::quoted(file);
    Error::args(format!("run_opts: --{flag} {file}: {cause}"))
}

/// Lines `NAME=VALUE`; a name alone counts where `own` knows it. No line is part of a sentence: it may
/// hold a secret.
fn lines<'a>(flag: &str, file: &str, own: impl Fn(&str) -> Option<&'a str>) -> Result<Vec<String>> {
    let text = text_of(file).map_err(|cause| wrong(flag, file, &cause))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut all = Vec::new();
    for (number, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let number = number + 1;
        let name = line.split('=').next().unwrap_or_default();
        if name.is_empty() {
            return Err(wrong(flag, file, &format!("line {number} has no name before its =")));
        }
        if name.contains([' ', '\t']) {
            return Err(wrong(flag, file, &format!("line {number} has a blank in its name")));
        }
        if line.contains('=') {
            all.push(line.to_owned());
        } else if let Some(value) = own(name) {
            all.push(format!("{name}={value}"));
        }
    }
    Ok(all)
}

/// A profile as compact JSON; the order and the numbers stay as they are written.
fn profile(file: &str) -> Result<String> {
    let refuse = |cause: &str| wrong("security-opt", &format!("seccomp={file}"), cause);
    let text = text_of(file).map_err(|cause| refuse(&cause))?;
    serde_json::from_str::<serde::de::IgnoredAny>(&text).map_err(|_| refuse("it is no JSON"))?;
    let mut compact = String::with_capacity(text.len());
    let (mut is_text, mut is_escaped) = (false, false);
    for char in text.chars() {
        if is_text {
            (is_text, is_escaped) = (is_escaped || char != '"', !is_escaped && char == '\\');
            compact.push(char);
        } else if !matches!(char, ' ' | '\t' | '\r' | '\n') {
            is_text = char == '"';
            compact.push(char);
        }
    }
    Ok(compact)
}

fn map(lines: &[String]) -> HashMap<String, String> {
    let pair = |line: &String| {
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        (key.to_owned(), value.to_owned())
    };
    lines.iter().map(pair).collect()
}
