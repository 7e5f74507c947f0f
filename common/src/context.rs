// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What an action is told besides its parameters: built once from the environment and handed down.
//! Pacemaker 2.1 and 3, crm_resource, pcs, crmsh, drbd-reactor, halo and a plain shell set different
//! parts of it; what each one leads to is recorded in `tests/contexts`.

use crate::deadline::Deadline;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::notify::Notification;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The major version of the OCF Resource Agent API that the callers speak.
const API_MAJOR: &str = "1";

/// The name of an instance: `id`, or `id:N` in a globally unique clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// As the caller gave it.
    pub name: String,
    /// Without the clone's number.
    pub id: String,
    /// The clone's number.
    pub number: Option<u32>,
}

impl Instance {
    fn parse(name: &str) -> Self {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let split = name.rsplit_once(':').filter(|(_, number)| is_number(number));
        let (id, number) = split.map_or((name, None), |(id, number)| (id, number.parse().ok()));
        Self { name: name.to_owned(), id: id.to_owned(), number }
    }
}

/// Resource meta attributes, typed.
#[derive(Clone, Copy)]
struct Meta<'a>(&'a Environment);

impl<'a> Meta<'a> {
    fn text(self, name: &str) -> Option<&'a str> {
        self.0.meta(name).map(str::trim).filter(|text| !text.is_empty())
    }

    fn owned(self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    fn number(self, name: &str) -> Option<u32> {
        self.text(name).and_then(|text| text.parse().ok())
    }

    /// A time in milliseconds; 0 is none.
    fn millis(self, name: &str) -> Option<Duration> {
        let time = self.text(name).and_then(|text| text.parse().ok()).map(Duration::from_millis);
        time.filter(|time| !time.is_zero())
    }

    /// How often a monitor is repeated; unset and 0 mean not at all. Any other text, even one that is
    /// no number, means that it is repeated: the shell helpers compare with 0 and nothing else.
    fn interval(self) -> Option<Duration> {
        let repeated = Duration::from_millis(self.text("interval")?.parse().unwrap_or(1));
        Some(repeated).filter(|interval| !interval.is_zero())
    }

    /// In any word Pacemaker takes for true: its scheduler writes `true`, but crm_resource and crmsh
    /// pass on what the administrator wrote into the CIB.
    fn is_true(self, name: &str) -> bool {
        let words = ["true", "on", "yes", "y", "1"];
        self.text(name).is_some_and(|text| words.iter().any(|w| w.eq_ignore_ascii_case(text)))
    }
}

/// Meta attributes of a clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloneMeta {
    /// Most instances in the cluster.
    pub max: Option<u32>,
    /// Most instances on one node.
    pub node_max: Option<u32>,
    /// Whether instances are distinct, and their names carry a number.
    pub globally_unique: bool,
    /// Whether instances are notified.
    pub notify: bool,
}

impl CloneMeta {
    /// crmsh's rsctest sets nothing but what the CIB holds, so `clone` and `clone_max` may be missing.
    fn of(meta: Meta<'_>) -> Option<Self> {
        let is_clone = ["clone", "clone_max"].iter().any(|name| meta.text(name).is_some())
            || Promotable::of(meta).is_some();
        is_clone.then(|| Self {
            max: meta.number("clone_max"),
            node_max: meta.number("clone_node_max"),
            globally_unique: meta.is_true("globally_unique"),
            notify: meta.is_true("notify"),
        })
    }
}

/// Meta attributes of a promotable clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotable {
    /// Most promoted instances in the cluster.
    pub promoted_max: Option<u32>,
    /// Most promoted instances on one node.
    pub promoted_node_max: Option<u32>,
}

impl Promotable {
    /// `promotable` itself comes from crm_resource and crmsh only, the maxima from the scheduler only.
    fn of(meta: Meta<'_>) -> Option<Self> {
        let either = |new: &str, old: &str| meta.number(new).or_else(|| meta.number(old));
        let promoted_max = either("promoted_max", "master_max");
        let promoted_node_max = either("promoted_node_max", "master_node_max");
        let is_promotable = promoted_max.is_some() || meta.is_true("promotable");
        is_promotable.then_some(Self { promoted_max, promoted_node_max })
    }
}

/// Meta attributes inside a bundle or on a guest node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bundle {
    /// The container's resource.
    pub container: Option<String>,
    /// The node inside.
    pub remote_node: Option<String>,
    /// The node the container runs on.
    pub physical_host: Option<String>,
    /// Where node attributes belong: `host` or the container's own node.
    pub container_attribute_target: Option<String>,
}

