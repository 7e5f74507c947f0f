// SPDX-License-Identifier: Apache-2.0 OR MIT
//! An agent that does to the runner what no agent should: panics, prints nothing, dawdles, leaves
//! things behind. For tests only.

use ocf::{About, Action, Agent, Context, Error, Result, State};

ocf::parameters! {
    /// How to misbehave.
    struct Misbehaving {
        /// What to do wrong in every action
        how: String => default("nothing"),
    }
}

impl Misbehaving {
    #[expect(clippy::panic, reason = "what the runner has to survive")]
    fn act(&self, context: &Context) -> Result<()> {
        match self.how.as_str() {
            "panic" => panic!("told to\nocf-exit-reason:planted"),
            "dawdle" => context.hang(context.deadline.timeout() * 9 / 10),
            "long" => return Err(Error::generic("ä".repeat(1000))),
            "lines" => return Err(Error::generic("first\nocf-exit-reason:second\r\x07")),
            "plant" => ocf::tracing::error!("a tool said: ocf-exit-reason:planted"),
            _ => {}
        }
        Ok(())
    }

    fn look(&self, context: &Context) -> Result<State> {
        if context.action == "start" { Ok(State::stopped("never")) } else { Ok(State::Running) }
    }
}

impl Agent for Misbehaving {
    const ABOUT: About =
        About { name: "Misbehaving", version: "1", short: "Misbehaves", long: "For tests." };
    const ACTIONS: &'static [Action<Self>] = &[
        Action::start(1, Self::act),
        Action::stop(1, Self::act),
        Action::monitor(1, 10, Self::look),
        Action::reload(1, Self::act),
    ];
    type Parameters = Self;

    fn new(parameters: Self, _: &Context) -> Self {
        parameters
    }

    fn leftovers(&self, _: &Context) -> Result<Vec<String>> {
        Ok(if self.how == "leave" { vec!["process 4711".to_owned()] } else { Vec::new() })
    }
}

ocf::agent_main!(Misbehaving);
