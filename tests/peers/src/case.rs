// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Scenarios by the table: every action in every state, each with a name made of both.

use ocf_tester::compare::{Scenario, Step};

/// A variable for every call of a scenario.
pub type Variable = (&'static str, &'static str);

/// A state of the resource: its name, and how to get there from an empty directory.
pub type Situation = (&'static str, &'static [Step<'static>]);

/// What makes a monitor a recurring one.
pub const RECURRING: Variable = ("OCF_RESKEY_CRM_meta_interval", "10000");

/// One scenario that owns its name.
#[derive(Debug, Clone)]
pub struct Case {
    agent: &'static str,
    what: String,
    state: Situation,
    env: Vec<Variable>,
    action: &'static str,
    contents: bool,
    modes: bool,
}

impl Case {
    /// An action of an agent (`provider/Type`) in a state. The action `recurring monitor` is a monitor
    /// with an interval; `` is a call without an argument.
    #[must_use]
    pub fn new(agent: &'static str, action: &'static str, state: Situation) -> Self {
        let (action, env, what) = match action {
            "recurring monitor" => ("monitor", vec![RECURRING], action),
            "monitor" => (action, Vec::new(), "probe"),
            "" => (action, Vec::new(), "no action"),
            _ => (action, Vec::new(), action),
        };
        Self { agent, what: what.to_owned(), state, env, action, contents: true, modes: false }
    }

    /// The same with variables, and words that say so in its name.
    #[must_use]
    pub fn with(mut self, words: &str, env: &[Variable]) -> Self {
        self.what = format!("{} {words}", self.what);
        self.env.extend(env);
        self
    }

    /// Compares which files there are, not what is in them.
    #[must_use]
    pub fn without_contents(mut self) -> Self {
        self.contents = false;
        self
    }

    /// Compares permissions too.
    #[must_use]
    pub fn with_modes(mut self) -> Self {
        self.modes = true;
        self
    }

    /// `provider/Type: action, state`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}: {}, {}", self.agent, self.what, self.state.0)
    }

    /// The scenario, under a name of the caller's.
    #[must_use]
    pub fn scenario<'a>(&'a self, id: &'a str) -> Scenario<'a> {
        Scenario {
            id,
            env: &self.env,
            prepare: self.state.1,
            action: self.action,
            contents: self.contents,
            modes: self.modes,
            seconds: 60,
            ..Scenario::PLAIN
        }
    }
}

/// Every action in every state.
#[must_use]
pub fn matrix(agent: &'static str, actions: &[&'static str], states: &[Situation]) -> Vec<Case> {
    let of_state = |state: &Situation| {
        let state = *state;
        actions.iter().map(move |action| Case::new(agent, action, state)).collect::<Vec<_>>()
    };
    states.iter().flat_map(of_state).collect()
}
