// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The scenarios that two descriptions ask for: every action in every state, further arguments,
//! unknown actions, wrong values of every kind, check levels, environments, and each agent on what
//! the other has started.

use super::{Scenario, Step};
use crate::profile::{CLASSIC, EMPTY, PACEMAKER, Profile};
use ocf_metadata::reader::{Document, Parameter};
use std::collections::BTreeSet;

/// An action that no agent can have.
const UNKNOWN: &str = "ocf-tester-unknown-action";

/// Actions that have a meaning in any state.
const LIVELY: &[&str] = &[
    "start",
    "stop",
    "probe",
    "recurring monitor",
    "promote",
    "demote",
    "notify",
    "reload",
    "reload-agent",
    "migrate_to",
    "migrate_from",
    "validate-all",
];

/// Those that don't look at the resource.
const QUIET: &[&str] = &["meta-data", "usage", "help", UNKNOWN, ""];

/// What an agent gets that is called after something happened to the resource.
const AFTER_LOSS: &[&str] = &["probe", "recurring monitor", "start", "stop", "validate-all"];

/// A state of the resource, and how to get there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Stopped,
    Started,
    Promoted,
    /// Its processes are dead.
    Killed,
    /// Its files in the directories for running things are gone, as after a reboot.
    Forgotten,
}

impl State {
    fn words(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Started => "started",
            Self::Promoted => "promoted",
            Self::Killed => "service killed",
            Self::Forgotten => "files gone",
        }
    }

    /// The way there from an empty directory.
    pub(crate) fn steps(self) -> &'static [Step<'static>] {
        match self {
            Self::Stopped => &[],
            Self::Started => &[Step::Call("start")],
            Self::Promoted => &[Step::Call("start"), Step::Call("promote")],
            Self::Killed => &[Step::Call("start"), Step::Kill],
            Self::Forgotten => &[
                Step::Call("start"),
                Step::Remove("{scratch}/rsctmp"),
                Step::Remove("{scratch}/run"),
                Step::MakeDirectory("{scratch}/rsctmp"),
                Step::MakeDirectory("{scratch}/run"),
            ],
        }
    }
}

/// A scenario that owns its texts.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) id: String,
    action: String,
    arguments: Vec<&'static str>,
    env: Vec<(String, String)>,
    without: Vec<String>,
    state: State,
    profile: &'static Profile,
    /// Whether the other agent brings the resource into the state.
    pub(crate) by_other: bool,
}

impl Case {
    fn new(action: &str, state: State) -> Self {
        let interval = |value: &str| ("OCF_RESKEY_CRM_meta_interval".to_owned(), value.to_owned());
        let (action, env, what) = match action {
            "recurring monitor" => ("monitor", vec![interval("10000")], action),
            "probe" => ("monitor", Vec::new(), action),
            "" => ("", Vec::new(), "no action"),
            UNKNOWN => (action, Vec::new(), "unknown action"),
            _ => (action, Vec::new(), action),
        };
        Self {
            id: format!("{what}, {}", state.words()),
            action: action.to_owned(),
            arguments: Vec::new(),
            env,
            without: Vec::new(),
            state,
            profile: &PACEMAKER,
            by_other: false,
        }
    }

    /// The same with words in its name that say what is special.
    fn with(mut self, words: &str) -> Self {
        let (what, state) = self.id.rsplit_once(", ").unwrap_or((&self.id, ""));
        self.id = format!("{what} {words}, {state}");
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Makes the scenario and hands it on; it borrows from what is made here.
    pub(crate) fn scenario<T>(&self, work: impl FnOnce(&Scenario<'_>) -> T) -> T {
        let env: Vec<(&str, &str)> =
            self.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let without: Vec<&str> = self.without.iter().map(String::as_str).collect();
        // A state that is reached in the common environment may be out of reach in this one, and
        // that is a part of what is compared.
        let is_common = self.env.is_empty() && self.profile == &PACEMAKER;
        work(&Scenario {
            id: &self.id,
            profile: self.profile,
            env: &env,
            without: &without,
            prepare: self.state.steps(),
            prepare_must_succeed: is_common,
            action: &self.action,
            arguments: &self.arguments,
            ..Scenario::PLAIN
        })
    }
}

/// What there is to compare: the descriptions, as far as they can be read, the states that both
/// agents reach, the instance.
#[derive(Debug)]
pub(crate) struct Ground<'a> {
    pub(crate) documents: &'a [Document],
    pub(crate) states: &'a [State],
    pub(crate) instance: &'a str,
}

impl Ground<'_> {
    /// All scenarios; each has a name of its own.
    pub(crate) fn cases(&self) -> Vec<Case> {
        let mut cases = self.matrix();
        cases.extend(self.arguments());
        cases.extend(self.levels());
        cases.extend(self.values());
        cases.extend(self.environments());
        cases.extend(self.takeovers());
        // An agent may call an action or a parameter as something else is called here.
        let mut known = BTreeSet::new();
        cases.retain(|case| known.insert(case.id.clone()));
        cases
    }

