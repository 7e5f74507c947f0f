// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The end of every run: the resource is stopped, and what the run has started is gone. It runs
//! after passed and failed checks, after a refusal, and after Ctrl-C.

use super::emergency::{self, Plan};
use super::{MARKER, Session, State};
use crate::agent::Invocation;
use crate::check::{Halt, Stop};
use crate::event::Event;
use crate::family;
use crate::ledger::{self, Ledger, Process, Watch, pause};
use crate::quote::visible;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// The longest time an action gets in the clean-up, whatever it advertises.
pub(crate) const LONGEST_LIMIT: Duration = Duration::from_secs(5 * 60);

/// How long killed processes may take to go, with those they start meanwhile.
const KILL_GRACE: Duration = Duration::from_secs(10);

/// How often is looked meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// How much of what an agent says is repeated, in characters.
const SHOWN: usize = 500;

/// How many processes are named.
const NAMED: usize = 20;

impl Session<'_> {
    /// Stops the resource if this run may have left it started, ends the processes that are left,
    /// and says in sentences what was not as it should be. A second signal gives up stopping.
    pub(super) fn make_safe(&mut self) -> Vec<String> {
        if let Some(interrupt) = self.interrupt {
            interrupt.insist();
        }
        let mut left = Vec::new();
        if self.touched
            && self.state != State::Stopped
            && let Err(why) = self.stop_resource()
            && let Err(why) = if self.is_interrupted() { Err(why) } else { self.stop_resource() }
        {
            let why = visible(&why, SHOWN);
            let stop = self.prepare("stop").reproduction();
            left.push(format!("the resource could not be stopped ({why}); stop it: {stop}"));
        }
        left.extend(end_processes(&self.watch(), !self.is_interrupted()));
        emergency::disarm();
        for sentence in &left {
            self.tell(&Event::Left(sentence));
        }
        left
    }

    /// What finds every process this run has started: by its mark, its ancestors, or the output it
    /// keeps.
    fn watch(&self) -> Watch {
        let holders = self.records.iter().flat_map(|record| &record.execution.holders);
        // A service that was there before can come by the agent's output through a socket.
        let holders = holders
            .filter_map(|holder| Some((holder.pid?, holder.started?)))
            .filter(|(_, started)| family::is_younger(*started));
        let watch = Watch::new().marker(format!("{MARKER}={}", self.marker)).descendants();
        holders.fold(watch, |watch, (pid, started)| watch.process(pid, started))
    }

    /// Notes how to make this session safe, should the tester break off.
    pub(super) fn arm(&self) {
        let marked = |action| self.prepare_guarded(action).env(MARKER, &self.marker);
        let demote = self.promoted_once.then(|| marked("demote"));
        emergency::arm(Plan { demote, stop: marked("stop"), watch: self.watch() });
    }

    /// The processes this run started that are there, when they have had time to go.
    pub(crate) fn lingering_processes(&self) -> Vec<Process> {
        let settled = self.watch().settled(&Ledger::default()).unwrap_or_default();
        settled.processes.into_values().collect()
    }

    /// Those of them that are none of these.
    pub(crate) fn lingering_beyond(&self, others: &[Process]) -> Vec<Process> {
        let is_same =
            |one: &Process, other: &Process| (one.pid, one.started) == (other.pid, other.started);
        let is_new = |one: &Process| !others.iter().any(|other| is_same(one, other));
        if !self.processes().iter().any(is_new) {
            return Vec::new();
        }
        self.lingering_processes().into_iter().filter(is_new).collect()
    }

    /// The processes this run started that are there now.
    pub(crate) fn processes(&self) -> Vec<Process> {
        self.watch().snapshot().unwrap_or_default().processes.into_values().collect()
    }

    fn prepare_guarded(&self, action: &str) -> Invocation {
        let call = self.prepare(action);
        let limit = call.limit.min(LONGEST_LIMIT);
        call.limit(limit)
    }

    /// Demotes where that may be needed, stops, and asks; the error is why it may not be stopped.
    fn stop_resource(&mut self) -> Result<(), String> {
        if self.promoted_once {
            // Its answer doesn't matter: stop's and monitor's do.
            let _ = self.make(&self.prepare_guarded("demote"));
        }
        let stop = self.make(&self.prepare_guarded("stop"));
        let stopped = stop.as_ref().is_ok_and(|execution| execution.code() == Some(0));
        let _ = self.make(&self.prepare_guarded("monitor"));
        match stop {
            _ if stopped && self.state == State::Stopped => Ok(()),
            _ if self.is_interrupted() => Err("a second signal ended the clean-up".to_owned()),
            Err(Stop::Halt(Halt::Broken(error))) => Err(error.to_string()),
            _ => Err(self.last_answers()),
        }
    }

    fn last_answers(&self) -> String {
        let last = self.records.iter().rev().take(2).collect::<Vec<_>>();
        let answers = last
            .iter()
            .rev()
            .map(|one| format!("{} answered {}", one.call.action_name(), one.execution));
        answers.collect::<Vec<_>>().join(", ")
    }
}

/// Kills what is there, and what that starts meanwhile, until nothing is left; says which they
/// were. With `patience` they have had time to go by themselves before.
pub(crate) fn end_processes(watch: &Watch, patience: bool) -> Vec<String> {
    let begun = ledger::now();
    let look = || watch.snapshot().unwrap_or_default().processes;
    let mut there = if patience {
        watch.settled(&Ledger::default()).unwrap_or_default().processes
    } else {
        look()
    };
    // Those that end from now on and weren't seen were killed here with their group.
    family::reap_orphans();
    let mut seen: BTreeMap<(i32, u64), Process> = BTreeMap::new();
    let deadline = Instant::now() + KILL_GRACE;
    // One look can miss a process that is born during it: only the second empty one counts.
    let mut empty_looks = 0;
    // Nothing is started any more, so these come from one that starts itself anew.
    let mut restless: BTreeSet<(i32, u64)> = BTreeSet::new();
    while (empty_looks < 2 || family::is_left_with_some()) && Instant::now() < deadline {
        let ended = family::end_groups_of_orphans();
        empty_looks = if there.is_empty() && ended.is_empty() { empty_looks + 1 } else { 0 };
        let ended = ended.into_iter().filter(|((_, started), killed)| *started > begun || *killed);
        restless.extend(ended.map(|(one, _)| one));
        for (key, process) in there {
            family::end(&process);
            // At a second look it may be half gone, without its command line.
            seen.entry(key).or_insert(process);
        }
        if empty_looks == 1 {
            pause(LOOK_AGAIN);
        }
        there = look();
    }
    let unnamed = seen.len().saturating_sub(NAMED);
    let name = |(key, process): (&(i32, u64), &Process)| match there.contains_key(key) {
        true => format!("a process the agent started can't be killed: {process}"),
        false => format!("a process the agent started outlived stop and was killed: {process}"),
    };
    let mut sentences: Vec<String> = seen.iter().take(NAMED).map(name).collect();
    if unnamed > 0 {
        sentences.push(format!("{unnamed} further processes outlived stop and were killed"));
    }
    if restless.iter().any(|one| !seen.contains_key(one)) {
        let what = "a process the agent started starts itself anew, and was killed with its group";
        sentences.push(what.to_owned());
    }
    sentences
}
