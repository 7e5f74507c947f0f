// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The grammar of `docker run`: `run_opts`, the image and `run_cmd` become the request that makes the
//! container. What the CLI refuses is refused here, with a sentence that names the flag.
//!
//! [`parse`] looks at nothing but its words and the environment; [`Launch::complete`] then reads the
//! files that the words name.

mod csv;
mod devices;
mod files;
mod flags;
mod live;
mod mounts;
mod networks;
mod numbers;
mod platform;
mod ports;
mod process;
mod resources;
mod security;
#[cfg(test)]
mod tests;
mod volumes;

pub use live::LIVE;

use bollard::models::{
    ContainerCreateBody, ContainerUpdateBody, HostConfig, HostConfigLogConfig, NetworkingConfig,
};
use flags::{Flags, HOSTS_ENTRY, Refusal, WINDOWS, quoted, wrong};
pub(crate) use flags::{Foreign, foreign};
use ocf::environment::Environment;
use ocf::{Error, Result};
use std::path::PathBuf;

/// What a container is to be made of, as the parameters say it.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The name of the container.
    pub name: &'a str,
    /// The parameter `run_opts`.
    pub options: &'a str,
    /// The image.
    pub image: &'a str,
    /// The parameter `run_cmd`.
    pub command: &'a str,
}

/// When the image is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pull {
    /// When this node hasn't got it.
    #[default]
    Missing,
    /// At every start.
    Always,
    /// Never.
    Never,
}

/// A container, ready to be made.
#[derive(Debug)]
pub struct Launch {
    /// Its name.
    pub name: String,
    /// The platform that is asked for, in the Engine's form.
    pub platform: Option<String>,
    /// When the image is pulled.
    pub pull: Pull,
    /// The request. Whole only after [`Launch::complete`].
    pub body: ContainerCreateBody,
    /// Where the container's ID is to be written. The CLI refuses to start when the file is there.
    pub cidfile: Option<PathBuf>,
    /// What somebody should know, a sentence each.
    pub warnings: Vec<String>,
    /// Flags, with their dashes, that only the installed CLI may know: start has to go through it.
    /// Where there are any, the words behind the first have not been looked at.
    pub unmapped: Vec<String>,
    /// Every flag in order, in its long form: what the CLI is given.
    pub(crate) given: Vec<(String, String)>,
    files: files::Files,
    needs: Vec<(&'static str, Api)>,
}

/// A version of the Engine's API.
type Api = (usize, usize);

/// Cuts where the shell did: at blanks, tabs and ends of lines; nothing else is special.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\t', '\n']).filter(|word| !word.is_empty())
}

/// Reads the words of an input.
///
/// # Errors
/// When the CLI would refuse them: the sentence names the flag and the remedy.
pub fn parse(input: &Input<'_>, environment: &Environment) -> Result<Launch> {
    parse_with(input, environment, &[])
}

/// As [`parse`], with flags that only the installed CLI knows.
pub(crate) fn parse_with(
    input: &Input<'_>,
    environment: &Environment,
    foreign: &[Foreign],
) -> Result<Launch> {
    crate::name::check(input.name)?;
    let given: Vec<&str> = words(input.options).collect();
    let flags = match Flags::read(&given, foreign) {
        Ok(flags) => flags,
        Err(Refusal::Wrong(error)) => return Err(error),
        Err(Refusal::Unknown(flag)) => return Ok(Launch::unknown(input, flag)),
    };
    refuse_what_has_no_place(&flags, input.name)?;
    let mut warnings = warnings(&flags);
    let files = files::Files::named_by(&flags, environment)?;
    let (body, needs) = body(input, &flags, &files, &mut warnings)?;
    let known = |name: &str| foreign.iter().any(|flag| flag.name == name);
    let mut unmapped: Vec<String> = flags.given_of(flags::LEFT_TO_CLI.iter().map(|flag| flag.name));
    unmapped.extend(flags.given_of(foreign.iter().map(|flag| flag.name.as_str())));
    if flags.switch("disable-content-trust")? == Some(false) && !known("disable-content-trust") {
        unmapped.push("--disable-content-trust=false".to_owned());
    }
    let default_platform =
        environment.text("DOCKER_DEFAULT_PLATFORM").filter(|_| !flags.is_given("platform"));
    let platform = match default_platform {
        Some(name) => Some(platform::platform(name).map_err(|cause| {
            Error::args(format!("DOCKER_DEFAULT_PLATFORM in the environment: {cause}"))
        })?),
        None => flags
            .filled("platform")
            .map(|_| flags.read_one("platform", platform::platform))
            .transpose()?
            .flatten(),
    };
    Ok(Launch {
        name: input.name.to_owned(),
        platform,
        pull: flags.read_one("pull", pull)?.unwrap_or_default(),
        body,
        cidfile: flags.filled("cidfile").map(PathBuf::from),
        warnings,
        unmapped,
        given: flags.in_order().into_iter().filter(|(name, _)| name != HOSTS_ENTRY).collect(),
        files,
        needs,
    })
}

