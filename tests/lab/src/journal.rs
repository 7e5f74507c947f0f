// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the agents themselves were called with: the file that parameter `envfile` of the agents of
//! `ocf:pacemaker` makes them append to, one for all resources of a node, so that it also tells the
//! order of calls.

use crate::Result;
use crate::cluster::Cluster;

/// The file on each node; it is gone with the node's power.
pub const PATH: &str = "/run/lab.journal";

/// The parameter of a resource that is to write into it.
pub const PARAMETER: &str = "envfile=/run/lab.journal";

/// One call of an agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Call {
    /// The action.
    pub action: String,
    /// The environment, as names and values.
    pub environment: Vec<(String, String)>,
}

impl Call {
    /// A variable of the environment.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let variable = self.environment.iter().find(|(other, _)| other == name);
        variable.map(|(_, value)| value.as_str())
    }

    /// What Pacemaker adds to a resource's parameters, `OCF_RESKEY_CRM_meta_<name>`.
    #[must_use]
    pub fn meta(&self, name: &str) -> Option<&str> {
        self.get(&format!("OCF_RESKEY_CRM_meta_{name}"))
    }

    /// The instance it was called for; empty if it was told none.
    #[must_use]
    pub fn instance(&self) -> &str {
        self.get("OCF_RESOURCE_INSTANCE").unwrap_or_default()
    }

    /// Whether it is a monitor that isn't repeated.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.action == "monitor" && self.meta("interval").is_none_or(|interval| interval == "0")
    }

    /// Action and instance, as `start a`.
    #[must_use]
    pub fn words(&self) -> String {
        format!("{} {}", self.action, self.instance())
    }
}

/// Reads a journal. A call that is just being written, at the end, is left out.
#[must_use]
pub fn parse(text: &str) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut open: Option<Call> = None;
    for line in text.lines() {
        if line == "###" {
            calls.extend(open.take());
        } else if let Some(title) = line.strip_prefix("### ") {
            let action = title.split(' ').next().unwrap_or_default().to_owned();
            open = Some(Call { action, environment: Vec::new() });
        } else if let (Some(call), Some((name, value))) = (&mut open, line.split_once('=')) {
            call.environment.push((name.to_owned(), value.to_owned()));
        }
    }
    calls
}

/// The calls on a node, oldest first; none if there is no journal.
///
/// # Errors
/// The node does not answer.
pub fn read(cluster: &Cluster, node: &str) -> Result<Vec<Call>> {
    // A code other than 0: nobody wrote anything yet.
    Ok(parse(&cluster.node(node)?.run(["cat", PATH])?.stdout))
}

/// Starts all journals anew.
///
/// # Errors
/// A node does not answer.
pub fn forget(cluster: &Cluster) -> Result<()> {
    cluster.nodes().try_for_each(|node| node.ok(["rm", "-f", PATH]).map(|_| ()))
}

/// The calls on a node that change something, as `start a`, in order. Monitors don't.
///
/// # Errors
/// The node does not answer.
pub fn acts(cluster: &Cluster, node: &str) -> Result<Vec<String>> {
    let calls = read(cluster, node)?;
    Ok(calls.iter().filter(|call| call.action != "monitor").map(Call::words).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    // As our Dummy wrote it, shortened; the last call is half written.
    const TEXT: &str = "### monitor @ 1795322695 ###\nOCF_RESKEY_CRM_meta_on_node=node1\n\
        OCF_RESOURCE_INSTANCE=u:1\n###\n### start @ 1795322695 ###\n\
        OCF_RESKEY_CRM_meta_notify_stop_uname= \nOCF_RESOURCE_INSTANCE=u:1\nX=a=b\n###\n\
        ### monitor @ 1795322696 ###\nOCF_RESKEY_CRM_meta_interval=10000\n###\n\
        ### stop @ 1795322697 ###\nOCF_RES";

    #[test]
    fn calls_are_read_in_order_and_a_half_written_one_is_left_out() {
        let calls = parse(TEXT);
        let actions: Vec<_> = calls.iter().map(|call| call.action.as_str()).collect();
        assert_eq!(actions, ["monitor", "start", "monitor"]);
        assert_eq!(calls[1].words(), "start u:1");
        assert_eq!(calls[1].get("X"), Some("a=b"));
        assert_eq!(calls[2].words(), "monitor ");
    }

    #[test]
    fn an_empty_list_stays_the_blank_that_pacemaker_sends() {
        let calls = parse(TEXT);
        assert_eq!(calls[1].meta("notify_stop_uname"), Some(" "));
        assert_eq!(calls[0].meta("notify_stop_uname"), None);
    }

    #[test]
    fn a_monitor_without_an_interval_is_a_probe() {
        let probes: Vec<_> = parse(TEXT).iter().map(Call::is_probe).collect();
        assert_eq!(probes, [true, false, false]);
    }
}
