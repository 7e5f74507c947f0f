// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A situation that a resource can be in, and what our agent has to answer there, action by action.

use crate::{Agent, Seen, Snapshot, World};
use std::net::IpAddr;

type Prepare = Box<dyn Fn(&World) + Send + Sync>;

/// One situation, and the actions in it.
///
/// Actions go on in the world that the ones before them left, but `stop` begins anew in the situation.
pub struct Row {
    pub name: String,
    parameters: Vec<(String, String)>,
    prepare: Vec<Prepare>,
    pub steps: Vec<Step>,
    keeps: bool,
    /// The address that the resource has, where it isn't the parameter.
    at: Option<IpAddr>,
}

/// An action, and what ours has to answer: the code, and words of its reason (several between bars).
#[derive(Debug, Clone)]
pub struct Step {
    pub action: &'static str,
    /// Whether the world is the one that the action before has left.
    pub goes_on: bool,
    pub code: i32,
    pub words: &'static str,
}

/// What an agent did in a step.
#[derive(Debug)]
pub struct Did {
    pub seen: Seen,
    /// What is different from the situation now, in words.
    pub effects: Vec<String>,
    /// How the kernel has the resource's address now.
    pub address: Vec<String>,
    /// How it had it in the situation.
    pub had: Vec<String>,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Row {
    /// A situation with an address as the parameter `ip`; an empty one sets none.
    #[must_use]
    pub fn new(name: &str, ip: &str) -> Self {
        let row = Self {
            name: name.to_owned(),
            parameters: Vec::new(),
            prepare: Vec::new(),
            steps: Vec::new(),
            keeps: false,
            at: None,
        };
        if ip.is_empty() { row } else { row.with("ip", ip) }
    }

    /// With a parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With parameters, as `name=value name=value`.
    #[must_use]
    pub fn options(self, options: &str) -> Self {
        let pairs = options.split_whitespace().filter_map(|option| option.split_once('='));
        pairs.fold(self, |row, (name, value)| row.with(name, value))
    }

    /// What the node is told before, by commands of ip(8), one a line.
    #[must_use]
    pub fn ip(self, commands: &'static str) -> Self {
        self.prepare(move |world| drop(world.node.ip(commands)))
    }

    /// What its neighbour is told before.
    #[must_use]
    pub fn neighbour(self, commands: &'static str) -> Self {
        self.prepare(move |world| drop(world.peer.ip(commands)))
    }

    /// A kernel setting of the node, below /proc/sys/net.
    #[must_use]
    pub fn set(self, setting: &'static str, value: &'static str) -> Self {
        self.prepare(move |world| world.node.set(setting, value))
    }

    /// Anything else that comes before.
    #[must_use]
    pub fn prepare(mut self, prepare: impl Fn(&World) + Send + Sync + 'static) -> Self {
        self.prepare.push(Box::new(prepare));
        self
    }

    /// A stop of ours that answers 0 may leave the address: it isn't the resource's.
    #[must_use]
    pub fn keeps(mut self) -> Self {
        self.keeps = true;
        self
    }

    /// The address that the resource has, where it isn't the parameter.
    #[must_use]
    pub fn at(mut self, address: &str) -> Self {
        self.at = Some(address.parse().unwrap());
        self
    }

    fn step(mut self, action: &'static str, goes_on: bool, code: i32, words: &'static str) -> Self {
        self.steps.push(Step { action, goes_on, code, words });
        self
    }

    #[must_use]
    pub fn probe(self, code: i32, words: &'static str) -> Self {
        self.step("probe", false, code, words)
    }

    #[must_use]
    pub fn monitor(self, code: i32, words: &'static str) -> Self {
        self.step("monitor", false, code, words)
    }

    #[must_use]
    pub fn validate(self, code: i32, words: &'static str) -> Self {
        self.step("validate-all", false, code, words)
    }

    #[must_use]
    pub fn start(self, code: i32, words: &'static str) -> Self {
        self.step("start", false, code, words)
    }

    /// A stop in the situation as it is.
    #[must_use]
    pub fn stop(self, code: i32, words: &'static str) -> Self {
        self.step("stop", false, code, words)
    }

    /// A further action, in what the one before has left.
    #[must_use]
    pub fn then(self, action: &'static str, code: i32, words: &'static str) -> Self {
        self.step(action, true, code, words)
    }

    #[must_use]
    pub fn status(self, code: i32, words: &'static str) -> Self {
        self.step("status", false, code, words)
    }

    /// Probe and monitor answer this.
    #[must_use]
    pub fn looks(self, code: i32) -> Self {
        self.probe(code, "").monitor(code, "")
    }

    /// A start that works, and all that follows it; and a stop without it.
    #[must_use]
    pub fn works(self) -> Self {
        let row = self.start(0, "").then("monitor", 0, "").then("stop", 0, "");
        row.then("probe", 7, "").stop(0, "")
    }

    /// A start that fails with a code, and words of its reason; and a stop that doesn't fail.
    #[must_use]
    pub fn fails(self, code: i32, words: &'static str) -> Self {
        self.start(code, words).then("stop", 0, "")
    }

    /// The resource's address, where its text is one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        if self.at.is_some() {
            return self.at;
        }
        let (_, text) = self.parameters.iter().rev().find(|(name, _)| name == "ip")?;
        text.trim().parse().ok()
    }

    fn world(&self, agent: Agent) -> World {
        let world = World::of(agent);
        let pairs = self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let world = world.with_all(&pairs.collect::<Vec<_>>());
        self.prepare.iter().for_each(|prepare| prepare(&world));
        world
    }

    /// Plays all steps with an agent.
    #[must_use]
    pub fn play(&self, agent: Agent) -> Vec<Did> {
        let mut place: Option<(World, Snapshot)> = None;
        let make = || {
            let world = self.world(agent);
            let before = Snapshot::of(&world.node);
            (world, before)
        };
        let mut done = Vec::new();
        for step in &self.steps {
            if step.action == "stop" && !step.goes_on {
                place = None;
            }
            let (world, before) = place.get_or_insert_with(make);
            done.push(self.act(step, world, before));
        }
        done
    }

    fn act(&self, step: &Step, world: &World, before: &Snapshot) -> Did {
        let seen = world.run(step.action);
        let now = Snapshot::of(&world.node);
        let of = |state: &Snapshot| {
            self.address().map(|address| state.of_address(address)).unwrap_or_default()
        };
        let effects = before.changes(&now);
        Did { seen, effects, address: of(&now), had: of(before) }
    }

    /// What is wrong with what ours did in a step, if anything is.
    #[must_use]
    pub fn complaint(&self, step: &Step, did: &Did) -> Option<String> {
        let Did { seen, effects, address, had } = did;
        let reason = seen.reason.to_lowercase();
        let has_words = step.words.split('|').all(|word| reason.contains(&word.to_lowercase()));
        let may_say = step.code != 0 && (step.code != 7 || !reason.is_empty());
        let wrong = if seen.code() != Some(step.code) || !has_words {
            Some("answers something else")
        } else if may_say == reason.is_empty() && step.code != 7 {
            Some("a reason for a success, or none for a failure")
        } else if reason.len() > 128 || reason.contains('\n') {
            Some("its reason isn't a line of 128 bytes")
        } else {
            match (step.action, step.code) {
                ("probe" | "monitor" | "status" | "validate-all", _) if step.goes_on => None,
                ("probe" | "monitor" | "status" | "validate-all", _) if !effects.is_empty() => {
                    Some("a look changes something")
                }
                ("start", 0) if address.is_empty() && self.address().is_some() => {
                    Some("a start that succeeds without the address")
                }
                ("start", 1..) if !effects.is_empty() => {
                    Some("a start that fails leaves something")
                }
                ("stop", 0) if !self.keeps && !address.is_empty() => {
                    Some("a stop leaves the address")
                }
                ("stop", 0) if !self.keeps && is_more_than(effects, had) => {
                    Some("a stop changes something else")
                }
                _ => None,
            }
        };
        wrong.map(|wrong| {
            let Step { action, code, words, .. } = step;
            format!(
                "{action}, {}: {wrong}: has to answer {code} with \"{words}\", and answers {} with \
                 \"{}\"; {effects:?}",
                self.name, seen.execution.verdict, seen.reason
            )
        })
    }
}

/// Whether anything but these addresses was removed, or anything added but the interface's being up. That
/// an address moves up in its network is no change of it.
fn is_more_than(effects: &[String], had: &[String]) -> bool {
    let plain = |line: &str| line.replace(" secondary", "");
    let of =
        |kind: &'static str| effects.iter().filter_map(move |effect| effect.strip_prefix(kind));
    let added: Vec<String> = of("adds ").map(plain).collect();
    let removed: Vec<String> = of("removes ").map(plain).collect();
    let had: Vec<String> = had.iter().map(|line| plain(line)).collect();
    let is_link = |line: &String| line.starts_with("link ");
    removed.iter().any(|line| !had.contains(line) && !added.contains(line) && !is_link(line))
        || added.iter().any(|line| !removed.contains(line) && !is_link(line))
}