    /// The actions in the states.
    fn matrix(&self) -> Vec<Case> {
        let mut actions: Vec<String> = LIVELY.iter().map(|name| (*name).to_owned()).collect();
        let advertised = self.documents.iter().flat_map(|document| &document.actions);
        for name in advertised.map(|row| &row.name) {
            let is_known = name == "monitor" || QUIET.contains(&name.as_str());
            if !is_known && !actions.contains(name) {
                actions.push(name.clone());
            }
        }
        let mut cases = Vec::new();
        for state in self.states {
            match state {
                State::Killed | State::Forgotten => {
                    cases.extend(AFTER_LOSS.iter().map(|action| Case::new(action, *state)));
                }
                _ => cases.extend(actions.iter().map(|action| Case::new(action, *state))),
            }
            if matches!(state, State::Stopped | State::Started) {
                cases.extend(QUIET.iter().map(|action| Case::new(action, *state)));
            }
        }
        cases
    }

    /// States in which a resource is not or is.
    fn plain_states(&self) -> impl Iterator<Item = State> {
        let plain = [State::Stopped, State::Started];
        plain.into_iter().filter(|state| self.states.contains(state))
    }

    fn arguments(&self) -> Vec<Case> {
        let of = |state| {
            ["start", "stop", "probe"].map(|action| {
                let case = Case::new(action, state).with("with a further argument");
                Case { arguments: vec!["further"], ..case }
            })
        };
        self.plain_states().flat_map(of).collect()
    }

    /// The levels of the standard, those that are advertised, and one that nobody has.
    fn levels(&self) -> Vec<Case> {
        let advertised = self.documents.iter().flat_map(|document| &document.actions);
        let mut levels: BTreeSet<u32> = advertised.filter_map(|row| row.depth).collect();
        levels.extend([0, 10, 20, 99]);
        let mut cases = Vec::new();
        for state in self.plain_states() {
            for level in &levels {
                for action in ["probe", "recurring monitor", "validate-all"] {
                    let case = Case::new(action, state).with(&format!("at level {level}"));
                    cases.push(case.env("OCF_CHECK_LEVEL", &level.to_string()));
                }
            }
        }
        cases
    }

    /// Wrong values, to the actions that have to refuse them and to those that mustn't.
    fn values(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        let mut push = |words: &str, change: &dyn Fn(Case) -> Case| {
            for action in ["validate-all", "start", "probe", "stop"] {
                cases.push(change(Case::new(action, State::Stopped).with(words)));
            }
        };
        for (name, kinds, required) in self.parameters() {
            let variable = format!("OCF_RESKEY_{name}");
            for value in kinds.iter().flat_map(|kind| wrong_values(kind)).collect::<BTreeSet<_>>() {
                let words = match *value {
                    "" => format!("with empty {name}"),
                    value => format!("with {name}={value}"),
                };
                push(&words, &|case| case.env(&variable, value));
            }
            if required {
                let without = vec![variable.clone()];
                push(&format!("without {name}"), &|case| Case { without: without.clone(), ..case });
            }
        }
        cases
    }

