// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Tracing one action for an administrator (`trace_ra`, `OCF_TRACE_RA`): every log line of every
//! level, with microseconds, in a file of the call's own. Values of parameters are not traced: one
//! may be a password.

use crate::environment::{Environment, open_to_append};
use crate::parameter::{Declared, Reader, Rigour};
use crate::value::{Parsed, Value};
use ocf_metadata::ParameterRow;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

crate::parameters! {
    /// What the runner itself can be told.
    struct Parameters {
        /// Trace this agent's actions
        ///
        /// Set to 1 to write every step of every action into a file, for finding out why something
        /// goes wrong. Values of parameters are left out.
        trace_ra: bool => default("0"),
        /// File to trace into
        ///
        /// An absolute path to append to, or the number of an open descriptor from 3 to 9. Without
        /// it each action gets a file of its own below trace_dir.
        trace_file: Option<PathBuf>,
        /// Directory to trace into
        ///
        /// Where the files named after instance, action and time are made.
        trace_dir: PathBuf => default("/var/lib/heartbeat/trace_ra"),
    }
}

/// The runner's own parameters, declared with every agent's.
pub(crate) const ROWS: &[ParameterRow] = Parameters::ROWS;

/// Lets a reader complain about the runner's own parameters.
pub(crate) fn judge(reader: &mut Reader<'_>) {
    let _only_complaints = Parameters::read(reader);
}

/// An open trace.
#[derive(Debug)]
pub(crate) struct Trace {
    file: Mutex<File>,
    since: Instant,
}

impl Trace {
    /// The trace of a call, `None` unless it is wanted. One that can't be opened is given up: the
    /// action matters more.
    pub(crate) fn of(environment: &Environment, agent: &str, action: &str) -> Option<Self> {
        let parameters = Parameters::read(&mut Reader::new(environment, Rigour::Lenient))?;
        let is_wanted = match environment.filled("OCF_TRACE_RA") {
            Some(raw) => bool::parse(raw) == Parsed::Good(true),
            None => parameters.trace_ra,
        };
        if !is_wanted {
            return None;
        }
        let file = environment.filled("OCF_TRACE_FILE").map(PathBuf::from);
        let file = match file.or(parameters.trace_file) {
            Some(path) => open_named(&path),
            None => {
                let instance = environment.text("OCF_RESOURCE_INSTANCE").unwrap_or("default");
                open_own(&parameters.trace_dir.join(agent), instance, action)
            }
        }?;
        Some(Self { file: Mutex::new(file), since: Instant::now() })
    }

    /// One line.
    pub(crate) fn write(&self, level: &str, line: &str) {
        let Ok(mut file) = self.file.lock() else { return };
        let micros = self.since.elapsed().as_micros();
        let _disk_full = file.write_all(format!("{micros:>9} us {level}: {line}\n").as_bytes());
    }
}

/// A descriptor from 3 to 9, this process's stderr, or a file to append to.
fn open_named(path: &Path) -> Option<File> {
    let descriptor = path.to_str().and_then(|text| text.parse::<u8>().ok());
    match descriptor.filter(|number| (3..=9).contains(number)) {
        Some(number) => File::options().write(true).open(format!("/proc/self/fd/{number}")).ok(),
        None if path == Path::new("/dev/stderr") => {
            File::options().append(true).open("/proc/self/fd/2").ok()
        }
        None => open_to_append(path).ok(),
    }
}

/// A new file of this call.
fn open_own(directory: &Path, instance: &str, action: &str) -> Option<File> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).ok()?;
    let time = crate::sys::local_time(c"%F.%T");
    let instance = instance.replace('/', "_");
    (0..100).find_map(|attempt: u32| {
        let suffix = if attempt == 0 { String::new() } else { format!(".{attempt}") };
        let path = directory.join(format!("{instance}.{action}.{time}{suffix}"));
        File::options().write(true).create_new(true).mode(0o600).open(path).ok()
    })
}
