// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Images brought to the Engines of nodes, which have no registry to pull from.

use crate::cluster::Cluster;
use crate::docker::LABEL;
use crate::process::Invocation;
use crate::site::{Host, sibling};
use crate::{Error, Result};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::process::Child;
use std::sync::Arc;
use std::time::Duration;

/// The image of one small program that runs until it is told to end.
pub const SERVICE: &str = "lab/service:1";

/// The same with a health check, which the Engine runs every second.
pub const JUDGED: &str = "lab/judged:1";

/// A container with this file is ill, as far as the program judges it.
pub const ILL: &str = "/ill";

const HEALTH_CHECK: &str = "HEALTHCHECK --interval=1s --timeout=5s --retries=1 \
                            CMD [\"/lab_service\", \"well\"]";

/// Where the program is, on a node and in the image.
const PROGRAM: &str = "lab_service";

const DIRECTORY: &str = "/opt/lab";

const LIMIT: Duration = Duration::from_secs(180);

/// Gives a node's Engine an image of this machine's, under another name, unless it has that.
///
/// # Errors
/// One of the two Engines refuses.
pub fn image(cluster: &Cluster, node: &Host, tag: &str, name: &str) -> Result<()> {
    if has(node, name)? {
        return Ok(());
    }
    let docker = cluster.docker();
    let (reader, writer) =
        std::io::pipe().map_err(|e| Error::new(format!("cannot make a pipe: {e}")))?;
    let save = docker.invocation(["save", tag]);
    let mut save = docker.runner.spawn_logged(&save, File::from(OwnedFd::from(writer)))?;
    let reader = Arc::new(OwnedFd::from(reader));
    let load = docker.invocation(["exec", "--interactive", node.name(), "docker", "load"]);
    let loaded = docker.runner.run_ok(&load.holding(&reader).limit(LIMIT));
    // Without a reader what saves ends too, whatever became of the load.
    drop(reader);
    let saved = wait(&mut save, tag);
    loaded.map_err(|error| error.during(format_args!("bringing {tag} to {}", node.name)))?;
    saved?;
    node.ok(["docker", "tag", tag, name]).map(|_| ())
}

fn wait(save: &mut Child, tag: &str) -> Result<()> {
    match save.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::new(format!("docker save {tag} ended with {status}"))),
        Err(error) => Err(Error::new(format!("docker save {tag}: {error}"))),
    }
}

/// Gives every node's Engine [`SERVICE`].
///
/// # Errors
/// An Engine refuses.
pub fn service(cluster: &Cluster) -> Result<()> {
    import(cluster, SERVICE, &[])
}

/// Gives every node's Engine [`JUDGED`].
///
/// # Errors
/// An Engine refuses.
pub fn judged(cluster: &Cluster) -> Result<()> {
    import(cluster, JUDGED, &["--change", HEALTH_CHECK])
}

/// Makes an image of the one program on every node, with changes as a Dockerfile has them.
fn import(cluster: &Cluster, name: &str, changes: &[&str]) -> Result<()> {
    let docker = cluster.docker();
    for node in cluster.nodes() {
        if has(node, name)? {
            continue;
        }
        program(cluster, node)?;
        let archive = format!("{DIRECTORY}/service.tar");
        node.ok(["tar", "-C", DIRECTORY, "-cf", &archive, PROGRAM])?;
        let command = format!("CMD [\"/{PROGRAM}\"]");
        let change = ["--change", &command, "--change", &format!("LABEL {LABEL}")];
        let change = change.into_iter().chain(changes.iter().copied());
        let import = node.invocation(["docker", "import"].into_iter().chain(change));
        let import: Invocation = import.args([archive.as_str(), name]).limit(LIMIT);
        docker.runner.run_ok(&import)?;
    }
    Ok(())
}

/// Gives a node the program itself, and says where it is.
///
/// # Errors
/// The Engine refuses.
pub fn program(cluster: &Cluster, node: &Host) -> Result<String> {
    let docker = cluster.docker();
    let path = format!("{DIRECTORY}/{PROGRAM}");
    if node.run(["test", "-x", &path])?.code != 0 {
        node.ok(["install", "-d", DIRECTORY])?;
        let (program, there) = (sibling(PROGRAM)?, format!("{}:{DIRECTORY}/", node.name()));
        let copy = docker.invocation(["cp"]).args([program.as_os_str(), there.as_ref()]);
        docker.runner.run_ok(&copy)?;
    }
    Ok(path)
}

fn has(node: &Host, name: &str) -> Result<bool> {
    Ok(node.run(["docker", "image", "inspect", "--format", "{{.Id}}", name])?.code == 0)
}
