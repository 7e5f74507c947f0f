// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One run of checks on one resource: knows what the agent advertises, in which state the resource
//! was last seen, brings it into the state a check needs, and stops it at the end.

mod calls;
pub(crate) mod emergency;
pub(crate) mod guard;
mod reach;
mod record;
mod service;
mod strike;
mod together;
pub(crate) mod watched;

use crate::agent::{self, Execution, Invocation};
use crate::cause;
use crate::check::{
    Check, FOR_ROOT, Failure, Halt, Level, Need, Outcome, Phase, Stop, Summary, Verdict,
};
use crate::event::{Event, Reporter};
use crate::expectation::Expected;
use crate::interrupt::Interrupt;
use crate::places::Moment;
use nix::unistd::geteuid;
use ocf_metadata::reader::Document;
pub use record::Record;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

/// The variable that marks the processes a run has started; not `OCF_…`, which the standard keeps.
const MARKER: &str = "RA_TESTER_RUN";

/// What monitor said last, if nothing has been done since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not asked since the last change, or a failure.
    Unknown,
    /// 7.
    Stopped,
    /// 0 or 190.
    Running,
    /// 8 or 191.
    Promoted,
}

/// How a run goes about its work.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Go on although the resource is active before the first start.
    pub destructive: bool,
    /// The weakest level whose broken rules are violations.
    pub failing: Level,
    /// The checks that are told and counted only when they don't pass: others rest on them.
    pub ground: Vec<&'static str>,
    /// The checks that are known to fail.
    pub expected: Expected,
    /// What decides every choice at random.
    pub seed: u64,
    /// How often each action is killed, and how many bad values are tried; the checks know.
    pub budget: Option<usize>,
}

/// What the checks that kill actions have found, for the one that judges what was left.
#[derive(Debug, Default)]
pub(crate) struct Killed {
    /// How many kills took place.
    pub(crate) kills: usize,
    /// What stayed for good.
    pub(crate) residues: Vec<Failure>,
}

/// A run under way.
pub struct Session<'a> {
    /// The call of which every other is a variant.
    pub base: Invocation,
    /// The agent's description, once it was read.
    pub document: Option<Document>,
    /// What meta-data printed.
    pub printed: Vec<u8>,
    /// Every call so far.
    pub records: Vec<Record>,
    /// How long after start the resource came up, when start returned too early.
    pub late_start: Option<Duration>,
    /// What was there before the first call.
    pub(crate) beginning: Moment,
    /// The programs of the service's processes, once they were looked at for long enough.
    lasting: Option<BTreeSet<String>>,
    /// A life that was looked at closely, or why it wasn't.
    life: Option<Result<watched::Life, String>>,
    remark: Option<String>,
    /// What killing actions has shown.
    pub(crate) killed: Killed,
    options: Options,
    state: State,
    barrier: Option<String>,
    failed: Vec<&'static str>,
    /// The check that is made now.
    current: &'static str,
    /// Actions that didn't do their work when a check needed it, and the check that told so.
    blocked: BTreeMap<String, &'static str>,
    touched: bool,
    provoking: bool,
    promoted_once: bool,
    marker: String,
    interrupt: Option<&'a Interrupt>,
    reporter: &'a mut dyn Reporter,
}

impl std::fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("base", &self.base)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Makes the checks in their order, stops the resource whatever happens, and sums up.
pub fn run(
    base: Invocation,
    checks: &[Check],
    options: Options,
    interrupt: Option<&Interrupt>,
    reporter: &mut dyn Reporter,
) -> Summary {
    let begun = Instant::now();
    let mut session = Session::new(base, options, interrupt, reporter);
    let mut summary = Summary::new();
    let mut halt = None;
    let first = session.base.clone();
    session.tell(&Event::Begun(&first));
    session.tell(&Event::Seeded(session.options.seed));
    for check in checks {
        match session.judge(check, &mut summary) {
            Ok(()) => {}
            Err(reason) => {
                halt = Some(reason);
                break;
            }
        }
    }
    if matches!(halt, Some(Halt::Interrupted)) {
        session.tell(&Event::Stopping);
    }
    summary.left = session.make_safe();
    summary.roots = cause::roots(&session.failed);
    summary.verdict = match halt {
        _ if session.is_interrupted() => Verdict::Interrupted,
        Some(Halt::Interrupted) => Verdict::Interrupted,
        Some(Halt::Refused(why)) => Verdict::Refused(why),
        Some(Halt::Broken(error)) => Verdict::Broken(error.to_string()),
        None if summary.failed > 0 || !summary.left.is_empty() => Verdict::Failed,
        None if summary.broken > 0 => {
            Verdict::Broken("the tester could not do all of its work".to_owned())
        }
        None => Verdict::Passed,
    };
    session.tell(&Event::Finished(&first, &summary, begun.elapsed()));
    summary
}

