// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The flags of `docker run`: their names, and how many words each takes. clap does the reading; what
//! the values mean is the other modules' matter.

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command};
use ocf::{Error, Result};

use super::numbers;

/// How a flag is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Alone, or with `=true` and `=false`.
    Nothing,
    /// With one value; the last counts.
    One,
    /// With a value, as often as one likes.
    Many,
}

/// One flag.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flag {
    /// The long name, without the dashes.
    pub(crate) name: &'static str,
    /// The short name.
    pub(crate) short: Option<char>,
    /// How it is written.
    pub(crate) takes: Takes,
    /// An older long name.
    pub(crate) also: Option<&'static str>,
}

const fn flag(name: &'static str, takes: Takes) -> Flag {
    Flag { name, short: None, takes, also: None }
}

const fn switch(name: &'static str) -> Flag {
    flag(name, Takes::Nothing)
}

const fn one(name: &'static str) -> Flag {
    flag(name, Takes::One)
}

const fn many(name: &'static str) -> Flag {
    flag(name, Takes::Many)
}

impl Flag {
    const fn short(self, short: char) -> Self {
        Self { short: Some(short), ..self }
    }

    const fn also(self, name: &'static str) -> Self {
        Self { also: Some(name), ..self }
    }
}

/// Flags that mean something to Windows only; an Engine on Linux takes none of them.
pub(crate) const WINDOWS: &[Flag] =
    &[one("cpu-count"), one("cpu-percent"), one("io-maxbandwidth"), one("io-maxiops")];

/// What Pacemaker writes when a bundle has `add-host=false`: an option of rkt, not of docker.
pub(crate) const HOSTS_ENTRY: &str = "hosts-entry";

/// Known, and still left to the CLI: it reads files of the caller and mounts them.
pub(crate) const LEFT_TO_CLI: &[Flag] = &[switch("use-api-socket")];

/// Every flag whose meaning is known here.
pub(crate) const FLAGS: &[Flag] = &[
    many("add-host"),
    many("annotation"),
    many("attach").short('a'),
    one("blkio-weight"),
    many("blkio-weight-device"),
    many("cap-add"),
    many("cap-drop"),
    one("cgroup-parent"),
    one("cgroupns"),
    one("cidfile"),
    one("cpu-period"),
    one("cpu-quota"),
    one("cpu-rt-period"),
    one("cpu-rt-runtime"),
    one("cpu-shares").short('c'),
    one("cpus"),
    one("cpuset-cpus"),
    one("cpuset-mems"),
    switch("detach").short('d'),
    one("detach-keys"),
    many("device"),
    many("device-cgroup-rule"),
    many("device-read-bps"),
    many("device-read-iops"),
    many("device-write-bps"),
    many("device-write-iops"),
    switch("disable-content-trust"),
    many("dns"),
    many("dns-option").also("dns-opt"),
    many("dns-search"),
    one("domainname"),
    one("entrypoint"),
    many("env").short('e'),
    many("env-file"),
    many("expose"),
    many("gpus"),
    many("group-add"),
    one("health-cmd"),
    one("health-interval"),
    one("health-retries"),
    one("health-start-interval"),
    one("health-start-period"),
    one("health-timeout"),
    switch("help"),
    one("hostname").short('h'),
    many(HOSTS_ENTRY),
    switch("init"),
    switch("interactive").short('i'),
    one("ip"),
    one("ip6"),
    one("ipc"),
    one("isolation"),
    one("kernel-memory"),
    many("label").short('l'),
    many("label-file"),
    many("link"),
    many("link-local-ip"),
    one("log-driver"),
    many("log-opt"),
    one("mac-address"),
    one("memory").short('m'),
    one("memory-reservation"),
    one("memory-swap"),
    one("memory-swappiness"),
    many("mount"),
    one("name"),
    many("network").also("net"),
    many("network-alias").also("net-alias"),
    switch("no-healthcheck"),
    switch("oom-kill-disable"),
    one("oom-score-adj"),
    one("pid"),
    one("pids-limit"),
    one("platform"),
    switch("privileged"),
    many("publish").short('p'),
    switch("publish-all").short('P'),
    one("pull"),
    switch("quiet").short('q'),
    switch("read-only"),
    one("restart"),
    switch("rm"),
    one("runtime"),
    many("security-opt"),
    one("shm-size"),
    switch("sig-proxy"),
    one("stop-signal"),
    one("stop-timeout"),
    many("storage-opt"),
    many("sysctl"),
    many("tmpfs"),
    switch("tty").short('t'),
    many("ulimit"),
    one("user").short('u'),
    one("userns"),
    one("uts"),
    many("volume").short('v'),
    one("volume-driver"),
    many("volumes-from"),
    one("workdir").short('w'),
];

