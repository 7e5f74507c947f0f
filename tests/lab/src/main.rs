// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The command `lab`: see the library for what the lab is.

use clap::{Parser, Subcommand};
use lab::cluster::Plan;
use lab::packages::Packages;
use lab::process::{Invocation, Runner};
use lab::progress::{Progress, Stream, complain};
use lab::recipe::Kind;
use lab::release::Release;
use lab::{
    Error, Lab, Result, attendant, demo, recovery, scale, scale::Size, scenarios, signals::Signals,
    soak, takeover, tier, transient::Spec,
};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// A real Pacemaker cluster on one machine.
#[derive(Debug, Parser)]
#[command(name = "lab")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Install what is missing, make the images, and print their tags
    Setup {
        /// Our packages; without them, only the image of the shell agents is made
        #[arg(long, value_name = "DIR")]
        packages: Option<PathBuf>,
    },
    /// Show our agents at work in a cluster of two nodes
    Demo {
        #[command(flatten)]
        on: On,
        /// Leave the cluster running, and say how to enter and remove it
        #[arg(long)]
        keep: bool,
    },
    /// Run the cluster tests; the last line is "N passed, N failed"
    ClusterTest {
        #[command(flatten)]
        on: On,
        /// Only the scenarios whose names contain this; "" for all of them
        #[arg(long, value_name = "TEXT")]
        only: Option<String>,
    },
    /// Install, upgrade and remove our packages beside Debian's shell agents in a cluster that runs
    Takeover {
        #[command(flatten)]
        on: On,
        /// Another version of our packages
        #[arg(long, value_name = "DIR")]
        newer: PathBuf,
    },
    /// Hurt a cluster in rounds, at random, and see that it gets well each time
    Soak {
        #[command(flatten)]
        on: On,
        /// How often it is hurt
        #[arg(long, default_value_t = 20)]
        rounds: u32,
        /// What the choices come from [default: any]
        #[arg(long)]
        seed: Option<u64>,
        /// Hurt a bundle of three web servers, not the cluster's daemons and state
        #[arg(long)]
        bundle: bool,
    },
    /// Measure what faults cost a bundle, on our agents and on Debian's shell agents, as a table
    Recovery {
        #[command(flatten)]
        on: On,
        /// How often each fault happens
        #[arg(long, default_value_t = 5)]
        rounds: u32,
    },
    /// Measure the processor time of a bundle of many replicas, with our agents and the shell agents
    Scale {
        #[command(flatten)]
        on: On,
        /// How many replicas, on both nodes together
        #[arg(long, default_value_t = 40)]
        replicas: usize,
        /// For how long they run
        #[arg(long, default_value_t = 5)]
        minutes: u64,
    },
    /// Run a command in a fresh container beside the shell agents, and answer with its exit code
    Exec(Exec),
    /// Keep the lab ready (its Engine) while a command of this host runs
    Hold {
        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
    /// Remove kept clusters and all images of the lab
    Clean,
    /// Look after the hosts of a run, and fence them; the lab starts this by itself
    #[command(hide = true)]
    Attend {
        /// The run
        run: String,
    },
}

/// What a cluster is made of.
#[derive(Debug, clap::Args)]
struct On {
    /// Our packages, as 'make deb' builds them
    #[arg(long, value_name = "DIR")]
    packages: PathBuf,
    /// The Debian of the nodes
    #[arg(long, value_enum, default_value_t = Release::Bookworm)]
    release: Release,
    /// Where the nodes' logs go when something fails
    #[arg(long, value_name = "DIR", default_value = "/var/tmp/ocf-agents-lab-logs")]
    logs: PathBuf,
}

#[derive(Debug, clap::Args)]
struct Exec {
    /// Mount a file or directory of this host read-only
    #[arg(long, value_name = "HOST:CONTAINER", value_parser = parse_mount)]
    mount: Vec<(String, String)>,
    /// Mount an empty memory file system, with options as mount(8) takes them (size=64k)
    #[arg(long, value_name = "PATH[:OPTIONS]")]
    tmpfs: Vec<String>,
    /// Give the command a capability beyond the usual ones, such as SYS_ADMIN for namespaces
    #[arg(long, value_name = "NAME")]
    capability: Vec<String>,
    /// Set an environment variable
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// Let the command make namespaces and mounts of its own
    #[arg(long)]
    namespaces: bool,
    /// Run the command beside an Engine's packages of this Debian, and let it run an Engine
    #[arg(long, value_enum, value_name = "RELEASE")]
    engine: Option<Release>,
    /// End the command after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    timeout: u64,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

fn main() -> ExitCode {
    let verb = Cli::parse().verb;
    let (progress, aside) = (Progress::new(Stream::Out), Progress::new(Stream::Err));
    match run(verb, &progress, &aside) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            if !progress.has_shown(&error) && !aside.has_shown(&error) {
                complain(&error.to_string());
            }
            ExitCode::from(error.exit_code())
        }
    }
}