impl<'a> Session<'a> {
    fn new(
        base: Invocation,
        options: Options,
        interrupt: Option<&'a Interrupt>,
        reporter: &'a mut dyn Reporter,
    ) -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            beginning: Moment::now(&base),
            base,
            document: None,
            printed: Vec::new(),
            records: Vec::new(),
            late_start: None,
            lasting: None,
            life: None,
            remark: None,
            killed: Killed::default(),
            options,
            state: State::Unknown,
            barrier: None,
            failed: Vec::new(),
            current: "",
            blocked: BTreeMap::new(),
            touched: false,
            provoking: false,
            promoted_once: false,
            marker: format!("{}-{}", std::process::id(), since.as_nanos()),
            interrupt,
            reporter,
        }
    }

    fn tell(&mut self, event: &Event<'_>) {
        // A report nobody reads any more (a closed pipe) is no reason to leave a resource running.
        let _ = self.reporter.report(event);
    }

    fn judge(&mut self, check: &Check, summary: &mut Summary) -> Result<(), Halt> {
        let begun = Instant::now();
        self.tell(&Event::Checking(check));
        self.current = check.id;
        self.provoking = false;
        let result = match self.hindrance(check) {
            Some(why) => Err(Stop::Skipped(why)),
            None => (check.run)(self),
        };
        let outcome = match result {
            Ok(()) => Outcome::Passed,
            Err(Stop::Failed(failures)) => Outcome::Failed(failures),
            Err(Stop::Skipped(why)) => Outcome::Skipped(why),
            Err(Stop::Broken(why)) => Outcome::Broken(why),
            Err(Stop::Halt(Halt::Broken(error))) => {
                let outcome = Outcome::Broken(error.to_string());
                summary.broken += 1;
                self.tell(&Event::Judged(check, &outcome, begun.elapsed()));
                return Err(Halt::Broken(error));
            }
            Err(Stop::Halt(halt)) => return Err(halt),
        };
        let is_unasked = self.options.ground.contains(&check.id);
        if is_unasked && matches!(outcome, Outcome::Passed | Outcome::Skipped(_)) {
            return Ok(());
        }
        let outcome = self.options.expected.hold_against(check.id, outcome);
        summary.count(&outcome, check.level <= self.options.failing);
        if matches!(outcome, Outcome::Failed(_) | Outcome::Expected(..)) {
            self.failed.push(check.id);
        }
        self.tell(&Event::Judged(check, &outcome, begun.elapsed()));
        if let Some(text) = self.remark.take() {
            self.tell(&Event::Remarked(check, &text));
        }
        Ok(())
    }

    /// Why a check can't be made now.
    fn hindrance(&self, check: &Check) -> Option<String> {
        match (check.phase, &self.barrier) {
            (Phase::Behaviour, Some(why)) => return Some(why.clone()),
            (Phase::Description, _) if self.has_failed("META-01") => {
                return Some("meta-data doesn't work (META-01)".to_owned());
            }
            _ => {}
        }
        check.needs.iter().find_map(|need| match need {
            Need::Root if !geteuid().is_root() => Some(FOR_ROOT.to_owned()),
            Need::Advertised(action) if !self.advertises(action) => {
                Some(format!("{action} isn't advertised"))
            }
            _ => None,
        })
    }

    /// The options of this run.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// What monitor said last.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether the check with this id failed before.
    #[must_use]
    pub fn has_failed(&self, id: &str) -> bool {
        self.failed.contains(&id)
    }

    /// Says something about what this check has seen, passed or not.
    pub fn remark(&mut self, text: impl Into<String>) {
        self.remark = Some(text.into());
    }

    /// Leaves out the checks of behaviour that follow.
    pub fn bar(&mut self, why: impl Into<String>) {
        self.barrier.get_or_insert(why.into());
    }

    /// Whether the description advertises the action.
    #[must_use]
    pub fn advertises(&self, action: &str) -> bool {
        let document = self.document.as_ref();
        document.is_some_and(|document| document.actions.iter().any(|row| row.name == action))
    }

    /// The time an action gets: the longest it advertises, else 20 s.
    #[must_use]
    pub fn limit(&self, action: &str) -> Duration {
        let rows = self.document.iter().flat_map(|document| &document.actions);
        rows.filter(|row| row.name == action)
            .filter_map(|row| row.timeout)
            .max()
            .filter(|timeout| !timeout.is_zero())
            .unwrap_or(agent::DEFAULT_LIMIT)
    }

    /// The call of an action as Pacemaker makes it: a monitor is a recurring one.
    #[must_use]
    pub fn prepare(&self, action: &str) -> Invocation {
        let call = self.base.action(action).limit(self.limit(action));
        match action {
            "monitor" => call.parameter("CRM_meta_interval", "10000"),
            _ => call,
        }
    }

    /// Makes the plain call of an action.
    ///
    /// # Errors
    /// As [`Session::make`].
    pub fn call(&mut self, action: &str) -> Result<Execution, Stop> {
        self.make(&self.prepare(action))
    }

    /// Makes a call that has to answer one of the codes.
    ///
    /// # Errors
    /// A failure when it answers something else; else as [`Session::make`].
    pub fn expect(
        &mut self,
        call: &Invocation,
        codes: &[i32],
        what: &str,
    ) -> Result<Execution, Stop> {
        let execution = self.make(call)?;
        match execution.code() {
            Some(code) if codes.contains(&code) => Ok(execution),
            _ => {
                let wanted: Vec<String> = codes.iter().map(i32::to_string).collect();
                let expected = format!("{what} to answer {}", wanted.join(" or "));
                Err(Failure::of_call(call, &execution, expected).into())
            }
        }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        // Unwinding from a panic; any other end has made it safe.
        let _ = emergency::make_safe_own();
    }
}

/// Whether an action may change the resource: all but those that only look.
pub(crate) fn changes_state(action: &str) -> bool {
    !matches!(action, "monitor" | "meta-data" | "validate-all" | "usage" | "help" | "")
}
