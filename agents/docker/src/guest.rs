// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Pacemaker Remote inside: whether the container of a bundle already takes the cluster's connection.
//!
//! Pacemaker connects as soon as start has answered. A connection that is refused it tries again after a
//! second and a half, and with a bundle's replicas one after the other: so a start that ends when there is
//! somebody to connect to ends the recovery earlier.

use crate::container::Container;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Until when the connection is waited for: what takes longer is left to Pacemaker's own patience.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Where Pacemaker tells a container which port it will connect to.
const VARIABLE: &str = "PCMK_remote_port=";

/// What it lends to the containers that it connects to, and to no others: the key.
const KEY: &str = "/etc/pacemaker/";

/// `TCP_LISTEN`, as proc_net_tcp(5) writes it.
const LISTENING: &str = "0A";

/// Whether Pacemaker is going to connect to something in the container that doesn't listen yet.
pub(crate) fn is_awaited(container: &Container) -> bool {
    match (port(container), container.pid) {
        (Some(port), Some(pid)) => {
            listens(Path::new(&format!("/proc/{pid}/net")), port) == Some(false)
        }
        _ => false,
    }
}

/// The port that Pacemaker will connect to, in a bundle with a resource inside.
fn port(container: &Container) -> Option<u16> {
    let mut mounts = container.details.mounts.iter().flatten();
    mounts.find(|mount| mount.destination.as_deref().is_some_and(|path| path.starts_with(KEY)))?;
    let environment = container.details.config.as_ref()?.env.as_ref()?;
    environment.iter().find_map(|line| line.strip_prefix(VARIABLE)?.parse().ok())
}

/// Whether a port is listened to in a network namespace; `None` where that can't be read.
fn listens(network: &Path, port: u16) -> Option<bool> {
    let tables = ["tcp6", "tcp"].map(|name| fs::read_to_string(network.join(name)).ok());
    let mut known = tables.iter().flatten().peekable();
    known.peek()?;
    Some(known.any(|table| table.lines().any(|line| is_listening(line, port))))
}

/// Whether a line is that of a socket that listens to a port: `sl local_address rem_address st …`.
fn is_listening(line: &str, port: u16) -> bool {
    let mut words = line.split_whitespace();
    let local = words.nth(1).and_then(|address| address.rsplit_once(':'));
    let own = local.and_then(|(_, port)| u16::from_str_radix(port, 16).ok());
    own == Some(port) && words.nth(1) == Some(LISTENING)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use super::*;
    use bollard::models::ContainerInspectResponse;

    #[test]
    fn a_port_that_is_listened_to_is_found_in_the_kernels_table() {
        let line = "   0: 00000000000000000000000000000000:0C31 00000000000000000000000000000000:0000 0A \
                    00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000";
        assert!(is_listening(line, 3121));
        assert!(!is_listening(line, 80));
        let connected = line.replace(" 0A ", " 01 ");
        for other in [connected.as_str(), "", "  sl  local_address rem_address   st", "a b c d"] {
            assert!(!is_listening(other, 3121), "{other}");
        }
    }

    #[test]
    fn only_what_pacemaker_connects_to_is_waited_for() {
        let container = |variable: &str, path: &str| {
            let details: ContainerInspectResponse = serde_json::from_value(serde_json::json!({
                "Id": "a", "Name": "/web", "State": {"Status": "running", "Pid": 1},
                "Config": {"Env": ["PATH=/bin", variable]}, "Mounts": [{"Destination": path}],
            }))
            .unwrap();
            Container::of(details).unwrap()
        };
        let key = "/etc/pacemaker/authkey";
        assert_eq!(port(&container("PCMK_remote_port=3121", key)), Some(3121));
        for (variable, path) in [
            ("PCMK_remote_port=3121", "/data"),
            ("OTHER=3121", key),
            ("PCMK_remote_port=much", key),
            ("PCMK_remote_port=70000", key),
        ] {
            assert_eq!(port(&container(variable, path)), None, "{variable} {path}");
        }
        assert_eq!(listens(Path::new("/nowhere"), 3121), None);
    }
}