/// A flag that only the installed CLI knows, by its `--help`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Foreign {
    /// The long name, without the dashes.
    pub(crate) name: String,
    /// The short name.
    pub(crate) short: Option<char>,
    /// Whether a value follows.
    pub(crate) takes_value: bool,
}

/// Those of the CLI's flags that nothing here knows by any name.
pub(crate) fn foreign(listed: &[Foreign]) -> Vec<Foreign> {
    let known = || FLAGS.iter().chain(WINDOWS).chain(LEFT_TO_CLI);
    let is_known = |name: &str| known().any(|flag| flag.name == name || flag.also == Some(name));
    let mut foreign: Vec<Foreign> = Vec::new();
    for flag in listed.iter().filter(|flag| !is_known(&flag.name)) {
        let is_taken = |short: &char| {
            known().any(|flag| flag.short == Some(*short))
                || foreign.iter().any(|flag| flag.short == Some(*short))
        };
        let short = flag.short.filter(|short| !is_taken(short));
        if !foreign.iter().any(|other| other.name == flag.name) {
            foreign.push(Foreign { short, ..flag.clone() });
        }
    }
    foreign
}

/// Why the words are no flags.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// A flag that isn't known here, with its dashes.
    Unknown(String),
    /// Anything else: the sentence.
    Wrong(Error),
}

/// The flags that somebody gave, with their values as text.
#[derive(Debug)]
pub(crate) struct Flags(ArgMatches);

fn argument(name: impl Into<String>, short: Option<char>, takes: Takes) -> Arg {
    let name = name.into();
    let text = || ValueParser::string();
    let given = Arg::new(name.clone()).long(name).value_parser(text());
    let given = match takes {
        Takes::Nothing => given.num_args(0..=1).require_equals(true).default_missing_value("true"),
        Takes::One | Takes::Many => given.num_args(1).allow_hyphen_values(true),
    };
    // The CLI reads every occurrence: a wrong one isn't excused by a later one.
    let given = given.action(ArgAction::Append);
    match short {
        Some(short) => given.short(short),
        None => given,
    }
}

fn command(foreign: &[Foreign]) -> Command {
    let known = FLAGS.iter().chain(WINDOWS).chain(LEFT_TO_CLI).map(|flag| {
        let argument = argument(flag.name, flag.short, flag.takes);
        match flag.also {
            Some(name) => argument.alias(name),
            None => argument,
        }
    });
    let foreign = foreign.iter().map(|flag| {
        let takes = if flag.takes_value { Takes::Many } else { Takes::Nothing };
        argument(flag.name.clone(), flag.short, takes)
    });
    Command::new("run_opts")
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(known)
        .args(foreign)
}

impl Flags {
    /// Reads words as `docker run` would, up to where it would find the image.
    pub(crate) fn read(words: &[&str], foreign: &[Foreign]) -> Result<Self, Refusal> {
        let matches =
            command(foreign).try_get_matches_from(words).map_err(|error| refuse(&error))?;
        // clap drops a `--` at the end; if the words are well without it, it was no value.
        if let Some((&"--", before)) = words.split_last()
            && command(foreign).try_get_matches_from(before).is_ok()
        {
            return Err(Refusal::Wrong(bare("--")));
        }
        Ok(Self(matches))
    }

