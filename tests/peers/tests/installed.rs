// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The rules of a description, on every agent that Debian installs: no crash, no hang, and no finding
//! that is not in this table, where each was confirmed by hand.

use ocf_tester::agent::Invocation;
use peers::{Outcome, claim};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// Agent, rule, and the parameter or part it is about.
const CONFIRMED: &[(&str, &str, &str)] = &[
    // A required parameter with a default: the default can never count.
    ("heartbeat/AoEtarget", "MD-17", "nic"),
    ("heartbeat/WinPopup", "MD-17", "hostfile"),
    ("heartbeat/Xen", "MD-17", "xmfile"),
    ("heartbeat/aliyun-vpc-move-ip", "MD-17", "interface"),
    ("heartbeat/aws-vpc-move-ip", "MD-17", "interface"),
    ("heartbeat/gcp-vpc-move-ip", "MD-17", "vpc_network"),
    // An integer that is a pattern, a time with a unit, a name.
    ("heartbeat/jboss", "MD-08", "rotate_logsuffix"),
    ("heartbeat/pingd", "MD-08", "dampen"),
    ("heartbeat/pingd", "MD-08", "name"),
    ("pacemaker/HealthSMART", "MD-08", "dampen"),
    ("pacemaker/ping", "MD-08", "dampen"),
    // A boolean that is a path, an address, a port.
    ("heartbeat/rabbitmq-server-ha", "MD-08", "mnesia_base"),
    ("heartbeat/rabbitmq-server-ha", "MD-08", "host_ip"),
    ("heartbeat/rabbitmq-server-ha", "MD-08", "node_port"),
    ("heartbeat/rabbitmq-server-ha", "MD-08", "erlang_cookie_file"),
    // crmsh fails on it: `crm ra info ocf:heartbeat:AoEtarget`.
    ("heartbeat/AoEtarget", "USE-02", "encoding"),
];

/// Every executable file below the providers, hidden ones aside.
fn installed() -> Outcome<Vec<(String, PathBuf)>> {
    let mut agents = Vec::new();
    let root = "/usr/lib/ocf/resource.d";
    for provider in
        fs::read_dir(root).map_err(|e| format!("{root}: {e}: install resource-agents"))?
    {
        let provider = provider?;
        for agent in fs::read_dir(provider.path())? {
            let agent = agent?;
            let name = agent.file_name().to_string_lossy().into_owned();
            let path = agent.path();
            if !name.starts_with('.') && path.is_file() {
                agents.push((format!("{}/{name}", provider.file_name().display()), path));
            }
        }
    }
    Ok(agents)
}

#[test]
fn the_rules_find_in_debians_agents_what_is_wrong_and_nothing_else() -> Outcome {
    let agents = installed()?;
    claim(agents.len() > 100, format!("only {} agents: install resource-agents", agents.len()))?;
    let mut unexpected = Vec::new();
    let mut found = BTreeSet::new();
    for (name, path) in &agents {
        let seen = Invocation::new(path, "meta-data").env("OCF_ROOT", "/usr/lib/ocf").run()?;
        for finding in ocf_metadata::rules::check(&seen.stdout) {
            let row = CONFIRMED.iter().find(|(agent, rule, part)| {
                agent == name && *rule == finding.rule && finding.message.contains(part)
            });
            match row {
                Some(row) => drop(found.insert(row)),
                None => unexpected.push(format!("{name}: {finding}")),
            }
        }
    }
    claim(unexpected.is_empty(), unexpected.join("\n"))?;
    claim(found.len() == CONFIRMED.len(), format!("found only {found:?}"))
}
