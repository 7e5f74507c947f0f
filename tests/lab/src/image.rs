// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The image of a cluster node: Debian with Pacemaker, its shells and the shell agents.
//!
//! Made of this machine's own mirror, because there is no registry to be relied on. The tag
//! carries a hash of everything that decides the content, so a changed recipe is a new image and
//! an unchanged one is found again.

use crate::docker::{Docker, LABEL};
use crate::mirror::{Mirror, fetch_settings};
use crate::node::{Node, Spec};
use crate::process::Invocation;
use crate::progress::Progress;
use crate::space::{self, Demand};
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The Debian release whose shell agents are the baseline of this project.
const RELEASE: &str = "bookworm";

/// What a node has beyond the smallest Debian.
const PACKAGES: [&str; 13] = [
    "pacemaker",
    "corosync",
    "pcs",
    "crmsh",
    "pacemaker-cli-utils",
    "resource-agents",
    // What upstream's ocf-tester needs, and what people look into a node with.
    "libxml2-utils",
    "procps",
    "psmisc",
    "iproute2",
    "strace",
    "less",
    // For the agent ping, which is put through the tester.
    "iputils-ping",
];

/// To be raised when a step below changes what ends up in the image.
const STEPS: u32 = 2;

/// A package that Debian won't install beside Pacemaker, so its files are laid down apart: a
/// container of this image is a cluster node or a remote node.
const REMOTE_PACKAGE: &str = "pacemaker-remote";

/// Where [`REMOTE_PACKAGE`] is laid down.
pub const REMOTE_ROOT: &str = "/opt/pacemaker-remote";

/// Everything made on the way to an image; the next build starts by removing it.
const WORK_DIR: &str = "/var/tmp/ocf-agents-lab";

/// Room without which no build is begun, in megabytes: an unpacked base system and its archive,
/// and what the Engine keeps (both images, and the container that packages are installed in).
const WORK_ROOM: u64 = 600;
const ENGINE_ROOM: u64 = 900;

const APT_DIR: &str = "/run/lab-apt";

/// The tag of the node image of this recipe.
#[must_use]
pub fn node_tag() -> String {
    let recipe = format!("{RELEASE} {STEPS} {} {}", std::env::consts::ARCH, PACKAGES.join(" "));
    format!("ocf-agents-lab/node:{:016x}", fnv1a(recipe.as_bytes()))
}

fn base_tag() -> String {
    let recipe = format!("{RELEASE} {}", std::env::consts::ARCH);
    format!("ocf-agents-lab/base:{:016x}", fnv1a(recipe.as_bytes()))
}

/// Makes the node image unless it is here, and gives its tag.
///
/// # Errors
/// No mirror, no network, or the Engine fails.
pub fn ensure(docker: &Docker, progress: &Progress) -> Result<String> {
    let (base, node) = (base_tag(), node_tag());
    if docker.has_image(&node)? {
        return Ok(node);
    }
    let lock = crate::engine::lock_file("image.lock")?;
    crate::engine::wait_for_lock(docker, &lock)?;
    if docker.has_image(&node)? {
        return Ok(node);
    }
    progress.note("making the node's image from this machine's Debian mirror: a minute or two");
    // First, for it removes what a killed build left.
    let work = WorkDir::make()?;
    require_room(docker)?;
    let mirror = Mirror::of_this_host()?;
    let settings = fetch_settings(&docker.runner)?;
    if !docker.has_image(&base)? {
        progress.step(&format!("base system of Debian {RELEASE}"), || {
            make_base(docker, &work, &mirror, &settings, &base)
        })?;
    }
    progress.step("Pacemaker, pcs, crmsh and the shell agents", || {
        make_node(docker, &work, &mirror, &settings, &base, &node)
    })?;
    Ok(node)
}

/// Asks before a build what would otherwise end in the middle of it.
fn require_room(docker: &Docker) -> Result<()> {
    let work = PathBuf::from(WORK_DIR);
    let engine =
        PathBuf::from(docker.ok(["info", "--format", "{{.DockerRootDir}}"])?.stdout.trim());
    let mut demands =
        vec![Demand { directory: work.parent().unwrap_or(&work).to_owned(), megabytes: WORK_ROOM }];
    // An Engine in a file system of its own (a container, a snap) keeps things where we can't look.
    if engine.is_dir() {
        demands.push(Demand { directory: engine, megabytes: ENGINE_ROOM });
    }
    space::require("making the node's image", &demands)
}