impl Bundle {
    fn of(meta: Meta<'_>) -> Option<Self> {
        let bundle = Self {
            container: meta.owned("container"),
            remote_node: meta.owned("remote_node"),
            physical_host: meta.owned("physical_host"),
            container_attribute_target: meta.owned("container_attribute_target"),
        };
        (bundle != Self::default()).then_some(bundle)
    }
}

/// The two ends of a live migration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Migration {
    /// The node that is left.
    pub source: Option<String>,
    /// The node that is gone to.
    pub target: Option<String>,
}

/// The directories agents share with their manager; each by its own variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directories {
    /// State of agents, emptied at boot (`HA_RSCTMP`).
    pub rsctmp: PathBuf,
    /// Pid files and the like (`HA_VARRUN`).
    pub varrun: PathBuf,
    /// Where crm_attribute and its siblings are (`HA_SBIN_DIR`).
    pub sbin: PathBuf,
}

/// What an action is told.
#[derive(Clone)]
pub struct Context {
    /// The action's name.
    pub action: String,
    /// The instance.
    pub instance: Instance,
    /// How often a monitor is repeated; `None` for probes and all other actions, whatever the caller
    /// says (upstream's ocf-tester gives every action one).
    pub interval: Option<Duration>,
    /// A monitor that asks whether the instance is active here at all.
    pub probe: bool,
    /// `OCF_CHECK_LEVEL`, where set.
    pub check_level: Option<u32>,
    /// When the action has to be over.
    pub deadline: Deadline,
    /// Whether Pacemaker or one of its tools calls: others know fewer exit codes.
    pub by_pacemaker: bool,
    /// The node Pacemaker runs the action for.
    pub on_node: Option<String>,
    /// Of a clone.
    pub clone: Option<CloneMeta>,
    /// Of a promotable clone.
    pub promotable: Option<Promotable>,
    /// Inside a bundle.
    pub bundle: Option<Bundle>,
    /// Of a migration.
    pub migration: Migration,
    /// Of a clone that is notified.
    pub notification: Option<Notification>,
    /// Shared directories.
    pub directories: Directories,
    environment: Environment,
}

impl Context {
    /// The context of a call. `advertised` is the action's own timeout, which counts when the caller
    /// names none.
    ///
    /// # Errors
    /// `args` (2): the caller speaks another major version of the API (OCF 1.1, "API Version
    /// Numbers"), or is a manager and names no instance, or one that can't be part of a file's name.
    pub fn of(action: &str, advertised: Duration, environment: Environment) -> Result<Self> {
        let major = environment.filled("OCF_RA_VERSION_MAJOR");
        if major.is_some_and(|major| major != API_MAJOR) {
            let reason = "OCF_RA_VERSION_MAJOR is not 1: this agent speaks OCF 1.1 only";
            return Err(Error::args(reason));
        }
        let instance = instance(&environment, major.is_some())?;
        let meta = Meta(&environment);
        let recurs = matches!(action, "monitor" | "status");
        let interval = meta.interval().filter(|_| recurs);
        let level = environment.text("OCF_CHECK_LEVEL").and_then(|level| level.trim().parse().ok());
        let names_pacemaker = ["OCF_RESKEY_crm_feature_set", "PCMK_service"];
        Ok(Self {
            action: action.to_owned(),
            instance,
            interval,
            probe: action == "monitor" && interval.is_none(),
            check_level: level,
            deadline: Deadline::of_process(meta.millis("timeout").unwrap_or(advertised)),
            by_pacemaker: names_pacemaker.iter().any(|name| environment.filled(name).is_some()),
            on_node: meta.owned("on_node"),
            clone: CloneMeta::of(meta),
            promotable: Promotable::of(meta),
            bundle: Bundle::of(meta),
            migration: Migration {
                source: meta.owned("migrate_source"),
                target: meta.owned("migrate_target"),
            },
            notification: Notification::of(&environment),
            directories: directories(&environment),
            environment,
        })
    }

    /// Whether a call that has no context is one of a monitor that is repeated.
    pub(crate) fn is_repeated(environment: &Environment) -> bool {
        Meta(environment).interval().is_some()
    }

    /// The environment as a whole, for programs run on the agent's behalf.
    #[must_use]
    pub const fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The same at a check level.
    #[must_use]
    pub fn at_level(&self, level: u32) -> Self {
        Self { check_level: Some(level), ..self.clone() }
    }