/// The change that makes a running container follow an input, of the flags in [`LIVE`].
///
/// # Errors
/// When the CLI would refuse the words, or only the CLI knows some of them.
pub fn update(input: &Input<'_>) -> Result<ContainerUpdateBody> {
    let given: Vec<&str> = words(input.options).collect();
    match Flags::read(&given, &[]) {
        Ok(flags) => live::update(&flags),
        Err(Refusal::Wrong(error)) => Err(error),
        Err(Refusal::Unknown(flag)) => Err(unknown(&flag)),
    }
}

/// Whether all of some words are flags that can be changed at any time.
///
/// # Errors
/// `configured` (6), naming the flag that isn't.
pub(crate) fn check_live(text: &str) -> Result<()> {
    let given: Vec<&str> = words(text).collect();
    let flags = match Flags::read(&given, &[]) {
        Ok(flags) => flags,
        Err(Refusal::Wrong(error)) => return Err(error),
        Err(Refusal::Unknown(flag)) => return Err(not_live(&flag)),
    };
    let mut names = flags.in_order().into_iter().map(|(name, _)| name);
    names.find(|name| !LIVE.contains(&name.as_str())).map_or(Ok(()), |name| Err(not_live(&name)))
}

fn not_live(flag: &str) -> Error {
    Error::configured(format!(
        "live_opts: {} can't be changed while a container runs: put it into run_opts",
        quoted(flag)
    ))
}

/// The sentence for a flag that nobody knows.
pub(crate) fn unknown(flag: &str) -> Error {
    Error::args(format!(
        "run_opts: {} is no flag that docker run has on this node: correct it, or upgrade Docker",
        quoted(flag)
    ))
}

impl Launch {
    fn unknown(input: &Input<'_>, flag: String) -> Self {
        Self {
            name: input.name.to_owned(),
            platform: None,
            pull: Pull::default(),
            body: ContainerCreateBody::default(),
            cidfile: None,
            warnings: Vec::new(),
            unmapped: vec![flag],
            given: Vec::new(),
            files: files::Files::default(),
            needs: Vec::new(),
        }
    }

    /// Reads the files that the words name, and the proxies that the client's configuration has for an
    /// Engine (`engine` as in `DOCKER_HOST`).
    ///
    /// # Errors
    /// When a file can't be read, or its lines aren't what the CLI takes: wrong on this node.
    pub fn complete(&mut self, environment: &Environment, engine: &str) -> Result<()> {
        self.files.fill(&mut self.body, environment, engine, &mut self.warnings)
    }

    /// Looks at what an Engine of this API version can do: what it would silently leave out is an
    /// error, and what only the CLI can tell an old one becomes a flag for the CLI.
    ///
    /// # Errors
    /// When a flag needs a newer Engine.
    pub fn suit(&mut self, api: (usize, usize)) -> Result<()> {
        let lacking: Vec<_> =
            self.needs.iter().filter(|(_, least)| api < *least).copied().collect();
        for (flag, least) in lacking {
            if flag == "mac-address" {
                self.unmapped.push("--mac-address".to_owned());
                continue;
            }
            return Err(Error::args(format!(
                "run_opts: --{flag} needs an Engine with API {}.{}, this node's has {}.{}: upgrade it, \
                 or leave the flag out",
                least.0, least.1, api.0, api.1
            )));
        }
        Ok(())
    }
}

/// Flags that contradict what the agent is.
fn refuse_what_has_no_place(flags: &Flags, name: &str) -> Result<()> {
    if let Some(other) = flags.many("name").find(|other| *other != name) {
        let cause =
            format!("{} is not this container's name: set the parameter name", quoted(other));
        return Err(wrong("name", &cause));
    }
    if flags.switch("detach")? == Some(false) || flags.is_given("attach") {
        let flag = if flags.is_given("attach") { "attach" } else { "detach" };
        return Err(wrong(flag, "the container runs in the background: leave it out"));
    }
    if flags.is_on("help")? {
        return Err(wrong("help", "it starts nothing: leave it out"));
    }
    if let Some(flag) = flags.given_of(WINDOWS.iter().map(|flag| flag.name)).first() {
        let name = flag.trim_start_matches('-');
        return Err(wrong(name, "an Engine on Linux hasn't got it: leave it out"));
    }
    flags.read_one("detach-keys", detach_keys)?;
    for switch in ["sig-proxy", "quiet", "disable-content-trust", "use-api-socket"] {
        flags.switch(switch)?;
    }
    Ok(())
}

fn warnings(flags: &Flags) -> Vec<String> {
    let mut warnings = Vec::new();
    if flags.is_given(HOSTS_ENTRY) {
        warnings.push(format!(
            "run_opts: --{HOSTS_ENTRY} is no flag of docker, Pacemaker adds it to a bundle with \
             add-host=false: it is left out"
        ));
    }
    if flags.is_given("kernel-memory") {
        warnings.push(
            "run_opts: --kernel-memory is left out: neither kernels nor Engines of today have it"
                .to_owned(),
        );
    }
    warnings
}

