// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the packages of one build have in common: version, time, architecture.

use crate::{Error, Result, tool};
use std::path::Path;

/// Who is named in the packages.
pub const MAINTAINER: &str = "The ocf-agents project <ocf-agents@localhost.localdomain>";

/// One build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Debian's, with a revision.
    pub version: String,
    /// The time of everything inside, in seconds since 1970.
    pub date: u64,
    /// The same as a changelog writes it.
    pub written_date: String,
    /// Debian's word for the machine this program was built for, as the agents were.
    pub architecture: &'static str,
}

impl Release {
    /// A release of a version; without a time that of `SOURCE_DATE_EPOCH`, or of the last commit.
    ///
    /// # Errors
    /// A version that Debian refuses, no time, or a machine that Debian's packages weren't tried on.
    pub fn new(source: &Path, version: &str, date: Option<u64>) -> Result<Self> {
        let date = match date {
            Some(date) => date,
            None => default_date(source)?,
        };
        let arguments = ["--utc", "--rfc-email", &format!("--date=@{date}")];
        let written = tool::output(Path::new("date"), &arguments, Path::new("/"), &[])?;
        tool::output(Path::new("dpkg"), &["--validate-version", version], Path::new("/"), &[])
            .map_err(|error| {
                Error::new(format!("{version} can't be a package's version: {error}"))
            })?;
        Ok(Self {
            version: version.to_owned(),
            date,
            written_date: String::from_utf8_lossy(&written).trim().to_owned(),
            architecture: architecture()?,
        })
    }
}

fn default_date(source: &Path) -> Result<u64> {
    let no_time = |why: &str| {
        Error::new(format!("no time for the packages ({why}): set SOURCE_DATE_EPOCH or --date"))
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "the variable that reproducible builds agreed on"
    )]
    if let Ok(text) = std::env::var("SOURCE_DATE_EPOCH") {
        return text.parse().map_err(|_| no_time("SOURCE_DATE_EPOCH is not a number"));
    }
    let arguments = ["log", "-1", "--format=%ct"];
    let seconds = tool::output(Path::new("git"), &arguments, source, &[])
        .map_err(|error| no_time(&error.to_string()))?;
    String::from_utf8_lossy(&seconds).trim().parse().map_err(|_| no_time("git log gives none"))
}

fn architecture() -> Result<&'static str> {
    match std::env::consts::ARCH {
        "x86_64" => Ok("amd64"),
        "aarch64" => Ok("arm64"),
        other => Err(Error::new(format!("there are no packages for {other}: use make install"))),
    }
}