    /// The highest of `implemented` (ascending) that is not above the level asked for: a level that
    /// isn't implemented falls back to the next lower one (OCF 1.1, "Check Levels"). Unset is 0.
    #[must_use]
    pub fn level_among(&self, implemented: &[u32]) -> u32 {
        let asked = self.check_level.unwrap_or(0);
        implemented.iter().copied().filter(|level| *level <= asked).max().unwrap_or(0)
    }

    /// The name that the instance's files carry: with the clone's number only where instances of a
    /// clone are distinct.
    #[must_use]
    pub fn file_name(&self) -> &str {
        let is_unique = Meta(&self.environment).is_true("globally_unique");
        if is_unique { &self.instance.name } else { &self.instance.id }
    }

    /// The node that this instance's attributes belong to: the host, inside a bundle that says so;
    /// else the node the action runs for.
    #[must_use]
    pub fn attribute_node(&self) -> Option<&str> {
        let bundle = self.bundle.as_ref();
        let of_host = bundle.filter(|b| b.container_attribute_target.as_deref() == Some("host"));
        of_host.and_then(|b| b.physical_host.as_deref()).or(self.on_node.as_deref())
    }

    /// Sleeps, but not beyond the deadline; `false` when that came first.
    #[must_use]
    pub fn sleep(&self, duration: Duration) -> bool {
        let left = self.deadline.left();
        rest(duration.min(left));
        duration < left
    }

    /// Sleeps without regard to the deadline: for agents that *simulate* a slow service.
    pub fn hang(&self, duration: Duration) {
        rest(duration);
    }

    /// Asks again and again, ever less often (10 ms to 500 ms), until the answer is yes; `false`
    /// when the deadline came first.
    ///
    /// # Errors
    /// The first error of the question.
    pub fn wait_until(&self, mut is_so: impl FnMut() -> Result<bool>) -> Result<bool> {
        let mut pause = Duration::from_millis(10);
        while !is_so()? {
            if !self.sleep(pause) {
                return Ok(false);
            }
            pause = (pause * 2).min(Duration::from_millis(500));
        }
        Ok(true)
    }
}

#[expect(clippy::disallowed_methods, reason = "the two sleeps above are its only callers")]
fn rest(duration: Duration) {
    std::thread::sleep(duration);
}

/// Without a manager (`OCF_RA_VERSION_MAJOR` unset) a person or a simple wrapper calls, and the
/// instance is "default", as it always was with the shell helpers.
fn instance(environment: &Environment, by_manager: bool) -> Result<Instance> {
    const NAME: &str = "OCF_RESOURCE_INSTANCE";
    match (environment.filled(NAME), environment.text(NAME)) {
        (None, _) if by_manager => {
            Err(Error::args("OCF_RESOURCE_INSTANCE is not set: name the instance in it"))
        }
        (None, _) => Ok(Instance::parse("default")),
        (Some(_), Some(name)) if !name.contains(['/', '\n']) && name != "." && name != ".." => {
            Ok(Instance::parse(name))
        }
        (Some(_), _) => Err(Error::args(
            "OCF_RESOURCE_INSTANCE is no name of a resource: it holds a slash, a newline or no UTF-8",
        )),
    }
}

fn directories(environment: &Environment) -> Directories {
    let path = |name: &str, default: &str| {
        environment.filled(name).map_or_else(|| PathBuf::from(default), PathBuf::from)
    };
    Directories {
        rsctmp: path("HA_RSCTMP", "/run/resource-agents"),
        varrun: path("HA_VARRUN", "/var/run"),
        sbin: path("HA_SBIN_DIR", "/usr/sbin"),
    }
}

/// Everything but the environment: that may hold secrets, and this goes into logs and goldens.
impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("action", &self.action)
            .field("instance", &self.instance)
            .field("interval", &self.interval)
            .field("probe", &self.probe)
            .field("check_level", &self.check_level)
            .field("timeout", &self.deadline.timeout())
            .field("by_pacemaker", &self.by_pacemaker)
            .field("on_node", &self.on_node)
            .field("clone", &self.clone)
            .field("promotable", &self.promotable)
            .field("bundle", &self.bundle)
            .field("migration", &self.migration)
            .field("notification", &self.notification)
            .field("directories", &self.directories)
            .finish_non_exhaustive()
    }
}
