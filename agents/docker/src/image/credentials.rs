// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Who we are to a registry, as Docker's configuration says: a helper for the registry, else the
//! general helper, else what `docker login` left in `config.json`.
//!
//! A helper that fails is no error yet, as it is none to the `docker` command: the image may be for
//! everybody. Where the registry then refuses, the reason says that the helper had failed.

use super::reference::Name;
use crate::configuration::Configuration;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bollard::auth::DockerCredentials;
use ocf::command::Command;
use ocf::deadline::Deadline;
use ocf::{Context, tracing};
use serde_json::Value;

/// Under which address Docker Hub's credentials are kept.
const HUB: &str = "https://index.docker.io/v1/";
/// What a helper calls the user when the secret is a token.
const TOKEN: &str = "<token>";

/// What there is for a registry. Never logged: it is a secret.
pub(super) struct Found {
    /// Sent with the pull.
    pub(super) credentials: Option<DockerCredentials>,
    trouble: Option<String>,
}

impl Found {
    /// What to do when the registry refuses us, as an addition to the reason.
    pub(super) fn hint(&self, message: &str) -> String {
        let message = message.to_lowercase();
        let is_about_us = ["unauthorized", "denied", "credentials", "authentication"];
        match &self.trouble {
            _ if !is_about_us.iter().any(|word| message.contains(word)) => String::new(),
            Some(trouble) => format!(" ({trouble})"),
            None if self.credentials.is_none() => {
                " (this node has no login for it: see docker login)".to_owned()
            }
            None => String::new(),
        }
    }
}

/// The credentials for an image's registry.
pub(super) fn find(context: &Context, name: &Name, deadline: &Deadline) -> Found {
    let configuration = Configuration::of(context.environment());
    let address = if name.is_on_hub() { HUB } else { name.registry.as_str() };
    let trouble = configuration
        .trouble
        .as_ref()
        .map(|why| format!("{} can't be used: {why}", configuration.file.display()));
    let in_file = from_file(&configuration.value, address);
    let found = match find_helper(&configuration.value, address) {
        None => Found { credentials: in_file, trouble },
        Some(helper) => match ask(context, helper, address, deadline) {
            Ok(credentials) => Found { credentials, trouble },
            Err(why) => Found { credentials: None, trouble: Some(why) },
        },
    };
    if let Some(trouble) = &found.trouble {
        tracing::warn!("credentials for {}: {trouble}", name.registry);
    }
    found
}

/// The helper that keeps a registry's credentials.
fn find_helper<'a>(configuration: &'a Value, address: &str) -> Option<&'a str> {
    let own = configuration.get("credHelpers").and_then(|helpers| helpers.get(address));
    let general = || configuration.get("credsStore");
    let helper = own.and_then(Value::as_str).or_else(|| general().and_then(Value::as_str));
    helper.filter(|helper| !helper.is_empty())
}

/// What `docker login` left in the file. Old ones keep whole addresses.
fn from_file(configuration: &Value, address: &str) -> Option<DockerCredentials> {
    let kept = configuration.get("auths")?.as_object()?;
    let of_host = || kept.iter().find(|(key, _)| host(key) == address).map(|(_, entry)| entry);
    let entry = kept.get(address).or_else(of_host)?;
    let text = |name: &str| {
        let text = entry.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let pair = text("auth").and_then(|auth| decode(&auth));
    let (username, password) = match pair {
        Some((username, password)) => (Some(username), Some(password)),
        None => (text("username"), text("password")),
    };
    let found = DockerCredentials {
        username,
        password,
        identitytoken: text("identitytoken"),
        registrytoken: text("registrytoken"),
        serveraddress: Some(address.to_owned()),
        ..DockerCredentials::default()
    };
    let is_there =
        found.username.is_some() || found.identitytoken.is_some() || found.registrytoken.is_some();
    is_there.then_some(found)
}

/// `https://reg.io/v1/` is kept for `reg.io`.
fn host(address: &str) -> &str {
    let rest = ["http://", "https://"].iter().find_map(|scheme| address.strip_prefix(scheme));
    rest.unwrap_or(address).split('/').next().unwrap_or_default()
}

/// `user:password`, encoded.
fn decode(auth: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(auth.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.trim_matches('\0').to_owned()))
}

/// Asks a helper: it is told the registry on stdin, and answers on stdout; the secret is in no
/// argument, no variable and no log.
fn ask(
    context: &Context,
    helper: &str,
    address: &str,
    deadline: &Deadline,
) -> Result<Option<DockerCredentials>, String> {
    let program = format!("docker-credential-{helper}");
    if helper.contains('/') {
        return Err(format!("{program} is no program's name"));
    }
    let mut command = Command::new(context, &program).arg("get").stdin(address);
    // A helper reads its own settings from the environment; the resource's are not among them.
    for (name, value) in context.environment().iter() {
        let text = name.as_encoded_bytes();
        if !text.starts_with(b"OCF_") && text != b"PATH" && !text.starts_with(b"LC_") {
            command = command.env(name, value);
        }
    }
    let output = command.run(deadline).map_err(|failure| failure.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.is_success() {
        if said.contains("credentials not found") {
            return Ok(None);
        }
        let said =
            if said.trim().is_empty() { output.last_words() } else { said.trim().to_owned() };
        let said: String = said.lines().next().unwrap_or_default().chars().take(100).collect();
        return Err(format!("{program} failed: {said}"));
    }
    let answer: Value =
        serde_json::from_str(&said).map_err(|_| format!("{program} answered no JSON"))?;
    Ok(of_helper(&answer, address))
}

/// What a helper answers: a user and a secret, which may be a token.
fn of_helper(answer: &Value, address: &str) -> Option<DockerCredentials> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    let (user, secret) = (text("Username")?, text("Secret")?);
    let is_token = user == TOKEN;
    let (identitytoken, password) =
        if is_token { (Some(secret), None) } else { (None, Some(secret)) };
    Some(DockerCredentials {
        username: (!is_token).then_some(user),
        password,
        identitytoken,
        serveraddress: Some(address.to_owned()),
        ..DockerCredentials::default()
    })
}

#[cfg(test)]
mod tests;