    /// The value of a flag that counts once: the last.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.many(name).last()
    }

    /// The value, or nothing where it is empty.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.one(name).filter(|value| !value.is_empty())
    }

    /// A text as it is, empty where the flag isn't given: what the CLI sends.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        Some(self.one(name).unwrap_or_default().to_owned())
    }

    /// The values of a flag that adds up.
    pub(crate) fn many(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.0.try_get_many::<String>(name).ok().flatten();
        values.into_iter().flatten().map(String::as_str)
    }

    /// The same as a list, `None` where there is none.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<String>> {
        Some(self.many(name).map(str::to_owned).collect::<Vec<_>>()).filter(|list| !list.is_empty())
    }

    /// Whether a flag was given at all.
    pub(crate) fn is_given(&self, name: &str) -> bool {
        self.one(name).is_some()
    }

    /// What a switch says; `None` where it isn't given.
    pub(crate) fn switch(&self, name: &str) -> Result<Option<bool>> {
        self.read_one(name, numbers::boolean)
    }

    /// Whether a switch is on.
    pub(crate) fn is_on(&self, name: &str) -> Result<bool> {
        Ok(self.switch(name)?.unwrap_or(false))
    }

    /// The last value of a flag, when all of them are read.
    pub(crate) fn read_one<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>> {
        Ok(self.read_many(name, read)?.pop())
    }

    /// The values of a flag, read.
    pub(crate) fn read_many<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Vec<T>> {
        self.many(name).map(|value| read(value).map_err(|cause| wrong(name, &cause))).collect()
    }

    /// Every flag and value in the order they were given, each in its long form.
    pub(crate) fn in_order(&self) -> Vec<(String, String)> {
        let mut all: Vec<(usize, String, String)> = Vec::new();
        for id in self.0.ids() {
            let name = id.as_str();
            let places = self.0.indices_of(name).into_iter().flatten();
            all.extend(
                places
                    .zip(self.many(name))
                    .map(|(at, value)| (at, name.to_owned(), value.to_owned())),
            );
        }
        all.sort();
        all.into_iter().map(|(_, name, value)| (name, value)).collect()
    }

    /// Which of these flags were given.
    pub(crate) fn given_of<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<String> {
        names.filter(|name| self.is_given(name)).map(|name| format!("--{name}")).collect()
    }
}

/// The sentence for a value that a flag doesn't take.
pub(crate) fn wrong(name: &str, cause: &str) -> Error {
    Error::configured(format!("run_opts: --{name}: {cause}"))
}

/// A value in a sentence: quoted, and not at any length.
pub(crate) fn quoted(value: &str) -> String {
    const LONGEST: usize = 80;
    match value.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}…", value.get(..end).unwrap_or_default()),
        None => format!("{value:?}"),
    }
}

fn bare(word: &str) -> Error {
    Error::configured(format!(
        "run_opts: the word {} belongs to no flag: quotes don't join words here, and image and \
         command are parameters of their own",
        quoted(word)
    ))
}

fn refuse(error: &clap::Error) -> Refusal {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    let argument = context(ContextKind::InvalidArg);
    let name = argument.split([' ', '=']).next().unwrap_or_default().trim_start_matches('-');
    match error.kind() {
        ErrorKind::UnknownArgument if argument.len() > 1 && argument.starts_with('-') => {
            Refusal::Unknown(argument.to_owned())
        }
        ErrorKind::UnknownArgument => Refusal::Wrong(bare(argument)),
        ErrorKind::InvalidValue if context(ContextKind::InvalidValue).is_empty() => {
            Refusal::Wrong(wrong(name, "a value has to follow"))
        }
        _ => Refusal::Wrong(wrong(name, "it isn't written as docker run takes it")),
    }
}
