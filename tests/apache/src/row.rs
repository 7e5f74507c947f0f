// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A situation that a resource can be in, and what our agent has to answer there, action by action.

use crate::host::Snapshot;
use crate::{Agent, Seen, World, pause};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

type Prepare = Box<dyn Fn(&World) + Send + Sync>;

/// One situation, and the actions in it. All actions follow one another in one world; a row of another
/// beginning is another row.
pub struct Row {
    pub name: String,
    parameters: Vec<(String, String)>,
    environment: Vec<(String, String)>,
    is_stock: bool,
    prepare: Vec<Prepare>,
    pub steps: Vec<Step>,
    keeps: bool,
    limit: Option<Duration>,
}

/// An action, and what ours has to answer: the code, and words of its reason (several between bars).
#[derive(Debug, Clone)]
pub struct Step {
    pub action: &'static str,
    pub code: i32,
    pub words: &'static str,
}

/// What an agent did in a step.
#[derive(Debug, Serialize, Deserialize)]
pub struct Did {
    /// None for one that was killed at its limit.
    pub code: Option<i32>,
    pub reason: String,
    /// The call, and what it said.
    pub what: String,
    pub seconds: f64,
    /// What is different from the situation now, in words.
    pub effects: Vec<String>,
    /// What is different from before the action.
    pub own_effects: Vec<String>,
    /// The servers and orphans that are there now.
    pub servers: Vec<String>,
    /// Records of the agent's that are there now.
    pub records: Vec<String>,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Row {
    /// With the small configuration.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            parameters: Vec::new(),
            environment: Vec::new(),
            is_stock: false,
            prepare: Vec::new(),
            steps: Vec::new(),
            keeps: false,
            limit: None,
        }
    }

    /// With Debian's own configuration, and no parameter.
    #[must_use]
    pub fn stock(name: &str) -> Self {
        Self { is_stock: true, ..Self::new(name) }
    }

    /// With a parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a variable.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With another time for every action, in seconds: where an agent is known to use up all it has.
    #[must_use]
    pub fn limit(mut self, seconds: u64) -> Self {
        self.limit = Some(Duration::from_secs(seconds));
        self
    }

    /// What comes before.
    #[must_use]
    pub fn prepare(mut self, prepare: impl Fn(&World) + Send + Sync + 'static) -> Self {
        self.prepare.push(Box::new(prepare));
        self
    }

    /// A file that is written before.
    #[must_use]
    pub fn file(self, path: &'static str, text: &'static str) -> Self {
        self.prepare(move |world| world.write(path, text))
    }

    /// Another text in the small configuration.
    #[must_use]
    pub fn edit(self, from: &'static str, to: &'static str) -> Self {
        self.prepare(move |world| world.edit("httpd.conf", from, to))
    }

    /// Further lines of the small configuration.
    #[must_use]
    pub fn configure(self, lines: &'static str) -> Self {
        self.prepare(move |world| world.configure(lines))
    }

    /// The server runs, and no agent started it.
    #[must_use]
    pub fn running(self) -> Self {
        self.prepare(World::serve)
    }

    /// A stop of ours that answers 0 may leave a server: it isn't the resource's.
    #[must_use]
    pub fn keeps(mut self) -> Self {
        self.keeps = true;
        self
    }

    /// A further action, in what the one before has left.
    #[must_use]
    pub fn then(mut self, action: &'static str, code: i32, words: &'static str) -> Self {
        self.steps.push(Step { action, code, words });
        self
    }

    /// Probe and monitor answer this.
    #[must_use]
    pub fn looks(self, code: i32, words: &'static str) -> Self {
        self.then("probe", code, words).then("monitor", code, words)
    }

    /// A start that works, and all that follows it.
    #[must_use]
    pub fn works(self) -> Self {
        let row = self.then("start", 0, "").then("monitor", 0, "").then("stop", 0, "");
        row.then("probe", 7, "")
    }

    /// A start that fails with a code, and words of its reason; a stop that doesn't fail.
    #[must_use]
    pub fn fails(self, code: i32, words: &'static str) -> Self {
        self.then("start", code, words).then("stop", 0, "")
    }

    fn world(&self, agent: Agent) -> World {
        let world = if self.is_stock { World::stock(agent) } else { World::of(agent) };
        let pairs = self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let world = world.with_all(&pairs.collect::<Vec<_>>());
        let variables = self.environment.iter();
        let world = variables.fold(world, |world, (name, value)| world.env(name, value));
        let world = if let Some(limit) = self.limit { world.limit(limit) } else { world };
        self.prepare.iter().for_each(|prepare| prepare(&world));
        world
    }

    /// Plays all steps with an agent.
    #[must_use]
    pub fn play(&self, agent: Agent) -> Vec<Did> {
        let world = self.world(agent);
        let before = settled(&world);
        let mut last = before.clone();
        let mut act = |step: &Step| {
            let seen = world.run(step.action);
            let now = settled(&world);
            let own_effects = last.changes(&now);
            last = now;
            did(&world, &seen, before.changes(&last), own_effects)
        };
        self.steps.iter().map(&mut act).collect()
    }

    /// What is wrong with what ours did in a step, if anything is.
    #[must_use]
    pub fn complaint(&self, step: &Step, did: &Did) -> Option<String> {
        let reason = did.reason.to_lowercase();
        let has_words = step.words.split('|').all(|word| reason.contains(&word.to_lowercase()));
        let is_look = !["start", "stop", "reload-agent"].contains(&step.action);
        let has = |of: &[String], kinds: &[&str]| {
            of.iter().any(|effect| kinds.iter().any(|kind| effect.starts_with(kind)))
        };
        let servers = ["adds server", "adds orphans"];
        let wrong = if did.code != Some(step.code) || !has_words {
            "answers something else"
        } else if did.code == Some(0) && !reason.is_empty() {
            "a reason for a success"
        } else if !matches!(did.code, Some(0 | 7)) && reason.is_empty() {
            "no reason for a failure"
        } else if reason.len() > 128 || reason.contains('\n') {
            "its reason isn't a line of 128 bytes"
        } else if did.what.contains("panicked at") {
            "panics"
        } else if has(&did.effects, &["adds bystander", "removes bystander"]) {
            "meddles with others' processes"
        } else if is_look && !did.own_effects.is_empty() {
            "a look changes something"
        } else if step.action == "start" && step.code != 0 && has(&did.own_effects, &servers) {
            "a start that fails leaves a server"
        } else if step.action == "stop" && step.code == 0 && !did.records.is_empty() {
            "a stop leaves its record"
        } else if step.action == "stop" && step.code == 0 && !self.keeps && !did.servers.is_empty()
        {
            "a stop leaves a server"
        } else {
            return None;
        };
        Some(format!(
            "{}, {}: {wrong}: has to answer {} with \"{}\", and answers {} with \"{}\"; {:?}; \
             records {:?}",
            step.action,
            self.name,
            step.code,
            step.words,
            did.code.map_or_else(|| "not in time".to_owned(), |code| code.to_string()),
            did.reason,
            did.own_effects,
            did.records,
        ))
    }
}

fn did(world: &World, seen: &Seen, effects: Vec<String>, own_effects: Vec<String>) -> Did {
    let now = world.snapshot();
    let is_one = |line: &&str| line.starts_with("server with") || line.starts_with("orphans with");
    let servers = now.lines().into_iter().filter(is_one).map(str::to_owned).collect();
    let place = world.place().to_string_lossy();
    Did {
        code: seen.code(),
        reason: seen.reason.replace(&*place, "{w}"),
        what: seen.to_string(),
        seconds: seen.seconds(),
        effects,
        own_effects,
        servers,
        records: world.records(),
    }
}

/// How long something that is about to end is looked at before it counts as staying.
const ENDING: Duration = Duration::from_millis(300);

/// What is here once nothing changes any more: workers end a moment after their server.
fn settled(world: &World) -> Snapshot {
    let begun = Instant::now();
    let mut last = world.snapshot();
    loop {
        pause(Duration::from_millis(10));
        let now = world.snapshot();
        let is_ending = now.lines().iter().any(|line| line.starts_with("orphans with"));
        let is_still = now == last && !is_ending;
        if is_still || begun.elapsed() > ENDING {
            return now;
        }
        last = now;
    }
}
