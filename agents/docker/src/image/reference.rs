// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How an image is named: the grammar of the distribution project's references, and IDs.
//!
//! The Engine itself takes any beginning of an ID for the image, however short: `cafe` would be a
//! repository today and some other image tomorrow. Here an ID is `sha256:` and at least 12 digits, or
//! 64 digits; 12 to 63 digits without the prefix are a repository where there is one of that name and
//! an ID otherwise, as people copy them from `docker images`; anything shorter is a name only.

use ocf::{Error, Result};
use std::fmt;

/// The registry that is meant where none is named.
const HUB: &str = "docker.io";
/// Its other name.
const OLD_HUB: &str = "index.docker.io";
/// Where its images without a path are.
const OFFICIAL: &str = "library/";
/// The tag that is meant where neither a tag nor a digest is named.
const LATEST: &str = "latest";
/// No reference is longer (RepositoryNameTotalLengthMax).
const LONGEST_NAME: usize = 255;
/// No tag is longer.
const LONGEST_TAG: usize = 128;
/// As many digits of an ID as `docker images` shows.
const SHORT_ID: usize = 12;
/// All of them.
const WHOLE_ID: usize = 64;

/// An image, as somebody named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    text: String,
    name: Option<Name>,
    id: Option<String>,
}

/// A repository, and what is meant of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    /// The registry, `docker.io` where none is named.
    pub(crate) registry: String,
    path: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl Reference {
    /// The reference that a text is; blanks around it don't count.
    ///
    /// # Errors
    /// `configured` (6): it is none, on no node.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if let Some(id) = parse_id(text) {
            let is_name = id.len() < WHOLE_ID && !text.starts_with("sha256:");
            let name = if is_name { Name::parse(text).ok() } else { None };
            return Ok(Self { text: text.to_owned(), name, id: Some(id) });
        }
        let name = Name::parse(text).map_err(|why| {
            let shown: String = text.chars().take(60).map(printable).collect();
            Error::configured(format!("image {shown} is no reference: {why}"))
        })?;
        Ok(Self { text: text.to_owned(), name: Some(name), id: None })
    }

    /// The name, where it is one; an ID can't be pulled.
    pub(crate) const fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// What the Engine is asked for.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether an image that the Engine has found is the one that is meant, by its ID and by the
    /// names that it has there.
    pub(crate) fn is_met_by<'a>(&self, id: &str, mut names: impl Iterator<Item = &'a str>) -> bool {
        let hex = id.strip_prefix("sha256:").unwrap_or(id);
        let has_id = self.id.as_deref().is_some_and(|wanted| hex.starts_with(wanted));
        has_id || self.name.as_ref().is_some_and(|name| names.any(|other| name.is_met_by(other)))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Name {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(parse_digest(digest)?)),
            None => (text, None),
        };
        // A colon before a slash is that of a port.
        let colon = rest.rfind(':').filter(|at| !rest.get(*at..).is_some_and(|t| t.contains('/')));
        let (name, tag) = match colon {
            Some(at) => {
                let (name, tag) = rest.split_at(at);
                (name, Some(parse_tag(tag.trim_start_matches(':'))?))
            }
            None => (rest, None),
        };
        let (registry, path) = split_registry(name);
        let registry = if registry == OLD_HUB { HUB } else { registry };
        if !is_registry(registry) {
            return Err("its registry is no host with or without a port");
        }
        check_path(path)?;
        let is_official = registry == HUB && !path.contains('/');
        let path = if is_official { format!("{OFFICIAL}{path}") } else { path.to_owned() };
        if registry.len() + 1 + path.len() > LONGEST_NAME {
            return Err("its name is longer than 255 characters");
        }
        Ok(Self { registry: registry.to_owned(), path, tag, digest })
    }

    /// Whether a name that the Engine lists is this one. With a digest that alone counts, as it does
    /// for the Engine.
    fn is_met_by(&self, other: &str) -> bool {
        Self::parse(other).is_ok_and(|other| {
            let is_same = self.registry == other.registry && self.path == other.path;
            is_same
                && match &self.digest {
                    Some(digest) => other.digest.as_ref() == Some(digest),
                    None => other.digest.is_none() && self.tag() == other.tag(),
                }
        })
    }

    fn tag(&self) -> &str {
        self.tag.as_deref().unwrap_or(LATEST)
    }

    /// The repository, as people write it.
    pub(crate) fn repository(&self) -> String {
        match self.registry.as_str() {
            HUB => self.path.strip_prefix(OFFICIAL).unwrap_or(&self.path).to_owned(),
            registry => format!("{registry}/{}", self.path),
        }
    }

    /// What is meant of the repository: its digest, else its tag.
    pub(crate) fn version(&self) -> &str {
        self.digest.as_deref().unwrap_or_else(|| self.tag())
    }

    /// Whether it is on the registry that is meant where none is named.
    pub(crate) fn is_on_hub(&self) -> bool {
        self.registry == HUB
    }
}

