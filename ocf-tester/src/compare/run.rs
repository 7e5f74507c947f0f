// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Both agents through all scenarios, and what differs.

use super::scenarios::{Case, Ground, State};
use super::stage::{Played, Trouble, play};
use super::{Difference, Observation, Scenario, Setup, description};
use crate::agent::Verdict;
use crate::glob;
use crate::interrupt::Interrupt;
use crate::quote::visible;
use ocf_metadata::reader::{self, Document};
use std::path::Path;

/// How much of an exit reason is shown, in characters.
const SHOWN: usize = 300;

/// What a comparison leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Ignore {
    /// Exit reasons altogether
    Reasons,
    /// The words of exit reasons, not whether there is one
    Wording,
    /// What is left on disk, running and called
    Effects,
    /// The descriptions
    Description,
}

/// What is compared, and how.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// The two agents, A and B.
    pub(crate) agents: [&'a Path; 2],
    /// What all scenarios have in common.
    pub(crate) setup: Setup,
    /// What is left out.
    pub(crate) ignore: &'a [Ignore],
    /// Only scenarios that one of these patterns means, if there is any.
    pub(crate) only: &'a [String],
    /// None that one of these means.
    pub(crate) skip: &'a [String],
    /// Ends the comparison.
    pub(crate) interrupt: Option<&'a Interrupt>,
}

/// What happens meanwhile.
#[derive(Debug)]
pub(crate) enum News<'a> {
    /// So many scenarios follow.
    Begun(usize),
    /// This one is over; what was seen of A and B.
    Compared(&'a str, [&'a Seen; 2], bool),
}

/// Why a comparison came to no result.
#[derive(Debug)]
pub(crate) enum End {
    /// A signal ended it; why the resource isn't stopped, if it isn't.
    Interrupted(Option<String>),
    /// The resource is active.
    Refused(String),
    /// An agent can't be executed, or the tester could not do its own work.
    Broken(String),
    /// The resource can't be stopped any more.
    Left(String),
}

/// What came out.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// In the order of the scenarios; those of the descriptions first.
    pub(crate) differences: Vec<Difference>,
    /// What could not be compared, in sentences.
    pub(crate) notes: Vec<String>,
    /// Scenarios whose result isn't the same each time, by their ids.
    pub(crate) unsteady: Vec<String>,
    /// How many there were.
    pub(crate) scenarios: usize,
}

/// One agent in one scenario, in the words of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The code, or how else it ended.
    pub(crate) answer: String,
    pub(crate) effects: Vec<String>,
    pub(crate) reason: String,
}

impl Seen {
    fn of(observed: Result<Observation, Trouble>) -> Result<Self, End> {
        match observed {
            Ok(Observation { verdict, exit_reason, effects, .. }) => Ok(Self {
                answer: verdict.to_string(),
                effects: effects.iter().map(|effect| visible(effect, usize::MAX)).collect(),
                reason: visible(exit_reason.as_deref().unwrap_or_default(), SHOWN),
            }),
            Err(Trouble::Unprepared(why)) => {
                Ok(Self { answer: visible(&why, SHOWN), effects: vec![], reason: String::new() })
            }
            Err(Trouble::Interrupted) => Err(End::Interrupted(None)),
            Err(Trouble::Broken(why)) => Err(End::Broken(why)),
        }
    }

    /// What is the same in two runs; `None` when the answer isn't.
    fn steady(self, again: &Self) -> Option<Self> {
        let is_steady = self.answer == again.answer;
        let effects = self.effects.into_iter().filter(|one| again.effects.contains(one)).collect();
        let reason = if self.reason == again.reason { self.reason } else { "{varies}".to_owned() };
        is_steady.then_some(Self { answer: self.answer, effects, reason })
    }
}

