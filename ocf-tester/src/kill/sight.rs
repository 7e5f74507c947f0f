// SPDX-License-Identifier: Apache-2.0 OR MIT
//! An undisturbed run of an action, of which is told how many processes it was, which programs
//! they became, and where they made files.

use super::trace::{self, End, Purpose, Run};
use crate::agent::{Ended, Execution, Invocation, Verdict, parse_exit_reason};
use crate::interrupt::Interrupt;
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What a run was seen to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sight {
    /// How many processes it has started until its own one ended; threads aren't any.
    pub(crate) started: usize,
    /// The words of each program that one of them became.
    pub(crate) programs: Vec<String>,
    /// The names of the system calls that change something and did.
    pub(crate) calls: BTreeSet<&'static str>,
    /// Where they made files, links and directories, or would have if there had been none.
    pub(crate) made: BTreeSet<PathBuf>,
    /// Those of them where nothing was before.
    pub(crate) fresh: BTreeSet<PathBuf>,
}

impl Sight {
    /// A process of the run has executed a program.
    pub(super) fn became(&mut self, pid: Pid) {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        self.programs
            .push(String::from_utf8_lossy(&words).replace('\0', " ").trim_end().to_owned());
    }

    /// One is about to make something, or to take what is there.
    pub(super) fn will_make(&mut self, path: PathBuf) {
        if fs::symlink_metadata(&path).is_err() {
            self.fresh.insert(path.clone());
        }
        self.made.insert(path);
    }

    /// One has started another, or a thread.
    pub(super) fn born(&mut self, parent: Pid, child: Pid) {
        if !Path::new(&format!("/proc/{parent}/task/{child}")).exists() {
            self.started += 1;
        }
    }
}

/// Makes the call and looks at what it does.
///
/// # Errors
/// When it can't be traced, or not be started.
pub(crate) fn observe(
    call: &Invocation,
    interrupt: Option<&Interrupt>,
) -> io::Result<(Execution, Sight)> {
    let begun = Instant::now();
    let mut run = trace::run(call, Purpose::Look, interrupt)?;
    let execution = execution(&mut run, begun)?;
    let mut sight = run.sight;
    let done = run.calls.iter().filter(|call| call.result.is_some_and(|result| result >= 0));
    sight.calls = done.map(|call| call.name).collect();
    Ok((execution, sight))
}

/// A run that began then, as if it had not been traced; takes what it printed.
pub(super) fn execution(run: &mut Run, begun: Instant) -> io::Result<Execution> {
    let printed = run.printed.take().ok_or_else(|| io::Error::other("it could not be started"))?;
    let verdict = match (printed.ended, run.end) {
        (Ended::TimedOut, _) => Verdict::TimedOut,
        (Ended::Interrupted, _) => Verdict::Interrupted,
        (Ended::Done, End::Exit(code)) => Verdict::Exit(code),
        (Ended::Done, End::Signal(signal)) => Verdict::Signal(signal as i32),
        (Ended::Done, End::Lost) => return Err(io::Error::other("its end was not seen")),
    };
    Ok(Execution {
        verdict,
        exit_reason: verdict.code().and_then(|_| parse_exit_reason(&printed.stderr)),
        stdout: printed.stdout,
        stderr: printed.stderr,
        truncated: printed.truncated,
        duration: begun.elapsed(),
        usage: None,
        processes: Some(run.sight.started + 1),
        holders: printed.holders,
    })
}