/// The digits of an ID.
fn parse_id(text: &str) -> Option<String> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    let is_id = (SHORT_ID..=WHOLE_ID).contains(&digits.len()) && is_hex(digits);
    is_id.then(|| digits.to_owned())
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The digests that the Engine knows.
fn parse_digest(text: &str) -> Result<String, &'static str> {
    let wrong = "its digest is not sha256: and 64 digits (0-9, a-f)";
    let (algorithm, digits) = text.split_once(':').ok_or(wrong)?;
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return Err(wrong),
    };
    if digits.len() != length || !is_hex(digits) {
        return Err(wrong);
    }
    Ok(text.to_owned())
}

fn parse_tag(text: &str) -> Result<String, &'static str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_rest = text.chars().all(|c| is_word(c) || matches!(c, '.' | '-'));
    if text.is_empty() || text.len() > LONGEST_TAG || !text.starts_with(is_word) || !is_rest {
        return Err("its tag is not 1 to 128 letters, digits, dots, dashes and underscores");
    }
    Ok(text.to_owned())
}

/// What stands before the first slash is a registry if it looks like a host: with a dot, a port or a
/// capital, or `localhost`.
fn split_registry(name: &str) -> (&str, &str) {
    match name.split_once('/') {
        Some((first, path))
            if first.contains(['.', ':'])
                || first == "localhost"
                || first.chars().any(|c| c.is_ascii_uppercase()) =>
        {
            (first, path)
        }
        _ => (HUB, name),
    }
}

fn is_registry(text: &str) -> bool {
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    if let Some(rest) = text.strip_prefix('[') {
        let is_address = |c: char| c.is_ascii_hexdigit() || c == ':';
        let Some((address, port)) = rest.split_once(']') else { return false };
        let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return is_port && !address.is_empty() && address.chars().all(is_address);
    }
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let is_part = |part: &str| {
        let is_inner = part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        !part.is_empty() && is_inner && !part.starts_with('-') && !part.ends_with('-')
    };
    port.is_none_or(is_port) && host.split('.').all(is_part)
}

/// Parts between slashes: letters and digits, with a dot, one or two underscores or dashes between.
fn check_path(path: &str) -> Result<(), &'static str> {
    if path.is_empty() {
        return Err("it names no repository");
    }
    if path.chars().any(|c| c.is_ascii_uppercase()) {
        return Err("a repository's name has no capital letters");
    }
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_separator =
        |text: &str| matches!(text, "" | "." | "_" | "__") || text.chars().all(|c| c == '-');
    let is_part = |part: &str| {
        part.starts_with(is_word)
            && part.ends_with(is_word)
            && part.split(is_word).all(is_separator)
    };
    if path.split('/').all(is_part) {
        Ok(())
    } else {
        Err("a repository's name is letters and digits, with single . _ / or dashes between")
    }
}

fn printable(c: char) -> char {
    if c.is_control() { '?' } else { c }
}

#[cfg(test)]
mod tests;
