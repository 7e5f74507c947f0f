// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What runs while the agents change, and what its monitors have to answer.

use super::watch::Monitor;
use super::{address, container, web};
use crate::executor::Call;
use crate::site::Host;
use crate::status::{Resource, Status};

/// The resources: id and agent. The first two are to be on a node each; the last is promotable.
pub const RESOURCES: [(&str, &str); 6] = [
    ("hdummy", "heartbeat/Dummy"),
    ("pdummy", "pacemaker/Dummy"),
    (container::ID, "heartbeat/docker"),
    (address::ID, "heartbeat/IPaddr2"),
    (web::ID, "heartbeat/apache"),
    ("stateful", "pacemaker/Stateful"),
];

/// The promotable one.
pub const STATEFUL: &str = "stateful";

/// What an operator enables and disables.
pub const TOP: [&str; 6] =
    ["hdummy", "pdummy", container::ID, address::ID, web::ID, "stateful-clone"];

/// How often, in milliseconds, everything is monitored (`interval=1s`) but the unpromoted one: pcs
/// wants another interval for that.
pub const INTERVAL: u64 = 1000;

/// A resource is probed only when it is made, before it is started anywhere.
#[must_use]
pub fn right_code(call: &Call) -> i32 {
    match (call.resource.as_str(), call.task.as_str(), call.interval) {
        (_, "monitor", 0) => 7,
        (STATEFUL, "monitor", INTERVAL) => 8,
        _ => 0,
    }
}

/// What runs on a node, and what its monitor has to answer.
#[must_use]
pub fn monitors_on(status: &Status, node: &Host) -> Vec<Monitor> {
    let mut monitors = Vec::new();
    for (id, agent) in RESOURCES {
        let here = |r: &&Resource| r.is_active && r.node == node.name;
        let code = |r: &Resource| if r.role == "Promoted" { 8 } else { 0 };
        let found = status.instances(id).filter(here).map(code);
        monitors.extend(found.map(|code| Monitor {
            instance: id.to_owned(),
            agent: agent.to_owned(),
            parameter: match id {
                container::ID => container::IMAGE,
                address::ID => address::PARAMETER,
                _ => "",
            },
            code,
        }));
    }
    monitors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_promoted_ones_monitor_answers_8_and_only_a_probe_7() {
        let call = |resource: &str, task: &str, interval| Call {
            resource: resource.into(),
            task: task.into(),
            interval,
            code: None,
            line: String::new(),
        };
        assert_eq!(right_code(&call(STATEFUL, "monitor", 0)), 7);
        assert_eq!(right_code(&call(STATEFUL, "monitor", INTERVAL)), 8);
        assert_eq!(right_code(&call(STATEFUL, "monitor", 2000)), 0);
        assert_eq!(right_code(&call("hdummy", "monitor", INTERVAL)), 0);
        assert_eq!(right_code(&call(STATEFUL, "stop", 0)), 0);
    }
}