impl Plan<'_> {
    /// Compares. Everything that is started is stopped again, however it ends.
    pub(crate) fn run(&mut self, tell: &mut dyn FnMut(&News<'_>)) -> Result<Findings, End> {
        self.refuse_active()?;
        let mut findings = Findings::default();
        let documents = self.describe(&mut findings)?;
        for document in &documents {
            for action in &document.actions {
                let known = self.setup.limits.get(&action.name).copied();
                let limit = known.max(action.timeout.filter(|time| !time.is_zero()));
                if let Some(limit) = limit {
                    self.setup.limits.insert(action.name.clone(), limit);
                }
            }
        }
        let states = self.states(&mut findings)?;
        let instance = self.setup.instance.clone().unwrap_or_default();
        let ground = Ground { documents: &documents, states: &states, instance: &instance };
        let cases: Vec<Case> =
            ground.cases().into_iter().filter(|case| self.is_wanted(&case.id)).collect();
        findings.differences.retain(|one| self.is_wanted(&one.scenario));
        findings.scenarios = cases.len();
        tell(&News::Begun(cases.len()));
        for case in &cases {
            let [first, second] = self.both(case)?;
            let mut difference = self.difference(&case.id, &first, &second);
            if difference.is_some() {
                let again = self.both(case)?;
                match self.steady([&first, &second], &again) {
                    Some([first, second]) => {
                        difference = self.difference(&case.id, &first, &second);
                    }
                    None => {
                        findings.unsteady.push(case.id.clone());
                        difference = None;
                    }
                }
            }
            tell(&News::Compared(&case.id, [&first, &second], difference.is_some()));
            findings.differences.extend(difference);
        }
        Ok(findings)
    }

    fn steady(&self, first: [&Seen; 2], again: &[Seen; 2]) -> Option<[Seen; 2]> {
        let [a, b] = first.map(Clone::clone);
        let [a_again, b_again] = again;
        Some([a.steady(a_again)?, b.steady(b_again)?])
    }

    /// Whether a scenario is among those that were chosen.
    pub(crate) fn is_wanted(&self, id: &str) -> bool {
        let means = |patterns: &[String]| patterns.iter().any(|one| glob::matches(one, id));
        (self.only.is_empty() || means(self.only)) && !means(self.skip)
    }

    fn ignores(&self, what: Ignore) -> bool {
        self.ignore.contains(&what)
    }

    /// One agent in one scenario.
    fn play(&self, scenario: &Scenario<'_>, preparer: &Path, actor: &Path) -> Result<Seen, End> {
        let Played { observation, left } =
            play(scenario, [preparer, actor], &self.setup, self.interrupt);
        let seen = Seen::of(observation);
        match left {
            Some(why) if matches!(seen, Err(End::Interrupted(_))) => {
                Err(End::Interrupted(Some(why)))
            }
            // In most scenarios all that there was went with the directory.
            Some(why) => match self.is_active(actor) {
                Ok(false) => seen,
                Ok(true) => Err(End::Left(why)),
                Err(End::Interrupted(_)) => Err(End::Interrupted(Some(why))),
                Err(end) => Err(end),
            },
            None => seen,
        }
    }

    fn both(&self, case: &Case) -> Result<[Seen; 2], End> {
        let [a, b] = self.agents;
        case.scenario(|scenario| {
            let (of_a, of_b) = if case.by_other { (b, a) } else { (a, b) };
            Ok([self.play(scenario, of_a, a)?, self.play(scenario, of_b, b)?])
        })
    }

    /// Whether the resource is active, before anything was started.
    fn is_active(&self, agent: &Path) -> Result<bool, End> {
        Ok(self.first_look(agent)?.is_some())
    }

    /// What monitor says of an active resource.
    fn first_look(&self, agent: &Path) -> Result<Option<Verdict>, End> {
        let look = Scenario { id: "first look", ..Scenario::PLAIN };
        let Played { observation, .. } = play(&look, [agent; 2], &self.setup, self.interrupt);
        match observation {
            Ok(seen) => {
                let is_active = matches!(seen.verdict.code(), Some(0 | 8 | 9 | 190 | 191));
                Ok(is_active.then_some(seen.verdict))
            }
            Err(Trouble::Interrupted) => Err(End::Interrupted(None)),
            Err(Trouble::Broken(why) | Trouble::Unprepared(why)) => Err(End::Broken(why)),
        }
    }

    /// An active resource is somebody's: it is left alone.
    fn refuse_active(&self) -> Result<(), End> {
        for agent in self.agents {
            if let Some(verdict) = self.first_look(agent)? {
                let agent = agent.display();
                return Err(End::Refused(format!(
                    "monitor of {agent} answers {verdict}: the resource is active already; stop it \
                     first, or compare on another one"
                )));
            }
        }
        Ok(())
    }

    /// Reads and compares the descriptions.
    fn describe(&self, findings: &mut Findings) -> Result<Vec<Document>, End> {
        let mut read = Vec::new();
        for agent in self.agents {
            let scenario = Scenario { id: "description", action: "meta-data", ..Scenario::PLAIN };
            let played = play(&scenario, [agent; 2], &self.setup, self.interrupt);
            read.push(match played.observation {
                Ok(seen) => reader::read(seen.stdout.as_bytes()).map_err(|why| why.to_string()),
                Err(Trouble::Interrupted) => return Err(End::Interrupted(None)),
                Err(Trouble::Broken(why) | Trouble::Unprepared(why)) => {
                    return Err(End::Broken(why));
                }
            });
        }
        match read.as_slice() {
            [Ok(_), Ok(_)] if self.ignores(Ignore::Description) => {}
            [Ok(first), Ok(second)] => {
                findings.differences = description::differences(first, second);
                if !self.ignores(Ignore::Reasons) {
                    let empty = || Some([String::new(), String::new()]);
                    findings.differences.iter_mut().for_each(|one| one.reasons = empty());
                }
            }
            _ => {
                let unread = ["A", "B"].into_iter().zip(&read).filter_map(|(which, read)| {
                    let why = read.as_ref().err()?;
                    Some(format!("the descriptions aren't compared: of {which} {why}"))
                });
                findings.notes.extend(unread);
            }
        }
        Ok(read.into_iter().flatten().collect())
    }

    /// The states that both agents reach, and whether there is anything to kill or forget there.
    fn states(&self, findings: &mut Findings) -> Result<Vec<State>, End> {
        let mut states = vec![State::Stopped];
        let mut effects = Vec::new();
        let ways: [(State, &str, &[State]); 2] = [
            (State::Started, "start", &[State::Started]),
            (State::Promoted, "promote", &[State::Promoted]),
        ];
        for (state, action, reached) in ways {
            let prepare = match state {
                State::Promoted => State::Started.steps(),
                _ => &[],
            };
            let scenario = Scenario { id: action, prepare, action, ..Scenario::PLAIN };
            for (which, agent) in ["A", "B"].into_iter().zip(self.agents) {
                let seen = self.play(&scenario, agent, agent)?;
                if seen.answer != "0" {
                    let words = if state == State::Started { "a started" } else { "a promoted" };
                    findings.notes.push(format!(
                        "{words} resource isn't compared: {action} of {which} answers {}",
                        seen.answer
                    ));
                    return Ok(states);
                }
                effects.extend(seen.effects);
            }
            states.extend(reached);
            if state == State::Started {
                let has = |what: &str| effects.iter().any(|effect| effect.starts_with(what));
                if has("left running: ") {
                    states.push(State::Killed);
                }
                if has("made rsctmp/") || has("made run/") {
                    states.push(State::Forgotten);
                }
            }
        }
        Ok(states)
    }

    fn difference(&self, id: &str, first: &Seen, second: &Seen) -> Option<Difference> {
        let effects = |seen: &Seen| {
            if self.ignores(Ignore::Effects) { Vec::new() } else { seen.effects.clone() }
        };
        let reason = |seen: &Seen| match seen.reason.as_str() {
            reason if !self.ignores(Ignore::Wording) => reason.to_owned(),
            "" => "none".to_owned(),
            _ => "given".to_owned(),
        };
        let [effects_a, effects_b] = [effects(first), effects(second)];
        let compares_reasons = !self.ignores(Ignore::Reasons);
        let [reason_a, reason_b] = [reason(first), reason(second)];
        let same_reason = !compares_reasons || reason_a == reason_b;
        if first.answer == second.answer && effects_a == effects_b && same_reason {
            return None;
        }
        let cell = |seen: &Seen, own: &[String], other: &[String]| {
            let only = own.iter().filter(|effect| !other.contains(effect));
            only.fold(seen.answer.clone(), |cell, effect| format!("{cell}; {effect}"))
        };
        let reasons =
            if same_reason { [String::new(), String::new()] } else { [reason_a, reason_b] };
        Some(Difference {
            scenario: id.to_owned(),
            shell: cell(first, &effects_a, &effects_b),
            ours: cell(second, &effects_b, &effects_a),
            reasons: compares_reasons.then_some(reasons),
        })
    }
}
