// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A context of the `docker` command: an Engine under a name, with its certificates.

use super::Material;
use crate::configuration::read;
use ocf::{Error, Result};
use serde_json::Value;
use std::ffi::OsString;
use std::path::Path;

/// What a context says about its Engine.
pub(super) struct Context {
    /// Its host; empty for the default one.
    pub(super) host: String,
    /// Its certificates; none where it has none and needs none.
    pub(super) material: Option<Material>,
}

/// The context of that name, below the directory of the configuration.
///
/// # Errors
/// When there is none, or it says nothing about an Engine.
pub(super) fn find(directory: &Path, name: &str, source: &str) -> Result<Context> {
    let contexts = directory.join("contexts");
    let Some((id, meta)) = find_meta(&contexts.join("meta"), name) else {
        let sentence = format!(
            "docker context {name} ({source}) isn't in {}: create it there, or name another one",
            contexts.display()
        );
        return Err(Error::generic(sentence));
    };
    let Some(endpoint) = meta.pointer("/Endpoints/docker") else {
        return Err(Error::generic(format!("docker context {name} ({source}) names no Engine")));
    };
    let directory = contexts.join("tls").join(id).join("docker");
    let has = |file: &str| directory.join(file).exists();
    let has_material = ["ca.pem", "cert.pem", "key.pem"].into_iter().any(has);
    let skips = endpoint.get("SkipTLSVerify").and_then(Value::as_bool).unwrap_or(false);
    let host = endpoint.get("Host").and_then(Value::as_str).unwrap_or_default();
    let uses_tls = has_material || skips;
    let is_default = host.trim().is_empty();
    Ok(Context {
        host: host.trim().to_owned(),
        material: (uses_tls && !is_default).then_some(Material {
            directory,
            is_verified: !skips,
            needs_authority: false,
        }),
    })
}

/// The `meta.json` with that name, and the directory that it is in: a digest of the name, which is
/// cheaper to look for than to compute.
fn find_meta(directory: &Path, name: &str) -> Option<(OsString, Value)> {
    let entries = std::fs::read_dir(directory).ok()?;
    entries.flatten().find_map(|entry| {
        let bytes = read(&entry.path().join("meta.json")).ok()?;
        let meta: Value = serde_json::from_slice(&bytes).ok()?;
        (meta.get("Name")?.as_str()? == name).then(|| (entry.file_name(), meta))
    })
}
