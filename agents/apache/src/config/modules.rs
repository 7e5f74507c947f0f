// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The modules that a server has, by both of the names that `<IfModule>` knows them by.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What distributions build into their servers. A module that one of them has built in and another loads
/// is loaded there in any case.
const BUILT_IN: &[&str] =
    &["core", "so", "http", "watchdog", "log_config", "logio", "version", "unixd"];

/// Sources that aren't called as the shared object is.
const OTHER_SOURCES: &[(&str, &str)] = &[
    ("mpm_event", "event.c"),
    ("mpm_prefork", "prefork.c"),
    ("mpm_worker", "worker.c"),
    ("mpm_itk", "mpm_itk.c"),
    ("php", "mod_php.c"),
    ("php7", "mod_php7.c"),
    ("php5", "mod_php5.c"),
];

/// Modules.
#[derive(Debug, Clone, Default)]
pub(super) struct Modules {
    files: Vec<PathBuf>,
    /// All names of those that are loaded.
    names: BTreeSet<Vec<u8>>,
}

impl Modules {
    pub(super) fn load(&mut self, name: &[u8], file: PathBuf) {
        let stem = name.strip_suffix(b"_module").unwrap_or(name);
        // Most sources are called as the shared object is.
        let is_other = OTHER_SOURCES.iter().any(|(module, _)| module.as_bytes() == stem);
        let object = file.file_stem().filter(|_| !is_other);
        self.names.extend(object.map(|object| [object.as_bytes(), b".c"].concat()));
        self.names.insert(source(stem).into_bytes());
        self.names.insert(name.to_owned());
        self.files.push(file);
    }

    /// Whether the server has it: `status_module` or `mod_status.c`, in this very case.
    pub(super) fn has(&self, name: &[u8]) -> bool {
        let is_built_in = |module: &str| {
            let module = module.as_bytes();
            name == [module, b"_module"].concat() || name == source(module).as_bytes()
        };
        BUILT_IN.iter().any(|module| is_built_in(module)) || self.names.contains(name)
    }

    /// Whether nothing is loaded at all: a server with everything built in, then.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The files that are loaded.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(PathBuf::as_path)
    }
}

/// The name of a module's source.
fn source(module: &[u8]) -> String {
    let module = String::from_utf8_lossy(module);
    let other = OTHER_SOURCES.iter().find(|(name, _)| *name == module).map(|(_, source)| *source);
    match (other, module.as_ref()) {
        (Some(source), _) => source.to_owned(),
        (None, "core") => "core.c".to_owned(),
        (None, "http") => "http_core.c".to_owned(),
        (None, module) => format!("mod_{module}.c"),
    }
}
