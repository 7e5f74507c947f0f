// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Our packages beside Debian's shell agents, on nodes that have those.

use crate::build::DEBIAN_PACKAGES;
use crate::cluster::{AGENT_DIR, Cluster};
use crate::packages::{COLLECTION, NAMES, Packages};
use crate::process::Output;
use crate::site::Host;
use crate::{Error, Result};

/// Where nodes find the version of our packages that is tested.
pub const PACKAGES: &str = "/mnt/packages";

/// A version of our packages, and where the nodes find it.
pub type Version<'a> = (&'a Packages, &'static str);

/// Puts our agents at the names of Debian's.
///
/// # Errors
/// dpkg refuses.
pub fn install(node: &Host, (packages, there): Version<'_>) -> Result<Output> {
    let files = [packages.file(COLLECTION)?, packages.file(NAMES)?];
    let files = files.map(|f| f.file_name().unwrap_or_default().to_string_lossy().into_owned());
    let paths = files.map(|file| format!("{there}/{file}"));
    node.ok(["dpkg", "--install"].into_iter().chain(paths.iter().map(String::as_str)))
}

/// Gives the names back to Debian's.
///
/// # Errors
/// dpkg refuses.
pub fn give_names_back(node: &Host) -> Result<Output> {
    dpkg(node, ["--remove", NAMES])
}

/// Takes the names again, from what [`install`] brought before.
///
/// # Errors
/// There is no package, or dpkg refuses.
pub fn take_names(node: &Host) -> Result<Output> {
    let found = node.ok(["find", PACKAGES, "-name", &format!("{NAMES}_*.deb")])?.stdout;
    node.ok(["dpkg", "--install"].into_iter().chain(found.lines()))
}

/// The same, where the shell agents have stopped what ours had started: they don't know of the files that ours
/// keep of an address.
///
/// # Errors
/// As [`take_names`].
pub fn take_names_again(node: &Host) -> Result<()> {
    take_names(node)?;
    node.ok(["find", "/run/resource-agents", "-name", "IPaddr2-*", "-type", "f", "-delete"])
        .map(|_| ())
}

/// Installs Debian's packages of shell agents once more, as they lie in the image.
///
/// # Errors
/// dpkg refuses.
pub fn reinstall_debians(node: &Host) -> Result<Output> {
    let files = node.ok(["find", DEBIAN_PACKAGES, "-name", "*.deb"])?.stdout;
    node.ok(["dpkg", "--install"].into_iter().chain(files.lines()))
}

/// Runs dpkg.
///
/// # Errors
/// It refuses.
pub fn dpkg<const N: usize>(node: &Host, args: [&str; N]) -> Result<Output> {
    node.ok(std::iter::once("dpkg").chain(args))
}

/// An error unless these agents' names stand for ours on both nodes, or for Debian's.
///
/// # Errors
/// One of them doesn't, or a node doesn't answer.
pub fn require(cluster: &Cluster, agents: &[&str], are_ours: bool) -> Result<()> {
    for node in cluster.nodes() {
        for agent in agents {
            let path = format!("{AGENT_DIR}/{agent}");
            if node.ok(["head", "-c", "4", &path])?.stdout.ends_with("ELF") != are_ours {
                let whose = if are_ours { "ours" } else { "Debian's" };
                return Err(Error::new(format!("{}: {path} isn't {whose}", node.name)));
            }
        }
    }
    Ok(())
}
