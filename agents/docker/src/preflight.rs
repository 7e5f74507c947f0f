// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What would make a container's start fail, said before anything is made: a port that is taken, a
//! network or a container that isn't there, a directory or file of the host that is missing.
//!
//! Only what is certain to fail is an error. The Engine judges again, and has the last word: between
//! our look and its own anything may change.

mod paths;
mod ports;
mod site;

pub(crate) use paths::{check_mount_points, make_mount_points};

use crate::engine::{Engine, Failure};
use bollard::Docker;
use bollard::models::{ContainerCreateBody, HostConfig, LocalNodeState};
use ocf::deadline::Deadline;
use ocf::{Error, Result};
use std::collections::BTreeSet;

/// Judges what the Engine is going to be asked for. `mount_points` are made before the container is, so
/// they count as there.
///
/// # Errors
/// `args` (2): this node lacks something. `generic`: a port is taken, or the Engine doesn't say.
pub(crate) fn check(
    engine: &Engine,
    body: &ContainerCreateBody,
    own_name: &str,
    mount_points: &str,
    deadline: &Deadline,
) -> Result<()> {
    let Some(host) = body.host_config.as_ref() else { return Ok(()) };
    let sites = engine.endpoint().socket().map(site::Shared::of).unwrap_or_default();
    if sites.has_our_files {
        paths::check_sources(host, mount_points)?;
    }
    check_containers(engine, host, deadline)?;
    check_networks(engine, body, host, deadline)?;
    if sites.has_our_network {
        ports::check(engine, host, own_name, deadline)?;
    }
    Ok(())
}

/// Other containers that this one takes volumes, networks or other things of.
fn check_containers(engine: &Engine, host: &HostConfig, deadline: &Deadline) -> Result<()> {
    let modes =
        [("--network", &host.network_mode), ("--pid", &host.pid_mode), ("--ipc", &host.ipc_mode)];
    for (flag, mode) in modes {
        let name = mode.as_deref().and_then(|mode| mode.strip_prefix("container:"));
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            check_container(engine, flag, name, true, deadline)?;
        }
    }
    for link in host.links.iter().flatten() {
        let name = link.split(':').next().unwrap_or_default();
        check_container(engine, "--link", name, true, deadline)?;
    }
    for volumes in host.volumes_from.iter().flatten() {
        let name = volumes.split(':').next().unwrap_or_default();
        check_container(engine, "--volumes-from", name, false, deadline)?;
    }
    Ok(())
}

fn check_container(
    engine: &Engine,
    flag: &str,
    name: &str,
    has_to_run: bool,
    deadline: &Deadline,
) -> Result<()> {
    let question = async |docker: &Docker| docker.inspect_container(name, None).await;
    let found = match engine.ask(deadline, question) {
        Ok(found) => found,
        Err(failure) if failure.is_absence() => {
            return Err(Error::args(format!(
                "container {name} of {flag} isn't on this node: start it here first"
            )));
        }
        Err(failure) => return Err(engine.error(&format!("look for container {name}"), &failure)),
    };
    let runs = found.state.and_then(|state| state.running).unwrap_or(false);
    if has_to_run && !runs {
        return Err(Error::generic(format!(
            "container {name} of {flag} doesn't run on this node: start it first"
        )));
    }
    Ok(())
}

/// The networks that the container is to be part of.
fn check_networks(
    engine: &Engine,
    body: &ContainerCreateBody,
    host: &HostConfig,
    deadline: &Deadline,
) -> Result<()> {
    let further = body.networking_config.as_ref().and_then(|all| all.endpoints_config.as_ref());
    let further = further.into_iter().flat_map(|all| all.keys().map(String::as_str));
    let names: BTreeSet<&str> = host.network_mode.as_deref().into_iter().chain(further).collect();
    for name in names.into_iter().filter(|name| is_made_by_hand(name)) {
        let question = async |docker: &Docker| docker.inspect_network(name, None).await;
        match engine.ask(deadline, question) {
            Ok(_) => {}
            // A worker of a swarm learns of a network only when something is attached to it.
            Err(failure) if failure.is_absence() && is_in_swarm(engine, deadline) => {}
            Err(failure) if failure.is_absence() => {
                return Err(Error::args(format!(
                    "network {name} isn't on this node: make it with docker network create"
                )));
            }
            Err(failure) => {
                return Err(engine.error(&format!("look for network {name}"), &failure));
            }
        }
    }
    Ok(())
}

/// Whether a network is one that somebody has to make.
fn is_made_by_hand(name: &str) -> bool {
    !matches!(name, "" | "default" | "bridge" | "host" | "none") && !name.starts_with("container:")
}

fn is_in_swarm(engine: &Engine, deadline: &Deadline) -> bool {
    let info: std::result::Result<_, Failure> =
        engine.ask(deadline, async |docker: &Docker| docker.info().await);
    let state = info.ok().and_then(|info| info.swarm?.local_node_state);
    state.is_some_and(|state| state == LocalNodeState::ACTIVE)
}
