// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the container's process gets: environment, labels, health check.

use super::flags::{Flags, quoted, wrong};
use super::numbers;
use bollard::models::HealthConfig;
use ocf::Result;
use ocf::environment::Environment;

/// `--env`: a name alone takes its value from the agent's own environment, and is passed on alone
/// where that has none. The last of a name counts. No value is ever part of a sentence.
pub(super) fn variables(flags: &Flags, environment: &Environment) -> Result<Vec<String>> {
    let mut variables: Vec<String> = Vec::new();
    let mut places = std::collections::HashMap::new();
    let all = flags.read_many("env", |value| variable(value, environment))?;
    for (name, text) in all {
        let at = *places.entry(name).or_insert(variables.len());
        match variables.get_mut(at) {
            Some(earlier) => *earlier = text,
            None => variables.push(text),
        }
    }
    Ok(variables)
}

fn variable(value: &str, environment: &Environment) -> Result<(String, String), String> {
    let (name, has_value) = match value.split_once('=') {
        Some((name, _)) => (name, true),
        None => (value, false),
    };
    if name.is_empty() {
        return Err("a value has no name before its =".to_owned());
    }
    let own = || environment.get(name).and_then(|value| value.to_str());
    let text = match (has_value, has_value.then_some("").or_else(own)) {
        (false, Some(own)) => format!("{name}={own}"),
        _ => value.to_owned(),
    };
    Ok((name.to_owned(), text))
}

/// One `--label`: looked at, not taken apart.
pub(super) fn label(value: &str) -> Result<String, String> {
    let key = value.split('=').next().unwrap_or_default().trim_start_matches([' ', '\t']);
    if key.is_empty() {
        return Err(format!("{} has no name before its =", quoted(value)));
    }
    Ok(value.to_owned())
}

/// `--health-*` and `--no-healthcheck`.
pub(super) fn health(flags: &Flags) -> Result<Option<HealthConfig>> {
    let time = |name: &'static str| -> Result<i64> {
        match flags.read_one(name, numbers::duration)?.unwrap_or_default() {
            time if time < 0 => Err(wrong(name, "it can't be negative")),
            time => Ok(time),
        }
    };
    let retries = flags.read_one("health-retries", numbers::integer)?.unwrap_or_default();
    if retries < 0 {
        return Err(wrong("health-retries", "it can't be negative"));
    }
    let command = flags.filled("health-cmd");
    let config = HealthConfig {
        test: command.map(|command| vec!["CMD-SHELL".to_owned(), command.to_owned()]),
        interval: Some(time("health-interval")?),
        timeout: Some(time("health-timeout")?),
        retries: Some(retries),
        start_period: Some(time("health-start-period")?),
        start_interval: Some(time("health-start-interval")?),
    };
    let times = [config.interval, config.timeout, config.start_period, config.start_interval];
    let is_set =
        command.is_some() || retries != 0 || times.into_iter().flatten().any(|time| time != 0);
    if !flags.is_on("no-healthcheck")? {
        return Ok(is_set.then_some(config));
    }
    if is_set {
        return Err(wrong("no-healthcheck", "it contradicts the flags --health-…: leave one out"));
    }
    let none = HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() };
    Ok(Some(none))
}

/// `--entrypoint` is one word; empty, it takes the image's own away.
pub(super) fn entrypoint(flags: &Flags) -> Option<Vec<String>> {
    flags.one("entrypoint").map(|program| vec![program.to_owned()])
}

/// `NAME:ALIAS` or `NAME`.
pub(super) fn link(value: &str) -> Result<String, String> {
    if value.is_empty() || value.split(':').count() > 2 {
        return Err(format!("{} is not NAME:ALIAS", quoted(value)));
    }
    Ok(value.to_owned())
}