/// Does what was asked for; getting ready is shown `aside` where standard output is for answers.
fn run(verb: Verb, progress: &Progress, aside: &Progress) -> Result<u8> {
    let runner = Runner::new(Signals::catch()?);
    match verb {
        Verb::Setup { packages } => {
            let lab = Lab::open(runner, aside)?;
            let packages = packages.map(|directory| Packages::find(&directory)).transpose()?;
            progress.note(&lab.image(aside, Kind::Peers(Release::Bookworm), None)?);
            if let Some(packages) = &packages {
                for release in [Release::Bookworm, Release::Trixie] {
                    progress.note(&lab.image(aside, Kind::Engine(release), None)?);
                    let kinds =
                        [Kind::Node, Kind::Remote, Kind::Peers, Kind::Bundle, Kind::ShellBundle];
                    for kind in kinds.map(|kind| kind(release)) {
                        progress.note(&lab.image(aside, kind, Some(packages))?);
                    }
                }
            }
            Ok(0)
        }
        Verb::Demo { on, keep } => {
            let packages = Packages::find(&on.packages)?;
            let lab = Lab::open(runner, progress)?;
            demo::run(lab, progress, &on.plan(&packages, keep, false), &on.logs)?;
            Ok(0)
        }
        Verb::ClusterTest { on, only } => {
            if let Some(text) = &only
                && !scenarios::all()
                    .chain(scenarios::beside())
                    .any(|check| check.name.contains(text))
            {
                return Err(Error::new(format!("no scenario has '{text}' in its name")));
            }
            let packages = Packages::find(&on.packages)?;
            let lab = Lab::open(runner, aside)?;
            let plan = on.plan(&packages, false, true);
            let count = tier::run(&lab, progress, &plan, only.as_deref(), &on.logs)?;
            progress.note(&format!("{} passed, {} failed", count.passed, count.failed));
            Ok(u8::from(count.failed > 0))
        }
        Verb::Takeover { on, newer } => {
            let (packages, newer) = (Packages::find(&on.packages)?, Packages::find(&newer)?);
            let lab = Lab::open(runner, aside)?;
            takeover::run(&lab, progress, on.plan(&packages, false, false), &newer, &on.logs)?;
            Ok(0)
        }
        Verb::Soak { on, rounds, seed, bundle } => {
            let packages = Packages::find(&on.packages)?;
            let lab = Lab::open(runner, aside)?;
            let seed = seed.unwrap_or_else(soak::dice::any_seed);
            let plan = on.plan(&packages, false, false);
            let soak = if bundle { soak::bundle::run } else { soak::run };
            soak(&lab, progress, &plan, rounds, seed, &on.logs)?;
            Ok(0)
        }
        Verb::Recovery { on, rounds } => {
            let packages = Packages::find(&on.packages)?;
            let lab = Lab::open(runner, aside)?;
            recovery::run(&lab, progress, &on.plan(&packages, false, false), rounds, &on.logs)?;
            Ok(0)
        }
        Verb::Scale { on, replicas, minutes } => {
            let packages = Packages::find(&on.packages)?;
            let lab = Lab::open(runner, aside)?;
            let size = Size { replicas, time: Duration::from_secs(minutes * 60) };
            scale::run(&lab, progress, &on.plan(&packages, false, false), size, &on.logs)?;
            Ok(0)
        }
        Verb::Attend { run } => attendant::attend(runner, &run).map(|()| 0),
        Verb::Exec(exec) => run_in_container(&Lab::open(runner, aside)?, aside, exec),
        Verb::Hold { command } => {
            let lab = Lab::open(runner, aside)?;
            let (program, args) = split(&command)?;
            let command = Invocation::new(program).args(args).in_foreground().limit(None);
            exit_code(lab.docker().runner.run(&command)?.code)
        }
        Verb::Clean => {
            let removed = Lab::clean(runner, aside)?;
            removed.iter().for_each(|name| progress.note(&format!("removed {name}")));
            Ok(0)
        }
    }
}

impl On {
    fn plan<'a>(&self, packages: &'a Packages, is_kept: bool, has_remotes: bool) -> Plan<'a> {
        let (has_shell_agents, lent) = (false, Vec::new());
        Plan { release: self.release, packages, has_shell_agents, lent, has_remotes, is_kept }
    }
}

fn run_in_container(lab: &Lab, aside: &Progress, exec: Exec) -> Result<u8> {
    let kind = exec.engine.map_or(Kind::Peers(Release::Bookworm), Kind::Engine);
    let node = lab.transient(&Spec {
        image: lab.image(aside, kind, None)?,
        hostname: "exec".into(),
        // For the kill harness, which follows an agent's system calls.
        capabilities: [vec!["SYS_PTRACE".into()], exec.capability].concat(),
        has_namespaces: exec.namespaces,
        has_engine: exec.engine.is_some(),
        environment: exec.env,
        mounts: exec.mount,
        tmpfs: exec.tmpfs,
        ..Spec::default()
    })?;
    let limit = Duration::from_secs(exec.timeout);
    let command = node.invocation(&exec.command).with_our_output().limit(limit);
    exit_code(lab.docker().runner.run(&command)?.code)
}

fn exit_code(code: i32) -> Result<u8> {
    u8::try_from(code).map_err(|_| Error::new(format!("the command ended with code {code}")))
}

fn split(command: &[OsString]) -> Result<(&OsString, &[OsString])> {
    command.split_first().ok_or_else(|| Error::new("no command was given"))
}

fn parse_mount(text: &str) -> std::result::Result<(String, String), String> {
    let (host, inside) = text.split_once(':').ok_or("it must be HOST:CONTAINER")?;
    if !inside.starts_with('/') {
        return Err("the path in the container must be absolute".into());
    }
    let host = std::path::absolute(host).map_err(|e| e.to_string())?;
    if !host.exists() {
        return Err(format!("{} does not exist", host.display()));
    }
    Ok((host.to_string_lossy().into_owned(), inside.to_owned()))
}
