// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Logs to where the shell agents' `ocf_log` would: a terminal's stderr; else syslog, when
//! `HA_LOGFACILITY` names a facility, and the file `HA_LOGFILE`; else stderr with the date;
//! `HA_DEBUGLOG` gets everything besides. Debug lines only with `HA_debug`. (`HA_LOGD` is not
//! honoured: that daemon is gone from every distribution.)
//!
//! Nothing is opened before the first line is logged: a monitor that finds all well logs nothing.

use crate::environment::Environment;
use crate::trace::Trace;
use std::ffi::CString;
use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{IsTerminal, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// The target of the one event that stderr has got already.
pub(crate) const EXIT_REASON: &str = "ocf::exit_reason";

/// What Pacemaker looks for in stderr; no log line may hold it, or it would count as the reason.
pub(crate) const REASON_PREFIX: &str = "ocf-exit-reason:";

/// Where the system's log is listening (syslog(3)).
const SYSLOG: &str = "/dev/log";

/// Writes events to the places an environment names.
#[derive(Debug)]
pub(crate) struct Logger {
    tag: String,
    debug: bool,
    facility: Option<u8>,
    file: Option<PathBuf>,
    debug_file: PathBuf,
    date_format: CString,
    trace: Option<Trace>,
    terminal: OnceLock<bool>,
    syslog: OnceLock<Option<UnixDatagram>>,
}

impl Logger {
    /// The logger of a call. `agent` is the type's name.
    pub(crate) fn of(environment: &Environment, agent: &str, trace: Option<Trace>) -> Self {
        let path = |name: &str| environment.filled(name).map(PathBuf::from);
        let debug = environment.filled("HA_debug").is_some_and(|value| value != "0");
        let instance = environment.text("OCF_RESOURCE_INSTANCE");
        let printable = |c: char| if c.is_control() { '?' } else { c };
        let instance: String = instance.unwrap_or_default().chars().map(printable).collect();
        let instance = if instance.is_empty() { instance } else { format!("({instance})") };
        let format = environment.text("HA_DATEFMT").unwrap_or("%b %d %T ");
        Self {
            tag: format!("{agent}{instance}[{}]", std::process::id()),
            debug,
            facility: environment.text("HA_LOGFACILITY").and_then(facility),
            file: path("HA_LOGFILE"),
            // The shell helpers' own default: without a file, debug lines go nowhere.
            debug_file: path("HA_DEBUGLOG").unwrap_or_else(|| PathBuf::from("/dev/null")),
            date_format: CString::new(format).unwrap_or_default(),
            trace,
            terminal: OnceLock::new(),
            syslog: OnceLock::new(),
        }
    }

    /// Makes it the process's logger; a second one is ignored.
    pub(crate) fn install(self) {
        let _first = tracing::subscriber::set_global_default(self);
    }

    fn write(&self, level: Level, message: &str, on_stderr: bool) {
        let message = message.replace(REASON_PREFIX, "exit reason:").replace('\n', " ");
        let line = format!("{}: {message}", word(level));
        // The shell helpers ask whether stdin is a terminal; a person's stderr may be one too.
        let is_terminal = || std::io::stdin().is_terminal() || std::io::stderr().is_terminal();
        if *self.terminal.get_or_init(is_terminal) {
            if on_stderr {
                to_stderr(&format!("{}: {line}\n", self.tag));
            }
            return;
        }
        let date = || crate::sys::local_time(&self.date_format);
        if let Some(facility) = self.facility {
            self.to_syslog(facility, level, &line);
        }
        if let Some(path) = self.file.as_deref().filter(|_| level != Level::DEBUG) {
            append(path, &format!("{} {}:    {line}\n", date(), self.tag));
        }
        let has_other = level == Level::DEBUG || self.file.is_some();
        if self.facility.is_none() && !has_other && on_stderr {
            to_stderr(&format!("{}{line}\n", date()));
        }
        let is_written = level != Level::DEBUG && self.file.as_ref() == Some(&self.debug_file);
        if !is_written && self.debug_file != Path::new("/dev/null") {
            append(&self.debug_file, &format!("{}:\t{}{line}\n", self.tag, date()));
        }
    }

    /// One datagram (RFC 3164, without the time: the receiver adds it). A log that doesn't listen
    /// must not hold up an action.
    fn to_syslog(&self, facility: u8, level: Level, line: &str) {
        let connect = || {
            let socket = UnixDatagram::unbound().ok()?;
            socket.set_nonblocking(true).ok()?;
            socket.connect(SYSLOG).ok()?;
            Some(socket)
        };
        if let Some(socket) = self.syslog.get_or_init(connect) {
            let priority = u16::from(facility) * 8 + severity(level);
            let _dropped = socket.send(format!("<{priority}>{}: {line}", self.tag).as_bytes());
        }
    }
}

fn to_stderr(line: &str) {
    let _nobody_listens = std::io::stderr().write_all(line.as_bytes());
}

fn append(path: &Path, line: &str) {
    // Without O_NONBLOCK a FIFO that nobody reads would hold up the action for ever.
    let flags = nix::libc::O_NONBLOCK;
    if let Ok(mut file) = File::options().append(true).create(true).custom_flags(flags).open(path) {
        let _disk_full = file.write_all(line.as_bytes());
    }
}

const fn word(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        Level::DEBUG | Level::TRACE => "DEBUG",
    }
}

const fn severity(level: Level) -> u16 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

/// The number of a facility by its name (syslog(3)); `none` and unknown names are none.
fn facility(name: &str) -> Option<u8> {
    const NAMES: [&str; 12] = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron",
        "authpriv", "ftp",
    ];
    let local = |digit: &str| digit.parse::<u8>().ok().filter(|n| *n < 8).map(|n| 16 + n);
    name.strip_prefix("local").map_or_else(
        || NAMES.iter().position(|known| *known == name).and_then(|at| u8::try_from(at).ok()),
        local,
    )
}

/// Puts an event's message and fields into one line.
#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        let _infallible = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, "{name}={value:?}"),
        };
    }
}

impl Subscriber for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.trace.is_some() || self.debug || *metadata.level() <= Level::INFO
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let level = *event.metadata().level();
        if let Some(trace) = &self.trace {
            trace.write(word(level), &line.0);
        }
        if level <= Level::INFO || (self.debug && level == Level::DEBUG) {
            self.write(level, &line.0, event.metadata().target() != EXIT_REASON);
        }
    }

    // Spans are not used: an action is one short story.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facilities_have_the_numbers_of_syslog() {
        assert_eq!(facility("daemon"), Some(3));
        assert_eq!(facility("local7"), Some(23));
        assert_eq!(facility("local8"), None);
        assert_eq!(facility("none"), None);
        assert_eq!(facility("ftp"), Some(11));
    }
}
