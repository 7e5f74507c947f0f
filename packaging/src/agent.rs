// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The agents of a stage.

use crate::{Error, Result, tool};
use ocf_metadata::reader::{self, Document};
use std::fs;
use std::path::{Path, PathBuf};

/// Where Pacemaker looks for agents, and so does the stage.
pub const RESOURCED: &str = "usr/lib/ocf/resource.d";

/// An agent as staged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// `heartbeat`.
    pub provider: String,
    /// `Dummy`.
    pub kind: String,
    /// The staged file.
    pub file: PathBuf,
    /// What it says of itself.
    pub description: Document,
}

impl Agent {
    /// `heartbeat/Dummy`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/{}", self.provider, self.kind)
    }

    /// The manual page's name, `ocf_heartbeat_Dummy`.
    #[must_use]
    pub fn page(&self) -> String {
        format!("ocf_{}_{}", self.provider, self.kind)
    }
}

/// All agents of a stage, sorted by provider and type.
///
/// # Errors
/// When there are none, or one doesn't describe itself.
pub fn find_all(stage: &Path) -> Result<Vec<Agent>> {
    let mut agents = Vec::new();
    let nothing = || Error::new(format!("no agent in {}: run make stage", stage.display()));
    if !stage.join(RESOURCED).is_dir() {
        return Err(nothing());
    }
    for provider in names(&stage.join(RESOURCED))? {
        let directory = stage.join(RESOURCED).join(&provider);
        for kind in names(&directory)? {
            let file = directory.join(&kind);
            let description = describe(&file)?;
            agents.push(Agent { provider: provider.clone(), kind, file, description });
        }
    }
    if agents.is_empty() {
        return Err(nothing());
    }
    Ok(agents)
}

/// What an agent's folder in the repository says of its differences from the shell agent: where that is
/// installed, and the file. An agent from elsewhere has none.
///
/// # Errors
/// When there is no repository.
pub fn find_differences(
    source: &Path,
    provider: &str,
    kind: &str,
) -> Result<Option<(String, PathBuf)>> {
    let folders = source.join("agents");
    let program = format!("src/bin/{provider}-{kind}.rs");
    let entries = fs::read_dir(&folders).map_err(|error| Error::file("read", &folders, error))?;
    let mut found = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let folder = found.find(|folder| folder.join(&program).is_file());
    Ok(folder.and_then(|folder| {
        let name = folder.file_name()?.to_string_lossy().into_owned();
        let file = folder.join("DIFFERENCES.md");
        file.is_file().then(|| (format!("usr/share/doc/ocf-agents/differences/{name}.md"), file))
    }))
}

fn describe(file: &Path) -> Result<Document> {
    let file = fs::canonicalize(file).map_err(|error| Error::file("find", file, error))?;
    let text = tool::output(&file, &["meta-data"], Path::new("/"), &[])?;
    reader::read(&text).map_err(|error| Error::new(format!("{}: {error}", file.display())))
}

/// The sorted names in a directory.
fn names(directory: &Path) -> Result<Vec<String>> {
    let unreadable = |error| Error::file("read", directory, error);
    let entries = fs::read_dir(directory).map_err(unreadable)?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(unreadable)?.file_name();
        names.push(name.into_string().map_err(|name| {
            Error::new(format!("{} in {} is no agent's name", name.display(), directory.display()))
        })?);
    }
    names.sort();
    Ok(names)
}