    /// The names of parameters, their types, and whether one of the agents requires them.
    fn parameters(&self) -> Vec<(&str, BTreeSet<&str>, bool)> {
        let all = || self.documents.iter().flat_map(|document| &document.parameters);
        let mut names: Vec<&str> = Vec::new();
        for one in all().filter(|one| !one.deprecated && !one.name.is_empty()) {
            if !names.contains(&one.name.as_str()) {
                names.push(&one.name);
            }
        }
        let of =
            |name: &str| all().filter(move |one| one.name == name).collect::<Vec<&Parameter>>();
        let rows = names.into_iter().map(|name| {
            let declared = of(name);
            let kinds = declared.iter().map(|one| one.kind.as_str()).collect();
            (name, kinds, declared.iter().any(|one| one.required))
        });
        rows.collect()
    }

    /// Other callers, and what Pacemaker's own environment may have.
    fn environments(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        let clone = format!("{}:1", self.instance);
        for state in self.plain_states() {
            for action in ["start", "stop", "probe", "validate-all", "meta-data"] {
                for (words, profile) in [
                    ("in the classic tester's environment", &CLASSIC),
                    ("in an empty environment", &EMPTY),
                ] {
                    cases.push(Case { profile, ..Case::new(action, state).with(words) });
                }
                for (words, name, value) in [
                    ("with API version 2", "OCF_RA_VERSION_MAJOR", "2"),
                    ("without its software", "OCF_TESTER_FAIL_HAVE_BINARY", "1"),
                    ("with output format text", "OCF_OUTPUT_FORMAT", "text"),
                ] {
                    cases.push(Case::new(action, state).with(words).env(name, value));
                }
            }
        }
        for (words, unique) in [("an anonymous clone", "false"), ("a unique clone", "true")] {
            let case = Case::new("start", State::Stopped).with(&format!("of {words}"));
            let case = case.env("OCF_RESOURCE_INSTANCE", &clone);
            let case = case.env("OCF_RESKEY_CRM_meta_clone", "1");
            cases.push(case.env("OCF_RESKEY_CRM_meta_globally_unique", unique));
        }
        cases
    }

    /// What a change of the agent on a running resource means.
    fn takeovers(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        for state in self.states.iter().filter(|state| **state != State::Stopped) {
            for action in ["probe", "recurring monitor", "start", "stop"] {
                let mut case = Case::new(action, *state);
                case.id.push_str(" by the other");
                cases.push(Case { by_other: true, ..case });
            }
        }
        cases
    }
}

/// Values that a parameter of this type can't have, and the empty one, which few expect.
fn wrong_values(kind: &str) -> &'static [&'static str] {
    match kind {
        "integer" => &["", "-1", "1x", "x"],
        "boolean" => &["", "maybe"],
        "select" => &["", "no-such-word"],
        _ => &[""],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ocf_metadata::reader::read;

    const TEXT: &str = r#"<resource-agent name="a"><version>1.1</version><parameters>
        <parameter name="p" required="1"><content type="integer"/></parameter></parameters>
        <actions><action name="start" timeout="5"/><action name="own" timeout="5"/><action name="no action" timeout="5"/>
        <action name="monitor" timeout="5" interval="9" depth="30"/></actions></resource-agent>"#;

    #[test]
    fn names_are_unique_and_everything_that_is_described_occurs() {
        let documents = [read(TEXT.as_bytes()).unwrap()];
        let states = [State::Stopped, State::Started, State::Promoted, State::Killed];
        let ground = Ground { documents: &documents, states: &states, instance: "x" };
        let cases = ground.cases();
        let ids: BTreeSet<&str> = cases.iter().map(|case| case.id.as_str()).collect();
        assert_eq!(ids.len(), cases.len());
        for id in [
            "start, stopped",
            "no action, started",
            "own, promoted",
            "recurring monitor, service killed",
            "probe with a further argument, started",
            "recurring monitor at level 30, started",
            "stop with p=1x, stopped",
            "validate-all with empty p, stopped",
            "start without p, stopped",
            "meta-data in an empty environment, stopped",
            "stop, promoted by the other",
        ] {
            assert!(ids.contains(id), "{id} is missing in {ids:#?}");
        }
    }

    #[test]
    fn a_state_that_is_out_of_reach_has_no_scenarios() {
        let ground = Ground { documents: &[], states: &[State::Stopped], instance: "x" };
        let cases = ground.cases();
        assert!(cases.iter().all(|case| case.id.ends_with(", stopped")), "{cases:#?}");
    }
}
