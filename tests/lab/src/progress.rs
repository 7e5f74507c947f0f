// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a person sees while the lab works.
//!
//! On a terminal a live line says what is going on and for how long; anywhere else there is one
//! plain line per finished step, and nothing that a log would have to be cleaned of.

use crate::{Error, Result};
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How much of a line is used: a longer one would wrap on the usual terminal and not be erased.
const WIDTH: usize = 78;

/// Which stream is the person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error: standard output belongs to a command that is run.
    Err,
    /// Nobody's: what a unit test shows would stand between the harness's own lines.
    #[cfg(test)]
    Nowhere,
}

/// A finished step.
#[derive(Debug, Clone)]
struct Done {
    label: String,
    time: Duration,
    /// Why it didn't come to what it should.
    error: Option<Error>,
}

/// Shows steps as they happen and remembers them.
#[derive(Debug)]
pub struct Progress {
    begun: Instant,
    stream: Stream,
    is_live: bool,
    done: Mutex<Vec<Done>>,
}

impl Progress {
    /// Progress on this stream; live if it is a terminal.
    #[must_use]
    pub fn new(stream: Stream) -> Self {
        let is_live = match stream {
            Stream::Out => std::io::stdout().is_terminal(),
            Stream::Err => std::io::stderr().is_terminal(),
            #[cfg(test)]
            Stream::Nowhere => false,
        };
        Self { begun: Instant::now(), stream, is_live, done: Mutex::default() }
    }

    /// Does one step, showing that it is being done and what came of it.
    ///
    /// # Errors
    /// Those of `work`.
    pub fn step<T>(&self, label: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let start = Instant::now();
        let result = if self.is_live { self.live(label, work) } else { work() };
        let time = start.elapsed();
        match &result {
            Ok(_) => self.note(&format!("ok {label} ({:.1} s)", time.as_secs_f64())),
            Err(Error::Failed(why)) => self.note(&format!("FAILED {label}: {why}")),
            Err(Error::Interrupted(_)) => {}
        }
        if let Ok(mut done) = self.done.lock() {
            done.push(Done {
                label: label.to_owned(),
                time,
                error: result.as_ref().err().cloned(),
            });
        }
        result
    }

    /// Whether a step has shown this failure already. A signal is not shown as a failure.
    #[must_use]
    pub fn has_shown(&self, error: &Error) -> bool {
        matches!(error, Error::Failed(_))
            && self.done().iter().any(|done| done.error.as_ref() == Some(error))
    }

    /// A line of its own.
    pub fn note(&self, line: &str) {
        self.write(&format!("{line}\n"));
    }

    /// Lines that belong to what was last said, set off from it.
    pub fn evidence<S: AsRef<str>>(&self, lines: impl IntoIterator<Item = S>) {
        for line in lines {
            self.note(&format!("     {}", line.as_ref()));
        }
    }

    /// A table of the steps so far with their durations; the total is all the time since this
    /// was made, between the steps too.
    #[must_use]
    pub fn table(&self) -> Vec<String> {
        table(&self.done(), self.begun.elapsed())
    }

    fn done(&self) -> Vec<Done> {
        self.done.lock().map(|done| done.clone()).unwrap_or_default()
    }

    fn live<T>(&self, label: &str, work: impl FnOnce() -> T) -> T {
        let (stop, stopped) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let line = scope.spawn(move || self.draw_until(label, &stopped));
            let result = work();
            drop(stop);
            let _ = line.join();
            result
        })
    }

    fn draw_until(&self, label: &str, stopped: &mpsc::Receiver<()>) {
        let start = Instant::now();
        for turn in ['|', '/', '-', '\\'].into_iter().cycle() {
            let text = format!("{turn}  {label} ({:.0} s)", start.elapsed().as_secs_f64());
            let text: String = text.chars().take(WIDTH).collect();
            self.write(&format!("\r\x1b[2K{text}"));
            let wait = stopped.recv_timeout(Duration::from_millis(120));
            if wait != Err(RecvTimeoutError::Timeout) {
                break;
            }
        }
        self.write("\r\x1b[2K");
    }

    fn write(&self, text: &str) {
        // A reader that has gone (`lab demo | head`) is no reason to leave a cluster running.
        let _ = match self.stream {
            Stream::Out => {
                let mut out = std::io::stdout().lock();
                out.write_all(text.as_bytes()).and_then(|()| out.flush())
            }
            Stream::Err => std::io::stderr().lock().write_all(text.as_bytes()),
            #[cfg(test)]
            Stream::Nowhere => Ok(()),
        };
    }
}

fn table(done: &[Done], total: Duration) -> Vec<String> {
    let width = done.iter().map(|d| d.label.chars().count()).max().unwrap_or(0);
    let row = |label: &str, time: Duration, verdict: &str| {
        format!("{label:width$}  {:>6.1} s  {verdict}", time.as_secs_f64())
    };
    done.iter()
        .map(|d| row(&d.label, d.time, if d.error.is_none() { "ok" } else { "FAILED" }))
        .chain([row("total", total, "")])
        .map(|line| line.trim_end().to_owned())
        .collect()
}

/// Says on standard error what went wrong where no error can be handed on.
pub fn complain(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "lab: {sentence}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_remembered_with_their_verdict() {
        let progress = Progress::new(Stream::Nowhere);
        assert_eq!(progress.step("one", || Ok(1)), Ok(1));
        let failed: Result<()> = progress.step("two", || Err(Error::new("no")));
        assert_eq!(failed, Err(Error::new("no")));
        assert!(progress.has_shown(&Error::new("no")) && !progress.has_shown(&Error::new("else")));
        let lines = table(&progress.done(), Duration::from_secs(9));
        assert!(lines[0].starts_with("one") && lines[0].ends_with("ok"), "{lines:?}");
        assert!(lines[1].starts_with("two") && lines[1].ends_with("FAILED"), "{lines:?}");
        assert!(lines[2].starts_with("total") && lines[2].ends_with("   9.0 s"), "{lines:?}");
    }
}