fn make_base(
    docker: &Docker,
    work: &WorkDir,
    mirror: &Mirror,
    settings: &str,
    tag: &str,
) -> Result<()> {
    let (root, archive) = (work.0.join("root"), work.0.join("root.tar"));
    // In namespaces of its own: whatever ends the build, its mounts and processes end with it.
    let mut debootstrap = Invocation::new("setpriv")
        .args(["--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--mount-proc", "--fork"])
        .args(["--kill-child", "debootstrap", "--variant=minbase"])
        .limit(Duration::from_secs(1800));
    if let Some(proxy) = setting(settings, "Acquire::http::Proxy") {
        debootstrap = debootstrap.env("http_proxy", proxy);
    }
    let keyring = mirror.keyrings().next().filter(|k| k.ends_with(".gpg") && Path::new(k).exists());
    if let Some(keyring) = keyring {
        debootstrap = debootstrap.args([format!("--keyring={keyring}")]);
    }
    let debootstrap = debootstrap.args([RELEASE.as_ref(), root.as_os_str()]);
    let output = docker.runner.run(&debootstrap.args([&mirror.main.uri]))?;
    if output.code != 0 {
        return Err(mirror.failure("debootstrap on this host", &output));
    }
    let tar = Invocation::new("tar")
        .args(["--numeric-owner", "--exclude=./etc/apt/sources.list"])
        .args(["--exclude=./var/cache/apt/archives/*.deb", "--exclude=./var/lib/apt/lists/*_*"])
        .args(["-C".as_ref(), root.as_os_str(), "-cf".as_ref(), archive.as_os_str(), ".".as_ref()]);
    docker.runner.run_ok(&tar.limit(Duration::from_secs(300)))?;
    let import = docker
        .invocation(["import", "--change", &format!("LABEL {LABEL}")])
        .args([archive.as_os_str(), tag.as_ref()]);
    docker.runner.run_ok(&import.limit(Duration::from_secs(300))).map(|_| ())
}

fn make_node(
    docker: &Docker,
    work: &WorkDir,
    mirror: &Mirror,
    settings: &str,
    base: &str,
    tag: &str,
) -> Result<()> {
    let spec = Spec {
        image: base.to_owned(),
        hostname: "build".into(),
        // The host's own way to the mirror, its resolver included.
        network: "host".into(),
        mounts: apt_mounts(work, mirror, settings)?,
        ..Spec::default()
    };
    let node = Node::start(docker, &spec)?;
    // Installing must start no service: the cluster is started by hand, later.
    node.write_file("/usr/sbin/policy-rc.d", ("root", "root"), "0755", "#!/bin/sh\nexit 101\n")?;
    let apt_get = |args: &[&str]| apt_get(docker, &node, mirror, args);
    apt_get(&["update"])?;
    let install = ["install", "--yes", "--no-install-recommends"];
    apt_get(&[&install[..], &PACKAGES].concat())?;
    apt_get(&["download", REMOTE_PACKAGE])?;
    let name = format!("{REMOTE_PACKAGE}_*.deb");
    node.ok(["install", "-d", REMOTE_ROOT])?;
    let unpack = ["-exec", "dpkg-deb", "--extract", "{}", REMOTE_ROOT, ";", "-delete"];
    node.ok(["find", "/tmp", "-name", &name].iter().copied().chain(unpack))?;
    apt_get(&["clean"])?;
    node.ok(["rm", "-rf", "/var/lib/apt/lists"])?;
    node.ok(["install", "-d", "/var/lib/apt/lists/partial"])?;
    // What systemd-tmpfiles would make at boot, for the agents of resource-agents.
    node.ok(["install", "-d", "-m", "1755", "/run/resource-agents"])?;
    let label = format!("LABEL {LABEL}");
    let commit = docker.invocation(["commit", "--change", &label, "--change", "CMD [\"cat\"]"]);
    docker.runner.run_ok(&commit.args([node.name(), tag]).limit(Duration::from_secs(300)))?;
    Ok(())
}

