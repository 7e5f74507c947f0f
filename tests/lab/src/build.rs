// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How an image is made: of this machine's own mirror, because there is no registry to be relied
//! on.

use crate::docker::{Docker, LABEL};
use crate::mirror::{Mirror, fetch_settings};
use crate::packages::Packages;
use crate::process::Invocation;
use crate::recipe::Kind;
use crate::transient::{Spec, Transient};
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Everything made on the way to an image; the next build starts by removing it.
pub const WORK_DIR: &str = "/var/tmp/ocf-agents-lab";

const APT_DIR: &str = "/run/lab-apt";

/// Where a container that is being built finds our packages.
const OUR_PACKAGES: &str = "/run/lab-packages";

/// Where Debian's packages of shell agents lie in the image of the peers, to be installed again.
pub const DEBIAN_PACKAGES: &str = "/var/lib/lab/debs";

/// A build: one at a time on a machine, see [`crate::image::ensure`].
#[derive(Debug)]
pub struct Build<'a> {
    docker: &'a Docker,
    work: WorkDir,
    mirror: Mirror,
    settings: String,
}

impl<'a> Build<'a> {
    /// Clears what a killed build left and finds out where packages come from.
    ///
    /// # Errors
    /// There is no mirror, or the directory cannot be made.
    pub fn begin(docker: &'a Docker) -> Result<Self> {
        let work = WorkDir::make()?;
        let mirror = Mirror::of_this_host()?;
        let settings = fetch_settings(&docker.runner)?;
        Ok(Self { docker, work, mirror, settings })
    }

    /// Makes a base system.
    ///
    /// # Errors
    /// No mirror answers, or the Engine fails.
    pub fn make_base(&self, kind: Kind) -> Result<()> {
        let (root, archive) = (self.work.0.join("root"), self.work.0.join("root.tar"));
        // In namespaces of its own: whatever ends the build, its mounts and processes end with it.
        let mut debootstrap = Invocation::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--mount-proc", "--fork"])
            .args(["--kill-child", "debootstrap", "--variant=minbase"])
            .limit(Duration::from_secs(1800));
        if let Some(proxy) = setting(&self.settings, "Acquire::http::Proxy") {
            debootstrap = debootstrap.env("http_proxy", proxy);
        }
        let is_keyring = |k: &&str| k.ends_with(".gpg") && Path::new(k).exists();
        if let Some(keyring) = self.mirror.keyrings().find(is_keyring) {
            debootstrap = debootstrap.args([format!("--keyring={keyring}")]);
        }
        let release = kind.release().code_name();
        let debootstrap = debootstrap.args([release.as_ref(), root.as_os_str()]);
        let output = self.docker.runner.run(&debootstrap.args([&self.mirror.main.uri]))?;
        if output.code != 0 {
            return Err(self.mirror.failure("debootstrap on this host", &output));
        }
        let tar = Invocation::new("tar")
            .args(["--numeric-owner", "--exclude=./etc/apt/sources.list"])
            .args(["--exclude=./var/cache/apt/archives/*.deb", "--exclude=./var/lib/apt/lists/*_*"])
            .args(["-C".as_ref(), root.as_os_str()])
            .args(["-cf".as_ref(), archive.as_os_str(), ".".as_ref()]);
        self.docker.runner.run_ok(&tar.limit(Duration::from_secs(300)))?;
        remove(&root)?;
        let import = self
            .docker
            .invocation(["import", "--change", &format!("LABEL {LABEL}")])
            .args([archive.as_os_str(), kind.tag().as_ref()]);
        let imported = self.docker.runner.run_ok(&import.limit(Duration::from_secs(300)));
        remove(&archive)?;
        imported.map(|_| ())
    }

    /// Makes another image on its base; `packages` are ours, for the kinds that have them.
    ///
    /// # Errors
    /// No mirror answers, or the Engine fails.
    pub fn make(&self, kind: Kind, packages: Option<&Packages>) -> Result<()> {
        let mut mounts = self.apt_mounts(kind)?;
        mounts.extend(packages.map(mount));
        let spec = Spec {
            image: Kind::Base(kind.release()).tag(),
            hostname: "build".into(),
            // The host's own way to the mirror, its resolver included.
            network: "host".into(),
            mounts,
            ..Spec::default()
        };
        let container = Transient::start(self.docker, &spec)?;
        // Installing must start no service: the cluster is started by hand, later.
        let denied = "#!/bin/sh\nexit 101\n";
        container.write_file("/usr/sbin/policy-rc.d", ("root", "root"), "0755", denied)?;
        self.apt_get(&container, "/tmp", &["update"])?;
        let ours = match packages {
            Some(packages) => paths_inside(packages)?,
            None => Vec::new(),
        };
        let mut install = vec!["install", "--yes", "--no-install-recommends"];
        install.extend(ours.iter().map(String::as_str));
        install.extend(kind.packages());
        self.apt_get(&container, "/tmp", &install)?;
        for (path, text) in kind.files() {
            container.write_file(path, ("root", "root"), "0644", text)?;
        }
        if matches!(kind, Kind::Peers(_)) {
            container.ok(["install", "-d", DEBIAN_PACKAGES])?;
            let agents = ["download", "resource-agents", "pacemaker-resource-agents"];
            self.apt_get(&container, DEBIAN_PACKAGES, &agents)?;
        }
        if matches!(kind, Kind::Peers(_) | Kind::Engine(_)) {
            // What systemd-tmpfiles would make at boot, for the agents of resource-agents.
            container.ok(["install", "-d", "-m", "1755", "/run/resource-agents"])?;
        }
        self.apt_get(&container, "/tmp", &["clean"])?;
        container.ok(["rm", "-rf", "/var/lib/apt/lists"])?;
        container.ok(["install", "-d", "/var/lib/apt/lists/partial"])?;
        commit(&container, &kind.tag())
    }