fn pull(value: &str) -> Result<Pull, String> {
    match value {
        "" | "missing" => Ok(Pull::Missing),
        "always" => Ok(Pull::Always),
        "never" => Ok(Pull::Never),
        _ => Err(format!("{} is none of always, missing and never", quoted(value))),
    }
}

/// Keys that end an attachment; nobody is attached, but the CLI refuses what is no key.
fn detach_keys(value: &str) -> Result<(), String> {
    let is_key = |key: &str| match key.strip_prefix("ctrl-") {
        Some(key) => {
            key.len() == 1 && key.chars().all(|c| c.is_ascii_lowercase() || "@[\\]^_".contains(c))
        }
        None => key.len() == 1,
    };
    if value.is_empty() || value.split(',').all(is_key) {
        return Ok(());
    }
    Err(format!("{} is no sequence of keys like ctrl-p,ctrl-q", quoted(value)))
}

/// The request, and what of it needs a newer Engine than the oldest that we talk to.
fn body(
    input: &Input<'_>,
    flags: &Flags,
    files: &files::Files,
    warnings: &mut Vec<String>,
) -> Result<(ContainerCreateBody, Vec<(&'static str, Api)>)> {
    flags.read_one("kernel-memory", numbers::size)?;
    let networks = networks::read(flags)?;
    let ports = ports::read(flags)?;
    let volumes = volumes::read(flags, warnings)?;
    let health = process::health(flags)?;
    let mut needs: Vec<(&'static str, Api)> = Vec::new();
    needs.extend(flags.is_given("annotation").then_some(("annotation", (1, 43))));
    let has_interval =
        health.as_ref().and_then(|health| health.start_interval).is_some_and(|time| time != 0);
    needs.extend(has_interval.then_some(("health-start-interval", (1, 44))));
    needs.extend(networks.has_mac.then_some(("mac-address", (1, 44))));
    let mut host = host(flags, networks.mode, ports.published)?;
    host.binds = Some(volumes.binds).filter(|binds| !binds.is_empty());
    let command: Vec<String> = words(input.command).map(str::to_owned).collect();
    let stdin = flags.is_on("interactive")?;
    let body = ContainerCreateBody {
        hostname: flags.text("hostname"),
        domainname: flags.text("domainname"),
        user: flags.text("user"),
        attach_stdin: Some(false),
        attach_stdout: Some(false),
        attach_stderr: Some(false),
        exposed_ports: Some(ports.exposed.into_iter().collect()),
        tty: Some(flags.is_on("tty")?),
        open_stdin: Some(stdin),
        stdin_once: Some(false),
        env: Some(files.variables()),
        cmd: Some(command).filter(|command| !command.is_empty()),
        healthcheck: health,
        image: Some(input.image.to_owned()),
        volumes: Some(volumes.anonymous.into_iter().collect()),
        working_dir: flags.text("workdir"),
        entrypoint: process::entrypoint(flags),
        labels: Some(files.labels()),
        stop_signal: flags.filled("stop-signal").map(str::to_owned),
        stop_timeout: flags.read_one("stop-timeout", numbers::integer)?,
        host_config: Some(host),
        networking_config: Some(NetworkingConfig { ..networks.config }),
        ..ContainerCreateBody::default()
    };
    Ok((body, needs))
}

fn host(flags: &Flags, mode: String, published: bollard::models::PortMap) -> Result<HostConfig> {
    let mut host = HostConfig {
        container_id_file: flags.text("cidfile"),
        log_config: Some(HostConfigLogConfig {
            typ: flags.text("log-driver"),
            config: Some(security::log_options(flags)?),
        }),
        network_mode: Some(mode),
        port_bindings: Some(published),
        auto_remove: Some(flags.is_on("rm")?),
        volume_driver: flags.text("volume-driver"),
        volumes_from: flags.list("volumes-from"),
        mounts: Some(flags.read_many("mount", mounts::mount)?).filter(|mounts| !mounts.is_empty()),
        console_size: Some(vec![0, 0]),
        annotations: Some(security::pairs(flags, "annotation")),
        links: Some(flags.read_many("link", process::link)?).filter(|links| !links.is_empty()),
        publish_all_ports: Some(flags.is_on("publish-all")?),
        storage_opt: Some(security::storage(flags)?),
        tmpfs: Some(volumes::tmpfs(flags)),
        runtime: flags.filled("runtime").map(str::to_owned),
        init: flags.switch("init")?,
        ..HostConfig::default()
    };
    networks::fill_names(flags, &mut host)?;
    security::fill(flags, &mut host)?;
    devices::fill(flags, &mut host)?;
    resources::Limits::read(flags)?.fill(flags, &mut host)?;
    use bollard::models::RestartPolicyNameEnum as Policy;
    let policy = host.restart_policy.as_ref().and_then(|policy| policy.name);
    let restarts = !matches!(policy, None | Some(Policy::NO | Policy::EMPTY));
    if restarts && host.auto_remove == Some(true) {
        return Err(wrong("rm", "it contradicts --restart: leave one out"));
    }
    Ok(host)
}
