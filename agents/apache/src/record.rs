// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What start remembers of a server, below /run: a hint that saves a monitor the reading of the
//! configuration, and that finds the server when its configuration, its program or its pid file is gone.

use crate::settings::Settings;
use ocf::process::{Identity, boot_id};
use ocf::{Context, Error, Result, StateFile};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::PathBuf;

/// The form of the file; another one's is nobody's.
const FORM: u32 = 1;

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    form: u32,
    boot: String,
    pid: i32,
    started: u64,
    /// The program that was run.
    pub(crate) program: PathBuf,
    /// The configuration that it was given.
    pub(crate) configuration: PathBuf,
    /// The pid file that it writes.
    pub(crate) pid_file: PathBuf,
    /// What the configuration said.
    pub(crate) settings: Settings,
}

impl Record {
    /// A record of a server of this boot.
    pub(crate) fn new(
        server: Identity,
        program: PathBuf,
        configuration: PathBuf,
        pid_file: PathBuf,
        settings: Settings,
    ) -> Self {
        let Identity { pid, started } = server;
        let boot = boot_id().unwrap_or_default();
        Self { form: FORM, boot, pid, started, program, configuration, pid_file, settings }
    }

    /// The record in a file; `None` where there is none, or none of this boot and form.
    pub(crate) fn read(file: &StateFile) -> Option<Self> {
        let content = file.read().ok().flatten()?;
        let record: Self = serde_json::from_slice(&content).ok()?;
        let is_of_now =
            record.form == FORM && record.pid > 0 && Some(&record.boot) == boot_id().as_ref();
        is_of_now.then_some(record)
    }

    /// The server.
    pub(crate) const fn server(&self) -> Identity {
        Identity { pid: self.pid, started: self.started }
    }

    /// Puts it in place.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn write(&self, file: &StateFile) -> Result<()> {
        let text = serde_json::to_vec(self)
            .map_err(|error| Error::generic(format!("cannot write a record: {error}")))?;
        file.write(&text)
    }
}

/// Where the record of an instance is.
pub(crate) fn file(context: &Context) -> StateFile {
    let name = format!("apache-{}.record", context.file_name());
    StateFile::at(context.directories.rsctmp.join(name))
}

/// Makes the directory of records; the first agent of a boot may come before whoever else makes it.
pub(crate) fn ensure_directory(context: &Context) {
    // If it isn't there afterwards, writing the record says so.
    let _there = fs::create_dir_all(&context.directories.rsctmp);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_another_boot_or_form_means_nobody() {
        let path = std::env::temp_dir().join(format!("ocf-apache-record-{}", std::process::id()));
        let file = StateFile::at(path);
        let server = Identity { pid: 42, started: 4711 };
        let [program, configuration, pid_file] = ["/p", "/c", "/f"].map(PathBuf::from);
        let whole = Record::new(server, program, configuration, pid_file, Settings::default());
        whole.write(&file).unwrap();
        assert_eq!(Record::read(&file).as_ref(), Some(&whole));
        assert_eq!(whole.server(), server);
        for other in [
            Record { form: FORM + 1, ..whole.clone() },
            Record { boot: "another".to_owned(), ..whole.clone() },
            Record { pid: -1, ..whole.clone() },
        ] {
            other.write(&file).unwrap();
            assert_eq!(Record::read(&file), None);
        }
        for garbage in ["", "{}", "null", "[1]", "\0"] {
            file.write(garbage.as_bytes()).unwrap();
            assert_eq!(Record::read(&file), None);
        }
        file.remove().unwrap();
        assert_eq!(Record::read(&file), None);
    }
}
