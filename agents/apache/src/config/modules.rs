// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The modules that a server has, by both of the names that `<IfModule>` knows them by.

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

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
    loaded: Vec<(Vec<u8>, PathBuf)>,
}

impl Modules {
    pub(super) fn load(&mut self, name: &[u8], file: PathBuf) {
        self.loaded.push((name.to_owned(), file));
    }

    /// Whether the server has it: `status_module` or `mod_status.c`, in this very case.
    pub(super) fn has(&self, name: &[u8]) -> bool {
        let is_built_in = |module: &str| {
            let module = module.as_bytes();
            name == [module, b"_module"].concat() || name == source(module).as_bytes()
        };
        BUILT_IN.iter().any(|module| is_built_in(module))
            || self.loaded.iter().any(|(symbol, file)| {
                let stem = symbol.strip_suffix(b"_module").unwrap_or(symbol);
                let file = file.file_stem().map(OsStrExt::as_bytes).unwrap_or_default();
                // Most sources are called as the shared object is.
                let is_other = OTHER_SOURCES.iter().any(|(module, _)| module.as_bytes() == stem);
                name == symbol
                    || name == source(stem).as_bytes()
                    || !is_other && name.strip_suffix(b".c") == Some(file)
            })
    }

    /// Whether nothing is loaded at all: a server with everything built in, then.
    pub(super) fn is_empty(&self) -> bool {
        self.loaded.is_empty()
    }

    /// The files that are loaded.
    pub(super) fn files(&self) -> impl Iterator<Item = &std::path::Path> {
        self.loaded.iter().map(|(_, file)| file.as_path())
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