/// Lends the container this host's way of fetching packages. All of it is mounted, so none of
/// it, credentials least of all, ends up in the image.
fn apt_mounts(work: &WorkDir, mirror: &Mirror, settings: &str) -> Result<Vec<(String, String)>> {
    let dir = work.0.join("apt");
    std::fs::create_dir_all(&dir).map_err(|e| cannot("make", &dir, &e))?;
    let mut config = settings.to_owned();
    config += &format!("Dir::Etc::sourcelist \"{APT_DIR}/sources.list\";\n");
    config += &format!("Dir::Etc::netrc \"{APT_DIR}-auth.conf\";\n");
    config += &format!("Dir::Etc::netrcparts \"{APT_DIR}-auth.conf.d\";\n");
    config += &format!("Acquire::https::CAInfo \"{APT_DIR}-ca.crt\";\n");
    let keys = format!("{APT_DIR}-keys");
    for (name, text) in
        [("apt.conf", config), ("sources.list", mirror.sources_list(RELEASE, &keys))]
    {
        let file = dir.join(name);
        std::fs::write(&file, text).map_err(|e| cannot("write", &file, &e))?;
    }
    let authorities = setting(settings, "Acquire::https::CAInfo")
        .unwrap_or_else(|| "/etc/ssl/certs/ca-certificates.crt".into());
    let lent = [
        ("/etc/apt/auth.conf".to_owned(), format!("{APT_DIR}-auth.conf")),
        ("/etc/apt/auth.conf.d".to_owned(), format!("{APT_DIR}-auth.conf.d")),
        (authorities, format!("{APT_DIR}-ca.crt")),
    ];
    let keyrings = mirror.keyrings().filter_map(|keyring| {
        let name = Path::new(keyring).file_name()?.to_string_lossy();
        Some((keyring.to_owned(), format!("{keys}/{name}")))
    });
    let own = (dir.to_string_lossy().into_owned(), APT_DIR.to_owned());
    let mut mounts: Vec<_> =
        lent.into_iter().chain(keyrings).filter(|(host, _)| Path::new(host).exists()).collect();
    mounts.push(own);
    mounts.sort();
    mounts.dedup();
    Ok(mounts)
}

fn apt_get(docker: &Docker, node: &Node, mirror: &Mirror, args: &[&str]) -> Result<()> {
    let mut environment = vec!["exec".to_owned()];
    let ours = [format!("APT_CONFIG={APT_DIR}/apt.conf"), "DEBIAN_FRONTEND=noninteractive".into()];
    // Names without a value: the client hands on what it finds in its own environment.
    let proxies = ["http_proxy", "https_proxy", "no_proxy"].map(str::to_owned);
    for variable in ours.into_iter().chain(proxies) {
        environment.extend(["--env".to_owned(), variable]);
    }
    let run = docker
        .invocation(environment)
        .args([
            "--workdir",
            "/tmp",
            node.name(),
            "apt-get",
            "-q",
            "-o",
            "Dpkg::Options::=--force-unsafe-io",
        ])
        .args(args)
        .limit(Duration::from_secs(1200));
    let output = docker.runner.run(&run)?;
    if output.code == 0 {
        return Ok(());
    }
    let verb = args.first().copied().unwrap_or_default();
    Err(mirror.failure(&format!("apt-get {verb} in the build container"), &output))
}

/// The value of one setting in `apt-config dump`'s output.
fn setting(settings: &str, name: &str) -> Option<String> {
    let line = settings.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" \""))?;
    line.strip_suffix("\";").filter(|value| !value.is_empty()).map(str::to_owned)
}

/// A directory for a build; nobody else builds while it exists, see [`ensure`].
struct WorkDir(PathBuf);

impl WorkDir {
    fn make() -> Result<Self> {
        let dir = Self(PathBuf::from(WORK_DIR));
        dir.clear()?;
        std::fs::create_dir(&dir.0).map_err(|e| cannot("make", &dir.0, &e))?;
        // Settings of apt's can hold a proxy's password.
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(&dir.0, private).map_err(|e| cannot("protect", &dir.0, &e))?;
        Ok(dir)
    }

    /// Removes what is in it, and a directory that a killed build left.
    fn clear(&self) -> Result<()> {
        match std::fs::remove_dir_all(&self.0) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(cannot("remove", &self.0, &e))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        if let Err(error) = self.clear() {
            crate::progress::complain(&error.to_string());
        }
    }
}

fn cannot(verb: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(format!("cannot {verb} {}: {error}", path.display()))
}

/// FNV-1a, 64 bit: a hash that is the same in every build, unlike the standard library's.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv1a() {
        // The published test vector for "foobar".
        assert_eq!(fnv1a(b"foobar"), 0x85944171f73967e8);
    }

    #[test]
    fn a_setting_is_found_by_its_whole_name() {
        let dump = "Acquire::http::Proxy::host.invalid \"DIRECT\";\nAcquire::http::Proxy \"http://p:1\";\n";
        assert_eq!(setting(dump, "Acquire::http::Proxy").as_deref(), Some("http://p:1"));
        assert_eq!(setting(dump, "Acquire::https::Proxy"), None);
    }
}
