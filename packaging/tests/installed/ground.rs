// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The machine the packages are installed on, and the packages: built from the stage, in two versions.

use packaging::tool;
use std::error::Error;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error>>;

pub(crate) const RESOURCED: &str = "/usr/lib/ocf/resource.d";

/// Where the image has the packages of the shell agents.
const SHELL_PACKAGES: &str = "/var/lib/lab/debs";

/// How a program ended, and all it said.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) ok: bool,
    pub(crate) text: String,
}

/// Runs a program in a process group of its own, with variables.
pub(crate) fn run(program: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Outcome<Done> {
    #[expect(clippy::disallowed_methods, reason = "a test's own call")]
    let done = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .process_group(0)
        .output()?;
    let text = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    Ok(Done { ok: done.status.success(), text: text.concat() })
}

/// Runs dpkg, which has to succeed. That it doesn't wait for the disk only matters when the power fails.
pub(crate) fn dpkg(arguments: &[&str]) -> Outcome<String> {
    let all: Vec<&str> = ["--force-unsafe-io"].iter().chain(arguments).copied().collect();
    let done = run("dpkg", &all, &[])?;
    if done.ok { Ok(done.text) } else { Err(format!("dpkg {arguments:?}: {}", done.text).into()) }
}

/// The packages of one build.
#[derive(Debug)]
pub(crate) struct Packages {
    directory: PathBuf,
}

impl Packages {
    /// The file of a package.
    pub(crate) fn file(&self, package: &str) -> Outcome<String> {
        find(&self.directory, package)
    }

    /// Installs ocf-agents and another package in one go, as apt does.
    pub(crate) fn install(&self, package: &str) -> Outcome<String> {
        dpkg(&["--install", &self.file("ocf-agents")?, &self.file(package)?])
    }

    /// Installs ocf-agents and lays down ocf-agents-names without running its scripts.
    pub(crate) fn unpack_names(&self) -> Outcome<String> {
        dpkg(&["--install", &self.file("ocf-agents")?])?;
        dpkg(&["--unpack", &self.file("ocf-agents-names")?])
    }
}

fn find(directory: &Path, package: &str) -> Outcome<String> {
    let start = format!("{package}_");
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with(&start) {
            return Ok(directory.join(name).to_string_lossy().into_owned());
        }
    }
    Err(format!("no {package}_*.deb in {}", directory.display()).into())
}

/// The machine, for one test at a time.
#[derive(Debug)]
pub(crate) struct Ground {
    /// What ships.
    pub(crate) first: Packages,
    /// A later version: without pacemaker/Stateful, with heartbeat/Delay.
    pub(crate) second: Packages,
    /// The same two with two agents each, for what is done a hundred times.
    pub(crate) small: [Packages; 2],
    _alone: MutexGuard<'static, ()>,
}

static ALONE: Mutex<()> = Mutex::new(());
static BUILT: OnceLock<Result<(), String>> = OnceLock::new();

impl Ground {
    /// Waits for the machine, and makes it what the image is: with the shell agents, without ours.
    pub(crate) fn enter() -> Outcome<Self> {
        if !Path::new("/.dockerenv").exists() {
            return Err("this test installs and removes packages: run it by make test-peers".into());
        }
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let built = BUILT.get_or_init(|| build().map_err(|error| error.to_string()));
        built.as_ref().map_err(Clone::clone)?;
        let packages = |name: &str| Packages { directory: Path::new("/tmp/packages").join(name) };
        let small = ["small-1", "small-2"].map(packages);
        let ground = Self { first: packages("1"), second: packages("2"), small, _alone: alone };
        ground.reset()?;
        Ok(ground)
    }

    /// Removes ours, and puts the shell agents back where a test took them away.
    pub(crate) fn reset(&self) -> Outcome {
        let ours = ["ocf-agents-names", "ocf-agents-standalone", "ocf-agents"];
        for package in ours.iter().filter(|package| is_known(package)) {
            dpkg(&["--force-depends", "--purge", package])?;
        }
        if !Path::new("/usr/lib/ocf/lib/heartbeat/ocf-shellfuncs").exists() {
            self.install_shell_agents()?;
        }
        fs::create_dir_all("/run/resource-agents")?;
        Ok(())
    }

    /// Installs Debian's shell agents, again or anew.
    pub(crate) fn install_shell_agents(&self) -> Outcome {
        let [first, second] = ["resource-agents", "pacemaker-resource-agents"]
            .map(|name| find(Path::new(SHELL_PACKAGES), name));
        dpkg(&["--install", &first?, &second?]).map(|_| ())
    }

    /// Removes Debian's shell agents, though Pacemaker depends on them.
    pub(crate) fn remove_shell_agents(&self) -> Outcome {
        let names = ["resource-agents", "pacemaker-resource-agents"];
        dpkg(&["--force-depends", "--remove", names[0], names[1]]).map(|_| ())
    }
}

/// Whether dpkg knows of a package, in whatever state.
fn is_known(package: &str) -> bool {
    run("dpkg-query", &["--show", package], &[]).is_ok_and(|done| done.ok)
}

fn build() -> Outcome {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (stage, work) = (source.join("target/stage"), Path::new("/tmp/packages"));
    if work.exists() {
        fs::remove_dir_all(work)?;
    }
    for (name, version, without) in [
        ("1", "0.1.0-1", &[][..]),
        ("2", "0.2.0-1", &["pacemaker/Stateful"]),
        ("small-1", "0.1.0-1", &["pacemaker/Dummy", "pacemaker/remote"]),
        ("small-2", "0.2.0-1", &["pacemaker/Dummy", "pacemaker/Stateful", "pacemaker/remote"]),
    ] {
        let own = work.join(format!("stage-{name}"));
        let output = work.join(name);
        fs::create_dir_all(&output)?;
        let [from, to, output, source] =
            [&stage, &own, &output, &source].map(|path| path.to_string_lossy().into_owned());
        let copy = ["--recursive", "--preserve=mode", &from, &to];
        tool::output(Path::new("cp"), &copy, Path::new("/"), &[])?;
        let agents = own.join("usr/lib/ocf/resource.d");
        for agent in without {
            fs::remove_file(agents.join(agent))?;
        }
        if version == "0.2.0-1" {
            fs::copy(agents.join("heartbeat/Dummy"), agents.join("heartbeat/Delay"))?;
        }
        let from = ["--stage", &to, "--source", &source, "--output", &output];
        let arguments = [&from[..], &["--version", version, "--date", "1700000000"]].concat();
        // Packing well takes longer than all of the tests.
        let quick = [("DPKG_DEB_COMPRESSOR_LEVEL", "0")];
        let package = Path::new(env!("CARGO_BIN_EXE_package"));
        tool::output(package, &arguments, Path::new("/"), &quick)?;
    }
    Ok(())
}

/// Where a name of an agent leads, `None` for a file that is no link.
pub(crate) fn target(name: &str) -> Option<String> {
    let link = fs::read_link(Path::new(RESOURCED).join(name)).ok()?;
    Some(link.to_string_lossy().into_owned())
}

/// Whether our agent answers to a name.
pub(crate) fn is_ours(name: &str) -> bool {
    target(name).is_some_and(|link| link == format!("../../../ocf-agents/{name}"))
}

/// Every diversion of this machine, sorted.
pub(crate) fn diversions() -> Outcome<Vec<String>> {
    let list = run("dpkg-divert", &["--list"], &[])?.text;
    let mut lines: Vec<String> = list.lines().map(str::to_owned).collect();
    lines.sort();
    Ok(lines)
}