    /// Lends the container this host's way of fetching packages. All of it is mounted, so none of
    /// it, credentials least of all, ends up in the image.
    fn apt_mounts(&self, kind: Kind) -> Result<Vec<(String, String)>> {
        let dir = self.work.0.join("apt");
        std::fs::create_dir_all(&dir).map_err(|e| cannot("make", &dir, &e))?;
        let mut config = self.settings.clone();
        config += &format!("Dir::Etc::sourcelist \"{APT_DIR}/sources.list\";\n");
        config += &format!("Dir::Etc::netrc \"{APT_DIR}-auth.conf\";\n");
        config += &format!("Dir::Etc::netrcparts \"{APT_DIR}-auth.conf.d\";\n");
        config += &format!("Acquire::https::CAInfo \"{APT_DIR}-ca.crt\";\n");
        let keys = format!("{APT_DIR}-keys");
        let sources = self.mirror.sources_list(kind.release().code_name(), &keys);
        for (name, text) in [("apt.conf", config), ("sources.list", sources)] {
            let file = dir.join(name);
            std::fs::write(&file, text).map_err(|e| cannot("write", &file, &e))?;
        }
        let authorities = setting(&self.settings, "Acquire::https::CAInfo")
            .unwrap_or_else(|| "/etc/ssl/certs/ca-certificates.crt".into());
        let lent = [
            ("/etc/apt/auth.conf".to_owned(), format!("{APT_DIR}-auth.conf")),
            ("/etc/apt/auth.conf.d".to_owned(), format!("{APT_DIR}-auth.conf.d")),
            (authorities, format!("{APT_DIR}-ca.crt")),
        ];
        let keyrings = self.mirror.keyrings().filter_map(|keyring| {
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

    fn apt_get(&self, container: &Transient, directory: &str, args: &[&str]) -> Result<()> {
        let mut environment = vec!["exec".to_owned()];
        let ours =
            [format!("APT_CONFIG={APT_DIR}/apt.conf"), "DEBIAN_FRONTEND=noninteractive".into()];
        // Names without a value: the client hands on what it finds in its own environment.
        let proxies = ["http_proxy", "https_proxy", "no_proxy"].map(str::to_owned);
        for variable in ours.into_iter().chain(proxies) {
            environment.extend(["--env".to_owned(), variable]);
        }
        let run = self
            .docker
            .invocation(environment)
            .args(["--workdir", directory, container.name(), "apt-get", "-q"])
            .args(["-o", "Dpkg::Options::=--force-unsafe-io"])
            .args(args)
            .limit(Duration::from_secs(1200));
        let output = self.docker.runner.run(&run)?;
        if output.code == 0 {
            return Ok(());
        }
        let verb = args.first().copied().unwrap_or_default();
        Err(self.mirror.failure(&format!("apt-get {verb} in the build container"), &output))
    }
}

/// Puts the present version of our packages over the one that an image was made with.
///
/// # Errors
/// dpkg refuses, or the Engine fails.
pub fn upgrade(docker: &Docker, image: &str, packages: &Packages, tag: &str) -> Result<()> {
    let spec = Spec {
        image: image.to_owned(),
        hostname: "upgrade".into(),
        mounts: vec![mount(packages)],
        ..Spec::default()
    };
    let container = Transient::start(docker, &spec)?;
    let install = ["dpkg", "--force-unsafe-io", "--install"].map(str::to_owned);
    container.ok(install.into_iter().chain(paths_inside(packages)?))?;
    commit(&container, tag)
}

fn mount(packages: &Packages) -> (String, String) {
    (packages.directory().to_string_lossy().into_owned(), OUR_PACKAGES.to_owned())
}

fn paths_inside(packages: &Packages) -> Result<Vec<String>> {
    let inside = |file: PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        format!("{OUR_PACKAGES}/{name}")
    };
    Ok(packages.for_node()?.map(inside).to_vec())
}

fn commit(container: &Transient, tag: &str) -> Result<()> {
    let label = format!("LABEL {LABEL}");
    let commit =
        container.docker().invocation(["commit", "--change", &label, "--change", "CMD [\"cat\"]"]);
    let commit = commit.args([container.name(), tag]).limit(Duration::from_secs(300));
    container.docker().runner.run_ok(&commit).map(|_| ())
}

/// The value of one setting in `apt-config dump`'s output.
fn setting(settings: &str, name: &str) -> Option<String> {
    let line = settings.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" \""))?;
    line.strip_suffix("\";").filter(|value| !value.is_empty()).map(str::to_owned)
}

/// A directory for a build; nobody else builds while it exists, see [`crate::image::ensure`].
#[derive(Debug)]
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
        remove(&self.0)
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        if let Err(error) = self.clear() {
            crate::progress::complain(&error.to_string());
        }
    }
}

/// Removes a file, or a directory with what is in it; one that isn't there is no error.
fn remove(path: &Path) -> Result<()> {
    let is_file = path.symlink_metadata().is_ok_and(|found| !found.is_dir());
    let removed = if is_file { std::fs::remove_file(path) } else { std::fs::remove_dir_all(path) };
    match removed {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(cannot("remove", path, &e)),
        _ => Ok(()),
    }
}

fn cannot(verb: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(format!("cannot {verb} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_found_by_its_whole_name() {
        let dump = "Acquire::http::Proxy::host.invalid \"DIRECT\";\nAcquire::http::Proxy \"http://p:1\";\n";
        assert_eq!(setting(dump, "Acquire::http::Proxy").as_deref(), Some("http://p:1"));
        assert_eq!(setting(dump, "Acquire::https::Proxy"), None);
    }
}
